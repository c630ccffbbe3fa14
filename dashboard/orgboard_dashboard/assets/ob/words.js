/* What a card says below its chart: what matters in words, and how many points are drawn. */
(function (ob) {
  "use strict";

  const LESS_IS_BETTER = /(^|[^a-z])(loss|err|error|nll|ce|ece|mse|rmse|mae|perplexity|ppl|fid|wer|cer|kl)([^a-z]|$)/i;
  const MORE_IS_BETTER = /(^|[^a-z])(acc|accuracy|f1|auc|auroc|ap|map|iou|miou|bleu|rouge|psnr|ssim|precision|recall|r2|reward|return|score|top[15])([^a-z]|$)/i;

  /** Tell by a tag's name which of its values is the best one: "min", "max" or null. Twin of metrics.py. */
  ob.better = function better(tag) {
    if (LESS_IS_BETTER.test(tag)) return "min";
    return MORE_IS_BETTER.test(tag) ? "max" : null;
  };

  /** Tell by a tag's name whether less of it is better (-1), or more (1); 0 when it does not say. */
  ob.direction = (tag) => ({ min: -1, max: 1 })[ob.better(tag)] ?? 0;

  /** Say [what matters, how many points] of the lines of one tag. */
  ob.cardWords = function cardWords(tag, lines, clipped = 0) {
    const shown = lines.reduce((sum, line) => sum + line.shown, 0);
    const n = lines.reduce((sum, line) => sum + line.n, 0);
    const points = shown < n ? `${ob.count(shown)} of ${ob.plural(n, "point")}` : ob.plural(n, "point");
    const outside = clipped ? ` · ${ob.count(clipped)} outside` : "";
    return [strange(lines) || best(tag, lines) || last(lines), n ? points + outside : ""];
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
    return found ? `best ${ob.value(found.y)} · ${found.line.name}` : "";
  }

  function last(lines) {
    const filled = lines.filter((line) => line.y.length);
    const line = filled.sort((a, b) => b.step.at(-1) - a.step.at(-1))[0];
    return line ? `last ${ob.value(line.y.at(-1))} · ${line.name}` : "";
  }
})((globalThis.ob = globalThis.ob || {}));
