// What others make of one document in its three versions: whether it is valid, what Microsoft 365's own parser takes
// of it, and whether values are admitted alike. cli/importers_test.go says what the settings hold.
import { text } from "node:stream/consumers";
import SwaggerParser from "@apidevtools/swagger-parser";
import spec from "@microsoft/m365-spec-parser";
import Ajv04 from "ajv-draft-04";
import Ajv2020 from "ajv/dist/2020.js";

const { documents, calls } = JSON.parse(await text(process.stdin));
const copy = (version) => JSON.parse(documents[version]);
const seen = { valid: {}, microsoft: {}, compared: 0, admitted: 0, faults: [] };

for (const version of Object.keys(documents)) {
  seen.valid[version] = await SwaggerParser.validate(copy(version)).then(() => "", (error) => error.message);
  const parser = new spec.SpecParser(copy(version), {
    projectType: spec.ProjectType.Copilot, allowMethods: ["get", "post", "put", "patch", "delete"],
    allowOauth2: true, allowMissingId: false, allowMultipleParameters: true, allowSwagger: false,
  });
  const { errors, warnings } = await parser.validate();
  const { APIs, allAPICount } = await parser.list().catch(() => ({ APIs: [], allAPICount: 0 }));
  seen.microsoft[version] = {
    errors: [...errors, ...warnings].map(({ type }) => type), operations: allAPICount,
    refused: APIs.filter(({ isValid }) => !isValid).map(({ api, reason }) => `${api}: ${reason}`),
  };
}

/** The schema of an operation's arguments, all in one object, as each version says it. */
const schemaOf = (version, { method, path }) => {
  const operation = copy(version).paths[path]?.[method];
  if (!operation) return undefined;
  const schema = { type: "object", properties: {}, required: [] };
  for (const { name, required, in: place, schema: inner, description, ...own } of operation.parameters) {
    if (place === "body") schema.properties.body = inner;
    else schema.properties[name] = inner ?? own;
    if (required) schema.required.push(name);
  }
  if (operation.requestBody) {
    schema.properties.body = operation.requestBody.content["application/json"].schema;
    if (operation.requestBody.required) schema.required.push("body");
  }
  if (schema.required.length === 0) delete schema.required; // which draft 4 wants filled
  return schema;
};
// Formats only describe, and Swagger 2.0 has fewer.
const dialects = { "3.1": Ajv2020, "3.0": Ajv04, "2.0": Ajv04 };
const compile = (version, schema) => new dialects[version].default({ strict: false, validateFormats: false }).compile(schema);

/** The value, and the value with each of its parts missing or replaced by something odd. */
const odd = [null, "", "x".repeat(20_001), -1, 0, 0.5, 1e9, true, [], [""], Array(99).fill("x"), {}, { a: 1 }];
const variants = function* (value, put = (other) => other) {
  yield put(value);
  for (const other of odd) yield put(other);
  for (const name of value && typeof value === "object" ? Object.keys(value) : []) {
    const { [name]: inner, ...rest } = value;
    if (!Array.isArray(value)) yield put(rest);
    yield* variants(inner, (other) => put(Array.isArray(value) ? Object.assign([...value], { [name]: other }) : { ...value, [name]: other }));
  }
};

for (const { id, arguments: value, ...where } of calls) {
  const validators = Object.keys(documents).map((version) => [version, schemaOf(version, where)])
    .filter(([, schema]) => schema).map(([version, schema]) => [version, compile(version, schema)]);
  for (const variant of variants(value)) {
    const verdicts = validators.map(([version, validate]) => [version, validate(variant)]);
    seen.compared++;
    if (verdicts[0][1]) seen.admitted++;
    if (new Set(verdicts.map(([, verdict]) => verdict)).size > 1) {
      seen.faults.push(`${id}: ${JSON.stringify(variant).slice(0, 300)}: ${JSON.stringify(verdicts)}`);
    }
  }
}
process.stdout.write(JSON.stringify(seen));
