// The sign-in and consent page. Stytch's components do the work; this script
// decides which of them is shown, asks before a link replaces a session, names anew whoever
// is signed in, carries the authorization request across an e-mail link, and helps out
// where a component would leave a person without a word.
import "./cookies.js";
import { Login } from "./login.js";
import { refer, report } from "./report.js";
import { Session, isSame, nameOf } from "./session.js";
import { componentWords, parts, say } from "./words.js";

const settings = document.getElementById("idp").dataset;
const part = (id) => document.getElementById(id);
const described = JSON.parse(part("scopes").textContent) ?? {};
const request = new URLSearchParams(settings.request);
const app = { host: settings.clientHost, unchecked: "unchecked" in settings, issuer: settings.issuer };
const arrival = new URLSearchParams(settings.link === "offered" ? location.search : ""); // of another link nothing is read
const tokenType = arrival.get("stytch_token_type");

let shown = ""; // "login", "asking", "person" for every page that names one, "left" for the app, "" in between
let person = JSON.parse(sessionStorage.getItem("guestpass-before")); // whom the page names, or named before a link was used
sessionStorage.removeItem("guestpass-before");
let leaving = false; // for another page

// What the next page says first.
const begunFor = sessionStorage.getItem("guestpass-notice"); // "ended", or "other" for somebody else who signs in
const ending = begunFor === "ended";
let told = ""; // what this one has said last
let notice = ending ? say("had_ended") : "";
let noticeOf = ""; // what was refused, if something was
sessionStorage.removeItem("guestpass-notice");

// A link to set a password; Stytch marks a member's by the redirect type.
const resetting =
  arrival.get("stytch_redirect_type") === "reset_password" || ["multi_tenant_passwords", "reset_password"].includes(tokenType);

const minutes = 60; // of a session
const slow = 15_000; // milliseconds until a page that shows nothing is explained

// Ways to sign in: everything that is not done by e-mail is an OAuth provider.
const methods = settings.methods.split(" ");
const byEmail = ["email_code", "email_link", "password"];
const providers = methods.filter((method) => !byEmail.includes(method)).map((type) => ({ type }));
const back = settings.returnUrl;
const lead = { discoveryRedirectURL: back, loginRedirectURL: back, signupRedirectURL: back };
const common = {
  sessionOptions: { sessionDurationMinutes: minutes },
  emailMagicLinksOptions: lead,
  passwordOptions: { discoveryRedirectURL: back, loginRedirectURL: back, resetPasswordRedirectURL: back },
  ...(providers.length ? { oauthOptions: { ...lead, providers } } : {}),
};

// products lists the component's products in the order of the methods, each once.
function products(names) {
  const list = [];
  for (const method of methods) {
    const product = names[method] ?? names.oauth;
    if (!list.includes(product)) list.push(product);
  }
  return list;
}

// What differs between Stytch's two kinds of project.
const verticals = {
  b2b: () => ({
    create: stytch.createStytchB2BClient,
    Login: stytch.StytchB2B,
    Consent: stytch.StytchB2BIdentityProvider,
    loginConfig() {
      const { Discovery, Organization, PasswordReset } = stytch.AuthFlowType;
      const { emailOtp, emailMagicLinks, passwords, oauth } = stytch.B2BProducts;
      return {
        ...common,
        authFlowType: resetting ? PasswordReset : settings.organizationSlug ? Organization : Discovery,
        organizationSlug: settings.organizationSlug || undefined,
        products: products({ email_code: emailOtp, email_link: emailMagicLinks, password: passwords, oauth }),
      };
    },
    // The component redeems the other tokens, and says nothing of use when it cannot.
    redeem: () => client.magicLinks.authenticate({ magic_links_token: arrival.get("token"), session_duration_minutes: minutes }),
    redeemed: ["multi_tenant_magic_links"],
  }),
  consumer: () => ({
    create: stytch.createStytchClient,
    Login: stytch.StytchUI,
    Consent: stytch.StytchIdentityProvider,
    loginConfig() {
      const { otp, emailMagicLinks, passwords, oauth } = stytch.Products;
      // "Log in without a password" leads to a screen that only the link product has.
      const password = { ...passwords, screens: { ...passwords.screens, ...emailMagicLinks.screens } };
      return {
        ...common,
        products: products({ email_code: otp, email_link: emailMagicLinks, password, oauth }),
        // Their presence alone would offer a code beside a password.
        ...(methods.includes("email_code") ? { otpOptions: { methods: ["email"], expirationMinutes: 5 } } : {}),
        emailMagicLinksOptions: { ...lead, loginExpirationMinutes: 30, signupExpirationMinutes: 30 },
      };
    },
    // The component redeems no token.
    redeem: () =>
      tokenType === "login"
        ? client.magicLinks.authenticate(arrival.get("token"), { session_duration_minutes: minutes })
        : client.authenticateByUrl({ session_duration_minutes: minutes }),
    redeemed: ["magic_links", "login", "oauth"],
  }),
};

const vertical = verticals[settings.vertical]();
const base = settings.apiBase;
const client = vertical.create(settings.publicToken, {
  endpoints: {
    testAPIURL: base, // the project's own domain, so that responses name the issuer that its metadata names
    liveAPIURL: base,
    clientsideServicesIframeURL: "about:blank", // it is for telephone numbers; nothing is loaded from another host
  },
  // The cookies that the application's pages set, so that there is one session and not two.
  cookieOptions: settings.cookieDomain ? { availableToSubdomains: true, domain: settings.cookieDomain } : {},
});
const session = new Session(client, settings.vertical);
const login = new Login();
customElements.define("stytch-login", vertical.Login);
customElements.define("stytch-consent", vertical.Consent);

// The look of the rest of the page, in the component's own terms, for the light and the dark scheme: the component
// follows the device from one to the other, as the page does.
const look = {
  "font-family": "inherit",
  "container-width": "100%",
  "rounded-base": "5px",
  "container-radius": "10px",
  "text-xs": ".9rem", // what may be granted is in it
  "text-2xl": "1.2rem", // the page's own heading is larger
  background: "var(--card)",
  foreground: "var(--fg)",
  "muted-foreground": "var(--muted)",
  primary: "var(--button)",
  "primary-foreground": "var(--on-button)",
  accent: "var(--line)", // behind what the pointer is on
  "accent-foreground": "var(--fg)",
  secondary: "var(--line)",
  "secondary-foreground": "var(--fg)",
  muted: "var(--line)",
  border: "var(--line)",
  input: "var(--field)",
  ring: "var(--accent)",
  destructive: "var(--problem)",
};
const presentation = {
  options: { hideHeaderText: true }, // the page has its own heading
  theme: [stytch.defaultTheme, stytch.defaultDarkTheme].map((theme) => ({ ...theme, ...look })),
};

// The component's own words, where ours are in their place. They are patterns (ICU MessageFormat), in which the title
// stands for itself. The component would give the name of the Stytch project.
const literal = settings.title.replaceAll("'", "''").replace(/[{}]+/g, "'$&'");
const strings = Object.fromEntries(
  Object.entries(componentWords).map(([key, text]) => [key, text.replaceAll("{app}", () => literal)]),
);

function show(id) {
  for (const name of ["login", "elsewhere", "consent", "replace", "left", "progress"]) part(name).hidden = name !== id;
  part("take-back").hidden = id !== "consent" || "logOut" in settings;
  for (const line of document.querySelectorAll("#returns")) line.hidden = ["left", ""].includes(id); // there is none without an app
}

// setAside takes away what somebody could do, as nothing comes of it. The component has words of its own for that.
function setAside(heading) {
  for (const container of ["login", "consent"]) part(container).replaceChildren();
  show("");
  title([heading]);
}

// title names the step, for the eye and, by the focus, for a screen reader: by the key of the words, and their values.
function title([key, values]) {
  const heading = part("heading");
  heading.replaceChildren(...parts(key, values));
  heading.focus();
  document.title = say(key, values) + " – " + settings.title;
}

// explain puts a failure into words, of the cause that the server knows. again is what to do about it, and back the
// address at which the app hears of it, if there are such.
function explain(cause, text, again, back) {
  part("problem-text").textContent = text;
  part("again").hidden = !again;
  part("again").firstElementChild.onclick = again ?? null;
  part("back").hidden = !back;
  part("back").replaceChildren(...(back ? [linkTo(back, parts("back_to", { app: settings.app }))] : []));
  part("problem").hidden = false;
  part("progress").hidden = true;
  refer(cause);
}

function linkTo(address, words) {
  const link = document.createElement("a");
  link.className = "button";
  link.href = address;
  link.append(...words);
  return link;
}

// backWith returns the app's address with an error for it (RFC 6749 section 4.1.2.1, RFC 9207 for iss). An address that
// Stytch has not found among the app's own gets none: nobody is sent where anybody may have written.
function backWith(error) {
  if (!app.registered) return "";
  const address = request.get("redirect_uri");
  const answer = new URLSearchParams({ error });
  if (request.has("state")) answer.set("state", request.get("state"));
  if (settings.issuer) answer.set("iss", settings.issuer);
  return address + (address.includes("?") ? "&" : "?") + answer;
}

// tell says what the page before has left to say, and nothing of what was wrong there.
function tell() {
  hush();
  if (notice) explain(noticeOf, notice);
  told = notice;
  notice = noticeOf = "";
}

// An element has to be on the page before it is rendered: elsewhere it stays empty.
function mount(container, tag, properties) {
  const element = document.createElement(tag);
  element.addEventListener("stytch-error", (event) => onError(event.error));
  element.addEventListener("stytch-event", (event) => onEvent(event));
  part(container).replaceChildren(element);
  element.render({ client, presentation, strings, ...properties });
  show(container);
  setTimeout(() => {
    if (!isEmpty(container)) return;
    explain("unreachable", say("no_answer"), () => location.reload());
  }, slow);
}

// isEmpty says that the part offers nothing to do, and says nothing.
function isEmpty(container) {
  if (part(container).hidden || !part("problem").hidden) return false;
  const element = part(container).firstElementChild;
  return !!element && !element.querySelector("button, input") && element.innerText.trim() === "";
}

// What somebody has to mend before anybody can sign in, by the type of Stytch's error, in
// the words that the server knows.
const causes = {
  bad_domain_for_stytch_sdk: "bad_domain",
  bad_vertical_for_stytch_sdk: "wrong_vertical",
  public_token_not_found: "wrong_public_token",
  invalid_public_token_id: "wrong_public_token",
  public_token_required: "wrong_public_token",
  project_has_no_public_tokens: "wrong_public_token",
  project_not_found: "wrong_public_token",
  endpoint_not_authorized_for_sdk: "not_enabled",
  sso_discovery_incompatible_with_sdk_config: "not_enabled",
  passwords_incompatible_with_sdk_config: "not_enabled",
  oauth_config_not_found: "not_enabled",
  oauth_invalid_scope_requested: "missing_scope",
  captcha_required: "captcha",
  captcha_failed: "captcha",
  cname_invalid_for_http_only_cookies: "http_only_cookies",
  cname_required_for_http_only_cookies: "http_only_cookies",
  query_params_do_not_match: "unregistered_redirect_url",
  no_match_for_provided_magic_link_url: "unregistered_redirect_url",
  no_match_for_provided_oauth_url: "unregistered_redirect_url",
  invalid_session_duration: "session_duration",
  invalid_session_duration_minutes: "session_duration",
  too_many_requests: "limited",
  trusted_token_profile_not_found: "login_profile",
  trusted_token_profile_invalid_request: "login_profile",
  trusted_token_profile_incorrect_external_id_mapping: "login_profile",
  trusted_token_profile_cannot_have_multiple_external_ids: "login_profile",
  token_missing_organization_id_claim: "login_profile",
};

const unregistered = "connected_app_supplied_redirect_url_not_found_in_client";

// Captchas and device fingerprints need scripts of other hosts, which the page does not load. The SDK then fails
// without a word of Stytch's, as if nobody had answered.
let hindered = false;
document.addEventListener("securitypolicyviolation", (event) => {
  hindered ||= !!event.sourceFile?.includes("/idp/assets/stytch-"); // and not by an extension of the browser
});

function causeOf(error) {
  const type = error?.error_type ?? "";
  if (hindered && type === "") return "captcha";
  if (type === unregistered) return "unregistered_callback";
  if (/redirect_url/.test(type)) return "unregistered_redirect_url"; // Stytch has a dozen of these
  // Without a password to be wrong only the public token can be.
  if (shown === "login" && type === "unauthorized_credentials" && !methods.includes("password")) return "wrong_public_token";
  return causes[type];
}

// refuses tells and explains what has to be mended; false for what may pass by itself, or
// has words of its own.
function refuses(error) {
  const cause = causeOf(error);
  if (!cause || cause === "limited" || cause === "unregistered_callback") return false;
  setAside("failed");
  const words = { cause: cause.replaceAll("_", " ") };
  if (cause === "missing_scope") explain(cause, say("missing_scope", words), null, backWith("invalid_scope"));
  // Signing in again does not mend it. Once it is mended the page has to be loaded anew.
  else explain(cause, say("set_up_wrongly", words), () => location.reload());
  return true;
}

// The errors by which Stytch says that a session is over.
const ended = ["session_not_found", "user_unauthenticated", "unauthorized_credentials", "invalid_secret_authentication"];
function onError(error) {
  if (error?.name === "NoCurrentSessionError") return; // said once while a session is still being restored
  if (refuses(error)) return;
  if (shown === "login") return onLoginError(error);
  if (ended.includes(error?.error_type)) return beginAgain("ended");
  setAside("failed"); // it would turn for ever, or say the same
  if (error?.error_type === unregistered) return explain("unregistered_callback", say("unregistered"));
  explain(...inWords(error, "unreachable_nothing"), () => location.reload());
}

// inWords returns the cause of an error without words of ours, and what is said of it.
function inWords(error, otherwise = "unreachable") {
  if (!error?.error_message) return ["unreachable", say(otherwise)];
  return [causeOf(error) ?? "refused_by_stytch", error.error_message];
}

// Refusals stand beside the field. A component is silent about failures without words,
// and has nothing to press after some others.
function onLoginError(error) {
  setTimeout(() => {
    if (tells("login")) return report(error?.error_message ? causeOf(error) : "unreachable");
    if (!error?.error_message) return explain(...inWords(error));
    if (part("login").querySelector("input, button")) return;
    part("login").replaceChildren();
    if (tokenType) return explain(...spent(error), () => beginAgain());
    explain(...inWords(error), () => beginAgain());
  });
}

// tells reports whether the component has said itself what was wrong.
const tells = (container) => !!part(container).querySelector('[class*="_destructive_"]');

// What was wrong a moment ago is not, once somebody tries again. A notice stays.
for (const trying of ["input", "click"])
  part("login").addEventListener(trying, () => part("problem-text").textContent === told || hush());

function hush() {
  part("problem").hidden = true;
  refer("");
}

const spent = (error) => {
  const cause = error?.error_type?.startsWith("pkce_") ? "link_elsewhere" : "link_spent";
  return [cause, say(cause)];
};

function onEvent(event) {
  if (shown !== "login" || event.stytchEventType !== "AUTHENTICATE_FLOW_COMPLETE") return;
  setTimeout(enter); // not in the middle of the login component's own work
}

// beginAgain returns to the login, with the request as it was, and signs out whoever is named here.
async function beginAgain(why) {
  leaving = true;
  sessionStorage.setItem("guestpass-notice", why ?? "other");
  if (!why || session.isStill(person)) await session.end(); // another tab's new session is not ours to end
  location.replace(why && settings.request ? withoutLink + "&again=1" : withoutLink);
}

// The address of this page without the link that led here.
const withoutLink = "/idp" + (settings.request ? "?" + settings.request : "");

function showLogin() {
  if (shown !== "") return;
  if (login.isElsewhere && settings.link !== "offered") return signInElsewhere();
  shown = "login";
  tell();
  if (resetting) title(["new_password"]);
  mount("login", "stytch-login", { config: vertical.loginConfig() });
}

// signInElsewhere sends people to the application's login page. Who was there a moment ago and is not signed in is told
// so, and sent there again by their own hand alone.
const found = session.mayExist(); // as they came
function signInElsewhere() {
  if (!login.wasJustThere || begunFor === "other") return leave(begunFor === "other");
  shown = "login";
  tell();
  if (login.hasReturned) refer(whyNobody());
  title(["to_continue"]);
  part("elsewhere-what").replaceChildren(...parts(login.hasReturned ? "back_nobody" : "sign_in_there", { host: login.host }));
  part("elsewhere-why").textContent = login.hasReturned
    ? say("if_again", { cause: whyNobody().replaceAll("_", " ") })
    : "";
  show("elsewhere");
}

// whyNobody says, in the words that the server knows, why somebody comes back and is nobody here.
function whyNobody() {
  if (settings.tokenProfile) return "login_without_token";
  if (found) return "login_other_session";
  return "sessionSent" in settings ? "login_http_only" : "login_without_session";
}

function leave(anew) {
  leaving = true;
  login.go(anew);
}
part("elsewhere-go").addEventListener("click", () => leave());

// useToken has Stytch begin a session for the token, as its consent component would: but there it would be for
// somebody whom this page has not named.
async function useToken(token) {
  history.replaceState(null, "", withoutLink); // the page is loaded anew without the form
  await session.end(); // of whoever is signed in: another was asked for
  const organization = settings.organizationId ? { organization_id: settings.organizationId } : {};
  redeem(
    () => client.session.attest({ profile_id: settings.tokenProfile, token, session_duration_minutes: minutes, ...organization }),
    refuseToken,
  );
}

function refuseToken(error) {
  if (refuses(error)) return;
  if (!error?.error_type) {
    return explain("unreachable", say("unreachable_nothing"), () => leave());
  }
  if (/_not_found$/.test(error.error_type)) {
    return explain("login_unknown_person", say("unknown_here", { host: login.host }), () => leave(true));
  }
  explain("login_token_refused", say("not_good", { host: login.host }), () => leave());
}

// showReset is for a user's link; a member's is understood by the login component.
function showReset() {
  shown = "login";
  title(["new_password"]);
  customElements.define("stytch-reset", stytch.StytchResetPassword);
  mount("login", "stytch-reset", { config: vertical.loginConfig(), passwordResetToken: arrival.get("token") });
}

// enter asks Stytch who is signed in, shows nobody until it has answered, and goes on with
// present or, if nobody is, with absent.
async function enter(present = decide, absent = () => beginAgain("ended")) {
  shown = "";
  part("login").replaceChildren();
  part("consent").replaceChildren();
  part("account").hidden = true;
  hush();
  part("progress").textContent = say("one_moment");
  show("progress");
  const before = person;
  try {
    person = await session.ask();
  } catch (error) {
    if (leaving || refuses(error)) return;
    if (ended.includes(error?.error_type)) return absent();
    return explain("unreachable", say("unreachable"), () => enter(present, absent));
  }
  present(before);
  lookAgain(); // it may have changed while the page was made
}

// lookAgain keeps the page true: it shows anew what names somebody, or lists for somebody,
// who is not signed in any more, or not as what they were.
function lookAgain() {
  if (leaving || ["", "left"].includes(shown)) return;
  const now = session.remembered();
  if (shown === "login") return now && !resetting ? enter() : undefined; // it may begin before a password has been set
  if (session.isStill(person)) {
    doubts = 0;
    return;
  }
  if (shown === "asking") return location.reload();
  // What another tab has forgotten is forgotten here as well, also what came after: Stytch knows better.
  if (now || (session.mayExist() && doubts++ < 3)) return enter();
  return beginAgain("ended");
}

let doubts = 0; // how often in a row Stytch was asked though this browser remembered nobody

// decide shows what there is to do for the person who is signed in. before is whom the page
// named until now, if anybody.
function decide(before) {
  shown = "person";
  if (before) notice = isSame(before, person) ? told : changeOf(before);
  tell();
  nameAccount();
  if (settings.organizationId && settings.organizationId !== person.organizationId) return askToSwitch();
  if (!settings.request) return welcome();
  if (request.get("return") === "account") return location.replace("/account"); // it goes by the session's cookie
  // The component reads the request from the address, once.
  history.replaceState(null, "", withoutLink);
  title(["decide"]);
  lock();
  const page = { replaced: enter, left, nothing };
  mount("consent", "stytch-consent", { client: session.decisionOf(person, page, app), getIDPConsentManifest: manifest });
}

// Whoever lures people into a double click can have this page come to the front between the two: from behind a window
// that closes, or in its place. So what decides cannot be pressed until it has been in sight for a second.
const inSight = 1000; // milliseconds
let unlocking;
function lock() {
  part("consent").inert = true;
  clearTimeout(unlocking);
  unlocking = setTimeout(() => (part("consent").inert = false), inSight);
}
for (const event of ["focus", "pageshow"]) addEventListener(event, lock);
document.addEventListener("visibilitychange", lock);

// changeOf says why the page looks different from a moment ago.
function changeOf(before) {
  if (before.id === person.id && before.organizationId === person.organizationId) {
    return say("changed");
  }
  return say("other_person", { person: nameOf(person), before: nameOf(before) });
}

function logOut() {
  shown = "person";
  mount("consent", "stytch-consent", {}); // works without a session
}

// What is listed apart, by the strongest effect of what a scope allows: "" for who the person is, for how long, and
// for what has no operation here.
const headers = { "": "allow", read: "allow_see", write: "allow_change", destroy: "allow_remove" };
const words = (scope) => described[scope]?.words ?? scope;

// manifest is what the consent component lists: what may be granted, in words, and apart
// from it what was asked for and cannot be granted. The component's own list is empty
// when Stytch's answer with the words is missing; what is granted must be seen.
function manifest({ scopes }) {
  const granted = scopes.filter(Boolean);
  const asked = (request.get("scope") ?? "").split(" ").filter(Boolean);
  const refused = asked.filter((scope) => !granted.includes(scope));
  const sections = Object.entries(headers).map(([effect, header]) => ({
    header: say(header, { app: app.inSentence }),
    items: granted.filter((scope) => (described[scope]?.effect ?? "") === effect).map(words),
  }));
  // Where roles decide, this one scope is all that an app needs.
  const own = sections[Object.keys(headers).indexOf(settings.roleEffect)];
  if (settings.roleEffect && granted.includes("openid")) own.items.push(say("as_yourself"));
  if (refused.length) sections.push({ header: say("refused"), items: refused.map(words) });
  return sections.filter(({ items }) => items.length > 0);
}

// nothing tells that there is no decision to make, and leads back to the app.
function nothing(scopes) {
  setAside("nothing");
  const list = scopes.map(words).join("; ");
  explain("nothing_to_grant", say("nothing_yours", { app: settings.app, list }), undefined, backWith("access_denied"));
}

// left is what becomes of a decision: the browser goes to the app. Where it does not leave, an app on this device has
// a window of its own, or does not answer; the page says what to do then. Where a program on this computer has ended,
// the browser shows a page of its own in the place of this one: who goes back from there finds what cameBack says.
const away = 4000; // milliseconds until the page says that the app may be out of reach
function left(address, allowed) {
  shown = "left";
  history.replaceState({ allowed }, "", withoutLink);
  part("consent").replaceChildren();
  part("account").hidden = true;
  const opens = settings.returnsTo === "signin.at_app";
  tellLeft(opens ? "opens" : "go_now", allowed);
  part("left-link").replaceChildren(linkTo(address, [say(opens ? "open" : "go_to")]));
  part("left-link").hidden = !opens;
  location.href = address;
  setTimeout(() => (part("left-link").hidden = part("left-slow").hidden = false), away);
}

function tellLeft(what, allowed) {
  tell();
  title([allowed ? "allowed" : "denied"]);
  part("left-done").replaceChildren(...parts(allowed ? "may_now" : "may_nothing", { app: settings.app }));
  part("left-what").replaceChildren(...parts(what, { place: settings.place }));
  part("left-slow").textContent = say(allowed ? "no_app" : "no_app_denied");
  show("left");
  part("take-back").hidden = !allowed;
}

// cameBack is for who has decided on this page, and is on it again: they loaded it anew, or pressed Back.
function cameBack({ allowed }) {
  shown = "left";
  part("account").hidden = true;
  tellLeft("came_back", allowed);
  part("left-link").hidden = true;
  part("left-slow").hidden = part("left-again").hidden = false;
}
addEventListener("pageshow", (event) => event.persisted && shown === "left" && cameBack(history.state));
part("left-again").firstElementChild.addEventListener("click", () => {
  history.replaceState(null, "", withoutLink);
  location.reload();
});

// The component draws each of its steps anew, and with the field that goes the focus is lost: what somebody types next
// would go nowhere. So the first field of a step takes it, or, where there is none, what the step says first.
let field; // the first of the step that is shown
let waits = false; // the component takes nothing at the moment
let begun = false; // somebody is at it: before that the focus is left where it is
for (const doing of ["focusin", "input", "click"]) part("login").addEventListener(doing, () => (begun = true));
function follow() {
  const visible = (selector) => [...part("login").querySelectorAll(selector)].filter((e) => e.checkVisibility());
  const fields = visible("input");
  const first = fields.find((e) => !e.disabled);
  const lost = !document.activeElement || document.activeElement === document.body;
  if (fields.length && !first) return (waits = true);
  if (begun && first && (first !== field || waits)) first.focus();
  if (begun && !first && lost && visible("button").length) focusOn(visible('[class*="_header_"]')[0] ?? part("heading"));
  [field, waits] = [first, false];
}
function focusOn(words) {
  words.tabIndex = -1;
  words.focus();
}
new MutationObserver(follow).observe(part("login"), { childList: true, subtree: true, attributeFilter: ["disabled"] });

// Addresses are kept with their domain in ASCII. Chromium sends it so by itself, others send
// what was typed: so it is written anew before anything can be pressed. The component hears
// of the change as if it had been typed.
const setValue = Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, "value").set;
function writeDomainsInASCII(event) {
  const leaves = event.type !== "keydown" || event.target.type !== "email" || ["Enter", "Tab"].includes(event.key);
  if (!leaves) return; // somebody is still typing
  for (const field of part("login").querySelectorAll("input[type=email]")) {
    const [, local, domain] = field.value.match(/^([^@]+)@([^@\s/?#:\\]*[^\x00-\x7f][^@\s/?#:\\]*)$/) ?? [];
    if (!domain || !URL.canParse("https://" + domain)) continue;
    setValue.call(field, local + "@" + new URL("https://" + domain).hostname);
    field.dispatchEvent(new Event("input", { bubbles: true }));
  }
}
for (const before of ["pointerdown", "keydown"]) part("login").addEventListener(before, writeDomainsInASCII, { capture: true });

// Signed in without a request to decide on: an invitation was accepted, or the
// link was opened in another browser than the one that asked for it.
function welcome() {
  history.replaceState(null, "", "/idp");
  title(["signed_in"]);
  part("progress").textContent = say("go_back");
  show("progress");
  nameAccount();
}

// The request is for another organization than the one that somebody is signed in to.
function askToSwitch() {
  const organization = settings.organizationName;
  title(["is_for", { organization }]);
  part("progress").replaceChildren(...parts("signed_in_at", { own: person.organization, organization }));
  part("switch").replaceChildren(...parts("switch", { organization }));
  show("progress");
}

function nameAccount() {
  part("who").replaceChildren(...parts("signed_in_as", { person: nameOf(person) }));
  part("switch").textContent = say("not_you");
  part("account").hidden = false;
}

part("switch").addEventListener("click", () => beginAgain());

// An uncaught rejection is how the consent component reports that Stytch refused the
// decision, and how the login component drops what it has no words for.
addEventListener("unhandledrejection", (event) => {
  event.preventDefault(); // it is told on the page
  if (shown !== "login") return onError(event.reason);
  if (refuses(event.reason)) return;
  setTimeout(() => tells("login") || explain(...inWords(event.reason)));
});

// What a link is, as far as its token is taken for nothing else. Whose it is, nobody can tell
// before it is used: the rest of an address anybody may have written.
const linkNames = {
  oauth: "other_service",
  discovery_oauth: "other_service",
};

// askToReplace lets whoever is signed in choose before a link, perhaps of somebody else, takes
// their place.
function askToReplace() {
  shown = "asking";
  title([resetting ? "other_password" : "somebody_else"]);
  part("replace-who").replaceChildren(...parts("you_are", { person: nameOf(person) }));
  part("replace-what").textContent = say(linkNames[tokenType] ?? (resetting ? "password_link" : "opened_link"));
  part("stay").replaceChildren(...parts("stay_as", { person: person.email }));
  show("replace");
}

part("stay").addEventListener("click", () => {
  history.replaceState(null, "", withoutLink);
  decide();
});

// The page is loaded anew, and uses the link as nobody is signed in: an answer about the session
// that has ended, which may still be on its way, would end the new one.
part("use").addEventListener("click", async () => {
  leaving = true;
  part("progress").textContent = say("one_moment");
  show("progress");
  await session.end();
  sessionStorage.setItem("guestpass-before", JSON.stringify({ ...person, token: "" }));
  location.reload();
});

function useLink() {
  if (vertical.redeemed.includes(tokenType) && !resetting) return redeem();
  if (tokenType === "reset_password" && stytch.StytchResetPassword) return showReset();
  return showLogin(); // the login component redeems the link's token
}

// Stytch's client drops the new session when it hears late, in this tab or another, that the
// one before has ended. So the new one is put back once.
async function redeem(use = vertical.redeem, refused = (error) => refuses(error) || explain(...spent(error), () => beginAgain())) {
  try {
    const { session_token, session_jwt } = await use();
    enter(decide, () => {
      client.session.updateSession({ session_token, session_jwt });
      enter();
    });
  } catch (error) {
    refused(error);
  }
}

function start() {
  if ("logOut" in settings) return logOut();
  if (history.state?.allowed !== undefined && settings.request) return cameBack(history.state);
  session.watch(lookAgain);
  const { token, asked } = login.brought;
  if (token && asked) return useToken(token);
  if (token) {
    notice = say("unasked");
    noticeOf = "login_unasked";
  }
  if (settings.link === "refused") {
    history.replaceState(null, "", withoutLink); // so that no component finds its token either
    notice = say("link_refused");
    noticeOf = "link_refused";
  }
  const [present, absent] = settings.link === "offered" ? [askToReplace, useLink] : [decide, showLogin];
  if (session.mayExist()) enter(present, absent);
  else absent();
}

start();
