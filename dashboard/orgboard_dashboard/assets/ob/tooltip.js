/* Hover: a table of all runs at the pointer, the nearest first, and one dotted cursor that
   stands at the same place in every card. */
(function (ob) {
  "use strict";

  const MOST_ROWS = 14;
  const AWAY_PX = 14;
  /** A point this far from the pointer is not what it is on: the run ended, or began later. */
  const FAR_PX = 24;

  let tip = null;
  let table = null;

  /** Show the values of `card` at a pointer event. */
  ob.showTip = function showTip(card, event) {
    const scale = ob.scaleOf(card.plot, card.ranges, ob.view);
    const box = card.plot.getBoundingClientRect();
    const px = Math.min(scale.width, Math.max(0, event.clientX - box.left - scale.left));
    const py = event.clientY - box.top - scale.top;
    const lines = card.shownLines();
    const rows = rowsAt(lines, scale, px, py);
    const strange = ob.strangeAt(lines, scale, px);
    const nearestRow = rows.reduce((best, row) => (best && best.apart <= row.apart ? best : row), null);
    ob.moveCursors(nearestRow ? nearestRow.x : scale.xAt(px));
    if (!rows.length && !strange) return hide();
    rows.sort(ORDERS[ob.view.tipOrder]);
    const what = rows[0]?.line.members ? "group" : "run";
    const more = rows.length - MOST_ROWS;
    const columns = what === "group" ? ob.groupColumns(rows) : runColumns(card);
    table ??= new ob.TipTable();
    table.write(columns, rows.slice(0, MOST_ROWS), nearestRow, more > 0 ? `and ${ob.plural(more, `more ${what}`)}` : "");
    tip ??= document.body.appendChild(ob.el("div.ob-tip", { role: "tooltip" }, table.el));
    tip.querySelector(".ob-strange")?.remove();
    if (strange) tip.append(strange);
    ob.ghostAt(card, nearestRow);
    tip.hidden = false;
    place(event);
  };

  document.addEventListener("pointerdown", (event) => {
    if (!event.target.closest?.(".ob-stage")) ob.hideTip();
  });

  ob.hideTip = function hideTip() {
    hide();
    ob.moveCursors(null);
  };

  function hide() {
    if (tip) tip.hidden = true;
  }

  /** Give the row of the line that a pointer is on, or within `reach` pixels of; null else. */
  ob.lineAt = function lineAt(card, event, reach) {
    if (!card.ranges) return null;
    const scale = ob.scaleOf(card.plot, card.ranges, ob.view);
    const box = card.plot.getBoundingClientRect();
    const rows = rowsAt(card.shownLines(), scale, event.clientX - box.left - scale.left, event.clientY - box.top - scale.top);
    return rows.sort(ORDERS.nearest).find(({ apart }) => apart <= reach) ?? null;
  };

  /** The point nearest to the pointer of each line. */
  function rowsAt(lines, scale, px, py) {
    const wanted = scale.xAt(px);
    const rows = [];
    for (const line of lines) {
      if (!line.x.length) continue;
      const i = ob.nearestIn(line.x, wanted);
      const smoothed = ob.smoothLine(line, ob.view)[i];
      const [aside, above] = [scale.x(line.x[i]) - px, scale.y(smoothed) - py].map((by) => (Number.isFinite(by) ? Math.abs(by) : Infinity));
      rows.push({ line, i, x: line.x[i], smoothed, far: aside > FAR_PX, apart: Math.hypot(aside, above), above });
    }
    return rows;
  }

  const ORDERS = {
    nearest: (a, b) => a.apart - b.apart || 0,
    height: (a, b) => a.above - b.above || 0,
    value: (a, b) => b.smoothed - a.smoothed || 0,
    least: (a, b) => a.smoothed - b.smoothed || 0,
    name: (a, b) => a.line.name.localeCompare(b.line.name),
    list: () => 0,
  };

  /** What is said of a run at one of its points. */
  function runColumns(card) {
    const metric = ob.xMetric(ob.view);
    return [
      ["run", ({ line }) => line.name],
      ["value", ({ line, i }) => ob.value(line.y[i])],
      ob.view.smoothing > 0 && ["smoothed", ({ smoothed }) => ob.value(smoothed)],
      ["step", ({ line, i }) => ob.count(line.step[i])],
      ["time", ({ line, i }) => ob.clock(line.wall[i], true)],
      ["relative", ({ line, i }) => sinceStart(card, line, i)],
      metric !== null && ["x", ({ line, i }) => ob.value(line.x[i])],
      card.tag.of?.length && ["tag", ({ line }) => ownTag(line)],
    ].filter(Boolean);
  }

  /** The tag by which a run has logged a metric, and those that do not count. */
  function ownTag({ tag = "", scale = 1, others = [] }) {
    return ob.partWords({ name: tag, scale }) + (others.length ? `, not ${others.join(", ")}` : "");
  }

  /** Since the run's first point here, or its first event; on a time axis, what the axis says. */
  function sinceStart(card, line, i) {
    if (ob.view.xAxis === "relative" || ob.view.xAxis === "active") return ob.span(line.x[i]);
    const started = card.starts.get(line.run) ?? ob.project?.known.get(line.run)?.started;
    return Number.isFinite(started) ? ob.span(Math.max(0, line.wall[i] - started)) : "–";
  }

  function place(event) {
    const { offsetWidth: width, offsetHeight: height } = tip;
    const right = event.clientX + AWAY_PX;
    const x = right + width > innerWidth - 8 ? event.clientX - AWAY_PX - width : right;
    const y = Math.min(event.clientY + AWAY_PX, innerHeight - height - 8);
    tip.style.transform = `translate(${Math.max(8, x)}px, ${Math.max(8, y)}px)`;
  }

  /* Which run the pointer is on, in the panel: its line stands out. */

  const hoverers = new Set();

  ob.hoverRun = function hoverRun(uid) {
    for (const listen of [...hoverers]) listen(uid);
  };

  ob.onRunHover = function onRunHover(listen) {
    hoverers.add(listen);
    return () => hoverers.delete(listen);
  };
})((globalThis.ob = globalThis.ob || {}));
