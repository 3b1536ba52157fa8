// Looks at the page as a person does: what is asked next? With act set it also takes
// hold of it: focuses the field or presses the button. Elements are found by what
// they are and say, also inside open shadow roots.
({ act, deny, organization }) => {
  // Before this the page's deferred scripts have not run, and a form would go astray.
  if (!performance.getEntriesByType("navigation")[0]?.domContentLoadedEventEnd) return { step: "", text: "" };

  const within = (root) =>
    [...root.querySelectorAll("*")].flatMap((e) => (e.shadowRoot ? [e, ...within(e.shadowRoot)] : [e]));
  const elements = within(document);
  const shown = (e) => e.checkVisibility({ visibilityProperty: true }) && e.getClientRects().length > 0;
  const words = (e) => (e?.innerText || "").replace(/\s+/g, " ").trim();
  // What people read in lines: a heading ends with a mark, so that it does not run into what follows.
  const says = (e) => {
    const titles = [...e.querySelectorAll("h1, h2, h3, h4, h5, h6, [role=heading]")].map(words);
    const lines = (e.innerText || "").split("\n").map((line) => line.replace(/\s+/g, " ").trim()).filter(Boolean);
    const runsOn = (line, i) => titles.includes(line) && i + 1 < lines.length && !/\p{P}$/u.test(line);
    return lines.map((line, i) => (runsOn(line, i) ? line + ":" : line)).join(" ");
  };
  const find = (selector, test = () => true) => elements.find((e) => e.matches(selector) && shown(e) && test(e));
  const button = (pattern) => find("button, [role=button]", (e) => !e.disabled && !e.closest("[inert]") && pattern.test(words(e)));

  const text = says(document.body).slice(0, 500);
  const answer = (step, e) => {
    if (act && e) e.matches("input") ? (e.focus(), e.select()) : e.click();
    return { step, text };
  };

  const alert = find("[role=alert]", (e) => words(e) !== "");
  if (alert) return { step: "problem", text: says(alert) };
  const stranger = /\S+ does not have an account\./.exec(text); // what follows it is about another account
  if (stranger) return { step: "problem", text: stranger[0] };
  const failure = /(Looks like there was an error!|Invalid passcode|does not belong to any organizations|Email not found).*/.exec(text);
  if (failure) return { step: "problem", text: failure[0] };

  const decision = button(deny ? /^Deny$/ : /^Allow$/);
  if (decision) return answer("consent", decision);
  const code = find("input[autocomplete=one-time-code], input[data-input-otp]");
  if (code) return answer("code", code);
  const email = find("input[type=email]", (e) => !e.disabled);
  if (email) return answer("login", email);
  const byCode = button(/^Email me a (login )?code$/);
  if (byCode) return answer("method", byCode);
  if (/Select an organization/.test(text)) {
    const others = /^(|Create an organization|Go back|Not you\?.*)$/;
    const choices = elements.filter((e) => e.matches("button") && shown(e) && !others.test(words(e)));
    const choice = choices.find((e) => words(e).includes(organization));
    if (choice) return answer("organization", choice);
    if (choices.length) return { step: "problem", text: `no organization ${organization}: ${text}` };
  }
  return { step: "", text };
}
