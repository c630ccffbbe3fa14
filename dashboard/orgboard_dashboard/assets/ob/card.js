/* One card: a tag, its chart, and its words. It knows its lines and how to draw them;
   when to fetch and when to draw is the business of scalars.js. */
(function (ob) {
  "use strict";

  class Card {
    constructor(tag, actions) {
      this.tag = tag;
      this.lines = new Map();
      this.fetched = false;
      this.visible = false;
      this.wanted = "all";
      this.ranges = null;
      this.resting = false;
      this.build(actions);
    }

    build({ onResize, onZoom }) {
      const { name, display_name: title, description } = this.tag;
      const label = title && title !== name ? title : name;
      this.cursor = ob.el("div.ob-cursor", { hidden: true, "aria-hidden": "true" });
      this.plot = ob.el("div.ob-plot", { role: "img", "aria-label": `${name}: not fetched yet` });
      this.note = ob.el("div.ob-note");
      this.words = [ob.el("span"), ob.el("span")];
      const wide = ob.el("button.ob-icon", {
        type: "button", "aria-label": `Enlarge ${name}`, title: "Enlarge", "aria-pressed": "false",
        onclick: () => {
          wide.setAttribute("aria-pressed", String(this.el.classList.toggle("ob-wide")));
          onResize(this);
        },
      }, ob.icon("M9.500 2.500H13.500V6.500M13 3L9 7M6.500 13.500H2.500V9.500M3 13L7 9"));
      this.el = ob.el("article.ob-card", { "data-tag": name, "aria-label": name },
        ob.el("header", {}, ob.el("h3.ob-mono", { title: description ? `${name}\n${description}` : name }, label), ob.el("span.ob-act", {}, wide)),
        ob.el("div.ob-stage", {}, this.plot, this.cursor, this.note),
        ob.el("footer", {}, ...this.words));
      this.listen(onZoom);
    }

    listen(onZoom) {
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
      this.onZoom = (event) => {
        const [low, high] = [event["xaxis.range[0]"], event["xaxis.range[1]"]];
        if (Number.isFinite(low) && Number.isFinite(high) && low < high) onZoom(round(low, high));
      };
    }

    /** Take the lines of an answer for the runs that were asked. */
    take(lines, asked) {
      for (const uid of asked) this.lines.delete(uid);
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

    /** Draw what is known. Under a resting pointer the axes stay, so that nothing jumps. */
    async draw() {
      if (!this.visible || !this.fetched) return;
      const { view } = ob;
      const lines = this.shownLines();
      const figure = ob.groupFigure(lines, view);
      const key = JSON.stringify([view.zoom, view.xAxis, view.yAxis]);
      this.held = this.resting && this.ranges !== null && this.key === key;
      if (this.held) figure.ranges = this.ranges;
      const slides = this.key === key && !view.zoom ? this.ranges : null;
      this.ranges = figure.ranges;
      this.key = key;
      this.say(lines, view);
      ob.ghost(this, null);
      await ob.draw(this.plot, figure, view, slides);
      ob.paintMarks(this, lines);
      if (!this.bound && this.plot.on) {
        this.plot.on("plotly_relayout", this.onZoom);
        this.plot.on("plotly_doubleclick", () => ob.setView({ zoom: null }));
        this.bound = true;
      }
    }

    say(lines, view) {
      const grouped = ob.groupWords(lines, view);
      const [left, right] = grouped ?? ob.cardWords(this.tag.name, lines);
      this.words[0].textContent = left;
      this.words[0].title = grouped ? `${left}. ${ob.alignmentWords(view)}` : left;
      this.words[1].textContent = right;
      this.words[1].title = "Every point is stored. Drawn are the first, last, least and greatest of each stretch.";
      const positive = lines.some((line) => line.y.some((y) => y > 0));
      const values = lines.some((line) => line.y.length);
      this.note.textContent = !values && !lines.some((line) => line.marks.length)
        ? view.zoom ? "No point between these steps." : "No point in the shown runs."
        : view.yAxis === "log" && values && !positive ? "No value above 0 to draw on a log axis." : "";
      this.plot.setAttribute("aria-label", `${this.tag.name}: ${ob.plural(lines.length, grouped ? "group" : "run")}, ${right}. ${left}`);
    }

    /** Move the smoothed lines while the slider is dragged. */
    smooth() {
      if (this.visible && this.ranges && this.bound) ob.repath(this.plot, this.shownLines(), this.ranges, ob.view);
    }

    /** Let the line of a run or a group stand out, and show the runs of a group. */
    highlight(run) {
      const uid = run === null ? null : ob.drawnAs(run);
      ob.ghost(this, uid);
      for (const group of this.plot.querySelectorAll(".scatterlayer .trace")) {
        const trace = group.__data__?.[0]?.trace;
        const whole = uid === null || !trace || trace.uid.startsWith(`${uid}_`);
        // Plotly keeps a trace's own opacity here: the faint raw line under a smoothed one has less.
        group.style.opacity = whole ? (trace?.opacity ?? 1) : 0.12;
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

    /** Free the chart; the lines stay, and draw again at once. */
    rest() {
      this.visible = false;
      ob.paintMarks(this, []);
      ob.undraw(this.plot);
      this.bound = false;
    }

    forget() {
      this.lines.clear();
      this.fetched = false;
      this.wanted = "all";
      this.ranges = null;
    }
  }

  ob.Card = Card;

  /** Points that a restart replaced are a line of their own. */
  function nameOf(name, line) {
    return line.superseded ? `${name} (attempt ${line.attempt}, replaced)` : name;
  }

  /** Four digits more than the span shows: short in the address, finer than a pixel. */
  function round(low, high) {
    const digits = Math.max(0, Math.min(9, 4 - Math.floor(Math.log10(high - low))));
    return [Number(low.toFixed(digits)), Number(high.toFixed(digits))];
  }
})((globalThis.ob = globalThis.ob || {}));
