/* The controls of the page of settings, and the tooltip of a run on it. */
(function (ob) {
  "use strict";

  const MOST_LISTED = 150;
  const VALUES = ["last", "min", "max", "best"];
  const FIELDS = ["duration", "last_step", "points", "attempts", "gaps", "user", "host"];

  /** Make the toolbar: {el, paint(), targetField(), scatterFields()}. */
  ob.settingsBar = function settingsBar(page) {
    const axes = ob.el("button.ob-pill", { type: "button", "aria-haspopup": "dialog", "aria-expanded": "false", disabled: true, onclick: () => openAxes(page, axes) }, "Axes ▾");
    const which = ob.segmented("Runs that are drawn", [["all", "All that match"], ["shown", "Shown"]], ob.view.settings.shown ? "shown" : "all", (value) => page.set({ shown: value === "shown" }));
    const colour = ob.el("span.ob-colour");
    const show = ob.el("button.ob-pill.ob-main", { type: "button", onclick: () => page.showBrushed() });
    const write = ob.el("button.ob-pill", { type: "button", title: "What is brushed becomes the filter of the run panel", onclick: () => page.writeQuery() }, "Write as query");
    const clear = ob.el("button.ob-quiet", { type: "button", onclick: () => page.set({ brushes: [] }) }, "Clear brushes");
    const brushed = ob.el("span.ob-brushed", { hidden: true }, show, write, clear);
    const el = ob.el("div.ob-toolbar", { role: "toolbar", "aria-label": "Settings" }, ob.runsButton(), which, axes, colour, ob.el("span.ob-grow"), brushed);
    const paint = () => {
      axes.disabled = false;
      which.paint(ob.view.settings.shown ? "shown" : "all");
      ob.keepFocus(colour, () => colour.replaceChildren(colourField(page)));
      brushed.hidden = !page.brushes?.length;
      show.disabled = !page.left;
      const most = ob.MOST_SHOWN;
      show.textContent = page.left > most ? `Show only the first ${most} of these ${ob.count(page.left)}` : `Show only ${page.left === 1 ? "this run" : `these ${ob.count(page.left)} runs`}`;
    };
    return { el, paint, targetField: () => targetField(page), scatterFields: () => scatterFields(page) };
  };

  function labelled(label, select) {
    return ob.el("label.ob-field", {}, ob.el("span", {}, label), select);
  }

  const option = (key) => [key, ob.columnTitle(key)];

  function colourField(page) {
    const keys = [...new Set([...page.axes.map(({ key }) => key), page.data?.target, page.colour].filter((key) => key && key !== "run"))];
    return labelled("Colour", ob.select("Colour by", [["run", "each run's own"], ...keys.map(option)], page.colour ?? "run", (colour) => page.set({ colour })));
  }

  /** Choose the metric: those that most runs have, each by its best value or its last one. */
  function targetField(page) {
    const { metrics, target } = page.data;
    const keys = metrics.slice(0, MOST_LISTED).map(([name, better]) => `${better ? "best" : "last"}:${name}`);
    const all = [...new Set([...(target ? [target] : []), ...page.axes.map(({ key }) => key).filter((key) => VALUES.includes(ob.columnOf(key).source)), ...keys])];
    return ob.select("Metric", all.map(option), target, (key) => page.set({ target: key }));
  }

  /** A matrix, or one plot of two axes. */
  function scatterFields(page) {
    if (page.axes.length < 2) return [];
    const keys = page.axes.map(({ key }) => key);
    const pair = page.pair ?? [keys[0], keys.includes(page.data.target) && page.data.target !== keys[0] ? page.data.target : keys.at(-1)];
    const seg = ob.segmented("Plots", [["matrix", "Matrix"], ["one", "One"]], page.pair ? "one" : "matrix", (value) => page.set({ pair: value === "one" ? pair : null }));
    if (!page.pair) return [seg];
    const choices = [...new Set([...keys, ...pair])].map(option);
    return [seg, ob.select("Across", choices, pair[0], (key) => page.set({ pair: [key, pair[1]] })), ob.select("Upwards", choices, pair[1], (key) => page.set({ pair: [pair[0], key] }))];
  }

  /** The sheet of axes: what differs first, then metrics, then what every run has. */
  function openAxes(page, button) {
    const list = ob.el("div.ob-axes-list");
    const find = ob.el("input.ob-input", { type: "search", placeholder: "Find a setting or metric", "aria-label": "Find a setting or metric", spellcheck: "false", oninput: () => fill() });
    const fill = () => {
      const wanted = find.value.toLowerCase();
      const finds = (text) => text.toLowerCase().includes(wanted);
      const settings = page.data.settings.filter(([name]) => finds(name)).sort((a, b) => Number(b[1] > 1) - Number(a[1] > 1));
      const metrics = page.data.metrics.filter(([name]) => finds(name));
      list.replaceChildren(
        ...group("Settings", settings, ([name, values]) => box(page, `hp:${name}`, name, values > 1 ? `${ob.count(values)} values` : "all alike")),
        ...group("Metrics", metrics, ([name, better]) => metricRow(page, name, better)),
        ...group("Every run", FIELDS.filter((key) => finds(ob.columnTitle(key))), (key) => box(page, key, ob.columnTitle(key), "")));
    };
    fill();
    ob.openMenu(button, "Axes", find, list, ob.el("div.ob-axes-foot", {}, ob.el("button.ob-quiet", { type: "button", onclick: () => { ob.closeMenu(); page.set({ axes: null, brushes: [] }); } }, "The usual axes")));
  }

  function group(title, all, row) {
    const more = all.length - MOST_LISTED;
    return all.length ? [ob.menuHead(title), ...all.slice(0, MOST_LISTED).map(row), ...(more > 0 ? [ob.el("p.ob-mute", {}, `${ob.count(more)} more: type to find them.`)] : [])] : [];
  }

  const isAxis = (page, key) => page.axes.some((axis) => axis.key === key);

  function box(page, key, title, words) {
    const input = ob.el("input", { type: "checkbox", checked: isAxis(page, key), onchange: () => page.toggleAxis(key) });
    return ob.el("label.ob-axes-row", {}, input, ob.el("span.ob-mono.ob-name", { title }, title), ob.el("span.ob-mute", {}, words));
  }

  function metricRow(page, name, better) {
    const values = VALUES.filter((value) => value !== "best" || better).map((value) => {
      const key = `${value}:${name}`;
      const button = ob.el("button", { type: "button", "aria-label": `${value} of ${name}`, onclick: () => { page.toggleAxis(key); paint(); } }, value);
      const paint = () => {
        button.classList.toggle("ob-on", isAxis(page, key) || (ob.view.settings.axes ?? []).some((axis) => axis.key === key));
        button.setAttribute("aria-pressed", String(button.classList.contains("ob-on")));
      };
      paint();
      return button;
    });
    return ob.el("div.ob-axes-row", {}, ob.el("span.ob-mono.ob-name", { title: name }, name), ob.el("span.ob-seg", {}, ...values));
  }

  const AWAY_PX = 14;
  let tip = null;

  /** Show what a run has on the axes, beside the pointer; without a page hide it. */
  ob.runTip = function runTip(page, run, event) {
    if (!page) {
      if (tip) tip.hidden = true;
      return;
    }
    tip ??= document.body.appendChild(ob.el("div.ob-tip.ob-run-tip", { role: "tooltip" }));
    const swatch = ob.el("span.ob-swatch", { "aria-hidden": "true" });
    swatch.style.setProperty("--ink", page.colours[run]);
    const rows = page.axes.map(({ key }) => ob.el("tr", {}, ob.el("td"), ob.el("td.ob-name.ob-mono", {}, ob.columnTitle(key)), ob.el("td", {}, valueText(page.columns.get(key), run))));
    tip.replaceChildren(ob.el("table", {}, ob.el("tbody", {}, ob.el("tr.ob-near", {}, ob.el("td", {}, swatch), ob.el("td.ob-name", { colspan: "2" }, page.data.names[run])), ...rows)));
    tip.hidden = false;
    const { offsetWidth: width, offsetHeight: height } = tip;
    const right = event.clientX + AWAY_PX;
    const x = right + width > innerWidth - 8 ? event.clientX - AWAY_PX - width : right;
    tip.style.transform = `translate(${Math.max(8, x)}px, ${Math.max(8, Math.min(event.clientY + AWAY_PX, innerHeight - height - 8))}px)`;
  };

  function valueText(column, run) {
    if (column.place[run] === ob.NONE) return "none";
    if (column.place[run] === ob.ODD) return "not finite";
    if (column.kind === "category") return column.categories[column.held[run]] ?? "another value";
    return ob.hparam(column.held[run]);
  }
})((globalThis.ob = globalThis.ob || {}));
