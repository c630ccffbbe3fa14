/* Runs' colours, in the order they are assigned: stable across pages and people.

   Twin of charts/palette.py. The second time round, the same with a second dash pattern. */
(function (ob) {
  "use strict";

  ob.PALETTE = [
    "#4269d0", "#efb118", "#ff725c", "#6cc5b0", "#3ca951",
    "#ff8ab7", "#a463f2", "#97bbf5", "#9c6b4e", "#9498a0",
  ];

  const DASHES = ["solid", "5px,3px", "2px,2px", "8px,3px,2px,3px"];

  /** Give the colour and dash of a place in the palette, or of a colour somebody chose. */
  ob.ink = function ink(index) {
    if (typeof index === "string") return { color: index, dash: "solid" };
    const n = ob.PALETTE.length;
    return { color: ob.PALETTE[index % n], dash: DASHES[Math.floor(index / n) % DASHES.length] };
  };
})((globalThis.ob = globalThis.ob || {}));
