/* One card: a tag, its chart, and its words. It knows its lines and how to draw them;
   when to fetch and when to draw is the business of scalars.js. */
(function (ob) {
  "use strict";

  class Card {
    constructor(tag, actions) {
      this.tag = tag;
      /** Whether it is of one tag as it was logged, and not of a chart that is made of tags. */
      this.isTag = typeof tag.id === "number";
      this.lines = new Map();
      /** When the first point of each run came: relative time begins there. */
      this.starts = new Map();
      this.fetched = false;
      this.visible = false;
      this.wanted = "all";
      this.ranges = null;
      this.resting = false;
      /** Whether a gesture shows limits that the view does not have yet. */
      this.inHand = false;
      this.build(actions);
    }

    build(actions) {
      const { name, display_name: title, description } = this.tag;
      const label = title && title !== name ? title : name;
    const of = this.tag.of?.length ? `of ${this.tag.of.map(partWords).join(", ")}` : "";
      this.cursor = ob.el("div.ob-cursor", { hidden: true, "aria-hidden": "true" });
      this.range = ob.el("div.ob-range", { hidden: true, "aria-hidden": "true" });
      this.plot = ob.el("div.ob-plot", { role: "img", "aria-label": `${label}: not fetched yet` });
      this.note = ob.el("div.ob-note");
      this.words = [ob.el("span"), ob.el("span")];
      this.el = ob.el("article.ob-card", { "data-tag": name, "aria-label": ob.plainName(name), tabindex: "-1" },
        ob.el("header", {}, ob.el("h3.ob-mono", { title: [name, description, of].filter(Boolean).join("\n") }, label), ob.cardActions(this, actions)),
        ob.el("div.ob-stage", {}, this.plot, this.range, this.cursor, this.note),
        ob.el("footer", {}, ...this.words));
      this.el.card = this;
      this.listen(actions);
      this.paintActions();
    }

    listen({ onZoom, onSelect }) {
      const stage = this.plot.parentElement;
      stage.addEventListener("pointermove", (event) => this.ranges && event.buttons === 0 && ob.showTip(this, event));
      stage.addEventListener("pointerdown", (event) => event.pointerType === "mouse" ? ob.hideTip() : this.ranges && ob.showTip(this, event));
      stage.addEventListener("pointerenter", () => { this.resting = true; });
      stage.addEventListener("pointerleave", (event) => {
        this.resting = false;
        // A finger that is lifted leaves its table to be read; the next touch elsewhere hides it.
        if (event.pointerType !== "touch") ob.hideTip();
        ob.ghost(this, null);
        if (this.held) this.draw();
      });
      this.plot.addEventListener("dblclick", () => ob.setView({ zoom: null }));
      ob.pickable(this);
      ob.gestures(this, { onZoom, onSelect: onSelect && ((range) => onSelect(this, range)) });
    }

    /** Take the lines of an answer for the runs that were asked. */
    take(lines, asked, zoomed) {
      for (const uid of asked) this.lines.delete(uid);
      if (!zoomed) for (const line of lines) if (!line.superseded && line.wall) this.starts.set(line.run, line.wall[0]);
      for (const line of lines) this.lines.set(line.run, [...(this.lines.get(line.run) ?? []), line]);
      this.fetched = true;
      this.ghostKey = null;
    }

    /** Give the lines of the runs that are shown, in their order, named and coloured. */
    shownLines() {
      const runs = ob.project ? ob.drawn(ob.project) : [];
      const looks = ob.subRunLooks(runs, this.tag.name);
      const lines = [];
      for (const run of runs) {
        const look = looks.get(run.uid) ?? { name: ob.runName(run), color: run.color };
        for (const line of this.lines.get(run.uid) ?? []) {
          lines.push(Object.assign(line, { name: nameOf(look.name, line), color: look.color }));
        }
      }
      return lines;
    }

    /** The view as this card draws it. */
    look() {
      return ob.view;
    }

    /** Draw what is known. Under a resting pointer the axes stay, so that nothing jumps; in the
        midst of a gesture they are the hand's. */
    draw() {
      if (!this.visible || !this.fetched) return;
      const { view } = ob;
      const lines = this.shownLines();
      const look = this.look();
      const figure = ob.groupFigure(lines, look, this.tag.name);
      figure.unit = ob.unitOf(this.tag.name);
      const key = JSON.stringify([view.zoom, view.xAxis, view.logX, view.yAxis, look.yRange, look.sectionRanges, look.cardRanges, view.outliersClipped, figure.ranges.unit]);
      this.held = this.ranges !== null && (this.inHand || (this.resting && this.key === key));
      if (this.held) figure.ranges = this.ranges;
      const slides = this.key === key && !view.zoom ? this.ranges : null;
      this.ranges = figure.ranges;
      this.key = key;
      this.clipped = figure.clipped;
      this.say(lines, view);
      ob.ghost(this, null);
      ob.draw(this.plot, figure, view, slides);
      this.paintRange(view.selectedRange);
      ob.paintMarks(this, lines);
    }

    say(lines, view) {
      const grouped = ob.groupWords(lines, view, this.clipped);
      const [left, right] = grouped ?? ob.cardWords(this.tag.name, lines, this.clipped);
      this.words[0].textContent = left;
      this.words[0].title = grouped ? `${left}. ${ob.alignmentWords(view)}` : left;
      this.words[1].textContent = right;
      this.words[1].title = `Every point is stored. Drawn are the first, last, least and greatest of each stretch.${this.clipped ? " What lies outside the vertical range is not seen." : ""}`;
      const positive = lines.some((line) => line.y.some((y) => y > 0));
      const values = lines.some((line) => line.y.length);
      this.note.textContent = !values && !lines.some((line) => line.marks.length)
        ? nothing(lines, view)
        : view.yAxis === "log" && values && !positive ? "No value above 0 to draw on a log axis." : "";
      this.plot.setAttribute("aria-label", `${ob.describe(this.tag.name, lines)} ${right}. ${grouped ? left : ""}`.trim());
    }

    /** Move the smoothed lines while the slider is dragged. */
    smooth() {
      if (this.visible && this.ranges) ob.repath(this.plot, this.shownLines(), this.ranges, ob.view);
    }

    /** Let the line of a run or a group stand out, and show the runs of a group. */
    highlight(run) {
      const uid = run === null ? null : ob.drawnAs(run);
      ob.ghost(this, uid);
      for (const trace of this.plot.querySelectorAll(".trace")) {
        trace.style.opacity = uid === null || trace.dataset.trace.startsWith(`${uid}_`) ? "" : "0.12";
      }
    }

    moveCursor(x) {
      if (x === null || !this.ranges || !this.visible) {
        this.cursor.hidden = true;
        return;
      }
      const scale = ob.scaleOf(this.plot, this.ranges, ob.view);
      const px = scale.x(x);
      this.cursor.hidden = px < 0 || px > scale.width;
      this.cursor.style.transform = `translateX(${(scale.left + px).toFixed(1)}px)`;
    }

    /** Shade the selected stretch. */
    paintRange(range) {
      this.shade(this.range, range);
    }

    /** Lay an element of the stage over a stretch. */
    shade(element, range) {
      if (!range || !this.ranges || !this.visible) {
        element.hidden = true;
        return;
      }
      const scale = ob.scaleOf(this.plot, this.ranges, ob.view);
      const [from, to] = range.map((x) => Math.min(scale.width, Math.max(0, scale.x(x) || 0)));
      element.hidden = to <= from;
      element.style.left = `${scale.left + from}px`;
      element.style.width = `${to - from}px`;
    }

    /** Free the chart; the lines stay, and draw again at once. */
    rest() {
      this.visible = false;
      ob.paintMarks(this, []);
      ob.undraw(this.plot);
    }

    forget() {
      this.lines.clear();
      this.fetched = false;
      this.wanted = "all";
      this.ranges = null;
    }
  }

  ob.Card = Card;

  /** Write a tag that means a metric, and what its values are multiplied by. */
  const partWords = (ob.partWords = ({ name, scale }) => (scale === 1 ? name : `${name} × ${scale}`));

  /** Points that a restart replaced are a line of their own. */
  function nameOf(name, line) {
    return line.superseded ? `${name} (attempt ${line.attempt}, replaced)` : name;
  }

  function nothing(lines, view) {
    const metric = ob.xMetric(view);
    if (lines.some((line) => line.without_x > 0)) {
      return metric === null ? "No point has a place on this axis." : `No point has a value of ${metric.slice(0, 80)} at its step.`;
    }
    return view.zoom ? "No point in this stretch." : "No point in the shown runs.";
  }
})((globalThis.ob = globalThis.ob || {}));
