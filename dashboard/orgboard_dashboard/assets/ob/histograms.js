/* The histograms page: the same sections, cards and fetching as the scalars page has
   (scalars.js), with other cards, a toolbar of its own, and the map of layers above. */
(function (ob) {
  "use strict";

  const VIEWS = [["offset", "Offset"], ["overlay", "Overlay"], ["dist", "Bands"], ["heat", "Heat"]];
  const AXES = [["step", "Step"], ["relative", "Relative"], ["wall", "Wall"]];
  /** The usual size of a card in pixels: a ridge needs more room than a curve. */
  const SIZE = { width: 400, height: 230 };
  const FRAMES = 50;
  /** Of more runs each has fewer histograms: as many as there is room for. */
  const FRAMES_A_CARD = 200;

  let Page = null;

  ob.pages = ob.pages || {};

  ob.pages.histograms = function histograms(root) {
    Page ??= make();
    const project = ob.openProject(root.dataset.team, root.dataset.project);
    const page = new Page(root, project);
    page.open();
    return () => page.close();
  };

  /** The class is made when it is needed: what it builds on may be loaded later than this. */
  function make() {
    return class Histograms extends ob.ScalarsPage {
      kind() {
        return "histogram";
      }

      size() {
        ob.sizeCards(this.out);
        if (ob.view.cardWidth === null) this.out.style.setProperty("--ob-card-width", `${SIZE.width}px`);
        if (ob.view.cardHeight === null) this.out.style.setProperty("--ob-plot-height", `${SIZE.height}px`);
      }

      load() {
        this.size();
        /** The shown runs that have histograms, as far as they were fetched. */
        this.logged = new Set();
        // Their colours are in the picture; those of curves are the stylesheet's.
        this.offs.push(ob.onTheme(() => { this.drawAll(); this.map.paint(); }));
        this.map = ob.layerMap(this);
        this.out.before(this.map.el);
      }

      makeToolbar() {
        this.learn = ob.settled(200, () => this.toolbar.learn());
        return toolbar(this);
      }

      makeFetcher() {
        const ways = { drawn: () => ob.drawn(this.project), post: (path, body, signal) => this.post(path, body, signal) };
        return ob.fetcher(this.project, this.cards, this.controller.signal, (words) => this.say(words), ways);
      }

      async post(path, { cards, runs }, signal) {
        const frames = Math.max(10, Math.min(FRAMES, Math.floor(FRAMES_A_CARD / Math.max(1, runs.length))));
        const groups = ob.drawn(this.project).filter(({ uid, members }) => members && runs.includes(uid));
        const of = ob.isGrouped() ? { groups: groups.map(({ uid, members }) => ({ id: uid, runs: members })) } : { runs };
        const answer = await ob.postScalars(path, { cards, ...of, frames }, signal, "histograms");
        ob.histogramFaults = answer.bits;
        this.learn();
        const had = this.logged.size;
        for (const card of answer.cards) for (const { run, n, of: members } of card.lines) if (n) for (const uid of members ?? [run]) this.logged.add(uid);
        if (!had && this.logged.size) this.map.refresh();
        return new Map(answer.cards.map((card) => [card.tag, card.lines]));
      }

      makeCard(tag, actions) {
        return new ob.HistogramCard(tag, actions);
      }

      charts() {
        return [];
      }

      async declared() {
        return [];
      }

      actions() {
        return [
          ...VIEWS.map(([histograms, label]) => ({ label: `Histograms: ${label.toLowerCase()}`, act: () => ob.setView({ histograms }) })),
          ...[["lin", "Linear"], ["sym", "Symlog"]].map(([yAxis, label]) => ({ label: `${label} axis of values`, act: () => ob.setView({ yAxis }) })),
          { label: "Map of layers", words: ob.view.layerMap ? "on" : "off", act: () => this.toggleMap() },
        ];
      }

      toggleMap() {
        ob.setView({ layerMap: ob.view.layerMap ? "" : "w1" });
      }

      async listTags() {
        await super.listTags();
        this.map.refresh();
      }

      grown(changed) {
        super.grown(changed);
        this.map.grown(changed);
      }

      onView(changed) {
        const has = (...keys) => keys.some((key) => changed.has(key));
        if (has("selected")) this.reselect();
        if (has("tagFilter", "collapsed", "pinned")) this.layOut();
        if (has("groupLine")) this.refetch();
        if (has("histograms", "xAxis", "yAxis", "yRange", "sectionRanges", "cardRanges", "atStep")) this.drawAll();
        if (has("cardWidth", "cardHeight")) {
          this.size();
          this.redrawResized();
        }
        if (has("pinned")) this.cards.forEach((card) => card.paintActions());
        if (has("layerMap", "selected")) this.map.refresh();
        this.toolbar.paint();
      }

      drawAll() {
        super.drawAll();
        this.cards.forEach((card) => card.visible && card.picture?.panels.length && card.placeCursor(null));
        this.map?.paint();
      }

      close() {
        super.close();
        this.map.close();
        ob.hideBucketTip();
      }

      /** All steps of the cards that are fetched, in order. */
      steps() {
        const all = new Set();
        for (const card of this.cards.values()) for (const lines of card.lines.values()) for (const line of lines) line.step.forEach((step) => all.add(step));
        return [...all].sort((a, b) => a - b);
      }

      /** The range of values that all fetched cards lie in. */
      wholeRange() {
        const ranges = [...this.cards.values()].map((card) => ob.valuesOf(card.shownLines())).filter(Boolean);
        return ranges.length ? [Math.min(...ranges.map(([low]) => low)), Math.max(...ranges.map(([, high]) => high))] : null;
      }
    };
  }

  const shownAxis = () => (AXES.some(([value]) => value === ob.view.xAxis) ? ob.view.xAxis : "step");

  function toolbar(page) {
    const view = ob.segmented("View", VIEWS, ob.view.histograms, (histograms) => ob.setView({ histograms }));
    const axis = ob.select("Time axis", AXES, shownAxis(), (xAxis) => ob.setView({ xAxis, zoom: null, selectedRange: null }));
    const values = ob.segmented("Axis of values", [["lin", "Lin"], ["sym", "Sym"]], ob.view.yAxis, (yAxis) => ob.setView({ yAxis }));
    values.lastElementChild.title = "Logarithmic to both sides, linear around 0: below a thousandth of the greatest";
    const range = ob.el("button.ob-pill.ob-toggle", {
      type: "button", title: "Fitted: each card has its own range of values. Fixed: all cards have the same",
      onclick: () => ob.setView({ yRange: ob.view.yRange ? null : ob.roundedRange(page.wholeRange()) }),
    });
    const map = ob.el("button.ob-pill.ob-toggle", { type: "button", title: "All tags and steps of a run in one picture", onclick: () => page.toggleMap() }, "Layer map");
    const step = stepSlider(page);
    return {
      ...ob.toolbarOf("How the histograms are drawn", view, step.el, axis, values, range, map, ob.settingsButton()),
      paint() {
        const { histograms, yAxis, yRange, layerMap } = ob.view;
        view.paint(histograms);
        axis.value = shownAxis();
        values.paint(yAxis === "sym" ? "sym" : "lin");
        range.textContent = yRange ? "Range fixed" : "Range fitted";
        range.setAttribute("aria-pressed", String(Boolean(yRange)));
        map.setAttribute("aria-pressed", String(Boolean(layerMap)));
        step.paint();
      },
      learn: step.learn,
    };
  }

  /** Choose a step that is marked in all cards; at its right end, none: the last one counts. */
  function stepSlider(page) {
    const number = ob.el("output.ob-mono.ob-stepnumber", {}, "last");
    let steps = [];
    const paint = () => {
      const { atStep } = ob.view;
      range.max = String(steps.length);
      range.value = String(atStep === null ? steps.length : Math.max(0, steps.findLastIndex((step) => step <= atStep)));
      range.style.setProperty("--at", `${steps.length ? (Number(range.value) / steps.length) * 100 : 100}%`);
      const words = atStep === null ? "last" : ob.count(atStep);
      number.textContent = words;
      range.setAttribute("aria-valuetext", atStep === null ? "the last step" : `step ${words}`);
    };
    const learn = () => {
      steps = page.steps();
      paint();
    };
    const range = ob.el("input.ob-slider.ob-steps", {
      type: "range", min: "0", max: "0", step: "1", value: "0", "aria-label": "Step",
      onpointerdown: learn, onfocus: learn,
      oninput: () => ob.setView({ atStep: steps[Number(range.value)] ?? null }),
    });
    paint();
    return { el: ob.el("div.ob-field", { title: "The step that is marked in all cards" }, range, number), paint, learn };
  }

  /** A range with a little room, in few digits. */
  ob.roundedRange = function roundedRange(range) {
    if (!range) return null;
    const [low, high] = range;
    const room = high > low ? (high - low) * 0.02 : Math.max(Math.abs(low) * 0.1, 1e-6);
    return [low - room, high + room].map((value) => Number(value.toPrecision(4)));
  };
})((globalThis.ob = globalThis.ob || {}));
