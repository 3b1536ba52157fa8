// What ajv makes of the schemas of tools, as the dialect of 2020-12, strictly, and of what was really sent and
// answered: how much was valid, and the faults. internal/server/clientsschemas_test.go says what the settings hold.
import Ajv from "ajv/dist/2020.js";
import addFormats from "ajv-formats";
import { end, settings } from "./mcp-story.mjs";

const { tools, calls } = settings;
const ajv = addFormats(new Ajv.default({ strict: true, strictTypes: true, strictRequired: true, allErrors: true }));
const seen = { schemas: 0, values: 0, faults: [] };
const validators = {};
for (const { name, inputSchema, outputSchema } of tools) {
  validators[name] = {};
  for (const [side, schema] of Object.entries({ arguments: inputSchema, answer: outputSchema })) {
    try {
      validators[name][side] = ajv.compile(schema);
      seen.schemas++;
    } catch (error) {
      seen.faults.push(`${name}: the schema of its ${side}: ${error.message}`);
    }
  }
}
for (const { name, ...sides } of calls) {
  for (const [side, value] of Object.entries(sides)) {
    const validate = validators[name][side];
    if (validate?.(value)) seen.values++;
    else seen.faults.push(`${name}: its ${side}: ${ajv.errorsText(validate?.errors)}`);
  }
}
end(seen);
