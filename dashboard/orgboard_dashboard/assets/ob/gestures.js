/* Zooming and moving along x with the mouse: a drag zooms, Shift and drag pans, Alt and the wheel
   zooms, a drag along the axis selects a stretch. The card at hand follows at once, all others
   when the hand rests; then the server is asked for finer points. */
(function (ob) {
  "use strict";

  const WHEEL_RATE = 0.0015;
  const REST_MS = 180;
  const LEAST_PX = 4;

  /** Listen on a card's stage. `onZoom` and `onSelect` hear [low, high] in units of x;
      without `onSelect` nothing can be selected. */
  ob.gestures = function gestures(card, { onZoom, onSelect }) {
    const stage = card.plot.parentElement;
    if (onSelect) {
      const strip = ob.el("div.ob-strip", { title: "Drag to select a stretch", "aria-hidden": "true" });
      strip.addEventListener("mousedown", (event) => card.ranges && event.button === 0 && select(card, event, onSelect));
      stage.append(strip);
    }
    card.plot.addEventListener("mousedown", (event) => {
      if (event.button !== 0 || event.shiftKey || !card.ranges) return;
      event.preventDefault();
      zoom(card, event, onZoom);
    });
    stage.addEventListener("mousedown", (event) => {
      if (!event.shiftKey || event.button !== 0 || !card.ranges) return;
      take(event);
      pan(card, event, onZoom);
    }, true);
    const settle = ob.settled(REST_MS, () => letGo(card, onZoom));
    stage.addEventListener("wheel", (event) => {
      if (!event.altKey || !card.ranges) return;
      event.preventDefault();
      const scale = ob.scaleOf(card.plot, card.ranges, ob.view);
      const part = Math.min(1, Math.max(0, (event.clientX - card.plot.getBoundingClientRect().left - scale.left) / scale.width));
      const [low, high] = card.ranges.x;
      const factor = Math.exp(event.deltaY * WHEEL_RATE);
      const at = low + part * (high - low);
      preview(card, [at - (at - low) * factor, at + (high - at) * factor]);
      settle();
    }, { passive: false });
  };

  function take(event) {
    event.preventDefault();
    event.stopPropagation();
    ob.hideTip();
  }

  function pan(card, start, onZoom) {
    const { width } = ob.scaleOf(card.plot, card.ranges, ob.view);
    const [low, high] = card.ranges.x;
    card.plot.classList.add("ob-panning");
    follow((event) => {
      const by = ((start.clientX - event.clientX) / width) * (high - low);
      preview(card, [low + by, high + by]);
    }, (event) => {
      card.plot.classList.remove("ob-panning");
      letGo(card, Math.abs(event.clientX - start.clientX) >= LEAST_PX ? onZoom : null);
    });
  }

  function select(card, start, onSelect) {
    take(start);
    stretch(card, start, (range) => ob.paintRanges(range), onSelect);
  }

  function zoom(card, start, onZoom) {
    const box = card.plot.parentElement.appendChild(ob.el("div.ob-range", { hidden: true }));
    stretch(card, start, (range) => card.shade(box, range), (range) => {
      box.remove();
      if (range) onZoom(range);
    });
  }

  /** Choose a stretch of x by a drag. `paint` shows it meanwhile; `done` hears it, or null of a click. */
  function stretch(card, start, paint, done) {
    const scale = ob.scaleOf(card.plot, card.ranges, ob.view);
    const left = card.plot.getBoundingClientRect().left + scale.left;
    const place = (event) => scale.xAt(Math.min(scale.width, Math.max(0, event.clientX - left)));
    const from = place(start);
    const chosen = (event) => [from, place(event)].sort((a, b) => a - b);
    follow((event) => paint(chosen(event)), (event) => {
      const [low, high] = chosen(event);
      const wide = Math.abs(event.clientX - start.clientX) >= LEAST_PX && low < high;
      done(wide ? ob.xRounded(low, high) : null);
    });
  }

  /** Hear a drag until the button is released, one move a frame. */
  function follow(onMove, onEnd) {
    let last = null;
    let frame = 0;
    const move = (event) => {
      last = event;
      frame ||= requestAnimationFrame(() => {
        frame = 0;
        onMove(last);
      });
    };
    const end = (event) => {
      cancelAnimationFrame(frame);
      document.removeEventListener("mousemove", move);
      document.removeEventListener("mouseup", end);
      if (last) onMove(event);
      onEnd(event);
    };
    document.addEventListener("mousemove", move);
    document.addEventListener("mouseup", end);
  }

  /** Show other limits on one card, before anything is fetched. They stay when an answer to an
      earlier question comes meanwhile. */
  function preview(card, x) {
    if (!(x[0] < x[1]) || !x.every(Number.isFinite)) return;
    card.inHand = true;
    card.ranges = { ...card.ranges, x };
    ob.draw(card.plot, { data: card.plot.data, ranges: card.ranges }, ob.view);
  }

  function letGo(card, onZoom) {
    if (!card.inHand) return;
    card.inHand = false;
    if (onZoom && card.ranges) onZoom(placesOf(card));
  }

  function placesOf(card) {
    const value = ob.valueOf(ob.xKind(ob.view));
    return ob.xRounded(...card.ranges.x.map(value));
  }
})((globalThis.ob = globalThis.ob || {}));
