/* From lines to a figure, as Plotly has it: what is drawn for one card. Pure; no element, no request.

   Twin of charts/scalars.py; tests/dashboard/vectors/figures.json keeps them equal. A line
   is {run, name, color, x, y, n, shown, nonfinite, marks}, and of replaced points also
   {superseded, attempt}; a smoothed line stands over its raw one, which is faint. Values that
   are not finite are marks on the card's edge. */
(function (ob) {
  "use strict";

  const RAW_OPACITY = 0.22;
  const REPLACED_OPACITY = 0.45;

  /** Escape a name: Plotly reads its text as a little HTML. */
  ob.plotlyText = (text) => text.replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;");

  /** Make {data, ranges: {x, y, unit}, clipped, title} for `lines` under `view`. `tag` finds the
      range and the unit that somebody gave it. */
  ob.figure = function figure(lines, view, tag = "") {
    const drawn = lines.map((line) => ({ ...line, smoothed: ob.smoothLine(line, view) }));
    const { y, unit, clipped } = ob.yRange(drawn, view, tag);
    const ranges = { x: ob.xRange(drawn, view), y, unit };
    const heights = heightsOn(view, unit);
    const raw = view.smoothing > 0 ? drawn.filter((line) => line.y.length > 1) : [];
    const data = [
      ...raw.map((line) => trace(line, heights(line.y), { opacity: RAW_OPACITY, width: 1, part: "raw" })),
      ...drawn.map((line) => trace(line, heights(line.smoothed), { opacity: 1, width: 1.6, part: "line" })),
      ...drawn.filter((line) => line.marks.length).map((line) => marks(line, ranges.y, view)),
    ];
    return { data, ranges, clipped, title: ob.plotlyText(ob.unitOf(tag)) };
  };

  /** What a figure has as values: Plotly knows every axis but symlog. */
  function heightsOn(view, unit) {
    if (view.yAxis !== "sym") return (values) => values;
    const level = ob.levelOf("sym", unit);
    return (values) => Float64Array.from(values, level);
  }

  function trace(line, y, { opacity, width, part }) {
    const ink = ob.ink(line.color);
    const made = {
      type: "scatter", uid: ob.traceId(line, part), name: ob.plotlyText(line.name),
      x: line.x, y, mode: line.y.length === 1 ? "markers" : "lines",
      opacity: line.superseded ? opacity * REPLACED_OPACITY : opacity,
      line: { color: ink.color, width, dash: ink.dash }, hoverinfo: "skip",
    };
    if (made.mode === "markers") made.marker = { color: ink.color, size: 5 };
    return made;
  }

  /** Name a trace so that it is the same one when it is drawn again. It becomes a class. */
  ob.traceId = (line, part) => `${line.run}_${line.superseded ? line.attempt : line.part ?? ""}_${part}`;

  /** NaN and −infinity lie on the lower edge, +infinity on the upper. */
  function marks(line, [low, high], view) {
    const level = (power) => (view.yAxis === "log" ? 10 ** power : power);
    const up = line.marks.map((mark) => mark.value === "Infinity");
    return {
      type: "scatter", uid: ob.traceId(line, "marks"), name: ob.plotlyText(line.name), mode: "markers",
      x: line.marks.map((mark) => mark.x), y: up.map((is) => level(is ? high : low)),
      marker: {
        color: ob.ink(line.color).color, size: 7, opacity: 1,
        symbol: line.marks.map((mark) => SYMBOLS[mark.value]),
      },
      cliponaxis: false, hoverinfo: "skip",
    };
  }

  const SYMBOLS = { NaN: "x", Infinity: "triangle-up", "-Infinity": "triangle-down" };
})((globalThis.ob = globalThis.ob || {}));
