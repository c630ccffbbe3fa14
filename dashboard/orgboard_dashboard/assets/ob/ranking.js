/* Which settings go with a metric: the server's ranked list, as bars with words. */
(function (ob) {
  "use strict";

  const FEW = 8;
  const METHOD = "Ranks of the metric are compared with ranks of a number (Spearman), or with groups: five of equally many values, or the values of a text (epsilon squared, its root). 0: nothing beyond chance; 1: the setting alone orders the runs. Pale: too few runs, or no more than chance often gives. What goes together need not be the cause, and settings that were changed together share what they get.";

  /** Make the list for an answer of the server; `all` says whether it is unfolded. */
  ob.rankingList = function rankingList(page) {
    const { data } = page;
    if (!data.target) return [ob.el("p.ob-mute", {}, "These runs have logged no scalars yet: there is nothing to hold settings against.")];
    if (!data.ranked.length) return [ob.el("p.ob-mute", {}, data.settings.length ? "No setting differs between runs that have this metric." : "These runs have logged no settings.")];
    const listed = page.unfolded ? data.ranked : data.ranked.slice(0, FEW);
    const rest = data.ranked.length - listed.length;
    const more = rest > 0 ? ob.el("button.ob-quiet", { type: "button", onclick: () => page.unfold() }, `Show ${ob.plural(rest, "more setting")}`) : null;
    const alike = data.alike ? `${ob.plural(data.alike, "setting")} ${data.alike === 1 ? "is" : "are"} the same in all of these runs. ` : "";
    const metric = ob.columnTitle(data.target);
    return [ob.el("ol.ob-ranking", { "aria-label": `Settings that go with ${metric}` }, ...listed.map((one) => row(page, one, metric))),
      more, ob.el("p.ob-mute.ob-method", {}, alike, METHOD)].filter(Boolean);
  };

  function row(page, one, metric) {
    const key = `hp:${one.name}`;
    const on = page.axes.some((axis) => axis.key === key);
    const sign = { up: "+", down: "−", bent: "∩", values: "" }[one.way];
    const bar = ob.el(`span.ob-rankbar.ob-way-${one.way}`, { "aria-hidden": "true" }, ob.el("span", { style: { width: `${Math.round(one.strength * 100)}%` } }));
    return ob.el(one.sure ? "li" : "li.ob-unsure", {},
      ob.el("button.ob-rankname.ob-mono", { type: "button", "aria-pressed": String(on), title: on ? "Take its axis away" : "Show it as an axis", onclick: () => page.toggleAxis(key) }, ob.el("span.ob-name", {}, one.name)),
      bar, ob.el("span.ob-ranknumber", {}, `${sign}${one.strength.toFixed(2)}`),
      ob.el("span.ob-rankwords", {}, words(one, metric, page.data.better)));
  }

  /** Say it: "higher lr goes with lower val/loss, over 48 runs". */
  function words({ name, way, n, sure, best, most, strength }, metric, better) {
    const over = `over ${ob.plural(n, "run")}${sure ? "" : n < FEW ? ": too few to tell" : ": may be chance"}`;
    if (strength < 0.005) return `nothing to see, ${over}`;
    if (way === "up") return `higher ${name} goes with higher ${metric}, ${over}`;
    if (way === "down") return `higher ${name} goes with lower ${metric}, ${over}`;
    const good = better === "max" ? [most, "highest"] : [best, "lowest"];
    return `${metric} is ${good[1]} at ${name} = ${good[0]}, ${over}`;
  }
})((globalThis.ob = globalThis.ob || {}));
