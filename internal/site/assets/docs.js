// Searches the operations and, for who has signed in, calls them. All that there is to read is in the page without it.
import { comeBack, leave } from "./docs-signin.js";

const part = (id) => document.getElementById(id);
const operations = [...document.querySelectorAll(".operation")];
const settings = part("try")?.dataset;

const longest = 100_000; // letters of an answer that are shown

let token = null; // nowhere else: it ends with this page

function tell(problem) {
  part("problem").textContent = problem;
  part("problem").hidden = false;
  part("problem").scrollIntoView({ block: "center" });
}

async function signIn() {
  part("sign-in").addEventListener("click", () => leave(settings));
  part("sign-out").addEventListener("click", () => location.reload()); // forgets the token and what it showed
  try {
    token = await comeBack(settings);
  } catch (error) {
    tell(error.message);
  }
  part("sign-in").hidden = token !== null;
  part("sign-out").hidden = token === null;
  part("try").hidden = false;
  if (!token) return;
  for (const form of document.querySelectorAll(".try")) {
    form.hidden = false;
    form.addEventListener("submit", (event) => { event.preventDefault(); call(form); });
  }
  part("who").textContent = await whoAmI();
}

async function whoAmI() {
  const person = await fetch("/api/v1/userinfo", { headers: { Authorization: "Bearer " + token }, credentials: "omit" })
    .then((response) => response.ok ? response.json() : {}).catch(() => ({}));
  return `Signed in${person.email ? " as " + person.email : ""}. What you try is done for real, in your name.`;
}

// request reads what was filled in. Fields that were left empty are not sent.
function request(form) {
  let path = form.dataset.path;
  const query = new URLSearchParams(), headers = { Authorization: "Bearer " + token };
  let body;
  for (const field of form.querySelectorAll("[data-in]")) {
    if (!field.value.trim()) continue;
    const values = field.dataset.list === "repeated" ? field.value.split(",").map((value) => value.trim()) : [field.value];
    if (field.dataset.in === "path") path = path.replace(`{${field.name}}`, encodeURIComponent(field.value));
    else if (field.dataset.in === "query") for (const value of values) query.append(field.name, value);
    else [body, headers["Content-Type"]] = [field.value, "application/json"];
  }
  return { url: path + (query.size ? "?" + query : ""), method: form.dataset.method, headers, body };
}

async function call(form) {
  if (form.ariaBusy === "true") return;
  const { url, ...rest } = request(form), outcome = form.querySelector(".outcome"), answer = form.querySelector(".answer");
  const said = `${rest.method} ${url}`;
  form.ariaBusy = "true";
  outcome.textContent = `${said} …`;
  answer.hidden = true;
  try {
    const response = await fetch(url, { ...rest, credentials: "omit", redirect: "error" }), text = await response.text();
    outcome.textContent = `${response.status} ${response.statusText}: ${said}`;
    answer.textContent = text.length > longest ? text.slice(0, longest) + "\n… and more" : pretty(text);
    answer.hidden = !text;
    if (response.status === 401) tell("The pass has ended or was taken back. Sign out, and sign in again.");
  } catch {
    outcome.textContent = `No answer came to ${said}. Look whether the server can be reached, and try again.`;
  }
  form.ariaBusy = null;
  for (const sure of form.querySelectorAll("[type=checkbox]")) sure.checked = false; // each time anew
}

function pretty(text) {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}

// search leaves the operations that have every word in id, method, path or summary.
function search() {
  const words = part("search").value.toLowerCase().split(/\s+/).filter(Boolean);
  let found = 0;
  for (const one of operations) {
    const text = one.querySelector("summary").textContent.toLowerCase();
    one.hidden = !words.every((word) => text.includes(word));
    if (!one.hidden) found++;
  }
  for (const resource of document.querySelectorAll(".resource")) resource.hidden = !resource.querySelector(".operation:not([hidden])");
  const all = operations.length;
  part("found").textContent = found === all ? `${all} operations` : found ? `${found} of ${all}` : `No operation has these words`;
}

// unfold opens the operation that the address names: not every browser does so by itself.
function unfold() {
  const operation = part(location.hash.slice(1))?.closest(".operation");
  if (!operation) return;
  operation.open = true;
  operation.scrollIntoView();
}

part("search").addEventListener("input", search);
part("search-area").hidden = false;
search();
addEventListener("hashchange", unfold);
if (settings) await signIn();
unfold();
