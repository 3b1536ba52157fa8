// The adapters of LangChain: what their tools give a model. What is an error for the protocol they throw.
import { MultiServerMCPClient } from "@langchain/mcp-adapters";
import { headers, settings, tell } from "./mcp-story.mjs";

const client = new MultiServerMCPClient({
  useStandardContentBlocks: true, mcpServers: { guestpass: { transport: "http", url: settings.url, headers } },
});
const tools = await client.getTools();
await tell(
  async () => tools.map(({ name }) => name),
  async (name, args) => {
    try {
      return { text: await tools.find((tool) => tool.name === name).invoke(args), isError: false };
    } catch (error) {
      return { text: error.message, isError: true };
    }
  },
);
