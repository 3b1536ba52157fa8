// Signs a person in from the page itself: an authorization code with PKCE, for a public
// client (RFC 7636). The token is returned and kept nowhere; it ends with the page.

const pending = "guestpass-docs-sign-in"; // in sessionStorage, while the person is at /idp

const base64url = (bytes) =>
  btoa(String.fromCharCode(...bytes)).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
const random = () => base64url(crypto.getRandomValues(new Uint8Array(32)));

// leave goes to the sign-in page, which comes back to redirectUri.
export async function leave(settings) {
  const verifier = random(), state = random();
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(verifier));
  sessionStorage.setItem(pending, JSON.stringify({ verifier, state, hash: location.hash }));
  location.assign(settings.authorizationUrl + "?" + new URLSearchParams({
    response_type: "code",
    client_id: settings.clientId,
    redirect_uri: settings.redirectUri,
    scope: settings.scope,
    state,
    code_challenge: base64url(new Uint8Array(digest)),
    code_challenge_method: "S256",
  }));
}

// comeBack returns the access token of a person who comes from the sign-in page, and null
// if nobody does. Its errors are for the person to read. Code and state leave the address
// before anything else happens.
export async function comeBack(settings) {
  const query = new URLSearchParams(location.search);
  if (!["code", "state", "error"].some((name) => query.has(name))) return null;
  const kept = JSON.parse(sessionStorage.getItem(pending) ?? "{}");
  sessionStorage.removeItem(pending);
  history.replaceState(null, "", location.pathname + (kept.hash ?? ""));
  if (!kept.state || query.get("state") !== kept.state) {
    throw new Error("This sign-in was not begun in this tab, so it was not used. Sign in from here.");
  }
  if (query.get("error") === "access_denied") throw new Error("You did not allow it, so nothing was granted.");
  if (!query.get("code")) throw new Error("The sign-in did not work (" + query.get("error") + "). Try again.");
  return exchange(settings, query.get("code"), kept.verifier);
}

async function exchange(settings, code, verifier) {
  const answer = await fetch(settings.tokenUrl, {
    method: "POST",
    body: new URLSearchParams({
      grant_type: "authorization_code",
      client_id: settings.clientId,
      redirect_uri: settings.redirectUri,
      code,
      code_verifier: verifier,
    }),
    credentials: "omit",
    redirect: "error",
  }).then((response) => response.json()).catch(() => ({}));
  if (answer.access_token) return answer.access_token;
  throw new Error("The sign-in did not work: " + (answer.error_description ?? "the server gave no token") + " Try again.");
}
