/* Standings: groups of runs in the order of a metric's mean, with 95 % intervals, project by
   project. Groups are those of the view, or runs whose settings are alike but for the seed. */
(function (ob) {
  "use strict";

  const OF = [["best", "Best"], ["last", "Last"], ["min", "Least"], ["max", "Greatest"]];
  /** Of the picture in a row; the axis is the same in all rows of a project. */
  const [WIDTH, HEIGHT, MARGIN] = [280, 22, 6];
  const SAME = "Its interval overlaps that of the group above: they may stand in this order by chance";

  ob.pages = ob.pages || {};

  ob.pages.standings = function standings(root) {
    const page = new Standings(root, ob.openProject(root.dataset.team, root.dataset.project));
    page.open();
    return () => page.close();
  };

  /** Make the links between the two pages that compare: `here` is "compare" or "standings". */
  ob.comparing = function comparing(project, here) {
    const link = (page, label) => ob.el(page === here ? "a.ob-nav.ob-on" : "a.ob-nav", { href: `${ob.base()}${project.path}/${page}`, "aria-current": page === here ? "page" : null }, label);
    return ob.el("nav.ob-subtabs", { "aria-label": "Ways to compare" }, link("compare", "Side by side"), link("standings", "Standings"));
  };

  class Standings {
    constructor(root, project) {
      this.project = project;
      this.controller = new AbortController();
      this.words = { named_metrics: [], metrics: [] };
      this.bar = ob.el("div.ob-toolbar", { role: "toolbar", "aria-label": "What the standings are by" });
      this.out = ob.el("div.ob-compare.ob-standings");
      root.replaceChildren(this.bar, this.out);
      this.again = ob.throttled(3000, () => this.load());
      this.offs = [project.on((what) => this.onProject(what)), ob.onView((changed) => this.onView(changed))];
    }

    async open() {
      await this.project.ready;
      if (this.project.error instanceof ob.Refused && this.project.error.status === 404) return this.say(this.project.error.message);
      this.words = await ob.vocabulary(this.project).catch(() => this.words);
      if (this.controller.signal.aborted) return;
      this.paintBar();
      await this.load();
    }

    close() {
      this.controller.abort();
      this.offs.forEach((off) => off());
      ob.closeMenu();
    }

    onProject(what) {
      if (what === "gone") return this.say("There is no such project, or it is not shared with you.");
      if (what.changed) this.again();
      if (what === "filter" || what === "again") this.load();
    }

    onView(changed) {
      if (changed.has("settings")) this.paintBar();
      if (changed.has("settings") || changed.has("groupBy")) this.load();
    }

    /** The key that runs are ranked by: what the view says, or what most runs have and can be better in. */
    key() {
      if (ob.view.settings.target) return ob.view.settings.target;
      const most = (list) => [...list].sort((a, b) => b.runs - a.runs)[0];
      const known = this.words.named_metrics.filter((one) => one.best);
      if (known.length) return `best:${ob.METRIC}${most(known).name}`;
      const told = this.words.metrics.filter((one) => one.best);
      const held = told.filter(({ name }) => /val|eval|test/i.test(name));
      const one = most(held.length ? held : told.length ? told : this.words.metrics);
      return one ? `${one.best ? "best" : "last"}:${one.name}` : "";
    }

    paintBar() {
      const { source, name } = ob.columnOf(this.key());
      const set = (of, tag) => ob.setView({ settings: { ...ob.view.settings, target: `${of}:${tag}` } });
      const named = this.words.named_metrics.map((one) => ob.METRIC + one.name);
      const tags = this.words.metrics.map((one) => one.name);
      const others = [...named, ...tags].includes(name) || !name ? [] : [name];
      const choice = ob.select("Metric", [...named, ...tags, ...others].map((one) => [one, ob.plainName(one)]), name, (tag) => set(source || "best", tag));
      const of = ob.segmented("Value of a run", OF, source, (value) => set(value, name));
      ob.keepFocus(this.bar, () => this.bar.replaceChildren(ob.runsButton(), ob.el("label.ob-field", {}, ob.el("span", {}, "Metric"), choice), of));
    }

    async load() {
      const key = this.key();
      if (!key) return this.say("These runs have logged no scalars yet.");
      const asked = (this.asked = { key, by: ob.view.groupBy, q: ob.view.runFilter, archived: this.project.withArchived });
      try {
        const found = await ob.postJson(`${this.project.path}/standings`, asked, this.controller.signal);
        if (this.asked === asked) this.paint(found);
      } catch (error) {
        if (error instanceof ob.Refused) this.say(error.message);
        else if (error.name !== "AbortError") throw error;
      }
    }

    say(...words) {
      this.out.replaceChildren(ob.comparing(this.project, "standings"), ob.el("div.ob-empty", {}, ob.el("p", {}, ...words)));
    }

    paint(found) {
      const ranked = found.tasks.filter((task) => task.groups.length);
      if (!ranked.length) return this.say("No run that matches has a value of this metric.");
      ob.keepFocus(this.out, () => this.out.replaceChildren(ob.comparing(this.project, "standings"), ob.el("p.ob-mute", {}, ...wordsOf(found)), ...ranked.flatMap((task) => section(task, found))));
    }
  }

  function wordsOf({ matching, runs, better, is_guess: isGuess }) {
    const of = runs < matching ? `The newest ${ob.count(runs)} of ${ob.plural(matching, "run")}` : ob.plural(matching, "run");
    const by = ob.view.groupBy ? "in the groups of the run panel" : "runs whose settings are the same but for the seed are a group";
    const way = isGuess ? "nobody says which values are better, the greatest come first" : `${better === "min" ? "less" : "more"} is better`;
    return [`${of}; ${by}; ${way}. Bars are 95 % intervals of the mean (Student’s t), which take a group’s runs for independent. `,
      ob.el("span.ob-same", { "aria-hidden": "true" }, "≈"), " stands where an interval overlaps the one above."];
  }

  function section({ place, groups, left_out: more }, { unit }) {
    const scale = scaleOf(groups);
    const head = ob.el("tr", {}, ...["Rank", "Group", axis(scale), "Runs", unit ? `Mean, ${unit}` : "Mean", "± 95 %", "Deviation", "Best"].map((title) => ob.el("th", { scope: "col" }, title)));
    const table = ob.el("div.ob-scroll", { tabindex: "0", role: "region", "aria-label": place ? `Standings of ${place}` : "Standings" },
      ob.el("table.ob-table.ob-standtable", {}, ob.el("thead", {}, head), ob.el("tbody", {}, ...groups.map((group) => row(group, scale)))));
    return [place ? ob.el("h2", {}, place) : null, table, more ? ob.el("p.ob-mute", {}, `And ${ob.plural(more, "group")} behind these.`) : null].filter(Boolean);
  }

  function row(group, scale) {
    const { rank, overlaps, mean, deviation, low, high, best, best_run: uid, best_name: name } = group;
    const half = low === null ? null : (high - low) / 2;
    const mark = overlaps ? ob.el("span.ob-same", { title: SAME, role: "img", "aria-label": "overlaps the one above" }, "≈") : "";
    return ob.el("tr", {}, ob.el("td.ob-num", {}, String(rank), mark), ob.el("th", { scope: "row", title: group.group }, group.group), ob.el("td", {}, picture(group, scale)),
      ob.el("td.ob-num", { title: runsInWords(group) }, runsOf(group)), ob.el("td.ob-num", {}, ob.value(mean)),
      ob.el("td.ob-num", half === null ? { title: "One run has no interval" } : {}, half === null ? "–" : ob.value(half)), ob.el("td.ob-num", {}, deviation === null ? "–" : ob.value(deviation)),
      ob.el("td.ob-num", {}, ob.el("a.ob-nav", { href: `${ob.base()}r/${uid}`, title: name }, ob.value(best))));
  }

  /** How many runs, and of how many seeds where some come again. */
  const runsOf = ({ n, seeds }) => (seeds === null || seeds === n ? String(n) : `${n}, ${ob.plural(seeds, "seed")}`);

  function runsInWords({ n, names, without }) {
    const left = without ? `. ${ob.plural(without, "run")} without a finite value ${without === 1 ? "is" : "are"} left out` : "";
    return `${names.slice(0, 12).join(", ")}${n > 12 ? ` and ${n - 12} more` : ""}${left}`;
  }

  /* The picture of a row: each run a faint dot, the mean and its interval. */

  function scaleOf(groups) {
    const all = groups.flatMap(({ values, low, high, mean }) => [mean, low, high, ...values.map(Number)]).filter((value) => value !== null && Number.isFinite(value));
    const [low, high] = [Math.min(...all), Math.max(...all)];
    // Halved, because the range of two doubles may not be a double.
    const part = (value) => (high > low ? (value / 2 - low / 2) / (high / 2 - low / 2) : 0.5);
    return { low, high, x: (value) => MARGIN + part(value) * (WIDTH - 2 * MARGIN) };
  }

  const axis = ({ low, high }) => ob.el("span.ob-standing-axis", {}, ob.el("span", {}, ob.value(low)), ob.el("span", {}, high > low ? ob.value(high) : ""));

  function picture({ values, mean, low, high }, { x }) {
    const middle = HEIGHT / 2;
    const dot = (value, r, name) => ob.svg("circle", { class: name, cx: x(value).toFixed(1), cy: middle, r });
    const line = low === null ? null : ob.svg("path", { class: "ob-interval", d: `M${x(low).toFixed(1)} ${middle}H${x(high).toFixed(1)}M${x(low).toFixed(1)} ${middle - 4}v8M${x(high).toFixed(1)} ${middle - 4}v8` });
    const words = low === null ? `${ob.value(mean)}, of one run` : `mean ${ob.value(mean)}, between ${ob.value(low)} and ${ob.value(high)}`;
    return ob.svg("svg", { class: "ob-standing", viewBox: `0 0 ${WIDTH} ${HEIGHT}`, width: WIDTH, height: HEIGHT, role: "img", "aria-label": words },
      ...values.map((value) => dot(Number(value), 3, "ob-seed")), line, dot(mean, 3.5, "ob-mean"));
  }
})((globalThis.ob = globalThis.ob || {}));
