/* The table of the page of settings: a row a run, what was set on the left, where each metric stands
   on the right. Fetched when it is unfolded. */
(function (ob) {
  "use strict";

  const UNFOLDED = "settings-table";
  /** A table of more runs is unfolded by who wants it. */
  const FEW = 500;

  /** Put the table below a page; gives a function that ends it. */
  ob.hparamsTable = function hparamsTable(place, project) {
    const controller = new AbortController();
    const out = ob.el("div");
    const page = { project, out, table: null, order: null, signal: controller.signal, open: false };
    const fold = ob.el("button.ob-fold", { type: "button", onclick: () => {
      page.open = !page.open;
      ob.remember(UNFOLDED, page.open ? "1" : "0");
      show();
    } }, ob.icon("M4 6l4 4 4-4"), "Table");
    const show = () => {
      fold.setAttribute("aria-expanded", String(page.open));
      out.hidden = !page.open;
      if (page.open) load(page);
    };
    place.replaceChildren(ob.el("h2.ob-settings-fold", {}, fold), out);
    const again = ob.throttled(2000, () => page.open && load(page));
    const offs = [
      project.on((what) => (what === "again" || what === "filter" || what.changed?.size) && again()),
      ob.onView((changed) => {
        if (changed.has("runFilter")) again();
        if (changed.has("selected")) paint(page);
      }),
    ];
    show();
    project.ready.then(() => {
      if (controller.signal.aborted) return;
      const said = ob.remembered(UNFOLDED);
      page.open = said === null ? project.matching <= FEW : said === "1";
      show();
    });
    return () => {
      controller.abort();
      offs.forEach((off) => off());
    };
  };

  async function load(page) {
    if (page.signal.aborted) return;
    try {
      const query = new URLSearchParams({ q: ob.view.runFilter });
      if (page.project.withArchived) query.set("archived", "1");
      page.table = await ob.getJson(`${page.project.path}/hparams?${query}`, page.signal);
      paint(page);
    } catch (error) {
      if (error instanceof ob.Refused) page.out.replaceChildren(ob.el("p.ob-mute", {}, error.message));
      else if (error.name !== "AbortError") throw error;
    }
  }

  function paint(page) {
    const { table, out } = page;
    if (!table) return;
    if (!table.runs.length) {
      out.replaceChildren(ob.el("p.ob-mute", {}, "No run here has logged hyperparameters."));
      return;
    }
    const columns = columnsOf(table);
    const rows = sorted(table.runs, columns.find((column) => column.key === page.order?.key), page.order?.down);
    const head = ob.el("tr", {}, ...columns.map((column) => heading(page, column)));
    const body = rows.map((run) => ob.el("tr", { "data-uid": run.uid }, ...columns.map((column) => column.cell(run))));
    out.replaceChildren(ob.el("div.ob-scroll", {}, ob.el("table.ob-table", {}, ob.el("thead", {}, head), ob.el("tbody", {}, ...body))));
  }

  function columnsOf(table) {
    const varies = (name) => new Set(table.runs.map((run) => JSON.stringify(run.hparams[name]))).size > 1;
    // What differs between runs is what one looks for: it comes first.
    const names = [...table.names].sort((a, b) => varies(b) - varies(a));
    return [
      { key: "run", title: "Run", of: ob.runName, cell: runCell },
      ...names.map((name) => ({
        key: `h ${name}`, title: name, of: (run) => run.hparams[name],
        cell: (run) => ob.el("td.ob-mono", {}, name in run.hparams ? ob.hparam(run.hparams[name]) : ""),
      })),
      ...table.metrics.map(({ id, name }) => ({
        key: `m ${id}`, title: name, of: (run) => run.metrics[id],
        cell: (run) => ob.el("td", {}, String(id) in run.metrics ? ob.value(run.metrics[id] ?? NaN) : ""),
      })),
    ];
  }

  function runCell(run) {
    const shown = ob.project?.isShown(run.uid);
    return ob.el("td", {}, ob.el("span.ob-cellrun", {}, ob.swatch(run, shown), ob.statusDot(run),
      ob.el("a.ob-nav.ob-name", { href: `${ob.base()}r/${run.uid}`, title: run.name }, ob.runName(run))));
  }

  function heading(page, column) {
    const on = page.order?.key === column.key;
    const sort = () => {
      page.order = on && page.order.down ? null : { key: column.key, down: on };
      paint(page);
    };
    const mark = on ? (page.order.down ? " ↓" : " ↑") : "";
    return ob.el("th", { "aria-sort": on ? (page.order.down ? "descending" : "ascending") : "none" },
      ob.el("button", { type: "button", onclick: sort }, `${column.title}${mark}`));
  }

  function sorted(runs, column, down) {
    if (!column) return runs;
    const sign = down ? -1 : 1;
    return [...runs].sort((a, b) => {
      const [x, y] = [column.of(a), column.of(b)];
      if (x === undefined || x === null) return y === undefined || y === null ? 0 : 1;
      if (y === undefined || y === null) return -1;
      return sign * (typeof x === "number" && typeof y === "number" ? x - y : String(x).localeCompare(String(y)));
    });
  }
})((globalThis.ob = globalThis.ob || {}));
