// Starts the documentation component on the document this server publishes, with a
// search, code samples, and, for who has signed in, the means to try operations.
import { comeBack, leave } from "./docs-signin.js";
import { placeholder, sampleBody, samples } from "./docs-samples.js";

const part = (id) => document.getElementById(id);
const settings = part("try")?.dataset;

let token = null; // nowhere else: it ends with this page

function tell(problem) {
  part("problem").textContent = problem;
  part("problem").hidden = false;
}

async function signIn() {
  if (!settings) return;
  part("sign-in").addEventListener("click", () => leave(settings));
  part("sign-out").addEventListener("click", () => location.reload()); // forgets the token and what it showed
  try {
    token = await comeBack(settings);
  } catch (error) {
    tell(error.message);
  }
  part("sign-in").hidden = token !== null;
  part("sign-out").hidden = token === null;
  if (token) part("who").textContent = await whoAmI();
}

async function whoAmI() {
  const person = await fetch("/api/v1/userinfo", { headers: { Authorization: "Bearer " + token }, credentials: "omit" })
    .then((response) => response.ok ? response.json() : {}).catch(() => ({}));
  return `Signed in${person.email ? " as " + person.email : ""}. What you try is done for real, in your name.`;
}

// authorize puts the token where the samples have a placeholder, for this server only.
function authorize(request) {
  const { Authorization, ...headers } = request.headers ?? {};
  const ours = new URL(request.url, location).origin === location.origin;
  if (Authorization && token && ours) headers.Authorization = "Bearer " + token;
  return { ...request, headers };
}

function noteRefusal(response) {
  if (response.status === 401) tell("The pass has ended or was taken back. Sign out, and sign in again.");
  return response;
}

// matching are the operations that have every word in id, method, path or summary.
function matching(tagged, phrase) {
  const words = phrase.toLowerCase().split(/\s+/).filter(Boolean);
  return tagged.map((tag) => tag.update("operations", (operations) => operations.filter((one) => {
    const text = [one.getIn(["operation", "operationId"]), one.get("method"), one.get("path"), one.getIn(["operation", "summary"])].join(" ").toLowerCase();
    return words.every((word) => text.includes(word));
  })));
}

function search(ui) {
  const count = () => ui.specSelectors.taggedOperations().reduce((sum, tag) => sum + tag.get("operations").size, 0);
  const all = count();
  const show = () => {
    ui.layoutActions.updateFilter(" " + part("search").value); // never empty, nor "true": those are no text to the component
    const found = count();
    part("found").textContent = found === all ? `${all} operations` : found ? `${found} of ${all}` : `None of ${all} operations has these words`;
  };
  part("search").addEventListener("input", show);
  part("search-area").hidden = false;
  show();
}

const plugin = ({ React: { createElement, Fragment }, getSystem }) => ({
  fn: { opsFilter: matching },
  wrapComponents: {
    InfoContainer: () => () => null, // the page has a heading of its own,
    FilterContainer: () => () => null, // a search,
    authorizeOperationBtn: () => () => null, // and a way to sign in
    JsonSchemaForm: (Form) => (props) => createElement("label", null,
      createElement("span", { className: "unseen" }, props.description?.split(" - ")[0]), createElement(Form, props)),
    responses: (Responses) => (props) => createElement(Fragment, null,
      samples(getSystem(), props.path, props.method), createElement(Responses, props)),
  },
  afterLoad() { // what is tried begins with a body that is accepted, not with one made up from patterns
    const original = this.fn.getSampleSchema;
    this.fn.getSampleSchema = (schema, type, config, override) => config?.includeWriteOnly
      ? JSON.stringify(sampleBody(schema.toJS?.() ?? schema), null, 2)
      : original(schema, type, config, override);
  },
});

function start() {
  const ui = SwaggerUIBundle({
    url: "/openapi.json",
    dom_id: "#operations",
    presets: [SwaggerUIBundle.presets.apis],
    plugins: [plugin],
    layout: "BaseLayout",
    deepLinking: true,
    displayOperationId: true,
    supportedSubmitMethods: token ? ["get", "post", "put", "patch", "delete"] : [],
    requestInterceptor: authorize,
    responseInterceptor: noteRefusal,
    showMutatedRequest: false, // the command that is shown has the placeholder
    validatorUrl: null,
    defaultModelsExpandDepth: -1,
    docExpansion: "list",
    onComplete: () => {
      for (const [name, schema] of ui.specSelectors.securityDefinitions().entries()) {
        ui.authActions.authorizeOauth2({ auth: { name, schema }, token: { access_token: placeholder } });
      }
      search(ui);
    },
  });
}

const dark = matchMedia("(prefers-color-scheme: dark)");
const follow = () => document.documentElement.classList.toggle("dark-mode", dark.matches);
dark.addEventListener("change", follow);
follow();
await signIn();
start();
