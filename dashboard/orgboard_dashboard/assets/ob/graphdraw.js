/* Draw a graph that is laid out, as SVG: boxes, edges, what they are called, what they are
   coloured by. Text from logs is text nodes only. */
(function (ob) {
  "use strict";

  /** Three small boxes in the corner of a series: one after the other, or side by side. */
  const CHAIN = "M6 5h6v4h-6zM9 9v3M6 12h6v4h-6zM9 16v3M6 19h6v4h-6z";
  const ROW = "M5 6h4v5h-4zM11 6h4v5h-4zM17 6h4v5h-4z";
  const CHANGED = ["op", "shape", "attributes", "inputs"];

  /** Draw what `ob.layScope` laid out. Gives {el, places, hold}: where each item is, by path, and
      what draws the control edges of an item that has too many to be drawn always. */
  ob.drawGraph = function drawGraph(laid, look) {
    const places = new Map();
    const el = ob.svg("g", { class: "ob-g-world" });
    drawScope(el, laid, 0, 0, look, places);
    const held = ob.heldOf(laid);
    const hold = (path) => (held.get(path) ?? []).map(([from, to]) => drawHeld(places.get(from), places.get(to))).filter(Boolean);
    el.append(ob.svg("g", {}, ...hold(look.chosen)));
    return { el, places, hold };
  };

  function drawHeld(from, to) {
    if (!from || !to) return null;
    const [x, right] = [from.x + from.w / 2, to.x + to.w / 2];
    const isBelow = to.y >= from.y + from.h;
    // What stands beside it is reached from above, in a bow that clears what is between.
    const y = isBelow ? from.y + from.h : from.y;
    const [out, into] = isBelow ? [y + 26, to.y - 26] : [Math.min(y, to.y) - 24 - Math.abs(right - x) * 0.06, Math.min(y, to.y) - 24 - Math.abs(right - x) * 0.06];
    const at = (...numbers) => numbers.map((number) => number.toFixed(1)).join(" ");
    return ob.svg("path", { class: "ob-g-edge ob-g-control ob-g-held", d: `M${at(x, y)}C${at(x, out, right, into, right, to.y)}`, "stroke-width": 1.2, "marker-end": "url(#ob-arrow-on)" });
  }

  function drawScope(into, laid, left, top, look, places) {
    const edges = ob.svg("g", { class: "ob-g-edges" });
    const boxes = ob.svg("g", {});
    into.append(edges, boxes);
    for (const line of laid.lines) edges.append(drawEdge(line, laid, left, top, look));
    for (const box of laid.boxes) {
      const x = left + box.x - box.w / 2;
      const y = top + box.y - box.h / 2;
      places.set(box.child.path, { x, y, w: box.w, h: box.h, child: box.child, inside: laid.path, open: Boolean(box.inner) });
      if (!box.inner) boxes.append(drawNode(box, x, y, look));
      else {
        boxes.append(drawOpened(box, x, y, look));
        drawScope(boxes, box.inner, x + (box.w - box.inner.w) / 2, y, look, places);
        if (box.inner.scope.more) boxes.append(ob.svg("text", { class: "ob-g-second", x: x + 12, y: y + box.h - 5 }, `${ob.count(box.inner.scope.more)} more`));
      }
    }
  }

  function drawEdge(line, laid, left, top, look) {
    const { edge, points, label, across } = line;
    const on = look.isTraced && [line.from, line.to].every((end) => !laid.boxes[end] || look.traces(laid.boxes[end].child.path));
    const isReference = edge.references > 0;
    const classes = ["ob-g-edge", edge.control && "ob-g-control", across && "ob-g-across", isReference && "ob-g-ref", on && "ob-g-traced"].filter(Boolean).join(" ");
    const head = `url(#ob-arrow${on ? "-on" : isReference ? "-ref" : ""})`;
    const width = edge.control ? 1 : 1 + Math.min(4, Math.log10(1 + edge.elements) * 0.45 + Math.log10(edge.count) * 0.6);
    const path = ob.svg("path", { class: classes, d: curve(points, left, top), "stroke-width": width.toFixed(2), "marker-end": across ? null : head, "marker-start": isReference && !across ? head : null });
    const changing = edge.count > edge.references ? `${ob.count(edge.references)} of ${ob.count(edge.count)} may be changed there` : "may be changed there";
    const title = [label, edge.control ? "control" : "", isReference ? changing : ""].filter(Boolean).join(", ");
    if (title) path.append(ob.svg("title", {}, title));
    const text = label && line.x !== undefined ? ob.svg("text", { class: "ob-g-shape", x: left + line.x, y: top + line.y + 3.5 }, label) : null;
    return text ? ob.svg("g", {}, path, text) : path;
  }

  /** A smooth way through points: straight to the middle of each leg, round in between. */
  function curve(points, left, top) {
    const at = points.map(([x, y]) => [(left + x).toFixed(1), (top + y).toFixed(1)]);
    if (at.length < 3) return `M${at.map((point) => point.join(" ")).join("L")}`;
    let d = `M${at[0].join(" ")}`;
    for (let i = 1; i < at.length - 1; i += 1) {
      const last = i === at.length - 2;
      const end = last ? at[i + 1] : [((+at[i][0] + +at[i + 1][0]) / 2).toFixed(1), ((+at[i][1] + +at[i + 1][1]) / 2).toFixed(1)];
      d += `Q${at[i].join(" ")} ${end.join(" ")}`;
    }
    return d;
  }

  function drawNode(box, x, y, look) {
    const { child } = box;
    const isNode = child.kind === "node";
    const tint = look.color(child);
    const shape = { class: "ob-g-shape-of", width: box.w, height: box.h, rx: isNode ? Math.min(14, box.h / 2) : 7, style: tint ? `--tint:${tint}` : null };
    const g = ob.svg("g", { ...behaviour(box, false, look), class: classesOf(child, look, tint), transform: `translate(${x.toFixed(1)} ${y.toFixed(1)})` });
    // Members that feed one another stand behind one another, the others beside one another.
    const [dx, dy] = child.links === "chained" ? [0, 3.5] : [3.5, 0];
    if (child.kind === "series") g.append(...[2, 1].map((n) => ob.svg("rect", { ...shape, x: n * dx, y: n * dy })));
    g.append(ob.svg("rect", shape));
    if (child.kind === "series") g.append(ob.svg("path", { class: "ob-g-glyph", d: child.links === "chained" ? CHAIN : ROW }));
    const middle = box.w / 2;
    g.append(ob.svg("text", { class: "ob-g-label", x: middle, y: box.second ? 17 : 18 }, box.label));
    if (box.second) g.append(ob.svg("text", { class: "ob-g-second", x: middle, y: 31 }, box.second));
    g.append(ob.svg("title", {}, child.path));
    return g;
  }

  function drawOpened(box, x, y, look) {
    const { child } = box;
    const tint = look.color(child);
    const g = ob.svg("g", { ...behaviour(box, true, look), class: `${classesOf(child, { ...look, isHeat: false })} ob-g-opened`, transform: `translate(${x.toFixed(1)} ${y.toFixed(1)})` });
    g.append(
      ob.svg("rect", { class: "ob-g-shape-of", width: box.w, height: box.h, rx: 10, style: tint ? `--tint:${tint}` : null }),
      ob.svg("text", { class: "ob-g-label", x: 12, y: 19 }, child.label),
      ob.svg("text", { class: "ob-g-second", x: 18 + child.label.length * 6.9, y: 19 }, [ob.plural(child.nodes, "node"), ob.heldWords(box.held)].filter(Boolean).join(" · ")),
      ob.svg("title", {}, child.path));
    return g;
  }

  function classesOf(child, look, tint = null) {
    const heat = look.isHeat && (tint ? "ob-g-hot" : "ob-g-cold");
    const dim = look.isTraced && child.path !== look.chosen && !look.traces(child.path);
    return ["ob-g-node", `ob-g-${child.kind}`, child.path === look.chosen && "ob-on", dim && "ob-g-dim", heat].filter(Boolean).join(" ");
  }

  function behaviour({ child, held }, isOpen, look) {
    const expands = child.kind !== "node";
    return {
      role: "button", tabindex: child.path === look.focusable ? 0 : -1, "data-path": child.path,
      "aria-label": [spoken(child), ob.heldWords(held)].filter(Boolean).join(", "), "aria-expanded": expands ? String(isOpen) : null, "aria-pressed": child.path === look.chosen ? "true" : null,
    };
  }

  /** What a screen reader says of an item. */
  function spoken(child) {
    const what = { node: child.op, scope: "scope", series: "series of alike" }[child.kind];
    const changes = Object.entries(child.changes ?? {}).filter(([name]) => name !== "same").map(([name, n]) => `${n} ${name}`);
    return [child.label, what, child.kind === "node" ? child.shape : ob.secondLine(child), child.kind === "node" ? ob.tookWords(child) : "", ...changes].filter(Boolean).join(", ");
  }

  /** Give what items are coloured by: {color(child), legend: [[colour, words]]}. */
  ob.graphColors = function graphColors(scopes, by, isCompared) {
    if (isCompared) return comparedColors();
    if (by === "time" || by === "memory") return ob.heatColors(scopes, by);
    if (by === "none") return { color: () => null, legend: [] };
    const keyOf = { structure: (child) => (child.block ? `block ${child.block}` : ""), op: (child) => (child.kind === "node" ? child.op : ""), device: (child) => child.device, cluster: (child) => child.cluster }[by];
    const seen = new Map();
    for (const scope of scopes.values()) {
      for (const child of scope.children) {
        const key = ob.isAside(child) ? "" : keyOf(child);
        if (key && !seen.has(key)) seen.set(key, { n: 0, words: by === "structure" ? `${child.label.replace(/(?:[_.]?\d+|\[\d+\])$/, "")}, ${ob.count(child.alike)} alike` : key });
        if (key) seen.get(key).n += 1;
      }
    }
    const ranked = [...seen.entries()].sort((a, b) => b[1].n - a[1].n);
    const colors = new Map(ranked.map(([key], at) => [key, ob.PALETTE[at % ob.PALETTE.length]]));
    const legend = ranked.slice(0, 8).map(([key, { words }]) => [colors.get(key), words]);
    return { color: (child) => colors.get(keyOf(child)) ?? null, legend };
  };

  function comparedColors() {
    const [added, changed] = [ob.token("better"), ob.token("stale")];
    const color = ({ changes = {} }) => {
      if (CHANGED.some((name) => changes[name])) return changed;
      if (changes.added) return changes.same ? changed : added;
      return null;
    };
    return { color, legend: [[added, "only in this graph"], [changed, "changed, or changed inside"]] };
  }

  /** The heads of arrows, once for a picture. */
  ob.graphMarkers = () => ob.svg("defs", {}, ...["", "-on", "-ref"].map((kind) => ob.svg("marker", { id: `ob-arrow${kind}`, viewBox: "0 0 8 8", refX: 7, refY: 4, markerWidth: 7, markerHeight: 7, orient: "auto-start-reverse", markerUnits: "userSpaceOnUse" },
    ob.svg("path", { class: `ob-g-head${kind && ` ob-g${kind}-head`}`, d: "M0 1 7 4 0 7z" }))));
})((globalThis.ob = globalThis.ob || {}));
