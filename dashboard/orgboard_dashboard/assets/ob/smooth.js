/* Smoothing: four ways to draw a calmer line over a noisy one.

   ema    exponential moving average without the bias of its start, as TensorBoard's
   twema  the same, but what is far away in x counts less: for uneven steps
   gauss  a bell around each point
   mean   a window around each point

   One weight in [0, 1) serves them all: on even steps each looks about weight / (1 - weight)
   points far. A constant series comes back untouched; values that are not finite pass through
   and do not count. Twin of charts/smoothing.py; tests/dashboard/vectors/smoothing.json keeps
   them equal. */
(function (ob) {
  "use strict";

  /** So narrow that a neighbour counts for nothing. */
  const LEAST_SIGMA = 0.001;

  /** The kinds, as people choose them: [value, label, what it does]. */
  ob.SMOOTHINGS = [
    ["ema", "Exponential", "As TensorBoard: each point counts less the longer ago it was"],
    ["twema", "Time-weighted", "Exponential, and gaps between uneven steps count as long as they are"],
    ["gauss", "Gaussian", "A bell around each point, looking ahead as far as back"],
    ["mean", "Running mean", "A window around each point"],
  ];

  /** Smooth `values` by `weight` in [0, 1). `x`, ascending, is for the kind "twema". */
  ob.smooth = function smooth(values, weight, kind = "ema", x = null) {
    const constant = values.length > 0 && values.every((value) => value === values[0]);
    if (constant || weight <= 0) return Float64Array.from(values);
    if (kind === "gauss") return gauss(values, weight);
    if (kind === "mean") return mean(values, evenRound(reach(weight)));
    return ema(values, kind === "twema" && x ? weights(values, weight, x) : null, weight);
  };

  /** Smooth a line as the view says; asked again with the same, it is not done again. */
  ob.smoothLine = function smoothLine(line, { smoothing, smoothingKind }) {
    const by = `${smoothingKind} ${smoothing}`;
    if (line.smoothedBy !== by || line.smoothedOf !== line.y) {
      line.smoothed = ob.smooth(line.y, smoothing, smoothingKind, line.x);
      line.smoothedBy = by;
      line.smoothedOf = line.y;
    }
    return line.smoothed;
  };

  /** How many points the average lags behind. */
  function reach(weight) {
    return weight / (1 - weight);
  }

  /** Round as Python does: halves to the even. */
  function evenRound(value) {
    const down = Math.floor(value);
    return value - down === 0.5 ? down + (down % 2) : Math.round(value);
  }

  function ema(values, each, weight) {
    const out = new Float64Array(values.length);
    let sum = 0;
    let decay = 1;
    for (let i = 0; i < values.length; i += 1) {
      const value = values[i];
      const keep = each ? each[i] : weight;
      if (Number.isFinite(value)) {
        sum = sum * keep + (1 - keep) * value;
        decay *= keep;
        out[i] = sum / (1 - decay);
      } else {
        out[i] = value;
      }
    }
    return out;
  }

  /** What the average keeps at each point: less after a gap, all at the same x. */
  function weights(values, weight, x) {
    const gaps = new Float64Array(values.length).fill(-1);
    let before = -1;
    for (let i = 0; i < values.length; i += 1) {
      if (!Number.isFinite(values[i])) continue;
      if (before >= 0) gaps[i] = x[i] - x[before];
      before = i;
    }
    const steps = gaps.filter((gap) => gap > 0).sort();
    if (!steps.length) return null;
    const half = steps.length >> 1;
    const even = steps.length % 2 ? steps[half] : (steps[half - 1] + steps[half]) / 2;
    return gaps.map((gap) => (gap < 0 ? weight : gap === even ? weight : weight ** (gap / even)));
  }

  function gauss(values, weight) {
    const n = values.length;
    const sigma = Math.max(reach(weight), LEAST_SIGMA);
    const far = Math.min(n - 1, Math.ceil(3 * sigma));
    const bell = Float64Array.from({ length: far + 1 }, (_, apart) => Math.exp(-0.5 * (apart / sigma) ** 2));
    const out = new Float64Array(n);
    for (let i = 0; i < n; i += 1) {
      let [sum, mass] = [0, 0];
      for (let j = Math.max(0, i - far); j < Math.min(n, i + far + 1); j += 1) {
        if (!Number.isFinite(values[j])) continue;
        const part = bell[Math.abs(j - i)];
        sum += part * values[j];
        mass += part;
      }
      out[i] = Number.isFinite(values[i]) ? sum / mass : values[i];
    }
    return out;
  }

  function mean(values, far) {
    const n = values.length;
    const sums = new Float64Array(n + 1);
    const counts = new Int32Array(n + 1);
    for (let i = 0; i < n; i += 1) {
      const finite = Number.isFinite(values[i]);
      sums[i + 1] = sums[i] + (finite ? values[i] : 0);
      counts[i + 1] = counts[i] + Number(finite);
    }
    return Float64Array.from(values, (value, i) => {
      if (!Number.isFinite(value)) return value;
      const [first, after] = [Math.max(0, i - far), Math.min(n, i + far + 1)];
      return (sums[after] - sums[first]) / Math.max(1, counts[after] - counts[first]);
    });
  }
})((globalThis.ob = globalThis.ob || {}));
