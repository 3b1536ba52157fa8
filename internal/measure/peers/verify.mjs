// What the peers in JavaScript have in common: whose token it is, by jose, with the keys of the issuer kept.
import { createRemoteJWKSet, jwtVerify } from "jose";

const { ISSUER, AUDIENCE, JWKS_URL, ANSWER } = process.env;
const keys = createRemoteJWKSet(new URL(JWKS_URL));

/** The answer to both routes, as an object, so that each server writes it out in its own way. */
export const answer = JSON.parse(ANSWER);

/** Whether the header has a token of ours. */
export const admitted = async (authorization) => {
  const [scheme, token] = (authorization ?? "").split(" ");
  if (scheme !== "Bearer" || !token) return false;
  return jwtVerify(token, keys, { issuer: ISSUER, audience: AUDIENCE, algorithms: ["RS256"] }).then(() => true, () => false);
};
