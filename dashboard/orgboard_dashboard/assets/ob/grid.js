/* How the table of runs writes its cells. The grid finds these by name; each gives text or a
   class, never markup, so that a run's name cannot be anything but a name. */
(function (ob) {
  "use strict";

  Object.assign((globalThis.dashAgGridFunctions = globalThis.dashAgGridFunctions || {}), {
    obTheme: (base) => base.withParams({
      accentColor: "var(--ob-accent)", backgroundColor: "var(--ob-surface)", foregroundColor: "var(--ob-ink)",
      borderColor: "var(--ob-line)", headerBackgroundColor: "var(--ob-surface)", headerTextColor: "var(--ob-mute)",
      headerFontWeight: 500, rowHoverColor: "var(--ob-accent-bg)", selectedRowBackgroundColor: "var(--ob-accent-bg)",
      fontFamily: "var(--ob-font)", fontSize: 13, headerFontSize: 12, cellHorizontalPadding: 10, spacing: 5,
      wrapperBorder: false, wrapperBorderRadius: 0, columnBorder: false, browserColorScheme: "inherit",
    }),
    obShown: (params) => (params.data && ob.project?.isShown(params.data.uid) ? "shown" : ""),
    obShownClass: (params) => (params.data ? `ob-cell-box${ob.project?.isShown(params.data.uid) ? " ob-on" : ""}` : ""),
    obRunStyle: (params) => (params.data ? { "--ink": ob.ink(params.data.color).color } : null),
    obCellValue: (params) => (params.data ? ob.columnValue(params.data, params.column.getColId()) : undefined),
    obCellText: (params) => (params.data ? ob.columnText(params.data, params.column.getColId()) : ""),
    obStatusClass: (params) => {
      if (!params.data) return "";
      return `ob-cell-status ob-is-${params.data.damaged ? "damaged" : params.data.status}`;
    },
  });

  /** Write the value of a hyperparameter. */
  ob.hparam = function hparam(value) {
    if (typeof value !== "number") return String(value);
    return Number.isInteger(value) && Math.abs(value) < 1e6 ? String(value) : String(Number(value.toPrecision(4)));
  };
})((globalThis.ob = globalThis.ob || {}));
