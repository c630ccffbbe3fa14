/* A file's graph without the numbers of its weights, before it is sent: of an ONNX model of a
   gigabyte some hundred kilobytes go to the server. Fields are stepped over in the file, and what is
   left out is never read. What is no such message stays as it is: the server says what is wrong. */
(function (ob) {
  "use strict";

  /** Smaller files are sent as they are. */
  const WORTH_BYTES = 1 << 20;
  const WINDOW_BYTES = 1 << 20;
  /** A key and a length of ten bytes each. */
  const HEAD_BYTES = 20;
  const SMALL_BYTES = 4096;
  const MOST_DEEP = 24;

  /** By message, which of its fields are messages that may hold numbers. */
  const INSIDE = {
    onnx: { 7: "onnxGraph" }, onnxGraph: { 1: "onnxNode", 5: "onnxTensor" }, onnxNode: { 5: "onnxAttribute" },
    onnxAttribute: { 5: "onnxConstant", 6: "onnxGraph", 10: "onnxConstant", 11: "onnxGraph" }, onnxTensor: {}, onnxConstant: {},
    saved: { 2: "meta" }, meta: { 2: "graph" }, graph: { 1: "node", 2: "library" }, library: { 1: "function" }, function: { 3: "node" },
    node: { 5: "entry" }, entry: { 2: "attribute" }, attribute: { 1: "list", 8: "tensor" }, list: { 8: "tensor" }, tensor: {},
  };
  /** Of these, what is long is numbers. */
  const NUMBERS = new Set(["onnxTensor", "onnxConstant", "tensor"]);
  /** What stands for them where the server tells that there were many, by their length alone. */
  const STAND_IN = new Uint8Array(SMALL_BYTES + 1);

  /** Give the file, or what is left of it. */
  ob.withoutNumbers = async function withoutNumbers(file) {
    if (file.size < WORTH_BYTES) return file;
    const window = new Window(file);
    try {
      const message = await messageOf(window, file.size);
      if (!message) return file;
      const parts = await thinned(window, 0, file.size, message, 0);
      return new Blob(parts);
    } catch (error) {
      if (error instanceof Broken) return file;
      throw error;
    }
  };

  class Broken extends Error {}

  /** A stretch of a file in memory, and another when what is asked for is elsewhere. */
  class Window {
    constructor(file) {
      this.file = file;
      this.from = 0;
      this.bytes = new Uint8Array(0);
    }

    has(at) {
      const left = this.from + this.bytes.length - at;
      return at >= this.from && (left >= HEAD_BYTES || this.from + this.bytes.length === this.file.size);
    }

    async move(at) {
      this.from = at;
      this.bytes = new Uint8Array(await this.file.slice(at, at + WINDOW_BYTES).arrayBuffer());
    }

    /** Read a field's head: its number, its wire type, and where its body begins and ends. */
    head(at, end) {
      const [key, afterKey] = this.varint(at);
      const wire = key % 8;
      const number = Math.floor(key / 8);
      const [length, body] = wire === 2 ? this.varint(afterKey) : [sizeOf(wire), afterKey];
      const behind = wire === 0 ? this.varint(afterKey)[1] : body + length;
      if (behind > end || !number) throw new Broken();
      return { number, wire, body, behind };
    }

    varint(at) {
      let [value, scale] = [0, 1];
      for (let n = 0; n < 10; n += 1, scale *= 128) {
        const byte = this.bytes[at + n - this.from];
        if (byte === undefined) throw new Broken();
        value += (byte & 127) * scale;
        if (byte < 128) return [value, at + n + 1];
      }
      throw new Broken();
    }
  }

  function sizeOf(wire) {
    if (wire === 0) return 0;
    if (wire !== 1 && wire !== 5) throw new Broken();
    return wire === 1 ? 8 : 4;
  }

  /** Walk the fields of a message; `found` is told of each, and ends it by giving true. */
  async function walk(window, from, end, found) {
    for (let at = from; at < end;) {
      if (!window.has(at)) await window.move(at);
      const head = window.head(at, end);
      if (found(head)) return;
      at = head.behind;
    }
  }

  /** Give the first field of that number that is bytes, or null. */
  async function first(window, from, end, number) {
    let found = null;
    await walk(window, from, end, (head) => head.number === number && head.wire === 2 && (found = head));
    return found;
  }

  /** Tell which message it is, as the server does; null where only the server can. */
  async function messageOf(window, size) {
    const found = new Set();
    await walk(window, 0, size, ({ number, wire }) => void found.add(`${number}/${wire}`));
    if (found.has("1/0")) return found.has("7/2") ? "onnx" : found.has("2/2") ? "saved" : null;
    if (found.has("7/2") && found.has("8/2")) return "onnx";
    if (!found.has("1/2")) return null;
    return (await isMetaGraph(window, size, found)) ? "meta" : "graph";
  }

  /** Tell a MetaGraphDef, whose second field is a graph, from a GraphDef, whose is a library: a node
      has its operation at 2, where a function has nothing. */
  async function isMetaGraph(window, size, found) {
    if (found.has("3/2")) return true;
    const second = found.has("2/2") && (await first(window, 0, size, 2));
    const inner = second && (await first(window, second.body, second.behind, 1));
    return Boolean(inner && (await first(window, inner.body, inner.behind, 2)));
  }

  /** Give the pieces of a message without its numbers. */
  async function thinned(window, from, end, message, depth) {
    const parts = [];
    let kept = from;
    for (let at = from; at < end;) {
      if (!window.has(at)) await window.move(at);
      const { number, wire, body, behind } = window.head(at, end);
      const inside = INSIDE[message][number];
      const isLong = wire === 2 && behind - body > SMALL_BYTES;
      if (isLong && (NUMBERS.has(message) || (inside && depth < MOST_DEEP))) {
        if (at > kept) parts.push(window.file.slice(kept, at));
        if (!NUMBERS.has(message)) parts.push(...field(number, await thinned(window, body, behind, inside, depth + 1)));
        else if (message === "onnxConstant") parts.push(...field(number, [STAND_IN]));
        kept = behind;
      }
      at = behind;
    }
    if (end > kept) parts.push(window.file.slice(kept, end));
    return parts;
  }

  function field(number, parts) {
    const size = parts.reduce((sum, part) => sum + (part.size ?? part.length), 0);
    return [new Uint8Array([...written(number * 8 + 2), ...written(size)]), ...parts];
  }

  function written(number) {
    const bytes = [];
    for (; number > 127; number = Math.floor(number / 128)) bytes.push((number % 128) + 128);
    return [...bytes, number];
  }
})((globalThis.ob = globalThis.ob || {}));
