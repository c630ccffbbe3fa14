/* A chart in words: where each line goes, its last and best value, what is odd. Pure; for screen
   readers, phones, and who would rather read. */
(function (ob) {
  "use strict";

  /** Lines told one by one; of more, only how many. */
  const MOST_TOLD = 5;
  /** Part of a line taken as its start, and as its end. */
  const END_PART = 0.1;
  /** Part of the range of a line that it must move by to rise or fall. */
  const MOVES = 0.1;
  /** How many times the usual jump a spike is, and which part of the range. */
  const SPIKE = { jumps: 12, range: 0.25 };

  /** Tell the lines of one tag. */
  ob.describe = function describe(tag, lines) {
    const told = lines.filter((line) => line.n > 0);
    if (!told.length) return `${ob.plainName(tag)}: no points in the shown runs.`;
    const first = Math.min(...told.map((line) => Number(line.step[0] ?? line.marks[0]?.step ?? 0)));
    const last = Math.max(...told.map((line) => Number(line.step.at(-1) ?? line.marks.at(-1)?.step ?? 0)));
    const rest = told.length - MOST_TOLD;
    const grouped = told.some((line) => line.members);
    return [
      grouped ? `${ob.plainName(tag)}: ${ob.plural(told.length, "group")}.` : `${ob.plainName(tag)}: ${ob.plural(told.length, "run")}, steps ${ob.count(first)} to ${ob.count(last)}.`,
      ...told.slice(0, MOST_TOLD).map((line) => `${line.name} ${sentence(tag, line)}.`),
      ...(rest > 0 ? [`And ${ob.plural(rest, grouped ? "more group" : "more run")}.`] : []),
    ].join(" ");
  };

  function sentence(tag, line) {
    const parts = line.y.length ? [trend(line), ...best(tag, line), ...spike(line)] : ["has no finite value"];
    if (line.nonfinite) {
      const mark = line.marks[0];
      parts.push(`${ob.count(line.nonfinite)} ${mark ? mark.value.replace("Infinity", "∞").replace("-", "−") : "NaN"}${mark ? ` from step ${ob.count(mark.step)}` : ""}`);
    }
    return parts.join("; ");
  }

  function trend({ y }) {
    const part = Math.max(1, Math.floor(y.length * END_PART));
    const [from, to] = [average(y, 0, part), average(y, y.length - part, y.length)];
    const [low, high] = limits(y);
    const last = `last ${ob.value(y.at(-1))}`;
    if (low === high) return y.length === 1 ? `is ${ob.value(low)}` : `stays at ${ob.value(low)}`;
    if (Math.abs(to - from) < MOVES * (high - low)) return `stays between ${ob.value(low)} and ${ob.value(high)}, ${last}`;
    return `${to > from ? "rises" : "falls"} from ${ob.value(y[0])}, ${last}`;
  }

  /** A group's line has no steps of its own. */
  const atStep = (line, i) => (line.members ? "" : ` at step ${ob.count(Number(line.step[i]))}`);

  function best(tag, line) {
    const { y } = line;
    const less = ob.direction(tag);
    if (less === 0 || y.length < 2) return [];
    let at = 0;
    for (let i = 1; i < y.length; i += 1) if ((y[i] - y[at]) * less > 0) at = i;
    return [`best ${ob.value(y[at])}${atStep(line, at)}`];
  }

  /** The point that stands out most from both of its neighbours, if any does. */
  function spike(line) {
    const { y } = line;
    if (y.length < 8) return [];
    const jumps = new Float64Array(y.length - 1);
    for (let i = 1; i < y.length; i += 1) jumps[i - 1] = Math.abs(y[i] - y[i - 1]);
    const usual = jumps.slice().sort()[jumps.length >> 1];
    const [low, high] = limits(y);
    let [at, most] = [-1, Math.max(SPIKE.jumps * usual, SPIKE.range * (high - low))];
    for (let i = 1; i < y.length - 1; i += 1) {
      const out = (y[i] - y[i - 1]) * (y[i] - y[i + 1]) > 0 ? Math.min(jumps[i - 1], jumps[i]) : 0;
      if (out > most) [at, most] = [i, out];
    }
    return at < 0 ? [] : [`a spike of ${ob.value(y[at])}${atStep(line, at)}`];
  }

  function average(y, from, to) {
    let sum = 0;
    for (let i = from; i < to; i += 1) sum += y[i] / (to - from);
    return sum;
  }

  function limits(y) {
    let [low, high] = [Infinity, -Infinity];
    for (const value of y) [low, high] = [Math.min(low, value), Math.max(high, value)];
    return [low, high];
  }
})((globalThis.ob = globalThis.ob || {}));
