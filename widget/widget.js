"use strict";
// The page's side of MCP Apps (2026-01-26): JSON-RPC by messages to the client whose frame this is. What people wrote
// becomes text and never HTML; nothing is loaded and nothing kept.
//
//	guestpass.start({ name, fits, draw })  connects; draw(data) is called once, with the first answer that fits(data)
//	guestpass.list({ … })                  shows rows page by page, see there
//	guestpass.can(tool)                    whether a tool can be called from here
//	guestpass.call(tool, args)             its structured answer; an Error whose message is for the person, and which
//	                                       has what the server said in .problem
//	guestpass.during(element, work)        runs work unless it runs already, and shows why it failed
//	guestpass.say(text), .complain(text)   what a screen reader says: what came about, or what went wrong
//	guestpass.note(text)                   tells the model what was done here
//	guestpass.once(text)                   a request_id for a call: the same one until done(text)
//	guestpass.day(date), .today()          a date, YYYY-MM-DD, as the client writes it; the date of today
//	guestpass.locale()                     the client's language for Intl; undefined for the browser's
//	guestpass.make(tag, members, …inner)   an element; members are its properties
const guestpass = (() => {
  const patience = 60_000; // milliseconds for one answer
  const tallest = 500; // pixels that clients want a page within a conversation to have at most
  const spare = 35; // of them for what comes about
  const most = 6; // rows at a time
  const parsed = (text) => { try { return JSON.parse(text); } catch { return null; } };
  const facts = { tools: [], link: null, ...parsed(document.getElementById("guestpass")?.textContent) };
  const root = document.documentElement;
  const waiting = new Map(); // what is done with the answer, by the id of the request
  const notes = []; // what the model was told, as each telling takes the place of the one before
  const requests = new Map(); // ids of calls that were not answered yet, by what they are about
  let lastId = 0, host = {}, context = {}, page, shown = false, input = {}, height = 0, watcher;

  const send = (message) => parent.postMessage({ jsonrpc: "2.0", ...message }, "*");
  const ask = (method, params) => new Promise((resolve, reject) => {
    const id = ++lastId;
    const timer = setTimeout(() => settle(id, { error: {} }), patience);
    waiting.set(id, { resolve, reject, timer });
    send({ id, method, params });
  });
  const settle = (id, { result, error }) => {
    const asked = waiting.get(id);
    if (!asked) return;
    waiting.delete(id);
    clearTimeout(asked.timer);
    if (result) asked.resolve(result); else asked.reject(Object.assign(new Error("no result"), { rpc: error }));
  };

  // The first answer that fits counts: those of later calls reach this page too, and do not say what they are.
  const dataOf = (result) => {
    const structured = result?.structuredContent;
    if (structured && typeof structured === "object") return structured;
    const read = (Array.isArray(result?.content) ? result.content : []).map((part) => parsed(part?.text));
    return read.find((data) => data && typeof data === "object") ?? null;
  };
  const receive = (result) => {
    if (shown) return;
    const data = dataOf(result);
    if (!result?.isError && data && page.fits(data)) {
      document.getElementById("loading")?.remove();
      complain("");
      shown = true;
      page.draw(data);
    } else if (result?.isError) {
      complain(reason(result, data?.error));
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
    const details = (problem.errors ?? []).map((e) => sentence(`${e.location ?? ""} ${e.message ?? ""}`.trim()));
    return details.join(" ") || sentence(problem.message) || "It did not work.";
  };
  const sentence = (text) => text && text[0].toUpperCase() + text.slice(1) + (/[.!?…]$/.test(text) ? "" : ".");

  const can = (tool) => Boolean(host.serverTools) && facts.tools.includes(tool);
  const call = async (tool, args) => {
    let result;
    try {
      result = await ask("tools/call", { name: tool, arguments: args });
    } catch ({ rpc }) {
      const why = rpc?.message && String(rpc.message).slice(0, 300).split(/(?<=[.!?]) /)[0]; // the rest is for a model
      throw new Error(why ? `The call was not made. ${sentence(why)}`
        : "No answer came. Try again, or ask for it in the chat.");
    }
    const data = dataOf(result);
    if (result.isError || !data) {
      throw Object.assign(new Error(reason(result, data?.error)), { problem: data?.error });
    }
    return data;
  };

  // An element that is busy stays where the focus is, and does nothing.
  const during = async (element, work) => {
    if (element.ariaDisabled === "true") return;
    element.ariaDisabled = "true";
    complain("");
    say("");
    try {
      await work();
    } catch (error) {
      complain(error.message);
    } finally {
      element.ariaDisabled = null;
    }
  };
  const put = (id, text) => { const at = document.getElementById(id); if (at) at.textContent = text; };
  const tell = (id, text) => { put(id, text); if (shown && root.getBoundingClientRect().height > tallest) page.redraw?.(); };
  const say = (text) => tell("told", text);
  const complain = (text) => tell("problem", text);
  const silent = () => ["told", "problem"].every((id) => !document.getElementById(id)?.textContent);
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
  const day = (date) => {
    const at = new Date(date + "T00:00:00Z");
    if (Number.isNaN(at.getTime())) return date;
    const year = date.slice(0, 4) === today().slice(0, 4) ? undefined : "numeric";
    return new Intl.DateTimeFormat(locale(), { timeZone: "UTC", day: "numeric", month: "short", year }).format(at);
  };
  const make = (tag, members = {}, ...inner) => {
    const element = Object.assign(document.createElement(tag), members);
    element.append(...inner.filter((part) => part !== null && part !== undefined && part !== ""));
    return element;
  };

  /*
   * list shows items, an array, in the <ul id="rows">, as many as the page has room for, with #turn and its buttons
   * #before and #after to see others, and #count. row(item) returns an <li>; what can have the focus there has a
   * data-key. tool answers with the next page, in the member named items of an answer like data.
   */
  const list = ({ data, items: name, tool, row, id, nothing }) => {
    const rows = document.getElementById("rows"), turn = document.getElementById("turn");
    const [before, after] = [document.getElementById("before"), document.getElementById("after")];
    const starts = []; // of the pages before
    let items = [...data[name]], cursor = data.next_cursor, total = data.total, at = 0, count = 0;

    const draw = () => {
      const focus = document.activeElement?.dataset?.key;
      rows.replaceChildren(...items.slice(at, at + most).map(row));
      turn.hidden = false; // it takes room too
      const limit = Math.min(tallest, context.containerDimensions?.maxHeight ?? tallest) - (silent() ? spare : 0);
      while (rows.children.length > 1 && root.getBoundingClientRect().height > limit) rows.lastChild.remove();
      count = rows.children.length;
      if (!count) rows.append(make("li", { className: "small", textContent: nothing }));
      const further = at + count < items.length || cursor && can(tool);
      turn.hidden = !starts.length && !further;
      enable(before, starts.length > 0);
      enable(after, further);
      const all = total >= items.length ? total : cursor ? 0 : items.length;
      const span = count > 1 ? `${at + 1}–${at + count}` : `${at + 1}`;
      put("count", !count ? "" : starts.length || further || all > count ? span + (all ? ` of ${all}` : "") : `${count}`);
      if (focus) rows.querySelector(`[data-key="${CSS.escape(focus)}"]`)?.focus();
    };
    const enable = (button, possible) => { button.dataset.off = possible ? "" : "yes"; button.ariaDisabled = possible ? null : "true"; };
    const press = (button, work) => button.addEventListener("click", async () => {
      if (button.dataset.off) return;
      await during(button, work);
      draw();
      if (!document.getElementById("problem").textContent) say(`Showing ${document.getElementById("count").textContent}`);
    });
    press(before, () => { at = starts.pop(); });
    press(after, async () => {
      // A page of the server may be empty, and what comes after it is not.
      for (let asked = 0; at + count >= items.length && cursor && asked < 3; asked++) {
        const next = await call(tool, { ...input, cursor });
        const known = new Set(items.map((item) => item[id]));
        items.push(...next[name].filter((item) => !known.has(item[id])));
        cursor = next.next_cursor;
        total = next.total ?? total;
      }
      if (at + count >= items.length) return;
      if (count) starts.push(at);
      at += count;
    });
    let width = root.clientWidth;
    addEventListener("resize", () => { if (root.clientWidth !== width) { width = root.clientWidth; draw(); } });
    draw();
    return {
      draw,
      replace(item) { items = items.map((known) => known[id] === item[id] ? { ...known, ...item } : known); draw(); },
      // add puts a new one first, where the person sees it.
      add(item) {
        if (!items.some((known) => known[id] === item[id])) {
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
    for (const [side, pixels] of Object.entries(changed?.safeAreaInsets ?? {})) {
      if (Number.isFinite(pixels)) root.style.setProperty(`--inset-${side}`, `${pixels}px`);
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
    "ui/notifications/tool-input": (params) => { input = params?.arguments ?? {}; },
    "ui/notifications/tool-result": receive,
    "ui/notifications/tool-cancelled": () => { if (!shown) complain("This was cancelled, so there is nothing to show."); },
    "ui/notifications/host-context-changed": (params) => { follow(params); if (shown) page.redraw?.(); },
  };
  const asked = {
    ping: () => ({}),
    "ui/resource-teardown": () => { watcher?.disconnect(); return {}; },
  };
  const heard = (event) => {
    const message = event.data;
    if (event.source !== parent || message?.jsonrpc !== "2.0") return;
    if (message.method === undefined) settle(message.id, message);
    else if (message.id === undefined) notified[message.method]?.(message.params);
    else if (Object.hasOwn(asked, message.method)) send({ id: message.id, result: asked[message.method]() });
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
  };

  return { start, list, can, call, during, say, complain, note, once, done, day, today, locale, make };
})();
