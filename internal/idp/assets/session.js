// Whose session it is. The page names a person, an organization and a list of scopes, and
// the session can become another one's at any moment: by a link, in another tab, at Stytch.
// So a person counts only on Stytch's word, and a decision leaves for the person shown alone.

import { say } from "./words.js";

// seen is what people can see of a name that came from Stytch, where anybody may call themselves
// anything, and not too much of it.
function seen(text) {
  const hidden = /(?![\u200C\u200D\uFE0F])[\p{C}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/gu;
  const letters = [...(text ?? "").replace(hidden, "")];
  return letters.length > 128 ? letters.slice(0, 127).join("") + "…" : letters.join("");
}

// peopleOf reads in the vertical's terms who an answer of Stytch's, or the client, says is
// signed in. Roles are among it: they decide what can be allowed.
const peopleOf = {
  b2b: {
    answered: ({ member, organization, member_session: session, session_token: token }) =>
      member && organization && session && {
        id: member.member_id,
        email: seen(member.email_address),
        organizationId: organization.organization_id,
        organization: seen(organization.organization_name),
        session: session.member_session_id,
        roles: [...(session.roles ?? [])].sort(),
        token: token ?? "",
      },
    remembered: (client) => ({
      member: client.self.getSync(),
      organization: client.organization.getSync(),
      member_session: client.session.getSync(),
    }),
  },
  consumer: {
    answered: ({ user, session, session_token: token }) =>
      user && session && {
        id: user.user_id,
        email: seen(user.emails[0]?.email),
        organizationId: "",
        organization: "",
        session: session.session_id,
        roles: [...(session.roles ?? [])].sort(),
        token: token ?? "",
      },
    remembered: (client) => ({ user: client.user.getSync(), session: client.session.getSync() }),
  },
};

// isSame reports whether everything that the page shows of a person, or makes its list of, is as it was.
export const isSame = (one, other) =>
  !!one && !!other && JSON.stringify({ ...one, token: "" }) === JSON.stringify({ ...other, token: "" });

// nameOf says in words who that is.
export const nameOf = ({ email, organization }) => (organization ? say("person_at", { person: email, organization }) : email);

// sessionCookie is the one by which Stytch's client acts, read as it reads it: the first of that name.
const sessionCookie = () => decodeURIComponent(document.cookie.match(/(?:^|; )stytch_session=([^;]*)/)?.[1] ?? "");

// labelOf names an app so that no other can be taken for it: the host of its document comes first, and a name
// that nobody has checked is in quotation marks.
function labelOf(name, { host, unchecked }, called = "app_called") {
  const bare = name.replace(/[“”„]/g, "");
  if (host) return name && name !== host ? say("host_called", { host, name: bare }) : host;
  return unchecked ? say(called, { name: bare }) : name;
}

// withIssuer takes out of a response the iss (RFC 9207) that is not the issuer, or that nobody said
// would be there: clients refuse either. While nobody knows what was said it stays. What the app has registered as its address stays as it is.
function withIssuer(answer, { redirect_uri: registered }, issuer) {
  if (issuer === undefined) return answer;
  const [address, ...fragment] = (answer.redirect_uri ?? "").split("#");
  const own = address.startsWith(registered) ? registered : address.split("?")[0];
  const isOther = (pair) => pair.startsWith("iss=") && (!issuer || new URLSearchParams(pair).get("iss") !== issuer);
  const [, separator, added] = address.slice(own.length).match(/^([?&]?)(.*)$/s);
  const kept = added.split("&").filter((pair) => !isOther(pair));
  return { ...answer, redirect_uri: [own + separator + kept.join("&"), ...fragment].join("#") };
}

// A Session is what this browser's session at Stytch says, now or a moment ago.
export class Session {
  #client;
  #people;

  constructor(client, vertical) {
    this.#client = client;
    this.#people = peopleOf[vertical];
  }

  // mayExist reports whether it is worth asking Stytch.
  mayExist() {
    return !!this.#client.session.getSync() || sessionCookie() !== "";
  }

  // ask returns who is signed in on Stytch's word; it throws Stytch's error where nobody is.
  async ask() {
    const person = this.#people.answered(await this.#client.session.authenticate());
    if (!person) throw { error_type: "session_not_found" };
    return person;
  }

  // remembered returns who was signed in when this browser last heard of it, in any tab; null for nobody.
  remembered() {
    return this.#people.answered({ ...this.#people.remembered(this.#client), session_token: sessionCookie() }) || null;
  }

  // isStill reports, from what this browser knows, whether it is still that person's session.
  isStill(person) {
    const now = this.remembered();
    return isSame(now, person) && now.token === person.token;
  }

  // watch calls changed whenever the session may have become another one: by Stytch's client
  // in this tab or, through its storage, in another; by a cookie that something else wrote; and
  // when somebody comes back to this tab, for browsers that do not tell of cookies.
  watch(changed) {
    this.#client.onStateChange(() => changed());
    globalThis.cookieStore?.addEventListener("change", () => changed());
    for (const event of ["focus", "pageshow"]) addEventListener(event, () => changed());
    document.addEventListener("visibilitychange", () => document.hidden || changed());
  }

  // end revokes it. What is remembered here is forgotten in any case.
  async end() {
    await this.#client.session.revoke({ forceClear: true }).catch(() => {});
  }

  // decisionOf returns a client for one consent component, by which that person alone
  // decides, and only on what the component was told and has shown. What becomes of it is told to page:
  //   replaced()          somebody else is signed in when a button is pressed: nothing is allowed then;
  //   left(address, ok)   Stytch has taken the decision, and the browser is to go there; ok: something was allowed;
  //   nothing(scopes)     none of what the app asks for is this person's to give.
  //
  // The app's host is that of its document, if it has one; unchecked says that anybody may have chosen the app's
  // name. issuer is what a response may name: "" for none, undefined while nobody knows.
  // inSentence is set to how a sentence speaks of the app, and registered once Stytch has found the address to
  // return to among the app's own.
  decisionOf(person, page, app) {
    const client = this.#client, { issuer } = app;
    let grantable = []; // as shown
    const never = new Promise(() => {}); // the component waits until it is taken away

    const idp = {
      ...client.idp,
      // The component would submit at once where Stytch wants no consent. Here a person presses a button.
      oauthAuthorizeStart: async (request) => {
        const answer = await this.#start(request, app);
        if (!this.isStill(person)) return page.replaced(), never;
        const granted = answer.scope_results.filter((result) => result.is_grantable);
        grantable = granted.map((result) => result.scope);
        // The component shows the app's name as it comes, and anybody may have chosen it.
        const name = seen(answer.client?.client_name);
        app.inSentence = labelOf(name, app, "app_called_within");
        if (grantable.length === 0) return page.nothing(answer.scope_results.map((result) => result.scope)), never;
        // What cannot be granted is on the page's own list, and not said a second time.
        return { ...answer, scope_results: granted, client: { ...answer.client, client_name: labelOf(name, app) }, consent_required: true };
      },
      oauthAuthorizeSubmit: async (request) => {
        const ok = request.consent_granted && grantable.length > 0;
        if (ok) {
          const now = await this.ask();
          // Between this look at the cookie and the client's own, for the request, nothing else of this page runs.
          if (!isSame(now, person) || !this.isStill(now)) return page.replaced(), never;
        }
        const answer = await (ok ? client.idp.oauthAuthorizeSubmit({ ...request, scopes: grantable }) : this.#deny(request));
        return page.left(withIssuer(answer, request, issuer).redirect_uri, ok), never;
      },
    };
    return Object.create(client, { idp: { value: idp } });
  }

  // #start asks Stytch what there is to decide. Where Stytch knows a scope not, it says so before anything else of
  // the request is settled: so it is asked once more for what every project has, whose app and address that is.
  async #start(request, app) {
    const start = (asked) => this.#client.idp.oauthAuthorizeStart(asked);
    try {
      const answer = await start(request);
      app.registered = true;
      return answer;
    } catch (error) {
      if (error?.error_type === "oauth_invalid_scope_requested")
        app.registered = await start({ ...request, scopes: ["openid"] }).then(() => true, () => false);
      throw error;
    }
  }

  // #deny passes a refusal on, and never a code: Stytch gives one where it wants no consent.
  async #deny(request) {
    const answer = await this.#client.idp.oauthAuthorizeSubmit({ ...request, consent_granted: false });
    if (!answer.authorization_code) return answer;
    throw { error_message: say("not_denied") };
  }
}
