/* How far the axes of a card reach, and how a value becomes a height: plain, logarithmic, or
   both (symlog), with outliers left out or not. Pure.

   A level is what an axis is even in: the value itself, or its logarithm. Ranges are levels.
   Twin of charts/ranges.py; tests/dashboard/vectors/figures.json keeps them equal. */
(function (ob) {
  "use strict";

  /** Part of the axis left free above and below the lines. */
  const PADDING = 0.06;
  /** TensorBoard's: the range is from the 5th to the 95th percentile. */
  const OUTLYING = 0.05;
  /** What lies beyond it by no more than its own length is no outlier: a noise's tails, the
      steep start of a loss. With 0 it would be TensorBoard's to the letter. */
  const NEAR_SPANS = 1;
  /** Powers of ten between the greatest value of a symlog axis and where it becomes linear. */
  const SYM_DECADES = 3;

  /** Give the level of a value on an axis of that kind; `unit` is where symlog is linear. */
  ob.levelOf = function levelOf(kind, unit) {
    if (kind === "log") return Math.log10;
    if (kind === "sym") return (value) => Math.sign(value) * Math.log10(1 + Math.abs(value) / unit);
    return (value) => value;
  };

  /** Give the value of a level: the way back. */
  ob.valueOf = function valueOf(kind, unit) {
    if (kind === "log") return (level) => 10 ** level;
    if (kind === "sym") return (level) => Math.sign(level) * unit * (10 ** Math.abs(level) - 1);
    return (level) => level;
  };

  /** The section of a tag: what stands before its last slash. */
  ob.sectionOf = (tag) => (tag.startsWith(ob.METRIC) ? ob.METRIC : tag.slice(0, Math.max(0, tag.lastIndexOf("/"))));

  /** The kind of the horizontal axis. */
  ob.xKind = (view) => (view.logX ? "log" : "lin");

  /** Range of x in levels; on a log axis only what is above 0 counts. */
  ob.xRange = function xRange(lines, view) {
    let [low, high] = [Infinity, -Infinity];
    const [from, to] = view.zoom ?? [null, null];
    if (from === null || (view.logX && from <= 0 && to > 0)) {
      const take = (x) => {
        if (x === null || !Number.isFinite(x) || (view.logX && x <= 0)) return;
        low = Math.min(low, x);
        high = Math.max(high, x);
      };
      for (const line of lines) {
        for (const x of line.x) take(x);
        for (const { x } of line.marks) take(x);
      }
    }
    if (from !== null && (!view.logX || to > 0)) {
      high = to;
      if (!view.logX || from > 0) low = from;
      else if (!(low < high)) low = to / 1000;
    }
    if (low > high) return [0, 1];
    if (low === high) return view.logX ? [Math.log10(low) - 1, Math.log10(high) + 1] : [low - 1, high + 1];
    return view.logX ? [Math.log10(low), Math.log10(high)] : [low, high];
  };

  /** Range of y in levels, {y, unit, clipped}: `clipped` is how many drawn points it leaves out.
      Only what is drawn counts. `tag` or its section may have a range
      of its own. */
  ob.yRange = function yRange(lines, view, tag) {
    const heights = heightsOf(lines, view);
    const unit = view.yAxis === "sym" ? symUnit(heights) : 1;
    const level = ob.levelOf(view.yAxis, unit);
    const automatic = padded(extremes(heights, view.outliersClipped, level));
    const y = fixed(view, tag, level, automatic) ?? automatic;
    return { y, unit, clipped: ob.outsideOf(lines, view, { y, unit }) };
  };

  /** Count the points of these lines that lie outside the vertical range. */
  ob.outsideOf = function outsideOf(lines, view, { y: [low, high], unit }) {
    const level = ob.levelOf(view.yAxis, unit);
    let n = 0;
    for (const line of lines) {
      for (let i = 0; i < line.y.length; i += 1) {
        const y = line.y[i];
        if (!Number.isFinite(y) || (view.yAxis === "log" && y <= 0) || outside(line.x[i], view.zoom)) continue;
        const at = level(y);
        if (at < low || at > high) n += 1;
      }
    }
    return n;
  };

  function heightsOf(lines, view) {
    const columns = view.smoothing > 0 ? (line) => [line.y, line.smoothed] : (line) => [line.y];
    const most = lines.reduce((sum, line) => sum + 2 * line.y.length, 0);
    const heights = new Float64Array(most);
    let n = 0;
    for (const line of lines) {
      for (const column of columns(line)) {
        for (let i = 0; i < column.length; i += 1) {
          const y = column[i];
          if (Number.isFinite(y) && (y > 0 || view.yAxis !== "log") && !outside(line.x[i], view.zoom)) heights[n++] = y;
        }
      }
    }
    return heights.subarray(0, n);
  }

  /** The levels of the least and the greatest height; without outliers, when that leaves a range. */
  function extremes(heights, clipped, level) {
    if (!heights.length) return null;
    let [first, last] = [0, heights.length - 1];
    heights.sort();
    const low = level(heights[Math.floor(last * OUTLYING)]);
    const high = level(heights[Math.ceil(last * (1 - OUTLYING))]);
    if (clipped && low < high) {
      const near = NEAR_SPANS * (high - low);
      while (level(heights[first]) < low - near) first += 1;
      while (level(heights[last]) > high + near) last -= 1;
    }
    return [level(heights[first]), level(heights[last])];
  }

  function padded(limits) {
    if (limits === null) return [0, 1];
    const [low, high] = limits;
    const room = low === high ? Math.abs(low) * 0.1 || 1 : (high - low) * PADDING;
    return [low - room, high + room];
  }

  /** Give the range that somebody set, of a tag's card, its section or the page; null: none. */
  ob.rangeSet = function rangeSet(view, tag) {
    const given = (ranges, name) => (ranges ?? []).find(([of]) => of === name)?.slice(1);
    return given(view.cardRanges, tag) ?? given(view.sectionRanges, ob.sectionOf(tag)) ?? view.yRange ?? null;
  };

  /** The same, in levels; on a log axis a lower end without a logarithm is not set. */
  function fixed(view, tag, level, automatic) {
    const [low, high] = ob.rangeSet(view, tag) ?? [null, null];
    if (low === null || (view.yAxis === "log" && high <= 0)) return null;
    const top = level(high);
    const bottom = view.yAxis === "log" && low <= 0 ? Math.min(automatic[0], top - 1) : level(low);
    return [bottom, top];
  }

  function symUnit(heights) {
    let most = 0;
    for (const y of heights) most = Math.max(most, Math.abs(y));
    return most > 0 ? 10 ** (Math.floor(Math.log10(most)) - SYM_DECADES) : 1;
  }

  function outside(x, zoom) {
    return Boolean(zoom) && (x < zoom[0] || x > zoom[1]);
  }
})((globalThis.ob = globalThis.ob || {}));
