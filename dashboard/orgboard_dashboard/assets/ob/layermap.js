/* The map of layers: every histogram tag of a run is a row, every step a column, and a shade
   says how far each is from the one before (or from another run), how wide, how dead. */
(function (ob) {
  "use strict";

  const MEASURES = [
    ["w1", "Distance: Wasserstein-1"], ["js", "Distance: Jensen-Shannon"], ["std", "Spread: standard deviation"],
    ["dead", "Dead: share in the bucket that holds 0"], ["sat", "Saturated: share in the outermost buckets"], ["nan", "Lost: share that is in no bucket"],
  ];
  const LOGARITHMIC = new Set(["w1", "std"]);
  const COLUMNS = 100;
  const LEFT = 200;
  const ROWS_PX = 320;
  const FOOT = 18;
  const TOLD = 3;

  ob.layerMap = (page) => new LayerMap(page);

  class LayerMap {
    constructor(page) {
      this.page = page;
      this.el = ob.el("section.ob-section.ob-layermap", { "aria-label": "Map of layers", hidden: true });
      this.controller = new AbortController();
      this.later = ob.throttled(3000, () => this.fetch());
      this.sizer = new ResizeObserver(ob.settled(120, () => this.paint()));
      this.sizer.observe(this.el);
    }

    close() {
      this.controller.abort();
      this.sizer.disconnect();
      this.el.remove();
    }

    /** What the view asks for: a measure, a run, and the one that it is compared with. */
    asked() {
      const [measure, run, other] = ob.view.layerMap.split(",");
      const runs = this.page.project.shown();
      const mine = runs.find(({ uid }) => uid === run) ?? runs.find(({ uid }) => this.page.logged.has(uid)) ?? runs[0];
      const theirs = runs.find(({ uid }) => uid === other && uid !== mine?.uid);
      return { measure, mine, theirs: measure === "w1" || measure === "js" ? theirs : undefined, runs };
    }

    refresh() {
      const { measure, mine, theirs } = this.asked();
      this.el.hidden = !measure || !mine;
      if (this.el.hidden) return;
      const key = [measure, mine.uid, theirs?.uid].join();
      if (key === this.key && this.line) return;
      this.key = key;
      this.fetch();
    }

    grown(changed) {
      const { mine, theirs } = this.asked();
      if (!this.el.hidden && [mine, theirs].some((run) => run && changed.has(run.uid))) this.later();
    }

    async fetch() {
      const { measure, mine, theirs } = this.asked();
      if (!measure || !mine) return;
      const { key } = this;
      try {
        const answer = await ob.postScalars(this.page.project.path, { run: mine.uid, other: theirs?.uid ?? null, measure, columns: COLUMNS }, this.controller.signal, "layers");
        if (key !== this.key) return;
        [this.line] = answer.cards[0].lines;
        this.problem = "";
      } catch (error) {
        if (error.name === "AbortError") return;
        if (!(error instanceof ob.Refused)) throw error;
        this.line = null;
        this.problem = error.message;
      }
      this.lay();
    }

    /** Lay out the choices, the picture and the words. */
    lay() {
      const { measure, mine, theirs, runs } = this.asked();
      const set = (one, two, three) => ob.setView({ layerMap: [one, two, three].filter(Boolean).join(",") });
      const named = runs.map((run) => [run.uid, ob.runName(run)]);
      const choices = [
        ob.select("Measure", MEASURES, measure, (value) => set(value, mine.uid, theirs?.uid)),
        ob.select("Run", named, mine.uid, (value) => set(measure, value)),
        measure === "w1" || measure === "js"
          ? ob.select("Compared with", [["", "the step before"], ...named.filter(([uid]) => uid !== mine.uid).map(([uid, name]) => [uid, `${name}, same step`])], theirs?.uid ?? "", (value) => set(measure, mine.uid, value))
          : null,
      ];
      this.canvas = ob.el("canvas.ob-mapcanvas", { role: "img", onpointermove: (event) => this.hover(event), onpointerleave: () => this.leave(), onclick: (event) => this.click(event) });
      this.words = ob.el("p.ob-mapwords");
      const head = ob.el("div.ob-maphead", {}, ob.el("h2", {}, "Layers by step"), ...choices);
      const had = this.el.contains(document.activeElement) ? document.activeElement.getAttribute("aria-label") : null;
      this.el.replaceChildren(head, this.problem ? ob.el("p.ob-problem", {}, this.problem) : ob.el("div.ob-mapcard", {}, this.canvas, this.words));
      if (had) [...this.el.querySelectorAll("select")].find((one) => one.getAttribute("aria-label") === had)?.focus();
      if (this.line) this.tell();
      this.paint();
    }

    /** Say which rows stand out, and lead to them. */
    tell() {
      const { rows, values, x, n } = this.line;
      const width = x.length;
      const largest = rows.map(({ tag, name }, row) => {
        let best = -1;
        for (let k = 0; k < width; k += 1) if (values[row * width + k] >= (best < 0 ? -Infinity : values[row * width + best])) best = k;
        return { tag, name, row, value: best < 0 ? NaN : values[row * width + best], step: best < 0 ? NaN : this.line.at[row * width + best] };
      }).filter(({ value }) => Number.isFinite(value)).sort((a, b) => b.value - a.value);
      const told = largest.slice(0, TOLD);
      const thinned = ob.thinnedTogether([this.line]);
      const size = `${ob.plural(rows.length, "layer")}, ${width < n ? `${width} of ${ob.plural(n, "step")}` : ob.plural(width, "step")}, in the order they were first logged in.${thinned && ` Histograms: ${thinned}`}`;
      const links = told.flatMap(({ name, value, step }, i) => [
        i ? ", " : "", ob.el("button.ob-link.ob-mono", { type: "button", title: "Show its card", onclick: () => this.show(name, step) }, name), ` ${ob.value(value)} at step ${ob.count(step)}`,
      ]);
      this.words.replaceChildren(size, told.length ? " Largest: " : " Nothing to compare yet.", ...links, told.length ? "." : "");
      this.canvas.setAttribute("aria-label", `${MEASURES.find(([key]) => key === this.asked().measure)[1]}. ${this.words.textContent}`);
      const finite = values.filter(Number.isFinite);
      const most = finite.reduce((a, b) => Math.max(a, b), 0);
      const positive = finite.filter((value) => value > 0).sort();
      // The least twentieth is one shade, so that the rest has more of them.
      this.scale = { most, least: Math.max(positive[Math.floor(positive.length / 20)] ?? 0, most / 1e6) };
    }

    share(value) {
      const { most, least } = this.scale;
      if (!(most > 0)) return 0;
      if (!LOGARITHMIC.has(this.asked().measure)) return value / most;
      return value <= least ? 0 : Math.log(value / least) / Math.log(most / least);
    }

    paint() {
      if (!this.line || !this.canvas?.isConnected || this.el.hidden) return;
      const { rows, x, values } = this.line;
      const width = this.canvas.parentElement.clientWidth - 20;
      if (!rows.length || width < 40) return;
      this.left = width > 520 ? LEFT : 0;
      const each = Math.max(1, Math.min(18, Math.floor(ROWS_PX / rows.length)));
      const height = each * rows.length;
      this.box = { width, height, each, left: this.left, across: width - this.left };
      const ratio = globalThis.devicePixelRatio || 1;
      Object.assign(this.canvas, { width: Math.round(width * ratio), height: Math.round((height + FOOT) * ratio) });
      Object.assign(this.canvas.style, { width: `${width}px`, height: `${height + FOOT}px` });
      const pen = this.canvas.getContext("2d");
      pen.scale(ratio, ratio);
      const column = (k) => Math.round(((this.left + (k / x.length) * this.box.across)) * ratio) / ratio;
      const gap = each > 6 ? 1 : 0;
      rows.forEach((_, row) => {
        for (let k = 0; k < x.length; k += 1) {
          const value = values[row * x.length + k];
          pen.fillStyle = Number.isFinite(value) ? shaded(this.share(value)) : ob.token("bg");
          pen.fillRect(column(k), row * each, column(k + 1) - column(k), each - gap);
        }
      });
      this.label(pen, column);
    }

    label(pen, column) {
      const { each, height, left } = this.box;
      const { rows, x } = this.line;
      pen.fillStyle = ob.token("mute");
      pen.textBaseline = "middle";
      pen.font = `10px ${ob.token("mono")}`;
      // Names where they have room: of small rows only some of them.
      const every = Math.ceil(11 / each);
      if (left) rows.forEach(({ name }, row) => row % every === 0 && pen.fillText(shortened(name), 0, row * each + each / 2, left - 8));
      pen.font = `10px ${ob.token("font")}`;
      pen.textBaseline = "top";
      const about = Math.max(2, Math.floor(this.box.across / 90));
      const step = Math.max(1, Math.ceil(x.length / about));
      for (let k = 0; k < x.length; k += step) pen.fillText(ob.short(x[k]), column(k), height + 5);
    }

    at(event) {
      if (!this.box || !this.line) return null;
      const box = this.canvas.getBoundingClientRect();
      const row = Math.floor((event.clientY - box.top) / this.box.each);
      const k = Math.floor(((event.clientX - box.left - this.box.left) / this.box.across) * this.line.x.length);
      if (row < 0 || row >= this.line.rows.length || k >= this.line.x.length) return null;
      const place = row * this.line.x.length + Math.max(0, k);
      return { row: this.line.rows[row], onName: k < 0, value: this.line.values[place], step: this.line.at[place] };
    }

    hover(event) {
      const found = this.at(event);
      if (!found) return this.leave();
      const { theirs } = this.asked();
      const words = found.onName ? [] : [["step", ob.count(found.step)], [MEASURES.find(([key]) => key === this.asked().measure)[1].split(":")[0].toLowerCase(), Number.isFinite(found.value) ? ob.value(found.value) : theirs ? "not in both runs" : "nothing before it, or nothing logged"]];
      const rows = [["tag", found.row.name], ...words];
      ob.showBucketTip(event, ob.el("table.ob-bucket", {}, ob.el("tbody", {}, ...rows.map(([name, value]) => ob.el("tr", {}, ob.el("th", { scope: "row" }, name), ob.el("td", {}, value))))));
      ob.moveCursors(found.onName ? null : found.step);
    }

    leave() {
      ob.hideBucketTip();
      ob.moveCursors(null);
    }

    click(event) {
      const found = this.at(event);
      if (found) this.show(found.row.name, found.onName ? null : found.step);
    }

    /** Open a tag's card, at a step. */
    show(name, step) {
      const group = name.includes("/") ? name.slice(0, name.lastIndexOf("/")) : "";
      const tagFilter = ob.tagMatcher(ob.view.tagFilter).matches(name) ? ob.view.tagFilter : "";
      ob.setView({ tagFilter, collapsed: ob.view.collapsed.filter((one) => one !== group), atStep: step });
      const find = () => [...this.page.cards.values()].find((card) => card.tag.name === name && card.el.isConnected);
      if (!find()) ob.setView({ tagFilter: `^${name.replace(/[\\^$.*+?()[\]{}|/]/g, "\\$&")}$` });
      const field = document.querySelector(".ob-tagfilter");
      if (field) field.value = ob.view.tagFilter;
      const card = find();
      card?.el.scrollIntoView({ block: "center", behavior: matchMedia("(prefers-reduced-motion: reduce)").matches ? "auto" : "smooth" });
      card?.el.focus({ preventScroll: true });
    }
  }

  /** The end of a long name tells more than its beginning. */
  const shortened = (name) => (name.length > 32 ? `…${name.slice(-31)}` : name);

  const SHADES = 64;
  const known = new Map();

  function shaded(share) {
    const key = `${document.documentElement.getAttribute("data-mantine-color-scheme")} ${Math.round(share * SHADES)}`;
    if (!known.has(key)) known.set(key, ob.shade(Math.round(share * SHADES) / SHADES));
    return known.get(key);
  }
})((globalThis.ob = globalThis.ob || {}));
