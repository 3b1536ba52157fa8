// MCPJam's conformance tests: those of the protocol, with settings.apps those of the widgets, or with
// settings.registration those of OAuth, where a person signs in. Prints what became of each; the details hold tokens and stay here. MCPJam runs with the alpha of
// @modelcontextprotocol/client alone, which the overrides of package.json name.
import { MCPAppsConformanceTest, MCPConformanceTest, OAuthConformanceTest } from "@mcpjam/sdk";
import { end, settings, visit } from "./mcp-story.mjs";

const { url: serverUrl, token: accessToken, apps, registration, client, patience } = settings;
const told = (name) => (check) => ({ name: check[name], status: check.status, why: check.error?.message });

if (registration) {
  const { passed, steps, summary } = await new OAuthConformanceTest({
    serverUrl, protocolVersion: "2025-11-25", registrationStrategy: registration, client, stepTimeout: patience,
    auth: { mode: "interactive", openUrl: async (url) => void (await fetch(await visit(url))) },
    verification: { listTools: true, callTool: { name: "listTasks" } }, oauthConformanceChecks: true,
  }).run();
  end({ passed, summary, checks: steps.map(told("step")) });
} else if (apps) {
  const { passed, checks, summary, discovery } = await new MCPAppsConformanceTest({ url: serverUrl, accessToken }).run();
  end({ passed, summary, discovery, checks: checks.map(told("id")) });
} else {
  const { passed, checks, summary } = await new MCPConformanceTest({ serverUrl, accessToken }).run();
  end({ passed, summary, checks: checks.map(told("id")) });
}
