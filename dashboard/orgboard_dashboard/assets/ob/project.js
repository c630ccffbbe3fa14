/* One project as the browser knows it: its runs, fetched in blocks as they are looked at,
   which of them are shown, and what the server said has changed.

   The automatic selection is what is live and then the newest; a manual one is in the view,
   and so in the address. */
(function (ob) {
  "use strict";

  const BLOCK = 200;
  /** Shown when nobody has chosen: as many as the palette has colours. */
  const AUTOMATIC = 10;
  /** What the server brings of metrics with a row; more columns than that stay empty. */
  const MOST_METRICS = 50;
  const ARCHIVED = "archived";
  /** What the stream tells of a run, and its row in a list has, too. */
  const TOLD = ["revision", "points", "last_step", "last_event", "gaps", "attempts", "edits", "status"];
  /** More lines than this on a card are neither readable nor quick. */
  const MOST_SHOWN = (ob.MOST_SHOWN = 100);

  const withArchived = () => ob.remembered(ARCHIVED) === "1";

  /** The path that rows of the table of runs are asked for by: asked has {q, sort, offset, limit}. */
  function rowsPath(project, { q, sort, offset, limit }, metrics) {
    const query = new URLSearchParams({ q, sort, limit, offset });
    if (withArchived()) query.set("archived", "1");
    for (const key of metrics.slice(0, MOST_METRICS)) query.append("m", key);
    return `${project}/runs?${query}`;
  }

  /** Ask for the runs that the page will show first, while Dash is still laying it out.

     Of an address that leaves what it shows to a saved view, or has columns of its own, nothing
     is known yet. */
  ob.askForRunsAhead = function askForRunsAhead() {
    const path = ob.projectPathHere();
    const { saved, columns, runFilter: q, sort } = ob.decodeView(location.search);
    if (!path || saved || columns) return;
    ob.askAhead(rowsPath(path, { q, sort, offset: 0, limit: BLOCK }, []));
    if (location.pathname.endsWith("/runs")) ob.askAhead(rowsPath(path, { q, sort, offset: 0, limit: ob.GRID_BLOCK }, []));
    ob.askAhead("projects");
    ob.me(path);
  };

  class Project {
    constructor(team, name) {
      this.team = team;
      this.name = name;
      this.path = ob.projectPath(team, name);
      this.known = new Map();
      this.order = [];
      this.matching = null;
      this.everything = null;
      this.archived = 0;
      this.live = 0;
      this.error = null;
      this.listeners = new Set();
      this.asked = new Set();
      /** Each run as those who listen know it: as its first row had it, or the stream told since. */
      this.heard = new Map();
      this.controller = new AbortController();
    }

    /** Hear of changes: listen(what) with "runs", "filter", "gone" or {changed: Map uid -> run}. */
    on(listen) {
      this.listeners.add(listen);
      return () => this.listeners.delete(listen);
    }

    tell(what) {
      for (const listen of [...this.listeners]) listen(what);
    }

    /** Fetch the first runs, those that the address selects, and the project's counts. */
    async open() {
      await Promise.all([this.load(0), this.count()]);
      await this.resolveSelected();
    }

    close() {
      this.controller.abort();
      this.listeners.clear();
    }

    /** Begin again with another run filter. */
    async filter() {
      this.controller.abort();
      this.controller = new AbortController();
      this.asked.clear();
      await this.load(0, true);
      this.tell("filter");
      this.count();
    }

    /** Fetch the blocks that hold the rows [first, last). */
    async need(first, last) {
      // To a query that was refused the answer would be the same again.
      if (this.error) return;
      for (let block = Math.floor(first / BLOCK); block * BLOCK < last; block += 1) {
        if (block * BLOCK < (this.matching ?? 1)) await this.load(block);
      }
    }

    async load(block, afresh = false) {
      if (this.asked.has(block)) return;
      this.asked.add(block);
      const asked = { q: ob.view.runFilter, sort: ob.view.sort, limit: BLOCK, offset: block * BLOCK };
      try {
        const answer = await this.rows(asked, ob.metricKeys(ob.panelColumns()), this.controller.signal);
        this.error = null;
        this.take(answer, block, afresh);
      } catch (error) {
        if (error.name === "AbortError") return;
        this.asked.delete(block);
        // An address may be older than what can be sorted by: then the usual order.
        if (error.details?.wrong === "sort" && ob.view.sort !== "-started") return ob.setView({ sort: "-started" });
        this.fail(error);
      }
    }

    /** Ask for rows of the table of runs: asked has {q, sort, offset, limit}. */
    rows(asked, metrics, signal) {
      return ob.getJson(rowsPath(this.path, asked, metrics), signal);
    }

    /** Whether what was put aside is listed, too; this browser remembers it. */
    get withArchived() {
      return withArchived();
    }

    listArchived(on) {
      ob.remember(ARCHIVED, on ? "1" : "0");
      return this.filter();
    }

    take(answer, block, afresh) {
      if (afresh || this.matching === null) this.order = [];
      this.matching = answer.matching;
      this.order.length = answer.matching;
      this.everything = answer.total;
      let behind = false;
      answer.runs.forEach((run, i) => {
        // The stream can be quicker than the first rows: those were read before what it told.
        behind ||= !this.known.has(run.uid) && this.heard.has(run.uid) && !isAsHeard(this.heard.get(run.uid), run);
        if (!this.heard.has(run.uid)) this.heard.set(run.uid, run);
        this.known.set(run.uid, run);
        this.order[block * BLOCK + i] = run.uid;
      });
      if (behind) this.measureAgain();
      this.tell("runs");
    }

    fail(error) {
      this.error = error;
      if (!(error instanceof ob.Refused)) throw error;
      this.tell(error.status === 404 ? "gone" : "runs");
    }

    /** Fetch how many runs there are without the filter, and how many are live. */
    async count() {
      const projects = await ob.getJson("projects");
      const mine = projects.filter((row) => ob.isIn(row, this));
      if (!mine.length) return;
      const sum = (key) => mine.reduce((before, row) => before + row[key], 0);
      const runs = sum("runs") + (this.withArchived ? sum("archived") : 0);
      const grown = this.everything !== null && runs !== this.everything;
      this.everything = runs;
      this.archived = sum("archived");
      this.live = sum("live");
      if (grown) await this.reload();
      this.tell("count");
    }

    /** Fetch again the blocks that were looked at: runs came, went or changed their order. */
    async reload() {
      const blocks = [...this.asked];
      this.asked.clear();
      await Promise.all(blocks.map((block) => this.load(block)));
      this.tell("filter");
    }

    /** Fetch again what lists show, and the selected runs that no list has. */
    async reread() {
      await Promise.all([this.reload(), this.count()]);
      const listed = new Set(this.order);
      await this.resolveSelected((uid) => !listed.has(uid));
    }

    /** Fetch the selected runs that no block has brought. */
    async resolveSelected(isWanted = (uid) => !this.known.has(uid)) {
      const unknown = (ob.view.selected || []).filter(isWanted).slice(0, MOST_SHOWN);
      if (!unknown.length) return;
      const asked = unknown.map((uid) => ob.getJson(`r/${encodeURIComponent(uid)}`, this.controller.signal).catch((error) => {
        // It is not there any more for who looks.
        if (error.status === 404) this.known.delete(uid);
        return null;
      }));
      for (const found of await Promise.all(asked)) if (found) this.known.set(found.run.uid, found.run);
      this.tell("filter");
    }

    /** Give the runs to draw, in the order of the list. */
    shown() {
      const uids = ob.view.selected ?? this.automatic();
      return uids.map((uid) => this.known.get(uid)).filter(Boolean).slice(0, MOST_SHOWN);
    }

    /** What is writing now, then the newest; in the order of the list. */
    automatic() {
      const loaded = this.order.filter((uid) => this.known.has(uid));
      const live = loaded.filter((uid) => this.known.get(uid).status === "live");
      const chosen = new Set([...new Set([...live, ...loaded])].slice(0, AUTOMATIC));
      return loaded.filter((uid) => chosen.has(uid));
    }

    isShown(uid) {
      return this.shown().some((run) => run.uid === uid);
    }

    /** Show a run or not; the selection is manual from then on. */
    toggle(uid) {
      const uids = this.shown().map((run) => run.uid);
      ob.setView({ selected: uids.includes(uid) ? uids.filter((one) => one !== uid) : [...uids, uid] });
    }

    /** Show several runs, or none of them, besides those that are shown. */
    show(uids, on) {
      const shown = this.shown().map((run) => run.uid);
      const others = shown.filter((uid) => !uids.includes(uid));
      ob.setView({ selected: on ? [...others, ...uids.filter((uid) => this.known.has(uid))].slice(0, MOST_SHOWN) : others });
    }

    /** Show all runs that match: those of the list's beginning, as many as can be drawn. */
    async showAll() {
      await this.need(0, MOST_SHOWN);
      ob.setView({ selected: this.order.slice(0, MOST_SHOWN).filter((uid) => this.known.has(uid)) });
    }

    /** Take a tick of the live stream: rows of runs, of which the first ones bring what was new
        of late, whether it is known here or not. */
    changed(rows) {
      const changed = new Map();
      let counted = true;
      let reworded = false;
      let listed = false;
      for (const row of rows) {
        const before = this.heard.get(row.uid);
        if (before && isAsHeard(before, row)) continue;
        const old = this.known.get(row.uid);
        reworded ||= Boolean(old) && old.edits !== row.edits;
        listed ||= Boolean(old);
        counted &&= before?.status === row.status;
        if (old) this.known.set(row.uid, { ...old, ...row });
        this.heard.set(row.uid, row);
        changed.set(row.uid, row);
      }
      if (!changed.size) return;
      this.tell({ changed });
      if (reworded) this.reword();
      if (listed) this.measureAgain();
      if (!counted) this.recount();
    }

    /** Fetch the rows again for the metrics in the panel, if there are any. */
    measureAgain() {
      if (ob.metricKeys(ob.panelColumns()).length) this.remeasure();
    }
  }

  function isAsHeard(before, row) {
    return TOLD.every((key) => before[key] === row[key]);
  }

  // Somebody changed what is said of runs, here or elsewhere.
  Project.prototype.reword = ob.throttled(300, () => ob.project?.reread());
  // The stream tells of steps and not of metrics: those in the panel are asked for again.
  Project.prototype.remeasure = ob.throttled(5000, () => ob.project?.reload());
  Project.prototype.recount = ob.throttled(1500, () => ob.project?.count());

  /** Open a project, or keep the one that is open. */
  ob.openProject = function openProject(team, name) {
    if (ob.project && ob.project.team === team && ob.project.name === name) return ob.project;
    ob.closeProject();
    ob.project = new Project(team, name);
    ob.project.ready = ob.project.open();
    ob.startLive(ob.project);
    return ob.project;
  };

  ob.closeProject = function closeProject() {
    if (!ob.project) return;
    ob.stopLive();
    ob.project.close();
    ob.project = null;
  };
})((globalThis.ob = globalThis.ob || {}));
