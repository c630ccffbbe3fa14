/* From lines to a figure: what Plotly is given for one card. Pure; no element, no request.

   Twin of charts/scalars.py; tests/dashboard/vectors/figures.json keeps them equal. A line
   is {run, name, color, x, y, n, shown, nonfinite, marks}, and of replaced points also
   {superseded, attempt}; a smoothed line stands over its raw one, which is faint. Values that
   are not finite are marks on the card's edge. */
(function (ob) {
  "use strict";

  const RAW_OPACITY = 0.22;
  const REPLACED_OPACITY = 0.45;
  /** Part of the axis left free above and below the lines. */
  const PADDING = 0.06;

  /** Escape a name: Plotly reads its text as a little HTML. */
  ob.plotlyText = (text) => text.replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;");

  /** Make {data, ranges: {x, y}} for `lines` under `view` {smoothing, yAxis, zoom}. */
  ob.figure = function figure(lines, view) {
    const drawn = lines.map((line) => ({ ...line, smoothed: ob.smooth(line.y, view.smoothing) }));
    const ranges = { x: xRange(drawn, view), y: yRange(drawn, view) };
    const raw = view.smoothing > 0 ? drawn.filter((line) => line.y.length > 1) : [];
    const data = [
      ...raw.map((line) => trace(line, line.y, { opacity: RAW_OPACITY, width: 1, part: "raw" })),
      ...drawn.map((line) => trace(line, line.smoothed, { opacity: 1, width: 1.6, part: "line" })),
      ...drawn.filter((line) => line.marks.length).map((line) => marks(line, ranges.y, view)),
    ];
    return { data, ranges };
  };

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

  /** Name a trace so that it is the same one when it is drawn again. Plotly makes it a class. */
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

  function xRange(lines, view) {
    if (view.zoom) return view.zoom;
    let [low, high] = [Infinity, -Infinity];
    for (const line of lines) {
      for (const x of line.x) [low, high] = [Math.min(low, x), Math.max(high, x)];
      for (const { x } of line.marks) if (x !== null) [low, high] = [Math.min(low, x), Math.max(high, x)];
    }
    if (low > high) return [0, 1];
    return low === high ? [low - 1, high + 1] : [low, high];
  }

  /** In powers of ten when the axis is logarithmic. Only what is drawn counts. */
  function yRange(lines, view) {
    const log = view.yAxis === "log";
    let [low, high] = [Infinity, -Infinity];
    for (const line of lines) {
      for (const column of view.smoothing > 0 ? [line.y, line.smoothed] : [line.y]) {
        for (let i = 0; i < column.length; i += 1) {
          const y = column[i];
          if (!Number.isFinite(y) || (log && y <= 0) || outside(line.x[i], view.zoom)) continue;
          [low, high] = [Math.min(low, y), Math.max(high, y)];
        }
      }
    }
    if (low > high) return [0, 1];
    if (log) [low, high] = [Math.log10(low), Math.log10(high)];
    const room = low === high ? Math.abs(low) * 0.1 || 1 : (high - low) * PADDING;
    return [low - room, high + room];
  }

  function outside(x, zoom) {
    return zoom !== null && (x < zoom[0] || x > zoom[1]);
  }
})((globalThis.ob = globalThis.ob || {}));
