/* A card of histograms: one tag, the shown runs, in one of four views. */
(function (ob) {
  "use strict";

  const TIP_AWAY = 14;
  const PICTURE = { width: 960, height: 480 };
  const TITLE = 40;

  class HistogramCard extends ob.Card {
    constructor(tag, actions) {
      super(tag, actions);
      this.kind = "histogram";
      this.rangeName = "Range of values";
      this.el.classList.add("ob-histcard");
    }

    listen() {
      const stage = this.plot.parentElement;
      stage.addEventListener("pointermove", (event) => this.hover(event));
      stage.addEventListener("pointerdown", (event) => this.hover(event));
      stage.addEventListener("pointerleave", (event) => {
        if (event.pointerType === "touch") return;
        hideTip();
        ob.moveCursors(null);
      });
      stage.addEventListener("click", (event) => {
        const found = this.found(event);
        if (found) ob.setView({ atStep: found.line.step[found.i] });
      });
    }

    take(lines, asked) {
      for (const uid of asked) this.lines.delete(uid);
      for (const line of lines) this.lines.set(line.run, [ob.unfoldHistograms(line)]);
      this.fetched = true;
    }

    /** Give the lines of the shown runs, or of their groups, named and coloured. Runs of a group
        that have lines of their own stand beside one another, in the colour of the group. */
    shownLines() {
      const grouping = ob.project && ob.view.groupBy ? ob.groupingOf(ob.project) : null;
      const groupOf = (run) => grouping?.of.get(run.uid) ?? null;
      const runs = ob.project ? [...ob.drawn(ob.project)] : [];
      if (grouping && !ob.isGrouped()) runs.sort((a, b) => grouping.groups.indexOf(groupOf(a)) - grouping.groups.indexOf(groupOf(b)));
      return runs.flatMap((run) => (this.lines.get(run.uid) ?? []).map((line) => {
        const group = line.members ? null : groupOf(run);
        return Object.assign(line, { group, name: group ? `${group.name}: ${ob.runName(run)}` : ob.runName(run), color: run.color });
      }));
    }

    told() {
      return ob.describeHistograms(this.tag.name, this.shownLines(), ob.view.atStep);
    }

    /** How the view has it drawn; `step` is where the cursor stands. */
    looked(step = this.cursorStep ?? ob.view.atStep) {
      const { histograms: view, xAxis, yAxis } = ob.view;
      return { view, axis: ["step", "rstep", "relative", "wall"].includes(xAxis) ? xAxis : "step", yAxis, range: ob.rangeSet(ob.view, this.tag.name), step };
    }

    async draw() {
      if (!this.visible || !this.fetched) return;
      const lines = this.shownLines();
      const size = { width: this.plot.clientWidth, height: this.plot.clientHeight };
      if (!size.width || !size.height) return;
      this.picture = ob.histogramPicture(lines, size, this.looked());
      if (!this.svg || this.svg.parentElement !== this.plot) {
        this.svg = ob.sheet(size.width, size.height);
        this.svg.setAttribute("aria-hidden", "true");
        this.plot.replaceChildren(this.svg);
      }
      for (const [name, value] of Object.entries({ width: size.width, height: size.height, viewBox: `0 0 ${size.width} ${size.height}` })) this.svg.setAttribute(name, value);
      ob.paintShapes(this.svg, this.picture.shapes);
      this.say(lines);
    }

    say(lines) {
      const drawn = lines.filter((line) => line.step.length);
      const faults = ob.faultWords(drawn, ob.histogramFaults ?? []);
      const panels = this.picture.panels.length;
      const groups = new Set(drawn.map((line) => line.group).filter(Boolean)).size;
      const own = ob.view.histograms === "heat" ? "" : ", each in its group's colour";
      const coloured = groups ? ` in ${ob.plural(groups, "group")}${own}` : "";
      const sums = ob.sumWords(drawn);
      const several = drawn.length > 1 ? `${sums || `${ob.plural(drawn.length, "run")}${coloured}`}${ob.view.histograms !== "overlay" && panels < drawn.length ? `, the first ${panels} drawn` : ""}` : "";
      const left = [faults, several || sums, several || !drawn.length ? "" : ob.spreadWords(drawn[0], this.cursorStep ?? ob.view.atStep)].filter(Boolean).join(" · ");
      this.footWords(left, drawn);
      this.note.textContent = this.picture.panels.length ? "" : faults || (drawn.length ? "Nothing was counted: its histograms have no bucket that can be drawn." : "No histogram in the shown runs.");
      this.plot.setAttribute("aria-label", `${this.told()} ${faults}`.trim());
    }

    footWords(left, drawn) {
      const [shown, all] = ["shown", "n"].map((key) => drawn.reduce((sum, line) => sum + line[key], 0));
      const right = all ? (shown < all ? `${ob.count(shown)} of ${ob.plural(all, "step")}` : ob.plural(all, "step")) : "";
      this.words[0].textContent = left;
      this.words[0].title = left;
      const thinned = ob.thinnedTogether(drawn);
      this.words[1].textContent = thinned ? `${right}, thinned` : right;
      this.words[1].title = `${thinned || "Every histogram is stored."} Drawn are the first, the last and some evenly between, in even bins that keep all areas; the pointer tells exact buckets.`;
    }

    /** What a pointer is on: a line, one of its histograms, and a value. */
    found(event) {
      const box = this.plot.getBoundingClientRect();
      const [px, py] = [event.clientX - box.left, event.clientY - box.top];
      const panel = this.picture?.panels.find(({ x, width }) => px >= x - 5 && px <= x + width + 5) ?? null;
      if (!panel) return null;
      const [line] = panel.lines;
      if (panel.rows) {
        const value = panel.value.back(Math.min(1, Math.max(0, (px - panel.x) / panel.width)));
        const bin = Math.min(panel.rows[0].bins.length - 1, Math.max(0, Math.floor(((px - panel.x) / panel.width) * panel.rows[0].bins.length)));
        // The ridge whose line is nearest; of several below one another the one in front.
        const away = (row) => Math.abs(row.base - (row.most ? row.bins[bin] / row.most : 0) * row.ridge - py);
        const row = panel.rows.reduce((best, one) => (best && away(best) < away(one) ? best : one), null);
        return { line: row.line ?? line, i: row.i, value, panel };
      }
      const axis = this.looked().axis;
      const wanted = panel.time.back((px - panel.x) / panel.width);
      let i = 0;
      for (let k = 1; k < line.step.length; k += 1) if (Math.abs(ob.framePlace(line, k, axis) - wanted) < Math.abs(ob.framePlace(line, i, axis) - wanted)) i = k;
      return { line, i, value: panel.value.back(1 - (py - panel.y) / panel.height), panel };
    }

    hover(event) {
      const found = this.found(event);
      if (!found) return hideTip();
      ob.moveCursors(found.line.step[found.i]);
      showTip(event, tipOf(found, this.shownLines().length > 1));
    }

    /** Mark the histogram at a step, or the one of the slider. */
    moveCursor(step) {
      if (this.cursorStep === step || !this.visible || !this.picture?.panels.length) return;
      this.cursorStep = step ?? undefined;
      const [panel] = this.picture.panels;
      if (panel.rows) {
        this.turn ||= requestAnimationFrame(() => {
          this.turn = 0;
          this.draw();
        });
        this.cursor.hidden = true;
        return;
      }
      this.placeCursor(step);
    }

    placeCursor(step) {
      const [panel] = this.picture.panels;
      const wanted = step ?? ob.view.atStep;
      this.cursor.hidden = wanted === null || Boolean(panel.rows);
      if (this.cursor.hidden) return;
      const [line] = panel.lines;
      const place = panel.time.at(ob.framePlace(line, ob.frameAt(line, wanted), this.looked().axis));
      this.cursor.style.transform = `translateX(${(panel.x + place * panel.width).toFixed(1)}px)`;
    }

    highlight() {}
    smooth() {}
    paintRange() {}

    rest() {
      this.visible = false;
      cancelAnimationFrame(this.turn);
      this.turn = 0;
      this.svg = null;
      this.picture = null;
      this.plot.replaceChildren();
    }

    forget() {
      super.forget();
      this.picture = null;
    }

    menuItems() {
      const runs = ob.quotedStatistic(this.tag.name, "mean");
      const spread = ob.quotedStatistic(this.tag.name, "std");
      return [ob.menuHead("As curves"), ob.menuItem("Mean and spread", () => ob.openCharts([`${runs}; ${spread}`]), "on the scalars page"),
        ob.menuItem("Percentiles", () => ob.openCharts(["p5", "p50", "p95"].map((of) => ob.quotedStatistic(this.tag.name, of)).join("; ")), "5, 50, 95 %")];
    }

    /** Save the picture as "svg" or "png". */
    async savePicture(format) {
      const picture = ob.histogramPicture(this.shownLines(), { width: PICTURE.width, height: PICTURE.height - TITLE }, this.looked());
      const svg = ob.sheet(PICTURE.width, PICTURE.height);
      svg.setAttribute("xmlns", "http://www.w3.org/2000/svg");
      const part = ob.sheet(PICTURE.width, PICTURE.height - TITLE);
      part.setAttribute("y", TITLE);
      ob.paintShapes(part, picture.shapes);
      ob.paintShapes(svg, [{ d: `M0,0H${PICTURE.width}V${PICTURE.height}H0Z`, fill: ob.token("surface") }, { text: this.tag.name, x: 16, y: 26, anchor: "start", fill: ob.token("ink") }]);
      svg.lastElementChild.setAttribute("font-size", "15");
      svg.append(part);
      const address = URL.createObjectURL(new Blob([new XMLSerializer().serializeToString(svg)], { type: "image/svg+xml" }));
      ob.download(format === "svg" ? address : await rastered(address), `${ob.fileName(this.tag.name)}.${format}`);
      setTimeout(() => URL.revokeObjectURL(address), 1000);
      return true;
    }
  }

  ob.HistogramCard = HistogramCard;

  async function rastered(address) {
    const image = new Image();
    image.src = address;
    await image.decode();
    const canvas = ob.el("canvas", { width: 2 * PICTURE.width, height: 2 * PICTURE.height });
    canvas.getContext("2d").drawImage(image, 0, 0, canvas.width, canvas.height);
    return canvas.toDataURL("image/png");
  }

  /** Write a statistic of a tag as it stands in an expression. */
  ob.quotedStatistic = (tag, of) => ob.quoted(`hist:${tag}:${of}`);

  /** Go to the scalars page with these charts on top. */
  ob.openCharts = function openCharts(charts) {
    const wanted = [charts].flat();
    const kept = ob.view.charts.filter((chart) => !wanted.includes(chart));
    ob.goTo(`${ob.base()}${ob.project.path}/scalars${ob.viewQuery({ charts: [...wanted, ...kept], tagFilter: "", zoom: null, collapsed: [] })}`);
  };

  let tip = null;

  function tipOf({ line, i, value }, named) {
    const k = ob.bucketAt(line, i, value);
    const total = line.num[i];
    // A group came to a step at as many times as it has runs.
    const rows = [["step", ob.count(line.step[i])], line.members ? ["runs", `the sum of ${ob.count(line.runs[i])} of ${ob.count(line.members)}`] : ["time", ob.moment(line.wall[i])]];
    if (named) rows.unshift([line.members ? "group" : "run", line.name]);
    if (k >= 0) {
      rows.push(["bucket", `${exact(line.left[k])} to ${exact(line.right[k])}`], ["count", `${exact(line.count[k])} of ${exact(total)}${total > 0 ? ` (${ob.value((100 * line.count[k]) / total)} %)` : ""}`]);
    } else {
      rows.push(["bucket", "none here"], ["all", exact(total)]);
    }
    return ob.el("table.ob-bucket", {}, ob.el("tbody", {}, ...rows.map(([name, words]) => ob.el("tr", {}, ob.el("th", { scope: "row" }, name), ob.el("td", {}, words)))));
  }

  /** As it was logged: all digits of a number of few, else the shortest that is the same number. */
  function exact(number) {
    return Number.isInteger(number) && Math.abs(number) < 1e15 ? ob.count(number).replace(/^-/, "−") : String(Math.fround(number) === number ? Number(number.toPrecision(9)) : number).replace(/-/g, "−");
  }

  function showTip(event, content) {
    tip ??= document.body.appendChild(ob.el("div.ob-tip", { role: "tooltip" }));
    if (!tip.isConnected) document.body.append(tip);
    tip.replaceChildren(content);
    tip.hidden = false;
    const { offsetWidth: width, offsetHeight: height } = tip;
    const right = event.clientX + TIP_AWAY;
    const x = right + width > innerWidth - 8 ? event.clientX - TIP_AWAY - width : right;
    const y = Math.min(event.clientY + TIP_AWAY, innerHeight - height - 8);
    tip.style.transform = `translate(${Math.max(8, x)}px, ${Math.max(8, y)}px)`;
  }

  function hideTip() {
    if (tip) tip.hidden = true;
  }
  ob.showBucketTip = showTip;
  ob.hideBucketTip = hideTip;

  document.addEventListener("pointerdown", (event) => {
    if (!event.target.closest?.(".ob-stage")) hideTip();
  });
})((globalThis.ob = globalThis.ob || {}));
