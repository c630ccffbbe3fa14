/* Put a figure on the screen, and move its lines while the smoothing is dragged.

   Margins and ranges are always given, so a place on the card and a value are one formula
   apart (`ob.scaleOf`): tooltip, cursor and smoothing need nothing of what is drawn. */
(function (ob) {
  "use strict";

  const MARGIN = { l: 46, r: 8, t: 8, b: 20 };
  const MOVE_MS = 120;
  /** Where the words of ticks stand: their distance from the axis, and from their tick's height. */
  const BELOW_PX = 11;
  const BESIDE_PX = 1;
  const DOWN_PX = 3.5;
  /** Of the unit, from the upper end of the axis. */
  const UNIT_PX = [4, 8];

  /** Draw {data, ranges, unit} into `plot`. `was` are the ranges on the screen, from which it slides.
      As one of Plotly's, a plot tells what is drawn: `data` and `layout`. */
  ob.draw = function draw(plot, { data, ranges, unit }, view, was) {
    if (!plot.clientWidth) return;
    const fresh = !plot.drawnSize;
    const size = { width: plot.clientWidth, height: plot.clientHeight };
    const layout = { xaxis: ob.xAxisOf(ranges, view, size.width), yaxis: ob.yAxisOf(ranges, view, size.height) };
    Object.assign(plot, { drawnSize: size, data, layout });
    // On a symlog axis a figure's values are levels already.
    const scale = ob.scaleOf(plot, ranges, view.yAxis === "sym" ? { ...view, yAxis: "lin" } : view);
    const within = data.filter((trace) => trace.cliponaxis !== false);
    const beyond = data.filter((trace) => trace.cliponaxis === false);
    plot.replaceChildren(ob.svg("svg", { ...size, "aria-hidden": "true" },
      ...axes(layout, scale, unit),
      ob.canvas(scale, {}, layer(within, scale)),
      ob.canvas(scale, { overflow: "visible" }, layer(beyond, scale))));
    if (!fresh && was) slide(plot.querySelector(".scatterlayer"), was, ranges);
  };

  function layer(traces, scale) {
    return ob.svg("g", { class: "scatterlayer" }, ...traces.map((trace) => ob.curve(trace, scale)));
  }

  function axes({ xaxis, yaxis }, { left, top, width, height, x, y }, unit) {
    const places = xaxis.tickvals.map((value) => left + x(value));
    const heights = yaxis.tickvals.map((value) => top + y(value));
    return [
      ob.svg("path", { class: "ob-gridlines", d: heights.map((at) => `M${left},${at}h${width}`).join("") }),
      ob.svg("g", { class: "xtick" }, ...places.map((at, i) => ob.svg("text", { x: at, y: top + height + BELOW_PX }, xaxis.ticktext[i]))),
      ob.svg("g", { class: "ytick" }, ...heights.map((at, i) => ob.svg("text", { x: left - BESIDE_PX, y: at + DOWN_PX }, yaxis.ticktext[i]))),
      // In the corner, where lines seldom are: beside the axis there is no room for a word.
      unit && ob.svg("text", { class: "ob-unit", x: left + UNIT_PX[0], y: top + UNIT_PX[1] }, unit),
    ].filter(Boolean);
  }

  /** Take what is drawn away. */
  ob.undraw = function undraw(plot) {
    Object.assign(plot, { drawnSize: null, data: null, layout: null });
    plot.replaceChildren();
  };

  /** Range, type and ticks of the horizontal axis. */
  ob.xAxisOf = function xAxisOf({ x }, view, width) {
    const about = width > 520 ? 8 : 4;
    if (!view.logX) return { range: x, type: "linear", ...ob.ticks(...x, view.xAxis, about) };
    const { tickvals, ticktext } = ob.ticks(...x, "log", about);
    const isTime = view.xAxis === "relative" || view.xAxis === "active";
    return { range: x, type: "log", tickvals, ticktext: isTime ? tickvals.map(ob.span) : ticktext };
  };

  /** Range, type and ticks of the vertical axis. */
  ob.yAxisOf = function yAxisOf({ y, unit }, view, height) {
    const about = height > 280 ? 8 : 5;
    if (view.yAxis === "sym") return { range: y, type: "linear", ...ob.symTicks(...y, unit, about) };
    const log = view.yAxis === "log";
    return { range: y, type: log ? "log" : "linear", ...ob.ticks(...y, log ? "log" : "value", about) };
  };

  /** Give the formula between values and pixels of a drawn card. `y` is of the value itself. */
  ob.scaleOf = function scaleOf(plot, ranges, view) {
    // As it was drawn: to measure it would lay the page out again, at each move of the pointer.
    const size = plot.drawnSize ?? { width: plot.clientWidth, height: plot.clientHeight };
    const width = size.width - MARGIN.l - MARGIN.r;
    const height = size.height - MARGIN.t - MARGIN.b;
    const [x0, x1] = ranges.x;
    const [y0, y1] = ranges.y;
    const level = ob.levelOf(view.yAxis, ranges.unit);
    const [xLevel, xValue] = [ob.levelOf(ob.xKind(view)), ob.valueOf(ob.xKind(view))];
    return {
      left: MARGIN.l, top: MARGIN.t, width, height,
      x: (value) => ((xLevel(value) - x0) / (x1 - x0)) * width,
      y: (value) => height - ((level(value) - y0) / (y1 - y0)) * height,
      xAt: (px) => xValue(x0 + (px / width) * (x1 - x0)),
    };
  };

  /** Rewrite the paths of the smoothed lines in place. */
  ob.repath = function repath(plot, lines, ranges, view) {
    const scale = ob.scaleOf(plot, ranges, view);
    const drawn = new Map([...plot.querySelectorAll(".trace")].map((group) => [group.dataset.trace, group]));
    for (const line of lines) {
      const path = drawn.get(ob.traceId(line, "line"))?.querySelector(".js-line");
      if (path) path.setAttribute("d", ob.pathOf(line.x, ob.smoothLine(line, view), scale));
    }
  };

  /** Let lines glide from where they were to where they are, when an axis grew. */
  function slide(layer, was, now) {
    if (matchMedia("(prefers-reduced-motion: reduce)").matches) return;
    const size = layer.ownerSVGElement.viewBox.baseVal;
    const [sx, dx] = stretch(was.x, now.x, size.width);
    const [sy, dy] = stretch(was.y, now.y, size.height);
    if (![sx, dx, sy, dy].every(Number.isFinite) || (sx === 1 && sy === 1)) return;
    const from = `translate(${dx}px, ${size.height - dy - size.height * sy}px) scale(${sx}, ${sy})`;
    layer.animate([{ transform: from }, { transform: "none" }], { duration: MOVE_MS, easing: "ease-out" });
  }

  /** Where the new scale's picture lay under the old scale: a factor and a shift in pixels. */
  function stretch(was, now, size) {
    const factor = (now[1] - now[0]) / (was[1] - was[0]);
    return [factor, ((now[0] - was[0]) / (was[1] - was[0])) * size];
  }
})((globalThis.ob = globalThis.ob || {}));
