/* Put a figure on the screen with Plotly, and move its lines while the smoothing is dragged.

   Margins and ranges are always given, so a place on the card and a value are one formula
   apart (`ob.scaleOf`): tooltip, cursor and smoothing need nothing of Plotly's insides. */
(function (ob) {
  "use strict";

  const MARGIN = { l: 46, r: 8, t: 8, b: 20 };
  const MOVE_MS = 120;
  const CONFIG = { displayModeBar: false, doubleClick: false, showTips: false, scrollZoom: false, responsive: false, staticPlot: false };
  const VERSION = "4.1.1";

  let library = null;

  /** Fetch the chart library, once. The first page that needs it calls this early. */
  ob.plotly = function plotly() {
    library ??= new Promise((resolve, reject) => {
      const script = ob.el("script", { src: `${ob.base()}assets/vendor/plotly-cartesian-${VERSION}.min.js`, async: true });
      script.onload = () => resolve(globalThis.Plotly);
      script.onerror = () => {
        library = null;
        reject(new Error("The chart library could not be fetched."));
      };
      document.head.append(script);
    });
    return library;
  };

  // It comes while React starts; the page asks for it in any case, and says when it cannot be had.
  if (/\/(scalars|compare)$/.test(location.pathname)) ob.plotly().catch(() => {});

  /** Draw `figure` into `plot`. `was` are the ranges on the screen, from which it slides. */
  ob.draw = async function draw(plot, figure, view, was) {
    const Plotly = await ob.plotly();
    if (!plot.isConnected) return;
    plot.drawnSize = { width: plot.clientWidth, height: plot.clientHeight };
    const layout = {
      ...plot.drawnSize, margin: MARGIN,
      showlegend: false, hovermode: false, uirevision: 1,
      dragmode: matchMedia("(pointer: coarse)").matches ? false : "zoom",
      paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)",
      font: { family: ob.token("font"), size: 10, color: ob.token("mute") },
      xaxis: { ...axis(), ...ob.xAxisOf(figure.ranges, view, plot.clientWidth), showgrid: false },
      yaxis: { ...axis(), ...ob.yAxisOf(figure.ranges, view, plot.clientHeight), fixedrange: true, gridcolor: ob.token("grid") },
    };
    const fresh = !plot.classList.contains("js-plotly-plot");
    await Plotly.react(plot, figure.data, layout, fresh ? CONFIG : undefined);
    if (!fresh && was) slide(plot, was, figure.ranges);
  };

  /** Free what Plotly holds for a card. */
  ob.undraw = function undraw(plot) {
    if (plot.classList.contains("js-plotly-plot")) globalThis.Plotly?.purge(plot);
    plot.classList.remove("js-plotly-plot");
    plot.drawnSize = null;
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

  function axis() {
    return { zeroline: false, tickmode: "array", ticks: "", automargin: false, showline: false, autorange: false };
  }

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

  /** Rewrite the paths of the smoothed lines in place: a fifth of what a redraw costs. */
  ob.repath = function repath(plot, lines, ranges, view) {
    const scale = ob.scaleOf(plot, ranges, view);
    const paths = new Map();
    for (const group of plot.querySelectorAll(".scatterlayer .trace")) {
      const trace = group.__data__?.[0]?.trace;
      if (trace) paths.set(trace.uid, group.querySelector(".js-line"));
    }
    for (const line of lines) {
      const path = paths.get(ob.traceId(line, "line"));
      if (path) path.setAttribute("d", ob.pathOf(line.x, ob.smoothLine(line, view), scale));
    }
  };

  /** Write a line as an SVG path. */
  ob.pathOf = function pathOf(x, y, scale) {
    let d = "";
    let pen = "M";
    for (let i = 0; i < x.length; i += 1) {
      const at = scale.y(y[i]);
      if (Number.isFinite(at)) {
        // Tenths of a pixel; toFixed would take most of the time.
        d += `${pen}${Math.round(scale.x(x[i]) * 10) / 10},${Math.round(at * 10) / 10}`;
        pen = "L";
      } else {
        pen = "M";
      }
    }
    return d || "M0,0";
  };

  /** Let lines glide from where they were to where they are, when an axis grew. */
  function slide(plot, was, now) {
    if (matchMedia("(prefers-reduced-motion: reduce)").matches) return;
    const layer = plot.querySelector(".scatterlayer");
    const size = { width: plot.clientWidth - MARGIN.l - MARGIN.r, height: plot.clientHeight - MARGIN.t - MARGIN.b };
    const [sx, dx] = stretch(was.x, now.x, size.width);
    const [sy, dy] = stretch(was.y, now.y, size.height);
    if (!layer?.animate || ![sx, dx, sy, dy].every(Number.isFinite) || (sx === 1 && sy === 1)) return;
    const from = `translate(${dx}px, ${size.height - dy - size.height * sy}px) scale(${sx}, ${sy})`;
    layer.animate([{ transform: from }, { transform: "none" }], { duration: MOVE_MS, easing: "ease-out" });
  }

  /** Where the new scale's picture lay under the old scale: a factor and a shift in pixels. */
  function stretch(was, now, size) {
    const factor = (now[1] - now[0]) / (was[1] - was[0]);
    return [factor, ((now[0] - was[0]) / (was[1] - was[0])) * size];
  }
})((globalThis.ob = globalThis.ob || {}));
