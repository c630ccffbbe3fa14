/* The keyboard: a handful of keys, and the sheet that lists them. */
(function (ob) {
  "use strict";

  const KEYS = [
    ["/", "filter tags, or runs where there are none"],
    ["r", "filter runs by a query"],
    ["[  ]", "the page before, the page after"],
    ["t", "light or dark"],
    ["p", "fold or unfold the run panel"],
    ["u", "take the last change back, while it is said"],
    ["Esc", "leave a field, reset the zoom, close this"],
    ["?", "this list"],
  ];

  const ACTIONS = {
    "/": () => focus(document.querySelector(".ob-tagfilter") ? ".ob-tagfilter" : ".ob-panel .ob-query"),
    r: () => focus(".ob-panel .ob-query"),
    "[": () => ob.turnPage(-1),
    "]": () => ob.turnPage(1),
    t: () => document.querySelector(".ob-theme")?.click(),
    p: () => ob.togglePanel(),
    u: () => document.querySelector("#ob-toast button")?.click(),
    "?": () => ob.showKeys(),
  };

  document.addEventListener("keydown", (event) => {
    if (event.metaKey || event.ctrlKey || event.altKey || event.isComposing) return;
    if (event.key === "Escape") return event.defaultPrevented ? undefined : escape(event);
    if (event.target.closest?.("input:not([type=checkbox]):not([type=range]), textarea, select, [contenteditable]")) return;
    const act = ACTIONS[event.key];
    if (!act) return;
    event.preventDefault();
    act();
  });

  function escape() {
    const sheet = document.getElementById("ob-keys");
    if (sheet) return sheet.close();
    if (document.body.classList.contains("ob-sheet")) return ob.togglePanel();
    if (document.activeElement?.matches("input")) return document.activeElement.blur();
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
      ob.el("p", {}, "On a chart: drag to zoom, double click to reset. Zoom fetches finer data."));
    sheet.addEventListener("click", (event) => event.target === sheet && sheet.close());
    document.body.append(sheet);
    sheet.showModal();
  };

  document.addEventListener("click", (event) => {
    if (event.target.closest?.("#ob-help")) ob.showKeys();
    if (event.target.closest?.("#ob-runs-button")) ob.togglePanel();
  });
})((globalThis.ob = globalThis.ob || {}));
