/* What the command palette can do on the scalars page. */
(function (ob) {
  "use strict";

  const Y_AXES = [["lin", "Linear"], ["log", "Logarithmic"], ["sym", "Symlog"]];

  /** Give the actions for a page that has these cards, and what fetches for them. */
  ob.scalarActions = function scalarActions(cards, fetcher) {
    const { view, setView } = ob;
    const tags = cards.filter((card) => card.isTag).map((card) => card.tag);
    const now = (on) => (on ? "on" : "off");
    return [
      { label: "Clip outliers", words: now(view.outliersClipped), act: () => setView({ outliersClipped: !view.outliersClipped }) },
      ...Y_AXES.map(([yAxis, label]) => ({ label: `${label} vertical axis`, act: () => setView({ yAxis }) })),
      ...ob.X_AXES.map(([xAxis, label]) => ({ label: `${label} on the horizontal axis`, act: () => setView({ xAxis, zoom: null, selectedRange: null }) })),
      { label: "Logarithmic horizontal axis", words: now(view.logX), act: () => setView({ logX: !view.logX, zoom: null }) },
      { label: "Reset the zoom", words: "Esc", act: () => setView({ zoom: null }) },
      { label: "Save all points of this page as CSV", act: () => ob.savePoints(tags, "csv") },
      { label: "Save all points of this page as JSON", act: () => ob.savePoints(tags, "jsonl") },
      { label: "Save the charts of this page as PNG", act: () => ob.savePage(cards, fetcher, "png") },
      { label: "Save the charts of this page as SVG", act: () => ob.savePage(cards, fetcher, "svg") },
    ];
  };
})((globalThis.ob = globalThis.ob || {}));
