// The adapters of LangChain: what their tools give a model. A result with isError they throw.
import { MultiServerMCPClient } from "@langchain/mcp-adapters";
import { end, headers, settings, tell } from "./mcp-story.mjs";

const client = new MultiServerMCPClient({
  useStandardContentBlocks: true, mcpServers: { guestpass: { transport: "http", url: settings.url, headers } },
});
const tools = await client.getTools();
end(await tell(
  async () => tools.map(({ name }) => name),
  async (name, args) => {
    try {
      const { text, structuredContent } = await tools.find((tool) => tool.name === name).invoke(args);
      return { text, structured: structuredContent, isError: false };
    } catch (error) {
      return { text: error.message, isError: true };
    }
  },
));
