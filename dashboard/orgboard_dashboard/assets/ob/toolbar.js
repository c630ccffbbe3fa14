/* The quiet row above the cards: tag filter, smoothing, axes, zoom, link. */
(function (ob) {
  "use strict";

  /** Make the toolbar of a page that can smoothAll() and drawAll(). */
  ob.toolbar = function toolbar(page) {
    const smoothing = slider(page);
    const zoom = ob.el("button.ob-pill.ob-zoom", { type: "button", hidden: true, title: "Show everything (Esc, or double click on a chart)", onclick: () => ob.setView({ zoom: null }) });
    const old = ob.el("input", { type: "checkbox", checked: ob.view.superseded, onchange: () => ob.setView({ superseded: old.checked }) });
    const oldLabel = ob.el("label.ob-pill", { title: "Also draw what a restart replaced, as faint branches" }, old, "Attempts");
    const horizontal = xChoice(page);
    const vertical = ob.segmented("Vertical axis", [["lin", "Lin"], ["log", "Log"], ["sym", "Sym"]], ob.view.yAxis, (yAxis) => ob.setView({ yAxis }));
    vertical.lastElementChild.title = "Logarithmic to both sides, linear around 0: below a thousandth of the greatest";
    const outliers = ob.el("button.ob-pill.ob-toggle", {
      type: "button", title: "The vertical range is from the 5th to the 95th percentile of what is drawn, and as much again to each side where points are",
      onclick: () => ob.setView({ outliersClipped: !ob.view.outliersClipped }),
    });
    oldLabel.hidden = true;
    const metrics = byMetricButton();
    return {
      ...ob.toolbarOf("How the charts are drawn", ...smoothing, horizontal.el, vertical, outliers, metrics, ob.settingsButton(), oldLabel, zoom),
      paint() {
        horizontal.paint();
        vertical.paint(ob.view.yAxis);
        const { outliersClipped } = ob.view;
        outliers.textContent = outliersClipped ? "Outliers clipped" : "Outliers shown";
        outliers.setAttribute("aria-pressed", String(outliersClipped));
        metrics.hidden = !(page.tags ?? []).some((tag) => tag.metric || tag.of?.length);
        metrics.setAttribute("aria-pressed", String(ob.byMetric()));
        zoom.hidden = ob.view.zoom === null;
        if (ob.view.zoom) zoom.textContent = `${ob.xStretch(ob.view.zoom, ob.view)} ✕`;
        oldLabel.hidden = !ob.view.superseded && !(ob.project?.shown() ?? []).some((run) => run.attempts > 1);
      },
    };
  };

  /** Whether cards are of the dictionary's metrics in the place of their tags: usually where
      several projects are looked at. */
  ob.byMetric = () => ob.view.byMetric ?? [ob.project?.team, ob.project?.name].includes(ob.ANY);

  const byMetricButton = () => ob.el("button.ob-pill.ob-toggle.ob-bymetric", {
    type: "button", title: "One card for each metric of the dictionary, whatever runs call it, in its unit; or one for each tag, as it was logged",
    hidden: true, onclick: () => ob.setView({ byMetric: !ob.byMetric() }),
  }, "By metric");

  /** Make the row above cards of tags: what each such page has, and `children` between. Gives {el, problem}. */
  ob.toolbarOf = function toolbarOf(label, ...children) {
    const said = ob.el("span.ob-problem", { role: "alert" });
    const filter = ob.tagFilter();
    const copy = ob.el("button.ob-pill", { type: "button", onclick: () => showCopied(copy) }, "Copy link");
    const el = ob.el("div.ob-toolbar", { role: "toolbar", "aria-label": label }, runsButton(), filter, said, ...children, ob.el("span.ob-grow"), copy);
    // On a phone it scrolls sideways, and browsers leave half a button where it is.
    el.addEventListener("focusin", (event) => event.target.scrollIntoView({ block: "nearest", inline: "nearest" }));
    const problem = (words) => {
      said.textContent = words;
      filter.setAttribute("aria-invalid", String(Boolean(words)));
    };
    return { el, problem };
  };

  /** Make the button of the sheet of how charts are drawn. */
  ob.settingsButton = function settingsButton() {
    const button = ob.el("button.ob-pill.ob-square", { type: "button", title: "How charts are drawn", "aria-label": "How charts are drawn", "aria-haspopup": "dialog", onclick: () => ob.openSettings(button) },
      ob.icon("M2.500 5h6M12 5h1.500M2.500 11H4M7.500 11h6M10.250 3.250v3.500M5.750 9.250v3.500"));
    return button;
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
    const range = ob.el("input.ob-slider.ob-smoothing", {
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
      onkeydown: (event) => {
        const by = { ArrowRight: 1, ArrowUp: 1, ArrowLeft: -1, ArrowDown: -1 }[event.key];
        if (!by) return;
        // The slider's own step is so fine that a key would not move it past the rounding.
        event.preventDefault();
        const at = Number(range.value);
        range.value = String(at + by * (at + by * 0.001 > 0.99 ? 0.001 : 0.01));
        range.dispatchEvent(new Event("input"));
      },
    });
    const paintFill = () => range.style.setProperty("--at", `${(Number(range.value) / 0.999) * 100}%`);
    paintFill();
    return [ob.el("label.ob-field", {}, ob.el("span", {}, "Smoothing"), range, number)];
  }

  /** Hundredths, and thousandths near the end, where they matter. */
  function snapped(value) {
    return value > 0.99 ? value : Math.round(value * 100) / 100;
  }

  /** Step, relative, wall, and a button for the rest, which names what it chose. */
  function xChoice(page) {
    const common = [["step", "Step"], ["relative", "Relative"], ["wall", "Wall"]];
    const seg = ob.segmented("Horizontal axis", common, ob.view.xAxis, (xAxis) => ob.setView({ xAxis, zoom: null, selectedRange: null }));
    const more = ob.el("button.ob-more-x", { type: "button", "aria-haspopup": "dialog", "aria-expanded": "false", onclick: () => ob.openXMenu(more, (page.tags ?? []).map((tag) => tag.name)) });
    const el = ob.el("div.ob-seg.ob-seg-more", {}, seg, more);
    const paint = () => {
      seg.paint(ob.view.xAxis);
      const rare = !common.some(([value]) => value === ob.view.xAxis);
      const name = [rare ? ob.xName(ob.view) : "", ob.view.logX ? "log" : ""].filter(Boolean).join(", ");
      more.replaceChildren(ob.el("span.ob-name", {}, name), "▾");
      more.classList.toggle("ob-on", Boolean(name));
      more.setAttribute("aria-label", name ? `Horizontal axis: ${name}` : "More horizontal axes");
    };
    return { el, paint };
  }

  async function showCopied(button) {
    const words = button.textContent;
    button.textContent = await ob.copyLink();
    setTimeout(() => { button.textContent = words; }, 1600);
  }
})((globalThis.ob = globalThis.ob || {}));
