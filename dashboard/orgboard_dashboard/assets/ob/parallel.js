/* Parallel coordinates: an axis for each setting and metric, a line for each run. Lines on a canvas,
   axes as elements over it, with a name that moves the axis and two handles that brush it. */
(function (ob) {
  "use strict";

  const HEIGHT = 300;
  const TOP = 40;
  const PLACE = 22;
  const MARGIN = 56;
  const LEAST_APART = 112;
  const REACH_PX = 8;
  /** Lines that are stroked at once do not add up: so many show how dense they lie. */
  const TOGETHER = 40;
  const FONT = "11px Inter, system-ui, sans-serif";

  /** Make the chart of a page of settings; `page` has data, view and what to do. */
  ob.Parallel = class Parallel {
    constructor(page) {
      this.page = page;
      this.canvas = ob.el("canvas", { role: "img", "aria-label": "Parallel coordinates" });
      this.over = ob.el("canvas.ob-over", { "aria-hidden": "true" });
      this.axes = ob.el("div.ob-axes");
      this.stage = ob.el("div.ob-parallel", {}, this.canvas, this.over, this.axes);
      this.box = ob.el("div.ob-parallel-box", { tabindex: "0", role: "region", "aria-label": "Parallel coordinates" }, this.stage);
      this.lit = null;
      this.stage.addEventListener("pointermove", (event) => this.hover(event));
      this.stage.addEventListener("pointerleave", () => this.light(null));
      this.stage.addEventListener("click", (event) => this.pick(event));
    }

    /** Lay out the axes anew, and draw. */
    show() {
      const { axes, columns, scales } = this.page;
      this.list = axes.map(({ key }) => ({ column: columns.get(key), scale: scales.get(key) }));
      this.rows = ["odd", "none"].filter((place) => this.list.some(({ column }) => column[place]));
      this.bottom = TOP + HEIGHT + 12;
      this.height = this.bottom + this.rows.length * PLACE + 8;
      this.width = Math.max(this.box.clientWidth, (this.list.length - 1) * LEAST_APART + 2 * MARGIN);
      this.stage.style.width = `${this.width}px`;
      this.stage.style.height = `${this.height}px`;
      ob.keepFocus(this.axes, () => this.axes.replaceChildren(...this.list.map((one, i) => ob.axisElement(this, one, i))));
      this.measure();
      this.draw();
    }

    x(i) {
      return this.list.length < 2 ? this.width / 2 : MARGIN + (i * (this.width - 2 * MARGIN)) / (this.list.length - 1);
    }

    /** Where a part of an axis lies, and back. */
    y = (part) => TOP + (1 - part) * HEIGHT;
    part = (y) => 1 - (y - TOP) / HEIGHT;

    /** Where those lie that have no place on the axis. */
    rowY(place) {
      const row = this.rows.indexOf(place);
      return row < 0 ? null : this.bottom + (row + 0.5) * PLACE;
    }

    rowAt(y) {
      return y < this.bottom ? null : this.rows[Math.floor((y - this.bottom) / PLACE)] ?? null;
    }

    /** Work out the height of each run on each axis, once for all drawing. */
    measure() {
      const n = this.page.data.uids.length;
      this.heights = this.list.map(({ column, scale }) => {
        const [none, odd] = [this.rowY("none"), this.rowY("odd")];
        return Float32Array.from({ length: n }, (_, i) => (column.place[i] === 0 ? this.y(scale.at(column.held[i])) : column.place[i] === ob.NONE ? none : odd));
      });
    }

    draw() {
      const context = ob.sharp(this.canvas, this.width, this.height);
      const { passing, colours, data, brushes } = this.page;
      const some = brushes.length > 0;
      const groups = new Map();
      const rest = [];
      for (let i = 0; i < data.uids.length; i += 1) {
        if (!passing[i]) rest.push(i);
        else if (groups.has(colours[i])) groups.get(colours[i]).push(i);
        else groups.set(colours[i], [i]);
      }
      context.lineWidth = 1;
      this.strokes(context, rest, ob.token("line2"), Math.min(0.8, 60 / Math.max(1, rest.length) + 0.08));
      const left = some ? data.uids.length - rest.length : data.uids.length;
      context.lineWidth = left > 400 ? 1 : 1.5;
      const alpha = left > 4000 ? 0.2 : left > 400 ? 0.4 : 0.8;
      for (const [colour, runs] of groups) this.strokes(context, runs, colour, alpha);
      this.drawAxes(context);
      this.canvas.setAttribute("aria-label", this.words());
      this.light(this.lit);
    }

    strokes(context, runs, colour, alpha) {
      context.strokeStyle = colour;
      context.globalAlpha = alpha;
      for (let at = 0; at < runs.length; at += TOGETHER) {
        context.beginPath();
        for (const i of runs.slice(at, at + TOGETHER)) this.trace(context, i);
        context.stroke();
      }
      context.globalAlpha = 1;
    }

    trace(context, i) {
      this.heights.forEach((heights, axis) => (axis ? context.lineTo(this.x(axis), heights[i]) : context.moveTo(this.x(0), heights[i])));
      // One axis alone has marks in place of lines.
      if (this.heights.length === 1) context.lineTo(this.x(0) + 12, this.heights[0][i]);
    }

    drawAxes(context) {
      const room = this.list.length < 2 ? 160 : this.x(1) - this.x(0) - 18;
      context.font = FONT;
      context.textBaseline = "middle";
      this.list.forEach(({ column, scale }, i) => {
        const x = Math.round(this.x(i)) + 0.5;
        const last = i === this.list.length - 1 && i > 0;
        context.textAlign = last ? "right" : "left";
        context.strokeStyle = ob.token("mute");
        context.lineWidth = 1;
        context.beginPath();
        context.moveTo(x, this.y(1));
        context.lineTo(x, this.y(0));
        context.stroke();
        const few = scale.ticks.length > 20 ? scale.ticks.filter((_, at) => at % 2 === 0) : scale.ticks;
        for (const [part, text] of few) this.label(context, x, this.y(part), text, last, room);
        if (column.none) this.label(context, x, this.rowY("none"), "none", last, room);
        if (column.odd) this.label(context, x, this.rowY("odd"), "NaN, ∞", last, room);
      });
    }

    label(context, x, y, text, left, room) {
      const short = ob.cutText(context, text, room);
      context.beginPath();
      context.strokeStyle = ob.token("mute");
      context.moveTo(x - 3, y);
      context.lineTo(x + 3, y);
      context.lineWidth = 1;
      context.stroke();
      context.lineWidth = 4;
      context.lineJoin = "round";
      context.strokeStyle = ob.token("surface");
      const at = left ? x - 7 : x + 7;
      context.strokeText(short, at, y);
      context.fillStyle = ob.token("ink");
      context.fillText(short, at, y);
    }

    words() {
      const { data, passing, brushes } = this.page;
      const names = this.list.map(({ column }) => column.title).join(", ");
      const left = passing.reduce((sum, one) => sum + one, 0);
      return `${ob.plural(data.uids.length, "run")} over ${names}${brushes.length ? `; ${ob.count(left)} in the brushes` : ""}`;
    }

    /** Give the run whose line is nearest to a pointer; -1 when none is near. */
    runAt(event) {
      const box = this.stage.getBoundingClientRect();
      const [x, y] = [event.clientX - box.left, event.clientY - box.top];
      if (this.list.length < 2 || y < TOP - 8) return -1;
      const step = this.x(1) - this.x(0);
      const axis = Math.min(this.list.length - 2, Math.max(0, Math.floor((x - MARGIN) / step)));
      const share = Math.min(1, Math.max(0, (x - this.x(axis)) / step));
      let [best, apart] = [-1, REACH_PX];
      const [left, right] = [this.heights[axis], this.heights[axis + 1]];
      for (let i = 0; i < left.length; i += 1) {
        if (!this.page.passing[i]) continue;
        const away = Math.abs(left[i] + share * (right[i] - left[i]) - y);
        if (away < apart) [best, apart] = [i, away];
      }
      return best;
    }

    hover(event) {
      if (event.buttons || event.target.closest("button, [role=slider]")) return;
      this.page.hover(this.runAt(event), event);
    }

    pick(event) {
      if (event.target.closest("button, .ob-axis-track")) return;
      const run = this.runAt(event);
      if (run >= 0) this.page.pick(run, event);
    }

    /** Make the line of a run stand out. */
    light(run) {
      this.lit = run;
      const context = ob.sharp(this.over, this.width, this.height);
      if (run === null || run < 0 || !this.heights?.length) return;
      for (const [width, colour] of [[6, ob.token("surface")], [3, this.page.colours[run]]]) {
        context.lineWidth = width;
        context.strokeStyle = colour;
        context.beginPath();
        this.trace(context, run);
        context.stroke();
      }
    }
  };
})((globalThis.ob = globalThis.ob || {}));
