import fastify from "fastify";
import { admitted, answer } from "./verify.mjs";

const app = fastify();
app.get("/public", async () => answer);
app.get("/task", async (request, reply) => {
  if (await admitted(request.headers.authorization)) return answer;
  return reply.code(401).send({ error: "invalid_token" });
});
await app.listen({ port: process.env.PORT, host: "127.0.0.1" });
