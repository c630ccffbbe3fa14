/* Histograms as numbers: what the server sends as columns, bins for a picture, and words.

   `ob.rebin` is the twin of histograms/resample.py: whatever is drawn has the areas of what was
   logged. Hover and files tell the exact buckets. */
(function (ob) {
  "use strict";

  /** Give each line its left edges and where its histograms begin. */
  ob.unfoldHistograms = function unfoldHistograms(line) {
    const { lengths, right } = line;
    const starts = new Uint32Array(lengths.length + 1);
    for (let i = 0; i < lengths.length; i += 1) starts[i + 1] = starts[i] + lengths[i];
    if (!line.left) {
      // Mostly a bucket begins where the one before ends.
      const left = new right.constructor(right.length);
      left.set(right.subarray(0, Math.max(0, right.length - 1)), 1);
      const wide = line.first.some((value) => Math.fround(value) !== value) ? Float64Array.from(left) : left;
      for (let i = 0; i < lengths.length; i += 1) if (lengths[i]) wide[starts[i]] = line.first[i];
      line.left = wide;
    }
    line.starts = starts;
    line.step = line.x;
    return line;
  };

  /** Put the buckets [from, to) of columns into the bins between `edges`, by their areas. */
  ob.rebin = function rebin({ left, right, count }, from, to, edges) {
    const n = edges.length - 1;
    const bins = new Float64Array(n);
    for (let i = from; i < to; i += 1) {
      if (!count[i]) continue;
      const [low, high] = [left[i], right[i]];
      if (!(high > low)) {
        const at = low === edges[n] ? n - 1 : after(edges, low) - 1;
        if (at >= 0 && at < n) bins[at] += count[i];
        continue;
      }
      const density = count[i] / (high - low);
      for (let k = Math.max(0, after(edges, low) - 1); k < n && edges[k] < high; k += 1) {
        const shared = Math.min(high, edges[k + 1]) - Math.max(low, edges[k]);
        if (shared > 0) bins[k] += shared * density;
      }
    }
    return bins;
  };

  /** How many of the ascending `edges` are not above `value`. */
  function after(edges, value) {
    let [low, high] = [0, edges.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (edges[middle] <= value) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** Give the index of the bucket of histogram `i` that holds `value`; -1 when none does. */
  ob.bucketAt = function bucketAt(line, i, value) {
    for (let k = line.starts[i]; k < line.starts[i + 1]; k += 1) {
      if (line.left[k] <= value && (value < line.right[k] || (value === line.right[k] && (k + 1 === line.starts[i + 1] || line.left[k + 1] > value)))) return k;
    }
    return -1;
  };

  /** Give the index of the histogram nearest to a step; -1 of none. */
  ob.frameAt = function frameAt(line, step) {
    let best = -1;
    for (let i = 0; i < line.step.length; i += 1) {
      if (best < 0 || Math.abs(line.step[i] - step) <= Math.abs(line.step[best] - step)) best = i;
    }
    return best;
  };

  /** Where a histogram stands on the time axis. */
  ob.framePlace = function framePlace(line, i, axis) {
    if (axis === "rstep") return line.step[i] - (line.first_step ?? 0);
    if (axis === "relative" && line.since) return line.since[i];
    if (axis === "relative" || axis === "active") return line.wall[i] - (line.start ?? line.wall[0]);
    return axis === "wall" ? line.wall[i] : line.step[i];
  };

  /** The least and the greatest value that any histogram of the lines counts; null without any. */
  ob.valuesOf = function valuesOf(lines) {
    let [low, high] = [Infinity, -Infinity];
    for (const { left, right, count } of lines) {
      for (let k = 0; k < count.length; k += 1) {
        if (!count[k]) continue;
        if (left[k] < low) low = left[k];
        if (right[k] > high) high = right[k];
      }
    }
    return low <= high ? [low, high] : null;
  };

  /** Tell of lines in words: where each stands at a step, and how its spread went. */
  ob.describeHistograms = function describeHistograms(tag, lines, step) {
    const told = lines.filter((line) => line.step.length);
    if (!told.length) return `${tag}: no histogram in the shown runs.`;
    const rest = told.length - 5;
    const words = told.slice(0, 5).map((line) => `${told.length > 1 ? `${line.name}: ` : ""}${ob.spreadWords(line, step)}.`);
    return [`${tag}: ${ob.plural(told[0].n, "histogram")}.`, ...words, ...(rest > 0 ? [`And ${ob.plural(rest, "more run")}.`] : [])].join(" ");
  };

  /** Say mean and spread at a step (the last one without), and how the spread went since the first. */
  ob.spreadWords = function spreadWords(line, step) {
    const at = step === null ? line.step.length - 1 : ob.frameAt(line, step);
    const [mean, std] = [line.mean[at], line.std[at]];
    if (!Number.isFinite(mean)) return `nothing is counted at step ${ob.count(line.step[at])}`;
    const now = `mean ${ob.value(mean)}, std ${ob.value(std)} at step ${ob.count(line.step[at])}`;
    const first = line.std.findIndex((value) => value > 0);
    const times = first >= 0 && first < at ? std / line.std[first] : NaN;
    if (!Number.isFinite(times)) return now;
    if (times > 0.8 && times < 1.25) return `${now}; spread as at first`;
    return times >= 1 ? `${now}; spread grew ${factor(times)}×` : `${now}; spread shrank to ${ob.value(100 * times)} %`;
  };

  const factor = (times) => (times >= 100 ? ob.short(Math.round(times)) : String(Number(times.toPrecision(2))));

  /** Say of lines of groups of how many runs each is the sum; nothing of lines of runs. */
  ob.sumWords = function sumWords(lines) {
    const grouped = lines.filter((line) => line.members);
    if (!grouped.length) return "";
    const members = grouped.map((line) => line.members);
    const [least, most] = [Math.min(...members), Math.max(...members)];
    const fewer = grouped.some((line) => line.runs.some((n) => n < line.members)) ? ", of fewer at some steps" : "";
    const runs = `${least < most ? `${least}–` : ""}${ob.plural(most, "run")}${fewer}`;
    return grouped.length > 1 ? `${ob.plural(grouped.length, "group")}, each the sum of ${runs}` : `the sum of ${runs}`;
  };

  /** Say what of the lines cannot be drawn, and why; nothing when all of it can. */
  ob.faultWords = function faultWords(lines, bits) {
    let faults = 0;
    let left = 0;
    let first = null;
    for (const line of lines) {
      for (let i = 0; i < line.faults.length; i += 1) {
        if (!line.faults[i]) continue;
        faults |= line.faults[i];
        left += line.left_out[i];
        first ??= line.step[i];
      }
    }
    if (!faults) return "";
    const why = bits.filter((_, bit) => (faults >> bit) & 1).join(", ");
    const from = `from step ${ob.count(first)}`;
    return left ? `${ob.plural(left, "bucket")} ${from} cannot be drawn: ${why}` : `Odd ${from}: ${why}`;
  };
})((globalThis.ob = globalThis.ob || {}));
