import { answer } from "../../../verify.mjs";

export const dynamic = "force-dynamic";

export const GET = async () => Response.json(answer);
