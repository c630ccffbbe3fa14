/* How the table of runs writes its cells. The grid finds these by name; each gives text or a
   class, never markup, so that a run's name cannot be anything but a name. */
(function (ob) {
  "use strict";

  const known = (params, write) => (params.data && params.value !== null && params.value !== undefined ? write(params.value) : "");

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
    obRunName: (params) => (params.data ? `${params.data.starred ? "★ " : ""}${ob.runName(params.data)}` : ""),
    obTags: (params) => known(params, (tags) => tags.join(", ")),
    obRunStyle: (params) => (params.data ? { "--ink": ob.ink(params.data.color).color } : null),
    obStatus: (params) => (params.data ? `${params.data.status}${params.data.damaged ? ", damaged" : ""}${params.data.archived_at ? ", archived" : ""}` : ""),
    obStatusClass: (params) => {
      if (!params.data) return "";
      return `ob-cell-status ob-is-${params.data.damaged ? "damaged" : params.data.status}`;
    },
    obAgo: (params) => known(params, (wall) => ob.ago(wall)),
    obCount: (params) => known(params, (n) => ob.count(n)),
    obSome: (params) => known(params, (n) => (n ? ob.count(n) : "–")),
    obDuration: (params) => {
      const { started, last_event: last } = params.data ?? {};
      return Number.isFinite(started) && Number.isFinite(last) ? ob.span(Math.max(0, last - started)) : "";
    },
    obHparams: (params) => known(params, (all) => Object.entries(all).map(([name, value]) => `${name} ${ob.hparam(value)}`).join(" · ")),
  });

  /** Write the value of a hyperparameter. */
  ob.hparam = function hparam(value) {
    if (typeof value !== "number") return String(value);
    return Number.isInteger(value) && Math.abs(value) < 1e6 ? String(value) : String(Number(value.toPrecision(4)));
  };
})((globalThis.ob = globalThis.ob || {}));
