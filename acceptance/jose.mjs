// What the npm package jose makes of tokens: prints a JSON array with one element a token,
// "" if it is accepted, else the code of the error.
import { text } from "node:stream/consumers";
import { createLocalJWKSet, jwtVerify } from "jose";

/** Settings come as JSON on stdin; auth/differential_test.go says what they hold. */
const { keySet, issuers, audience, now, tokens } = JSON.parse(await text(process.stdin));

const keys = createLocalJWKSet(keySet);
const options = {
  algorithms: ["RS256"], issuer: issuers, audience, currentDate: new Date(now * 1000), clockTolerance: 30, maxTokenAge: 86400,
  requiredClaims: ["iss", "sub", "aud", "exp", "iat", "client_id", "scope"],
};
const verdict = (token) => jwtVerify(token, keys, options).then(() => "", (error) => error.code ?? error.name);
const verdicts = [];
for (const token of tokens) verdicts.push(await verdict(token));
process.stdout.write(JSON.stringify(verdicts));
