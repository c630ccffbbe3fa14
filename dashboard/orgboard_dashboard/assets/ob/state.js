/* The view: read from the address, written back to it. Twin of urls.py.

   `ob.view` is the one copy; `ob.setView({...})` changes it, tells the listeners which keys
   changed, and replaces the address, so that a reload or a sent link shows the same.

   A saved view is a query part that the server keeps: the address names it, and says only
   what is otherwise. `views.js` fetches it before a page begins. */
(function (ob) {
  "use strict";

  const DEFAULTS = {
    runFilter: "", tagFilter: "", smoothing: 0.6, xAxis: "step", yAxis: "lin",
    selected: null, zoom: null, collapsed: [], superseded: false, byMetric: null,
    logX: false, yRange: null, sectionRanges: [], cardRanges: [], outliersClipped: true, smoothingKind: "ema", pinned: [],
    cardWidth: null, cardHeight: null, tipOrder: "nearest", selectedRange: null,
    groupBy: "", groupLine: "mean", groupBand: "minmax", charts: [], baseline: "", compared: "last",
    columns: null, sort: "-started", valueColumns: [], settings: ob.NO_SETTINGS,
    histograms: "offset", atStep: null, layerMap: "",
    graphRun: "", graphTag: "", graphOpen: [], graphNode: "", graphColor: "structure", graphTrace: "", graphAside: false, graphMoved: [], graphBase: "", graphStats: "", graphSide: "node",
    saved: "", without: [],
  };
  /** In place of a saved view: the usual one, whatever view the project opens in. */
  const NO_VIEW = "-";
  const MAX_KEYS = 60;
  const MAX_OPEN_SCOPES = 60;
  const MAX_MOVED_NODES = 60;
  const MAX_COLUMNS = 60;
  /** The narrowest and the widest column of the table of runs. */
  const COLUMN_PX = [40, 1200];
  const MAX_SMOOTHING = 0.999;
  const X_AXES = ["rstep", "index", "relative", "wall", "active"];
  const [MIN_CARD, MAX_CARD] = [120, 2000];
  const GROUP_LINES = ["mean", "median", "min", "max", "each"];
  const GROUP_BANDS = ["minmax", "std", "sem", "ci", "none"];

  /** Read the query part of an address. What cannot be read has its default. */
  ob.decodeView = function decodeView(query) {
    const pairs = new URLSearchParams(query);
    const get = (key) => pairs.getAll(key).at(-1) ?? "";
    const smoothing = number(get("s"));
    const ranges = yRanges(pairs.getAll("yr"));
    const [cardWidth, cardHeight] = size(get("w"));
    const [saved, without] = savedOf(get("v"));
    return {
      runFilter: get("q"),
      tagFilter: get("t"),
      smoothing: smoothing === null ? DEFAULTS.smoothing : Math.min(MAX_SMOOTHING, Math.max(0, smoothing)),
      xAxis: X_AXES.includes(get("x")) || /^m:./s.test(get("x")) ? get("x") : "step",
      yAxis: oneOf(get("y"), ["lin", "log", "sym"]),
      selected: pairs.has("sel") ? get("sel").split(",").filter(Boolean) : null,
      zoom: pair(get("x0"), get("x1")),
      collapsed: pairs.getAll("c"),
      superseded: get("old") === "1",
      byMetric: { 0: false, 1: true }[get("bm")] ?? null,
      logX: get("lx") === "1",
      yRange: ranges.get("") ?? null,
      sectionRanges: [...yRanges(pairs.getAll("ys"))].map(([group, [low, high]]) => [group, low, high]),
      cardRanges: [...ranges].filter(([tag]) => tag).map(([tag, [low, high]]) => [tag, low, high]),
      outliersClipped: get("out") !== "0",
      smoothingKind: oneOf(get("sm"), ["ema", "twema", "gauss", "mean"]),
      pinned: [...new Set(pairs.getAll("pin").filter(Boolean))],
      cardWidth,
      cardHeight,
      tipOrder: oneOf(get("tip"), ["nearest", "height", "value", "least", "name", "list"]),
      selectedRange: pair(...split(get("rng"), 2)),
      groupBy: /^((hp|re):.|(tag|user|host|project)$)/s.test(get("g")) ? get("g") : "",
      groupLine: GROUP_LINES.includes(get("gl")) ? get("gl") : "mean",
      baseline: get("base"),
      compared: ["min", "max"].includes(get("of")) ? get("of") : "last",
      charts: pairs.getAll("e").filter((text) => text.trim()),
      groupBand: GROUP_BANDS.includes(get("gb")) ? get("gb") : "minmax",
      columns: pairs.has("cols") ? columnsOf(get("cols")) : null,
      sort: get("sort") || DEFAULTS.sort,
      valueColumns: columnsOf(get("vt")).map(({ key }) => key),
      settings: ob.decodeSettings(pairs),
      histograms: oneOf(get("hv"), ["offset", "overlay", "dist", "heat"]),
      atStep: number(get("hs")),
      layerMap: /^(?:w1|js|std|dead|sat|nan)(?:,[0-9A-Za-z]{1,64}){0,2}$/.test(get("hm")) ? get("hm") : "",
      graphRun: get("gr"),
      graphTag: get("gt"),
      graphOpen: [...new Set(pairs.getAll("go").filter(Boolean))].slice(0, MAX_OPEN_SCOPES),
      graphNode: get("gs"),
      graphColor: oneOf(get("gc"), ["structure", "op", "device", "cluster", "time", "memory", "none"]),
      graphTrace: oneOf(get("gx"), ["", "inputs", "outputs"]),
      graphAside: get("ga") === "1",
      graphMoved: [...new Set(pairs.getAll("gm").filter(Boolean))].slice(0, MAX_MOVED_NODES),
      graphBase: get("gd"),
      graphStats: get("gk"),
      graphSide: oneOf(get("gp"), ["node", "layers", "aside", "changes", "measured"]),
      saved,
      without,
    };
  };

  /** Write the query part. Defaults are left out. */
  ob.encodeView = function encodeView(view) {
    const pairs = [];
    if (view.saved) pairs.push(["v", [view.saved, ...view.without].join(",")]);
    if (view.runFilter) pairs.push(["q", view.runFilter]);
    if (view.tagFilter) pairs.push(["t", view.tagFilter]);
    if (view.smoothing !== DEFAULTS.smoothing) pairs.push(["s", view.smoothing]);
    if (view.xAxis !== "step") pairs.push(["x", view.xAxis]);
    if (view.yAxis !== "lin") pairs.push(["y", view.yAxis]);
    if (view.selected !== null) pairs.push(["sel", view.selected.join(",")]);
    if (view.zoom !== null) pairs.push(["x0", view.zoom[0]], ["x1", view.zoom[1]]);
    for (const group of view.collapsed) pairs.push(["c", group]);
    if (view.superseded) pairs.push(["old", "1"]);
    if (view.byMetric !== null) pairs.push(["bm", Number(view.byMetric)]);
    pairs.push(...drawingPairs(view));
    if (view.groupBy) pairs.push(["g", view.groupBy]);
    if (view.groupLine !== "mean") pairs.push(["gl", view.groupLine]);
    if (view.groupBand !== "minmax") pairs.push(["gb", view.groupBand]);
    for (const chart of view.charts) pairs.push(["e", chart]);
    if (view.baseline) pairs.push(["base", view.baseline]);
    if (view.compared !== "last") pairs.push(["of", view.compared]);
    if (view.columns !== null) pairs.push(["cols", view.columns.map(written).join(",")]);
    if (view.sort !== DEFAULTS.sort) pairs.push(["sort", view.sort]);
    if (view.valueColumns.length) pairs.push(["vt", view.valueColumns.map((key) => written({ key, width: null, pinned: false })).join(",")]);
    pairs.push(...ob.settingsPairs(view.settings));
    if (view.histograms !== "offset") pairs.push(["hv", view.histograms]);
    if (view.atStep !== null) pairs.push(["hs", view.atStep]);
    if (view.layerMap) pairs.push(["hm", view.layerMap]);
    pairs.push(...graphPairs(view));
    return pairs.map(([key, value]) => `${key}=${encode(value)}`).join("&");
  };

  function drawingPairs(view) {
    const pairs = [];
    if (view.logX) pairs.push(["lx", "1"]);
    if (view.yRange !== null) pairs.push(["yr", view.yRange.join(",")]);
    for (const [tag, low, high] of view.cardRanges) pairs.push(["yr", `${low},${high},${tag}`]);
    for (const [group, low, high] of view.sectionRanges) pairs.push(["ys", `${low},${high},${group}`]);
    if (!view.outliersClipped) pairs.push(["out", "0"]);
    if (view.smoothingKind !== "ema") pairs.push(["sm", view.smoothingKind]);
    for (const tag of view.pinned) pairs.push(["pin", tag]);
    if (view.cardWidth !== null) pairs.push(["w", view.cardHeight === null ? view.cardWidth : `${view.cardWidth},${view.cardHeight}`]);
    if (view.tipOrder !== "nearest") pairs.push(["tip", view.tipOrder]);
    if (view.selectedRange !== null) pairs.push(["rng", view.selectedRange.join(",")]);
    return pairs;
  }

  function graphPairs(view) {
    const color = view.graphColor === "structure" ? "" : view.graphColor;
    const side = view.graphSide === "node" ? "" : view.graphSide;
    const pairs = [
      ["gr", view.graphRun], ["gt", view.graphTag], ...view.graphOpen.map((path) => ["go", path]),
      ["gs", view.graphNode], ["gc", color], ["gx", view.graphTrace],
      ["ga", view.graphAside ? "1" : ""], ...view.graphMoved.map((path) => ["gm", path]), ["gd", view.graphBase], ["gk", view.graphStats], ["gp", side],
    ];
    return pairs.filter(([, value]) => value);
  }

  /** Put an address over the query part that its saved view stands for. */
  ob.layOver = function layOver(state, query) {
    const over = new URLSearchParams(query);
    const [, without] = savedOf(over.getAll("v").at(-1) ?? "");
    const under = [...new URLSearchParams(state)].filter(([key]) => !over.has(key) && !without.includes(key));
    return new URLSearchParams([...over, ...under]).toString();
  };

  /** Write what the query part `full` says beyond the state of the saved view `id`. */
  ob.beyond = function beyond(state, full, id) {
    const [mine, theirs] = [byKey(full), byKey(state)];
    const without = [...theirs.keys()].filter((key) => !mine.has(key));
    const others = [...mine].filter(([key, pairs]) => pairs.join("&") !== theirs.get(key)?.join("&"));
    return [`v=${[id, ...without].join(",")}`, ...others.flatMap(([, pairs]) => pairs)].join("&");
  };

  function byKey(query) {
    const found = new Map();
    for (const pair of query.split("&").filter(Boolean)) {
      const key = pair.slice(0, pair.indexOf("="));
      found.set(key, [...(found.get(key) ?? []), pair]);
    }
    return found;
  }

  /** Read ID or ID,KEY,KEY. */
  function savedOf(text) {
    const [id, ...without] = text.split(",");
    if (!/^(?:[0-9A-Za-z]{1,16}|-)$/.test(id)) return ["", []];
    const known = id === NO_VIEW ? [] : without.filter((key) => /^[0-9a-z]{1,8}$/.test(key));
    return [id, [...new Set(known)].slice(0, MAX_KEYS)];
  }

  /** What the saved views stand for that the server has told, by id. */
  const states = new Map();

  /** Keep what a saved view stands for, as this program writes it; null forgets it. */
  ob.keepState = function keepState(id, state) {
    if (state === null) states.delete(id);
    else states.set(id, ob.encodeView({ ...ob.decodeView(state), saved: "", without: [] }));
  };

  ob.stateOf = (id) => states.get(id);

  const listeners = new Set();

  /** Hear of changes: listen(changed: Set of keys). Gives a function that stops it. */
  ob.onView = function onView(listen) {
    listeners.add(listen);
    return () => listeners.delete(listen);
  };

  /** Change the view and its address. */
  ob.setView = function setView(patch) {
    if (change(patch)) write();
  };

  /** Change the view and tell of it; whether it was another. */
  function change(patch) {
    const changed = new Set();
    for (const [key, value] of Object.entries(patch)) {
      if (JSON.stringify(ob.view[key]) !== JSON.stringify(value)) changed.add(key);
    }
    if (!changed.size) return false;
    ob.view = { ...ob.view, ...patch };
    for (const listen of [...listeners]) listen(changed);
    return true;
  }

  /** Take the view from the address, as after a click on "back"; what of it is in a saved view
      that nobody has told has its default. `tells`: what stays when pages change hears of it. */
  ob.readView = function readView(tells = false) {
    const query = globalThis.location ? location.search : "";
    const { saved } = ob.decodeView(query);
    const state = states.get(saved);
    const view = ob.decodeView(ob.layOver(state ?? "", query));
    Object.assign(view, { saved: state === undefined ? "" : saved, without: [] });
    if (tells) change(view);
    else ob.view = view;
  };

  /** Give the whole of a view as a query part, whatever saved view it began with. */
  ob.fullQuery = (patch) => ob.encodeView({ ...ob.view, ...patch, saved: "", without: [] });

  /** Give the query part of the present view, with its question mark, for a link. */
  ob.viewQuery = function viewQuery(patch) {
    const { saved } = { ...ob.view, ...patch };
    const full = ob.fullQuery(patch);
    const state = states.get(saved);
    if (state !== undefined) return `?${ob.beyond(state, full, saved)}`;
    // An address without any query would open the project's own view.
    return full ? `?${full}` : ob.opensInView?.() ? `?v=${NO_VIEW}` : "";
  };

  // Browsers refuse more than about 100 changes of the address in half a minute.
  const write = (ob.writeView = ob.throttled(350, () => {
    const address = location.pathname + ob.viewQuery() + location.hash;
    if (address !== location.pathname + location.search + location.hash) history.replaceState(history.state, "", address);
  }));

  /** Write a column: pinned, key, width. What parts them is escaped in the key. */
  function written({ key, width, pinned }) {
    const escaped = key.replace(/[%,~!]/g, (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`);
    return `${pinned ? "!" : ""}${escaped}${width === null ? "" : `~${width}`}`;
  }

  function columnsOf(text) {
    const byKey = new Map();
    for (const column of text.split(",").map(columnOf)) {
      if (column.key && !byKey.has(column.key)) byKey.set(column.key, column);
    }
    return [...byKey.values()].slice(0, MAX_COLUMNS);
  }

  function columnOf(text) {
    const [, mark, key, width] = /^(!?)([^~]*)(?:~([^]*))?$/.exec(text);
    const px = /^[0-9]{1,5}$/.test(width ?? "") ? Math.min(COLUMN_PX[1], Math.max(COLUMN_PX[0], Number(width))) : null;
    return { key: key.replace(/%(25|2C|7E|21)/g, (_, hex) => String.fromCharCode(parseInt(hex, 16))), width: px, pinned: mark === "!" };
  }

  function number(text) {
    const value = text.trim() === "" ? NaN : Number(text);
    return Number.isFinite(value) ? value : null;
  }

  /** One of the choices; the first when it is none. */
  function oneOf(text, choices) {
    return choices.includes(text) ? text : choices[0];
  }

  function pair(lowText, highText) {
    const [low, high] = [number(lowText), number(highText)];
    return low !== null && high !== null && low < high ? [low, high] : null;
  }

  /** Split at the first commas into `n` parts; the last keeps its own. */
  function split(text, n) {
    const parts = text.split(",");
    const last = parts.splice(n - 1).join(",");
    return [...parts, last, ...Array(n).fill("")].slice(0, n);
  }

  /** Read LOW,HIGH and LOW,HIGH,NAME; the last of each name counts. */
  function yRanges(texts) {
    const found = new Map();
    for (const text of texts) {
      const [low, high, name] = split(text, 3);
      const given = pair(low, high);
      if (given) found.set(name, given);
    }
    return found;
  }

  /** Read WIDTH or WIDTH,HEIGHT. */
  function size(text) {
    const found = /^([0-9]{1,6})(?:,([0-9]{1,6}))?$/.exec(text);
    const sane = (digits) => (digits === undefined ? null : Math.min(MAX_CARD, Math.max(MIN_CARD, Number(digits))));
    return found ? [sane(found[1]), sane(found[2])] : [null, null];
  }

  // Commas keep selections readable; Python reads them the same.
  function encode(value) {
    return encodeURIComponent(String(value)).replace(/%2C/g, ",");
  }

  ob.readView();
})((globalThis.ob = globalThis.ob || {}));
