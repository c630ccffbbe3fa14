/* What the lines of a card without a page are at the pointer: the nearest first, and where that is. */
(function (ob) {
  "use strict";

  const MOST_ROWS = 8;
  const AWAY_PX = 14;
  const EDGE_PX = 8;

  /** Tell on a card what is under the pointer, or under a finger until it touches elsewhere. */
  ob.embedTip = function embedTip(card) {
    const stage = card.plot.parentElement;
    const tip = ob.el("div.ob-tip", { hidden: true, "aria-hidden": "true" });
    const show = (event) => tell(card, tip, event);
    stage.append(tip);
    stage.addEventListener("pointermove", show);
    stage.addEventListener("pointerdown", show);
    stage.addEventListener("pointerleave", (event) => { tip.hidden = event.pointerType !== "touch"; });
    return tip;
  };

  function tell(card, tip, { clientX, clientY }) {
    const rows = card.ranges ? rowsAt(card, clientX, clientY) : [];
    tip.hidden = !rows.length;
    if (tip.hidden) return;
    const more = card.lines.length - rows.length;
    tip.replaceChildren(ob.el("table", {},
      ob.el("thead", {}, ob.el("tr", {}, ob.el("th"), ob.el("th", {}, `${ob.xName(card.view).toLowerCase()} ${ob.xText(rows[0].x, card.view)}`), ob.el("th", {}, ob.unitOf(card.tag) || "value"))),
      ob.el("tbody", {}, ...rows.map((row, i) => ob.el(i ? "tr" : "tr.ob-near", {}, ob.el("td", {}, ob.lineKey(row.line)), ob.el("td.ob-name", {}, row.line.name), ob.el("td", {}, ob.value(row.y)))),
        more > 0 ? ob.el("tr", {}, ob.el("td"), ob.el("td.ob-mute", {}, `and ${ob.count(more)} more`)) : null)));
    const { offsetWidth: width, offsetHeight: height } = tip;
    const right = clientX + AWAY_PX;
    const x = right + width > innerWidth - EDGE_PX ? clientX - AWAY_PX - width : right;
    const y = Math.min(clientY + AWAY_PX, innerHeight - height - EDGE_PX);
    tip.style.transform = `translate(${Math.max(EDGE_PX, x)}px, ${Math.max(0, y)}px)`;
  }

  /** The point nearest to the pointer of each line; as it was logged, and found as it is drawn. */
  function rowsAt({ plot, ranges, view, lines }, clientX, clientY) {
    const box = plot.getBoundingClientRect();
    const scale = ob.scaleOf(plot, ranges, view);
    const [px, py] = [clientX - box.left - scale.left, clientY - box.top - scale.top];
    const rows = lines.filter((line) => line.x.length).map((line) => {
      const i = ob.nearestIn(line.x, scale.xAt(px));
      const apart = [scale.x(line.x[i]) - px, scale.y(ob.smoothLine(line, view)[i]) - py];
      return { line, x: line.x[i], y: line.y[i], apart: apart.every(Number.isFinite) ? Math.hypot(...apart) : Infinity };
    });
    return rows.sort((a, b) => a.apart - b.apart || 0).slice(0, MOST_ROWS);
  }
})((globalThis.ob = globalThis.ob || {}));
