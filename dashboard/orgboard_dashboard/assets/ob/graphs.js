/* Graphs: the computation graph of a shown run. The server keeps the tree of scopes and tells
   one opened scope at a time; what is open, chosen and compared is in the address. */
(function (ob) {
  "use strict";

  const COLORS = [["structure", "Structure"], ["op", "Operation"], ["device", "Device"], ["cluster", "XLA cluster"], ["time", "Compute time"], ["memory", "Memory"], ["none", "None"]];
  const SIDES = [["node", "Node"], ["layers", "Layers"], ["aside", "Set aside"], ["changes", "Compare"], ["measured", "Times"]];
  const MOST_OPEN = 60;
  const MOST_MOVED = 60;

  ob.pages = ob.pages || {};

  ob.pages.graphs = function graphs(root) {
    const page = new Graphs(root, ob.openProject(root.dataset.team, root.dataset.project));
    page.start();
    return () => page.close();
  };

  class Graphs {
    constructor(root, project) {
      this.project = project;
      this.controller = new AbortController();
      this.lists = new Map();
      this.steps = new Map();
      this.ranking = { of: "nodes", by: "time" };
      this.told = new Map();
      this.scopes = new Map();
      this.view = ob.graphView({ choose: (path) => this.choose(path), toggle: (path) => this.toggle(path), up: (path) => this.up(path) });
      this.files = ob.graphFiles(this);
      this.bar = this.makeBar();
      this.legend = ob.el("div.ob-g-legend");
      this.words = ob.el("p.ob-g-words", { role: "status" });
      this.side = ob.el("div.ob-g-side", { tabindex: "0", role: "region", "aria-label": "About the graph" });
      this.sides = ob.segmented("Beside the graph", SIDES, ob.view.graphSide, (graphSide) => ob.setView({ graphSide }));
      this.aside = ob.el("aside.ob-g-aside", { "aria-label": "Beside the graph" }, this.sides, this.side);
      this.main = ob.el("div.ob-g-main", {}, ob.el("div.ob-g-left", {}, this.view.el, this.legend, this.words), this.aside);
      this.out = ob.el("div.ob-g-out", {}, this.main);
      root.replaceChildren(this.bar.el, this.out, this.files.input, this.files.drop);
      this.files.listen(root, this.controller.signal);
      this.offs = [
        project.on((what) => (["filter", "runs", "again"].includes(what) || what.changed?.size) && this.again()),
        ob.onView((changed) => this.onView(changed)), ob.onTheme(() => this.draw()),
      ];
      this.again = ob.throttled(1500, () => this.load());
      this.sizer = new ResizeObserver(ob.settled(120, () => this.view.paint()));
      this.sizer.observe(this.view.el);
      ob.fitGraph = () => this.view.fit();
    }

    async start() {
      await Promise.all([this.project.ready, this.attempt(() => this.files.load())]);
      await this.load();
    }

    close() {
      this.controller.abort();
      this.sizer.disconnect();
      this.offs.forEach((off) => off());
      ob.fitGraph = null;
      ob.closeMenu();
    }

    makeBar() {
      const runs = ob.el("select.ob-input.ob-g-run", { "aria-label": "Run", onchange: () => ob.setView({ graphRun: runs.value, graphTag: "" }) });
      const tags = ob.el("select.ob-input.ob-g-tag", { "aria-label": "Graph", onchange: () => ob.setView({ graphTag: tags.value }) });
      const search = ob.graphSearch(this);
      const color = ob.select("Colour by", COLORS.map(([key, words]) => [key, `Colour: ${words.replace(/^[A-Z](?=[a-z])/, (letter) => letter.toLowerCase())}`]), ob.view.graphColor, (graphColor) => ob.setView({ graphColor }));
      const button = (words, title, act) => ob.el("button.ob-pill", { type: "button", title, onclick: act }, words);
      const save = button("Save", "Save the graph as a picture", () => ob.openMenu(save, "Save the graph",
        ob.menuItem("PNG", () => this.view.save("png", this.fileName())), ob.menuItem("SVG", () => this.view.save("svg", this.fileName()))));
      const open = this.files.button();
      const el = ob.el("div.ob-toolbar", { role: "toolbar", "aria-label": "How the graph is shown" },
        ob.runsButton(), runs, tags, open, search.el, color,
        button("Fit", "Show all of it (f)", () => this.view.fit()), button("Close all", "Close every scope", () => ob.setView({ graphOpen: [] })), save);
      return { el, runs, tags, open, color, search };
    }

    fileName() {
      return `graph-${this.run.name}`.replace(/[^\w.-]+/g, "_").slice(0, 80);
    }

    onView(changed) {
      const any = (...keys) => keys.some((key) => changed.has(key));
      if (any("selected", "graphRun", "graphTag")) this.load();
      else if (any("graphBase")) this.compare();
      else if (any("graphOpen", "graphAside", "graphMoved", "graphStats")) this.draw();
      if (any("graphNode", "graphTrace", "graphStats")) this.tell();
      else if (any("graphColor")) this.draw();
      if (any("graphSide", "graphBase", "graphOpen", "graphAside", "graphMoved")) this.paintSide();
      this.bar.color.value = ob.view.graphColor;
      this.sides.paint(ob.view.graphSide);
    }

    ask(path) {
      return ob.getJson(path, this.controller.signal);
    }

    /** Do what asks the server; a refusal is said in place of the graph. */
    async attempt(act) {
      try {
        await act();
      } catch (error) {
        if (error instanceof ob.Refused) this.say(error.message);
        else if (error.name !== "AbortError") this.say(error.message);
      }
    }

    say(...words) {
      this.out.replaceChildren(ob.empty(...words));
      this.key = null;
    }

    /** Find out which graph is to be shown, and show it from the beginning when it is another. */
    load() {
      return this.attempt(async () => {
        const shown = this.project.shown();
        await Promise.all(shown.slice(0, 20).map((run) => this.graphsOf(run.uid)));
        const having = shown.filter((run) => this.lists.get(run.uid)?.length);
        this.having = having;
        // Opened by somebody else since this page was.
        if (ob.isGraphFile(ob.view.graphRun) && !this.lists.has(ob.view.graphRun)) await this.files.load();
        const sources = [...having, ...this.files.runs];
        const named = sources.find((one) => one.uid === ob.view.graphRun);
        const isGone = !named && ob.isGraphFile(ob.view.graphRun);
        const run = named ?? (isGone ? undefined : sources[0]);
        this.paintBar(run);
        if (isGone) return this.say("This opened file is not here: somebody removed it, or it is not shared with you.", ...this.wayOut(sources));
        if (!run) return this.say("None of the shown runs has logged a graph. Log one with ", ob.el("code", {}, "writer.add_graph(model, input)"), ", or with Keras's TensorBoard callback. ", ...this.files.invitation());
        const rows = this.lists.get(run.uid);
        const row = rows.find((one) => one.tag === ob.view.graphTag) ?? rows[0];
        const key = `${run.uid} ${row.sha256}`;
        if (this.key === key) return;
        Object.assign(this, { key, run, row, traced: null, card: null, found: null });
        this.path = `r/${encodeURIComponent(run.uid)}/graphs/${row.sha256}`;
        this.told.clear();
        this.view.forget();
        this.words.textContent = "";
        this.side.replaceChildren(ob.el("p.ob-mute", {}, "Reading the graph…"));
        this.sideKey = null;
        this.out.replaceChildren(this.main);
        await this.compare();
        await this.tell();
      });
    }

    /** What leads to the graphs that are there. */
    wayOut(sources) {
      return sources.length ? [" ", ob.el("button.ob-pill", { type: "button", onclick: () => ob.setView({ graphRun: "", graphTag: "" }) }, "Show another graph")] : [" ", ...this.files.invitation()];
    }

    /** The graphs of a run, asked for once; a live run without one is asked again. */
    async graphsOf(uid) {
      const known = this.lists.get(uid);
      if (known?.length || (known && this.project.known.get(uid)?.status !== "live")) return;
      const { graphs, measured } = await this.ask(`r/${encodeURIComponent(uid)}/graphs`);
      this.lists.set(uid, graphs);
      this.steps.set(uid, measured);
    }

    paintBar(run) {
      const { runs, tags, el } = this.bar;
      const rows = (run && this.lists.get(run.uid)) ?? [];
      const options = (select, made, value) => {
        select.replaceChildren(...made);
        select.value = value;
        select.hidden = select.options.length < 2;
      };
      options(runs, ob.graphSources(this.having, this.files.runs), run?.uid ?? "");
      options(tags, rows.map((row) => ob.el("option", { value: row.tag }, row.tag.startsWith("__") ? row.words : `${row.tag}: ${row.words}`)), rows.some((row) => row.tag === ob.view.graphTag) ? ob.view.graphTag : rows[0]?.tag ?? "");
      for (const part of el.children) if (!part.matches("select, .ob-phone")) part.hidden = !run;
      if (!this.files.canAdd) this.bar.open.hidden = true;
      // Without a graph nothing is in it, but on a phone what leads to the runs.
      el.classList.toggle("ob-g-bare", !run);
    }

    stepsOfRun() {
      return this.steps.get(this.run?.uid) ?? [];
    }

    /** What is asked of an item, with the step that is looked at. */
    query(pairs) {
      const step = ob.stepOf(this.stepsOfRun());
      return new URLSearchParams({ ...pairs, ...(step ? { stats: step.sha256 } : {}) });
    }

    /** The scopes that are open, the whole graph first. */
    open() {
      return [...this.scopes.values()];
    }

    fetchScope(path) {
      const query = this.query({ path });
      if (this.other) for (const [key, value] of Object.entries({ to: this.other.run, base: this.other.sha256 })) query.set(key, value);
      const key = `${query}`;
      if (!this.told.has(key)) {
        const asked = this.ask(`${this.path}/scope?${query}`).catch((error) => {
          this.told.delete(key);
          // An address may name a scope that this graph has not.
          if (path && error instanceof ob.Refused) return null;
          throw error;
        });
        this.told.set(key, asked);
      }
      return this.told.get(key);
    }

    draw(keep = this.kept) {
      if (!this.key) return null;
      const turn = (this.turn = (this.turn ?? 0) + 1);
      return this.attempt(async () => {
        const paths = ["", ...ob.view.graphOpen];
        const step = ob.stepOf(this.stepsOfRun())?.sha256;
        const answers = await Promise.all(paths.map((path) => this.fetchScope(path)));
        const scopes = new Map(paths.map((path, at) => [path, answers[at]]).filter(([, scope]) => scope));
        const laid = await ob.layScope(scopes, "", { isAside: ob.isAside });
        if (turn !== this.turn) return;
        Object.assign(this, { scopes, laid, step });
        this.paint(keep);
      });
    }

    /** Draw what is laid out, in its colours. */
    paint(keep) {
      if (!this.laid) return;
      const colors = ob.graphColors(this.scopes, ob.view.graphColor, Boolean(this.other));
      const { graphNode: chosen, graphTrace } = ob.view;
      const traced = graphTrace && this.traced ? this.traced.paths : null;
      const drawnPaths = new Set(this.laid.boxes.map((box) => box.child.path));
      const isSeen = this.view.places.has(chosen) || drawnPaths.has(chosen);
      const look = {
        color: colors.color, isHeat: colors.isHeat, chosen, isTraced: Boolean(traced), traces: (path) => path === chosen || traced?.has(path),
        focusable: isSeen ? chosen : this.laid.boxes[0]?.child.path,
      };
      this.view.show(ob.drawGraph(this.laid, look), this.laid, keep);
      this.legend.classList.toggle("ob-g-scaled", Boolean(colors.scale));
      this.legend.replaceChildren(...(colors.scale ? [colors.scale] : []), ...colors.legend.map(([color, words]) => ob.el("span.ob-g-key", {}, ob.el("i", { style: { background: color } }), words)));
      const root = this.scopes.get("");
      const more = root.more ? ` ${ob.count(root.more)} more are not drawn.` : "";
      const held = ob.heldIn(this.laid);
      const waiting = held ? ` ${ob.plural(held, "control edge")} of nodes with many ${held === 1 ? "is" : "are"} drawn when you point at the node.` : "";
      this.paintChoices(root);
      this.words.textContent = root.nodes ? `${ob.plural(root.nodes, "node")}, ${ob.plural(root.edges_in_all, "edge")}, ${ob.plural(this.scopes.size - 1, "scope")} open.${more}${waiting}` : "There is no node in this graph.";
      this.paintSide();
      if (this.wanted && this.view.places.has(this.wanted)) {
        this.view.reveal(this.wanted);
        this.wanted = null;
      }
    }

    /** Offer only what the graph, and the step, tell. */
    paintChoices(root) {
      const told = { cluster: root.has_clusters, time: ob.isMeasured("time", root.measured), memory: ob.isMeasured("memory", root.measured) };
      for (const option of this.bar.color.options) option.hidden = told[option.value] === false && ob.view.graphColor !== option.value;
      const side = this.sides.querySelector('[data-value="measured"]');
      side.hidden = !this.stepsOfRun().length && ob.view.graphSide !== "measured";
    }

    choose(path) {
      const same = ob.view.graphNode === path;
      ob.setView({ graphNode: path, ...(path ? { graphSide: "node" } : { graphTrace: "" }) });
      if (same && path) this.paintSide();
    }

    /** Open a scope, or close it. */
    toggle(path) {
      const place = this.view.places.get(path);
      if (place?.child.kind === "node") return this.choose(path);
      this.kept = path;
      const { graphOpen } = ob.view;
      if (graphOpen.includes(path)) return ob.setView({ graphOpen: graphOpen.filter((one) => one !== path) });
      if (graphOpen.length >= MOST_OPEN) return ob.toast(`${MOST_OPEN} scopes are open. Close some first.`);
      return ob.setView({ graphOpen: [...graphOpen, path] });
    }

    /** Go to the scope around an item; an opened scope is closed first. */
    up(path) {
      if (ob.view.graphOpen.includes(path)) return this.toggle(path);
      const inside = this.view.places.get(path)?.inside;
      this.choose(inside ?? "");
      if (inside) this.view.focus(inside);
      return undefined;
    }

    /** Put an item into the list beside the graph, or take it out of it. */
    move(child) {
      const { graphMoved, graphAside } = ob.view;
      const has = graphMoved.includes(child.path);
      // With all drawn, one that is set aside by itself is drawn with them.
      if (!has && child.aside && graphAside) return;
      if (!has && graphMoved.length >= MOST_MOVED) return ob.toast(`${MOST_MOVED} nodes are moved. Put some back first.`);
      this.kept = null;
      return ob.setView({ graphMoved: has ? graphMoved.filter((one) => one !== child.path) : [...graphMoved, child.path] });
    }

    /** What an opened scope tells of an item; null when it stands in none. */
    childOf(path) {
      for (const scope of this.open()) {
        const child = scope.children.find((one) => one.path === path);
        if (child) return child;
      }
      return null;
    }

    /** Open all that is around an item, and show it. */
    reveal(path) {
      return this.attempt(async () => {
        const { above, item } = await this.ask(`${this.path}/node?${new URLSearchParams({ path })}`);
        this.wanted = item.path;
        this.kept = null;
        const open = [...new Set([...ob.view.graphOpen, ...above])].slice(-MOST_OPEN);
        const same = open.length === ob.view.graphOpen.length;
        ob.setView({ graphOpen: open, graphNode: item.path, graphSide: "node" });
        if (same) this.paint(null);
      });
    }

    /** Fetch what is told of the chosen item, and what its trace meets. */
    tell() {
      return this.attempt(async () => {
        const { graphNode: path, graphTrace: way } = ob.view;
        const query = this.query({ path });
        this.card = null;
        this.traced = null;
        if (path && this.key) {
          const asked = [this.ask(`${this.path}/node?${query}`), way ? this.ask(`${this.path}/trace?${new URLSearchParams({ path, way })}`) : null, this.tags()];
          const [card, traced] = await Promise.all(asked.map((one) => one?.catch?.((error) => {
            if (error instanceof ob.Refused) return null;
            throw error;
          }) ?? one));
          if (path !== ob.view.graphNode || way !== ob.view.graphTrace) return;
          this.card = card;
          this.traced = traced && { ...traced, paths: new Set(traced.paths) };
        }
        this.paint(null);
      });
    }

    /** The tags that the run may have logged of its layers; asked for once. */
    async tags() {
      const { run } = this;
      if (this.tagsOf === run.uid) return;
      if (run.file) {
        Object.assign(this, { runTags: [], tagsOf: run.uid });
        return;
      }
      const of = (kind) => ob.getJson(`${this.project.path}/tags?${new URLSearchParams({ kind, runs: run.uid })}`, this.controller.signal).then(({ tags }) => tags.map(({ name }) => ({ name, kind })));
      this.runTags = (await Promise.all([of("scalar"), of("histogram")])).flat();
      this.tagsOf = run.uid;
    }

    /** Compare with the graph of another run, if one is chosen, and draw. */
    compare() {
      return this.attempt(async () => {
        const base = ob.view.graphBase;
        this.other = null;
        this.found = null;
        const isThere = base && base !== this.run.uid && (!ob.isGraphFile(base) || this.lists.has(base));
        const rows = isThere ? (await this.graphsOf(base), this.lists.get(base) ?? []) : [];
        const row = rows.find((one) => one.tag === this.row.tag) ?? rows[0];
        if (row) {
          this.other = { run: base, sha256: row.sha256 };
          this.found = await this.ask(`${this.path}/difference?${new URLSearchParams({ to: base, base: row.sha256 })}`);
        }
        await this.draw(null);
      });
    }

    paintSide() {
      if (!this.key || !this.scopes.get("")) return;
      const key = JSON.stringify([this.key, ob.view.graphSide, ob.view.graphNode, ob.view.graphTrace, ob.view.graphOpen, ob.view.graphAside, ob.view.graphMoved, ob.view.graphBase, this.step, this.ranking, Boolean(this.card), Boolean(this.found)]);
      if (this.sideKey === key) return;
      this.sideKey = key;
      const show = (parts) => ob.keepFocus(this.side, () => this.side.replaceChildren(...parts));
      const { graphSide } = ob.view;
      this.main.classList.toggle("ob-g-wide", ["layers", "measured"].includes(graphSide));
      if (graphSide === "layers") this.showLayers(show);
      else if (graphSide === "measured") this.showMeasured(show);
      else if (graphSide === "aside") show(ob.graphAside(this));
      else if (graphSide === "changes") show(ob.graphChanges(this, this.baseChoice(), this.found));
      else show(this.card ? ob.graphCard(this, this.card, ob.graphTags(this.project, this.run.uid, this.card.item.path, this.runTags ?? [])) : ob.graphSummary(this, this.scopes.get("")));
    }

    baseChoice() {
      const others = this.having.filter((run) => run.uid !== this.run.uid);
      const files = this.files.runs.filter((run) => run.uid !== this.run.uid);
      const base = ob.view.graphBase;
      if (base && !ob.isGraphFile(base) && base !== this.run.uid && !others.some((run) => run.uid === base)) others.push(this.project.known.get(base) ?? { uid: base, name: base });
      if (!others.length && !files.length) return ob.el("p.ob-mute", {}, "No other shown run has logged a graph.");
      const select = ob.select("Compare with", [["", "no other graph"]], "", (graphBase) => ob.setView({ graphBase }));
      select.append(...ob.graphSources(others, files));
      select.value = base;
      return select;
    }

    /** Another table of what took most. */
    rank(patch) {
      this.ranking = { ...this.ranking, ...patch };
      this.paintSide();
    }

    showMeasured(show) {
      return this.attempt(async () => {
        const key = this.sideKey;
        const { measured } = this.scopes.get("");
        const rows = measured?.nodes ? (await this.ask(`${this.path}/measured?${this.query(this.ranking)}`)).rows : [];
        if (key === this.sideKey) show(ob.graphMeasured(this, this.stepsOfRun(), measured, rows));
      });
    }

    showLayers(show) {
      return this.attempt(async () => {
        const { key } = this;
        if (this.layersOf !== key) {
          this.layers = await this.ask(`${this.path}/layers`);
          this.layersOf = key;
        }
        if (ob.view.graphSide === "layers" && key === this.key) show(ob.graphLayers(this, this.layers));
      });
    }
  }

  /** Whether an item stands in the list beside the graph: as the server says, but for those that
      were moved by hand. */
  ob.isAside = function isAside(child) {
    const { graphAside, graphMoved } = ob.view;
    return graphMoved.includes(child.path) ? !child.aside : Boolean(child.aside) && !graphAside;
  };
})((globalThis.ob = globalThis.ob || {}));
