/* Numbers and times as people read them: thin spaces, SI on axes, times relative. */
(function (ob) {
  "use strict";

  const THIN = "\u2009";

  /** Write a count: 246 000, with thin spaces. */
  ob.count = function count(value) {
    return String(Math.round(value)).replace(/\B(?=(\d{3})+$)/g, THIN);
  };

  /** Say how many of what: plural(1, "run") is "1 run". */
  ob.plural = function plural(n, word, many = `${word}s`) {
    return `${ob.count(n)} ${n === 1 ? word : many}`;
  };

  /** Write a value with four significant digits, the same width in a column. */
  ob.value = function value(number) {
    if (Number.isNaN(number)) return "NaN";
    if (!Number.isFinite(number)) return number > 0 ? "∞" : "−∞";
    if (number === 0) return "0";
    const size = Math.abs(number);
    if (size >= 1e6 || size < 1e-4) return minus(number.toExponential(3));
    if (Number.isInteger(number) && size >= 1000) return minus(ob.count(number));
    return minus(number.toPrecision(4));
  };

  /** Write a whole number short: 41.2k, 1.5M. */
  ob.short = function short(number) {
    const size = Math.abs(number);
    for (const [unit, letter] of [[1e12, "T"], [1e9, "G"], [1e6, "M"], [1e3, "k"]]) {
      if (size >= unit) return minus(trim(number / unit, size >= unit * 100 ? 0 : 1)) + letter;
    }
    return minus(String(number));
  };

  /** Write a span of seconds: 45 s, 12 min, 3.2 h, 2.1 d. */
  ob.span = function span(seconds) {
    const size = Math.abs(seconds);
    for (const [unit, name] of [[86400, "d"], [3600, "h"], [60, "min"]]) {
      if (size >= unit) return `${minus(trim(seconds / unit, size >= unit * 10 ? 0 : 1))}${THIN}${name}`;
    }
    return `${minus(trim(seconds, size < 1 ? 3 : size < 10 ? 1 : 0))}${THIN}s`;
  };

  /** Say how long ago; the exact time belongs in a tooltip. */
  ob.ago = function ago(wall, now = Date.now() / 1000) {
    if (!Number.isFinite(wall)) return "at an unknown time";
    const passed = now - wall;
    return passed < 5 && passed > -60 ? "now" : `${ob.span(Math.round(passed))} ago`;
  };

  /** Write a moment in the reader's time zone, to the second. */
  ob.moment = function moment(wall) {
    return Number.isFinite(wall) ? new Date(wall * 1000).toLocaleString() : "unknown time";
  };

  /** Write a day in the reader's time zone. */
  ob.day = function day(wall) {
    return Number.isFinite(wall) ? new Date(wall * 1000).toLocaleDateString(undefined, { dateStyle: "medium" }) : "an unknown day";
  };

  /** Write the time of day: 14:03. */
  ob.clock = function clock(wall, seconds = false) {
    const date = new Date(wall * 1000);
    return Number.isNaN(date.valueOf()) ? "–" : clockOf(seconds).format(date);
  };

  /** To make one costs more than to use it a hundred times, and the first one the start of a page. */
  const clocks = new Map();

  function clockOf(seconds) {
    if (!clocks.has(seconds)) clocks.set(seconds, new Intl.DateTimeFormat([], { hour: "2-digit", minute: "2-digit", hour12: false, ...(seconds ? { second: "2-digit" } : {}) }));
    return clocks.get(seconds);
  }

  /** Write bytes: 312 bytes, 48.1 kB. */
  ob.bytes = function bytes(n) {
    return n < 1000 ? ob.plural(n, "byte") : `${ob.short(n).replace(/(?=[kMGT]$)/, THIN)}B`;
  };

  function trim(number, digits) {
    return String(Number(number.toFixed(digits)));
  }

  function minus(text) {
    return text.replace(/^-/, "−");
  }
})((globalThis.ob = globalThis.ob || {}));
