// The login page that the application has already. People are sent there with the address of this page, and come back
// with a session of Stytch's in a cookie, or with a token that Stytch takes for one. Anybody can send a browser here
// with a token of their own, to have somebody act as them unawares: so a token counts only where this browser was sent
// to sign in for the very same request, and once.

const settings = document.getElementById("idp").dataset;
const arrived = new URLSearchParams(location.search).get("login_state"); // null: not from the login page, as far as is known

// A token behind # is taken out of the address before anything else of this page runs.
const fragment = new URLSearchParams(location.hash.slice(1)).get("trusted_auth_token");
if (fragment) history.replaceState(null, "", location.pathname + location.search);

const lifetime = 15 * 60_000; // milliseconds in which somebody comes back from the login page
const longest = 8192; // letters of a token
const prefix = "guestpass-login:";

// A Login knows the journeys to the login page, of all tabs: people may come back in another one. Of each it keeps
// for which request it began, when, and whether it has ended.
export class Login {
  #request;
  #asked = false; // this browser waits for whoever comes here now

  constructor() {
    this.#request = settings.request;
    const journey = this.#journeys().get(arrived);
    if (!journey || journey.ended || journey.request !== this.#request) return;
    this.#asked = true;
    localStorage.setItem(prefix + arrived, JSON.stringify({ ...journey, ended: true }));
  }

  // isElsewhere reports whether people sign in there and not on this page.
  get isElsewhere() {
    return !!settings.loginUrl;
  }

  get host() {
    return settings.loginHost;
  }

  // hasReturned reports whether somebody comes from there now.
  get hasReturned() {
    return arrived !== null;
  }

  // wasJustThere reports whether they were sent there a moment ago for the same request, so that they are not sent
  // round in a circle.
  get wasJustThere() {
    return this.hasReturned || [...this.#journeys().values()].some(({ request }) => request === this.#request);
  }

  // brought returns the token that came, "" for none, and whether this browser has asked for it.
  get brought() {
    const token = fragment || settings.token || "";
    return { token: token.length <= longest && settings.tokenProfile ? token : "", asked: this.#asked };
  }

  // go leaves for the login page, with the address to come back to. anew asks it to let people choose who they are.
  go(anew) {
    const state = crypto.randomUUID();
    const back = new URL(settings.returnUrl);
    back.search = this.#request;
    back.searchParams.append("login_state", state);
    const page = new URL(settings.loginUrl);
    page.searchParams.append(settings.returnParameter, back.href);
    if (anew) page.searchParams.append("prompt", "login");
    localStorage.setItem(prefix + state, JSON.stringify({ request: this.#request, began: Date.now(), ended: false }));
    location.replace(page);
  }

  // #journeys returns those of this browser by state, and forgets the old ones.
  #journeys() {
    const journeys = new Map();
    for (const key of Object.keys(localStorage).filter((key) => key.startsWith(prefix))) {
      const journey = JSON.parse(localStorage.getItem(key));
      const age = Date.now() - journey.began;
      if (age >= 0 && age < lifetime) journeys.set(key.slice(prefix.length), journey);
      else localStorage.removeItem(key);
    }
    return journeys;
  }
}
