/* Axes of settings and metrics: where each run lies on one, what a brush lets through, and how a
   brush is said in the language of queries. Pure. */
(function (ob) {
  "use strict";

  const VALUE = 0;
  const NONE = (ob.NONE = 1);
  const ODD = (ob.ODD = 2);
  /** A range as wide as this, with half of its values in this part, is spread over powers of ten. */
  const WIDE = 100;
  const LOW_PART = 0.15;
  const HUGE = "1.7976931348623157e+308";

  /** Make a column of an answer ready: numbers, and for each run whether it has one. */
  ob.axisColumn = function axisColumn({ key, kind, values, categories, others }) {
    const held = new Float64Array(values.length).fill(NaN);
    const place = new Uint8Array(values.length);
    values.forEach((value, i) => {
      place[i] = value === null ? NONE : typeof value === "string" ? ODD : VALUE;
      if (place[i] === VALUE) held[i] = value;
    });
    const sorted = held.filter((value) => !Number.isNaN(value)).sort();
    return {
      key, kind, held, place, categories, others, sorted, title: ob.columnTitle(key),
      none: place.includes(NONE), odd: place.includes(ODD),
      slots: kind === "category" ? categories.length + (others ? 1 : 0) : 0,
    };
  };

  /** Choose how a column is spread: its own choice where that can be, else what suits it. */
  ob.scaleKind = function scaleKind({ kind, sorted }, wanted) {
    if (kind === "category") return "cat";
    const [low, high] = [sorted[0], sorted.at(-1)];
    if (wanted === "log" && !(low > 0)) return "lin";
    if (wanted !== "auto") return wanted;
    const middle = sorted[sorted.length >> 1];
    return low > 0 && high / low >= WIDE && middle - low < LOW_PART * (high - low) ? "log" : "lin";
  };

  /** Spread a column over 0 to 1: {kind, at(value), valueAt(part), ticks: [[part, text]]}. */
  ob.axisScale = function axisScale(column, wanted) {
    const kind = ob.scaleKind(column, wanted);
    if (kind === "cat") return categories(column);
    if (!column.sorted.length) return { kind, at: () => 0.5, valueAt: () => 0, ticks: [] };
    if (kind === "q") return quantiles(column);
    const [to, from] = kind === "log" ? [Math.log10, (level) => 10 ** level] : [(value) => value, (level) => level];
    const [low, high] = [to(column.sorted[0]), to(column.sorted.at(-1))];
    const span = high - low || 1;
    const at = (value) => (high > low ? (to(value) - low) / span : 0.5);
    const { tickvals, ticktext } = high > low ? ob.ticks(low, high, kind === "log" ? "log" : "value", 5) : { tickvals: [column.sorted[0]], ticktext: [ob.value(column.sorted[0])] };
    const ticks = tickvals.map((value, i) => [at(value), ticktext[i]]).filter(([part]) => part >= -1e-9 && part <= 1 + 1e-9);
    return { kind, at, valueAt: (part) => from(low + part * span), ticks };
  };

  function categories({ categories: words, slots }) {
    const at = (code) => (code + 0.5) / Math.max(1, slots);
    const ticks = [...words, ...(slots > words.length ? ["others"] : [])].map((word, code) => [at(code), word]);
    return { kind: "cat", at, valueAt: (part) => Math.min(slots - 1, Math.max(0, Math.floor(part * slots))), ticks };
  }

  /** Equal distances hold equally many runs; equal values lie in the middle of their ranks. */
  function quantiles({ sorted }) {
    const distinct = [...new Set(sorted)];
    const last = sorted.length - 1;
    const first = new Map();
    const until = new Map();
    sorted.forEach((value, i) => {
      if (!first.has(value)) first.set(value, i);
      until.set(value, i);
    });
    const at = (value) => (last ? (first.get(value) + until.get(value)) / 2 / last : 0.5);
    const parts = distinct.map(at);
    const valueAt = (part) => {
      const i = parts.findIndex((one) => one >= part);
      if (i <= 0) return i < 0 ? distinct.at(-1) : distinct[0];
      const share = (part - parts[i - 1]) / (parts[i] - parts[i - 1]);
      return distinct[i - 1] + share * (distinct[i] - distinct[i - 1]);
    };
    const few = distinct.length <= 6 ? distinct : [0, 0.25, 0.5, 0.75, 1].map((part) => sorted[Math.round(part * last)]);
    return { kind: "q", at, valueAt, ticks: [...new Set(few)].map((value) => [at(value), ob.value(value)]) };
  }

  /** Give where run i lies, from 0 to 1; null where it has no number. */
  ob.partOf = (column, scale, i) => (column.place[i] === VALUE ? scale.at(column.held[i]) : null);

  /** Make the test of a brush: whether run i passes. */
  ob.brushTest = function brushTest(column, brush) {
    const { held, place, categories: words } = column;
    if (brush.kind === "none") return (i) => place[i] === NONE;
    if (brush.kind === "odd") return (i) => place[i] === ODD;
    if (brush.kind === "range") return (i) => held[i] >= brush.low && held[i] <= brush.high && column.kind === "number";
    const listed = new Set(brush.values.map((value) => words.indexOf(value)));
    listed.delete(-1);
    return brush.kind === "in" ? (i) => place[i] === VALUE && listed.has(held[i]) : (i) => place[i] === VALUE && !listed.has(held[i]);
  };

  /** Tell of each run whether it passes all brushes. */
  ob.brushed = function brushed(columns, brushes, n) {
    const passing = new Uint8Array(n).fill(1);
    for (const brush of brushes) {
      const test = ob.brushTest(columns.get(brush.key), brush);
      for (let i = 0; i < n; i += 1) if (passing[i] && !test(i)) passing[i] = 0;
    }
    return passing;
  };

  /** Make the brush between two parts of an axis; null when it lets no value through. */
  ob.brushBetween = function brushBetween(column, scale, from, to) {
    const [low, high] = [Math.max(0, Math.min(from, to)), Math.min(1, Math.max(from, to))];
    const brush = { key: column.key, kind: "range", low: null, high: null, values: [] };
    if (column.kind === "number") return rounded(column, scale, low, high, brush);
    const codes = Array.from({ length: column.slots }, (_, code) => code).filter((code) => scale.at(code) >= low && scale.at(code) <= high);
    return ob.brushOfCodes(column, codes);
  };

  /** Make the brush of some places of a text. With the shared place it is all values but the rest. */
  ob.brushOfCodes = function brushOfCodes(column, codes) {
    const brush = { key: column.key, low: null, high: null };
    if (!codes.length) return null;
    const inside = new Set(codes);
    if (!inside.has(column.categories.length)) return { ...brush, kind: "in", values: codes.map((code) => column.categories[code]) };
    const outside = column.categories.filter((_, code) => !inside.has(code));
    return outside.length ? { ...brush, kind: "out", values: outside } : null;
  };

  /** Choose the shortest numbers between which the same values lie. */
  function rounded(column, scale, from, to, brush) {
    const slack = 1e-9;
    const inside = column.sorted.filter((value) => scale.at(value) >= from - slack && scale.at(value) <= to + slack);
    if (!inside.length) return null;
    const [least, most] = [inside[0], inside.at(-1)];
    const below = column.sorted.findLast((value) => value < least) ?? -Infinity;
    const above = column.sorted.find((value) => value > most) ?? Infinity;
    const [low, high] = [scale.valueAt(from), scale.valueAt(to)];
    return {
      ...brush,
      low: shortest(Math.min(low, least), (value) => value > below && value <= least),
      high: shortest(Math.max(high, most), (value) => value >= most && value < above),
    };
  }

  /** Round to as few digits as still fit. */
  function shortest(number, fits) {
    for (let digits = 1; digits < 17; digits += 1) {
      const value = Number(number.toPrecision(digits));
      if (fits(value)) return value;
    }
    return number;
  }

  /** Give the span of a brush on its axis as parts [from, to]; null: it lies beside the axis. */
  ob.brushSpan = function brushSpan(column, scale, brush) {
    if (brush.kind === "none" || brush.kind === "odd") return null;
    if (column.kind === "category") {
      const test = ob.brushTest({ ...column, held: Float64Array.from({ length: column.slots }, (_, i) => i), place: new Uint8Array(column.slots) }, brush);
      const codes = Array.from({ length: column.slots }, (_, code) => code).filter(test);
      return codes.length ? [codes[0] / column.slots, (codes.at(-1) + 1) / column.slots] : null;
    }
    const inside = column.sorted.filter((value) => value >= brush.low && value <= brush.high);
    if (!inside.length) return null;
    // Between its own values any scale knows where it is.
    const clamp = (part) => Math.min(1, Math.max(0, Number.isFinite(part) ? part : 0));
    if (scale.kind === "q") return [scale.at(inside[0]), scale.at(inside.at(-1))];
    return [clamp(scale.at(Math.max(brush.low, column.sorted[0]))), clamp(scale.at(Math.min(brush.high, column.sorted.at(-1))))];
  };

  /** Say a brush as a condition: lr >= 0.001 and lr <= 0.1. */
  ob.brushQuery = function brushQuery(column, brush, settings) {
    const { source, name } = ob.columnOf(column.key);
    const field = fieldWord(source, name, settings);
    const has = `has:${source && source !== "hp" ? "metric:" : source === "hp" ? "hp:" : ""}${ob.queryWord(name)}`;
    if (brush.kind === "none") return ["min", "max", "best"].includes(source) ? `not ${field} <= inf` : `not ${has}`;
    if (brush.kind === "odd") return source === "hp" ? `${has} and not (${field} >= -${HUGE} and ${field} <= ${HUGE})` : `${field} in (nan, inf, -inf)`;
    const words = brush.values.map(ob.queryWord);
    if (brush.kind === "in") return words.length === 1 ? `${field} = ${words[0]}` : `${field} in (${words.join(", ")})`;
    if (brush.kind === "out") return `${has} and ${field} not in (${words.join(", ")})`;
    if (brush.low === brush.high) return `${field} >= ${brush.low} and ${field} <= ${brush.high}`;
    const parts = [];
    if (brush.low > column.sorted[0]) parts.push(`${field} >= ${brush.low}`);
    if (brush.high < column.sorted.at(-1) || !parts.length) parts.push(`${field} <= ${brush.high}`);
    return parts.join(" and ");
  };

  /** Name a column as a query does; with its sort where the name alone means another thing. */
  function fieldWord(source, name, settings) {
    const word = ob.queryWord(name);
    if (!source) return word;
    const isField = ob.columnFields().some(([key]) => key === name) || ["tag", "starred", "has", "hp", "metric"].includes(name);
    if (source === "hp") return isField ? `hp:${word}` : word;
    const sorted = isField || settings.has(name) ? `metric:${word}` : word;
    return source === "last" ? sorted : `${source}(${sorted})`;
  }

  /** Put conditions behind what the query bar has. */
  ob.queryWith = function queryWith(text, conditions) {
    const before = text.trim();
    const isQuery = /[=<>~]|\b(and|or|not|in)\b|\w\s?:/i.test(before);
    const first = !before ? [] : !isQuery ? [`name ~ ${JSON.stringify(before)}`] : [/\bor\b/i.test(before) ? `(${before})` : before];
    return [...first, ...conditions].join(" and ");
  };
})((globalThis.ob = globalThis.ob || {}));
