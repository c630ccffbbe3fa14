/* The window on a graph: drag to move, wheel or two fingers to zoom, a small map, arrows from
   node to node, and the graph as a picture to take along. */
(function (ob) {
  "use strict";

  const [LEAST, MOST] = [0.05, 3];
  /** At this scale names are read with ease; below the other nobody reads them. */
  const [EASY, READABLE] = [0.8, 0.62];
  const MAP = 148;
  /** A press that moves less than this is a click. */
  const STILL_PX = 4;

  class GraphView {
    /** `acts`: {choose(path), toggle(path), up(path)}. */
    constructor(acts) {
      this.acts = acts;
      this.at = { k: 1, x: 0, y: 0 };
      this.size = [1, 1];
      this.places = new Map();
      this.fingers = new Map();
      this.world = ob.svg("g", {});
      this.svg = ob.svg("svg", { class: "ob-g", role: "group", "aria-label": "Graph" }, ob.graphMarkers(), this.world);
      this.map = ob.svg("svg", { class: "ob-g-map", "aria-hidden": "true" });
      this.el = ob.el("div.ob-g-stage", {}, this.svg, this.map);
      this.listen();
    }

    listen() {
      const { svg } = this;
      svg.addEventListener("wheel", (event) => this.onWheel(event), { passive: false });
      svg.addEventListener("pointerdown", (event) => this.onDown(event));
      svg.addEventListener("pointermove", (event) => this.onMove(event));
      for (const end of ["pointerup", "pointercancel"]) svg.addEventListener(end, (event) => this.onUp(event));
      svg.addEventListener("dblclick", (event) => {
        const path = pathOf(event.target);
        if (path !== null) this.acts.toggle(path);
      });
      svg.addEventListener("keydown", (event) => this.onKey(event));
      // What waits until its node is pointed at, or reached by the keyboard.
      for (const on of ["pointerover", "focusin"]) svg.addEventListener(on, (event) => this.hint(pathOf(event.target)));
      for (const off of ["pointerleave", "focusout"]) svg.addEventListener(off, () => this.hint(null));
      const jump = (event) => event.buttons && this.jump(event);
      this.map.addEventListener("pointerdown", jump);
      this.map.addEventListener("pointermove", jump);
    }

    /** Show another drawing; `keep` is the path of what stays where it is on the screen. */
    show(drawn, laid, keep) {
      const before = this.places.get(keep);
      const after = drawn.places.get(keep);
      const isFirst = !this.places.size;
      const had = this.svg.contains(document.activeElement) ? pathOf(document.activeElement) : null;
      this.places = drawn.places;
      this.hold = drawn.hold;
      this.hinted = null;
      this.hints = drawn.el.appendChild(ob.svg("g", {}));
      this.size = [Math.max(1, laid.w), Math.max(1, laid.h)];
      this.world.replaceChildren(drawn.el);
      if (isFirst) this.fit(true);
      else if (before && after) {
        this.at.x += (before.x + before.w / 2 - after.x - after.w / 2) * this.at.k;
        this.at.y += (before.y - after.y) * this.at.k;
      }
      this.paint();
      if (had !== null) this.focus(had);
    }

    forget() {
      this.places = new Map();
    }

    /** Draw the edges that wait of an item; of none, none. */
    hint(path) {
      if (this.hinted === path || !this.hints) return;
      this.hinted = path;
      this.hints.replaceChildren(...(path === null ? [] : this.hold(path)));
    }

    paint(smooth = false) {
      this.world.classList.toggle("ob-g-gliding", smooth);
      const { k, x, y } = this.at;
      this.world.style.transform = `translate(${x}px, ${y}px) scale(${k})`;
      this.paintMap();
    }

    /** Show all of it; at first from its top, where that is too small to be read. */
    fit(isFirst = false) {
      const [w, h] = [this.el.clientWidth || 800, this.el.clientHeight || 600];
      const all = Math.min((w - 48) / this.size[0], (h - 48) / this.size[1], 1.15);
      const legible = Math.min(EASY, Math.max(READABLE, (w - 48) / this.size[0]));
      const k = Math.max(LEAST, isFirst ? Math.max(all, legible) : all);
      const y = this.size[1] * k > h - 48 ? 24 : (h - this.size[1] * k) / 2;
      this.at = { k, x: (w - this.size[0] * k) / 2, y };
      this.paint(!isFirst);
      return true;
    }

    /** Bring an item into sight. */
    reveal(path) {
      const place = this.places.get(path);
      if (!place) return;
      const [w, h] = [this.el.clientWidth, this.el.clientHeight];
      const k = Math.max(this.at.k, 0.6);
      const inside = (low, size, full) => low * 1 >= 12 && low + size <= full - 12;
      const [x, y] = [place.x * this.at.k + this.at.x, place.y * this.at.k + this.at.y];
      if (k === this.at.k && inside(x, Math.min(place.w * k, w - 24), w) && inside(y, Math.min(place.h * k, h - 24), h)) return;
      this.at = { k, x: w / 2 - (place.x + place.w / 2) * k, y: h / 2 - (place.y + Math.min(place.h, (h / k) * 0.7) / 2) * k };
      this.paint(true);
    }

    focus(path) {
      [...this.svg.querySelectorAll("[data-path]")].find((one) => one.dataset.path === path)?.focus({ preventScroll: true });
    }

    zoom(factor, cx = this.el.clientWidth / 2, cy = this.el.clientHeight / 2) {
      const k = Math.min(MOST, Math.max(LEAST, this.at.k * factor));
      const by = k / this.at.k;
      this.at = { k, x: cx - (cx - this.at.x) * by, y: cy - (cy - this.at.y) * by };
      this.paint();
    }

    onWheel(event) {
      event.preventDefault();
      const box = this.svg.getBoundingClientRect();
      const lines = event.deltaMode === 1 ? 16 : 1;
      this.zoom(Math.exp(-event.deltaY * lines * (event.ctrlKey ? 0.01 : 0.0018)), event.clientX - box.left, event.clientY - box.top);
    }

    onDown(event) {
      if (event.button !== 0) return;
      this.fingers.set(event.pointerId, [event.clientX, event.clientY]);
      this.pressed = { path: pathOf(event.target), x: event.clientX, y: event.clientY, moved: false };
    }

    onMove(event) {
      const before = this.fingers.get(event.pointerId);
      if (!before) return;
      const now = [event.clientX, event.clientY];
      const other = [...this.fingers].find(([id]) => id !== event.pointerId)?.[1];
      if (!this.pressed.moved && Math.hypot(now[0] - this.pressed.x, now[1] - this.pressed.y) < STILL_PX) return;
      if (!this.pressed.moved) this.svg.setPointerCapture(event.pointerId);
      this.pressed.moved = true;
      this.fingers.set(event.pointerId, now);
      if (other) {
        const box = this.svg.getBoundingClientRect();
        const span = (point) => Math.hypot(point[0] - other[0], point[1] - other[1]) || 1;
        this.zoom(span(now) / span(before), (now[0] + other[0]) / 2 - box.left, (now[1] + other[1]) / 2 - box.top);
      } else {
        this.at = { ...this.at, x: this.at.x + now[0] - before[0], y: this.at.y + now[1] - before[1] };
        this.paint();
      }
    }

    onUp(event) {
      if (!this.fingers.delete(event.pointerId) || event.type === "pointercancel") return;
      if (!this.pressed.moved) this.acts.choose(this.pressed.path ?? "");
    }

    onKey(event) {
      const path = pathOf(event.target);
      if (path === null || event.ctrlKey || event.metaKey || event.altKey) return;
      const ways = { ArrowUp: [0, -1], ArrowDown: [0, 1], ArrowLeft: [-1, 0], ArrowRight: [1, 0] };
      if (event.key in ways) this.step(path, ways[event.key]);
      else if (event.key === "Enter") this.acts.toggle(path);
      else if (event.key === " ") this.acts.choose(path);
      else if (event.key === "Escape") this.acts.up(path);
      else if (event.key === "+" || event.key === "=") this.zoom(1.25);
      else if (event.key === "-") this.zoom(0.8);
      else return;
      event.preventDefault();
    }

    /** Go to the nearest item that way. */
    step(path, [dx, dy]) {
      const here = this.places.get(path);
      let best = null;
      for (const [other, place] of this.places) {
        if (other === path) continue;
        const [x, y] = [place.x + place.w / 2 - here.x - here.w / 2, middle(place) - middle(here)];
        const ahead = x * dx + y * dy;
        const apart = Math.abs(x * dy) + Math.abs(y * dx);
        if (ahead > 4 && (best === null || ahead + 2 * apart < best.far)) best = { other, far: ahead + 2 * apart };
      }
      if (!best) return;
      this.acts.choose(best.other);
      this.focus(best.other);
      this.reveal(best.other);
    }

    paintMap() {
      const scale = Math.min(MAP / this.size[0], MAP / this.size[1]);
      const [w, h] = [this.el.clientWidth, this.el.clientHeight];
      const { k, x, y } = this.at;
      const all = x >= 0 && y >= 0 && x + this.size[0] * k <= w && y + this.size[1] * k <= h;
      this.map.toggleAttribute("hidden", all || !this.places.size);
      if (all) return;
      this.mapScale = scale;
      this.map.setAttribute("width", this.size[0] * scale);
      this.map.setAttribute("height", this.size[1] * scale);
      if (this.mapped !== this.places) {
        this.mapped = this.places;
        const rects = [...this.places.values()].map((place) => ob.svg("rect", { class: place.open ? "ob-g-map-open" : "ob-g-map-box", x: place.x * scale, y: place.y * scale, width: Math.max(1, place.w * scale), height: Math.max(1, place.h * scale) }));
        this.map.replaceChildren(...rects, (this.mapWindow = ob.svg("rect", { class: "ob-g-map-window" })));
      }
      const put = { x: (-x / k) * scale, y: (-y / k) * scale, width: (w / k) * scale, height: (h / k) * scale };
      for (const [name, value] of Object.entries(put)) this.mapWindow.setAttribute(name, value);
    }

    jump(event) {
      const box = this.map.getBoundingClientRect();
      const [x, y] = [(event.clientX - box.left) / this.mapScale, (event.clientY - box.top) / this.mapScale];
      this.at = { ...this.at, x: this.el.clientWidth / 2 - x * this.at.k, y: this.el.clientHeight / 2 - y * this.at.k };
      this.paint();
    }

    /** Save all of the graph, as it is open now, as "svg" or "png". */
    async save(format, name) {
      const text = this.picture();
      const size = this.size.map((side) => Math.ceil(side + 32));
      const file = new Blob([text], { type: "image/svg+xml" });
      ob.saveBlob(format === "svg" ? file : await pngOf(file, size), `${name}.${format}`);
    }

    picture() {
      const [w, h] = this.size.map((side) => Math.ceil(side + 32));
      this.hint(null);
      const world = this.world.firstElementChild.cloneNode(true);
      world.setAttribute("transform", "translate(16 16)");
      const whole = ob.svg("svg", { xmlns: "http://www.w3.org/2000/svg", width: w, height: h, viewBox: `0 0 ${w} ${h}` },
        ob.svg("style", {}, stylesOf()), ob.svg("rect", { width: w, height: h, fill: ob.token("surface") }), ob.graphMarkers(), world);
      return new XMLSerializer().serializeToString(whole);
    }
  }

  ob.graphView = (acts) => new GraphView(acts);

  /** An opened scope is at its head, where its name is. */
  const middle = (place) => (place.open ? place.y + 14 : place.y + place.h / 2);

  function pathOf(target) {
    return target.closest?.("[data-path]")?.dataset.path ?? null;
  }

  /** Our own rules for graphs, with colours in place of names of colours. */
  function stylesOf() {
    const rules = [...document.styleSheets].flatMap((sheet) => [...sheet.cssRules]).filter((rule) => rule.selectorText?.includes(".ob-g-"));
    const known = (text) => text.replace(/var\(--ob-([a-z0-9-]+)\)/g, (_, name) => ob.token(name));
    return rules.map((rule) => known(rule.cssText)).join("\n");
  }

  /** The largest canvas side that browsers agree on. */
  const SIDE = 8000;

  async function pngOf(file, [w, h]) {
    const address = URL.createObjectURL(file);
    try {
      const image = new Image();
      image.src = address;
      await image.decode();
      const scale = Math.min(2, SIDE / w, SIDE / h);
      const canvas = Object.assign(document.createElement("canvas"), { width: Math.ceil(w * scale), height: Math.ceil(h * scale) });
      canvas.getContext("2d").drawImage(image, 0, 0, canvas.width, canvas.height);
      return await new Promise((resolve) => canvas.toBlob(resolve, "image/png"));
    } finally {
      URL.revokeObjectURL(address);
    }
  }

  /** Hand a file to the browser to save. */
  ob.saveBlob = function saveBlob(blob, name) {
    const href = URL.createObjectURL(blob);
    const link = ob.el("a", { href, download: name, hidden: true });
    document.body.append(link);
    link.click();
    link.remove();
    // The browser reads the file once it has asked where to put it.
    setTimeout(() => URL.revokeObjectURL(href), 60_000);
  };
})((globalThis.ob = globalThis.ob || {}));
