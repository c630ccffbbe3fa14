/* The scalars page: tags as cards in groups, and the rule of when what is fetched.

   Only cards near the screen are fetched (fetcher.js) and drawn. A tick of the live stream
   fetches the runs that grew, for the cards in sight. A card that leaves gives
   its chart back at once, and its points when many others came after it. */
(function (ob) {
  "use strict";

  /** Cards that keep their points after they left the screen. */
  const KEPT = 36;
  const NEAR = "300px 0px";
  const PAGE = 60;
  /** Names the section of pinned cards: no tag's group has a NUL. */
  const PINNED = "\u0000pinned";
  /** Of a frame's 16 ms; the rest is the browser's. */
  const SLICE_MS = 10;
  /** What is said of tags, and which charts runs declare, may change where no tag comes: so old the lists may be. */
  const LISTED_MS = 30000;

  ob.pages = ob.pages || {};

  ob.pages.scalars = function scalars(root) {
    const project = ob.openProject(root.dataset.team, root.dataset.project);
    const page = new Scalars(root, project);
    page.open();
    return () => page.close();
  };

  class Scalars {
    constructor(root, project) {
      this.project = project;
      this.cards = new Map();
      this.left = [];
      this.stale = new Set();
      this.turn = 0;
      this.tags = null;
      /** Of each run, which set of tags it had when the stream told of it last. */
      this.tagSets = new Map();
      this.listed = 0;
      /** Of the page, as its cards were drawn for. */
      this.width = null;
      this.controller = new AbortController();
      this.out = ob.el("div.ob-out");
      this.toolbar = this.makeToolbar();
      ob.sizeCards(this.out);
      root.replaceChildren(this.toolbar.el, this.out);
      this.seer = new IntersectionObserver((seen) => this.seen(seen), { rootMargin: NEAR });
      this.sizer = new ResizeObserver(ob.settled(120, () => this.redrawWidened()));
      this.sizer.observe(this.out);
      this.fetcher = this.makeFetcher();
      this.retag = ob.throttled(3000, () => this.listTags());
      this.recount = ob.throttled(2000, () => ob.refreshTable());
      this.offs = [
        project.on((what) => this.onProject(what)), ob.onView((changed) => this.onView(changed)),
        ob.onRunHover((uid) => this.cards.forEach((card) => card.highlight(uid))),
      ];
      ob.paintRanges = (range) => this.cards.forEach((card) => card.paintRange(range));
      ob.pageActions = () => this.actions();
      ob.moveCursors = (x) => this.cards.forEach((card) => card.moveCursor(x));
    }

    /* What another page of cards does otherwise (histograms.js). */

    kind() {
      return "scalar";
    }

    makeToolbar() {
      return ob.toolbar(this);
    }

    makeFetcher() {
      return ob.fetcher(this.project, this.cards, this.controller.signal, (words) => this.say(words));
    }

    makeCard(tag, actions) {
      const card = tag.make?.(actions) ?? (tag.source ? new ob.ChartCard(tag.source, actions) : new ob.Card(tag, actions));
      ob.combinable(card);
      return card;
    }

    /** What people made of tags, and have above them. */
    charts() {
      return ob.view.charts;
    }

    actions() {
      return ob.scalarActions(this.inOrder(), this.fetcher);
    }

    /** Begin what stands above the cards. */
    load() {}

    async open() {
      this.load();
      await this.project.ready;
      this.toolbar.paint();
      await this.listTags();
    }

    close() {
      this.controller.abort();
      cancelAnimationFrame(this.turn);
      this.fetcher.close();
      this.seer.disconnect();
      this.sizer.disconnect();
      this.offs.forEach((off) => off());
      this.cards.forEach((card) => card.rest());
      ob.moveCursors = () => {};
      ob.paintRanges = () => {};
      ob.pageActions = null;
      ob.closeTable();
      ob.closeMenu();
      ob.hideTip();
    }

    onProject(what) {
      if (what === "gone") return this.say("There is no such project, or it is not shared with you.");
      if (what === "again" || what === "groups") this.listTags();
      if (what === "again" || what === "groups") return this.refetch();
      if (what === "remarks") return this.drawAll();
      this.toolbar.paint();
      if (what === "filter") return this.reselect();
      if (what === "runs" && this.tags?.length === 0) return this.retag();
      if (what.changed) this.grown(what.changed);
    }

    onView(changed) {
      if (changed.has("selected")) this.reselect();
      else if (changed.has("byMetric")) this.listTags();
      const has = (...keys) => keys.some((key) => changed.has(key));
      if (has("tagFilter", "collapsed", "pinned", "charts")) this.layOut();
      if (has("xAxis", "zoom", "superseded", "logX", "groupLine", "groupBand")) this.refetch();
      if (has("yAxis", "yRange", "sectionRanges", "cardRanges", "outliersClipped", "smoothingKind")) this.drawAll();
      if (has("cardWidth", "cardHeight")) {
        ob.sizeCards(this.out);
        this.redrawResized();
      }
      if (has("selectedRange")) ob.paintRanges(ob.view.selectedRange);
      if (has("selected", "selectedRange", "zoom", "xAxis", "logX", "superseded", "smoothingKind", "columns")) ob.refreshTable();
      if (has("pinned")) this.cards.forEach((card) => card.paintActions());
      this.toolbar.paint();
    }

    /** Fetch which tags the shown runs have, and lay them out when that changed. */
    async listTags() {
      const runs = this.project.shown().map((run) => run.uid);
      this.listed = Date.now();
      if (this.project.error instanceof ob.Refused && this.project.error.status === 404) return;
      if (!runs.length) return this.layOut((this.tags = []));
      const query = new URLSearchParams({ kind: this.kind(), runs: runs.join(",") });
      if (ob.byMetric()) query.set("by_metric", "true");
      try {
        const [{ tags }, charts] = await Promise.all([ob.getJson(`${this.project.path}/tags?${query}`, this.controller.signal), this.declared(runs)]);
        const known = this.tags?.map((tag) => tag.id).join();
        this.tags = tags;
        if (this.kind() === "scalar") this.learn(tags);
        this.takeDeclared(charts);
        if (known !== tags.map((tag) => tag.id).join() || !tags.length) this.layOut();
      } catch (error) {
        if (error instanceof ob.Refused) this.say(error.message);
        else if (error.name !== "AbortError") throw error;
      }
    }

    learn(tags) {
      ob.scalarTags = tags;
      ob.learn(tags);
      this.toolbar.paint();
    }

    /** Fetch which charts the shown runs declare themselves. */
    async declared(runs) {
      const query = new URLSearchParams({ runs: runs.join(",") });
      const { charts } = await ob.getJson(`${this.project.path}/layouts?${query}`, this.controller.signal);
      return charts;
    }

    takeDeclared(charts) {
      const had = JSON.stringify(this.layouts);
      this.layouts = charts;
      if (had !== JSON.stringify(charts) && (had !== undefined || charts.length)) this.layOut();
    }

    /** Lay out the sections. Cards leave their old ones as the new ones are made, and with them the focus. */
    layOut() {
      if (this.tags !== null) ob.keepFocus(this.out, () => this.layOutSections());
    }

    layOutSections() {
      const filter = ob.tagMatcher(ob.view.tagFilter);
      this.toolbar.problem(filter.problem);
      if (filter.problem) return;
      const pinned = ob.view.pinned.map((name) => this.tags.find((tag) => tag.name === name)).filter(Boolean);
      const matches = (tag) => [tag, ...(tag.of ?? [])].some(({ name }) => filter.matches(name));
      const tags = this.tags.filter((tag) => matches(tag) && !pinned.includes(tag));
      const charts = this.charts();
      if (!tags.length && !pinned.length && !charts.length) return this.say(...this.nothing());
      const groups = Map.groupBy ? Map.groupBy(tags, (tag) => ob.sectionOf(tag.name)) : group(tags);
      // Metrics that have a name come first. Tags without a group come last: they are seldom what a page is opened for.
      const rank = (name) => (name === ob.METRIC ? -1 : Number(name === ""));
      const ordered = [...groups].sort(([one], [other]) => rank(one) - rank(other));
      const sections = ordered.map(([name, members]) => this.section(name, members));
      sections.unshift(...ob.layoutSections(this.layouts ?? [], (chart) => this.card(chart).el));
      if (charts.length) sections.unshift(this.chartSection(charts));
      if (pinned.length) sections.unshift(this.section(PINNED, pinned));
      if (!tags.length && !pinned.length) sections.push(ob.el("div.ob-empty", {}, ob.el("p", {}, ...this.nothing())));
      keepScroll(() => this.out.replaceChildren(...sections));
      this.width ??= this.out.clientWidth;
      // What comes into sight by that is fetched as soon as it is seen.
      this.forgetOthers();
    }

    nothing() {
      if (this.tags.length) {
        return ["No tag matches ", ob.el("code", {}, ob.view.tagFilter), `. ${ob.plural(this.tags.length, "tag")} without the filter.`];
      }
      if (this.project.matching === 0 && !ob.view.runFilter) {
        return ["No runs yet. Log some with SummaryWriter, or point orgboard at a directory: ", ob.el("code", {}, "orgboard ingest DIR"), "."];
      }
      if (!this.project.shown().length) return ["No run is shown. Choose some in the run panel."];
      return [`The shown runs have logged no ${this.kind()}s yet. They appear here as soon as they do.`];
    }

    section(name, tags) {
      const pinned = name === PINNED;
      const label = pinned ? "Pinned" : name === ob.METRIC ? "Metrics" : name || "other";
      const folded = !pinned && ob.view.collapsed.includes(name);
      const grid = ob.el("div.ob-grid", { hidden: folded });
      const add = (from) => {
        grid.append(...tags.slice(from, from + PAGE).map((tag) => this.card(tag).el));
        const rest = tags.length - from - PAGE;
        if (rest <= 0) return;
        const more = ob.el("button.ob-pill", { type: "button", onclick: () => { more.remove(); add(from + PAGE); } }, `Show ${Math.min(rest, PAGE)} more of ${ob.count(tags.length)}`);
        grid.append(more);
      };
      if (!folded) add(0);
      const fold = () => ob.setView({ collapsed: folded ? ob.view.collapsed.filter((one) => one !== name) : [...ob.view.collapsed, name] });
      const title = ob.el("button.ob-fold", { type: "button", "aria-expanded": String(!folded), onclick: fold, disabled: pinned },
        pinned ? null : ob.icon("M4 6l4 4 4-4"), label, ob.el("span.ob-n", {}, String(tags.length)));
      return ob.el("section.ob-section", { "aria-label": label }, ob.el("h2", {}, title, pinned ? null : ob.sectionMenu(name, tags, this.kind())), grid);
    }

    /** Charts that people made of tags stand before the tags. */
    chartSection(charts) {
      const cards = charts.map((source) => this.card({ id: `e ${source}`, source }).el);
      return ob.el("section.ob-section.ob-charts", { "aria-label": "Charts" }, ob.el("h2", {}, "Charts"), ob.el("div.ob-grid", {}, ...cards));
    }

    card(tag) {
      let card = this.cards.get(tag.id);
      if (!card) {
        const actions = {
          onResize: (one) => this.resized(one), onZoom: (zoom) => ob.setView({ zoom }), onSelect: (one, range) => this.select(one, range),
        };
        card = this.makeCard(tag, actions);
        card.el.card = card;
        this.cards.set(tag.id, card);
        this.seer.observe(card.el);
      }
      return card;
    }

    /** Drop the cards that no section holds any more. */
    forgetOthers() {
      for (const [id, card] of this.cards) {
        if (card.el.isConnected) continue;
        this.seer.unobserve(card.el);
        card.rest();
        this.cards.delete(id);
      }
    }

    /** Give the cards that no folded section hides, as they stand on the page. */
    inOrder() {
      return [...this.out.querySelectorAll(".ob-grid:not([hidden]) .ob-card")].map((el) => el.card);
    }

    say(...words) {
      this.out.replaceChildren(ob.el("div.ob-empty", {}, ob.el("p", {}, ...words)));
      this.forgetOthers();
    }

    seen(entries) {
      for (const { target, isIntersecting } of entries) {
        const { card } = target;
        if (!isIntersecting) {
          if (card.visible) this.leave(card);
        } else if (!card.visible) {
          card.visible = true;
          this.left = this.left.filter((one) => one !== card);
          if (card.fetched) card.draw();
        }
      }
      this.fetcher.wake();
    }

    leave(card) {
      card.rest();
      this.left.push(card);
      while (this.left.length > KEPT) this.left.shift().forget();
    }

    resized(card) {
      card.wanted = "all";
      requestAnimationFrame(() => card.draw());
      this.fetcher.wake();
    }

    /** Cards have another size: their charts are drawn to it once the dragging rests. */
    redrawResized() {
      this.sized ??= ob.settled(60, () => this.cards.forEach((card) => card.visible && this.resized(card)));
      this.sized();
    }

    /** The page has another width, and so have its cards; it gets taller by each of them. */
    redrawWidened() {
      const width = this.out.clientWidth;
      if (this.width === width) return;
      this.width = width;
      this.drawAll();
    }

    /** A stretch was dragged on a card: the table says what its points come to. */
    select(card, range) {
      ob.setView({ selectedRange: range });
      ob.paintRanges(range);
      if (range && card.isTag) ob.openTable(card);
    }

    reselect() {
      for (const card of this.cards.values()) card.wanted = card.wanted === "all" ? "all" : this.missing(card);
      this.listTags();
      this.drawAll();
      this.fetcher.wake();
    }

    /** Lines that are shown and that the card has not asked for. */
    missing(card) {
      const asked = card.asked ?? new Set();
      const missing = ob.drawn(this.project).map((run) => run.uid).filter((uid) => !asked.has(uid));
      return new Set([...(card.wanted || []), ...missing]);
    }

    refetch() {
      for (const card of this.cards.values()) {
        card.wanted = "all";
        if (!card.visible) card.forget();
      }
      this.fetcher.wake();
    }

    /** Runs have grown: what is in sight is fetched again for them. */
    grown(changed) {
      const grown = this.project.shown().map((run) => run.uid).filter((uid) => changed.has(uid));
      if (!grown.length) return;
      const shown = grown.map(ob.drawnAs);
      for (const card of this.cards.values()) {
        if (card.wanted === "all") continue;
        card.wanted = new Set([...(card.wanted || []), ...shown]);
      }
      if (this.mayHaveOthers(grown, changed)) this.retag();
      this.recount();
      this.fetcher.follow();
    }

    /** Tell whether runs may have other tags than those that are listed. */
    mayHaveOthers(grown, changed) {
      const others = grown.filter((uid) => this.tagSets.get(uid) !== changed.get(uid).tag_set);
      for (const uid of others) this.tagSets.set(uid, changed.get(uid).tag_set);
      return others.length > 0 || Date.now() - this.listed > LISTED_MS;
    }

    drawAll() {
      for (const card of this.cards.values()) if (card.visible) card.draw();
    }

    /** Move the lines of the cards in sight while the slider is dragged: a few milliseconds a
        frame, always to the newest weight, and in turn, so that the slider itself never waits. */
    smoothAll() {
      for (const card of this.cards.values()) if (card.visible) this.stale.add(card);
      this.turn ||= requestAnimationFrame(() => this.smoothSome());
    }

    smoothSome() {
      const until = performance.now() + SLICE_MS;
      for (const card of this.stale) {
        this.stale.delete(card);
        card.smooth();
        if (performance.now() > until) break;
      }
      this.turn = this.stale.size ? requestAnimationFrame(() => this.smoothSome()) : 0;
    }
  }

  ob.ScalarsPage = Scalars;

  function group(tags) {
    const groups = new Map();
    for (const tag of tags) {
      const name = ob.sectionOf(tag.name);
      groups.set(name, [...(groups.get(name) ?? []), tag]);
    }
    return groups;
  }

  function keepScroll(change) {
    const at = scrollY;
    change();
    if (scrollY !== at) scrollTo(0, at);
  }

  ob.moveCursors = () => {};
  ob.paintRanges = () => {};
})((globalThis.ob = globalThis.ob || {}));
