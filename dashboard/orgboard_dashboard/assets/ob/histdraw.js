/* Draw histograms as SVG: ridges, lines over one another, bands of percentiles, a heat map.

   A picture is a list of plain shapes, so that the same picture goes to the screen and into a
   file. Places are whole tenths of pixels. */
(function (ob) {
  "use strict";

  /** Of a picture's bins so many pixels, and so many bins at least and at most. */
  const BIN_PX = 5;
  const [FEWEST_BINS, MOST_BINS] = [24, 64];
  const MOST_PANELS = 4;
  const LEVELS = 20;
  const GAP = 10;
  const HEAD = 14;

  const r1 = (value) => Math.round(value * 10) / 10;

  /** Lay out a picture: {shapes, panels}. `look`: {view, axis, yAxis, range, step, bits}. */
  ob.histogramPicture = function histogramPicture(lines, size, look) {
    const drawn = lines.filter((line) => line.step.length);
    const values = look.range ?? fitted(ob.valuesOf(drawn));
    if (!values) return { shapes: [], panels: [] };
    const alone = look.view === "overlay" || drawn.length < 2;
    const shown = alone ? [drawn] : drawn.slice(0, MOST_PANELS).map((line) => [line]);
    const left = look.view === "offset" || look.view === "overlay" ? 10 : 46;
    const right = look.view === "offset" ? 40 : 10;
    const width = (size.width - left - right - GAP * (shown.length - 1)) / shown.length;
    const across = look.view === "dist" || look.view === "heat" ? size.height - 28 : width;
    const value = scaleOf(values, look.yAxis, Math.round(Math.min(MOST_BINS, Math.max(FEWEST_BINS, across / BIN_PX))));
    const panels = shown.map((own, i) => ({
      lines: own, value, x: left + i * (width + GAP), y: alone ? 8 : 8 + HEAD, width,
      height: size.height - 28 - (alone ? 0 : HEAD), edge: i === shown.length - 1, first: i === 0, alone,
    }));
    const time = timeOf(drawn, look);
    const shapes = [];
    for (const panel of panels) {
      panel.time = time;
      if (!alone) shapes.push(text(panel.x, 12, panel.lines[0].name, "start", "ink", panel.width));
      (DRAW[look.view] ?? DRAW.offset)(panel, look, shapes);
    }
    return { shapes, panels };
  };

  /** A little room at both ends; some where all values are one. */
  function fitted(range) {
    if (!range) return null;
    const [low, high] = range;
    const room = high > low ? (high - low) * 0.02 : Math.max(Math.abs(low) * 0.1, 1e-6);
    return [low - room, high + room];
  }

  function scaleOf([low, high], yAxis, bins) {
    const kind = yAxis === "sym" ? "sym" : "lin";
    // A power of ten, so that the ticks are such.
    const unit = kind === "sym" ? 10 ** Math.floor(Math.log10(Math.max(Math.abs(low), Math.abs(high)) / 1000 || 1)) : 1;
    const [level, value] = [ob.levelOf(kind, unit), ob.valueOf(kind, unit)];
    const [from, to] = [level(low), level(high)];
    const at = (x) => (level(x) - from) / (to - from);
    const edges = Float64Array.from({ length: bins + 1 }, (_, i) => value(from + ((to - from) * i) / bins));
    const ticks = (about) => (kind === "sym" ? ob.symTicks(from, to, unit, about) : ob.ticks(low, high, "value", about));
    const place = kind === "sym" ? (tick) => (tick - from) / (to - from) : at;
    return { at, back: (share) => value(from + share * (to - from)), edges, ticks, place, low, high };
  }

  /** The time axis of all panels of a card, from 0 at its first histogram to 1 at its last. */
  function timeOf(lines, look) {
    const all = lines.flatMap((line) => Array.from(line.step, (_, i) => ob.framePlace(line, i, look.axis))).filter(Number.isFinite);
    const [low, high] = [Math.min(...all), Math.max(...all)];
    const span = high - low;
    return { low, high, at: (place) => (span > 0 ? (place - low) / span : 0.5), back: (share) => low + share * span };
  }

  const DRAW = { offset, overlay, dist: distributions, heat };

  /** What the histograms of a panel count in even bins of the screen, and the most of it. */
  function heights(panel, line) {
    const { edges } = panel.value;
    let most = 0;
    const all = [];
    for (let i = 0; i < line.step.length; i += 1) {
      const bins = ob.rebin(line, line.starts[i], line.starts[i + 1], edges);
      for (const bin of bins) if (bin > most) most = bin;
      all.push(bins);
    }
    return { all, most };
  }

  function curve(panel, bins, most, base, height) {
    let d = `M${r1(panel.x)},${r1(base)}`;
    for (let k = 0; k < bins.length; k += 1) d += `L${r1(panel.x + ((k + 0.5) / bins.length) * panel.width)},${r1(base - (most ? bins[k] / most : 0) * height)}`;
    return `${d}L${r1(panel.x + panel.width)},${r1(base)}`;
  }

  /** Ridges: the first histogram behind at the top, the last in front at the foot. */
  function offset(panel, look, shapes) {
    const [line] = panel.lines;
    const { color } = ob.ink(line.color);
    const { all, most } = heights(panel, line);
    const ridge = panel.height * (all.length > 1 ? 0.36 : 0.86);
    const room = panel.height - ridge;
    valueAxis(panel, shapes, panel.y + panel.height);
    panel.rows = all.map((bins, i) => ({ i, base: panel.y + ridge + panel.time.at(ob.framePlace(line, i, look.axis)) * room, bins, most, ridge }));
    const marked = look.step === null ? -1 : ob.frameAt(line, look.step);
    for (const { i, base, bins } of panel.rows) {
      if (!Number.isFinite(base)) continue;
      const share = all.length > 1 ? i / (all.length - 1) : 1;
      const on = i === marked;
      shapes.push({ d: curve(panel, bins, most, base, ridge), fill: ob.mixed(color, 0.25 + 0.6 * share), stroke: on ? ob.token("ink") : ob.mixed(color, 0.06, "surface"), width: on ? 1.6 : 0.8 });
    }
    if (!panel.edge) return;
    const { tickvals, ticktext } = ob.ticks(panel.time.low, panel.time.high, look.axis, 4);
    tickvals.forEach((tick, k) => shapes.push(text(panel.x + panel.width + 5, panel.y + ridge + panel.time.at(tick) * room + 3, ticktext[k], "start")));
  }

  /** Lines over one another: of one run all steps, of several each at the one step. */
  function overlay(panel, look, shapes) {
    const base = panel.y + panel.height;
    valueAxis(panel, shapes, base);
    const several = panel.lines.length > 1;
    panel.rows = [];
    if (several) {
      const at = panel.lines.map((line) => (look.step === null ? line.step.length - 1 : ob.frameAt(line, look.step)));
      const bins = panel.lines.map((line, k) => ob.rebin(line, line.starts[at[k]], line.starts[at[k] + 1], panel.value.edges));
      // Shares, so that runs of unequal counts can be compared.
      const shares = bins.map((own) => own.map((bin) => bin / (own.reduce((sum, one) => sum + one, 0) || 1)));
      const most = Math.max(...shares.flatMap((own) => [...own]));
      panel.lines.forEach((line, k) => {
        const { color } = ob.ink(line.color);
        shapes.push({ d: curve(panel, shares[k], most, base, panel.height * 0.94), fill: color, opacity: 0.16, stroke: color, width: 1.5 });
        panel.rows.push({ line, i: at[k], base, bins: shares[k], most, ridge: panel.height * 0.94 });
      });
      return;
    }
    const [line] = panel.lines;
    const { color } = ob.ink(line.color);
    const { all, most } = heights(panel, line);
    const marked = look.step === null ? -1 : ob.frameAt(line, look.step);
    all.forEach((bins, i) => {
      const share = all.length > 1 ? i / (all.length - 1) : 1;
      panel.rows.push({ i, base, bins, most, ridge: panel.height * 0.94 });
      shapes.push({ d: curve(panel, bins, most, base, panel.height * 0.94), fill: "none", stroke: ob.mixed(color, 0.2 + 0.8 * share), width: 1, on: i === marked });
    });
    shapes.sort((a, b) => Number(Boolean(a.on)) - Number(Boolean(b.on)));
    for (const shape of shapes) if (shape.on) Object.assign(shape, { stroke: ob.token("ink"), width: 1.8 });
  }

  /** Nine percentiles as bands around the median, over time. */
  function distributions(panel, look, shapes) {
    const [line] = panel.lines;
    const { color } = ob.ink(line.color);
    timeAxes(panel, look, shapes);
    const n = line.step.length;
    const x = Array.from({ length: n }, (_, i) => panel.x + panel.time.at(ob.framePlace(line, i, look.axis)) * panel.width);
    const y = (i, band) => panel.y + (1 - panel.value.at(line.bands[9 * i + band])) * panel.height;
    const lineOf = (band) => x.map((place, i) => `${r1(place)},${r1(y(i, band))}`);
    const opacity = [0.1, 0.14, 0.2, 0.28];
    for (let k = 0; k < 4; k += 1) {
      shapes.push({ d: `M${lineOf(k).join("L")}L${lineOf(8 - k).reverse().join("L")}Z`, fill: color, opacity: opacity[k], stroke: n > 1 ? "none" : color, width: 1 });
    }
    shapes.push({ d: `M${lineOf(4).join("L")}${n > 1 ? "" : "h0.1"}`, fill: "none", stroke: color, width: 1.8, round: true });
  }

  /** Steps across, values up, and how much is counted as a shade: of its logarithm. */
  function heat(panel, look, shapes) {
    const [line] = panel.lines;
    timeAxes(panel, look, shapes);
    const { all, most } = heights(panel, line);
    const x = Array.from(line.step, (_, i) => panel.time.at(ob.framePlace(line, i, look.axis)));
    // Each reaches half of the way to its neighbours.
    const ends = x.map((place, i) => [i ? (x[i - 1] + place) / 2 : 0, i + 1 < x.length ? (place + x[i + 1]) / 2 : 1]);
    const least = Math.min(1, most / 1000);
    const paths = Array.from({ length: LEVELS + 1 }, () => "");
    const high = panel.height / (panel.value.edges.length - 1);
    all.forEach((bins, i) => {
      const [from, to] = ends[i].map((share) => r1(panel.x + share * panel.width));
      bins.forEach((bin, k) => {
        if (!(bin > 0)) return;
        const share = most > least ? Math.log(Math.max(bin, least) / least) / Math.log(most / least) : 1;
        paths[Math.max(1, Math.round(share * LEVELS))] += `M${from},${r1(panel.y + panel.height - (k + 1) * high)}H${to}v${r1(high + 0.1)}H${from}Z`;
      });
    });
    paths.forEach((d, level) => d && shapes.push({ d, fill: ob.shade(level / LEVELS), stroke: "none", crisp: true }));
  }

  function valueAxis(panel, shapes, base) {
    const { tickvals, ticktext } = panel.value.ticks(panel.width > 260 ? 5 : panel.width > 140 ? 3 : 2);
    tickvals.forEach((tick, k) => {
      const x = panel.x + panel.value.place(tick) * panel.width;
      shapes.push({ d: `M${r1(x)},${r1(panel.y)}V${r1(base)}`, fill: "none", stroke: ob.token("grid"), width: 1 });
      // Beside another panel a number at its end would run into the next.
      const half = ticktext[k].length * 3;
      if (panel.alone || (x - half >= panel.x - GAP / 2 && x + half <= panel.x + panel.width + GAP / 2)) shapes.push(text(x, base + 14, ticktext[k], "middle"));
    });
    shapes.push({ d: `M${r1(panel.x)},${r1(base)}h${r1(panel.width)}`, fill: "none", stroke: ob.token("line2"), width: 1 });
  }

  function timeAxes(panel, look, shapes) {
    const base = panel.y + panel.height;
    const values = panel.value.ticks(5);
    values.tickvals.forEach((tick, k) => {
      const y = base - panel.value.place(tick) * panel.height;
      shapes.push({ d: `M${r1(panel.x)},${r1(y)}h${r1(panel.width)}`, fill: "none", stroke: ob.token("grid"), width: 1 });
      if (panel.first) shapes.push(text(panel.x - 6, y + 3, values.ticktext[k], "end"));
    });
    const { tickvals, ticktext } = ob.ticks(panel.time.low, panel.time.high, look.axis, panel.width > 260 ? 4 : 2);
    tickvals.forEach((tick, k) => {
      const x = panel.x + panel.time.at(tick) * panel.width;
      const half = ticktext[k].length * 3;
      if (x + half <= panel.x + panel.width + GAP && (panel.first || x - half >= panel.x - GAP / 2)) shapes.push(text(x, base + 14, ticktext[k], "middle"));
    });
  }

  function text(x, y, words, anchor, ink = "mute", most = 0) {
    // About six pixels a letter.
    const fits = most ? Math.max(4, Math.floor(most / 6)) : 80;
    return { text: words.length > fits ? `${words.slice(0, fits - 1)}…` : words, x: r1(x), y: r1(y), anchor, fill: ob.token(ink) };
  }

  /** Put shapes into an SVG element. */
  ob.paintShapes = function paintShapes(svg, shapes) {
    svg.replaceChildren(...shapes.map(({ d, text: words, x, y, anchor, fill, stroke, width, opacity, crisp, round }) => {
      const attributes = { x, y, "text-anchor": anchor, fill, stroke, "stroke-width": width, "fill-opacity": opacity, "shape-rendering": crisp ? "crispEdges" : null, "stroke-linejoin": round ? "round" : null };
      return words === undefined ? ob.svg("path", { ...attributes, d }) : ob.svg("text", attributes, words);
    }));
  };

  /** Make an empty picture. */
  ob.sheet = (width, height) => ob.svg("svg", { width, height, viewBox: `0 0 ${width} ${height}`, "font-size": "10", "font-family": "system-ui, sans-serif" });

  const channels = (hex) => [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16));
  const blend = (one, other, share) => `#${channels(one).map((c, i) => Math.round(c * share + channels(other)[i] * (1 - share)).toString(16).padStart(2, "0")).join("")}`;

  /** A colour over the card's background, by its share. */
  ob.mixed = (color, share) => blend(color, ob.token("surface"), share);

  /** The scale of shades, from little (0) to much (1), in both themes. */
  const SHADES = { light: ["#eef2fc", "#b9caf5", "#6f93ee", "#2f5bd7", "#14215f"], dark: ["#1a2036", "#27407f", "#4a70d6", "#8fadff", "#eef2ff"] };

  ob.shade = function shade(share) {
    const stops = SHADES[document.documentElement.getAttribute("data-mantine-color-scheme") === "dark" ? "dark" : "light"];
    const at = Math.min(0.9999, Math.max(0, share)) * (stops.length - 1);
    const below = Math.floor(at);
    return blend(stops[below + 1], stops[below], at - below);
  };
})((globalThis.ob = globalThis.ob || {}));
