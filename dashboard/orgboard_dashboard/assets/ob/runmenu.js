/* The menu of what can be done with runs: with one, with those that are shown, with all that
   match the filter. A board that is read-only offers only what looks. */
(function (ob) {
  "use strict";

  const MOST = 3000;
  const BLOCK = 1000;

  /** Open the menu for these runs of a project, or for the shown ones. */
  ob.runMenu = async function runMenu(event, project, uids) {
    event.preventDefault();
    // The event is over once the answer is here, and its row may have been painted anew.
    const anchor = event.currentTarget instanceof HTMLButtonElement ? event.currentTarget : null;
    const at = { anchor, rect: anchor?.getBoundingClientRect(), clientX: event.clientX, clientY: event.clientY, preventDefault() {}, stopPropagation() {} };
    const me = await ob.attempt(() => ob.me(project.path));
    if (!me) return;
    const one = uids?.length === 1 ? project.known.get(uids[0]) : null;
    const watch = one ? await ob.watchAction(one) : [];
    const runs = uids ? uids.map((uid) => project.known.get(uid)).filter(Boolean) : project.shown();
    open(at, project, runs, me, !uids, watch);
  };

  function open(event, project, runs, me, general, watch = []) {
    const { path } = project;
    const edits = me.can_edit && runs.length ? ob.runActions(path, runs, me.can_delete) : [];
    const rest = general ? generalActions(event, project, runs, me) : [...watch, ...about(runs)];
    const items = [...edits, edits.length && rest.length ? null : undefined, ...rest].filter((item) => item !== undefined);
    const title = !runs.length ? "No run is shown" : runs.length === 1 ? ob.runName(runs[0]) : `${ob.plural(runs.length, general === "all" ? "matching run" : "shown run")}`;
    ob.menu(event, title, items.length ? items : [{ label: "This board is read-only", act: () => {} }]);
  }

  /** What can be changed of these runs, as entries of a menu. */
  ob.runActions = function runActions(path, runs, canDelete) {
    const uids = runs.map((run) => run.uid);
    const edit = (change, words) => ob.attempt(() => ob.edit(path, [{ runs: uids, ...change }], words));
    const starred = runs.every((run) => run.starred);
    const archived = runs.every((run) => run.archived_at !== null);
    const name = runs.length === 1 ? [{ label: "Rename…", act: () => ob.askName(path, runs[0]) }] : [];
    return [
      ...name,
      { label: "Tags…", act: () => ob.askTags(path, runs) },
      starred
        ? { label: "Take the star away", act: () => edit({ starred: false }, (n) => `${ob.plural(n, "run")} without star`) }
        : { label: "Star", act: () => edit({ starred: true }, (n) => `Starred ${ob.plural(n, "run")}`) },
      { label: "Colour…", act: () => ob.askColor(path, runs) },
      ...(runs.length > 1 && runs.length <= ob.MOST_SHOWN ? [{ label: "Spread their colours", act: () => spread(path, uids) }] : []),
      null,
      archived
        ? { label: "Take out of the archive", act: () => edit({ archived: false }, (n) => `${ob.plural(n, "run")} out of the archive`) }
        : { label: "Archive", act: () => archive(path, uids) },
      ...(canDelete ? [{ label: "Move to another project…", act: () => ob.askMove(path, runs) }] : []),
      ...(canDelete ? [{ label: "Delete…", danger: true, act: () => ob.askDelete(path, runs) }] : []),
    ];
  };

  /** Give runs the colours of the palette in turn: as far apart as so many can be. */
  function spread(path, uids) {
    const edits = uids.map((uid, i) => ({ runs: [uid], color: ob.PALETTE[i % ob.PALETTE.length] }));
    return ob.attempt(() => ob.edit(path, edits, (n) => `Coloured ${ob.plural(n, "run")}`));
  }

  async function archive(path, uids) {
    const before = ob.view.selected;
    const done = await ob.attempt(() => ob.edit(path, [{ runs: uids, archived: true }], (n) => `Archived ${ob.plural(n, "run")}`, () => ob.setView({ selected: before })));
    if (done && before && !ob.project?.withArchived) ob.leaveOut(new Set(uids));
  }

  function about(runs) {
    return runs.length === 1 ? [{ label: "About this run", act: () => ob.goTo(`${ob.base()}r/${runs[0].uid}`) }] : [];
  }

  function generalActions(event, project, runs, me) {
    const { matching } = project;
    const all = matching > runs.length && matching <= MOST;
    return [
      all ? { label: `All ${ob.plural(matching, ob.view.runFilter ? "matching run" : "run")}…`, act: () => openAll(event, project, me) } : undefined,
      matching ? { label: "Save the table…", act: () => ob.askTable(project) } : undefined,
      { label: `Show archived runs${project.archived ? ` (${ob.count(project.archived)})` : ""}`, on: project.withArchived, act: () => project.listArchived(!project.withArchived) },
      me.can_share ? { label: "Access…", act: () => ob.openAccess(project.team, project.name) } : undefined,
      me.can_delete ? { label: "Deleted runs…", act: () => ob.showDeleted(project.path) } : undefined,
    ];
  }

  /** The same menu for every run that the filter lets through. */
  async function openAll(event, project, me) {
    const runs = [];
    while (runs.length < project.matching) {
      const query = new URLSearchParams({ q: ob.view.runFilter, sort: "-started", limit: BLOCK, offset: runs.length });
      if (project.withArchived) query.set("archived", "1");
      const answer = await ob.attempt(() => ob.getJson(`${project.path}/runs?${query}`));
      if (!answer) return;
      runs.push(...answer.runs);
      if (answer.runs.length < BLOCK) break;
    }
    open(event, project, runs.slice(0, MOST), me, "all");
  }
})((globalThis.ob = globalThis.ob || {}));
