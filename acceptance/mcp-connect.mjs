// How the two SDKs for TypeScript connect: with a token, or without one as a client that lets a person sign in.
import { headers, settings, visit } from "./mcp-story.mjs";

/** What an SDK asks of a program that uses it, for one person. */
class Person {
  redirectUrl = "http://127.0.0.1/callback";
  clientMetadataUrl = settings.clientMetadataUrl;
  clientMetadata = {
    client_name: "Acceptance", redirect_uris: [this.redirectUrl], token_endpoint_auth_method: "none",
    grant_types: ["authorization_code", "refresh_token"], response_types: ["code"],
  };
  state = () => crypto.randomUUID();
  clientInformation = () => this.client;
  saveClientInformation = (client) => void (this.client = client);
  tokens = () => this.token;
  saveTokens = (token) => void (this.token = token);
  codeVerifier = () => this.verifier;
  saveCodeVerifier = (verifier) => void (this.verifier = verifier);
  discoveryState = () => this.discovery;
  saveDiscoveryState = (discovery) => void (this.discovery = discovery);
  redirectToAuthorization = async (url) => void (this.came = await visit(url.href));
}

/**
 * Connects what make(options of the transport) makes, {client, transport}; where somebody has to
 * sign in first, they do, finish(transport, parameters of the callback) gets the token, and another is connected.
 */
export async function connect(make, finish) {
  const person = settings.token ? undefined : new Person();
  const options = person ? { authProvider: person } : { requestInit: { headers } };
  const first = make(options);
  try {
    await first.client.connect(first.transport);
    return first;
  } catch (error) {
    if (!person?.came) throw error;
  }
  await finish(first.transport, person.came.searchParams);
  const second = make(options);
  await second.client.connect(second.transport);
  return second;
}
