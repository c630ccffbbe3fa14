/* Four or five round ticks for an axis: numbers, spans of time, moments, powers of ten. */
(function (ob) {
  "use strict";

  /** Choose ticks for [low, high]. `kind`: "step", "rstep", "index", "relative", "active", "wall", "log"
      (then low and high are powers of ten), or a value. Gives {tickvals, ticktext}. */
  ob.ticks = function ticks(low, high, kind, about = 5) {
    if (kind === "log") return logTicks(low, high, about);
    const span = high - low;
    if (!(span > 0)) return { tickvals: [low], ticktext: [text(low, 1, kind, span)] };
    const by = isTime(kind) ? timeStep(span, about) : niceStep(span, about);
    const size = isStep(kind) ? Math.max(1, by) : by;
    const shift = kind === "wall" ? new Date(low * 1000).getTimezoneOffset() * 60 : 0;
    const tickvals = [];
    const first = Math.ceil((low - shift) / size - 1e-9);
    for (let i = first; i * size + shift <= high + size * 1e-9; i += 1) {
      tickvals.push(Number((i * size + shift).toPrecision(15)));
    }
    return { tickvals, ticktext: tickvals.map((value) => text(value, size, kind, span)) };
  };

  /** The round step that divides `span` into the number of parts nearest to `about`. */
  function niceStep(span, about) {
    const power = 10 ** Math.floor(Math.log10(span / about));
    return nearest([1, 2, 2.5, 5, 10].map((lead) => lead * power), span, about);
  }

  const isStep = (kind) => kind === "step" || kind === "rstep" || kind === "index";
  const isTime = (kind) => kind === "wall" || kind === "relative" || kind === "active";

  /** Choose ticks of a symlog axis between two levels: 0, and powers of ten to both sides. */
  ob.symTicks = function symTicks(low, high, unit, about) {
    const level = ob.levelOf("sym", unit);
    const reach = Math.ceil(Math.max(Math.abs(low), Math.abs(high)));
    const every = Math.max(1, Math.ceil((high - low) / about));
    const powers = [];
    for (let power = 1; power <= reach; power += every) powers.push(10 ** power * unit);
    const values = [...powers.map((value) => -value).reverse(), 0, ...powers];
    const inside = values.filter((value) => level(value) >= low && level(value) <= high);
    const text = (value) => (value === 0 ? "0" : `${value < 0 ? "−" : ""}${powerText(Number(Math.abs(value).toPrecision(9)))}`);
    return { tickvals: inside.map(level), ticktext: inside.map(text) };
  };

  function nearest(steps, span, about) {
    const miss = (step) => Math.abs(span / step - about);
    return steps.reduce((best, step) => (miss(step) < miss(best) ? step : best));
  }

  const TIMES = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200, 86400];

  function timeStep(span, about) {
    if (span / about < 1) return niceStep(span, about);
    if (span / about < 86400) return nearest(TIMES, span, about);
    return 86400 * Math.ceil(niceStep(span / 86400, about));
  }

  function text(value, step, kind, span) {
    if (isStep(kind)) return ob.short(value);
    if (kind === "relative" || kind === "active") return value === 0 ? "0" : ob.span(value);
    if (kind === "wall") {
      if (step >= 86400) return new Date(value * 1000).toLocaleDateString([], { month: "short", day: "numeric" });
      return ob.clock(value, span < 300);
    }
    const digits = Math.max(0, -Math.floor(Math.log10(step) + 1e-9) + (isHalf(step) ? 1 : 0));
    const size = Math.abs(value);
    if (size >= 1e5) return ob.short(value);
    if (digits > 5) return value === 0 ? "0" : value.toExponential(1).replace("e-", "e−").replace(/^-/, "−");
    return value.toFixed(Math.min(digits, 6)).replace(/^-/, "−");
  }

  /** Whether a step begins with 2.5, and so needs a digit more. */
  function isHalf(step) {
    return Math.abs(step / 10 ** Math.floor(Math.log10(step) + 1e-9) - 2.5) < 1e-6;
  }

  function powerText(value) {
    return value >= 0.001 && value <= 1000 ? String(value) : `1e${Math.round(Math.log10(value))}`.replace("-", "−");
  }

  function logTicks(low, high, about) {
    const every = Math.max(1, Math.ceil((high - low) / about));
    const tickvals = [];
    for (let power = Math.ceil(low); power <= high; power += every) tickvals.push(10 ** power);
    if (tickvals.length < 2) {
      const plain = ob.ticks(10 ** low, 10 ** high, "value", about);
      const positive = plain.tickvals.findIndex((value) => value > 0);
      return { tickvals: plain.tickvals.slice(positive), ticktext: plain.ticktext.slice(positive) };
    }
    return { tickvals, ticktext: tickvals.map(powerText) };
  }
})((globalThis.ob = globalThis.ob || {}));
