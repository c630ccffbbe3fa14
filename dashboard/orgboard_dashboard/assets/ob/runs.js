/* The table of runs, tied to the view: filter, selection, and what the live stream tells.

   Its rows come from where the panel's come from. The grid's own way, a property for what is asked
   and one for the answer, has room for one of each: what is asked meanwhile gets another's rows. */
(function (ob) {
  "use strict";

  const GRID = "ob-run-grid";
  /** Rows that the grid asks for at once, as `pages/runs.py` tells it. */
  ob.GRID_BLOCK = 100;
  /** The columns that the grid was given, the metrics that its rows have, and the rows it is about. */
  let given = "";
  let brought = "";
  let about = "";

  ob.pages = ob.pages || {};

  ob.pages.runs = function runs(root) {
    const project = ob.openProject(root.dataset.team, root.dataset.project);
    const controller = new AbortController();
    const { signal } = controller;
    given = brought = about = "";
    const repaint = () => api()?.refreshCells({ columns: ["shown"], force: true });
    const refresh = ob.throttled(2000, () => !signal.aborted && api()?.refreshInfiniteCache());
    const offs = [
      project.on((what) => {
        if (what === "filter") fill(project, signal);
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
      fill(project, signal);
    });
    return () => {
      controller.abort();
      offs.forEach((off) => off());
    };
  };

  function api() {
    try {
      const grid = globalThis.dash_ag_grid?.getApi(GRID);
      return grid?.isDestroyed() ? null : grid;
    } catch {
      return null;
    }
  }

  /** Give the grid when it has got the source of rows that its wrapper gives it last. */
  function ready() {
    return api()?.getGridOption("datasource") ? api() : null;
  }

  async function whenReady(signal, act) {
    while (!signal.aborted && !ready()) await new Promise((resolve) => setTimeout(resolve, 10));
    if (!signal.aborted) act();
  }

  /** Give the grid the columns of the view, and its rows anew where those lack what columns show. */
  function setColumns() {
    const columns = ob.gridColumns();
    const now = JSON.stringify(columns);
    if (now === given) return;
    const asked = ob.columns().map(({ key }) => key).filter((key) => !["", "hp"].includes(ob.columnOf(key).source)).join("\n");
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

  /** Fill the grid anew if the view is about other rows than it has. */
  function fill(project, signal) {
    const grid = ready();
    const q = ob.view.runFilter;
    const now = JSON.stringify([q, project.withArchived]);
    // What is no query changes nothing; the panel beside the table says what is wrong.
    if (!grid || signal.aborted || now === about || (about && project.error)) return;
    about = now;
    grid.setGridOption("datasource", {
      async getRows({ startRow: offset, endRow, sortModel, successCallback, failCallback }) {
        const [{ colId, sort: way }] = sortModel.length ? sortModel : [{ colId: "started", sort: "desc" }];
        const asked = { q, sort: `${way === "desc" ? "-" : ""}${colId}`, offset, limit: endRow - offset };
        try {
          const { runs, matching } = await project.rows(asked, ob.metricKeys(ob.columns()), signal);
          successCallback(runs, matching);
          showCurves(grid, project, runs, signal);
        } catch (error) {
          if (error.name === "AbortError") return failCallback();
          if (!(error instanceof ob.Refused)) throw error;
          successCallback([], 0);
        }
      },
    });
  }

  async function showCurves(grid, project, runs, signal) {
    try {
      if (await ob.bringSparks(project, runs, signal)) grid.refreshCells({ force: true });
    } catch (error) {
      // The rows stand without them.
      if (error.name !== "AbortError" && !(error instanceof ob.Refused)) throw error;
    }
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
