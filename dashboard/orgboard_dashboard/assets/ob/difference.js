/* The card of a difference: each line less the baseline's, at every place that one of them has.

   Both count from their first point to their last, with the value at or before a place. */
(function (ob) {
  "use strict";

  class DifferenceCard extends ob.Card {
    constructor(tag, actions, baseline) {
      super({ ...tag, display_name: `${tag.display_name || tag.name} − baseline` }, actions);
      this.el.classList.add("ob-difference");
      this.isTag = false;
      this.baseline = baseline;
    }

    shownLines() {
      const lines = super.shownLines().filter((line) => !line.superseded);
      const uid = this.baseline();
      const base = lines.find((line) => line.run === uid);
      if (!base) return [];
      return lines.filter((line) => line !== base).map((line) => {
        if (line.less?.base !== base) line.less = { base, ...ob.difference(line, base) };
        return { ...line.less, run: line.run, name: line.name, color: line.color };
      });
    }

    // A range that somebody set is one of values, not of differences.
    look() {
      return { ...ob.view, yRange: null, sectionRanges: [], cardRanges: [] };
    }

    say(lines, view) {
      super.say(lines, view);
      // A difference is neither good nor bad: its last value says where it stands.
      [this.words[0].textContent] = ob.cardWords("", lines);
      this.words[0].title = this.words[0].textContent;
      if (!lines.length) this.note.textContent = "Nothing here that could be compared with the baseline.";
    }
  }

  ob.DifferenceCard = DifferenceCard;

  /** Make the line of what `line` is above `base`. Both by x. */
  ob.difference = function difference(line, base) {
    const [first, last] = [Math.max(line.x[0], base.x[0]), Math.min(line.x.at(-1), base.x.at(-1))];
    const places = Float64Array.from(new Set([...line.x, ...base.x])).sort().filter((x) => x >= first && x <= last);
    const [of, from] = [indices(places, line.x), indices(places, base.x)];
    // Of groups: how many runs count, as in the tooltip of their own card.
    const group = line.members ? { members: line.members, runs: Float64Array.from(of, (at) => line.runs[at]) } : {};
    return {
      ...group, x: places, y: Float64Array.from(places, (_, i) => line.y[of[i]] - base.y[from[i]]),
      step: Float64Array.from(of, (at) => line.step[at]), wall: line.wall ? Float64Array.from(of, (at) => line.wall[at]) : places,
      n: places.length, shown: places.length, nonfinite: 0, marks: [],
    };
  };

  /** Of each place, the index of the last x at or before it. Both ascend. */
  function indices(places, x) {
    let at = 0;
    return Uint32Array.from(places, (place) => {
      while (at + 1 < x.length && x[at + 1] <= place) at += 1;
      return at;
    });
  }
})((globalThis.ob = globalThis.ob || {}));
