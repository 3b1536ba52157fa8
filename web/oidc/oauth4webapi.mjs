// One client made of oauth4webapi, as npm has it, against the emulator: what it must
// accept and what it must refuse. Any surprise ends the program with an error.
import assert from "node:assert/strict";
import * as oauth from "oauth4webapi";
import { authorize, rotateKeys, settings } from "./emulator.mjs";

const { issuer, scope, subject, email } = settings;
const insecure = { [oauth.allowInsecureRequests]: true }; // plain HTTP

const server = await discover();
const client = settings.client.client_id ? settings.client : await register();
const redirectURI = client.redirect_uris[0];
const confidential = client.token_endpoint_auth_method !== "none";
const authenticationBy = {
  client_secret_post: oauth.ClientSecretPost, client_secret_basic: oauth.ClientSecretBasic, none: oauth.None,
}[client.token_endpoint_auth_method];
const authentication = authenticationBy(client.client_secret);

const invalidGrant = { name: "ResponseBodyError", status: 400, error: "invalid_grant" };

const { response, tokens, claims } = await signIn(server);
await refuseWhatDoesNotFit();
if (confidential) await refuseWrongSecret();
await readUserinfo();
const refreshed = await refresh();
await revoke();
await followRotatedKeys();

/** Of Stytch's documents one lists registration, none the last two endpoints, which are added by hand. */
async function discover() {
  const at = new URL(issuer);
  const find = async (algorithm) => oauth.processDiscoveryResponse(at, await oauth.discoveryRequest(at, { algorithm, ...insecure }));
  const openid = await find("oidc");
  const plain = await find("oauth2");
  assert.equal(plain.token_endpoint, openid.token_endpoint);
  assert.deepEqual(plain.code_challenge_methods_supported, ["S256"]);
  return {
    ...openid, registration_endpoint: plain.registration_endpoint,
    introspection_endpoint: `${issuer}/v1/oauth2/introspect`, revocation_endpoint: `${issuer}/v1/oauth2/revoke`,
  };
}

/** Who has no client id yet registers (RFC 7591). */
async function register() {
  const response = await oauth.dynamicClientRegistrationRequest(server, settings.client, insecure);
  return oauth.processDynamicClientRegistrationResponse(response);
}

/** The request and the person's answer to it: where the browser went, and what that must fit. */
async function ask(consents) {
  const checks = {
    verifier: oauth.generateRandomCodeVerifier(), state: oauth.generateRandomState(), nonce: oauth.generateRandomNonce(),
  };
  const request = new URL(server.authorization_endpoint);
  request.search = new URLSearchParams({
    client_id: client.client_id, redirect_uri: redirectURI, response_type: "code", scope, state: checks.state, nonce: checks.nonce,
    code_challenge: await oauth.calculatePKCECodeChallenge(checks.verifier), code_challenge_method: "S256",
  });
  return { callback: await authorize(request, consents), checks };
}

async function exchange(callback, { verifier, state, nonce }, addressee = client) {
  const parameters = oauth.validateAuthResponse(server, client, callback, state);
  const response = await oauth.authorizationCodeGrantRequest(server, client, authentication, parameters, redirectURI, verifier, insecure);
  const tokens = await oauth.processAuthorizationCodeResponse(server, addressee, response, { expectedNonce: nonce });
  return { response, tokens, claims: oauth.getValidatedIdTokenClaims(tokens) };
}

async function signIn(keysOf, options) {
  const { callback, checks } = await ask();
  const signedIn = await exchange(callback, checks);
  await oauth.validateApplicationLevelSignature(keysOf, signedIn.response, { ...insecure, ...options });
  assert.equal(signedIn.claims.sub, subject);
  assert.equal(signedIn.claims.nonce, checks.nonce);
  assert.equal(signedIn.tokens.scope, scope);
  await assert.rejects(exchange(callback, checks), invalidGrant); // works once
  return signedIn;
}

async function refuseWhatDoesNotFit() {
  const refused = async (change, error, addressee) => {
    const { callback, checks } = await ask();
    await assert.rejects(exchange(callback, { ...checks, ...change }, addressee), error);
  };
  await refused({ state: oauth.generateRandomState() }, { message: 'unexpected "state" response parameter value' });
  await refused({ nonce: oauth.generateRandomNonce() }, { message: 'unexpected ID Token "nonce" claim value' });
  await refused({}, { message: 'unexpected JWT "aud" (audience) claim value' }, { ...client, client_id: "another" });
  await refused({ verifier: oauth.generateRandomCodeVerifier() }, invalidGrant);
  await refused({ verifier: oauth.nopkce }, invalidGrant);
  const { callback, checks } = await ask(false);
  await assert.rejects(exchange(callback, checks), { name: "AuthorizationResponseError", error: "access_denied" });
}

/** RFC 6749 section 5.2: who used Basic is challenged, who did not reads of it in the body. */
async function refuseWrongSecret() {
  const error = client.token_endpoint_auth_method === "client_secret_basic"
    ? { name: "WWWAuthenticateChallengeError", status: 401, cause: [{ scheme: "basic", parameters: { realm: "stytch" } }] }
    : { name: "ResponseBodyError", status: 400, error: "invalid_client" };
  await assert.rejects(renew(tokens.refresh_token, authenticationBy("wrong")), error);
}

async function userinfo(token, expected) {
  return oauth.processUserInfoResponse(server, client, expected, await oauth.userInfoRequest(server, client, token, insecure));
}

async function readUserinfo() {
  const person = await userinfo(tokens.access_token, claims.sub);
  assert.equal(person.email, email);
  await assert.rejects(userinfo(tokens.access_token, "somebody else"), {
    message: 'unexpected "response" body "sub" property value',
  });
}

async function renew(token, by = authentication) {
  const response = await oauth.refreshTokenGrantRequest(server, client, by, token, insecure);
  const renewed = await oauth.processRefreshTokenResponse(server, client, response);
  await oauth.validateApplicationLevelSignature(server, response, insecure);
  return renewed;
}

/** Confidential clients keep the refresh token; public ones get a new one each time. */
async function refresh() {
  const old = tokens.refresh_token;
  let next = await renew(old);
  assert.equal(oauth.getValidatedIdTokenClaims(next).sub, claims.sub);
  assert.notEqual(next.access_token, tokens.access_token);
  if (confidential) {
    assert.equal(next.refresh_token, undefined);
    next = await renew(old);
    return { access_token: next.access_token, refresh_token: old };
  }
  assert.notEqual(next.refresh_token, old);
  await assert.rejects(renew(old), invalidGrant); // spent
  return renew(next.refresh_token);
}

async function introspect(token) {
  const response = await oauth.introspectionRequest(server, client, authentication, token, insecure);
  return oauth.processIntrospectionResponse(server, client, response);
}

async function end(token) {
  await oauth.processRevocationResponse(await oauth.revocationRequest(server, client, authentication, token, insecure));
}

async function revoke() {
  const { access_token, refresh_token } = refreshed;
  const access = await introspect(access_token);
  assert.deepEqual([access.active, access.sub, access.client_id, access.scope], [true, subject, client.client_id, scope]);
  await end(access_token);
  assert.equal((await introspect(access_token)).active, false);
  await assert.rejects(userinfo(access_token, subject), {
    name: "WWWAuthenticateChallengeError", status: 401, cause: [{ scheme: "bearer", parameters: { error: "invalid_token" } }],
  });

  assert.equal((await introspect(refresh_token)).active, true);
  assert.equal((await introspect(tokens.access_token)).active, true);
  await end(refresh_token);
  assert.equal((await introspect(refresh_token)).active, false);
  assert.equal((await introspect(tokens.access_token)).active, false, "access tokens of the same code end too");
  await assert.rejects(renew(refresh_token), invalidGrant);
}

/**
 * The library looks for new keys when it meets an unknown one, but once a minute only: its
 * keys are made to look old. It remembers them by the metadata object, hence the copies.
 */
async function followRotatedKeys() {
  const cache = {};
  await oauth.validateApplicationLevelSignature({ ...server }, response, { ...insecure, [oauth.jwksCache]: cache });
  const before = cache.jwks.keys.length;
  await rotateKeys();
  cache.uat -= 61;
  await signIn({ ...server }, { [oauth.jwksCache]: cache });
  assert.equal(cache.jwks.keys.length, before + 1, "the old key stays published");
  await oauth.validateApplicationLevelSignature({ ...server }, response, insecure); // signed by the old key
}
