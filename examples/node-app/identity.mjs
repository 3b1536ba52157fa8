// Reads who calls out of X-Guestpass-Identity: a JWT (RFC 7519) that Guestpass signs for one request, for a minute.
// It is all that the application believes of a caller. Copy this file into an application of yours.

import { createPublicKey, verify } from "node:crypto";

const LONGEST = 4096; // characters of a statement
const LIFETIME = 60; // seconds for which Guestpass makes it
const CLOCKS = 5; // seconds by which the clocks of Guestpass and of the application may differ
const FRESH = 5 * 60_000; // milliseconds for which keys are believed
const PAUSE = 5_000; // milliseconds between two fetches of keys, whoever asks

// An Unidentified is a statement that is not good. Its message is for the log, not for the caller.
export class Unidentified extends Error {}

// An Unavailable says that the keys cannot be fetched, so that nobody knows whether a statement is good.
export class Unavailable extends Error {}

// identify returns a function that takes the value of the header and resolves to the claims: sub, organization_id,
// client_id, scope, effect and the rest. issuer is the public origin of Guestpass, keysURL where its keys are fetched.
export function identify({ issuer, keysURL, now = Date.now, fetchKeys = fetch }) {
  const audience = issuer + "/verify";
  let keys = new Map();
  let fetched = -Infinity; // when keys were fetched last, and when somebody tried last
  let tried = -Infinity;
  let refreshing; // the fetch under way, for which everybody waits

  async function refresh() {
    tried = now();
    try {
      const reply = await fetchKeys(keysURL, { redirect: "error", signal: AbortSignal.timeout(5_000) });
      if (!reply.ok) throw new Error(`status ${reply.status}`);
      keys = readKeys(await reply.json());
      fetched = now();
    } catch (cause) {
      console.error("the keys of Guestpass were not fetched:", cause.message);
    }
  }

  // keyOf fetches the keys when they are old, and when there is a new one: it changes with the secret of the project.
  async function keyOf(id) {
    const stale = !keys.has(id) || now() - fetched > FRESH;
    if (stale && !refreshing && now() - tried > PAUSE) refreshing = refresh().finally(() => (refreshing = undefined));
    if (stale) await refreshing;
    if (keys.has(id)) return keys.get(id);
    if (fetched === -Infinity) throw new Unavailable("no keys were fetched yet");
    throw new Unidentified("it is signed by an unknown key");
  }

  return async function (statement) {
    const { header, claims, signed, signature } = takeApart(statement);
    // The algorithm is ours to say. Whoever could choose it would choose one without a secret.
    if (header.alg !== "ES256" || header.typ !== "JWT" || typeof header.kid !== "string") {
      throw new Unidentified("its header is not that of a statement");
    }
    const key = await keyOf(header.kid);
    if (!verify("sha256", Buffer.from(signed), { key, dsaEncoding: "ieee-p1363" }, signature)) {
      throw new Unidentified("its signature is not good");
    }
    checkClaims(claims, { issuer, audience, seconds: now() / 1000 });
    return claims;
  };
}

function readKeys(set) {
  const keys = new Map();
  for (const jwk of set.keys) {
    if (jwk.kty !== "EC" || jwk.crv !== "P-256" || jwk.alg !== "ES256" || jwk.use !== "sig") continue;
    keys.set(jwk.kid, createPublicKey({ key: { kty: "EC", crv: "P-256", x: jwk.x, y: jwk.y }, format: "jwk" }));
  }
  return keys;
}

function takeApart(statement) {
  if (typeof statement !== "string" || statement === "") throw new Unidentified("there is no statement");
  const parts = statement.split(".");
  if (statement.length > LONGEST || parts.length !== 3) throw new Unidentified("it is no JWT");
  const [header, claims, signature] = parts.map((part) => {
    const bytes = Buffer.from(part, "base64url");
    if (bytes.toString("base64url") !== part) throw new Unidentified("it is no base64url"); // Node skips what is none
    return bytes;
  });
  return { header: readObject(header), claims: readObject(claims), signed: parts[0] + "." + parts[1], signature };
}

function readObject(bytes) {
  try {
    const value = JSON.parse(bytes.toString("utf8"));
    if (value !== null && typeof value === "object" && !Array.isArray(value)) return value;
  } catch {
    // told below
  }
  throw new Unidentified("it is no JSON object");
}

function checkClaims(claims, { issuer, audience, seconds }) {
  const { iss, aud, sub, iat, exp } = claims;
  if (iss !== issuer) throw new Unidentified("it is of another issuer");
  if (aud !== audience) throw new Unidentified("it is for another audience");
  if (!Number.isInteger(iat) || !Number.isInteger(exp) || exp - iat > LIFETIME) {
    throw new Unidentified("it is good for longer than a statement");
  }
  if (seconds >= exp + CLOCKS) throw new Unidentified("it has expired");
  if (iat > seconds + CLOCKS) throw new Unidentified("it is from the future");
  for (const name of ["sub", "client_id", "scope", "effect"]) {
    if (typeof claims[name] !== "string" || claims[name] === "") throw new Unidentified(`it has no ${name}`);
  }
}
