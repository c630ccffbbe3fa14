/* The table of runs, tied to the view: filter, selection, and what the live stream tells. */
(function (ob) {
  "use strict";

  const GRID = "ob-run-grid";
  /** The columns that the grid was given, and the metrics that its rows have. */
  let given = "";
  let brought = "";

  ob.pages = ob.pages || {};

  ob.pages.runs = function runs(root) {
    const project = ob.openProject(root.dataset.team, root.dataset.project);
    const controller = new AbortController();
    const { signal } = controller;
    given = brought = "";
    const repaint = () => api()?.refreshCells({ columns: ["shown"], force: true });
    const refresh = ob.throttled(2000, () => !signal.aborted && api()?.refreshInfiniteCache());
    const offs = [
      project.on((what) => {
        if (what === "filter") filter(project);
        if (what === "again" || what === "filter" || what.changed?.size) refresh();
        repaint();
      }),
      ob.onView((changed) => {
        if (changed.has("selected")) repaint();
        if (changed.has("columns") || changed.has("sort")) setColumns();
      }),
    ];
    root.addEventListener("click", (event) => clicked(event.target, project), { signal });
    root.addEventListener("contextmenu", (event) => {
      const uid = event.target.closest?.(".ag-row")?.getAttribute("row-id");
      if (uid) ob.runMenu(event, project, [uid]);
    }, { signal });
    root.addEventListener("keydown", (event) => {
      if (event.key !== " " && event.key !== "Enter") return;
      if (clicked(event.target, project)) event.preventDefault();
    }, { signal });
    whenReady(signal, async () => {
      setColumns();
      listen(api(), signal);
      await project.ready;
      filter(project);
    });
    return () => {
      controller.abort();
      offs.forEach((off) => off());
    };
  };

  function api() {
    try {
      return globalThis.dash_ag_grid?.getApi(GRID);
    } catch {
      return null;
    }
  }

  async function whenReady(signal, act) {
    while (!signal.aborted && !api()) await new Promise((resolve) => setTimeout(resolve, 30));
    if (!signal.aborted) act();
  }

  /** Give the grid the columns of the view; the server reads from them what to bring along. */
  function setColumns() {
    const columns = ob.gridColumns();
    const now = JSON.stringify(columns);
    if (now === given) return;
    const asked = ob.metricKeys(ob.columns()).join("\n");
    given = now;
    globalThis.dash_clientside.set_props(GRID, { columnDefs: columns });
    if (asked !== brought) setTimeout(() => api()?.refreshInfiniteCache());
    brought = asked;
  }

  /** What the person does to the columns in the grid itself goes into the view. */
  function listen(grid, signal) {
    const keep = (event) => {
      if (signal.aborted || !event.source?.startsWith("ui")) return;
      const state = grid.getColumnState().filter(({ colId, hide }) => colId !== "shown" && !hide);
      const before = new Map(ob.columns().map((column) => [column.key, column]));
      const moved = state.map(({ colId, width, pinned }) => ({
        key: colId, pinned: Boolean(pinned),
        // Only what was resized has a width of its own.
        width: event.type === "columnResized" && event.columns?.some((column) => column.getColId() === colId) ? Math.round(width) : before.get(colId)?.width ?? null,
      }));
      given = "";
      ob.setView({ columns: moved });
    };
    grid.addEventListener("columnMoved", (event) => event.finished && keep(event));
    grid.addEventListener("columnResized", (event) => event.finished && keep(event));
    grid.addEventListener("sortChanged", (event) => {
      if (signal.aborted || !event.source?.startsWith("ui")) return;
      const sorted = grid.getColumnState().find(({ sort }) => sort);
      ob.setView({ sort: sorted ? `${sorted.sort === "desc" ? "-" : ""}${sorted.colId}` : "-started" });
    });
  }

  /** Filter the grid by what the panel was answered; what is no query changes nothing. */
  function filter(project) {
    if (project.error) return;
    const says = (filter) => (filter ? { filterType: "text", type: "contains", filter } : undefined);
    const wanted = { name: says(ob.view.runFilter), put_aside: says(project.withArchived ? "shown" : "") };
    const now = api()?.getFilterModel() ?? {};
    const differs = Object.keys(wanted).some((key) => (now[key]?.filter ?? "") !== (wanted[key]?.filter ?? ""));
    if (differs) api()?.setFilterModel(wanted);
  }

  /** A click, or a key, on a row: its first cell shows the run, its name leads to it. */
  function clicked(target, project) {
    const cell = target.closest?.(".ag-cell");
    const uid = cell?.closest(".ag-row")?.getAttribute("row-id");
    if (!uid) return false;
    const column = cell.getAttribute("col-id");
    if (column === "shown") project.toggle(uid);
    if (column === "name") ob.goTo(`${ob.base()}r/${uid}`);
    return column === "shown" || column === "name";
  }
})((globalThis.ob = globalThis.ob || {}));
