/* Smoothing: the exponential moving average without the bias of its start, as TensorBoard's.

   Twin of charts/smoothing.py; tests/dashboard/vectors/smoothing.json keeps them equal. */
(function (ob) {
  "use strict";

  /** Smooth `values` by `weight` in [0, 1). A constant series comes back untouched; values
      that are not finite pass through and do not count. */
  ob.smooth = function smooth(values, weight) {
    const out = new Float64Array(values.length);
    const constant = values.length > 0 && values.every((value) => value === values[0]);
    if (constant || weight <= 0) {
      out.set(values);
      return out;
    }
    let sum = 0;
    let decay = 1;
    for (let i = 0; i < values.length; i += 1) {
      const value = values[i];
      if (Number.isFinite(value)) {
        sum = sum * weight + (1 - weight) * value;
        decay *= weight;
        out[i] = sum / (1 - decay);
      } else {
        out[i] = value;
      }
    }
    return out;
  };
})((globalThis.ob = globalThis.ob || {}));
