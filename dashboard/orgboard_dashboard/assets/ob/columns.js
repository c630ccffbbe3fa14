/* The columns of the table of runs, and of the panel as far as it has room.

   A column is a key: a field of every run ("status"), "hp:NAME", or a value of a metric, "last:TAG",
   "min:TAG", "max:TAG", "best:TAG", "mean10:TAG" of its last points, "at1000:TAG" of a step, or its small
   curve, "spark:TAG"; or a number of the last histogram, "hist:TAG:std". Which ones, how wide, and which are pinned is in the view. */
(function (ob) {
  "use strict";

  /** Of every run: [key, title, width, what writes it, numbers stand on the right]. */
  const FIELDS = [
    ["name", "Run", 220], ["status", "Status", 110], ["started", "Started", 115], ["duration", "Duration", 90],
    ["last_event", "Last event", 115], ["last_step", "Last step", 95], ["points", "Points", 90],
    ["user", "User", 100], ["host", "Host", 120], ["tags", "Tags", 140], ["note", "Note", 220], ["archived_at", "Archived", 115],
    ["gaps", "Gaps", 65], ["attempts", "Attempts", 85], ["files", "Files", 70], ["hparams", "Hyperparameters", 420],
  ];
  const RIGHT = new Set(["last_step", "points", "gaps", "attempts", "files"]);
  const USUAL = ["name", "status", "started", "duration", "last_step", "points", "gaps", "attempts", "hparams"];
  const VALUE_PX = 110;
  /** Of the panel: what a column takes, and what a row needs beside them. */
  const CELL_PX = 60;
  const ROW_PX = 220;
  const NOTHING = "–";

  /** Give the columns that are chosen, or the usual ones; the run's name is always among them. */
  ob.columns = function columns() {
    const usual = () => USUAL.map((key) => ({ key, width: null, pinned: key === "name" }));
    const chosen = ob.view.columns ?? usual();
    return chosen.some(({ key }) => key === "name") ? chosen : [{ key: "name", width: null, pinned: true }, ...chosen];
  };

  /** Give the fields of every run that can be columns, as [key, title]. */
  ob.columnFields = () => FIELDS.map(([key, title]) => [key, title]);

  /** Take a key apart: {source: "last", name: "val/loss"}; a field of every run has no source. */
  ob.columnOf = function columnOf(key) {
    const [, source, name] = /^(?:(hp|hist|last|min|max|best|spark|mean[0-9]{1,6}|at-?[0-9]{1,19}):)?([^]*)$/.exec(key);
    return { source: source ?? "", name };
  };

  /** Write what stands above a column: "lr", "val/loss", "min val/loss". */
  ob.columnTitle = function columnTitle(key) {
    const { source, name: full } = ob.columnOf(key);
    const name = source === "hp" ? full : ob.plainName(full);
    if (!source) return FIELDS.find(([field]) => field === name)?.[1] ?? name;
    if (source === "spark") return `${name} curve`;
    if (source === "hist") return name.replace(/:([^:]*)$/, " $1");
    if (source.startsWith("mean")) return `mean of last ${source.slice(4)} ${name}`;
    if (source.startsWith("at")) return `${name} at ${ob.count(Number(source.slice(2)))}`;
    return source === "hp" || source === "last" ? name : `${source} ${name}`;
  };

  /** Give the value of a run in a column; undefined when it has none. */
  ob.columnValue = function columnValue(run, key) {
    const { source, name } = ob.columnOf(key);
    if (source === "hp") return Object.hasOwn(run.hparams, name) ? run.hparams[name] : undefined;
    if (source === "spark") return ob.sparkOf(run.uid, name)?.path || undefined;
    if (source) return run.metrics && Object.hasOwn(run.metrics, key) ? Number(run.metrics[key]) : undefined;
    if (name !== "duration") return run[name] ?? undefined;
    const known = Number.isFinite(run.started ?? NaN) && Number.isFinite(run.last_event ?? NaN);
    return known ? Math.max(0, run.last_event - run.started) : undefined;
  };

  const WRITERS = {
    name: (_value, run) => `${run.starred ? "★ " : ""}${ob.runName(run)}`,
    status: (status, run) => `${status}${run.damaged ? ", damaged" : ""}${run.archived_at ? ", archived" : ""}`,
    tags: (tags) => tags.join(", ") || NOTHING, note: (note) => note || NOTHING, archived_at: (wall) => ob.ago(wall),
    started: (wall) => ob.ago(wall), last_event: (wall) => ob.ago(wall), duration: (seconds) => ob.span(seconds),
    gaps: (n) => (n ? ob.count(n) : NOTHING),
    hparams: (all) => Object.entries(all).map(([name, value]) => `${name} ${ob.hparam(value)}`).join(" · ") || NOTHING,
  };

  /** Write the value of a run in a column; what it does not have is a dash. */
  ob.columnText = function columnText(run, key) {
    const value = ob.columnValue(run, key);
    if (value === undefined) return NOTHING;
    const { source, name } = ob.columnOf(key);
    if (source === "hp") return ob.hparam(value);
    if (source === "spark") return ob.sparkOf(run.uid, name).words;
    if (source) return ob.value(value);
    return WRITERS[name] ? WRITERS[name](value, run) : ob.count(value);
  };

  /** Give the keys of the metrics among columns, which the server is asked for. */
  ob.metricKeys = (columns) => columns.map(({ key }) => key).filter((key) => !["", "hp", "spark"].includes(ob.columnOf(key).source));

  /** Give the columns that the panel shows beside the name: of those chosen, what it has room for. */
  ob.panelColumns = function panelColumns() {
    const chosen = ob.view.columns?.filter(({ key }) => !["", "spark"].includes(ob.columnOf(key).source)) ?? [];
    const room = Math.floor(((document.getElementById("ob-panel")?.clientWidth || 352) - ROW_PX) / CELL_PX);
    return [...chosen, { key: "last_step", width: null, pinned: false }].slice(0, Math.max(1, Math.min(6, room)));
  };

  /** Give the columns as the grid takes them. */
  ob.gridColumns = function gridColumns() {
    const box = {
      colId: "shown", headerName: "", width: 40, pinned: "left", resizable: false, lockPosition: "left", sortable: false,
      valueFormatter: call("obShown"), cellClass: call("obShownClass"),
    };
    const sorted = ob.view.sort.replace(/^-/, "");
    // The table can be in the order of a column that is not shown.
    const unseen = ob.columns().some(({ key }) => key === sorted) ? [] : [{ ...gridColumn({ key: sorted, width: null, pinned: false }), hide: true }];
    return [box, ...ob.columns().map(gridColumn), ...unseen];
  };

  function gridColumn({ key, width, pinned }) {
    const { source } = ob.columnOf(key);
    const title = ob.columnTitle(key);
    const [, , usual] = FIELDS.find(([field]) => field === key) ?? [key, key, Math.min(2 * VALUE_PX, Math.max(VALUE_PX, 8 * title.length + 48))];
    const order = ob.view.sort.replace(/^-/, "") === key ? (ob.view.sort.startsWith("-") ? "desc" : "asc") : null;
    return {
      colId: key, headerName: title, headerTooltip: title, width: width ?? usual, pinned: pinned ? "left" : null,
      sortable: key !== "hparams" && source !== "spark", sort: order, valueGetter: call("obCellValue"), valueFormatter: call("obCellText"),
      ...(key === "hparams" && width === null ? { flex: 1, minWidth: 220 } : {}),
      ...((source && source !== "spark") || RIGHT.has(key) ? { type: "rightAligned" } : {}),
      ...(source ? { headerClass: `${source === "spark" ? "" : "ag-right-aligned-header "}ob-head-mono` } : {}),
      ...(source === "spark" ? { cellRenderer: "obSpark", tooltipValueGetter: call("obCellText") } : {}),
      ...(key === "name" ? { cellClass: "ob-cell-name", cellStyle: call("obRunStyle"), tooltipValueGetter: call("obCellText") } : {}),
      ...(key === "status" ? { cellClass: call("obStatusClass") } : {}),
    };
  }

  function call(name) {
    return { function: `${name}(params)` };
  }

  /** Change the chosen columns: change(list) gives the new list. */
  ob.setColumns = (change) => ob.setView({ columns: change(ob.columns().map((column) => ({ ...column }))) });

  /** Show a column after the others, or not at all. */
  ob.toggleColumn = function toggleColumn(key) {
    ob.setColumns((all) => {
      if (all.some((one) => one.key === key)) return all.filter((one) => one.key !== key);
      // The one that takes what room is left stays the last.
      const at = all.at(-1).key === "hparams" && key !== "hparams" ? all.length - 1 : all.length;
      return all.toSpliced(at, 0, { key, width: null, pinned: false });
    });
  };

  /** Sort by a column: first the better way round, then the other. */
  ob.sortBy = function sortBy(key) {
    const { source, name } = ob.columnOf(key);
    const down = source === "max" || source === "hist" || (source !== "hp" && source !== "" && ob.better(name) === "max") || (!source && key !== "name" && key !== "status");
    const first = down ? `-${key}` : key;
    ob.setView({ sort: ob.view.sort === first ? (down ? key : `-${key}`) : first });
  };
})((globalThis.ob = globalThis.ob || {}));
