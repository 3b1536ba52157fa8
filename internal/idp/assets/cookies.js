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
  document.getElementById("problem-text").textContent =
    "Your browser keeps no cookies for this page, so you cannot sign in here. Allow them for " + location.host + " and load the page again.";
  document.getElementById("problem").hidden = false;
  await new Promise(() => {});
}
