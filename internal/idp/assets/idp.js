// The sign-in and consent page. Stytch's components do the work; this script
// decides which of them is shown, carries the authorization request across an
// e-mail link, and helps out where a component would leave a person without a word.
"use strict";

(() => {
  const settings = document.getElementById("idp").dataset;
  const part = (id) => document.getElementById(id);
  const descriptions = JSON.parse(part("scopes").textContent) ?? {};
  const request = new URLSearchParams(settings.request);
  const arrival = new URLSearchParams(location.search);
  const tokenType = arrival.get("stytch_token_type");

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
      who() {
        const organization = client.organization.getSync();
        const member = client.self.getSync();
        return member && member.email_address + (organization ? " at " + organization.organization_name : "");
      },
      // The name of the organization that somebody is signed in to instead of the one the request names.
      elsewhere() {
        const organization = client.organization.getSync();
        const wanted = settings.organizationId;
        return wanted && organization && organization.organization_id !== wanted ? organization.organization_name : "";
      },
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
      who: () => client.user.getSync()?.emails[0]?.email,
      elsewhere: () => "",
    }),
  };

  const vertical = verticals[settings.vertical]();
  const base = settings.apiBase;
  const client = vertical.create(settings.publicToken, {
    endpoints: {
      ...(base ? { testAPIURL: base, liveAPIURL: base } : {}),
      clientsideServicesIframeURL: "about:blank", // it is for telephone numbers; nothing is loaded from another host
    },
  });
  customElements.define("stytch-login", vertical.Login);
  customElements.define("stytch-consent", vertical.Consent);

  // The look of the rest of the page, in the component's own terms.
  const style = getComputedStyle(document.documentElement);
  const colour = (name) => style.getPropertyValue(name).trim();
  const dark = matchMedia("(prefers-color-scheme: dark)").matches;
  const presentation = {
    options: { hideHeaderText: true }, // the page has its own heading
    theme: {
      ...(dark ? stytch.defaultDarkTheme : stytch.defaultTheme),
      "font-family": "system-ui, sans-serif",
      "container-width": "100%",
      "rounded-base": "5px",
      "container-radius": "10px",
      background: colour("--card"),
      foreground: colour("--fg"),
      "muted-foreground": colour("--muted"),
      primary: colour("--accent"),
      "primary-foreground": colour("--on-accent"),
      border: colour("--line"),
      input: colour("--field"),
      ring: colour("--accent"),
      destructive: colour("--problem"),
    },
  };

  function show(id) {
    for (const name of ["login", "consent", "progress"]) part(name).hidden = name !== id;
  }

  // title names the step, for the eye and, by the focus, for a screen reader.
  function title(text) {
    const heading = part("heading");
    heading.textContent = text;
    heading.focus();
    document.title = text + " – Guestpass";
  }

  // explain puts a failure into words; again is what to do about it, if there is something.
  function explain(text, again) {
    part("problem-text").textContent = text;
    part("again").hidden = !again;
    part("again").firstElementChild.onclick = again ?? null;
    part("problem").hidden = false;
    part("progress").hidden = true;
  }

  // An element has to be on the page before it is rendered: elsewhere it stays empty.
  function mount(container, tag, properties) {
    const element = document.createElement(tag);
    element.addEventListener("stytch-error", (event) => onError(event.error));
    element.addEventListener("stytch-event", (event) => onEvent(event));
    part(container).replaceChildren(element);
    element.render({ client, presentation, ...properties });
    show(container);
    setTimeout(() => {
      if (isEmpty(container)) explain("Stytch, which signs you in here, does not answer. Nothing was allowed.", () => location.reload());
    }, slow);
  }

  // isEmpty says that the part offers nothing to do, and says nothing.
  function isEmpty(container) {
    if (part(container).hidden || !part("problem").hidden) return false;
    const element = part(container).firstElementChild;
    return !!element && !element.querySelector("button, input") && element.innerText.trim() === "";
  }

  // The errors by which Stytch says that a session is over.
  const ended = ["session_not_found", "user_unauthenticated", "unauthorized_credentials", "invalid_secret_authentication"];
  const unregistered = "connected_app_supplied_redirect_url_not_found_in_client";

  function onError(error) {
    if (error?.name === "NoCurrentSessionError") return; // said once while a session is still being restored
    if (shown === "login") return onLoginError(error);
    if (ended.includes(error?.error_type)) return beginAgain("ended");
    if (error?.error_type === unregistered) {
      return explain("The application wants you to return to an address that it has not registered. Nothing was allowed, and you were not sent anywhere.");
    }
    explain(error?.error_message || "Stytch could not be reached, so nothing was allowed.", () => location.reload());
  }

  // Refusals stand beside the field. A component is silent about failures without words,
  // and has nothing to press after some others.
  function onLoginError(error) {
    if (!error?.error_message) return explain("Stytch could not be reached. Try again in a moment.");
    setTimeout(() => {
      if (part("login").querySelector("input, button")) return;
      explain(tokenType ? spent(error) : error.error_message, () => beginAgain());
    });
  }

  const spent = (error) =>
    error?.error_type?.startsWith("pkce_")
      ? "This link has to be opened in the browser that asked for it. Open it there, or ask for a new one."
      : "This link cannot be used any more. Ask for a new one.";

  function onEvent(event) {
    if (shown !== "login" || event.stytchEventType !== "AUTHENTICATE_FLOW_COMPLETE") return;
    setTimeout(showConsent); // not in the middle of the login component's own work
  }

  // beginAgain signs out here and returns to the login, with the request as it was.
  async function beginAgain(why) {
    if (why) sessionStorage.setItem("guestpass-notice", why);
    await client.session.revoke({ forceClear: true }).catch(() => {});
    location.replace("/idp" + (settings.request ? "?" + settings.request : ""));
  }

  let shown = "";

  function showLogin() {
    if (shown !== "") return;
    shown = "login";
    if (sessionStorage.getItem("guestpass-notice") === "ended") {
      explain("Your sign-in had ended, so nothing was allowed yet. Sign in again to decide.");
    }
    sessionStorage.removeItem("guestpass-notice");
    if (resetting) title("Set a new password");
    mount("login", "stytch-login", { config: vertical.loginConfig() });
  }

  // showReset is for a user's link; a member's is understood by the login component.
  function showReset() {
    shown = "login";
    title("Set a new password");
    customElements.define("stytch-reset", stytch.StytchResetPassword);
    mount("login", "stytch-reset", { config: vertical.loginConfig(), passwordResetToken: arrival.get("token") });
  }

  function showConsent() {
    if (shown === "consent") return;
    shown = "consent";
    part("login").replaceChildren();
    part("problem").hidden = true;
    if (vertical.elsewhere()) return askToSwitch(vertical.elsewhere());
    if (!settings.request && !("logOut" in settings)) return welcome();
    if (request.get("return") === "account") return openAccount();
    // The component reads the request from the address, once.
    if (settings.request) history.replaceState(null, "", "/idp?" + settings.request);
    if (!("logOut" in settings)) title("Decide what to allow");
    mount("consent", "stytch-consent", { getIDPConsentManifest: manifest });
    nameAccount();
  }

  // manifest is what the consent component lists: what may be granted, in words, and apart
  // from it what was asked for and cannot be granted. The component's own list is empty
  // when Stytch's answer with the words is missing; what is granted must be seen.
  function manifest({ scopes, clientName }) {
    const words = (scope) => descriptions[scope] ?? scope;
    const granted = scopes.filter(Boolean);
    const asked = (request.get("scope") ?? "").split(" ").filter(Boolean);
    const refused = asked.filter((scope) => !granted.includes(scope));
    const sections = [{ header: "Allow " + clientName + " to:", items: granted.length ? granted.map(words) : ["Nothing"] }];
    if (refused.length) sections.push({ header: "Asked for, but not yours to give. This will not be allowed:", items: refused.map(words) });
    return sections;
  }

  // Signed in without a request to decide on: an invitation was accepted, or the
  // link was opened in another browser than the one that asked for it.
  function welcome() {
    history.replaceState(null, "", "/idp");
    title("You are signed in");
    part("progress").textContent = "Go back to ChatGPT and ask it to connect again; it will bring you here.";
    show("progress");
    nameAccount();
  }

  // Signed in to see the account page, which goes by the session's cookie: what is only
  // remembered of a session here may have ended.
  function openAccount() {
    show("progress");
    client.session.authenticate().then(
      () => location.replace("/account"),
      (error) => (error?.error_type ? beginAgain() : explain("Stytch could not be reached. Try again in a moment.", () => openAccount())),
    );
  }

  // The request is for another organization than the one that somebody is signed in to.
  function askToSwitch(name) {
    title("This is for " + settings.organizationName);
    part("progress").textContent =
      "You are signed in at " + name + ". To go on, sign in to " + settings.organizationName + " instead.";
    part("switch").textContent = "Sign out and go to " + settings.organizationName;
    show("progress");
    nameAccount();
  }

  function nameAccount() {
    const who = vertical.who();
    if (!who) return;
    part("who").textContent = "Signed in as " + who + ".";
    part("account").hidden = false;
  }

  part("switch").addEventListener("click", () => beginAgain());

  // An uncaught rejection is how the consent component reports that Stytch refused the
  // decision, and how the login component drops what it has no words for.
  addEventListener("unhandledrejection", (event) => {
    event.preventDefault(); // it is told on the page
    if (shown !== "login") return onError(event.reason);
    explain(event.reason?.error_message || "Stytch could not be reached. Try again in a moment.");
  });

  async function redeem() {
    try {
      await vertical.redeem();
      showConsent();
    } catch (error) {
      explain(spent(error), () => beginAgain());
    }
  }

  function start() {
    if ("logOut" in settings) return showConsent(); // works without a session
    // A session may begin before a password has been set.
    client.session.onChange((session) => (session && !resetting ? showConsent() : undefined));
    if (vertical.redeemed.includes(tokenType) && !resetting) return redeem();
    if (tokenType === "reset_password" && stytch.StytchResetPassword) return showReset();
    if (tokenType) return showLogin(); // the login component redeems the link's token
    if (client.session.getSync()) return showConsent();
    if (!document.cookie.includes("stytch_session=")) return showLogin();
    // A cookie without cached state: the client is asking Stytch whether it is still good.
    client.session.authenticate().then(showConsent, showLogin);
  }

  start();
})();
