/* Colours of runs by what a column says: a ramp from blue to amber, which nobody confuses whatever
   colours they see, or the palette for texts. */
(function (ob) {
  "use strict";

  const RAMPS = {
    light: ["#1f3f9e", "#5a55ad", "#98609f", "#cc6f7b", "#e28a4a", "#e0a00d"],
    dark: ["#6d8cff", "#a08be6", "#d08ac4", "#f0919a", "#f8b070", "#ffdb6e"],
  };
  /** Shades that are told apart; lines of one are drawn together. */
  const SHADES = 24;

  const stops = () => RAMPS[document.documentElement.dataset.mantineColorScheme === "dark" ? "dark" : "light"];

  /** Give the colour at a part of the ramp, from 0 to 1. */
  ob.rampAt = function rampAt(part) {
    const colours = stops();
    const level = Math.min(1, Math.max(0, part)) * (colours.length - 1);
    const at = Math.min(colours.length - 2, Math.floor(level));
    const [from, to] = [colours[at], colours[at + 1]].map((hex) => [1, 3, 5].map((i) => parseInt(hex.slice(i, i + 2), 16)));
    return `rgb(${from.map((one, i) => Math.round(one + (to[i] - one) * (level - at))).join(" ")})`;
  };

  /** Give what colours each run: an array, for a column with its scale, or each run's own. */
  ob.runColours = function runColours(data, column, scale) {
    if (!column) return data.colors.map((color) => ob.ink(color).color);
    const grey = ob.token("finished");
    const shades = Array.from({ length: SHADES }, (_, i) => ob.rampAt(i / (SHADES - 1)));
    return data.uids.map((_, i) => {
      if (column.place[i] !== 0) return grey;
      if (column.kind === "category") return column.held[i] < column.categories.length ? ob.ink(column.held[i] % ob.PALETTE.length).color : grey;
      return shades[Math.round(scale.at(column.held[i]) * (SHADES - 1))] ?? grey;
    });
  };

  /** Make the legend of a column: a bar with its ends, or a swatch for each text. */
  ob.rampLegend = function rampLegend(column, scale) {
    const title = ob.el("span.ob-mono.ob-name", { title: column.title }, column.title);
    if (column.kind === "category") {
      const most = ob.PALETTE.length;
      const marks = column.categories.slice(0, most).map((word, i) => ob.el("span.ob-legend-one", {}, ob.swatch({ color: i }), ob.el("span.ob-name", { title: word }, word)));
      const more = column.categories.length - most;
      return ob.el("div.ob-legend", {}, title, ...marks, more > 0 ? ob.el("span.ob-mute", {}, `${ob.count(more)} more, in the same colours`) : null);
    }
    const bar = ob.el("span.ob-rampbar", { "aria-hidden": "true", style: { background: `linear-gradient(90deg, ${[0, 0.2, 0.4, 0.6, 0.8, 1].map(ob.rampAt).join(", ")})` } });
    const end = (part) => ob.el("span", {}, column.sorted.length ? ob.value(part ? column.sorted.at(-1) : column.sorted[0]) : "–");
    const words = { log: ", logarithmic", q: ", by rank" }[scale.kind] ?? "";
    return ob.el("div.ob-legend", {}, title, end(0), bar, end(1), ob.el("span.ob-mute", {}, words.slice(2)));
  };

  /** Make a canvas as sharp as the screen, of its box's size: {context, width, height}. */
  ob.sharp = function sharp(canvas, width, height) {
    const ratio = window.devicePixelRatio || 1;
    canvas.width = Math.round(width * ratio);
    canvas.height = Math.round(height * ratio);
    canvas.style.width = `${width}px`;
    canvas.style.height = `${height}px`;
    const context = canvas.getContext("2d");
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.clearRect(0, 0, width, height);
    return context;
  };

  /** Cut a text to so many pixels of a canvas. */
  ob.cutText = function cutText(context, text, width) {
    if (context.measureText(text).width <= width) return text;
    let [low, high] = [0, Math.min(text.length, 200)];
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (context.measureText(`${text.slice(0, middle)}…`).width <= width) low = middle;
      else high = middle - 1;
    }
    return `${text.slice(0, low)}…`;
  };
})((globalThis.ob = globalThis.ob || {}));
