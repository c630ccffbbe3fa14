/* What run metadata measured of a step: which step, colours by time and memory, what stands in
   boxes and on cards of it, and beside the graph what took most. */
(function (ob) {
  "use strict";

  /** In place of a step: none. */
  const NONE = "-";
  /** Pale to strong in one hue, so that lightness alone tells them apart; names are read on each. */
  const HEAT = {
    light: ["#fdf4e3", "#fad9a6", "#f2b061", "#e0812c"],
    dark: ["#2a241c", "#49341d", "#73471b", "#96500f"],
  };
  /** When the largest is that many times the smallest, the scale is logarithmic. */
  const FAR = 30;
  const BY = {
    time: { title: "Compute time", of: (took) => took.time, words: (n) => ob.nanos(n) },
    memory: { title: "Memory", of: (took) => took.memory, words: (n) => ob.bytes(n) },
  };

  /** Write nanoseconds: 820 ns, 12.3 µs, 4.5 ms, 2 s. */
  ob.nanos = function nanos(n) {
    for (const [unit, name] of [[1e9, "s"], [1e6, "ms"], [1e3, "µs"]]) {
      if (n >= unit) return `${Number((n / unit).toPrecision(n >= unit * 100 ? 4 : 3))}\u2009${name}`;
    }
    return `${n}\u2009ns`;
  };

  /** The step that is looked at: the latest, the one that was chosen, or null. */
  ob.stepOf = function stepOf(steps) {
    const { graphStats } = ob.view;
    if (graphStats === NONE) return null;
    return steps.find((row) => row.tag === graphStats) ?? steps[0] ?? null;
  };

  /** Whether a step can colour a graph. */
  ob.isMeasured = (by, measured) => Boolean(measured && BY[by].of(measured));

  /** What an item took, where items are coloured by that. */
  ob.tookWords = function tookWords(child) {
    const by = BY[ob.view.graphColor];
    return by && child.took?.nodes ? by.words(by.of(child.took)) : "";
  };

  /** The colour at a part of the scale, from 0 to 1. */
  function heatAt(part) {
    const stops = HEAT[document.documentElement.dataset.mantineColorScheme === "dark" ? "dark" : "light"];
    const level = part * (stops.length - 1);
    const at = Math.min(stops.length - 2, Math.floor(level));
    const [from, to] = [stops[at], stops[at + 1]].map((hex) => [1, 3, 5].map((i) => parseInt(hex.slice(i, i + 2), 16)));
    return `rgb(${from.map((one, i) => Math.round(one + (to[i] - one) * (level - at))).join(" ")})`;
  }

  /** Give what items are coloured by, as `ob.graphColors` does, and a legend that is a scale. An
      opened scope has no colour: what is in it has. */
  ob.heatColors = function heatColors(scopes, key) {
    const by = BY[key];
    const closed = [...scopes.values()].flatMap((scope) => scope.children).filter((child) => !ob.isAside(child) && (child.kind === "node" || !scopes.has(child.path)));
    const known = closed.filter((child) => child.took?.nodes);
    const values = known.map((child) => by.of(child.took)).filter((n) => n > 0);
    if (!values.length) return { color: () => null, legend: [], scale: ob.el("span.ob-g-scale", {}, `${by.title}: nothing is told of what is drawn`) };
    const [least, most] = [Math.min(...values), Math.max(...values)];
    const isFar = most / least > FAR;
    const partOf = (n) => (isFar ? Math.log(Math.max(n, least) / least) / Math.log(most / least) : n / most);
    const shades = new Map(known.map((child) => [child.path, heatAt(partOf(by.of(child.took)))]));
    return {
      color: (child) => shades.get(child.path) ?? null, isHeat: true, legend: [],
      scale: scaleOf(by.title, isFar ? by.words(least) : "0", by.words(most), isFar, closed.length > known.length),
    };
  };

  function scaleOf(title, low, high, isFar, isPart) {
    const stops = [0, 0.25, 0.5, 0.75, 1].map(heatAt).join(", ");
    return ob.el("span.ob-g-scale", {},
      ob.el("span", {}, `${title}${isFar ? ", logarithmic" : ""}`),
      ob.el("span.ob-g-ends", {}, low, ob.el("i", { "aria-hidden": "true", style: { background: `linear-gradient(90deg, ${stops})` } }), high),
      isPart ? ob.el("span", {}, "Dashed: not measured") : null);
  }

  /** What a card tells of what its item took. */
  ob.tookFacts = function tookFacts({ took, item }) {
    if (!took) return [];
    if (!took.nodes) return [["Measured", "not in the step"]];
    const isScope = item.kind !== "node";
    return [
      ["Compute time", took.time ? ob.nanos(took.time) : ""],
      ["Start to end", took.span && took.span !== took.time ? ob.nanos(took.span) : ""],
      ["Memory", took.memory ? ob.bytes(took.memory) : ""],
      ["Measured", isScope ? `${ob.count(took.nodes)} of ${ob.plural(item.nodes, "node")}` : ""],
      ["Executions", took.executions > took.nodes ? ob.count(took.executions) : ""],
      ["Gave", took.shapes.join(", ")],
      ["Ran on", took.devices.map(shortDevice).join(", ")],
    ];
  };

  /** A device without the part that is the same for all of one machine. */
  const shortDevice = (name) => name.replace(/^\/job:localhost\/replica:0\/task:0/, "");

  function stepChoice(steps) {
    const chosen = ob.stepOf(steps);
    const words = (row) => [row.tag, row.tag.endsWith(String(row.step)) ? row.tag : `${row.tag}, step ${ob.count(row.step)}`];
    return ob.select("Run metadata", [...steps.map(words), [NONE, "none"]], chosen ? chosen.tag : NONE, (tag) => ob.setView({ graphStats: tag === steps[0]?.tag ? "" : tag }));
  }

  /** Why a step tells nothing of this graph. */
  function nothing({ elsewhere, named, devices }) {
    if (elsewhere) return `None of its ${ob.plural(elsewhere, "execution")} is of a node of this graph. Some are called ${named.join(", ")}.`;
    const where = devices.length ? `names ${devices.map(({ name }) => name).join(", ")}, and ` : "";
    return `This run metadata ${where}tells of no node how long it took or what memory it was given, so there are no colours by them. Torch's add_graph logs no more than the device; TensorFlow measures with RunOptions.FULL_TRACE.`;
  }

  function totals(measured, nodes) {
    const { time, span, memory, executions, elsewhere, elsewhere_time: away, named } = measured;
    return ob.graphFacts([
      ["Compute time", time ? ob.nanos(time) : "not told"],
      ["Start to end", span ? ob.nanos(span) : ""],
      ["Memory", memory ? ob.bytes(memory) : "not told"],
      ["Measured", `${ob.count(measured.nodes)} of ${ob.plural(nodes, "node")}`],
      ["Executions", ob.count(executions)],
      ["Elsewhere", elsewhere ? `${ob.plural(elsewhere, "execution")}${away ? `, ${ob.nanos(away)}` : ""}, of nodes that this graph has not: ${named.join(", ")}` : ""],
    ]);
  }

  function deviceRow({ name, executions, time, counts }) {
    const words = [ob.plural(executions, "execution"), time ? ob.nanos(time) : "", counts ? "" : "repeats what a device did, not counted"];
    return ob.el("li", {}, ob.el("span.ob-mono", { title: name }, shortDevice(name)), ob.el("span.ob-mute", {}, ` ${words.filter(Boolean).join(", ")}`));
  }

  /** Beside the graph: which step, its sums, its devices, and what took most. */
  ob.graphMeasured = function graphMeasured(page, steps, measured, rows) {
    const head = [ob.el("h2", {}, "Times and memory")];
    if (!steps.length) return [...head, ob.el("p.ob-mute", {}, "This run logged no run metadata. TensorFlow's FileWriter.add_run_metadata does.")];
    head.push(stepChoice(steps));
    if (!measured) return [...head, ob.el("p.ob-mute", {}, "No step is looked at.")];
    const wrong = measured.problems.length ? [ob.el("h3", {}, "What was wrong with it"), ob.el("ul.ob-g-problems", {}, ...measured.problems.map((text) => ob.el("li", {}, text)))] : [];
    if (!measured.nodes) return [...head, ob.el("p", {}, nothing(measured)), ...wrong];
    return [
      ...head, totals(measured, page.scopes.get("").nodes), ...wrong,
      ob.el("h3", {}, "Devices"), ob.el("ul.ob-g-list", {}, ...measured.devices.map(deviceRow)),
      ob.el("h3", {}, "What took most"), ...mostTable(page, measured, rows),
    ];
  };

  function mostTable(page, measured, rows) {
    const { of, by } = page.ranking;
    const which = ob.segmented("Rows", [["nodes", "Nodes"], ["scopes", "Scopes"]], of, (next) => page.rank({ of: next }));
    if (!rows.length) return [which, ob.el("p.ob-mute", {}, "Nothing was told to take any.")];
    const title = (key, words) => ob.el("button.ob-quiet", { type: "button", title: `Most ${words.toLowerCase()} first`, onclick: () => page.rank({ by: key }) }, by === key ? `${words} ↓` : words);
    const share = (row) => (measured.time ? `${Number(((row.time / measured.time) * 100).toPrecision(2))}\u2009%` : "");
    const table = ob.plainTable(
      [of === "nodes" ? "Node" : "Scope", title("time", "Time"), "Share", title("memory", "Memory")],
      rows.map((row) => [ob.el("div", {}, ob.graphName(page, row.path), row.op ? ob.el("div.ob-g-path", {}, row.op) : null), ob.nanos(row.time), share(row), ob.bytes(row.memory)]));
    for (const [at, key] of [[1, "time"], [3, "memory"]]) if (by === key) table.querySelectorAll("th")[at].setAttribute("aria-sort", "descending");
    return [which, table];
  }
})((globalThis.ob = globalThis.ob || {}));
