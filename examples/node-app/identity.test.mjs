// Tests of identity.mjs: node --test examples/node-app

import assert from "node:assert/strict";
import { generateKeyPairSync, sign } from "node:crypto";
import { beforeEach, test } from "node:test";
import { identify, Unavailable, Unidentified } from "./identity.mjs";

const issuer = "https://app.example.com";
const keysURL = "http://127.0.0.1:8080/verify/keys";

let now, published, fetches, away;
console.error = () => {}; // says that keys are away, on purpose

beforeEach(() => {
  [now, published, fetches, away] = [1_800_000_000_000, [], 0, false];
});

// fetchKeys stands at the network, where Guestpass would answer.
async function fetchKeys() {
  fetches++;
  if (away) throw new Error("connection refused");
  return Response.json({ keys: published });
}

function newKey(kid) {
  const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  published.push({ ...publicKey.export({ format: "jwk" }), kid, alg: "ES256", use: "sig" });
  return { kid, privateKey };
}

function statement({ kid, privateKey }, change = {}, header = {}) {
  const encode = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");
  const seconds = now / 1000;
  const claims = { iss: issuer, aud: issuer + "/verify", sub: "member-1", client_id: "connected-app-1",
    scope: "notes:read", effect: "read", iat: seconds, exp: seconds + 60, ...change };
  const signed = encode({ alg: "ES256", kid, typ: "JWT", ...header }) + "." + encode(claims);
  return signed + "." + sign("sha256", signed, { key: privateKey, dsaEncoding: "ieee-p1363" }).toString("base64url");
}

const newIdentity = () => identify({ issuer, keysURL, now: () => now, fetchKeys });

test("a statement is read by keys that are fetched once", async () => {
  const [key, identity] = [newKey("a"), newIdentity()];
  const many = await Promise.all(Array.from({ length: 10 }, () => identity(statement(key))));
  assert.equal(many[9].sub, "member-1");
  assert.equal(fetches, 1);
});

test("a new key is fetched when it is first seen", async () => {
  const [old, identity] = [newKey("a"), newIdentity()];
  await identity(statement(old));
  published = [];
  const fresh = newKey("b");
  now += 6_000;
  assert.equal((await identity(statement(fresh))).sub, "member-1");
  await assert.rejects(identity(statement(old)), Unidentified, "a key that is published no more");
});

test("unknown keys cause no flood of fetches", async () => {
  const [key, identity] = [newKey("a"), newIdentity()];
  await identity(statement(key));
  for (let i = 0; i < 100; i++) {
    await assert.rejects(identity(statement({ ...key, kid: "made-up-" + i })), Unidentified);
  }
  assert.equal(fetches, 1);
});

test("keys go on to be good while Guestpass is away, and none are made up before", async () => {
  const [key, identity] = [newKey("a"), newIdentity()];
  away = true;
  await assert.rejects(identity(statement(key)), Unavailable);
  away = false;
  now += 6_000;
  await identity(statement(key));
  away = true;
  now += 3_600_000;
  assert.equal((await identity(statement(key))).sub, "member-1");
});

test("claims that are not those of a statement are refused", async () => {
  const [key, identity] = [newKey("a"), newIdentity()];
  const seconds = now / 1000;
  for (const change of [{ iss: issuer + "/" }, { iss: undefined }, { aud: issuer }, { aud: [issuer + "/verify"] },
    { exp: seconds - 5, iat: seconds - 65 }, { iat: seconds + 6, exp: seconds + 66 }, { exp: seconds + 61 },
    { exp: undefined }, { iat: undefined }, { exp: String(seconds + 60) }, { iat: NaN }, { sub: "" },
    { sub: undefined }, { sub: ["member-1"] }, { scope: undefined }, { effect: undefined }, { client_id: undefined }]) {
    await assert.rejects(identity(statement(key, change)), Unidentified, JSON.stringify(change));
  }
});

test("a header that is not that of a statement is refused, whoever signed it", async () => {
  const [key, identity] = [newKey("a"), newIdentity()];
  for (const header of [{ alg: "none" }, { alg: "HS256" }, { alg: "es256" }, { alg: undefined }, { typ: "at+jwt" },
    { typ: undefined }, { kid: undefined }, { kid: 1 }, { kid: "__proto__" }]) {
    await assert.rejects(identity(statement(key, {}, header)), Unidentified, JSON.stringify(header));
  }
});

test("a key of another kind is not used", async () => {
  const key = newKey("a");
  const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-384" });
  const larger = { ...publicKey.export({ format: "jwk" }), kid: "b", alg: "ES384", use: "sig" };
  published = [{ ...published[0], use: "enc" }, larger];
  await assert.rejects(newIdentity()(statement(key)), Unidentified);
  await assert.rejects(newIdentity()(statement({ kid: "b", privateKey })), Unidentified);
});
