/* Read the binary answer of /scalars: u32 length, JSON header, then aligned columns.

   The header names each column's offset (from the first byte after the header), count and
   type; a column becomes a typed array over the same buffer, without a copy. */
(function (ob) {
  "use strict";

  const COLUMNS = { f8: Float64Array, f4: Float32Array };

  /** Decode an answer into {revision, cards: [{tag, lines: [{run, x, y, step, wall, …}]}]}. */
  ob.decodeScalars = function decodeScalars(buffer) {
    const length = new DataView(buffer).getUint32(0, true);
    const text = new TextDecoder().decode(new Uint8Array(buffer, 4, length));
    const header = JSON.parse(text);
    const start = 4 + length;
    const column = (block) => {
      const Type = COLUMNS[block.dtype];
      const at = start + block.offset;
      if (at % Type.BYTES_PER_ELEMENT === 0) return new Type(buffer, at, block.count);
      return new Type(buffer.slice(at, at + block.count * Type.BYTES_PER_ELEMENT));
    };
    for (const card of header.cards) {
      for (const line of card.lines) {
        for (const name of Object.keys(line.blocks)) line[name] = column(line.blocks[name]);
        // A group's line has no step of its own beside the axis that it is aligned on.
        line.step ??= line.x;
        delete line.blocks;
      }
    }
    return header;
  };
})((globalThis.ob = globalThis.ob || {}));
