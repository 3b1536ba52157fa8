// LibreChat's own code for Actions, as npm has it, against a running server: what it makes
// of the published document, and a call of each operation. Prints the status of each answer;
// any surprise ends the program with an error.
import assert from "node:assert/strict";
import { text } from "node:stream/consumers";
import { openapiToFunction, validateActionDomain, validateAndParseOpenAPISpec } from "librechat-data-provider";

/** Settings come as JSON on stdin; cli/acceptance_test.go says what they hold. */
const { app, token, operations } = JSON.parse(await text(process.stdin));

/**
 * The arguments of each call, in an order that makes sense, made from the answers of the
 * calls before.
 */
const story = {
  getNextSteps: () => ({}),
  getUserInfo: () => ({}),
  inviteMember: () => ({ email: "mary@acme.example", name: "Mary Guest" }),
  listMembers: () => ({ search: "ada lovelace", limit: 5 }),
  getMember: ({ listMembers }) => ({ member_id: listMembers.members[0].member_id }),
  createTask: () => ({ title: "Water the plants & the lawn", due: "2030-01-31", labels: ["home", "garden"] }),
  listTasks: () => ({ search: "lawn water", limit: 5 }),
  getTask: ({ listTasks }) => ({ task_id: listTasks.tasks[0].task_id }),
  updateTask: ({ getTask }) => ({ task_id: getTask.task_id, priority: "high", notes: "Twice a week" }),
  completeTask: ({ updateTask }) => ({ task_id: updateTask.task_id }),
  addTaskComment: ({ completeTask }) => ({ task_id: completeTask.task_id, text: "Done" }),
  listTaskComments: ({ addTaskComment }) => ({ task_id: addTaskComment.task_id }),
  deleteTask: ({ addTaskComment }) => ({ task_id: addTaskComment.task_id }),
  restoreTask: ({ deleteTask }) => ({ task_id: deleteTask.task_id }),
  listActivity: () => ({}),
  undoActivity: ({ listActivity }) => ({ activity_id: listActivity.activities[0].activity_id }),
};

const spec = await importDocument();
const { functionSignatures, requestBuilders, zodSchemas } = openapiToFunction(spec, true);
readsWhatIsPublished();
const authentication = await signedIn();
const { answers, statuses } = await callAll();
asksFirstWhereSomethingChanges();
await isRefusedWithoutToken();
console.log(JSON.stringify(statuses));

async function importDocument() {
  const document = await (await fetch(`${app}/openapi.json`)).text();
  const { status, message, spec, serverUrl } = validateAndParseOpenAPISpec(document);
  assert.deepEqual({ status, message, serverUrl }, { status: true, message: "OpenAPI spec is valid.", serverUrl: app });
  assert.equal(validateActionDomain(app, serverUrl).isValid, true);
  return spec;
}

function readsWhatIsPublished() {
  assert.equal(functionSignatures.length, operations.length);
  for (const { id, locations, required } of operations) {
    const tool = functionSignatures.find(({ name }) => name === id).toObjectTool().function;
    assert.match(tool.name, /^[a-zA-Z][a-zA-Z0-9_]{0,63}$/);
    assert.deepEqual(Object.keys(tool.parameters.properties).sort(), Object.keys(locations).sort(), id);
    assert.deepEqual(tool.parameters.required.toSorted(), required.toSorted(), id);
    assert.doesNotMatch(JSON.stringify(tool.parameters), /"\$(ref|schema)":/, id);
    assert.deepEqual(requestBuilders[id].config.parameterLocations, locations, id);
    for (const location of Object.values(locations)) assert.match(location, /^(path|query|body)$/, id);
  }
}

/** What LibreChat keeps of an action whose person has signed in. Its two URLs are named as OpenAI names them. */
function signedIn() {
  const { authorizationUrl, tokenUrl, scopes } = spec.components.securitySchemes.oauth2.flows.authorizationCode;
  return {
    auth: {
      type: "oauth", client_url: authorizationUrl, authorization_url: tokenUrl,
      scope: Object.keys(scopes).join(" "), token_exchange_method: "default_post",
    },
    oauth_client_id: "its id", oauth_client_secret: "its secret", // only to sign in again
    oauth_access_token: token, oauth_token_expires_at: new Date(Date.now() + 3600e3).toISOString(),
  };
}

async function callAll() {
  const answers = {}, statuses = {};
  for (const [id, argumentsFrom] of Object.entries(story)) {
    if (!requestBuilders[id]) continue; // of the other vertical
    const executor = requestBuilders[id].createExecutor().setParams(accepted(id, argumentsFrom(answers)));
    await executor.setAuth(authentication);
    const { status, data } = await executor.execute().catch((error) => {
      assert.fail(`${id}: ${error.message} ${JSON.stringify(error.response?.data)}`);
    });
    answers[id] = data;
    statuses[id] = status;
  }
  return { answers, statuses };
}

/** LibreChat holds a model's arguments against the schema before it calls. */
function accepted(id, values) {
  return zodSchemas[id] ? zodSchemas[id].strict().parse(values) : values;
}

/** What each operation does is declared in the server, which says so itself. */
function asksFirstWhereSomethingChanges() {
  const { steps } = answers.getNextSteps;
  assert.equal(steps.length, operations.length - 1, "all but getNextSteps");
  assert.equal(requestBuilders.getNextSteps.isConsequential, false);
  for (const { operation, effect } of steps) assert.equal(requestBuilders[operation].isConsequential, effect !== "read", operation);
}

async function isRefusedWithoutToken() {
  await assert.rejects(requestBuilders.getUserInfo.createExecutor().setParams({}).execute(), { status: 401 });
}
