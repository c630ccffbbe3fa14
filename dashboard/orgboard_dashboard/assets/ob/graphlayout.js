/* Where everything of a graph stands: each opened scope is laid out by itself, the inner ones
   first, and then stands in the outer one as a box of its size. */
(function (ob) {
  "use strict";

  const HEAD = 30;
  const PAD = 16;
  const CHAR = 6.7;
  const SMALL = 5.9;
  const WIDEST = 290;
  /** Edges across the border of a scope that are drawn; the card lists all. */
  const MOST_ACROSS = 16;
  /** As in TensorBoard: of a node with more control edges than this, none is drawn until somebody
      points at it. */
  const MOST_CONTROL = 4;
  /** Layouts that are kept, so that what was open before is there at once. */
  const KEPT = 60;

  let worker = null;
  let asked = 0;
  const waiting = new Map();
  const kept = new Map();

  /** Ask the worker, or the memory of what it said, for one flat layout. */
  function lay(question) {
    const key = JSON.stringify(question);
    if (!kept.has(key)) {
      kept.set(key, ask(question));
      kept.get(key).catch(() => kept.delete(key));
      if (kept.size > KEPT) kept.delete(kept.keys().next().value);
    }
    return kept.get(key);
  }

  function ask(question) {
    worker ??= startWorker();
    asked += 1;
    const id = asked;
    return new Promise((resolve, reject) => {
      waiting.set(id, { resolve, reject });
      worker.postMessage({ id, ...question });
    });
  }

  function startWorker() {
    const made = new Worker(`${ob.base()}assets/workers/graph-layout.js`);
    const failed = (words) => {
      for (const { reject } of waiting.values()) reject(new Error(words));
      waiting.clear();
      worker = null;
    };
    made.onerror = () => failed("The layout of the graph could not be computed.");
    made.onmessage = ({ data: { id, laid, error } }) => {
      const { resolve, reject } = waiting.get(id) ?? {};
      waiting.delete(id);
      if (laid) resolve?.(laid);
      else reject?.(new Error(`The layout of the graph failed: ${error}`));
    };
    return made;
  }

  /** Lay out a scope and what is open in it. `scopes`: Map path -> what the server told of it. */
  ob.layScope = async function layScope(scopes, path, options) {
    const scope = scopes.get(path);
    const drawn = scope.children.map((child, at) => ({ child, at })).filter(({ child }) => !options.isAside(child));
    const placeOf = new Map(drawn.map(({ at }, place) => [at, place]));
    const held = heldEdges(scope, placeOf);
    const boxes = await Promise.all(drawn.map(({ child }, place) => boxOf(scopes, child, options, held.counts.get(place) ?? 0)));
    const [into, out] = [boxes.length, boxes.length + 1];
    const edges = edgesOf(scope, placeOf, into, out, path !== "", held.edges);
    const ports = path === "" ? [] : [{ w: 2, h: 2 }, { w: 2, h: 2 }];
    const pulled = path === "" ? [] : pull(boxes.length, edges, into, out);
    const laid = await lay({
      boxes: [...boxes.map(({ w, h }) => ({ w, h })), ...ports],
      edges: [...edges, ...pulled].map(({ from, to, w, h, weight }) => ({ from, to, w, h, weight })),
    });
    return { ...placed(scope, path, boxes, edges, laid, [into, out]), held: held.pairs.map(([from, to]) => [drawn[from].child.path, drawn[to].child.path]), holds: held.sum };
  };

  /** Find the control edges of nodes that have many: {edges: the set of them, pairs: the places
      that they join, counts: how many each place has, sum}. */
  function heldEdges({ edges }, placeOf) {
    const isDrawn = (end) => end < 0 || placeOf.has(end);
    const control = edges.filter((edge) => edge.control && isDrawn(edge.source) && isDrawn(edge.target));
    const endsOf = (edge) => [placeOf.get(edge.source), placeOf.get(edge.target)];
    const degree = new Map();
    for (const edge of control) for (const end of endsOf(edge)) degree.set(end, (degree.get(end) ?? 0) + 1);
    const isMuch = (end) => end !== undefined && degree.get(end) > MOST_CONTROL;
    const held = control.filter((edge) => endsOf(edge).some(isMuch));
    const counts = new Map();
    for (const edge of held) for (const end of endsOf(edge)) if (end !== undefined) counts.set(end, (counts.get(end) ?? 0) + edge.count);
    const inside = held.map(endsOf).filter(([from, to]) => from !== undefined && to !== undefined);
    return { edges: new Set(held), pairs: inside, counts, sum: held.reduce((sum, edge) => sum + edge.count, 0) };
  }

  /** The control edges that wait, in all that is laid out: the paths at the other side of each. */
  ob.heldOf = function heldOf(laid, found = new Map()) {
    for (const pair of laid.held) for (const path of pair) found.set(path, [...(found.get(path) ?? []), pair]);
    for (const { inner } of laid.boxes) if (inner) heldOf(inner, found);
    return found;
  };

  /** How many control edges wait in all that is laid out. */
  ob.heldIn = (laid) => laid.holds + laid.boxes.reduce((sum, { inner }) => sum + (inner ? ob.heldIn(inner) : 0), 0);

  ob.heldWords = (n) => (n ? ob.plural(n, "control edge") : "");

  async function boxOf(scopes, child, options, held) {
    const isOpen = child.kind !== "node" && scopes.has(child.path);
    if (isOpen) {
      const inner = await ob.layScope(scopes, child.path, options);
      return { child, inner, held, w: Math.max(inner.w, 28 + child.label.length * CHAR + 60 + (held ? 100 : 0)), h: inner.h };
    }
    const label = shorten(child.label, 30);
    const second = shorten([ob.secondLine(child), ob.heldWords(held)].filter(Boolean).join(" · "), 44);
    // A series has a sign in its corner; what is centred keeps clear of it.
    const sign = child.kind === "series" ? 22 : 0;
    const wide = sign + Math.max(label.length * CHAR, second.length * SMALL);
    return { child, label, second, held, w: Math.round(Math.min(WIDEST, Math.max(64, wide + 26))), h: second ? 40 : 28 };
  }

  function edgesOf(scope, placeOf, into, out, hasPorts, held) {
    const found = [];
    for (const edge of scope.edges) {
      if (held.has(edge)) continue;
      const from = edge.source < 0 ? into : placeOf.get(edge.source);
      const to = edge.target < 0 ? out : placeOf.get(edge.target);
      if (from === undefined || to === undefined) continue;
      const across = from === into || to === out;
      if (across && !hasPorts) continue;
      const label = across ? "" : edge.label;
      found.push({ edge, from, to, across, w: label ? label.length * 5.6 + 8 : 1, h: label ? 14 : 1, weight: edge.control ? 0.5 : across ? 0.3 : 2, label });
    }
    for (const way of ["from", "to"]) {
      const many = found.filter((one) => one[way] === (way === "from" ? into : out));
      many.sort((a, b) => b.edge.elements - a.edge.elements);
      const left = new Set(many.slice(MOST_ACROSS));
      for (let at = found.length - 1; at >= 0; at -= 1) if (left.has(found[at])) found.splice(at, 1);
    }
    return found;
  }

  /** Keep the way in above, and the way out below, whatever else there is. */
  function pull(n, edges, into, out) {
    const fed = new Set(edges.map(({ to }) => to));
    const feeding = new Set(edges.map(({ from }) => from));
    const pulled = [];
    for (let at = 0; at < n; at += 1) {
      if (!fed.has(at)) pulled.push({ from: into, to: at, w: 1, h: 1, weight: 0.01 });
      if (!feeding.has(at)) pulled.push({ from: at, to: out, w: 1, h: 1, weight: 0.01 });
    }
    return pulled;
  }

  function placed(scope, path, boxes, edges, laid, [into, out]) {
    const root = path === "";
    const [dx, dy] = root ? [0, 0] : [PAD, HEAD + 6];
    const w = laid.width + 2 * dx;
    const h = laid.height + (root ? 0 : dy + PAD - 4);
    const at = boxes.map((box, place) => ({ ...box, x: laid.boxes[place].x + dx, y: laid.boxes[place].y + dy }));
    const ports = root ? null : { into: laid.boxes[into].x + dx, out: laid.boxes[out].x + dx };
    const lines = edges.map((one, place) => {
      const points = laid.edges[place].points.map(([x, y]) => [x + dx, y + dy]);
      const line = { ...one, points, x: laid.edges[place].x + dx, y: laid.edges[place].y + dy };
      if (one.from === into) points[0] = [ports.into, HEAD];
      if (one.to === out) points[points.length - 1] = [ports.out, h];
      tie(points, 0, at[one.from], "out");
      tie(points, points.length - 1, at[one.to], "into");
      return line;
    });
    return { scope, path, w, h, boxes: at, lines, ports };
  }

  /** Lead an end of an edge to where an opened scope takes it on. */
  function tie(points, at, box, way) {
    if (!box?.inner || !points.length) return;
    const x = box.x - box.inner.w / 2 + box.inner.ports[way];
    points[at] = [x, way === "into" ? box.y - box.h / 2 : box.y + box.h / 2];
  }

  /** How many a series is made of, as its label says. */
  ob.membersOf = (child) => Number(/\[(\d+)\]$/.exec(child.label)?.[1] ?? 0);

  /** What stands below a name: what it is, and how much of it. */
  ob.secondLine = function secondLine(child) {
    const took = ob.tookWords(child);
    if (child.kind === "node") return [child.op === child.label ? "" : child.op.replace(/^(aten|prim)::_?/, ""), took || child.shape].filter(Boolean).join(took ? " · " : "  ");
    const parts = [ob.plural(child.nodes, "node")];
    if (took) return [...parts, took].join(" · ");
    if (child.parameters) parts.push(`${ob.short(child.parameters)} params`);
    // A series is not one of those that are alike: it is all of them.
    if (child.kind === "series") parts.push(`${ob.count(ob.membersOf(child))} alike, ${child.links}`);
    else if (child.alike > 1) parts.push(`one of ${ob.count(child.alike)} alike`);
    return parts.join(" · ");
  };

  function shorten(text, most) {
    return text.length > most ? `${text.slice(0, most - 1)}…` : text;
  }
})((globalThis.ob = globalThis.ob || {}));
