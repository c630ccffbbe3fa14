/* Small curves in the table of runs: the column "spark:TAG" shows how a metric went.

   They come after the rows, in one question for all rows and columns that lack them, and are
   asked for again when their run has grown. */
(function (ob) {
  "use strict";

  const [WIDTH, HEIGHT, MARGIN] = [96, 20, 2];
  /** A point a pixel is more than anybody sees here. */
  const COLUMNS = 24;
  const MOST_TAGS = 12;
  const MOST_KEPT = 20000;

  const kept = new Map();
  const ids = new WeakMap();

  /** Give the curve of a run's metric, as far as it is here: {path, words}. */
  ob.sparkOf = (uid, tag) => kept.get(`${uid} ${tag}`);

  /** Bring the curves that rows lack; tells whether there were any. */
  ob.bringSparks = async function bringSparks(project, runs, signal) {
    const tags = ob.columns().map(({ key }) => ob.columnOf(key)).filter(({ source }) => source === "spark").map(({ name }) => name).slice(0, MOST_TAGS);
    const lacking = runs.filter((run) => tags.some((tag) => ob.sparkOf(run.uid, tag)?.revision !== run.revision));
    if (!lacking.length) return false;
    const idOf = await tagIds(project, tags, signal);
    const known = tags.filter((tag) => idOf.has(tag));
    if (!known.length) return false;
    const body = {
      cards: known.map((tag) => ({ tag: idOf.get(tag) })), runs: lacking.map(({ uid }) => uid),
      x: "step", from: null, to: null, width: COLUMNS, superseded: false, since: null,
    };
    const { cards } = await ob.postScalars(project.path, body, signal);
    if (kept.size > MOST_KEPT) kept.clear();
    for (const run of lacking) {
      for (const tag of known) {
        const lines = cards.find((card) => card.tag === idOf.get(tag))?.lines ?? [];
        kept.set(`${run.uid} ${tag}`, { revision: run.revision, ...drawn(lines.find((line) => line.run === run.uid)) });
      }
    }
    return true;
  };

  async function tagIds(project, tags, signal) {
    let known = ids.get(project);
    if (!known || tags.some((tag) => !known.has(tag))) {
      const byMetric = tags.some((tag) => tag.startsWith(ob.METRIC));
      const asked = ["", ...(byMetric ? ["&by_metric=true"] : [])].map((how) => ob.getJson(`${project.path}/tags?kind=scalar${how}`, signal));
      // Beside metrics there are the tags that they are of.
      known = new Map((await Promise.all(asked)).flatMap((found) => found.tags).map(({ name, id }) => [name, id]));
      ids.set(project, known);
    }
    return known;
  }

  function drawn(line) {
    const at = line ? [...line.y.keys()].filter((i) => Number.isFinite(line.y[i])) : [];
    if (!at.length) return { path: "", words: "" };
    const [x, y] = [at.map((i) => line.x[i]), at.map((i) => line.y[i])];
    const [left, right, low, high] = [x[0], x.at(-1), Math.min(...y), Math.max(...y)];
    const px = x.map((value) => MARGIN + part(value, left, right, 0) * (WIDTH - 2 * MARGIN));
    const py = y.map((value) => HEIGHT - MARGIN - part(value, low, high, 0.5) * (HEIGHT - 2 * MARGIN));
    // One point is a dot: a line to itself with round ends.
    const path = `M${px.map((each, i) => `${each.toFixed(1)} ${py[i].toFixed(1)}`).join("L")}${px.length === 1 ? "h0" : ""}`;
    return { path, words: `from ${ob.value(y[0])} to ${ob.value(y.at(-1))}, between ${ob.value(low)} and ${ob.value(high)}` };
  }

  function part(value, low, high, otherwise) {
    // Halved, because the range of two doubles may not be a double.
    return high > low ? (value / 2 - low / 2) / (high / 2 - low / 2) : otherwise;
  }

  const components = (globalThis.dashAgGridComponentFunctions = globalThis.dashAgGridComponentFunctions || {});

  components.obSpark = function obSpark({ data, column }) {
    const spark = data && ob.sparkOf(data.uid, ob.columnOf(column.getColId()).name);
    if (!spark?.path) return null;
    const { createElement } = globalThis.React;
    return createElement("svg", { className: "ob-spark", width: WIDTH, height: HEIGHT, role: "img", "aria-label": spark.words },
      createElement("path", { d: spark.path, stroke: ob.ink(data.color).color }));
  };
})((globalThis.ob = globalThis.ob || {}));
