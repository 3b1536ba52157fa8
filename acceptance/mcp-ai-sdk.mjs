// The client of @ai-sdk/mcp: what its tools give a model.
import { createMCPClient } from "@ai-sdk/mcp";
import { answer, end, headers, settings, tell } from "./mcp-story.mjs";

const client = await createMCPClient({ transport: { type: "http", url: settings.url, headers } });
const tools = await client.tools();
end(await tell(
  async () => Object.keys(tools),
  async (name, args) => answer(await tools[name].execute(args, { toolCallId: name, messages: [] })),
));
