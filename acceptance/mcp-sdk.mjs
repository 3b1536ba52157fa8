// The client of @modelcontextprotocol/sdk, which speaks the versions up to 2025-11-25.
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import { connect } from "./mcp-connect.mjs";
import { answer, end, settings, tell } from "./mcp-story.mjs";

const { client, transport } = await connect(
  (options) => ({
    client: new Client({ name: "acceptance", version: "1" }),
    transport: new StreamableHTTPClientTransport(new URL(settings.url), options),
  }),
  (transport, parameters) => transport.finishAuth(parameters.get("code")),
);
end(await tell(
  async () => (await client.listTools()).tools.map(({ name }) => name),
  async (name, args) => answer(await client.callTool({ name, arguments: args })),
  transport.protocolVersion,
));
