// The client of @modelcontextprotocol/client, which speaks both eras: the older one by itself, the newer where it is
// told to find out ({mode: "auto"}) or knows it ({mode: {pin: "2026-07-28"}}).
import { Client, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";
import { connect } from "./mcp-connect.mjs";
import { answer, end, settings, tell } from "./mcp-story.mjs";

const { client } = await connect(
  (options) => ({
    client: new Client({ name: "acceptance", version: "1" }, { versionNegotiation: settings.versionNegotiation }),
    transport: new StreamableHTTPClientTransport(new URL(settings.url), options),
  }),
  (transport, parameters) => transport.finishAuth(parameters),
);
end(await tell(
  async () => (await client.listTools()).tools.map(({ name }) => name),
  async (name, args) => answer(await client.callTool({ name, arguments: args })),
  client.getNegotiatedProtocolVersion(),
));
