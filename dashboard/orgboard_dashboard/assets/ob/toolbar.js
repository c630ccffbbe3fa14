/* The quiet row above the cards: tag filter, smoothing, axes, zoom, link. */
(function (ob) {
  "use strict";

  /** Make the toolbar of a page that can smoothAll() and drawAll(). */
  ob.toolbar = function toolbar(page) {
    const problem = ob.el("span.ob-problem", { role: "alert" });
    const filter = ob.tagFilter();
    const smoothing = slider(page);
    const zoom = ob.el("button.ob-pill", { type: "button", hidden: true, title: "Show everything (Esc, or double click on a chart)", onclick: () => ob.setView({ zoom: null }) });
    const old = ob.el("input", { type: "checkbox", checked: ob.view.superseded, onchange: () => ob.setView({ superseded: old.checked }) });
    const oldLabel = ob.el("label.ob-pill", { title: "Also draw what a restart replaced, as faint branches" }, old, "Attempts");
    const copy = ob.el("button.ob-pill", { type: "button", onclick: () => copyLink(copy) }, "Copy link");
    const el = ob.el("div.ob-toolbar", { role: "toolbar", "aria-label": "How the charts are drawn" },
      runsButton(), filter, problem, ...smoothing,
      ob.segmented("Horizontal axis", [["step", "Step"], ["relative", "Relative"], ["wall", "Wall"]], ob.view.xAxis, (xAxis) => ob.setView({ xAxis, zoom: null })),
      ob.segmented("Vertical axis", [["lin", "Lin"], ["log", "Log"]], ob.view.yAxis, (yAxis) => ob.setView({ yAxis })),
      oldLabel, zoom, ob.el("span.ob-grow"), copy);
    oldLabel.hidden = true;
    return {
      el,
      problem(words) {
        problem.textContent = words;
        filter.setAttribute("aria-invalid", String(Boolean(words)));
      },
      paint() {
        zoom.hidden = ob.view.zoom === null;
        if (ob.view.zoom) zoom.textContent = `${zoomWords()} ✕`;
        oldLabel.hidden = !ob.view.superseded && !(ob.project?.shown() ?? []).some((run) => run.attempts > 1);
      },
    };
  };

  /** The field that filters tags; pages share it. */
  ob.tagFilter = function tagFilter() {
    const filter = ob.el("input.ob-input.ob-tagfilter", {
      type: "search", placeholder: "Filter tags  /", value: ob.view.tagFilter, spellcheck: "false",
      "aria-label": "Filter tags, a regular expression",
      oninput: ob.settled(120, () => ob.setView({ tagFilter: filter.value })),
    });
    return filter;
  };

  /** Compile a filter: {matches(name), problem}. An invalid one matches everything. */
  ob.tagMatcher = function tagMatcher(source) {
    try {
      const pattern = new RegExp(source, "u");
      return { matches: (name) => pattern.test(name), problem: "" };
    } catch (error) {
      const why = error.message.replace(/^Invalid regular expression: /, "").replace(/^\/.*\/[a-z]*: /s, "");
      return { matches: () => true, problem: `Not a regular expression: ${why.toLowerCase()}` };
    }
  };

  /** On a phone, what opens the run panel. */
  const runsButton = (ob.runsButton = () => ob.el("button.ob-pill.ob-phone", { type: "button", onclick: () => ob.togglePanel() }, "Runs"));

  function slider(page) {
    const shown = (value) => value.toFixed(value > 0.99 ? 3 : 2);
    const number = ob.el("output.ob-mono", {}, shown(ob.view.smoothing));
    const range = ob.el("input.ob-slider", {
      type: "range", min: "0", max: "0.999", step: "0.001", value: ob.view.smoothing, "aria-label": "Smoothing",
      oninput: () => {
        const had = ob.view.smoothing > 0;
        const smoothing = snapped(Number(range.value));
        number.textContent = shown(smoothing);
        paintFill();
        ob.setView({ smoothing });
        if (had !== smoothing > 0) return page.drawAll();
        page.smoothAll();
      },
      onchange: () => page.drawAll(),
    });
    const paintFill = () => range.style.setProperty("--at", `${(Number(range.value) / 0.999) * 100}%`);
    paintFill();
    return [ob.el("label.ob-field", {}, ob.el("span", {}, "Smoothing"), range, number)];
  }

  /** Hundredths, and thousandths near the end, where they matter. */
  function snapped(value) {
    return value > 0.99 ? value : Math.round(value * 100) / 100;
  }

  function zoomWords() {
    const [low, high] = ob.view.zoom;
    if (ob.view.xAxis === "step") return `steps ${ob.count(low)} to ${ob.count(high)}`;
    if (ob.view.xAxis === "relative") return `${ob.span(low)} to ${ob.span(high)}`;
    return `${ob.clock(low, true)} to ${ob.clock(high, true)}`;
  }

  async function copyLink(button) {
    const words = button.textContent;
    const address = location.origin + location.pathname + ob.viewQuery({ selected: ob.project?.shown().map((run) => run.uid) ?? null });
    const done = await navigator.clipboard.writeText(address).then(() => true, () => false);
    button.textContent = done ? "Copied" : "Copy it from the address bar";
    setTimeout(() => { button.textContent = words; }, 1600);
  }
})((globalThis.ob = globalThis.ob || {}));
