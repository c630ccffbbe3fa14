/* The audit log: what was done, by whom and from where, the newest first. */
(function (ob) {
  "use strict";

  /** Lay out the section of the admin pages; gives its elements. */
  ob.auditSection = async function auditSection(page) {
    const shown = { action: "", outcome: "", records: [] };
    const list = ob.el("div.ob-log");
    const { actions } = await fetchMore(page, shown);
    const choices = [["", "all actions"], ...actions.map((action) => [action, action])];
    const filtered = async (by) => {
      Object.assign(shown, by, { records: [] });
      await ob.attempt(() => fetchMore(page, shown));
      file.href = address(shown);
      paint(page, shown, list);
    };
    const filter = ob.select("Which actions", choices, "", (action) => filtered({ action }));
    const outcomes = ob.select("Done or refused", [["", "done and refused"], ["done", "done"], ["refused", "refused"]], "", (outcome) => filtered({ outcome }));
    const file = ob.el("a.ob-pill", { href: address(shown), download: "orgboard-audit.csv" }, "Save as CSV");
    paint(page, shown, list);
    return [ob.peopleBar("What was done is never changed or taken away here.", filter, outcomes, file), list];
  };

  const asked = ({ action, outcome }) => new URLSearchParams({ action, outcome });
  const address = (shown) => `${ob.base()}api/ui/v1/audit.csv?${asked(shown)}`;

  async function fetchMore(page, shown) {
    const query = asked(shown);
    if (shown.records.length) query.set("before", shown.records.at(-1).id);
    const told = await ob.getJson(`audit?${query}`, page.signal);
    shown.records.push(...told.records);
    shown.isAll = told.is_all;
    return told;
  }

  function paint(page, shown, list) {
    const rows = shown.records.map((one) => [
      ob.el("span", { title: ob.moment(one.at) }, ob.ago(one.at)), one.actor || "nobody known", one.address,
      [one.action, one.outcome === "done" ? "" : ob.el("span.ob-refused", {}, ` ${one.outcome}`)],
      [one.subject, difference(one) && ob.el("span.ob-mute", {}, difference(one))],
    ]);
    const older = ob.el("button.ob-pill", {
      type: "button", hidden: shown.isAll,
      onclick: () => ob.attempt(async () => {
        await fetchMore(page, shown);
        paint(page, shown, list);
      }),
    }, "Older records");
    ob.keepFocus(list, () => list.replaceChildren(
      rows.length ? ob.peopleTable("Records", ["When", "Who", "From", "Did", "What"], rows) : ob.el("p.ob-mute", {}, "Nothing of this kind was done yet."), older));
  }

  /** Say what differs: role viewer → editor. */
  function difference({ before, after }) {
    const keys = [...new Set([...Object.keys(before ?? {}), ...Object.keys(after ?? {})])];
    const said = (value) => (value === "" || value === null || value === undefined ? "none" : value === true ? "yes" : value === false ? "no" : String(value));
    const parts = keys.map((key) => {
      const [was, is] = [before?.[key], after?.[key]].map(said);
      if (before === null) return is === "none" || is === "no" ? "" : `${key} ${is}`;
      return was === is ? "" : `${key} ${was} → ${is}`;
    });
    const words = parts.filter(Boolean).join(", ");
    return words ? ` ${words}` : "";
  }
})((globalThis.ob = globalThis.ob || {}));
