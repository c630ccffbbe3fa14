/* Four or five round ticks for an axis: numbers, spans of time, moments, powers of ten. */
(function (ob) {
  "use strict";

  /** Choose ticks for [low, high]. `kind`: "value", "step", "relative", "wall" or "log"
      (then low and high are powers of ten). Gives {tickvals, ticktext}. */
  ob.ticks = function ticks(low, high, kind, about = 5) {
    if (kind === "log") return logTicks(low, high, about);
    const span = high - low;
    if (!(span > 0)) return { tickvals: [low], ticktext: [text(low, 1, kind, span)] };
    const by = kind === "wall" || kind === "relative" ? timeStep(span / about) : niceStep(span / about);
    const size = kind === "step" ? Math.max(1, by) : by;
    const shift = kind === "wall" ? new Date(low * 1000).getTimezoneOffset() * 60 : 0;
    const tickvals = [];
    const first = Math.ceil((low - shift) / size - 1e-9);
    for (let i = first; i * size + shift <= high + size * 1e-9; i += 1) {
      tickvals.push(Number((i * size + shift).toPrecision(15)));
    }
    return { tickvals, ticktext: tickvals.map((value) => text(value, size, kind, span)) };
  };

  function niceStep(rough) {
    const power = 10 ** Math.floor(Math.log10(rough));
    const lead = rough / power;
    return power * (lead <= 1 ? 1 : lead <= 2 ? 2 : lead <= 2.5 ? 2.5 : lead <= 5 ? 5 : 10);
  }

  const TIMES = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200, 86400];

  function timeStep(rough) {
    if (rough < 1) return niceStep(rough);
    return TIMES.find((step) => step >= rough) || 86400 * Math.ceil(niceStep(rough / 86400));
  }

  function text(value, step, kind, span) {
    if (kind === "step") return ob.short(value);
    if (kind === "relative") return value === 0 ? "0" : ob.span(value);
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

  function logTicks(low, high, about) {
    const every = Math.max(1, Math.ceil((high - low) / about));
    const tickvals = [];
    for (let power = Math.ceil(low); power <= high; power += every) tickvals.push(10 ** power);
    if (tickvals.length < 2) {
      const plain = ob.ticks(10 ** low, 10 ** high, "value", about);
      return { tickvals: plain.tickvals.filter((value) => value > 0), ticktext: plain.ticktext.slice(-plain.tickvals.filter((value) => value > 0).length) };
    }
    return { tickvals, ticktext: tickvals.map((value) => (value >= 0.001 && value <= 1000 ? String(value) : `1e${Math.round(Math.log10(value))}`.replace("-", "−"))) };
  }
})((globalThis.ob = globalThis.ob || {}));
