/* Settings: which of them mattered, and which runs are good. Parallel coordinates, scatter plots
   and a ranked list over the runs that the panel's query lets through, or that it shows. */
(function (ob) {
  "use strict";

  const AGAIN_MS = 3000;
  const OWN = "run";
  /** Of more runs the plots wait until the brush rests. */
  const MANY = 2000;
  const REST_MS = 150;

  ob.pages = ob.pages || {};

  ob.pages.hparams = function hparams(root) {
    const page = new SettingsPage(root, ob.openProject(root.dataset.team, root.dataset.project));
    page.open();
    return () => page.close();
  };

  class SettingsPage {
    constructor(root, project) {
      Object.assign(this, { root, project, data: null, axes: [], columns: new Map(), scales: new Map(), unfolded: false });
      this.controller = new AbortController();
      this.parallel = new ob.Parallel(this);
      this.scatter = new ob.Scatter(this);
      this.bar = ob.settingsBar(this);
      this.said = ob.el("p.ob-settings-said", { role: "status" });
      this.legend = ob.el("div");
      this.scatterHead = ob.el("div.ob-settings-tools");
      this.scatterNote = ob.el("p.ob-mute");
      this.rankHead = ob.el("div.ob-settings-tools");
      this.ranking = ob.el("div");
      this.problem = ob.el("div");
      this.table = ob.el("div");
      const part = (title, head, ...children) => ob.el("section.ob-settings-part", { "aria-label": title }, ob.el("header", {}, ob.el("h2", {}, title), head), ...children);
      this.parts = ob.el("div.ob-settings", {},
        part("Parallel coordinates", this.legend, this.parallel.box, this.said),
        ob.el("div.ob-settings-pair", {},
          part("Settings that go with a metric", this.rankHead, this.ranking),
          part("Scatter plots", this.scatterHead, this.scatter.box, this.scatterNote)),
        this.table);
      root.replaceChildren(this.bar.el, this.problem, this.parts);
      this.again = ob.throttled(AGAIN_MS, () => this.load());
      this.scatterLater = ob.settled(REST_MS, () => this.paintScatter());
      this.repaint = () => this.paint();
      this.sizer = new ResizeObserver(ob.settled(120, () => ob.unpressed(this.repaint)));
      this.sizer.observe(this.parallel.box);
      this.offs = [
        project.on((what) => this.onProject(what)), ob.onView((changed) => this.onView(changed)), ob.onTheme(() => this.paint()),
        ob.onRunHover((uid) => this.light(uid === null ? -1 : this.data?.uids.indexOf(uid) ?? -1)),
      ];
      this.tableOff = ob.hparamsTable(this.table, project);
    }

    async open() {
      await this.project.ready;
      await this.load();
    }

    close() {
      this.controller.abort();
      this.sizer.disconnect();
      this.offs.forEach((off) => off());
      this.tableOff();
      ob.closeMenu();
      ob.runTip(null);
    }

    onProject(what) {
      if (what === "gone") return this.say("There is no such project, or it is not shared with you.");
      if (what === "again" || what === "filter" || what.changed?.size) this.again();
    }

    onView(changed) {
      if (changed.has("runFilter") || (changed.has("selected") && ob.view.settings.shown)) return this.load();
      if (!changed.has("settings")) return undefined;
      return this.isStale() ? this.load() : this.paint();
    }

    /** Whether the view wants what the last answer does not have. */
    isStale() {
      if (!this.data) return true;
      const { axes, colour, target, shown, pair } = ob.view.settings;
      const wanted = [...(axes ?? []).map(({ key }) => key), ...(colour && colour !== OWN ? [colour] : []), ...(pair ?? [])];
      return shown !== this.asked.shown || (target && target !== this.data.target) || (axes === null && this.asked.axes !== null) || wanted.some((key) => !this.columns.has(key));
    }

    async load() {
      const { axes, colour, target, shown, pair } = ob.view.settings;
      const asked = (this.asked = { shown, axes });
      const besides = [...new Set([...(colour && colour !== OWN ? [colour] : []), ...(pair ?? [])])];
      const body = { q: ob.view.runFilter, archived: this.project.withArchived, axes: axes?.map(({ key }) => key) ?? null, besides, target };
      if (shown) body.runs = this.project.shown().map((run) => run.uid);
      try {
        const answer = await ob.postJson(`${this.project.path}/settings`, body, this.controller.signal);
        ob.unpressed(() => asked === this.asked && !this.controller.signal.aborted && this.take(answer));
      } catch (error) {
        // What is wrong with the query, the panel says beside it.
        if (error instanceof ob.Refused) this.say(error.message);
        else if (error.name !== "AbortError") throw error;
      }
    }

    take(answer) {
      this.data = { ...answer, names: answer.names, of: new Map(answer.settings) };
      this.columns = new Map(answer.columns.map((column) => [column.key, ob.axisColumn(column)]));
      this.paint();
    }

    say(...words) {
      this.problem.replaceChildren(ob.empty(...words));
      this.parts.hidden = true;
    }

    /** What of the view can be drawn now: axes with columns, and brushes on them. */
    settle() {
      const { axes, brushes, colour, pair } = ob.view.settings;
      const chosen = axes ?? this.data.axes.map((key) => ({ key, scale: "auto" }));
      this.axes = chosen.filter(({ key }) => this.columns.has(key));
      const scaleOf = (key) => this.axes.find((axis) => axis.key === key)?.scale ?? "auto";
      this.scales = new Map([...this.columns].map(([key, column]) => [key, ob.axisScale(column, scaleOf(key))]));
      this.brushes = brushes.filter(({ key }) => this.axes.some((axis) => axis.key === key));
      this.passing = ob.brushed(this.columns, this.brushes, this.data.uids.length);
      this.left = this.passing.reduce((sum, one) => sum + one, 0);
      this.pair = pair?.every((key) => this.columns.has(key)) ? pair : null;
      this.colour = colour || this.data.target || OWN;
      const column = this.columns.get(this.colour);
      this.colours = ob.runColours(this.data, column, this.scales.get(this.colour));
      this.legend.replaceChildren(column ? ob.rampLegend(column, this.scales.get(this.colour)) : ob.el("span.ob-mute", {}, "each run in its own colour"));
    }

    paint() {
      if (!this.data) return;
      this.settle();
      const empty = this.nothing();
      this.bar.paint();
      if (empty) return this.say(...empty);
      this.problem.replaceChildren();
      this.parts.hidden = false;
      this.said.textContent = this.words();
      this.parallel.show();
      ob.keepFocus(this.rankHead, () => this.rankHead.replaceChildren(this.bar.targetField()));
      ob.keepFocus(this.ranking, () => this.ranking.replaceChildren(...ob.rankingList(this)));
      // A drag brushes faster than plots of ten thousand runs are drawn.
      if (this.data.uids.length > MANY) this.scatterLater();
      else this.frame ||= requestAnimationFrame(() => this.paintScatter());
    }

    paintScatter() {
      this.frame = 0;
      if (this.controller.signal.aborted || this.parts.hidden) return;
      const few = this.axes.length < 2 && !this.pair;
      ob.keepFocus(this.scatterHead, () => this.scatterHead.replaceChildren(...this.bar.scatterFields()));
      this.scatter.box.hidden = few;
      if (!few) this.scatter.show();
      this.scatterNote.textContent = few ? "Two axes or more can be plotted." : this.scatter.left > 0 ? `The first 6 axes; ${ob.plural(this.scatter.left, "more")} ${this.scatter.left === 1 ? "is" : "are"} chosen.` : "";
    }

    nothing() {
      const { uids, settings, metrics } = this.data;
      if (!uids.length && ob.view.settings.shown) return ["No run is shown. Choose some in the run panel, or look at all that match."];
      if (!uids.length) return ob.view.runFilter ? ["No run matches ", ob.el("code", {}, ob.view.runFilter), "."] : ["No runs yet. Log some with SummaryWriter, or point orgboard at a directory: ", ob.el("code", {}, "orgboard ingest DIR"), "."];
      if (!settings.length && !metrics.length) return ["No run here has logged hyperparameters. Log them with ", ob.el("code", {}, "writer.add_hparams({...}, {...})"), "."];
      return null;
    }

    words() {
      const { uids, matching, settings } = this.data;
      const all = matching > uids.length ? `The newest ${ob.count(uids.length)} of ${ob.plural(matching, "run")} are drawn.` : `${ob.plural(uids.length, "run")}.`;
      const none = settings.length ? "" : " None of them has logged hyperparameters: writer.add_hparams({...}, {...}) does.";
      const one = uids.length === 1 ? " With one run nothing differs: log more, or widen the filter." : "";
      const brushed = this.brushes.length ? ` ${ob.count(this.left)} in the brushes.` : uids.length > 1 ? " Drag along an axis to brush it; drag its name to move it." : "";
      return all + none + one + brushed;
    }

    /** Change what the page shows. */
    set(patch) {
      ob.setView({ settings: { ...ob.view.settings, ...patch } });
    }

    brush(key, brush) {
      this.brushBoth([key, brush]);
    }

    /** Put brushes in the place of those on their axes; null takes one away. */
    brushBoth(...pairs) {
      const keys = pairs.map(([key]) => key);
      const others = ob.view.settings.brushes.filter(({ key }) => !keys.includes(key));
      // On an axis that is not there a brush would be at work unseen.
      const made = pairs.filter(([key, brush]) => brush && this.axes.some((axis) => axis.key === key)).map(([, brush]) => brush);
      this.set({ brushes: [...others, ...made] });
    }

    setScale(key, scale) {
      this.set({ axes: this.axes.map((axis) => (axis.key === key ? { key, scale } : axis)) });
    }

    moveAxis(key, to) {
      const axes = [...this.axes];
      const from = axes.findIndex((axis) => axis.key === key);
      const at = Math.min(axes.length - 1, Math.max(0, to));
      if (from < 0 || from === at) return;
      axes.splice(at, 0, ...axes.splice(from, 1));
      this.set({ axes });
    }

    toggleAxis(key) {
      const without = this.axes.filter((axis) => axis.key !== key);
      const brushes = ob.view.settings.brushes.filter((brush) => brush.key !== key);
      if (without.length < this.axes.length) return this.set({ axes: without, brushes });
      return this.set({ axes: [...this.axes, { key, scale: "auto" }].slice(0, ob.MAX_AXES) });
    }

    unfold() {
      this.unfolded = true;
      this.paint();
    }

    /** Show the brushed runs everywhere: they become the selection. */
    async showBrushed() {
      const uids = this.data.uids.filter((_, i) => this.passing[i]).slice(0, ob.MOST_SHOWN);
      ob.setView({ selected: uids });
      await this.project.resolveSelected();
    }

    /** Say the brushes in the query bar's language, and take them away: the filter has them now. */
    writeQuery() {
      const settings = new Set(this.data.settings.map(([name]) => name));
      const conditions = this.brushes.map((brush) => ob.brushQuery(this.columns.get(brush.key), brush, settings));
      ob.setView({ runFilter: ob.queryWith(ob.view.runFilter, conditions), settings: { ...ob.view.settings, brushes: [] } });
    }

    hover(run, event) {
      this.light(run);
      ob.runTip(run >= 0 ? this : null, run, event);
    }

    light(run) {
      if (!this.data || this.parts.hidden) return;
      this.parallel.light(run);
      if (!this.scatter.box.hidden && this.scatter.parts) this.scatter.light(run);
    }

    pick(run, event) {
      ob.runTip(null);
      const uid = this.data.uids[run];
      const shown = this.project.shown().map((one) => one.uid);
      const select = async (uids) => {
        ob.setView({ selected: uids.slice(0, ob.MOST_SHOWN) });
        await this.project.resolveSelected();
      };
      ob.menu(event, this.data.names[run], [
        { label: "About this run", act: () => ob.goTo(`${ob.base()}r/${uid}`) },
        shown.includes(uid) ? { label: "Hide this run", act: () => select(shown.filter((one) => one !== uid)) } : { label: "Show this run, too", act: () => select([...shown, uid]) },
        { label: "Show only this run", act: () => select([uid]) },
      ]);
    }
  }
})((globalThis.ob = globalThis.ob || {}));
