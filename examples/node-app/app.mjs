// Notes: an application in another language beside Guestpass. It has a document and operations of its own. It knows
// nothing of OAuth, Stytch or access tokens: nginx asks Guestpass about every call (nginx.conf), and the application
// reads who calls out of what Guestpass has signed (identity.mjs).
//
//   PUBLIC_URL  origin under which the world sees Guestpass and the application, http://localhost:8000 unless it is set
//   KEYS_URL    where Guestpass publishes its keys, http://localhost:8080/verify/keys unless it is set
//   PORT        port on this machine, 3000 unless it is set; 0: any

import { randomUUID } from "node:crypto";
import { createServer } from "node:http";
import { document } from "./document.mjs";
import { identify, Unavailable, Unidentified } from "./identity.mjs";

const publicURL = process.env.PUBLIC_URL ?? "http://localhost:8000";
const keysURL = process.env.KEYS_URL ?? "http://localhost:8080/verify/keys";
const port = Number(process.env.PORT ?? 3000);

const LONGEST_BODY = 10_000; // bytes
const MOST_NOTES = 100; // of one person

const identity = identify({ issuer: publicURL, keysURL });
const notes = new Map(); // by person: a list of notes, the newest first. They are gone when the application stops.

// What each operation needs is here once more. A proxy that asks Guestpass for less is set up wrongly, and is told so.
const operations = [
  { method: "GET", path: /^\/notes$/, scope: "notes:read", effect: "read", answer: listNotes },
  { method: "POST", path: /^\/notes$/, scope: "notes:write", effect: "write", answer: addNote },
  { method: "DELETE", path: /^\/notes\/([a-z0-9-]+)$/, scope: "notes:write", effect: "destroy", answer: removeNote },
];

// A Problem is an answer that is not a success (RFC 9457).
class Problem extends Error {
  constructor(status, detail) {
    super(detail);
    this.status = status;
  }
}

function listNotes({ person }) {
  return { status: 200, body: { person, notes: notes.get(person) ?? [] } };
}

async function addNote({ person, request }) {
  const { text, ...rest } = await readBody(request);
  if (typeof text !== "string" || text.trim() === "" || text.length > 500 || Object.keys(rest).length > 0) {
    throw new Problem(422, "text must be a text of 1 to 500 characters, and there is nothing else to send");
  }
  const kept = notes.get(person) ?? [];
  if (kept.length >= MOST_NOTES) throw new Problem(409, `there are ${MOST_NOTES} notes, and that is the most`);
  const note = { note_id: randomUUID(), text };
  notes.set(person, [note, ...kept]);
  return { status: 201, body: note };
}

// removeNote looks among the person's own notes only, so that others' cannot be found out.
function removeNote({ person, id }) {
  const kept = notes.get(person) ?? [];
  if (!kept.some((note) => note.note_id === id)) throw new Problem(404, "there is no such note");
  notes.set(person, kept.filter((note) => note.note_id !== id));
  return { status: 200, body: { note_id: id, deleted: true } };
}

async function readBody(request) {
  let text = "";
  request.setEncoding("utf8");
  for await (const chunk of request) {
    text += chunk;
    if (text.length > LONGEST_BODY) throw new Problem(413, `the body is longer than ${LONGEST_BODY} bytes`);
  }
  try {
    const value = JSON.parse(text);
    if (value !== null && typeof value === "object" && !Array.isArray(value)) return value;
  } catch {
    // told below
  }
  throw new Problem(400, "the body must be a JSON object");
}

async function answer(request) {
  const path = request.url.split("?")[0];
  if (path === "/openapi.json" && request.method === "GET") return { status: 200, body: document(publicURL) };
  const ofPath = operations.filter((operation) => operation.path.test(path));
  if (ofPath.length === 0) throw new Problem(404, "there is nothing at this path");
  const asked = request.method === "HEAD" ? "GET" : request.method; // Node leaves the body out
  const operation = ofPath.find(({ method }) => method === asked);
  if (!operation) throw new Problem(405, `${request.method} is not possible at this path`);
  const caller = await identity(request.headers["x-guestpass-identity"]);
  if (!caller.scope.split(" ").includes(operation.scope) || caller.effect !== operation.effect) {
    throw new Problem(403, `the proxy asked Guestpass for ${caller.scope} to ${caller.effect}, and this operation ` +
      `needs ${operation.scope} to ${operation.effect}`);
  }
  return operation.answer({ person: caller.sub, request, id: path.match(operation.path)[1] });
}

function refusal(error) {
  if (error instanceof Problem) return { status: error.status, detail: error.message };
  if (error instanceof Unavailable) return { status: 503, detail: "who calls cannot be checked at the moment" };
  if (error instanceof Unidentified) {
    console.error("refused a statement on who calls:", error.message);
    return { status: 401, detail: "Guestpass has not said who calls" };
  }
  console.error(error);
  return { status: 500, detail: "internal error" };
}

const server = createServer({ requestTimeout: 15_000 }, async (request, response) => {
  let status, body;
  let type = "application/json";
  try {
    ({ status, body } = await answer(request));
  } catch (error) {
    const { status: refused, detail } = refusal(error);
    [status, body, type] = [refused, { type: "about:blank", status: refused, detail }, "application/problem+json"];
  }
  response.writeHead(status, { "Content-Type": type, "Cache-Control": "no-store" });
  response.end(JSON.stringify(body));
});

// Loopback only: whoever could reach the application could not call it either, but need not try.
server.listen(port, "127.0.0.1", () => console.log(`notes at http://127.0.0.1:${server.address().port}`));
for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, () => server.close());
