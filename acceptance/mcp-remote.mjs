// mcp-remote, which brings a server to programs that start theirs themselves: it registers, has a person sign in, and
// keeps the tokens in settings.folder. It opens a browser by itself, but for BROWSER; here a person is told instead.
import { createInterface } from "node:readline";
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StdioClientTransport } from "@modelcontextprotocol/sdk/client/stdio.js";
import { answer, end, settings, tell, visit } from "./mcp-story.mjs";

const transport = new StdioClientTransport({
  command: process.execPath, args: ["node_modules/mcp-remote/dist/proxy.js", settings.url, ...settings.flags],
  stderr: "pipe",
  env: { PATH: process.env.PATH, BROWSER: "true", MCP_REMOTE_CONFIG_DIR: settings.folder },
});
const said = [];
createInterface({ input: transport.stderr }).on("line", async (line) => {
  said.push(line.replace(/(code|token)=[^&\s]+/g, "$1=…"));
  if (line.startsWith(settings.authorize)) await fetch(await visit(line)); // as the browser would
});
const client = new Client({ name: "acceptance", version: "1" });
try {
  await client.connect(transport, { timeout: settings.patience });
} catch (error) {
  throw new Error(`${error.message}\n${said.join("\n")}`);
}
const seen = await tell(
  async () => (await client.listTools()).tools.map(({ name }) => name),
  async (name, args) => answer(await client.callTool({ name, arguments: args })),
);
await client.close();
end(seen);
