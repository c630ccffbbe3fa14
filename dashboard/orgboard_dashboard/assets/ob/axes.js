/* The words of the axes: what x can be, what it means, and how a place on it is written. */
(function (ob) {
  "use strict";

  /** What x can be: [value, label, what it means]. places.py has the rules. */
  ob.X_AXES = [
    ["step", "Step", "As it was logged"],
    ["rstep", "Relative step", "Steps since the run's first one of this tag"],
    ["index", "Index", "The first point of this tag is 0, the next one 1, whatever its step"],
    ["relative", "Relative time", "Time since the run's first point of this tag"],
    ["wall", "Wall time", "The time of day"],
    ["active", "Active time", "Without pauses: a gap longer than 10 times the usual one, and than 10 s, counts as one usual gap"],
  ];

  /** The tag on the axis; null when it is none. */
  ob.xMetric = (view) => (view.xAxis.startsWith("m:") ? view.xAxis.slice(2) : null);

  /** Name the axis. */
  ob.xName = function xName(view) {
    const metric = ob.xMetric(view);
    return metric ?? ob.X_AXES.find(([value]) => value === view.xAxis)[1];
  };

  /** Write a place on the axis. */
  ob.xText = function xText(x, view) {
    if (["step", "rstep", "index"].includes(view.xAxis)) return ob.count(x);
    if (view.xAxis === "relative" || view.xAxis === "active") return ob.span(x);
    return view.xAxis === "wall" ? ob.clock(x, true) : ob.value(x);
  };

  /** Index of the value nearest to `wanted` in an ascending column. */
  ob.nearestIn = function nearestIn(column, wanted) {
    let [low, high] = [0, column.length - 1];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (column[middle] < wanted) low = middle + 1;
      else high = middle;
    }
    return low > 0 && wanted - column[low - 1] < column[low] - wanted ? low - 1 : low;
  };

  /** Write a stretch of the axis. */
  ob.xStretch = function xStretch([low, high], view) {
    const what = view.xAxis === "step" ? "steps " : "";
    return `${what}${ob.xText(low, view)} to ${ob.xText(high, view)}`;
  };

  /** Round the ends of a stretch: short in the address, finer than a pixel. */
  ob.xRounded = function xRounded(low, high) {
    const digits = Math.max(0, Math.min(12, 4 - Math.floor(Math.log10(high - low))));
    return [Number(low.toFixed(digits)), Number(high.toFixed(digits))];
  };

  /** Of a stretch of so many pixels four points are drawn, about 500 points a line; of few lines,
      which can be looked at closely, four in each pixel. */
  const COLUMN_PX = 3;
  const FEW_LINES = 3;
  const MOST_COLUMNS = 2000;

  /** How many pixel columns the server is asked for, to draw so many lines on a plot. */
  ob.columnsFor = function columnsFor(plot, lines) {
    const px = lines <= FEW_LINES ? 1 : COLUMN_PX;
    return Math.max(60, Math.min(MOST_COLUMNS, Math.round(plot.clientWidth / px)));
  };

  /** What the server is asked to draw on. A zoom that a log axis does not have is none. */
  ob.placeOf = function placeOf({ xAxis, logX, zoom }) {
    const [from, to] = zoom && (!logX || zoom[1] > 0) ? zoom : [null, null];
    return { x: xAxis, lx: logX, from, to };
  };
})((globalThis.ob = globalThis.ob || {}));
