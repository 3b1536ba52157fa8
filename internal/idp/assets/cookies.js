import { refer } from "./report.js";
import { say } from "./words.js";

// Signing in needs cookies, and so does everything else here. Where the browser keeps none for this page, the page says
// so and goes no further: the scripts that import this one wait for ever.

function keepsNothing() {
  try {
    localStorage.setItem("guestpass-try", "");
    localStorage.removeItem("guestpass-try");
    return !navigator.cookieEnabled || sessionStorage === null;
  } catch {
    return true; // to ask is refused as well
  }
}

if (keepsNothing()) {
  document.getElementById("progress").hidden = true;
  document.getElementById("problem-text").textContent = say("cookies", { host: location.host });
  document.getElementById("problem").hidden = false;
  refer("no_cookies");
  await new Promise(() => {});
}
