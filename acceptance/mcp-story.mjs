// What each MCP client is asked to do, and how it talks with internal/server/clients_test.go: its settings
// are the first line of stdin, what it saw is the last line of stdout, both JSON.
import { createInterface } from "node:readline";

const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
const nextLine = async () => (await lines.next()).value;

export const settings = JSON.parse(await nextLine());
export const headers = { Authorization: `Bearer ${settings.token}` };

/**
 * Lists the tools and calls one of each kind. list returns names; call returns what the client
 * makes of an answer, as {text, structured, isError}; version is the protocol's, if the client says it.
 */
export async function tell(list, call, version) {
  const tools = await list();
  const created = await call("createTask", { title: "Water the <plants>" });
  const task = { task_id: created.structured?.task_id ?? JSON.parse(created.text).task_id };
  const read = await call("getTask", task);
  const deleted = await call("deleteTask", task);
  const gone = await call("getTask", task);
  const wrong = await call("createTask", { title: "" });
  return { version, tools, calls: { created, read, deleted, gone, wrong } };
}

/** An answer of the protocol in the words of the story. */
export const answer = ({ content, structuredContent, isError }) => ({
  text: content.map(({ text }) => text).join(""), structured: structuredContent, isError: isError === true,
});

/** Has a person walk the page at url, and returns the address they come back to. */
export async function visit(url) {
  console.log(JSON.stringify({ visit: url }));
  return new URL(await nextLine());
}

/** Says what was seen, and ends the program. */
export function end(seen) {
  process.stdout.write(`${JSON.stringify(seen)}\n`, () => process.exit());
}
