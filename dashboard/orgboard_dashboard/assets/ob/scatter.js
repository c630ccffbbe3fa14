/* Scatter plots of the same axes: a matrix, or one large plot of two. A box dragged in a plot
   brushes both of its axes, and so the parallel coordinates, too. */
(function (ob) {
  "use strict";

  /** Axes of a matrix: 15 plots, in the order of the axes; the rest is said. */
  const MOST = 6;
  const GAP = 8;
  const LEFT = 84;
  /** Half of the topmost number stands above its plot. */
  const HEAD = 6;
  const FOOT = 34;
  const INNER = 0.06;
  const BESIDE = 0.02;
  const REACH_PX = 10;
  const STILL_PX = 4;
  const FONT = "11px Inter, system-ui, sans-serif";

  ob.Scatter = class Scatter {
    constructor(page) {
      this.page = page;
      this.canvas = ob.el("canvas", { role: "img", "aria-label": "Scatter plots" });
      this.over = ob.el("canvas.ob-over", { "aria-hidden": "true" });
      this.stage = ob.el("div.ob-scatter", {}, this.canvas, this.over);
      this.box = ob.el("div.ob-scatter-box", {}, this.stage);
      this.stage.addEventListener("pointermove", (event) => !event.buttons && this.page.hover(this.runAt(event), event));
      this.stage.addEventListener("pointerleave", () => this.page.hover(-1));
      this.stage.addEventListener("pointerdown", (event) => this.press(event));
    }

    /** Choose the plots: [column of x, column of y, left, top, width, height]. */
    layOut() {
      const { page } = this;
      const keys = page.pair ?? page.axes.map(({ key }) => key);
      const listed = keys.slice(0, MOST);
      this.left = keys.length - listed.length;
      const n = Math.max(1, listed.length - 1);
      this.width = Math.max(240, this.box.clientWidth);
      const wide = (this.width - LEFT - (n - 1) * GAP) / n;
      const high = n === 1 ? Math.min(340, wide * 0.75) : Math.min(150, Math.max(64, wide * 0.75));
      this.height = HEAD + n * high + (n - 1) * GAP + FOOT;
      this.cells = [];
      for (let row = 1; row < listed.length; row += 1) {
        for (let column = 0; column < row; column += 1) {
          this.cells.push({ x: listed[column], y: listed[row], column, row, left: LEFT + column * (wide + GAP), top: HEAD + (row - 1) * (high + GAP), wide, high, last: row === listed.length - 1, first: column === 0 });
        }
      }
    }

    show() {
      this.layOut();
      this.stage.style.height = `${this.height}px`;
      const context = ob.sharp(this.canvas, this.width, this.height);
      const { columns } = this.page;
      this.measure();
      const groups = this.groups();
      for (const cell of this.cells) this.drawCell(context, cell, groups);
      const names = [...new Set(this.cells.flatMap(({ x, y }) => [x, y]))].map((key) => columns.get(key).title);
      this.canvas.setAttribute("aria-label", `${ob.plural(this.cells.length, "scatter plot")} of ${names.join(", ")}`);
      this.light(null);
    }

    /** Work out where each run lies on each axis; what is missing lies beside the lower and left edge. */
    measure() {
      const { columns, scales, data } = this.page;
      const partsOf = (key) => Float32Array.from({ length: data.uids.length }, (_, i) => ob.partOf(columns.get(key), scales.get(key), i) ?? BESIDE - INNER);
      this.parts = new Map([...new Set(this.cells.flatMap(({ x, y }) => [x, y]))].map((key) => [key, partsOf(key)]));
    }

    /** Give the runs of each colour, those outside of the brushes first. */
    groups() {
      const { data, passing, colours } = this.page;
      const faint = ob.token("line2");
      const groups = new Map(passing.includes(0) ? [[faint, []]] : []);
      data.uids.forEach((_, i) => {
        const colour = passing[i] ? colours[i] : faint;
        if (!groups.has(colour)) groups.set(colour, []);
        groups.get(colour).push(i);
      });
      return groups;
    }

    px = (cell, i) => cell.left + cell.wide * (INNER + this.parts.get(cell.x)[i] * (1 - 2 * INNER));
    py = (cell, i) => cell.top + cell.high * (1 - INNER - this.parts.get(cell.y)[i] * (1 - 2 * INNER));

    drawCell(context, cell, groups) {
      const { data, brushes } = this.page;
      context.strokeStyle = ob.token("line2");
      context.lineWidth = 1;
      context.strokeRect(Math.round(cell.left) + 0.5, Math.round(cell.top) + 0.5, Math.round(cell.wide) - 1, Math.round(cell.high) - 1);
      const n = data.uids.length;
      const size = n > 2000 ? 2 : this.cells.length === 1 ? 6 : n > 300 ? 3 : 4;
      context.globalAlpha = n > 2000 ? 0.5 : 0.85;
      for (const [colour, runs] of groups) {
        context.fillStyle = colour;
        this.points(context, cell, runs, size);
      }
      context.globalAlpha = 1;
      if (brushes.length) this.drawBrushes(context, cell);
      this.drawNames(context, cell);
    }

    points(context, cell, runs, size) {
      const [across, up] = [this.parts.get(cell.x), this.parts.get(cell.y)];
      const [wide, high] = [cell.wide * (1 - 2 * INNER), cell.high * (1 - 2 * INNER)];
      const [left, bottom] = [cell.left + cell.wide * INNER, cell.top + cell.high * (1 - INNER)];
      for (const i of runs) {
        const [x, y] = [left + across[i] * wide, bottom - up[i] * high];
        if (size < 4) context.fillRect(x - size / 2, y - size / 2, size, size);
        else {
          context.beginPath();
          context.arc(x, y, size / 2, 0, 2 * Math.PI);
          context.fill();
        }
      }
    }

    drawBrushes(context, cell) {
      const spanOf = (key) => {
        const brush = this.page.brushes.find((one) => one.key === key);
        return brush ? ob.brushSpan(this.page.columns.get(key), this.page.scales.get(key), brush) : null;
      };
      const [across, up] = [spanOf(cell.x), spanOf(cell.y)];
      if (!across && !up) return;
      const inner = (part) => INNER + part * (1 - 2 * INNER);
      const [x0, x1] = across ? across.map((part) => cell.left + cell.wide * inner(part)) : [cell.left + 1, cell.left + cell.wide - 1];
      const [y1, y0] = up ? up.map((part) => cell.top + cell.high * (1 - inner(part))) : [cell.top + cell.high - 1, cell.top + 1];
      context.strokeStyle = ob.token("accent");
      context.strokeRect(x0 - 2, y0 - 2, x1 - x0 + 4, y1 - y0 + 4);
    }

    /** Names and ends of the axes, at the matrix' left and lower edge. */
    drawNames(context, cell) {
      context.font = FONT;
      const ends = (key) => {
        const ticks = this.page.scales.get(key).ticks;
        return ticks.length ? [ticks[0], ticks.at(-1)] : [];
      };
      const name = (key, width) => ob.cutText(context, this.page.columns.get(key).title, width);
      const inner = (part) => INNER + part * (1 - 2 * INNER);
      if (cell.first) {
        context.textAlign = "right";
        context.textBaseline = "middle";
        context.fillStyle = ob.token("ink");
        context.fillText(name(cell.y, LEFT - 12), cell.left - 6, cell.top + cell.high / 2);
        context.fillStyle = ob.token("mute");
        for (const [part, text] of ends(cell.y)) {
          const y = cell.top + cell.high * (1 - inner(part));
          if (Math.abs(y - cell.top - cell.high / 2) > 12) context.fillText(ob.cutText(context, text, LEFT - 12), cell.left - 6, y);
        }
      }
      if (!cell.last) return;
      const y = cell.top + cell.high + 9;
      context.textBaseline = "middle";
      context.fillStyle = ob.token("mute");
      ends(cell.x).forEach(([part, text], i) => {
        context.textAlign = i ? "right" : "left";
        context.fillText(ob.cutText(context, text, cell.wide / 2 - 4), i ? Math.max(cell.left + cell.wide * inner(part), cell.left + cell.wide * 0.6) : cell.left, y);
      });
      context.textAlign = "center";
      context.fillStyle = ob.token("ink");
      context.fillText(name(cell.x, cell.wide), cell.left + cell.wide / 2, y + 14);
    }

    at(event) {
      const box = this.stage.getBoundingClientRect();
      const [x, y] = [event.clientX - box.left, event.clientY - box.top];
      return { x, y, cell: this.cells?.find((one) => x >= one.left && x <= one.left + one.wide && y >= one.top && y <= one.top + one.high) };
    }

    runAt(event) {
      const { x, y, cell } = this.at(event);
      if (!cell) return -1;
      let [best, apart] = [-1, REACH_PX];
      for (let i = 0; i < this.page.data.uids.length; i += 1) {
        if (!this.page.passing[i]) continue;
        const away = Math.hypot(this.px(cell, i) - x, this.py(cell, i) - y);
        if (away < apart) [best, apart] = [i, away];
      }
      return best;
    }

    /** A drag brushes both axes of a plot; a click on a point opens what can be done with its run. */
    press(down) {
      const from = this.at(down);
      if (down.button !== 0 || !from.cell || down.pointerType === "touch") return;
      down.preventDefault();
      let moved = false;
      const move = (event) => {
        moved ||= Math.hypot(event.clientX - down.clientX, event.clientY - down.clientY) > STILL_PX;
        if (moved) this.brush(from, this.at(event));
      };
      const up = (event) => {
        document.removeEventListener("pointermove", move);
        const run = moved ? -1 : this.runAt(event);
        if (run >= 0) this.page.pick(run, event);
        else if (!moved) this.page.brushBoth([from.cell.x, null], [from.cell.y, null]);
      };
      document.addEventListener("pointermove", move);
      document.addEventListener("pointerup", up, { once: true });
    }

    brush({ cell, x: x0, y: y0 }, { x: x1, y: y1 }) {
      const { columns, scales } = this.page;
      const outer = (share) => (share - INNER) / (1 - 2 * INNER);
      const across = [x0, x1].map((x) => outer((x - cell.left) / cell.wide));
      const up = [y0, y1].map((y) => outer(1 - (y - cell.top) / cell.high));
      const between = (key, [from, to]) => ob.brushBetween(columns.get(key), scales.get(key), from, to);
      this.page.brushBoth([cell.x, between(cell.x, across)], [cell.y, between(cell.y, up)]);
    }

    /** Make a run stand out in all plots. */
    light(run) {
      const context = ob.sharp(this.over, this.width ?? 0, this.height ?? 0);
      if (run === null || run < 0) return;
      for (const cell of this.cells) {
        context.beginPath();
        context.arc(this.px(cell, run), this.py(cell, run), 5, 0, 2 * Math.PI);
        context.fillStyle = this.page.colours[run];
        context.strokeStyle = ob.token("ink");
        context.lineWidth = 1.5;
        context.fill();
        context.stroke();
      }
    }
  };
})((globalThis.ob = globalThis.ob || {}));
