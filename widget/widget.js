"use strict";
// The page's side of MCP Apps (2026-01-26): JSON-RPC by messages to the client whose frame this is. What people wrote
// becomes text and never HTML; nothing is loaded and nothing kept.
//
//	guestpass.start({ name, fits, draw })  connects; draw(data) is called once, with the first answer that fits(data)
//	guestpass.list({ … })                  shows rows page by page, see there
//	guestpass.can(tool)                    whether a tool can be called from here
//	guestpass.call(tool, args, fits)       its structured answer, one for which fits(answer) holds; an Error whose message
//	                                       is for the person, and which has what the server said in .problem
//	guestpass.during(element, work)        runs work unless it runs already, and shows why it failed; what is drawn anew
//	                                       meanwhile is known by its data-key or id. Throw an Error to tell the person
//	guestpass.say(text), .complain(text)   what a screen reader says: what came about, or what went wrong
//	guestpass.note(text)                   tells the model what was done here
//	guestpass.once(text)                   a request_id for a call: the same one until done(text)
//	guestpass.asked()                      with which arguments the tool was called that the page shows
//	guestpass.day(date), .past(date)       an element with a date, YYYY-MM-DD, as the client writes it; whether it is past
//	guestpass.locale()                     the client's language for Intl; undefined for the browser's
//	guestpass.make(tag, members, …inner)   an element; members are its properties
const guestpass = (() => {
  const soon = 1_000, patience = 60_000; // milliseconds after which a person is told that an answer is due
  const tallest = 500; // pixels that clients want a page within a conversation to have at most
  const spare = 35; // of them for what comes about
  const most = 6; // rows at a time
  const longest = 140; // characters of what others wrote in a message, which takes room from the rows
  const working = "Working on it…";
  const unusable = "This cannot be shown here. The answer is in the chat.";
  const parsed = (text) => { try { return JSON.parse(text); } catch { return null; } };
  const facts = { tools: [], link: null, ...parsed(document.getElementById("guestpass")?.textContent) };
  const root = document.documentElement;
  const waiting = new Map(); // what is done with the answer, by the id of the request
  const notes = []; // what the model was told, as each telling takes the place of the one before
  const requests = new Map(); // ids of calls that were not answered yet, by what they are about
  const busy = new Map(); // what runs, by the key of the element that began it: a redraw replaces the element
  let lastId = 0, host = {}, context = {}, page, shown = false, ended = false, input, height = 0, watcher;

  const send = (message) => { if (!ended || !message.method) parent.postMessage({ jsonrpc: "2.0", ...message }, "*"); };
  // An answer counts however late it comes: some clients let a person think for minutes.
  const ask = (method, params) => new Promise((resolve, reject) => {
    const id = ++lastId;
    waiting.set(id, { resolve, reject });
    send({ id, method, params });
  });
  const settle = (id, { result, error }) => {
    const asked = waiting.get(id);
    if (!asked) return;
    waiting.delete(id);
    if (result) asked.resolve(result); else asked.reject(Object.assign(new Error("no result"), { rpc: error }));
  };

  // Clients cut long answers, or leave one of the two forms out: what fits may be in the other.
  const dataOf = (result, fits) => {
    const texts = Array.isArray(result?.content) ? result.content.map((part) => parsed(part?.text)) : [];
    return [result?.structuredContent, ...texts].find((data) => data && typeof data === "object" && fits(data)) ?? null;
  };
  const problemOf = (result) => dataOf(result, ({ error }) => error && typeof error === "object")?.error;
  // The first answer that fits counts: those of later calls reach this page too, and do not say what they are.
  const receive = (result) => {
    if (shown) return;
    if (result?.isError) return complain(reason(result, problemOf(result)));
    try {
      const data = dataOf(result, page.fits);
      complain(data ? "" : unusable);
      if (data) page.draw(data);
      shown = Boolean(data);
    } catch {
      put("rows", "");
      complain(unusable);
    }
  };

  const words = {
    401: "You are not signed in any more. Connect again in the settings of this app.",
    404: "It is not there any more.",
    429: "Too much was asked at once.",
  };
  // reason says to a person what an answer says to a model.
  const reason = (result, problem) => {
    const wait = /Retry-After: (\d+) seconds/.exec(problem?.hint ?? "")?.[1];
    if (result?._meta?.["mcp/www_authenticate"]) return "You have not allowed this here. Ask for it in the chat, and " +
      "you can allow it then.";
    if (problem?.code >= 500 || !problem) return "The server could not do it. Try again.";
    if (words[problem.code]) return words[problem.code] + (wait ? ` Try again in ${wait} seconds.` : "");
    const details = (Array.isArray(problem.errors) ? problem.errors : [])
      .map((e) => sentence(`${e?.location ?? ""} ${e?.message ?? ""}`.trim()));
    return short(details.join(" ")) || short(sentence(problem.message)) || "It did not work.";
  };
  const sentence = (text) => typeof text !== "string" || !text ? ""
    : text[0].toUpperCase() + text.slice(1) + (/[.!?…]$/.test(text) ? "" : ".");
  const short = (text) => text.length > longest ? `${[...text].slice(0, longest - 1).join("")}…` : text;

  const can = (tool) => Boolean(host.serverTools) && facts.tools.includes(tool);
  const call = async (tool, args, fits = () => true) => {
    let result;
    try {
      result = await ask("tools/call", { name: tool, arguments: args });
    } catch ({ rpc }) {
      const why = sentence(rpc?.message).split(/(?<=[.!?]) /)[0]; // the rest is for a model
      throw new Error(why ? `The call was not made. ${short(why)}`
        : "No answer came. Try again, or ask for it in the chat.");
    }
    const problem = problemOf(result), data = dataOf(result, fits);
    if (result.isError || problem) throw Object.assign(new Error(reason(result, problem)), { problem });
    if (!data) throw new Error("The answer cannot be read here. Ask in the chat whether it was done.");
    return data;
  };

  // An element that is busy stays where the focus is, and does nothing.
  const during = async (element, work) => {
    const key = keyOf(element), run = Symbol("run");
    if (busy.has(key)) return;
    busy.set(key, run);
    element.ariaDisabled = "true";
    complain("");
    say("");
    let late = false;
    const end = () => { if (busy.get(key) === run) busy.delete(key); mark(); };
    const timers = [setTimeout(() => say(working), soon), setTimeout(() => {
      late = true;
      end();
      complain("No answer has come yet. See whether you are asked for permission, or try again.");
    }, patience)];
    try {
      await work();
      if (late) complain("");
    } catch (error) { // only what was thrown for the person to read; the engine has classes of its own
      complain(error.constructor === Error ? error.message : "It did not work.");
    } finally {
      timers.forEach(clearTimeout);
      if (document.getElementById("told")?.textContent === working) say("");
      end();
    }
  };
  const keyOf = (element) => element.dataset.key ?? (element.id || element);
  const mark = () => {
    for (const element of document.querySelectorAll("[data-key], button, [aria-disabled]")) {
      element.ariaDisabled = busy.has(keyOf(element)) || element.dataset.off ? "true" : null;
    }
  };
  const put = (id, text) => { const at = document.getElementById(id); if (at) at.textContent = text; };
  const tell = (id, text) => {
    put(id, text);
    if (shown && root.getBoundingClientRect().height > room()) page.redraw?.();
  };
  const say = (text) => tell("told", short(text));
  const complain = (text) => {
    const loading = document.getElementById("loading");
    if (loading) loading.hidden = true;
    if (text) put("told", "");
    tell("problem", text);
  };
  const silent = () => ["told", "problem"].every((id) => !document.getElementById(id)?.textContent);
  const room = () => {
    const given = context.containerDimensions?.height ?? context.containerDimensions?.maxHeight;
    return given > 0 ? Math.min(tallest, given) : tallest;
  };
  const note = (text) => {
    if (!host.updateModelContext) return;
    notes.push(text);
    ask("ui/update-model-context", { content: [{ type: "text", text: notes.join("\n") }] }).catch(() => {});
  };
  const once = (about) => {
    if (!requests.has(about)) {
      const bytes = crypto.getRandomValues(new Uint8Array(12));
      requests.set(about, "widget-" + Array.from(bytes, (b) => b.toString(16).padStart(2, "0")).join(""));
    }
    return requests.get(about);
  };
  const done = (about) => requests.delete(about);

  // A client may name a language or a place that this browser does not know.
  const known = (options, value) => { try { return new Intl.DateTimeFormat(...options), value; } catch { return undefined; } };
  const locale = () => known([context.locale], context.locale);
  const today = () => new Intl.DateTimeFormat("en-CA", { year: "numeric", month: "2-digit", day: "2-digit",
    timeZone: known([undefined, { timeZone: context.timeZone }], context.timeZone) }).format();
  const instant = (date) => {
    const at = new Date(/^\d{4}-\d\d-\d\d$/.test(date) ? date + "T00:00:00Z" : NaN);
    return !Number.isNaN(at.getTime()) && at.toISOString().startsWith(date) ? at : null; // there is no 30 February
  };
  const past = (date) => Boolean(instant(date)) && date < today();
  const day = (date) => {
    const at = instant(date);
    if (!at) return make("bdi", { textContent: date });
    const year = date.slice(0, 4) === today().slice(0, 4) ? undefined : "numeric";
    const format = new Intl.DateTimeFormat(locale(), { timeZone: "UTC", day: "numeric", month: "short", year });
    return make("bdi", { textContent: format.format(at), lang: format.resolvedOptions().locale });
  };
  const make = (tag, members = {}, ...inner) => {
    const element = Object.assign(document.createElement(tag), members);
    element.append(...inner.filter((part) => part !== null && part !== undefined && part !== ""));
    return element;
  };

  /*
   * fill puts rows into the list, as many as there is room for, and returns how many it has left out before the first:
   * the one with the focus stays.
   */
  const fill = (list, rows) => {
    const key = list.contains(document.activeElement) ? document.activeElement.dataset.key : undefined;
    const focused = (within) => key === undefined ? null : within.querySelector(`[data-key="${CSS.escape(key)}"]`);
    let left = 0;
    list.replaceChildren(...rows);
    root.removeAttribute("data-tight");
    for (const form of document.querySelectorAll("[data-tool]")) form.hidden = !can(form.dataset.tool);
    const limit = room() - (silent() ? spare : 0);
    const high = () => root.getBoundingClientRect().height > limit;
    while (list.children.length > 1 && high()) {
      if (focused(list.lastChild)) left++;
      (focused(list.lastChild) ? list.firstChild : list.lastChild).remove();
    }
    root.toggleAttribute("data-tight", high());
    if (key !== undefined) (focused(list) ?? document.querySelector("[data-key], input"))?.focus();
    return left;
  };

  /*
   * list shows items, an array, in the <ul id="rows">, as many as the page has room for, with #turn and its buttons
   * #before and #after to see others, and #count. row(item) returns an <li>; what can have the focus there has a
   * data-key. tool answers with the next page, in the member named items of an answer like data. A form is seen where
   * the tool in its data-tool can be called.
   */
  const list = ({ data, items: name, tool, row, id, nothing }) => {
    const [rows, turn, before, after] = ["rows", "turn", "before", "after"]
      .map((part) => document.getElementById(part));
    const starts = []; // of the pages before
    let items = [...data[name]], cursor = data.next_cursor, total = data.total, at = 0, from = 0, count = 0;

    const drawn = (item) => {
      try { return row(item); } catch { return make("li", { className: "small", textContent: "One that cannot be shown" }); }
    };
    const draw = () => {
      turn.hidden = false; // it takes room too
      from = at + fill(rows, items.slice(at, at + most).map(drawn));
      count = rows.children.length;
      if (!count) rows.append(make("li", { className: "small", textContent: nothing }));
      const earlier = starts.length || from > at;
      const further = from + count < items.length || cursor && can(tool);
      turn.hidden = !earlier && !further;
      before.dataset.off = earlier ? "" : "yes";
      after.dataset.off = further ? "" : "yes";
      mark();
      const all = total >= items.length ? total : cursor ? 0 : items.length;
      const span = count > 1 ? `${from + 1}–${from + count}` : `${from + 1}`;
      put("count", !count ? "" : earlier || further || all > count ? span + (all ? ` of ${all}` : "") : `${count}`);
    };
    const press = (button, work) => {
      button.dataset.key = "turn"; // either of them at a time
      button.onclick = () => button.dataset.off || during(button, async () => {
        await work();
        draw();
        say(`Showing ${document.getElementById("count").textContent}`);
      });
    };
    press(before, () => { if (from === at) at = starts.pop() ?? 0; });
    press(after, async () => {
      // A page of the server may be empty, and what comes after it is not.
      for (let asked = 0; from + count >= items.length && cursor && asked < 3; asked++) {
        const next = await call(tool, { ...input, cursor }, (answer) => Array.isArray(answer[name]));
        const known = new Set(items.map((item) => item?.[id]));
        items.push(...next[name].filter((item) => !known.has(item?.[id])));
        cursor = next.next_cursor;
        total = next.total ?? total;
      }
      if (from + count >= items.length) return;
      if (count) starts.push(at);
      at = from + count;
    });
    let width = root.clientWidth;
    window.onresize = () => { if (root.clientWidth !== width) { width = root.clientWidth; draw(); } };
    draw();
    return {
      draw,
      replace(item) { items = items.map((known) => known?.[id] === item[id] ? { ...known, ...item } : known); draw(); },
      remove(gone) {
        items = items.filter((known) => known?.[id] !== gone);
        if (total > 0) total--;
        if (at >= items.length) at = starts.pop() ?? 0;
        draw();
      },
      // add puts a new one first, where the person sees it.
      add(item) {
        if (!items.some((known) => known?.[id] === item[id])) {
          items.unshift(item);
          if (total >= 0) total++;
        }
        at = 0;
        starts.length = 0;
        draw();
      },
    };
  };

  const follow = (changed) => {
    context = { ...context, ...changed };
    if (changed?.theme) root.style.colorScheme = changed.theme;
    for (const [name, value] of Object.entries(changed?.styles?.variables ?? {})) {
      if (name.startsWith("--") && typeof value === "string") root.style.setProperty(name, value);
    }
    const set = (name) => root.style.getPropertyValue(name) !== "";
    root.toggleAttribute("data-pair", set("--color-text-primary") && set("--color-background-primary"));
    for (const [side, pixels] of Object.entries(changed?.safeAreaInsets ?? {})) {
      if (pixels >= 0 && pixels <= 100) root.style.setProperty(`--inset-${side}`, `${pixels}px`);
    }
  };
  const measure = () => {
    const now = Math.ceil(root.getBoundingClientRect().height);
    if (now === height || !root.clientWidth) return; // a frame without a width breaks every word
    height = now;
    send({ method: "ui/notifications/size-changed", params: { height } });
  };
  const link = () => {
    const button = document.getElementById("link");
    if (!button || !host.openLinks || !facts.link) return;
    button.textContent = facts.link.label;
    button.hidden = false;
    button.addEventListener("click", () => during(button, async () => {
      const answer = await ask("ui/open-link", { url: facts.link.url }).catch(() => ({ isError: true }));
      if (answer.isError) throw new Error(`This app did not open the page. Its address is ${facts.link.url}`);
    }));
  };

  const notified = {
    "ui/notifications/tool-input": (params) => { if (!shown || !input) input = params?.arguments ?? {}; },
    "ui/notifications/tool-result": receive,
    "ui/notifications/tool-cancelled": () => { if (!shown) complain("This was cancelled, so there is nothing to show."); },
    "ui/notifications/host-context-changed": (params) => { follow(params); if (shown) page.redraw?.(); },
  };
  const answers = {
    ping: () => ({}),
    "ui/resource-teardown": () => { watcher?.disconnect(); ended = true; return {}; },
  };
  const heard = (event) => {
    const message = event.data;
    if (event.source !== parent || message?.jsonrpc !== "2.0") return;
    if (message.method === undefined) return settle(message.id, message);
    const known = message.id === undefined ? notified : answers;
    const handle = Object.hasOwn(known, message.method) ? known[message.method] : undefined;
    if (message.id === undefined) handle?.(message.params);
    else if (handle) send({ id: message.id, result: handle() });
    else send({ id: message.id, error: { code: -32601, message: "there is no such method" } });
  };

  // start listens before it says anything: some clients answer at once.
  const start = async (about) => {
    page = about;
    if (parent === window) return;
    addEventListener("message", heard);
    const agreed = await ask("ui/initialize", { protocolVersion: "2026-01-26",
      appInfo: { name: about.name, version: "1.0.0" }, appCapabilities: { availableDisplayModes: ["inline"] } })
      .catch(() => ({}));
    host = agreed.hostCapabilities ?? {};
    follow(agreed.hostContext);
    link();
    send({ method: "ui/notifications/initialized", params: {} });
    watcher = new ResizeObserver(measure);
    watcher.observe(root);
    if (shown) page.redraw?.(); // some clients send the answer before they say what a page may do
  };

  const asked = () => input ?? {};
  return { start, list, can, call, during, say, complain, note, once, done, asked, day, past, locale, make };
})();
