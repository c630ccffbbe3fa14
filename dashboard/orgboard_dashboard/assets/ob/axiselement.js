/* One axis of the parallel coordinates as elements: its name, which is a button that opens what can
   be done and moves the axis, the track that is brushed, and two handles for the keyboard. */
(function (ob) {
  "use strict";

  const WIDTH = 104;
  const STILL_PX = 5;
  /** A press of a key moves a handle by so much of the axis. */
  const STEP = 0.02;
  const SCALES = [["auto", "Automatic"], ["lin", "Linear"], ["log", "Logarithmic"], ["q", "By rank"]];

  /** Make the elements of the axis at place `i`. */
  ob.axisElement = function axisElement(chart, { column, scale }, i) {
    const { page } = chart;
    const brush = page.brushes.find(({ key }) => key === column.key) ?? null;
    const name = ob.el("button.ob-axis-name.ob-mono", {
      type: "button", title: column.title, "aria-label": `Axis ${column.title}`, "aria-haspopup": "dialog", "aria-expanded": "false",
      "aria-keyshortcuts": "ArrowLeft ArrowRight", onclick: () => openAxis(page, column, name), onkeydown: (event) => moveByKey(page, column, event),
    }, ob.el("span.ob-name", {}, column.title));
    draggable(chart, column, name, i);
    const track = ob.el("div.ob-axis-track", { "data-axis": column.key });
    track.style.height = `${chart.height - 32}px`;
    if (brush) track.append(...brushBoxes(chart, column, scale, brush));
    brushable(chart, column, scale, brush, track);
    if (column.sorted.length) track.append(handle(chart, column, scale, brush, false), handle(chart, column, scale, brush, true));
    const el = ob.el("div.ob-axis", {}, name, track);
    el.style.left = `${chart.x(i) - WIDTH / 2}px`;
    return el;
  };

  const OFFSET = 32;

  function brushBoxes(chart, column, scale, brush) {
    const place = brush.kind === "none" || brush.kind === "odd" ? chart.rowY(brush.kind) : undefined;
    if (place === null) return [];
    const span = ob.brushSpan(column, scale, brush);
    const [top, bottom] = place !== undefined ? [place - 9, place + 9] : span ? [chart.y(span[1]) - 1, chart.y(span[0]) + 1] : [0, 0];
    return [ob.el("div.ob-brush", { "aria-hidden": "true", style: { top: `${top - OFFSET}px`, height: `${Math.max(4, bottom - top)}px` } })];
  }

  /** A drag on the track brushes it; a drag of the brush moves it; a click takes it away. */
  function brushable(chart, column, scale, brush, track) {
    // The track is made anew while it is brushed; the stage stays.
    const yOf = (event) => event.clientY - chart.stage.getBoundingClientRect().top;
    track.addEventListener("pointerdown", (down) => {
      if (down.button !== 0 || down.target.closest("[role=slider]")) return;
      down.preventDefault();
      const [from, span] = [yOf(down), brush && ob.brushSpan(column, scale, brush)];
      const moves = span && from >= chart.y(span[1]) && from <= chart.y(span[0]) && down.target.closest(".ob-brush");
      let changed = false;
      const move = (event) => {
        const to = yOf(event);
        if (!changed && Math.abs(to - from) < STILL_PX) return;
        changed = true;
        chart.page.brush(column.key, moves ? shifted(chart, column, scale, span, to - from) : dragged(chart, column, scale, from, to));
      };
      const up = () => {
        document.removeEventListener("pointermove", move);
        document.removeEventListener("pointerup", up);
        document.removeEventListener("pointercancel", up);
        if (!changed) clicked(chart, column, scale, brush, from);
      };
      document.addEventListener("pointermove", move);
      document.addEventListener("pointerup", up);
      document.addEventListener("pointercancel", up);
    });
  }

  function dragged(chart, column, scale, from, to) {
    const rows = [chart.rowAt(from), chart.rowAt(to)];
    if (rows[0]) return { key: column.key, kind: rows[0], low: null, high: null, values: [] };
    return ob.brushBetween(column, scale, chart.part(from), chart.part(to));
  }

  function shifted(chart, column, scale, [low, high], by) {
    const shift = Math.min(1 - high, Math.max(-low, chart.part(by) - chart.part(0)));
    return ob.brushBetween(column, scale, low + shift, high + shift);
  }

  /** A click on a word, or on the place of those without, brushes it; on a brush it takes it away. */
  function clicked(chart, column, scale, brush, y) {
    const row = chart.rowAt(y);
    const code = scale.kind === "cat" && !row ? scale.valueAt(chart.part(y)) : null;
    const next = row && column[row] ? { key: column.key, kind: row, low: null, high: null, values: [] } : code === null ? null : ob.brushOfCodes(column, [code]);
    chart.page.brush(column.key, JSON.stringify(next) === JSON.stringify(brush) ? null : next);
  }

  /** Make the handle of one end of the brush: a slider for the keyboard and for fingers. */
  function handle(chart, column, scale, brush, isUpper) {
    const span = (brush && ob.brushSpan(column, scale, brush)) ?? [0, 1];
    const part = span[isUpper ? 1 : 0];
    const what = isUpper ? "Greatest" : "Least";
    const text = scale.kind === "cat" ? column.categories[scale.valueAt(part - (isUpper ? 1e-6 : 0))] ?? "others" : ob.value(brush?.kind === "range" ? brush[isUpper ? "high" : "low"] : scale.valueAt(part));
    const by = scale.kind === "cat" ? 1 / column.slots : STEP;
    const to = (value) => {
      const next = isUpper ? [span[0], Math.min(1, Math.max(value, span[0] + (scale.kind === "cat" ? by : 0)))] : [Math.max(0, Math.min(value, span[1] - (scale.kind === "cat" ? by : 0))), span[1]];
      const whole = next[0] <= 1e-9 && next[1] >= 1 - 1e-9;
      chart.page.brush(column.key, whole ? null : ob.brushBetween(column, scale, next[0], next[1]) ?? brush);
    };
    const KEYS = {
      ArrowUp: () => to(part + by), ArrowRight: () => to(part + by), ArrowDown: () => to(part - by), ArrowLeft: () => to(part - by),
      PageUp: () => to(part + 5 * by), PageDown: () => to(part - 5 * by), Home: () => to(0), End: () => to(1),
      Delete: () => chart.page.brush(column.key, null), Escape: () => chart.page.brush(column.key, null),
    };
    return ob.el(`div.ob-handle.ob-handle-${isUpper ? "up" : "down"}`, {
      role: "slider", tabindex: "0", "aria-orientation": "vertical", "aria-label": `${what} ${column.title}`,
      "aria-valuemin": "0", "aria-valuemax": "100", "aria-valuenow": Math.round(part * 100), "aria-valuetext": text, title: `${what} ${column.title}: ${text}`,
      style: { top: `${chart.y(part) - OFFSET - 5}px` },
      onkeydown: (event) => {
        if (!KEYS[event.key] || event.ctrlKey || event.metaKey || event.altKey) return;
        event.preventDefault();
        event.stopPropagation();
        KEYS[event.key]();
      },
      onpointerdown: (down) => pull(chart, down, (y) => to(chart.part(y))),
    });
  }

  function pull(chart, down, act) {
    down.preventDefault();
    const move = (event) => act(event.clientY - chart.stage.getBoundingClientRect().top);
    const up = () => {
      document.removeEventListener("pointermove", move);
      document.removeEventListener("pointerup", up);
    };
    document.addEventListener("pointermove", move);
    document.addEventListener("pointerup", up);
  }

  function moveByKey(page, column, event) {
    const by = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (!by || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    page.moveAxis(column.key, page.axes.findIndex(({ key }) => key === column.key) + by);
  }

  /** The name is dragged to another place among the axes. */
  function draggable(chart, column, name, i) {
    name.addEventListener("pointerdown", (down) => {
      if (down.button !== 0) return;
      let moved = false;
      const move = (event) => {
        moved ||= Math.abs(event.clientX - down.clientX) > STILL_PX;
        if (moved) name.parentElement.style.transform = `translateX(${event.clientX - down.clientX}px)`;
      };
      const up = (event) => {
        document.removeEventListener("pointermove", move);
        name.parentElement.style.transform = "";
        if (!moved) return;
        name.addEventListener("click", (click) => click.stopImmediatePropagation(), { capture: true, once: true });
        const step = chart.list.length > 1 ? chart.x(1) - chart.x(0) : 1;
        setTimeout(() => chart.page.moveAxis(column.key, i + Math.round((event.clientX - down.clientX) / step)));
      };
      document.addEventListener("pointermove", move);
      document.addEventListener("pointerup", up, { once: true });
    });
  }

  /** What can be done with an axis. */
  function openAxis(page, column, button) {
    const at = page.axes.findIndex(({ key }) => key === column.key);
    const { scale } = page.axes[at];
    const positive = column.sorted[0] > 0;
    const scales = column.kind === "category" ? [] : SCALES.filter(([kind]) => kind !== "log" || positive).map(([kind, label]) =>
      ob.menuChoice(label, kind === "auto" ? { lin: "linear here", log: "logarithmic here" }[ob.scaleKind(column, "auto")] : "", kind === scale, () => page.setScale(column.key, kind)));
    const only = (kind, label) => (column[kind] ? ob.menuItem(label, () => page.brush(column.key, { key: column.key, kind, low: null, high: null, values: [] })) : null);
    ob.openMenu(button, column.title, ...[
      ob.menuHead(column.title), ...scales,
      ob.menuItem("Colour by it", () => page.set({ colour: column.key })),
      at > 0 ? ob.menuItem("Move left", () => page.moveAxis(column.key, at - 1), "←") : null,
      at < page.axes.length - 1 ? ob.menuItem("Move right", () => page.moveAxis(column.key, at + 1), "→") : null,
      only("none", "Only runs without it"), only("odd", "Only NaN and infinite"),
      page.brushes.some(({ key }) => key === column.key) ? ob.menuItem("Take its brush away", () => page.brush(column.key, null)) : null,
      ob.menuItem("Remove the axis", () => page.toggleAxis(column.key)),
    ].filter(Boolean));
  }
})((globalThis.ob = globalThis.ob || {}));
