/* Beside the graph: what is known of a node, the layers as a table, what is set aside, and what
   changed against another run's graph. */
(function (ob) {
  "use strict";

  const FEW = 12;
  const WORDS = { added: "added", removed: "removed", op: "another operation", shape: "another shape", attributes: "other attributes", inputs: "other inputs" };

  /** Make a link to an item of the graph. */
  function itemLink(page, path, words = path) {
    return ob.el("button.ob-quiet.ob-mono.ob-g-link", { type: "button", title: path, onclick: () => page.reveal(path) }, words);
  }

  function facts(rows) {
    const kept = rows.filter(([, value]) => value !== "" && value !== null && value !== undefined);
    return ob.el("dl.ob-g-facts", {}, ...kept.flatMap(([name, value]) => [ob.el("dt", {}, name), ob.el("dd", {}, value)]));
  }

  ob.graphFacts = facts;

  /** A list of which the first few stand there, and all when asked for. */
  function shortList(rows, more = 0) {
    const list = ob.el("ul.ob-g-list", {}, ...rows.slice(0, FEW));
    const left = rows.length - FEW;
    const all = left > 0 ? ob.el("button.ob-quiet", { type: "button", onclick: () => { list.replaceChildren(...rows); all.remove(); } }, `show ${ob.count(left)} more`) : null;
    return [list, all, more ? ob.el("p.ob-mute", {}, `${ob.count(more)} more are not listed.`) : null];
  }

  /** Say of how many layers the parameters are not in a sum. */
  const without = (uncounted) => (uncounted ? `, without ${ob.plural(uncounted, "layer")} of kinds that do not tell` : "");

  /** What is told when nothing is chosen. */
  ob.graphSummary = function graphSummary(page, root) {
    const { graph, nodes, parameters, uncounted, edges_in_all: edges, problems } = root;
    const rows = [["Nodes", ob.count(nodes)], ["Edges", ob.count(edges)], ["Parameters", parameters || !nodes ? ob.count(parameters) + without(uncounted) : "not told by the graph"],
      ...(page.run.file ? page.files.facts(page.run) : [["Size", ob.bytes(page.row.size)], ["Step", ob.count(page.row.step)]])];
    const wrong = problems.length ? [ob.el("h3", {}, "What was wrong with it"), ob.el("ul.ob-g-problems", {}, ...problems.map((text) => ob.el("li", {}, text)))] : [];
    return [ob.el("h2", {}, graph.charAt(0).toUpperCase() + graph.slice(1)), facts(rows), page.run.file ? page.files.acts(page.run) : null, ...wrong,
      ob.el("p.ob-mute", {}, "Choose a node to read about it. A double click, or Enter, opens a scope and closes it."),
      ob.el("p.ob-mute", {}, "Square boxes are scopes, a stack is a series of alike ones, round boxes are operations. The thicker an edge, the more numbers pass; a dashed one passes none and says only what comes first. An orange one, with a head at both ends, leads to an operation that may change the tensor itself.")].filter(Boolean);
  };

  /** The button that puts an item into the list beside the graph, or takes it out. */
  function mover(page, child, look) {
    // With all drawn, what is set aside by itself cannot be put back one by one.
    if (!child || (child.aside && ob.view.graphAside)) return null;
    const isAside = ob.isAside(child);
    return ob.el(`button.${look}`, {
      type: "button", title: isAside ? "Draw it among the others" : "Take it out of the drawing, into the list “Set aside”",
      "aria-label": `${isAside ? "Draw" : "Set aside"} ${child.path}`, onclick: () => page.move(child),
    }, isAside ? "Draw" : "Set aside");
  }

  ob.graphCard = function graphCard(page, card, tags) {
    const { item } = card;
    const kind = { node: item.op, scope: "Scope", series: "Series of alike" }[item.kind];
    const isOpen = ob.view.graphOpen.includes(item.path);
    const trace = (way, words) => ob.el("button.ob-pill.ob-toggle", {
      type: "button", "aria-pressed": String(ob.view.graphTrace === way), onclick: () => ob.setView({ graphTrace: ob.view.graphTrace === way ? "" : way }),
    }, words);
    const rows = [
      ["Nodes", item.kind === "node" ? "" : ob.count(item.nodes)],
      ["Parameters", item.parameters ? ob.count(item.parameters) : ""],
      ["Output", inferred(card.shapes.join(", "), item)],
      ["Device", item.device],
      ...ob.tookFacts(card),
      ["XLA cluster", item.cluster],
      ["Members", { chained: "chained: data goes from one to another", parallel: "parallel: no data goes from one to another" }[item.links] ?? ""],
      ["Built alike", item.alike > 1 ? `${ob.count(item.alike)} times` : ""],
    ];
    return [
      ob.el("h2.ob-mono", { title: item.path }, item.label),
      ob.el("p.ob-mute", {}, kind, item.path === item.label ? "" : ob.el("span.ob-g-path", {}, ` ${item.path}`)),
      ob.el("div.ob-g-acts", {},
        item.kind === "node" ? null : ob.el("button.ob-pill", { type: "button", onclick: () => page.toggle(item.path) }, isOpen ? "Close" : "Open"),
        trace("inputs", "Trace inputs"), trace("outputs", "Trace outputs"), mover(page, page.childOf(item.path), "ob-pill")),
      page.traced && ob.view.graphTrace ? ob.el("p.ob-mute", {}, `${ob.plural(page.traced.total, "node")} ${ob.view.graphTrace === "inputs" ? "lead here" : "follow from it"}.`) : null,
      facts(rows),
      ...section("Attributes", card.attributes.map(([name, value]) => ob.el("li", {}, ob.el("b.ob-mono", {}, name), " ", value))),
      ...section("Inputs", card.inputs.map((link) => linkRow(page, link)), card.more_inputs),
      ...section("Outputs", card.outputs.map((link) => linkRow(page, link)), card.more_outputs),
      ...section("Made of", card.ops.map(([op, n]) => ob.el("li", {}, ob.el("span.ob-mono", {}, op), ` ${ob.count(n)}`))),
      ...section("Built alike", card.similar.map((path) => ob.el("li", {}, itemLink(page, path)))),
      ...section("Logged by it", tags),
    ].filter(Boolean);
  };

  /** A shape, and whether it was logged. */
  const inferred = (shape, of) => (shape && of.is_inferred ? `${shape}, inferred` : shape);

  function section(title, rows, more = 0) {
    if (!rows.length) return [];
    return [ob.el("h3", {}, title, " ", ob.el("span.ob-mute", {}, ob.count(rows.length + more))), ...shortList(rows, more).filter(Boolean)];
  }

  function linkRow(page, { path, shape, control, reference, count }) {
    const words = [shape, control ? "control" : "", reference ? "may be changed there" : "", count > 1 ? `${count} times` : ""].filter(Boolean).join(", ");
    return ob.el("li", {}, itemLink(page, path), words ? ob.el("span.ob-mute", {}, ` ${words}`) : null);
  }

  /** The tags that a layer logged: those whose names begin as it is called. */
  ob.graphTags = function graphTags(project, uid, path, tags) {
    const names = callsOf(path);
    const mine = (name) => names.some((call) => name === call || name.startsWith(`${call}/`) || name.startsWith(`${call}.`));
    const found = tags.filter(({ name }) => mine(name)).slice(0, 40);
    const pages = { scalar: "scalars", histogram: "histograms" };
    return found.filter(({ kind }) => document.querySelector(`#ob-tabs a[href$="/${pages[kind]}"]`)).map(({ name, kind }) => {
      const query = new URLSearchParams({ sel: uid, t: `^${name.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&")}$` });
      return ob.el("li", {}, ob.el("a.ob-nav.ob-mono", { href: `${ob.base()}${project.path}/${pages[kind]}?${query}` }, name), ob.el("span.ob-mute", {}, ` ${kind}`));
    });
  };

  /** What a scope is called in tags: as in the graph, or as torch names the parameters of a module. */
  function callsOf(path) {
    const modules = path.split("/").map((part) => /\[([^\]]+)\]$/.exec(part)?.[1]).filter(Boolean);
    return [path, modules.join("."), modules.join("/")].filter(Boolean);
  }

  /** A layer by the last part of its path, with the rest below. */
  function nameOf(page, path) {
    const at = path.lastIndexOf("/");
    const link = itemLink(page, path, path.slice(at + 1) || path);
    return at > 0 ? ob.el("div", {}, link, ob.el("div.ob-g-path", {}, path.slice(0, at))) : link;
  }

  ob.graphName = nameOf;

  ob.graphLayers = function graphLayers(page, { layers, total, parameters, uncounted }) {
    if (!layers.length) return [ob.el("p.ob-mute", {}, "No layer was found in this graph.")];
    const rows = layers.map((layer) => [nameOf(page, layer.path), layer.kind.replace(/^(aten|prim)::_?/, ""), inferred(layer.shape, layer), layer.parameters ? ob.count(layer.parameters) : ""]);
    const more = total - layers.length;
    return [
      ob.el("h2", {}, ob.plural(total, "layer"), ob.el("span.ob-mute", {}, parameters ? `  ${ob.count(parameters)} parameters${without(uncounted)}` : "  the graph does not tell parameters")),
      ob.plainTable(["Layer", "Type", "Output", "Parameters"], rows, 3),
      more > 0 ? ob.el("p.ob-mute", {}, `${ob.count(more)} more are not listed.`) : null,
      layers.some((layer) => layer.is_inferred) ? ob.el("p.ob-mute", {}, "Inferred: not logged, but what stands before the layer and its settings leave no other shape.") : null,
    ].filter(Boolean);
  };

  /** What opened scopes hold and do not draw. */
  ob.graphAside = function graphAside(page) {
    const moved = new Set(ob.view.graphMoved);
    const children = page.open().flatMap((scope) => scope.children).filter((child) => child.aside || moved.has(child.path));
    // What was moved by hand comes first, to be moved back.
    children.sort((a, b) => moved.has(b.path) - moved.has(a.path));
    const rows = children.map((child) => {
      const why = child.aside || "by hand";
      const words = [ob.isAside(child) ? why : `${why}, but drawn`, child.shape].filter(Boolean).join(", ");
      return ob.el("li.ob-g-moves", {}, ob.el("span", {}, itemLink(page, child.path), ob.el("span.ob-mute", {}, ` ${words}`)), mover(page, child, "ob-quiet"));
    });
    const box = ob.el("input", { type: "checkbox", checked: ob.view.graphAside, onchange: () => ob.setView({ graphAside: box.checked }) });
    return [
      ob.el("h2", {}, "Set aside"),
      ob.el("p.ob-mute", {}, "Constants, parameters, what does nothing but wait, and what is tied to nothing or to nearly everything, in the scopes that are open."),
      ob.el("label.ob-pill", {}, box, "Draw them with the others"),
      moved.size ? ob.el("button.ob-pill", { type: "button", onclick: () => ob.setView({ graphMoved: [] }) }, "Undo moves by hand") : null,
      ...(rows.length ? shortList(rows) : [ob.el("p", {}, "Nothing is.")]),
    ].filter(Boolean);
  };

  ob.graphChanges = function graphChanges(page, choice, found) {
    const head = [ob.el("h2", {}, "Compare with"), choice];
    if (!found) return [...head, ob.el("p.ob-mute", {}, "Choose another run that logged a graph, and what is otherwise here is listed and coloured.")];
    const { changes, counts, parameters, scopes } = found;
    const told = Object.entries(counts).map(([what, n]) => `${ob.count(n)} ${WORDS[what]}`).join(", ");
    const difference = parameters[1] - parameters[0];
    const delta = (n) => `${n > 0 ? "+" : "−"}${ob.count(Math.abs(n))}`;
    const rows = changes.map((change) => ob.el("li", {},
      change.what === "removed" ? ob.el("span.ob-mono", {}, change.path) : itemLink(page, change.path),
      ob.el("span.ob-mute", {}, ` ${WORDS[change.what]}`),
      change.before && change.after ? ob.el("span.ob-g-change", {}, ob.el("s", {}, change.before), ` → ${change.after}`) : ob.el("span.ob-mute", {}, ` ${change.before || change.after}`)));
    return [
      ...head,
      ob.el("p", {}, told || "The two graphs are the same, node by node."),
      difference ? ob.el("p", {}, `${ob.count(parameters[1])} parameters here, ${ob.count(parameters[0])} there: `, ob.el("b", {}, delta(difference))) : null,
      ...section("Parameters by scope", scopes.map(({ path, before, after }) => ob.el("li", {}, itemLink(page, path), ` ${delta(after - before)}`))),
      ...section("Changes", rows),
    ].filter(Boolean);
  };
})((globalThis.ob = globalThis.ob || {}));
