import express from "express";
import { admitted, answer } from "./verify.mjs";

const app = express();
app.get("/public", (request, response) => response.json(answer));
app.get("/task", async (request, response) => {
  if (await admitted(request.headers.authorization)) response.json(answer);
  else response.status(401).json({ error: "invalid_token" });
});
app.listen(process.env.PORT, "127.0.0.1");
