/* The sheets of the toolbar: what x is, and how charts look. Everything goes to the address. */
(function (ob) {
  "use strict";

  const WIDTHS = { least: 240, most: 1400, usual: 320 };
  const HEIGHTS = { least: 120, most: 700, usual: 190 };

  /** Open the choices of the horizontal axis. `tags` are names that x may follow. */
  ob.openXMenu = function openXMenu(button, tags) {
    const set = (xAxis) => ob.setView({ xAxis, zoom: null, selectedRange: null });
    const metric = ob.el("input.ob-input.ob-mono", {
      type: "text", list: "ob-metric-tags", value: ob.xMetric(ob.view) ?? "", placeholder: "tag", spellcheck: "false",
      "aria-label": "Metric on the horizontal axis",
      onchange: () => metric.value && set(`m:${metric.value}`),
    });
    const log = ob.el("input", { type: "checkbox", checked: ob.view.logX, onchange: () => ob.setView({ logX: log.checked, zoom: null }) });
    ob.openMenu(button, "Horizontal axis", ob.el("div", { role: "radiogroup", "aria-label": "Horizontal axis" },
      ...ob.X_AXES.map(([value, label, words]) => ob.menuChoice(label, words, ob.view.xAxis === value, () => set(value)))),
    ob.menuField("A metric", metric, ob.el("datalist", { id: "ob-metric-tags" }, ...tags.slice(0, 500).map((value) => ob.el("option", { value })))),
    ob.el("p.ob-mute", {}, "x is the run's value of that tag at the same step. Points are joined in the order of x."),
    ob.el("label.ob-pop-check", {}, log, "Logarithmic; what is not above 0 is left out"));
  };

  /** Open how charts are drawn. */
  ob.openSettings = function openSettings(button) {
    const kinds = ob.SMOOTHINGS.map(([value, label]) => [value, label]);
    const said = ob.el("p.ob-mute", {}, wordsOf(ob.view.smoothingKind));
    const smoothing = ob.select("Smoothing method", kinds, ob.view.smoothingKind, (smoothingKind) => {
      said.textContent = wordsOf(smoothingKind);
      ob.setView({ smoothingKind });
    });
    const tip = ob.select("Order of the tooltip", [["nearest", "nearest first"], ["height", "nearest in height first"], ["value", "greatest first"], ["least", "least first"], ["name", "by name"], ["list", "as in the run panel"]], ob.view.tipOrder, (tipOrder) => ob.setView({ tipOrder }));
    ob.openMenu(button, "How charts are drawn",
      ob.menuField("Smoothing", smoothing), said,
      ob.menuField("Tooltip", tip),
      ob.menuHead("Vertical range of all cards"),
      ob.rangeFields("Vertical range of all cards", ob.view.yRange, (yRange) => ob.setView({ yRange })),
      ob.menuHead("Size of cards"),
      ...sizes());
  };

  function wordsOf(kind) {
    return ob.SMOOTHINGS.find(([value]) => value === kind)[2] + ".";
  }

  function sizes() {
    const slider = (label, { least, most, usual }, value, onset) => {
      const range = ob.el("input.ob-slider", {
        type: "range", min: String(least), max: String(most), step: "10", value: String(value ?? usual), "aria-label": label,
        oninput: () => { paint(); onset(Number(range.value)); },
      });
      const paint = () => range.style.setProperty("--at", `${((Number(range.value) - least) / (most - least)) * 100}%`);
      paint();
      return range;
    };
    const width = slider("Width of cards", WIDTHS, ob.view.cardWidth, (cardWidth) => ob.setView({ cardWidth }));
    const height = slider("Height of charts", HEIGHTS, ob.view.cardHeight, (cardHeight) => ob.setView({ cardHeight, cardWidth: ob.view.cardWidth ?? WIDTHS.usual }));
    const usual = ob.el("button.ob-quiet", { type: "button", onclick: () => { ob.closeMenu(); ob.setView({ cardWidth: null, cardHeight: null }); } }, "as the screen suggests");
    return [ob.menuField("Width", width), ob.menuField("Height", height), usual];
  }

  /** Let the cards of a page have the size that the view says. */
  ob.sizeCards = function sizeCards(place) {
    const { cardWidth, cardHeight } = ob.view;
    place.style.setProperty("--ob-card-width", `${cardWidth ?? WIDTHS.usual}px`);
    place.style.setProperty("--ob-plot-height", `${cardHeight ?? HEIGHTS.usual}px`);
  };
})((globalThis.ob = globalThis.ob || {}));
