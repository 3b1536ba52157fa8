// The sign-in and consent page. Stytch's components do the work; this script
// decides which of them is shown, carries the authorization request across an
// e-mail link, and puts failures into words.
"use strict";

(() => {
  const settings = document.getElementById("idp").dataset;
  const part = (id) => document.getElementById(id);

  const base = settings.apiBase;
  const client = stytch.createStytchB2BClient(
    settings.publicToken,
    base ? { endpoints: { testAPIURL: base, liveAPIURL: base } } : {},
  );
  customElements.define("stytch-login", stytch.StytchB2B);
  customElements.define("stytch-consent", stytch.StytchB2BIdentityProvider);

  const arrival = new URLSearchParams(location.search);
  const tokenType = arrival.get("stytch_token_type");

  // The look of the rest of the page, in the component's own terms.
  const style = getComputedStyle(document.documentElement);
  const colour = (name) => style.getPropertyValue(name).trim();
  const dark = matchMedia("(prefers-color-scheme: dark)").matches;
  const presentation = {
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
    },
  };

  function show(id) {
    for (const name of ["login", "consent", "progress"]) part(name).hidden = name !== id;
  }

  function explain(text) {
    const problem = part("problem");
    problem.textContent = text;
    problem.hidden = false;
    part("progress").hidden = true;
  }

  function mount(container, tag, properties) {
    const element = document.createElement(tag);
    part(container).append(element); // before render: an element outside the page stays empty
    element.render({ client, presentation, ...properties });
    show(container);
  }

  // Errors that the component itself does not put into words. Having no session is
  // not one: the component says so once while a session is still being restored.
  function onError(error) {
    if (error?.name === "NoCurrentSessionError") return;
    explain(
      error?.error_type === "connected_app_supplied_redirect_url_not_found_in_client"
        ? "The application wants you to return to an address that it has not registered. Nothing was allowed, and you were not sent anywhere."
        : error?.error_message || error?.message || "Something went wrong. Go back to ChatGPT and try again.",
    );
  }

  let shown = "";

  function showLogin() {
    if (shown !== "") return;
    shown = "login";
    mount("login", "stytch-login", {
      config: {
        authFlowType: stytch.AuthFlowType.Discovery,
        products: [stytch.B2BProducts.emailOtp, stytch.B2BProducts.emailMagicLinks],
        sessionOptions: { sessionDurationMinutes: 60 },
        emailMagicLinksOptions: { discoveryRedirectURL: settings.returnUrl },
      },
      callbacks: { onError },
    });
  }

  function showConsent() {
    if (shown === "consent") return;
    shown = "consent";
    part("login").replaceChildren();
    if (!settings.request && !("logOut" in settings)) return welcome();
    // The component reads the request from the address, once.
    if (settings.request) history.replaceState(null, "", "/idp?" + settings.request);
    part("heading").textContent = "logOut" in settings ? "Sign out" : "Decide what to allow";
    mount("consent", "stytch-consent", { callbacks: { onError } });
    nameAccount();
  }

  // Signed in without a request to decide on: an invitation was accepted, or the
  // link was opened in another browser than the one that asked for it.
  function welcome() {
    part("heading").textContent = "You are signed in";
    part("progress").textContent = "Go back to ChatGPT and ask it to connect again; it will bring you here.";
    show("progress");
    nameAccount();
  }

  function nameAccount() {
    const member = client.self.getSync();
    const organization = client.organization.getSync();
    if (!member) return;
    part("who").textContent =
      "Signed in as " + member.email_address + (organization ? " at " + organization.organization_name : "") + ".";
    part("account").hidden = false;
  }

  part("switch").addEventListener("click", async () => {
    await client.session.revoke().catch(() => {});
    location.replace("/idp" + (settings.request ? "?" + settings.request : ""));
  });

  // An uncaught rejection is how the consent component reports that Stytch refused the decision.
  addEventListener("unhandledrejection", (event) => onError(event.reason));

  async function acceptInvitation() {
    try {
      await client.magicLinks.authenticate({
        magic_links_token: arrival.get("token"),
        session_duration_minutes: 60,
      });
      history.replaceState(null, "", "/idp");
      showConsent();
    } catch (error) {
      explain("This invitation cannot be used any more. Ask for a new one.");
    }
  }

  function start() {
    if ("logOut" in settings) return showConsent(); // works without a session
    if (tokenType === "multi_tenant_magic_links") return acceptInvitation();
    client.session.onChange((session) => (session ? showConsent() : undefined));
    if (tokenType) return showLogin(); // the login component redeems the link's token
    if (client.session.getSync()) return showConsent();
    if (!document.cookie.includes("stytch_session=")) return showLogin();
    // A cookie without cached state: the client is asking Stytch whether it is still good.
    client.session.authenticate().then(showConsent, showLogin);
  }

  start();
})();
