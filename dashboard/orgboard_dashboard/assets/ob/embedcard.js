/* One card without a page around it, as other sites show it: title, curves, runs, words.

   Drawn by the same pieces as the cards of a page; it asks for nothing and knows no address. */
(function (ob) {
  "use strict";

  /** Runs that are named below the chart; of more, only how many. In a low frame the chart counts. */
  const [MOST_NAMED, FEW_NAMED] = [10, 3];
  const LOW_PX = 320;
  const KEY = { width: 18, height: 8 };

  class EmbedCard {
    /** `open`: the words of the link to the page that shows the same; none without one. */
    constructor(title, open = "") {
      Object.assign(this, { lines: [], runs: [] });
      this.title = ob.el("h1", {}, title);
      this.link = ob.el("a", { target: "_blank", rel: "noopener noreferrer", hidden: true }, open);
      this.plot = ob.el("div.ob-plot", { role: "img", "aria-label": "Not fetched yet" });
      this.ranges = null;
      this.note = ob.el("p.ob-embed-note", { role: "status" });
      this.keys = ob.el("ul.ob-embed-keys", { "aria-label": "Runs" });
      this.words = [ob.el("span"), ob.el("span")];
      this.el = ob.el("article.ob-embed", {}, ob.el("header", {}, this.title, this.link),
        ob.el("div.ob-embed-stage", {}, this.plot, this.note), this.keys, ob.el("footer", {}, ...this.words));
      this.tip = ob.embedTip(this);
    }

    /** Draw the lines of runs, which have their names and colours, of a tag as a view says. */
    show(tag, lines, view) {
      Object.assign(this, { tag, lines, view, runs: [...new Map(lines.map((line) => [line.run, line])).values()] });
      this.say("");
      this.draw();
      const [left, right] = ob.cardWords(tag, lines, this.clipped);
      this.words[0].textContent = left;
      this.words[1].textContent = [right, view.xAxis === "step" ? "" : `by ${ob.xMetric(view) ?? ob.xName(view).toLowerCase()}`].filter(Boolean).join(" · ");
      if (!lines.length) this.say("No point in the shown runs.");
      this.plot.setAttribute("aria-label", `${ob.describe(tag, lines)} ${right}.`);
    }

    /** Draw again what is known: the frame has another size, or another theme. */
    draw() {
      this.name(this.el.clientHeight < LOW_PX ? FEW_NAMED : MOST_NAMED);
      this.ranges = null;
      this.tip.hidden = true;
      if (!this.lines.length || !this.plot.clientWidth) return ob.undraw(this.plot);
      const figure = ob.figure(this.lines, this.view, this.tag);
      figure.unit = ob.unitOf(this.tag);
      this.clipped = figure.clipped;
      this.ranges = figure.ranges;
      ob.draw(this.plot, figure, this.view, null);
    }

    /** Name the runs, or the first ones of them. */
    name(most) {
      const rest = this.runs.length - most;
      this.keys.replaceChildren(
        ...this.runs.slice(0, most).map((run) => ob.el("li", { title: run.name }, ob.lineKey(run), ob.el("span", {}, run.name))),
        ...(rest > 0 ? [ob.el("li", {}, `and ${ob.count(rest)} more`)] : []));
    }

    /** Say why there is nothing to see; "" takes it back. */
    say(words) {
      this.note.textContent = words;
    }

    /** Nothing of it is to be seen any more. */
    end(words) {
      Object.assign(this, { lines: [], runs: [] });
      this.draw();
      this.plot.setAttribute("aria-label", words);
      for (const part of [this.title, ...this.words]) part.textContent = "";
      this.link.hidden = true;
      this.say(words);
    }
  }

  ob.EmbedCard = EmbedCard;

  /** Give lines the names and colours of their runs. */
  ob.namedLines = function namedLines(lines, runs) {
    const known = new Map(runs.map((run) => [run.uid, run]));
    return lines.filter(({ run }) => known.has(run)).map((line) => {
      const { name, color } = known.get(line.run);
      return Object.assign(line, { color, name: line.superseded ? `${name} (attempt ${line.attempt}, replaced)` : name });
    });
  };

  /** A piece of a run's line. */
  ob.lineKey = function lineKey({ color: of }) {
    const { color, dash } = ob.ink(of);
    const middle = KEY.height / 2;
    return ob.svg("svg", { ...KEY, "aria-hidden": "true" }, ob.svg("path", {
      d: `M0,${middle}h${KEY.width}`, fill: "none", stroke: color, "stroke-width": 2.5,
      "stroke-dasharray": dash === "solid" ? null : dash.split(",").map(parseFloat),
    }));
  };
})((globalThis.ob = globalThis.ob || {}));
