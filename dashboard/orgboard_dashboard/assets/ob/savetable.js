/* Take the table of runs along: the rows that match, in their order, with the columns that are
   chosen, as CSV, JSON or LaTeX. Numbers have all their digits, and times are ISO 8601. */
(function (ob) {
  "use strict";

  const MOST = 10000;
  const BLOCK = 1000;
  const FORMS = [["csv", "CSV"], ["json", "JSON"], ["tex", "LaTeX"]];
  const TIMES = new Set(["started", "last_event", "archived_at"]);
  const TYPES = { csv: "text/csv", json: "application/json", tex: "text/x-tex" };
  const TEX = { "\\": "\\textbackslash{}", "~": "\\textasciitilde{}", "^": "\\textasciicircum{}" };

  /** Ask in which form, and save. */
  ob.askTable = function askTable(project) {
    let form = "csv";
    const runs = Math.min(project.matching ?? 0, MOST);
    const which = runs < project.matching ? `The first ${ob.count(runs)} runs that match` : `${ob.plural(runs, "run")} that ${runs === 1 ? "matches" : "match"}`;
    ob.dialog("Save the table", [
      ob.el("p", {}, `${which}, in this order, with the columns that are chosen.`),
      ob.el("label.ob-field", {}, ob.el("span", {}, "As"), ob.select("Form of the table", FORMS, form, (value) => { form = value; })),
    ], { does: "Save", act: async () => save(await rowsOf(project), form) });
  };

  async function rowsOf(project) {
    const asked = { q: ob.view.runFilter, sort: ob.view.sort, limit: BLOCK };
    const runs = [];
    for (;;) {
      const answer = await project.rows({ ...asked, offset: runs.length }, ob.metricKeys(ob.columns()));
      runs.push(...answer.runs);
      if (answer.runs.length < BLOCK || runs.length >= MOST) return runs.slice(0, MOST);
    }
  }

  function save(runs, form) {
    const keys = ob.columns().map(({ key }) => key);
    const text = { csv, json, tex }[form](keys, runs);
    const href = URL.createObjectURL(new Blob([text], { type: TYPES[form] }));
    const link = ob.el("a", { href, download: `runs.${form}`, hidden: true });
    document.body.append(link);
    link.click();
    link.remove();
    setTimeout(() => URL.revokeObjectURL(href));
  }

  /** Give a value as JSON can hold it; null where a run has none. */
  function valueOf(run, key) {
    if (key === "name") return ob.runName(run);
    const value = ob.columnValue(run, key) ?? null;
    if (TIMES.has(key) && Number.isFinite(value)) return new Date(value * 1000).toISOString();
    if (typeof value !== "number" || Number.isFinite(value)) return value;
    return Number.isNaN(value) ? "nan" : value > 0 ? "inf" : "-inf";
  }

  /** Give the same as one text. */
  function textOf(run, key) {
    const value = valueOf(run, key);
    if (Array.isArray(value)) return value.join(", ");
    return value === null ? "" : typeof value === "object" ? JSON.stringify(value) : String(value);
  }

  /** Mark text that a table program would take for a formula. Twin of `guarded` (spelling.py). */
  const guarded = (text) => (/^[=+\-@\t\r]/.test(text) ? `'${text}` : text);

  ob.tableCsv = csv;

  function csv(keys, runs) {
    const field = (text) => (/[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
    const cell = (run, key) => (typeof valueOf(run, key) === "number" ? textOf(run, key) : guarded(textOf(run, key)));
    const lines = [keys.map(guarded), ...runs.map((run) => keys.map((key) => cell(run, key)))];
    return lines.map((line) => `${line.map(field).join(",")}\n`).join("");
  }

  function json(keys, runs) {
    const rows = runs.map((run) => ({ uid: run.uid, ...Object.fromEntries(keys.map((key) => [key, valueOf(run, key)])) }));
    return `${JSON.stringify(rows, null, 1)}\n`;
  }

  /** Make a table of the package booktabs. */
  function tex(keys, runs) {
    const line = (cells) => `${cells.map(escaped).join(" & ")} \\\\`;
    const isNumber = (key) => runs.some((run) => typeof valueOf(run, key) === "number");
    return [
      `\\begin{tabular}{${keys.map((key) => (isNumber(key) ? "r" : "l")).join("")}}`, "\\toprule", line(keys.map(ob.columnTitle)), "\\midrule",
      ...runs.map((run) => line(keys.map((key) => textOf(run, key)))), "\\bottomrule", "\\end{tabular}", "",
    ].join("\n");
  }

  function escaped(text) {
    return text.replace(/\s+/g, " ").replace(/[\\~^]|[&%$#_{}]/g, (sign) => TEX[sign] ?? `\\${sign}`);
  }
})((globalThis.ob = globalThis.ob || {}));
