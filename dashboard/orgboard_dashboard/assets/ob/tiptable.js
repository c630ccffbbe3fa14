/* The table of a tooltip. It stands while the pointer moves, and only what is written in it
   changes: to style and lay out a new one took a third of each move's time. */
(function (ob) {
  "use strict";

  class TipTable {
    constructor() {
      this.head = ob.el("tr");
      this.body = ob.el("tbody");
      this.rest = ob.el("td", { colspan: "7" });
      this.foot = ob.el("tfoot", { hidden: true }, ob.el("tr", {}, ob.el("td"), this.rest));
      this.el = ob.el("table", {}, ob.el("thead", {}, this.head), this.body, this.foot);
      this.titles = "";
    }

    /** Write the rows that a pointer is on. A column is [title, write(row)]; the first one names the line. */
    write(columns, rows, nearest, rest) {
      const titles = columns.map(([title]) => title);
      if (this.titles !== titles.join("\n")) {
        this.titles = titles.join("\n");
        this.head.replaceChildren(...["", ...titles].map((title) => ob.el("th", {}, title)));
        this.body.replaceChildren();
      }
      while (this.body.rows.length > rows.length) this.body.lastElementChild.remove();
      while (this.body.rows.length < rows.length) this.body.append(emptyRow(columns.length));
      rows.forEach((row, i) => writeRow(this.body.rows[i], columns, row, row === nearest));
      this.rest.textContent = rest;
      this.foot.hidden = !rest;
      this.el.hidden = !rows.length;
    }
  }

  ob.TipTable = TipTable;

  function emptyRow(columns) {
    const cells = Array.from({ length: columns }, (_, i) => ob.el(i ? "td" : "td.ob-name", {}, ""));
    return ob.el("tr", {}, ob.el("td", {}, ob.el("span", { "aria-hidden": "true" })), ...cells);
  }

  function writeRow(place, columns, row, isNearest) {
    const mark = row.far ? "ob-far" : isNearest ? "ob-near" : "";
    if (place.className !== mark) place.className = mark;
    ob.paintSwatch(place.cells[0].firstChild, row.line);
    columns.forEach(([, write], i) => {
      const said = place.cells[i + 1].firstChild;
      const text = write(row);
      if (said.data !== text) said.data = text;
    });
  }
})((globalThis.ob = globalThis.ob || {}));
