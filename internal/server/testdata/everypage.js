// What every page must be on every screen, asked from outside. Each function returns what is wrong, as a list of words.
globalThis.everyPage ??= (() => {
  const named = (e) => e.outerHTML.replace(/\s+/g, " ").slice(0, 140);
  const shown = (e) => e.checkVisibility({ visibilityProperty: true, opacityProperty: true });
  const clipped = (e) => getComputedStyle(e).clipPath !== "none" || e.offsetWidth === 1; // for screen readers alone
  const unseen = (e) => !shown(e) || ancestors(e).some(clipped);
  const ancestors = (e) => { const list = []; for (; e && e !== document.body; e = e.parentElement) list.push(e); return list; };
  const controls = "a[href], button, input:not([type=hidden]), select, textarea, summary, [tabindex]:not([tabindex='-1'])";
  const usable = () => [...document.querySelectorAll(controls)].filter((e) => !unseen(e) && !e.disabled && !e.closest("[inert]"));

  // written are the boxes of what is written on the page, line by line.
  function written() {
    const found = [], range = document.createRange();
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    for (let node; (node = walker.nextNode()); ) {
      const e = node.parentElement;
      if (!node.data.trim() || e.closest("script, style, noscript, option, textarea") || unseen(e)) continue;
      range.selectNodeContents(node);
      for (const r of range.getClientRects()) if (r.width > 1 && r.height > 4) found.push({ e, r });
    }
    return found;
  }

  function layout() {
    const faults = [], root = document.documentElement;
    if (root.scrollWidth > innerWidth) faults.push("scrolls sideways: the page is " + root.scrollWidth + " pixels wide on " + innerWidth);
    const lines = written();
    for (const { e, r } of lines) {
      for (const a of ancestors(e)) {
        const box = a.getBoundingClientRect(), style = getComputedStyle(a);
        if (/auto|scroll/.test(style.overflowX)) break; // is looked at by itself
        const cuts = /hidden|clip/.test(style.overflowX + style.overflowY);
        if ((cuts || a.matches("main, .card")) && (r.right > box.right + 1 || r.left < box.left - 1))
          faults.push("sticks out of " + a.tagName + "." + a.className + ": " + named(e));
        if (cuts && r.top + r.height / 2 > box.bottom) faults.push("cut off: " + named(e));
      }
    }
    for (const e of document.querySelectorAll("body *")) {
      if (/auto|scroll/.test(getComputedStyle(e).overflowX) && e.scrollWidth > e.clientWidth + 1 && !e.matches("pre, textarea") && !unseen(e))
        faults.push("scrolls sideways: " + named(e));
    }
    for (const e of usable()) {
      const r = e.getBoundingClientRect();
      if (r.right > innerWidth + 1 || r.left < -1) faults.push("off the screen: " + named(e));
    }
    return [...new Set([...faults, ...overlaps(lines)])];
  }

  // overlaps are texts and controls that lie on each other, by the middle of what is written.
  function overlaps(lines) {
    const boxes = lines.map(({ e, r }) => ({ e, left: r.left + 1, right: r.right - 1, top: r.top + r.height * 0.25, bottom: r.bottom - r.height * 0.25 }));
    for (const e of document.querySelectorAll("button, input, select, textarea, img")) {
      if (unseen(e)) continue;
      const r = e.getBoundingClientRect();
      boxes.push({ e, left: r.left + 1, right: r.right - 1, top: r.top + 1, bottom: r.bottom - 1 });
    }
    boxes.sort((a, b) => a.top - b.top);
    const faults = [];
    for (let i = 0; i < boxes.length; i++) {
      for (let j = i + 1; j < boxes.length && boxes[j].top < boxes[i].bottom; j++) {
        const a = boxes[i], b = boxes[j];
        if (a.left >= b.right || b.left >= a.right || a.e.contains(b.e) || b.e.contains(a.e)) continue;
        faults.push("overlaps " + named(b.e) + ": " + named(a.e));
      }
    }
    return faults;
  }

  // What a control looks like, with what stands around it: a field may be drawn by its neighbours.
  function look(e) {
    const around = [e, e.parentElement, ...[...e.parentElement.querySelectorAll("*")].slice(0, 60)];
    return JSON.stringify(around.map((x) => {
      const s = getComputedStyle(x);
      return [s.outlineStyle, s.outlineWidth, s.boxShadow, s.borderColor, s.borderWidth, s.backgroundColor];
    }));
  }

  let wanted, before, reached, told = false;
  // walk begins to note what has the focus, and returns how many controls there are.
  function walk() {
    const at = document.activeElement; // from where Tab goes on
    at?.blur();
    wanted = usable().filter((e) => e.type !== "radio" || e.checked || !document.querySelector(`input[name="${e.name}"]:checked`));
    before = new Map(wanted.map((e) => [e, look(e)]));
    reached = new Map();
    if (!told) addEventListener("focusin", ({ target: e }) => {
      const s = getComputedStyle(e);
      const ring = s.outlineStyle !== "none" && parseFloat(s.outlineWidth) >= 2;
      reached.set(e, ring || (!!e.closest("[id=login], [id=consent]") && look(e) !== before.get(e)));
    });
    told = true;
    if (wanted.includes(at)) at.focus();
    return wanted.length;
  }
  const walked = () => wanted.filter((e) => reached.get(e) !== true).map((e) =>
    (reached.has(e) ? "the focus is not seen on " : "not reached by Tab: ") + named(e));

  // Where the reader's colours take the place of ours, an edge or a line says what can be pressed.
  function forced() {
    return usable().filter((e) => e.matches("button, input, select, textarea, a.button")).filter((e) => {
      const s = getComputedStyle(e);
      const edge = s.borderTopStyle !== "none" && parseFloat(s.borderTopWidth) > 0;
      return !edge && !s.textDecorationLine.includes("underline") && !e.parentElement.matches("[data-input-otp-container] *");
    }).map((e) => "no edge in forced colours: " + named(e));
  }

  const moving = () => document.getAnimations().filter((a) => a.effect.getComputedTiming().activeDuration > 50).map((a) =>
    "moves: " + named(a.effect.target));
  const settled = () => document.getAnimations().every((a) => a.effect.getComputedTiming().iterations === Infinity || a.playState !== "running");

  function head() {
    const faults = [], one = (selector, what) => {
      const n = document.querySelectorAll(selector).length;
      if (n !== 1) faults.push(n + " of " + what);
    };
    one("main h1", "h1"), one("body > main, [role=main]", "main"), one("body > header", "header");
    if (!document.documentElement.lang) faults.push("no lang");
    if (!document.title.trim()) faults.push("no title");
    return faults;
  }
  return { layout, walk, walked, forced, moving, settled, head };
})();
