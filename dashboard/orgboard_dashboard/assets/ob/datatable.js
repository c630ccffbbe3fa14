/* The table of values: what the points of a card come to in the selected stretch, a run a row.
   The server counts all points, not only those drawn; smoothed is the end of the drawn line. */
(function (ob) {
  "use strict";

  const COLUMNS = [
    ["name", "run", "text"], ["end", "value", "number"], ["smoothed", "smoothed", "number"],
    ["min", "min", "number"], ["max", "max", "number"], ["start", "start", "number"],
    ["change", "change", "number"], ["percent", "change, %", "number"], ["mean", "mean", "number"],
    ["min_step", "min at step", "step"], ["max_step", "max at step", "step"],
    ["start_step", "from step", "step"], ["end_step", "to step", "step"], ["n", "points", "step"],
  ];

  const DRAGGED = "application/x-orgboard-column";

  /** These, and the hyperparameters that the table of runs shows; those that were moved come first. */
  function columnsNow() {
    const settings = ob.columns().filter(({ key }) => key.startsWith("hp:"));
    const all = [...COLUMNS, ...settings.map(({ key }) => [key, ob.columnTitle(key), "setting"])];
    const first = ob.view.valueColumns.map((key) => all.find((column) => column[0] === key)).filter(Boolean);
    return [...first, ...all.filter((column) => !first.includes(column))];
  }

  /** Give a column another place. */
  function move(key, to) {
    const keys = columnsNow().map(([one]) => one);
    const others = keys.filter((one) => one !== key);
    ob.setView({ valueColumns: others.toSpliced(Math.max(0, Math.min(others.length, to)), 0, key) });
    paint();
  }

  let table = null;

  /** Open the table for a card; what is selected is in the view. */
  ob.openTable = function openTable(card) {
    table ??= make();
    table.card = card;
    card.el.closest(".ob-out")?.after(table.el);
    fetchRows();
  };

  ob.closeTable = function closeTable() {
    table?.controller?.abort();
    table?.el.remove();
    table = null;
  };

  /** Ask again: other runs, another stretch, another axis. */
  ob.refreshTable = function refreshTable() {
    if (table) fetchRows();
  };

  function make() {
    const made = { sort: ["end", 1], rows: [], controller: null };
    made.title = ob.el("h2.ob-mono");
    made.range = ob.el("span.ob-range-place");
    made.problem = ob.el("span.ob-problem", { role: "alert" });
    made.body = ob.el("tbody");
    made.head = ob.el("tr");
    const copy = ob.el("button.ob-pill", { type: "button", onclick: () => copyRows(made, copy) }, "Copy");
    const close = ob.el("button.ob-icon", { type: "button", "aria-label": "Close the table of values", onclick: () => { ob.setView({ selectedRange: null }); ob.closeTable(); } }, "✕");
    made.el = ob.el("section.ob-drawer", { "aria-label": "Table of values" },
      ob.el("header", {}, made.title, made.range, made.problem, ob.el("span.ob-grow"), copy, close),
      ob.el("div.ob-drawer-table", { tabindex: "0", role: "region", "aria-label": "Values" },
        ob.el("table.ob-table", {}, ob.el("thead", {}, made.head), made.body)));
    return made;
  }

  function head(made, key, label, kind) {
    const button = ob.el("button.ob-quiet", { type: "button", onclick: () => {
      made.sort = made.sort[0] === key ? [key, -made.sort[1]] : [key, kind === "text" || kind === "setting" ? 1 : -1];
      paint();
    }, onkeydown: (event) => {
      const by = event.altKey && { ArrowLeft: -1, ArrowRight: 1 }[event.key];
      if (!by) return;
      event.preventDefault();
      move(key, columnsNow().findIndex(([one]) => one === key) + by);
    } }, label);
    const cell = ob.el(kind === "text" ? "th" : "th.ob-num", { draggable: "true", title: "Drag to another place, or Alt and an arrow key" }, button);
    const marked = (on) => cell.classList.toggle("ob-drop-before", on);
    cell.addEventListener("dragstart", (event) => event.dataTransfer.setData(DRAGGED, key));
    cell.addEventListener("dragover", (event) => {
      if (!event.dataTransfer.types.includes(DRAGGED)) return;
      event.preventDefault();
      marked(true);
    });
    cell.addEventListener("dragleave", () => marked(false));
    cell.addEventListener("drop", (event) => {
      event.preventDefault();
      marked(false);
      const dragged = event.dataTransfer.getData(DRAGGED);
      const keys = columnsNow().map(([one]) => one);
      if (dragged && dragged !== key) move(dragged, keys.indexOf(key));
    });
    return { key, label, button, cell };
  }

  async function fetchRows() {
    const { card } = table;
    const { view } = ob;
    paintHead();
    table.controller?.abort();
    table.controller = new AbortController();
    const stretch = view.selectedRange ?? view.zoom;
    const runs = (ob.project?.shown() ?? []).map((run) => run.uid);
    const body = { cards: [{ tag: card.tag.id }], runs, x: view.xAxis, from: stretch?.[0] ?? null, to: stretch?.[1] ?? null };
    try {
      const rows = runs.length ? await ob.postJson(`${ob.project.path}/summary`, body, table.controller.signal) : { rows: [] };
      if (!table || table.card !== card) return;
      table.problem.textContent = "";
      table.rows = rows.rows.map((row) => withNames(row, card, stretch));
      paint();
    } catch (error) {
      if (error instanceof ob.Refused && table) table.problem.textContent = error.message;
      else if (error.name !== "AbortError") throw error;
    }
  }

  function withNames(row, card, stretch) {
    const run = ob.project.known.get(row.run);
    const line = (card.lines.get(row.run) ?? []).find((one) => !one.superseded);
    return {
      ...row, color: run ? ob.inked(run).color : 0, name: run ? ob.runName(run) : row.run,
      smoothed: line ? smoothedEnd(line, stretch) : null,
      change: row.start === null ? null : row.end - row.start,
      percent: row.start ? (100 * (row.end - row.start)) / Math.abs(row.start) : null,
      ...Object.fromEntries(columnsNow().filter(([, , kind]) => kind === "setting").map(([key]) => [key, run ? ob.columnValue(run, key) ?? null : null])),
    };
  }

  function smoothedEnd(line, stretch) {
    const smoothed = ob.smoothLine(line, ob.view);
    let at = line.x.length - 1;
    while (stretch && at >= 0 && line.x[at] > stretch[1]) at -= 1;
    return at < 0 || (stretch && line.x[at] < stretch[0]) ? null : smoothed[at];
  }

  function paintHead() {
    const { view } = ob;
    table.title.textContent = table.card.tag.name;
    const fields = ob.rangeFields("Stretch of the axis", view.selectedRange, (selectedRange) => ob.setView({ selectedRange }));
    if (!table.range.contains(document.activeElement)) table.range.replaceChildren(ob.el("span.ob-mute", {}, ob.xName(view)), fields);
  }

  function paint() {
    const columns = columnsNow();
    paintHeads(columns);
    const [key, way] = table.sort;
    const rows = inOrder(table);
    for (const one of table.heads) {
      const sorted = one.key === key;
      one.cell.setAttribute("aria-sort", sorted ? (way > 0 ? "ascending" : "descending") : "none");
      one.button.textContent = sorted ? `${one.label} ${way > 0 ? "↑" : "↓"}` : one.label;
    }
    table.body.replaceChildren(...rows.map((row) => ob.el("tr", {}, ...columns.map(([column, , kind]) => cell(row, column, kind)))));
    if (!rows.length) table.body.replaceChildren(ob.el("tr", {}, ob.el("td", { colspan: columns.length }, "No point of the shown runs here.")));
  }

  /** Make the heads anew where there are other columns; a sort by one that is gone is none. */
  function paintHeads(columns) {
    const keys = columns.map(([key]) => key);
    if (table.heads?.map((one) => one.key).join() === keys.join()) return;
    if (!keys.includes(table.sort[0])) table.sort = ["end", 1];
    table.heads = columns.map(([key, label, kind]) => head(table, key, label, kind));
    ob.keepFocus(table.head, () => table.head.replaceChildren(...table.heads.map((one) => one.cell)));
  }

  /** What is missing comes last, whichever way. */
  function order(a, b) {
    if (a === null || b === null) return a === b ? 0 : a === null ? 1 : -1;
    return typeof a === "number" && typeof b === "number" ? a - b : String(a).localeCompare(String(b));
  }

  function cell(row, column, kind) {
    if (kind === "text") return ob.el("td", {}, ob.el("span.ob-run-cell", {}, ob.swatch(row), ob.el("span.ob-name", {}, row.name)));
    const value = row[column];
    if (kind === "setting") return ob.el("td.ob-num", {}, value === null ? "–" : ob.hparam(value));
    return ob.el("td.ob-num", {}, value === null ? "–" : kind === "step" ? ob.count(value) : ob.value(value));
  }

  /** Copy the table with all digits, parted by tabs, as spreadsheets take it. */
  async function copyRows(made, button) {
    const columns = columnsNow();
    const rows = [columns.map(([, label]) => label), ...inOrder(made).map((row) => columns.map(([column]) => row[column]))];
    const text = rows.map((row) => row.map((part) => String(part ?? "").replace(/[\t\r\n]+/g, " ")).join("\t")).join("\n");
    const done = await navigator.clipboard.writeText(text).then(() => true, () => false);
    button.textContent = done ? "Copied" : "Not allowed here";
    setTimeout(() => { button.textContent = "Copy"; }, 1600);
  }

  /** The rows as they stand in the table. */
  function inOrder({ rows, sort: [key, way] }) {
    return [...rows].sort((a, b) => order(a[key], b[key]) * (a[key] === null || b[key] === null ? 1 : way));
  }
})((globalThis.ob = globalThis.ob || {}));
