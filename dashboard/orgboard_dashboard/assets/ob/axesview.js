/* What the page of settings shows, in the address: axes and their scales, brushes, colour, metric.

   Twin of settings_view.py. */
(function (ob) {
  "use strict";

  const SCALES = ["auto", "lin", "log", "q"];
  const MAX_AXES = (ob.MAX_AXES = 12);
  const MAX_BRUSHED = (ob.MAX_BRUSHED = 50);
  const PLACES = { "-": "none", "*": "odd" };
  const LISTS = { "(": "in", "!": "out" };

  ob.NO_SETTINGS = { axes: null, brushes: [], colour: "", target: "", pair: null, shown: false };

  /** Write the keys of an address, as [key, value]. Defaults are left out. */
  ob.settingsPairs = function settingsPairs({ axes, brushes, colour, target, pair, shown }) {
    const pairs = [];
    if (axes !== null) pairs.push(["ax", axes.map(({ key, scale }) => escaped(key) + (scale === "auto" ? "" : `~${scale}`)).join(",")]);
    for (const brush of brushes) pairs.push(["br", brushText(brush)]);
    if (colour) pairs.push(["hc", colour]);
    if (target) pairs.push(["ht", target]);
    if (pair !== null) pairs.push(["xy", pair.map(escaped).join("~")]);
    if (shown) pairs.push(["hw", "1"]);
    return pairs;
  };

  /** Read them from the pairs of an address. What cannot be read is not there. */
  ob.decodeSettings = function decodeSettings(pairs) {
    const get = (key) => pairs.getAll(key).at(-1) ?? "";
    const pair = get("xy").split("~").map(unescaped);
    return {
      axes: pairs.has("ax") ? firstOfEach(get("ax").split(",").map(axisOf)) : null,
      brushes: firstOfEach(pairs.getAll("br").map(brushOf)),
      colour: get("hc"), target: get("ht"),
      pair: pair.length === 2 && pair.every(Boolean) ? pair : null,
      shown: get("hw") === "1",
    };
  };

  function firstOfEach(read) {
    const byKey = new Map();
    for (const one of read) if (one && !byKey.has(one.key)) byKey.set(one.key, one);
    return [...byKey.values()].slice(0, MAX_AXES);
  }

  function axisOf(text) {
    const at = text.indexOf("~");
    const [key, scale] = at < 0 ? [text, "auto"] : [text.slice(0, at), text.slice(at + 1)];
    return key ? { key: unescaped(key), scale: SCALES.includes(scale) ? scale : "auto" } : null;
  }

  function brushText({ key, kind, low, high, values }) {
    const name = escaped(key);
    if (kind === "range") return `${name}~${low}~${high}`;
    const place = Object.keys(PLACES).find((sign) => PLACES[sign] === kind);
    return place ? `${name}~${place}` : `${name}~${kind === "in" ? "(" : "!"}${values.map(escaped).join("~")}`;
  }

  function brushOf(text) {
    const [key, ...parts] = text.split("~");
    if (!key || !parts.length) return null;
    const brush = { key: unescaped(key), kind: "range", low: null, high: null, values: [] };
    const [first] = parts;
    if (parts.length === 1 && Object.hasOwn(PLACES, first)) return { ...brush, kind: PLACES[first] };
    if (Object.hasOwn(LISTS, first.slice(0, 1))) {
      const values = [...new Set([first.slice(1), ...parts.slice(1)].map(unescaped))];
      return { ...brush, kind: LISTS[first[0]], values: values.slice(0, MAX_BRUSHED) };
    }
    const [low, high] = [number(first), parts.length === 2 ? number(parts[1]) : null];
    return low !== null && high !== null && low <= high ? { ...brush, low, high } : null;
  }

  function number(text) {
    const value = text.trim() === "" ? NaN : Number(text);
    return Number.isFinite(value) ? value : null;
  }

  const escaped = (text) => text.replace(/[%,~!]/g, (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`);
  const unescaped = (text) => text.replace(/%(25|2C|7E|21)/g, (_, hex) => String.fromCharCode(parseInt(hex, 16)));
})((globalThis.ob = globalThis.ob || {}));
