/* What a card says below its chart: what matters in words, and how many points are drawn. */
(function (ob) {
  "use strict";

  const END = 200;
  const LESS_IS_BETTER = /(^|[^a-z])(loss|err|error|nll|ce|ece|mse|rmse|mae|perplexity|ppl|fid|wer|cer|kl)([^a-z]|$)/i;
  const MORE_IS_BETTER = /(^|[^a-z])(acc|accuracy|f1|auc|auroc|ap|map|iou|miou|bleu|rouge|psnr|ssim|precision|recall|r2|reward|return|score|top[15])([^a-z]|$)/i;

  /** Stands before the name of a metric of the dictionary where a tag may stand. */
  ob.METRIC = "metric:";

  /** What the server said of tags and metrics, by name: the dictionary of metrics knows best. */
  const told = new Map();

  /** Keep what the server says of tags and metrics: rows of {name, best, unit}. */
  ob.learn = function learn(rows) {
    for (const { name, best, unit = "" } of rows) told.set(name, { best, unit });
  };

  /** Tell which values of a tag are the best ones: "min", "max" or null. */
  ob.better = (tag) => (told.has(tag) ? told.get(tag).best : guessed(tag));

  /** Give the unit of a tag, or of a metric; "" where nobody said it. */
  ob.unitOf = (tag) => told.get(tag)?.unit ?? "";

  /** Write a value of a tag, with its unit. */
  ob.measured = (value, tag) => [ob.value(value), ob.unitOf(tag)].filter(Boolean).join("\u202f");

  /** Give the name of a metric without what stands before it; of a tag the tag. */
  ob.plainName = (name) => (name.startsWith(ob.METRIC) ? name.slice(ob.METRIC.length) : name);

  /** Twin of `guessed` (directions.py). */
  function guessed(name) {
    const letters = name.length > 2 * END ? [...name] : [];
    const tag = letters.length > 2 * END ? `${letters.slice(0, END).join("")}/${letters.slice(-END).join("")}` : name;
    if (LESS_IS_BETTER.test(tag)) return "min";
    return MORE_IS_BETTER.test(tag) ? "max" : null;
  }

  /** Tell whether less of a tag is better (-1), or more (1); 0 when nobody says. */
  ob.direction = (tag) => ({ min: -1, max: 1 })[ob.better(tag)] ?? 0;

  /** Say [what matters, how many points] of the lines of one tag. */
  ob.cardWords = function cardWords(tag, lines, clipped = 0) {
    const shown = lines.reduce((sum, line) => sum + line.shown, 0);
    const n = lines.reduce((sum, line) => sum + line.n, 0);
    const points = shown < n ? `${ob.count(shown)} of ${ob.plural(n, "point")}` : ob.plural(n, "point");
    const outside = clipped ? ` · ${ob.count(clipped)} outside` : "";
    return [strange(lines) || best(tag, lines) || last(tag, lines), n ? points + outside : ""];
  };

  function strange(lines) {
    const line = lines.find((one) => one.nonfinite > 0);
    if (!line) return "";
    const mark = line.marks[0];
    const where = mark ? ` ${line.nonfinite > 1 ? "from" : "at"} step ${ob.count(mark.step)}` : "";
    const what = mark ? mark.value.replace("-Infinity", "−∞").replace("Infinity", "∞") : "NaN";
    return `${ob.count(line.nonfinite)} ${what}${where} · ${line.name}`;
  }

  function best(tag, lines) {
    const way = ob.direction(tag);
    if (way === 0) return "";
    let found = null;
    for (const line of lines) {
      for (const y of line.y) {
        if (Number.isFinite(y) && (found === null || (y - found.y) * way > 0)) found = { y, line };
      }
    }
    return found ? `best ${ob.measured(found.y, tag)} · ${found.line.name}` : "";
  }

  function last(tag, lines) {
    const filled = lines.filter((line) => line.y.length);
    const line = filled.sort((a, b) => b.step.at(-1) - a.step.at(-1))[0];
    return line ? `last ${ob.measured(line.y.at(-1), tag)} · ${line.name}` : "";
  }
})((globalThis.ob = globalThis.ob || {}));
