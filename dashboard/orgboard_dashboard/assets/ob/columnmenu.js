/* The menu of columns: what is shown, in which order, what stays in sight; and all there is. */
(function (ob) {
  "use strict";

  const MOST = 150;
  const VALUES = ["last", "min", "max", "best", "spark"];
  /** Of the last histogram; the others stand in a row of their own. */
  const STATISTICS = ["mean", "std", "min", "max"];

  let menu = null;

  /** Make the button that opens the menu. */
  ob.columnsButton = function columnsButton(project) {
    const button = ob.el("button.ob-pill.ob-columns-button", { type: "button", "aria-haspopup": "dialog", "aria-expanded": "false", onclick: () => (menu ? close() : open(project, button)) }, "Columns ▾");
    return button;
  };

  function open(project, button) {
    const search = ob.el("input.ob-input", { type: "search", placeholder: "Find a column", "aria-label": "Find a column", spellcheck: "false", oninput: () => paint() });
    const el = ob.el("div.ob-menu", { role: "dialog", "aria-label": "Columns" }, search, ob.el("div.ob-menu-body"));
    menu = { project, button, search, el, words: null, moments: null, off: ob.onView((changed) => changed.has("columns") && paint()) };
    document.body.append(el);
    place(button, el);
    button.setAttribute("aria-expanded", "true");
    document.addEventListener("pointerdown", outside, true);
    document.addEventListener("keydown", escape, true);
    search.focus();
    paint();
    fill(menu);
  }

  async function fill(mine) {
    mine.words = await ob.vocabulary(mine.project).catch(() => null);
    if (menu === mine) paint();
  }

  function place(button, el) {
    const { left, bottom } = button.getBoundingClientRect();
    el.style.left = `${Math.max(8, Math.min(left, innerWidth - el.offsetWidth - 8))}px`;
    el.style.top = `${bottom + 4}px`;
    el.style.maxHeight = `${Math.max(160, innerHeight - bottom - 12)}px`;
  }

  function escape(event) {
    if (event.key !== "Escape") return;
    const { button } = menu;
    event.stopPropagation();
    close();
    button.focus();
  }

  function outside(event) {
    if (!menu.el.contains(event.target) && !menu.button.contains(event.target)) close();
  }

  function close() {
    if (!menu) return;
    menu.off();
    menu.el.remove();
    menu.button.setAttribute("aria-expanded", "false");
    document.removeEventListener("pointerdown", outside, true);
    document.removeEventListener("keydown", escape, true);
    menu = null;
  }

  ob.closeColumns = close;

  function paint() {
    const body = menu.el.querySelector(".ob-menu-body");
    const wanted = menu.search.value.toLowerCase();
    const finds = (text) => text.toLowerCase().includes(wanted);
    const at = body.scrollTop;
    const focused = body.contains(document.activeElement) ? document.activeElement.dataset.focus : null;
    body.replaceChildren(
      ...section("Shown", ob.columns().filter(({ key }) => finds(ob.columnTitle(key))).map(shownRow)),
      ...section("Every run", ob.columnFields().filter(([key, title]) => key !== "name" && finds(title)).map(([key, title]) => fieldRow(key, title))),
      ...limited("Hyperparameters", (menu.words?.hparams ?? []).filter(({ name }) => finds(name)), ({ name }) => fieldRow(`hp:${name}`, name, true)),
      ...limited("Metrics of the dictionary", named().filter(({ name }) => finds(name)), metricRow),
      ...limited("Metrics", (menu.words?.metrics ?? []).filter(({ name }) => finds(name)), metricRow),
      ...limited("Histograms", (menu.words?.histograms ?? []).filter(({ name }) => finds(name)), histogramRow),
      ob.el("div.ob-menu-foot", {}, ob.el("button.ob-quiet", { type: "button", "data-focus": "usual", disabled: ob.view.columns === null, onclick: () => ob.setView({ columns: null }) }, "The usual columns")),
    );
    body.scrollTop = at;
    if (!focused) return;
    const again = body.querySelector(`[data-focus="${CSS.escape(focused)}"]`);
    (again && !again.disabled ? again : menu.search).focus({ preventScroll: true });
  }

  /** The metrics of the dictionary, called as in columns. */
  const named = () => (menu.words?.named_metrics ?? []).map((one) => ({ ...one, name: ob.METRIC + one.name }));

  function section(title, rows) {
    return rows.length ? [ob.el("h3", {}, title), ...rows] : [];
  }

  function limited(title, all, row) {
    const more = all.length - MOST;
    return section(title, [...all.slice(0, MOST).flatMap(row), ...(more > 0 ? [ob.el("p", {}, `${ob.count(more)} more: type to find them.`)] : [])]);
  }

  const isShown = (key) => ob.columns().some((column) => column.key === key);

  function shownRow(column) {
    const { key, pinned } = column;
    const title = ob.columnTitle(key);
    const small = (what, path, on, act, extra = {}) => ob.el("button.ob-icon", { type: "button", "data-focus": `${what} ${key}`, "aria-label": `${what} ${title}`, title: what, disabled: !on, onclick: act, ...extra }, ob.icon(path));
    const all = ob.columns();
    const i = all.findIndex((one) => one.key === key);
    return ob.el("div.ob-menu-row", {},
      ob.el("span.ob-name", { title }, title),
      small("Move up", "M4 10l4-4 4 4", i > 0, () => move(key, -1)),
      small("Move down", "M4 6l4 4 4-4", i < all.length - 1, () => move(key, 1)),
      small("Pin", "M8 9v5M5 9h6l-1-3V3H6v3z", true, () => ob.setColumns((list) => list.map((one) => (one.key === key ? { ...one, pinned: !pinned } : one))), { "aria-pressed": String(pinned) }),
      small("Hide", "M4 4l8 8M12 4l-8 8", key !== "name", () => ob.toggleColumn(key)));
  }

  function move(key, by) {
    ob.setColumns((list) => {
      const i = list.findIndex((one) => one.key === key);
      const [column] = list.splice(i, 1);
      list.splice(i + by, 0, column);
      return list;
    });
  }

  function fieldRow(key, title, mono = false) {
    const box = ob.el("input", { type: "checkbox", checked: isShown(key), "data-focus": key, onchange: () => ob.toggleColumn(key) });
    return ob.el("label.ob-menu-row", {}, box, ob.el(mono ? "span.ob-name.ob-mono" : "span.ob-name", { title }, title));
  }

  function metricRow({ name, best }) {
    const values = VALUES.filter((value) => value !== "best" || best).map((value) => {
      const key = `${value}:${name}`;
      const on = isShown(key);
      return ob.el(on ? "button.ob-on" : "button", { type: "button", "data-focus": key, "aria-pressed": String(on), "aria-label": `${value === "spark" ? "curve" : value} of ${name}`, onclick: () => ob.toggleColumn(key) }, value === "spark" ? "curve" : value);
    });
    const row = ob.el("div.ob-menu-row", {}, ob.el("span.ob-name.ob-mono", { title: name }, name), ob.el("span.ob-seg", {}, ...values, momentsButton(name)));
    return menu.moments === name ? [row, momentsRow(name)] : [row];
  }

  function histogramRow({ name }) {
    const buttons = (some) => ob.el("span.ob-seg", {}, ...some.map((of) => {
      const key = `hist:${name}:${of}`;
      const on = isShown(key);
      return ob.el(on ? "button.ob-on" : "button", { type: "button", "data-focus": key, "aria-pressed": String(on), "aria-label": `${of} of the last histogram of ${name}`, onclick: () => ob.toggleColumn(key) }, of);
    }));
    const seg = buttons(STATISTICS);
    seg.append(moreButton(`hist:${name}`, `more of the last histogram of ${name}`, "Percentiles, and how many values"));
    const row = ob.el("div.ob-menu-row", {}, ob.el("span.ob-name.ob-mono", { title: name }, name), seg);
    const others = menu.words.statistics.filter((of) => !STATISTICS.includes(of));
    return menu.moments === `hist:${name}` ? [row, ob.el("div.ob-menu-row.ob-menu-moments", {}, buttons(others))] : [row];
  }

  /** What a metric was at some moment has a number, which has a row of its own to be written in. */
  const momentsButton = (name) => moreButton(name, `mean or step of ${name}`, "The mean of its last points, or its value at a step");

  function moreButton(of, label, title) {
    const open = menu.moments === of;
    const onclick = () => {
      menu.moments = open ? null : of;
      paint();
    };
    return ob.el("button", { type: "button", "data-focus": `moments ${of}`, "aria-expanded": String(open), "aria-label": label, title, onclick }, "…");
  }

  function momentsRow(name) {
    const field = (what, label, least, value) => {
      const box = ob.el("input.ob-input.ob-number", { type: "number", step: "1", min: least, value, "data-focus": `${what} ${name}`, "aria-label": `${label} of ${name}`, onkeydown: (event) => event.key === "Enter" && add() });
      const add = () => box.reportValidity() && box.value && !isShown(`${what}${box.valueAsNumber}:${name}`) && ob.toggleColumn(`${what}${box.valueAsNumber}:${name}`);
      return ob.el("label", {}, ob.el("span.ob-mute", {}, label), box, ob.el("button.ob-quiet", { type: "button", "aria-label": `Add ${label} of ${name}`, onclick: add }, "add"));
    };
    return ob.el("div.ob-menu-row.ob-menu-moments", {}, field("mean", "mean of last", "1", "10"), field("at", "at step", "", ""));
  }
})((globalThis.ob = globalThis.ob || {}));
