// Keeps the page up to date, sends its forms without leaving the place, and adds buttons
// that copy. Without it the page reloads when asked to, its forms lead back to it, and a
// click selects a value whole.
const pace = 2000, noticed = 10_000; // milliseconds: between looks, and for what a button did

let paused = false, acted = 0, turn = 0;

const byId = (id, root = document) => root.getElementById(id);

// furnish adds to a document what only a script can serve.
function furnish(root) {
  for (const value of root.querySelectorAll("[data-copy]")) {
    const button = root.createElement("button");
    button.type = "button";
    button.className = "copy";
    button.textContent = "Copy";
    button.setAttribute("aria-label", "Copy " + value.dataset.copy);
    value.after(button);
  }
  byId("reload", root).hidden = true;
  byId("live", root).hidden = false;
  byId("pause", root).textContent = paused ? "Resume" : "Pause";
  say(paused ? "Paused" : "Live", paused, root);
}

// patch makes the children of old like those of fresh and leaves alone what is alike, so
// that selection, focus and typed text stay.
function patch(old, fresh) {
  const known = new Map([...old.children].filter(child => child.id).map(child => [child.id, child]));
  let at = old.firstChild;
  for (const node of [...fresh.childNodes]) {
    const alike = node.id ? known.get(node.id) : at && at.nodeName === node.nodeName && !at.id && at;
    if (!alike) {
      old.insertBefore(node, at);
      continue;
    }
    if (alike === at) at = at.nextSibling;
    else old.insertBefore(alike, at);
    if (alike.nodeType !== Node.ELEMENT_NODE) {
      if (alike.data !== node.data) alike.data = node.data;
      continue;
    }
    for (const name of alike.getAttributeNames()) if (name !== "open" && !node.hasAttribute(name)) alike.removeAttribute(name);
    for (const name of node.getAttributeNames()) if (alike.getAttribute(name) !== node.getAttribute(name)) alike.setAttribute(name, node.getAttribute(name));
    patch(alike, node);
  }
  while (at) {
    const next = at.nextSibling;
    at.remove();
    at = next;
  }
}

// show puts the page that was answered in place of this one.
async function show(asked, byButton) {
  const mine = ++turn, answer = await asked, text = await answer.text();
  if (!answer.ok) throw new Error(text);
  if (mine !== turn) return; // something newer was asked for meanwhile
  const fresh = new DOMParser().parseFromString(text, "text/html");
  furnish(fresh);
  if (byButton) acted = Date.now();
  else if (Date.now() - acted < noticed) byId("notice", fresh).replaceWith(byId("notice").cloneNode(true));
  const unfolded = [...document.querySelectorAll("details[id][open]")].map(details => details.id);
  const around = []; // of what has the focus, from the inside
  for (let element = document.activeElement.closest("[id]"); element; element = element.parentElement?.closest("[id]")) around.push(element.id);
  patch(document.body, fresh.body);
  for (const id of unfolded) { // also those that went into a list of older ones
    for (let details = byId(id); details; details = details.parentElement.closest("details")) details.open = true;
  }
  if (document.activeElement !== document.body) return;
  const left = around.map(id => byId(id)).find(element => element?.matches("details, [tabindex]")); // what had it is gone
  (left?.querySelector(":scope > summary") ?? left)?.focus({ preventScroll: true });
}

function say(text, off, root = document) {
  byId("state", root).textContent = text;
  byId("state", root).classList.toggle("off", off);
}

function unanswered() { say("No answer", true); }

async function look() {
  if (!paused && document.visibilityState === "visible") {
    await show(fetch("/")).catch(unanswered);
  }
  setTimeout(look, pace);
}

addEventListener("submit", event => {
  event.preventDefault();
  const form = event.target, button = event.submitter, body = new URLSearchParams(new FormData(form, button));
  show(fetch(button?.getAttribute("formaction") ?? form.action, { method: "POST", body }), true).catch(unanswered);
});

addEventListener("click", async event => {
  const button = event.target.closest("button");
  if (button?.id === "pause") {
    paused = !paused;
    show(fetch("/")).catch(unanswered);
  } else if (button?.classList.contains("copy")) {
    await navigator.clipboard.writeText(button.previousElementSibling.textContent);
    button.textContent = "Copied";
    setTimeout(() => { button.textContent = "Copy"; }, pace);
  }
});

furnish(document);
if (byId("notice").textContent.trim()) acted = Date.now();
history.replaceState(null, "", "/" + location.hash); // said once, not after every reload
setTimeout(look, pace);
