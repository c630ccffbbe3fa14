/* Groups: runs that are drawn as one line with a band. The server says who is in which.

   A group stands in for a run wherever lines are drawn: `ob.drawn(project)` gives the runs,
   or the groups while the view has a grouping, and each has a uid, a name and a colour. */
(function (ob) {
  "use strict";

  const POINTS_A_COLUMN = 3;
  const BAND_OPACITY = 0.16;
  const BAND_WORDS = {
    minmax: "least to greatest", std: "± standard deviation", sem: "± standard error",
    ci: "95 % interval of the mean", none: "",
  };

  const known = new WeakMap();

  class Grouping {
    constructor(project) {
      this.project = project;
      this.groups = [];
      this.of = new Map();
      this.key = "";
      this.problem = "";
      project.on((what) => (what === "runs" || what === "filter") && this.refresh());
      const off = ob.onView((changed) => {
        if (ob.project !== project) return off();
        if (changed.has("groupBy") || changed.has("selected")) this.refresh();
      });
    }

    /** Ask who is in which group, when the grouping or the shown runs are other ones. */
    async refresh() {
      const { groupBy } = ob.view;
      const uids = groupBy ? this.project.shown().map((run) => run.uid) : [];
      const key = groupBy && `${groupBy} ${uids.join()}`;
      if (key === this.key) return;
      this.key = key;
      if (!uids.length) return this.take([], "");
      try {
        const { groups } = await ob.postJson(`${this.project.path}/groups`, { runs: uids, by: groupBy });
        if (key === this.key) this.take(groups, "");
      } catch (error) {
        if (!(error instanceof ob.Refused)) throw error;
        if (key === this.key) this.take([], error.message);
      }
    }

    take(groups, problem) {
      this.groups = groups.map(({ id, name, color, runs }) => ({ uid: id, name, color, members: runs }));
      this.of = new Map(this.groups.flatMap((group) => group.members.map((uid) => [uid, group])));
      this.problem = problem;
      this.project.tell("groups");
    }
  }

  /** Give the grouping of a project; it follows the view from then on. */
  ob.groupingOf = function groupingOf(project) {
    if (!known.has(project)) {
      known.set(project, new Grouping(project));
      known.get(project).refresh();
    }
    return known.get(project);
  };

  /** Give what has a line of its own: the shown runs, or their groups. */
  ob.drawn = function drawn(project) {
    return ob.isGrouped() ? ob.groupingOf(project).groups : project.shown().map(ob.inked);
  };

  /** Whether groups have lines of their own, and not each run one in the colour of its group. */
  ob.isGrouped = () => Boolean(ob.view.groupBy) && ob.view.groupLine !== "each";

  /** Give the uid of the line that a run is drawn by. */
  ob.drawnAs = function drawnAs(uid) {
    return (ob.isGrouped() && ob.project && ob.groupingOf(ob.project).of.get(uid)?.uid) || uid;
  };

  /** Give a run with the colour that it is drawn in. */
  ob.inked = function inked(run) {
    const group = ob.view.groupBy && ob.project && ob.groupingOf(ob.project).of.get(run.uid);
    return group ? { ...run, color: group.color } : run;
  };

  /** Ask for the lines of `groups`, as ob.postScalars does for runs. */
  ob.postBands = function postBands(path, groups, body, signal) {
    const { groupLine: line, groupBand: band } = ob.view;
    // A column has one point here, and up to four in a run's line.
    const width = POINTS_A_COLUMN * body.width;
    const asked = { ...body, runs: undefined, width, line, band, groups: groups.map(({ uid, members }) => ({ id: uid, runs: members })) };
    return ob.postScalars(path, asked, signal, "bands");
  };

  /* The figure. Twin of charts/groups.py; tests/dashboard/vectors/groups.json keeps them equal. */

  /** Make the figure of lines of which some have a band: `low` and `high` beside `y`. */
  ob.groupFigure = function groupFigure(lines, view, tag) {
    const banded = lines.filter((line) => line.low && (line.margin || view.groupBand !== "none") && line.x.length);
    if (!banded.length) return ob.figure(lines, view, tag);
    const edges = banded.flatMap((line) => [edge(line, "low"), edge(line, "high")]);
    const figure = ob.figure([...lines, ...edges], view, tag);
    const ids = new Set(edges.flatMap((one) => [ob.traceId(one, "raw"), ob.traceId(one, "line")]));
    const drawn = new Map(figure.data.map((trace) => [trace.uid, trace]));
    const bands = banded.map((line) => {
      const y = (side) => {
        const heights = (part) => drawn.get(ob.traceId(edge(line, side), part))?.y;
        // Spread moves with the smoothed line; the extremes stay where they were logged.
        return ((line.margin || view.groupBand === "minmax") && heights("raw")) || heights("line");
      };
      return band(line, y("low"), y("high"), figure.ranges.y[0], view);
    });
    const { ranges, title } = figure;
    return { data: [...bands, ...figure.data.filter((trace) => !ids.has(trace.uid))], ranges, clipped: ob.outsideOf(lines, view, ranges), title };
  };

  function edge(line, side) {
    return { ...line, run: `${line.run}${side}`, y: line[side], marks: [] };
  }

  function band(line, low, high, floor, view) {
    const { color } = ob.ink(line.color);
    const level = (y) => (view.yAxis === "log" && !(y > 0) ? 10 ** floor : y);
    const alone = line.x.length === 1;
    return {
      type: "scatter", uid: ob.traceId(line, "band"), name: ob.plotlyText(line.name), mode: "lines",
      x: [...line.x, ...[...line.x].reverse()], y: [...Array.from(high, level), ...Array.from(low, level).reverse()],
      fill: "toself", fillcolor: translucent(color), line: { color: translucent(color), width: alone ? 3 : 0 }, hoverinfo: "skip",
    };
  }

  function translucent(color) {
    const part = (at) => parseInt(color.slice(at, at + 2), 16);
    return `rgba(${part(1)}, ${part(3)}, ${part(5)}, ${BAND_OPACITY})`;
  }

  /* Words and tables. */

  /** Say [of what the lines are, how many points] on a card of groups; null for runs. */
  ob.groupWords = function groupWords(lines, view, clipped = 0) {
    const grouped = lines.filter((line) => line.members);
    if (!grouped.length) return null;
    const [, points] = ob.cardWords("", grouped, clipped);
    const least = Math.min(...grouped.map((line) => Math.min(...line.runs)));
    const most = Math.max(...grouped.map((line) => line.members));
    const runs = !grouped.some((line) => line.x.length) ? "no run" : least === most ? ob.plural(most, "run") : `${least}–${ob.plural(most, "run")}`;
    const strange = grouped.reduce((sum, line) => sum + line.nonfinite, 0);
    const left = `${view.groupLine} of ${runs}, aligned by ${ob.xMetric(view) ?? ob.xName(view).toLowerCase()}`;
    return [strange ? `${left} · ${ob.count(strange)} not finite left out` : left, points];
  };

  /** Say how groups are made one line, in full. */
  ob.alignmentWords = function alignmentWords(view) {
    const spread = BAND_WORDS[view.groupBand];
    const lined = ob.xMetric(view) === null ? "" : " Where a value comes again, its last point counts.";
    return `Each run counts from its first point to its last, with its value at or before that place. ${
      spread ? `The band is ${spread}. ` : ""}Values that are not finite are left out.${lined}`;
  };

  /** What a tooltip says of groups at their points: [title, write(row)] of each column. */
  ob.groupColumns = function groupColumns(rows) {
    const { groupLine, groupBand, smoothing, xAxis } = ob.view;
    const place = ob.xMetric(ob.view) !== null ? "x" : { step: "step", rstep: "relative step", index: "index" }[xAxis] ?? "time";
    const spread = groupBand !== "none" && rows.some(({ line }) => line.low);
    const bound = (which) => ({ line, i }) => (line[which] ? ob.value(line[which][i]) : "");
    return [
      ["group", ({ line }) => line.name],
      [groupLine, ({ line, i }) => ob.value(line.y[i])],
      smoothing > 0 && ["smoothed", ({ smoothed }) => ob.value(smoothed)],
      ...(spread ? [["low", bound("low")], ["high", bound("high")]] : []),
      ["runs", ({ line, i }) => `${line.runs[i]} of ${line.members}`],
      [place, ({ line, i }) => ob.xText(line.x[i], ob.view)],
    ].filter(Boolean);
  };
})((globalThis.ob = globalThis.ob || {}));
