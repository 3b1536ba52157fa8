// One client made of openid-client, as npm has it, against the emulator: what it must
// accept and what it must refuse. Any surprise ends the program with an error.
import assert from "node:assert/strict";
import * as oidc from "openid-client";
import { authorize, rotateKeys, settings } from "./emulator.mjs";

const { issuer, scope, subject, email } = settings;
const extensions = [oidc.allowInsecureRequests, oidc.enableNonRepudiationChecks]; // plain HTTP, signatures

const client = settings.client.client_id ? settings.client : await register();
const confidential = client.token_endpoint_auth_method !== "none";
const authentication = {
  client_secret_post: oidc.ClientSecretPost, client_secret_basic: oidc.ClientSecretBasic, none: oidc.None,
}[client.token_endpoint_auth_method];

const invalidGrant = { name: "ResponseBodyError", status: 400, error: "invalid_grant" };

const config = await discover();
const { tokens, claims } = await signIn(config);
await refuseWhatDoesNotFit();
if (confidential) await refuseWrongSecret();
await readUserinfo();
const refreshed = await refresh();
await revoke();
await followRotatedKeys();

/** Who has no client id yet registers (RFC 7591). */
async function register() {
  const options = { algorithm: "oauth2", execute: extensions };
  return (await oidc.dynamicClientRegistration(new URL(issuer), settings.client, undefined, options)).clientMetadata();
}

async function discover() {
  const find = async (algorithm) => {
    const options = { algorithm, execute: extensions };
    return (await oidc.discovery(new URL(issuer), client.client_id, client, authentication(), options)).serverMetadata();
  };
  const openid = await find("oidc");
  const oauth = await find("oauth2");
  assert.equal(oauth.token_endpoint, openid.token_endpoint);
  assert.ok(oauth.supportsPKCE());
  return configure(openid);
}

/** Stytch's discovery documents do not list these two endpoints, so they are added by hand. */
function configure(server, keys) {
  const whole = { ...server, introspection_endpoint: `${issuer}/v1/oauth2/introspect`, revocation_endpoint: `${issuer}/v1/oauth2/revoke` };
  const config = new oidc.Configuration(whole, client.client_id, client, authentication());
  for (const extend of extensions) extend(config);
  if (keys) oidc.setJwksCache(config, keys);
  return config;
}

/** The request and the person's answer to it: where the browser went, and what that must fit. */
async function ask(config, consents) {
  const checks = {
    pkceCodeVerifier: oidc.randomPKCECodeVerifier(), expectedState: oidc.randomState(), expectedNonce: oidc.randomNonce(),
  };
  const request = oidc.buildAuthorizationUrl(config, {
    redirect_uri: client.redirect_uris[0], scope, state: checks.expectedState, nonce: checks.expectedNonce,
    code_challenge: await oidc.calculatePKCECodeChallenge(checks.pkceCodeVerifier), code_challenge_method: "S256",
  });
  return { callback: await authorize(request, consents), checks };
}

async function signIn(config) {
  const { callback, checks } = await ask(config);
  const tokens = await oidc.authorizationCodeGrant(config, callback, checks);
  const claims = tokens.claims();
  assert.equal(claims.sub, subject);
  assert.equal(claims.nonce, checks.expectedNonce);
  assert.deepEqual(claims.aud, [client.client_id]);
  assert.equal(tokens.scope, scope);
  await assert.rejects(oidc.authorizationCodeGrant(config, callback, checks), invalidGrant); // works once
  return { tokens, claims };
}

async function refuseWhatDoesNotFit() {
  const refused = async (change, error) => {
    const { callback, checks } = await ask(config);
    await assert.rejects(oidc.authorizationCodeGrant(config, callback, { ...checks, ...change }), error);
  };
  await refused({ expectedState: oidc.randomState() }, because('unexpected "state" response parameter value'));
  await refused({ expectedNonce: oidc.randomNonce() }, because('unexpected ID Token "nonce" claim value'));
  await refused({ pkceCodeVerifier: oidc.randomPKCECodeVerifier() }, invalidGrant);
  await refused({ pkceCodeVerifier: undefined }, invalidGrant);
  const { callback, checks } = await ask(config, false);
  await assert.rejects(oidc.authorizationCodeGrant(config, callback, checks), {
    name: "AuthorizationResponseError", error: "access_denied",
  });
}

/** The library wraps what oauth4webapi, below it, found. */
function because(reason) {
  return (error) => {
    assert.equal(error.cause?.message, reason);
    return true;
  };
}

/** RFC 6749 section 5.2: who used Basic is challenged, who did not reads of it in the body. */
async function refuseWrongSecret() {
  const other = new oidc.Configuration(config.serverMetadata(), client.client_id, {}, authentication("wrong"));
  oidc.allowInsecureRequests(other);
  const error = client.token_endpoint_auth_method === "client_secret_basic"
    ? { name: "WWWAuthenticateChallengeError", status: 401, cause: [{ scheme: "basic", parameters: { realm: "stytch" } }] }
    : { name: "ResponseBodyError", status: 400, error: "invalid_client" };
  await assert.rejects(oidc.refreshTokenGrant(other, tokens.refresh_token), error);
}

async function readUserinfo() {
  const person = await oidc.fetchUserInfo(config, tokens.access_token, claims.sub);
  assert.equal(person.email, email);
  await assert.rejects(oidc.fetchUserInfo(config, tokens.access_token, "somebody else"),
    because('unexpected "response" body "sub" property value'));
}

/** Confidential clients keep the refresh token; public ones get a new one each time. */
async function refresh() {
  const old = tokens.refresh_token;
  let next = await oidc.refreshTokenGrant(config, old);
  assert.equal(next.claims().sub, claims.sub);
  assert.notEqual(next.access_token, tokens.access_token);
  if (confidential) {
    assert.equal(next.refresh_token, undefined);
    next = await oidc.refreshTokenGrant(config, old);
    return { access_token: next.access_token, refresh_token: old };
  }
  assert.notEqual(next.refresh_token, old);
  await assert.rejects(oidc.refreshTokenGrant(config, old), invalidGrant); // spent
  return oidc.refreshTokenGrant(config, next.refresh_token);
}

async function revoke() {
  const { access_token, refresh_token } = refreshed;
  const introspect = (token) => oidc.tokenIntrospection(config, token);
  const access = await introspect(access_token);
  assert.deepEqual([access.active, access.sub, access.client_id, access.scope], [true, subject, client.client_id, scope]);
  await oidc.tokenRevocation(config, access_token);
  assert.equal((await introspect(access_token)).active, false);
  await assert.rejects(oidc.fetchUserInfo(config, access_token, subject), {
    name: "WWWAuthenticateChallengeError", status: 401, cause: [{ scheme: "bearer", parameters: { error: "invalid_token" } }],
  });

  assert.equal((await introspect(refresh_token)).active, true);
  assert.equal((await introspect(tokens.access_token)).active, true);
  await oidc.tokenRevocation(config, refresh_token);
  assert.equal((await introspect(refresh_token)).active, false);
  assert.equal((await introspect(tokens.access_token)).active, false, "access tokens of the same code end too");
  await assert.rejects(oidc.refreshTokenGrant(config, refresh_token), invalidGrant);
}

/**
 * The library looks for new keys when it meets an unknown one, but once a minute only: its
 * keys are made to look old.
 */
async function followRotatedKeys() {
  const { jwks, uat } = oidc.getJwksCache(config);
  await rotateKeys();
  const later = configure(config.serverMetadata(), { jwks, uat: uat - 61 });
  await signIn(later);
  assert.equal(oidc.getJwksCache(later).jwks.keys.length, jwks.keys.length + 1, "the old key stays published");
}
