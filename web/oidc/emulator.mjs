// What both programs know of the emulator: the settings of the run, the page at the
// authorization endpoint, which a person sees and no client does, and the signing keys.
import assert from "node:assert/strict";
import { text } from "node:stream/consumers";

/** Settings come as JSON on stdin; stytchtest/tokens_oidc_test.go says what they hold. */
export const settings = JSON.parse(await text(process.stdin));

/**
 * The page with somebody who is signed in there: it hands the request's parameters to the
 * server API, which answers where the browser goes next.
 */
export async function authorize(request, consents = true) {
  assert.equal(request.origin + request.pathname, settings.page);
  const { scope, code_challenge_method, ...parameters } = Object.fromEntries(request.searchParams);
  assert.equal(code_challenge_method, "S256"); // the server API takes no method
  const { url, credentials, person } = settings.authorize;
  const reply = await post(url, { authorization: `Basic ${btoa(credentials)}` },
    { ...parameters, ...person, scopes: scope.split(" "), consent_granted: consents });
  return new URL(reply.redirect_uri);
}

export async function rotateKeys() {
  await post(settings.rotate, {}, {});
}

async function post(url, headers, body) {
  const response = await fetch(url, {
    method: "POST", headers: { "content-type": "application/json", ...headers }, body: JSON.stringify(body),
  });
  const reply = await response.text();
  assert.equal(response.status, 200, `${url}: ${reply}`);
  return JSON.parse(reply);
}
