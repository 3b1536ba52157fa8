// What the page refuses this server is told, in one word of a list that it knows, and each once for a page. It answers
// with the reference under which that is in its log, if it is there.
import { say } from "./words.js";

const references = new Map(); // promises of them, by what was reported

export function report(cause) {
  if (!cause || references.has(cause)) return;
  const answered = fetch("/idp/report", { method: "POST", body: cause, keepalive: true })
    .then((response) => (response.status === 200 ? response.text() : ""))
    .catch(() => "");
  references.set(cause, answered);
}

// refer shows the reference of what the page says, small, once it is known; "" takes away that of before.
let about = "";
export async function refer(cause) {
  report(cause);
  const line = document.getElementById("reference");
  line.hidden = true;
  about = cause;
  const id = await references.get(cause);
  if (!id || about !== cause) return; // something else is said by now
  line.textContent = say("reference", { id });
  line.hidden = false;
}
