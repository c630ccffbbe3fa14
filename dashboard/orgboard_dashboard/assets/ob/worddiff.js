/* What became of a text, word by word. Pure: two texts give pieces in their order. */
(function (ob) {
  "use strict";

  /** Words times words that are compared one with the other: some milliseconds. */
  const MOST_CELLS = 4e6;

  /** Give pieces {text, was} of two texts: was is "same", "gone" (only before) or "new" (only after). */
  ob.wordDiff = function wordDiff(before, after) {
    const [a, b] = [pieces(before), pieces(after)];
    let start = 0;
    while (start < a.length && start < b.length && a[start] === b[start]) start += 1;
    let [endA, endB] = [a.length, b.length];
    while (endA > start && endB > start && a[endA - 1] === b[endB - 1]) {
      endA -= 1;
      endB -= 1;
    }
    const found = [
      ...a.slice(0, start).map((text) => ({ text, was: "same" })),
      ...between(a.slice(start, endA), b.slice(start, endB)),
      ...a.slice(endA).map((text) => ({ text, was: "same" })),
    ];
    return joined(found);
  };

  /** Words and signs, each with the blanks after it: blanks alone would be alike everywhere. */
  const pieces = (text) => text.match(/^\s+|(?:[\p{L}\p{N}_]+|[^\s\p{L}\p{N}_])\s*/gu) ?? [];

  /** The longest common part of two lists, by the table of its lengths; what is too long is all new. */
  function between(a, b) {
    const gone = (text) => ({ text, was: "gone" });
    const fresh = (text) => ({ text, was: "new" });
    if (a.length * b.length > MOST_CELLS) return [...a.map(gone), ...b.map(fresh)];
    const width = b.length + 1;
    const length = new Uint32Array((a.length + 1) * width);
    for (let i = a.length - 1; i >= 0; i -= 1) {
      for (let j = b.length - 1; j >= 0; j -= 1) {
        length[i * width + j] = a[i] === b[j] ? length[(i + 1) * width + j + 1] + 1 : Math.max(length[(i + 1) * width + j], length[i * width + j + 1]);
      }
    }
    const found = [];
    let [i, j] = [0, 0];
    while (i < a.length && j < b.length) {
      if (a[i] === b[j]) {
        found.push({ text: a[i], was: "same" });
        i += 1;
        j += 1;
      } else if (length[(i + 1) * width + j] >= length[i * width + j + 1]) found.push(gone(a[i++]));
      else found.push(fresh(b[j++]));
    }
    return [...found, ...a.slice(i).map(gone), ...b.slice(j).map(fresh)];
  }

  function joined(found) {
    const parts = [];
    for (const { text, was } of found) {
      if (parts.at(-1)?.was === was) parts.at(-1).text += text;
      else parts.push({ text, was });
    }
    return parts;
  }
})((globalThis.ob = globalThis.ob || {}));
