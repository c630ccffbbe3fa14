/* Charts that runs declare themselves, as sections: several tags in one, or a value in a margin. */
(function (ob) {
  "use strict";

  class LayoutCard extends ob.ChartCard {
    constructor(chart, actions) {
      const tags = chart.margins.length ? chart.margins.flatMap(({ value, lower, upper }) => [value, lower, upper]) : chart.tags;
      super([...new Set(tags)].map(ob.quoted).join("; "), actions, chart.title);
      this.chart = chart;
      this.tag = { ...this.tag, id: idOf(chart) };
    }

    // It is the run's own: nothing to change or to remove.
    addActions() {}

    shownLines() {
      const lines = super.shownLines();
      if (!this.chart?.margins.length) return lines;
      return lines.filter((line) => this.margin(line, lines));
    }

    /** Give a value its margin; false for what is a bound and no value. */
    margin(line, lines) {
      const part = this.parts[line.part];
      const found = this.chart.margins.find(({ value }) => ob.quoted(value) === part);
      if (!found) return false;
      const bound = (tag) => lines.find((one) => one.run === line.run && this.parts[one.part] === ob.quoted(tag));
      const [lower, upper] = [bound(found.lower), bound(found.upper)];
      if (!line.members && lower?.x.length && upper?.x.length) {
        Object.assign(line, { margin: true, low: carried(line.x, lower), high: carried(line.x, upper) });
      }
      return true;
    }

    say(lines, view) {
      super.say(lines, view);
      const { tags, margins, more, problem } = this.chart;
      if (!tags.length && !margins.length) this.note.textContent = problem || "No shown run has a tag that this chart is of.";
      else if (more) this.words[1].textContent = `${this.words[1].textContent} · ${ob.plural(more, "more tag")}`;
    }

    async ask(...question) {
      return this.source ? super.ask(...question) : [];
    }
  }

  /** The value that a line has at or before each place; its first one before that. */
  function carried(x, line) {
    let at = 0;
    return Float64Array.from(x, (place) => {
      while (at + 1 < line.x.length && line.x[at + 1] <= place) at += 1;
      return line.y[at];
    });
  }

  const idOf = (chart) => `l ${JSON.stringify(chart)}`;

  /** Make a section for each category; `cardOf` gives the element of a chart's card. */
  ob.layoutSections = function layoutSections(charts, cardOf) {
    const of = new Map();
    for (const chart of charts) of.set(chart.category, [...(of.get(chart.category) ?? []), chart]);
    return [...of].map(([category, members]) => ob.el("section.ob-section.ob-layout", { "aria-label": category || "Charts of the runs" },
      ob.el("h2", {}, category || "Charts of the runs", ob.el("span.ob-n", {}, ` ${members.length}`)),
      ob.el("div.ob-grid", {}, ...members.map((chart) => cardOf({ id: idOf(chart), make: (actions) => new LayoutCard(chart, actions) })))));
  };
})((globalThis.ob = globalThis.ob || {}));
