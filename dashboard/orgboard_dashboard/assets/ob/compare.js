/* Compare: runs, or groups, side by side with a baseline: what was set differently, where
   each metric stands, and its curves, laid over one another and as a difference. */
(function (ob) {
  "use strict";

  /** Columns that a screen can hold; the rest is said. */
  const MOST = 12;
  const CURVES = 4;

  ob.pages = ob.pages || {};

  ob.pages.compare = function compare(root) {
    const page = new Compare(root, ob.openProject(root.dataset.team, root.dataset.project));
    page.open();
    return () => page.close();
  };

  class Compare {
    constructor(root, project) {
      this.project = project;
      this.controller = new AbortController();
      this.metrics = [];
      this.cards = [];
      this.curves = CURVES;
      this.same = false;
      this.toolbar = ob.toolbar(this);
      this.tables = ob.el("div");
      this.charts = ob.el("div");
      this.out = ob.el("div.ob-compare", {}, ob.comparing(project, "compare"), this.tables, this.charts);
      ob.sizeCards(this.out);
      root.replaceChildren(this.toolbar.el, this.out);
      this.again = ob.throttled(1500, () => this.load());
      this.sizer = new ResizeObserver(ob.settled(120, () => this.drawAll()));
      this.sizer.observe(this.out);
      this.offs = [
        project.on((what) => this.onProject(what)), ob.onView((changed) => this.onView(changed)),
        ob.onRunHover((uid) => this.cards.forEach((card) => card.highlight(uid))),
      ];
      ob.moveCursors = (x) => this.cards.forEach((card) => card.moveCursor(x));
    }

    async open() {
      await this.project.ready;
      this.toolbar.paint();
      await this.load();
    }

    close() {
      this.controller.abort();
      this.sizer.disconnect();
      this.offs.forEach((off) => off());
      this.cards.forEach((card) => card.rest());
      ob.moveCursors = () => {};
      ob.closeMenu();
      ob.hideTip();
    }

    onProject(what) {
      if (what === "gone") return this.say("There is no such project, or it is not shared with you.");
      this.toolbar.paint();
      if (what === "remarks") return this.drawAll();
      if (what.changed) return this.again();
      if (["filter", "groups", "again", "runs"].includes(what)) this.load();
    }

    onView(changed) {
      const any = (...keys) => keys.some((key) => changed.has(key));
      if (any("selected", "byMetric")) this.load();
      else if (any("tagFilter")) this.paint();
      else if (any("xAxis", "zoom", "superseded", "logX", "groupLine", "groupBand")) this.fetch();
      if (any("baseline", "compared")) {
        this.paintTables();
        this.drawAll();
      }
      if (any("yAxis", "yRange", "sectionRanges", "cardRanges", "outliersClipped", "smoothingKind")) this.drawAll();
      if (any("cardHeight")) {
        ob.sizeCards(this.out);
        this.drawAll();
      }
      this.toolbar.paint();
    }

    /** Give what is compared: the shown runs, or their groups. */
    subjects() {
      return ob.drawn(this.project).slice(0, MOST);
    }

    baseline() {
      const subjects = this.subjects();
      return subjects.find((one) => one.uid === ob.view.baseline) ?? subjects[0];
    }

    async load() {
      const uids = [...new Set(this.subjects().flatMap((one) => one.members ?? [one.uid]))];
      const key = uids.join();
      this.wanted = key;
      if (this.subjects().length < 2) return this.paint();
      try {
        const query = new URLSearchParams({ runs: key, ...(ob.byMetric() ? { by_metric: "true" } : {}) });
        const { metrics } = await ob.getJson(`${this.project.path}/metrics?${query}`, this.controller.signal);
        if (this.wanted !== key) return;
        this.metrics = metrics;
        ob.learn(metrics);
        // What the horizontal axis may follow.
        this.tags = metrics;
        this.toolbar.paint();
        this.paint();
      } catch (error) {
        if (error instanceof ob.Refused) this.say(error.message);
        else if (error.name !== "AbortError") throw error;
      }
    }

    say(...words) {
      this.cards.forEach((card) => card.rest());
      this.cards = [];
      this.laid = null;
      this.charts.replaceChildren();
      this.tables.replaceChildren(ob.el("div.ob-empty", {}, ob.el("p", {}, ...words)));
    }

    paint() {
      if (this.subjects().length < 2) return this.say(...this.nothing());
      const filter = ob.tagMatcher(ob.view.tagFilter);
      this.toolbar.problem(filter.problem);
      this.listed = this.metrics.filter((metric) => [metric, ...metric.of].some(({ name }) => filter.matches(name)));
      this.paintTables();
      this.layOut();
    }

    nothing() {
      const what = ob.isGrouped() ? "Two groups or more can be compared. Group the runs by something that differs, or choose more runs" : "Two runs or more can be compared. Choose them";
      return [`${what} in the run panel.`];
    }

    paintTables() {
      const subjects = this.subjects();
      if (subjects.length < 2) return;
      const left = ob.drawn(this.project).length - subjects.length;
      const more = left > 0 ? ob.el("p.ob-mute", {}, `The first ${MOST} are compared; ${ob.plural(left, "more")} ${left === 1 ? "is" : "are"} chosen.`) : null;
      this.tables.replaceChildren(...[more, ...this.configuration(subjects), ...this.standing(subjects)].filter(Boolean));
    }

    configuration(subjects) {
      const values = subjects.map((one) => this.hparams(one));
      const names = [...new Set(values.flatMap((of) => [...of.keys()]))].sort();
      const differs = (name) => new Set(values.map((of) => JSON.stringify([...(of.get(name) ?? [])].sort()))).size > 1;
      const different = names.filter(differs);
      const shown = this.same ? names : different;
      const rows = shown.map((name) => ob.el("tr", { class: differs(name) ? null : "ob-alike" },
        ob.el("th.ob-mono", { scope: "row" }, name), ...values.map((of) => ob.el("td.ob-mono", {}, setTo(of.get(name))))));
      const alike = names.length - different.length;
      const toggle = alike ? ob.el("button.ob-quiet", { type: "button", "aria-pressed": String(this.same), onclick: () => { this.same = !this.same; this.paintTables(); } }, this.same ? "only what differs" : `show ${ob.count(alike)} alike`) : null;
      const title = heading("Configuration", ob.plural(different.length, "difference"), toggle);
      if (!names.length) return [title, ob.el("p.ob-mute", {}, "None of these runs has logged hyperparameters.")];
      return rows.length ? [title, table(this.head("Hyperparameter", subjects), rows, "Configuration")] : [title, ob.el("p.ob-mute", {}, "All of it is alike.")];
    }

    /** Give what a run was set to, or what the runs of a group were, by name: values as JSON. */
    hparams(subject) {
      const of = new Map();
      for (const uid of subject.members ?? [subject.uid]) {
        for (const [name, value] of Object.entries(this.project.known.get(uid)?.hparams ?? {})) {
          of.set(name, (of.get(name) ?? new Set()).add(JSON.stringify(value)));
        }
      }
      return of;
    }

    standing(subjects) {
      const base = this.baseline();
      const choice = ob.segmented("Value that is compared", [["last", "Last"], ["min", "Least"], ["max", "Greatest"]], ob.view.compared, (compared) => ob.setView({ compared }));
      const title = heading("Metrics", ob.count(this.listed.length), choice);
      if (!this.listed.length) return [title, ob.el("p.ob-mute", {}, this.metrics.length ? "No tag matches the filter." : "These runs have logged no scalars yet.")];
      const rows = this.listed.map((metric) => {
        const from = valueOf(metric, base);
        return ob.el("tr", {}, ob.el("th.ob-mono", { scope: "row", title: [metric.name, ...metric.of.map(ob.partWords)].join("\n") }, ob.plainName(metric.name), ob.unitOf(metric.name) ? ob.el("span.ob-mute", {}, ` ${ob.unitOf(metric.name)}`) : ""),
          ...subjects.map((one) => standingCell(metric, valueOf(metric, one), one === base ? null : from)));
      });
      return [title, table(this.head("Tag", subjects), rows, "Metrics")];
    }

    /** Name the columns; each name makes its column the baseline. */
    head(first, subjects) {
      const base = this.baseline();
      return ob.el("tr", {}, ob.el("th", {}, first), ...subjects.map((one) => ob.el("th", { scope: "col" },
        ob.el("button.ob-subject", { type: "button", "aria-pressed": String(one === base), title: one === base ? "The baseline" : `Compare with ${nameOf(one)}`, onclick: () => ob.setView({ baseline: one.uid }) },
          ob.swatch(one), ob.el("span.ob-name", {}, nameOf(one)), one === base ? ob.el("span.ob-base", {}, "baseline") : null))));
    }

    /** Lay out the cards of the first tags; those that are there already stay as they are. */
    layOut() {
      const laid = `${this.listed.length} ${this.listed.slice(0, this.curves).map((tag) => tag.id).join()}`;
      if (laid === this.laid) return this.fetch();
      this.laid = laid;
      this.cards.forEach((card) => card.rest());
      const actions = (card) => ({ onResize: () => requestAnimationFrame(() => card().draw()), onZoom: (zoom) => ob.setView({ zoom }) });
      this.cards = this.listed.slice(0, this.curves).flatMap((tag) => {
        const [over, less] = [new ob.Card(tag, actions(() => over)), new ob.DifferenceCard(tag, actions(() => less), () => this.baseline().uid)];
        return [over, less];
      });
      for (const card of this.cards) {
        card.visible = true;
        card.el.card = card;
      }
      const rest = this.listed.length - this.curves;
      const more = rest > 0 ? ob.el("button.ob-pill", { type: "button", onclick: () => { this.curves += CURVES; this.layOut(); } }, `Show curves of ${ob.plural(Math.min(rest, CURVES), "more tag")} of ${ob.count(this.listed.length)}`) : null;
      this.charts.replaceChildren(ob.el("h2", { hidden: !this.cards.length }, "Curves"), ob.el("div.ob-pairs", {}, ...this.cards.map((card) => card.el)), more ?? "");
      this.fetch();
    }

    /** Fetch the curves of all cards, twelve tags a request. */
    async fetch() {
      const tags = [...new Map(this.cards.map((card) => [card.tag.id, card])).keys()];
      if (!tags.length) return;
      const asked = (this.asking = {});
      const place = ob.placeOf(ob.view);
      const subjects = this.subjects();
      const width = ob.columnsFor(this.cards[0].plot, subjects.length);
      const [{ path }, { signal }] = [this.project, this.controller];
      try {
        for (let at = 0; at < tags.length; at += MOST) {
          const body = {
            cards: tags.slice(at, at + MOST).map((tag) => ({ tag })), runs: subjects.map((one) => one.uid), ...place, width,
            superseded: ob.view.superseded,
          };
          const answer = await (ob.isGrouped() ? ob.postBands(path, subjects, body, signal) : ob.postScalars(path, body, signal));
          if (asked !== this.asking) return;
          await this.take(answer, body.runs, place.from !== null);
        }
      } catch (error) {
        if (error instanceof ob.Refused) this.say(error.message);
        else if (error.name !== "AbortError") throw error;
      }
    }

    async take(answer, uids, zoomed) {
      const lines = new Map(answer.cards.map((card) => [card.tag, card.lines]));
      for (const card of this.cards.filter((one) => lines.has(one.tag.id))) {
        card.lines.clear();
        card.take(lines.get(card.tag.id), uids, zoomed);
        await card.draw();
      }
    }

    drawAll() {
      for (const card of this.cards) card.draw();
    }

    smoothAll() {
      for (const card of this.cards) card.smooth();
    }
  }

  const nameOf = (subject) => (subject.members ? subject.name : ob.runName(subject));

  function heading(words, count, control) {
    return ob.el("div.ob-compare-head", {}, ob.el("h2", {}, words, ob.el("span.ob-n", {}, ` ${count}`)), control);
  }

  function table(head, rows, label) {
    return ob.el("div.ob-scroll", { tabindex: "0", role: "region", "aria-label": label }, ob.el("table.ob-table.ob-comparison", {}, ob.el("thead", {}, head), ob.el("tbody", {}, ...rows)));
  }

  /** Say what was set: a value as it was logged, or how many a group has. */
  function setTo(values) {
    if (!values) return "–";
    const list = [...values].map((value) => ob.hparam(JSON.parse(value)));
    return list.length > 3 ? `${list.slice(0, 3).join(", ")} and ${list.length - 3} more` : list.join(", ");
  }

  /** Where a metric stands: of a run, or the mean over the runs of a group. */
  function valueOf(metric, subject) {
    const uids = (subject.members ?? [subject.uid]).filter((uid) => uid in metric.runs);
    if (!uids.length) return null;
    const values = uids.map((uid) => metric.runs[uid][ob.view.compared] ?? NaN);
    return values.reduce((sum, value) => sum + value, 0) / values.length;
  }

  function standingCell(metric, value, from) {
    if (value === null) return ob.el("td", {}, "–");
    const delta = from === null ? NaN : value - from;
    if (!Number.isFinite(delta)) return ob.el("td", {}, ob.value(value));
    const sign = delta > 0 ? "+" : "";
    const part = from !== 0 ? `, ${sign}${percent((100 * delta) / Math.abs(from))}` : "";
    const better = delta * ob.direction(metric.name);
    const change = better > 0 ? "span.ob-better" : better < 0 ? "span.ob-worse" : "span.ob-mute";
    const words = better > 0 ? "better" : better < 0 ? "worse" : null;
    return ob.el("td", {}, ob.value(value), ob.el(change, { title: words }, delta === 0 ? "alike" : `${sign}${ob.value(delta)}${part}`));
  }

  function percent(value) {
    return `${Math.abs(value) >= 1000 ? ob.value(value) : value.toFixed(1).replace("-", "−")} %`;
  }
})((globalThis.ob = globalThis.ob || {}));
