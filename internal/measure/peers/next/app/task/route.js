import { admitted, answer } from "../../../verify.mjs";

export const GET = async (request) =>
  (await admitted(request.headers.get("authorization"))) ? Response.json(answer) : Response.json({ error: "invalid_token" }, { status: 401 });
