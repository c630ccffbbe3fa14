/* The keyboard: a handful of keys, and the sheet that lists them. */
(function (ob) {
  "use strict";

  const KEYS = [
    ["/", "filter tags, or runs where there are none"],
    ["r", "filter runs by a query"],
    ["s", "smoothing"],
    ["j  k", "the next card, the one before"],
    ["f", "the card fills the screen, or gives it back; a graph fits its place"],
    ["Ctrl K", "search runs, tags, pages, actions"],
    ["g", "then a letter: go to a page (r runs, s scalars, d histograms, c compare, t text, i images, h settings, n graphs)"],
    ["[  ]", "the page before, the page after"],
    ["v", "saved views"],
    ["t", "light or dark"],
    ["p", "fold or unfold the run panel"],
    ["u", "take the last change back, while it is said"],
    ["Space", "on a run's box, show it or not"],
    ["Shift Space", "the same, for all runs from the box before to this one"],
    ["↑  ↓  Enter", "in a menu or a list, choose"],
    ["←  →", "from mark to mark below a chart; a slider, a little"],
    ["↑  ↓  ←  →  Enter", "in a graph: the next node that way; open or close it; Esc goes to the scope around"],
    ["Ctrl Enter", "store the note or the comment that is being written"],
    ["@", "in a comment, name somebody who may see it"],
    ["Esc", "leave a field, close, leave full screen, reset the zoom"],
    ["?", "this list"],
  ];

  const ACTIONS = {
    "/": () => focus(document.querySelector(".ob-tagfilter") ? ".ob-tagfilter" : ".ob-panel .ob-query"),
    s: () => document.querySelector(".ob-smoothing")?.focus(),
    j: () => turnCard(1),
    k: () => turnCard(-1),
    f: () => ob.fitGraph?.() || fullScreen(),
    g: () => { going = Date.now(); },
    r: () => focus(".ob-panel .ob-query"),
    "[": () => ob.turnPage(-1),
    "]": () => ob.turnPage(1),
    v: () => document.querySelector("#ob-views button")?.click(),
    t: () => document.querySelector(".ob-theme")?.click(),
    p: () => ob.togglePanel(),
    u: () => document.querySelector("#ob-toast button")?.click(),
    "?": () => ob.showKeys(),
  };

  /** The pages behind "g", by the end of their address. */
  const PAGES = { r: "/runs", s: "/scalars", d: "/histograms", c: "/compare", t: "/text", i: "/images", h: "/hparams", n: "/graphs" };
  const GOING_MS = 1500;
  let going = 0;

  document.addEventListener("keydown", (event) => {
    if ((event.ctrlKey || event.metaKey) && !event.altKey && !event.shiftKey && event.key.toLowerCase() === "k") {
      event.preventDefault();
      return ob.openCommands();
    }
    if (event.metaKey || event.ctrlKey || event.altKey || event.isComposing) return;
    if (event.key === "Escape") return event.defaultPrevented ? undefined : escape(event);
    if (event.target.closest?.("input:not([type=checkbox]):not([type=range]), textarea, select, [contenteditable]")) return;
    if (document.querySelector("dialog[open], .ob-pop:popover-open")) return;
    const act = goes(event.key) ?? ACTIONS[event.key];
    if (!act) return;
    event.preventDefault();
    act();
  });

  /** What a letter after "g" does. */
  function goes(key) {
    const soon = Date.now() - going < GOING_MS;
    going = 0;
    const page = soon ? PAGES[key] : undefined;
    return page && (() => [...document.querySelectorAll("#ob-tabs a")].find((link) => link.pathname.endsWith(page))?.click());
  }

  /** Focus the next card, from the one that has the focus or the first on the screen. */
  function turnCard(by) {
    const cards = [...document.querySelectorAll(".ob-out .ob-card")].filter((card) => card.offsetParent !== null || card.classList.contains("ob-full"));
    const here = cards.indexOf(document.activeElement?.closest(".ob-card"));
    const seen = cards.findIndex((card) => card.getBoundingClientRect().bottom > 100);
    const next = here < 0 ? cards[Math.max(0, seen)] : cards[here + by];
    next?.focus({ preventScroll: true });
    next?.scrollIntoView({ block: "nearest" });
  }

  /** The card that has the focus, or the pointer on it, fills the screen; or gives it back. */
  function fullScreen() {
    if (ob.leaveFull()) return;
    const card = document.activeElement?.closest(".ob-card") ?? document.querySelector(".ob-card:hover");
    card?.card?.fullButton?.click();
  }

  function escape() {
    // The browser closes these, and nothing else at the same key.
    if (document.querySelector(".ob-pop:popover-open, .ob-commands")) return;
    const sheet = document.getElementById("ob-keys");
    if (sheet) return sheet.close();
    if (document.body.classList.contains("ob-sheet")) return ob.togglePanel();
    if (document.activeElement?.matches("input")) return document.activeElement.blur();
    if (ob.leaveFull()) return;
    if (ob.view.zoom) ob.setView({ zoom: null });
  }

  function focus(selector) {
    if (selector.startsWith(".ob-panel") && getComputedStyle(document.getElementById("ob-panel")).visibility === "hidden") ob.togglePanel();
    const field = document.querySelector(selector);
    field?.focus();
    field?.select?.();
  }

  /** Fold the run panel, or on a phone raise it as a sheet. */
  ob.togglePanel = function togglePanel() {
    const phone = matchMedia("(max-width: 760px)").matches;
    document.body.classList.toggle(phone ? "ob-sheet" : "ob-folded");
    window.dispatchEvent(new Event("resize"));
  };

  ob.showKeys = function showKeys() {
    if (document.getElementById("ob-keys")) return;
    const rows = KEYS.map(([key, words]) => ob.el("div", {}, ob.el("kbd", {}, key), ob.el("span", {}, words)));
    const sheet = ob.el("dialog.ob-dialog", { id: "ob-keys", "aria-label": "Keyboard", onclose: () => sheet.remove() },
      ob.el("h2", {}, "Keyboard"), ...rows,
      ob.el("p", {}, "On a chart: drag to zoom, double click to reset; Shift and drag moves along, Alt and the wheel zooms; a drag along the axis selects a stretch for the table of values. Zoom fetches finer data."));
    sheet.addEventListener("click", (event) => event.target === sheet && sheet.close());
    document.body.append(sheet);
    sheet.showModal();
  };

  document.addEventListener("click", (event) => {
    if (event.target.closest?.("#ob-help")) ob.showKeys();
    if (event.target.closest?.("#ob-runs-button")) ob.togglePanel();
  });
})((globalThis.ob = globalThis.ob || {}));
