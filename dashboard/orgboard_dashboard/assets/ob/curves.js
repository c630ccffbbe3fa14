/* The curves of a figure, as SVG: of all that Plotly can draw, what the figures of cards are made
   of. These are lines with their dashes, areas between two lines, and points.

   Plotly takes half a second to start and ten times as long for a chart; here a page has many.
   Elements have the names that Plotly would give them. */
(function (ob) {
  "use strict";

  /** Paths count in this part of a pixel: whole numbers are written four times as fast as tenths. */
  const FINE = 10;
  /** Farther off the chart is as far: a spike of any height stays a path that a browser can dash. */
  const FAR_PX = 1e5;

  /** Make the box that paths (`ob.pathOf`) are drawn in: the part of a card that `scale` is of. */
  ob.canvas = function canvas({ left, top, width, height }, attributes, ...children) {
    return ob.svg("svg", { x: left, y: top, width, height, viewBox: `0 0 ${width * FINE} ${height * FINE}`, ...attributes }, ...children);
  };

  /** Write a line as an SVG path. It pauses at values that are not finite; those that an axis of
      logarithms does not have lie ten charts below. */
  ob.pathOf = function pathOf(x, y, scale) {
    let d = "";
    let pen = "M";
    for (let i = 0; i < x.length; i += 1) {
      const across = scale.x(x[i]);
      const down = scale.y(y[i]);
      if (Number.isFinite(y[i]) && Number.isFinite(across)) {
        d += `${pen}${place(across)},${place(Number.isFinite(down) ? down : 10 * scale.height)}`;
        pen = "L";
      } else {
        pen = "M";
      }
    }
    return d || "M0,0";
  };

  function place(px) {
    return Math.round(Math.max(-FAR_PX, Math.min(FAR_PX, px)) * FINE);
  }

  /** Make the element of a trace. */
  ob.curve = function curve(trace, scale) {
    const made = trace.mode === "markers" ? points(trace, scale) : [path(trace, scale)];
    return ob.svg("g", { class: `trace trace${trace.uid}`, "data-trace": trace.uid }, ...made);
  };

  function path({ x, y, line: { color, width, dash = "solid" }, opacity = 1, fill, fillcolor = "none" }, scale) {
    return ob.svg("path", {
      class: fill ? "js-fill" : "js-line", d: ob.pathOf(x, y, scale), fill: fillcolor,
      stroke: color, "stroke-width": width * FINE, "stroke-opacity": opacity,
      "stroke-dasharray": dash === "solid" ? null : dash.split(",").map((part) => parseFloat(part) * FINE),
    });
  }

  function points({ x, y, marker, opacity = 1 }, scale) {
    const made = [];
    for (let i = 0; i < x.length; i += 1) {
      const across = scale.x(x[i]);
      const down = scale.y(y[i]);
      if (x[i] === null || !Number.isFinite(across) || !Number.isFinite(down)) continue;
      const d = SHAPES[marker.symbol?.[i] ?? "circle"]((marker.size / 2) * FINE);
      made.push(ob.svg("path", { class: "point", d, transform: `translate(${place(across)},${place(down)})`, fill: marker.color, "fill-opacity": opacity }));
    }
    return made;
  }

  /** The shapes of points, by their radius. */
  const SHAPES = {
    circle: (r) => `M${r},0A${r},${r} 0 1,1 0,${-r}A${r},${r} 0 0,1 ${r},0Z`,
    x: (r) => `M0,${arm(r)}${[[1, 1], [1, -1], [-1, -1], [1, -1], [-1, -1], [-1, 1], [-1, -1], [-1, 1], [1, 1], [-1, 1]].map((by) => `l${by.map((one) => one * arm(r))}`).join("")}Z`,
    "triangle-up": (r) => triangle(r, 1),
    "triangle-down": (r) => triangle(r, -1),
  };

  const arm = (r) => (r * Math.SQRT1_2) / 2;

  function triangle(r, way) {
    const half = (2 * r) / Math.sqrt(3);
    return `M${-half},${(way * r) / 2}H${half}L0,${-way * r}Z`;
  }
})((globalThis.ob = globalThis.ob || {}));
