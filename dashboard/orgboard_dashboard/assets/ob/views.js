/* Saved views as the browser knows them: fetched before the page that an address names by one,
   applied, saved, changed, removed. `viewsmenu.js` shows them; `state.js` reads and writes addresses. */
(function (ob) {
  "use strict";

  /** A longer query part is kept by the server: mail programs and chats cut long links. */
  const LONG = 2000;
  /** What belongs to one page, and does not go along to another. */
  const OF_A_PAGE = (ob.OF_A_PAGE = { zoom: null, selectedRange: null, tagFilter: "", collapsed: [], graphNode: "", graphTrace: "" });

  /** Rows of views by id, also of links; and those of the open project that have names. */
  const rows = new Map();
  /** When the views that were read had been changed last, by id. */
  const readAt = new Map();
  let listed = { path: null, ids: [], opening: null };
  let problem = "";

  const listeners = new Set();

  /** Hear of it when views come, go or change. */
  ob.onViews = (listen) => listeners.add(listen);

  function tell() {
    for (const listen of listeners) listen();
  }

  /** The named views of the open project, as they were told last. */
  ob.savedViews = () => (listed.path === ob.project?.path ? listed.ids.map((id) => rows.get(id)) : []);

  /** The saved view that is shown, if it is one with a name. */
  ob.shownView = () => (rows.get(ob.view.saved)?.name ? rows.get(ob.view.saved) : null);

  /** Whether this project's pages open in a view of its own when their address says nothing. */
  ob.opensInView = () => Boolean(listed.opening) && listed.path === ob.projectPathHere();

  /** Why the view that the address names is not shown; said once. */
  ob.viewProblem = function viewProblem() {
    const words = problem;
    problem = "";
    return words;
  };

  /** Whether what is shown is another than was saved under the view's name. */
  ob.viewDiffers = function viewDiffers() {
    const row = ob.shownView();
    if (!row) return false;
    const patch = row.page === ob.pageName() ? {} : OF_A_PAGE;
    return ob.fullQuery(patch) !== ob.encodeView({ ...ob.decodeView(ob.stateOf(row.id)), ...patch });
  };

  /** A name where there is room for a few words. */
  ob.shortName = (name, most = 40) => (name.length > most ? `${[...name].slice(0, most - 1).join("")}…` : name);

  ob.pageName = () => document.querySelector("#ob-page > [data-page]")?.dataset.page ?? "";

  /** The project's path that the address names. */
  ob.projectPathHere = function projectPathHere() {
    const base = ob.base();
    const found = location.pathname.startsWith(base) && /^p\/([^/]+)\/([^/]+)\/[^/]+$/.exec(location.pathname.slice(base.length));
    try {
      // Others may have escaped more characters than we do.
      return found ? ob.projectPath(decodeURIComponent(found[1]), decodeURIComponent(found[2])) : "";
    } catch {
      return "";
    }
  };

  /** Fetch what the address leaves to a saved view; null when it leaves nothing. */
  ob.fetchView = function fetchView({ team, project, page }) {
    const path = ob.projectPath(team, project);
    const { saved } = ob.decodeView(location.search);
    if (saved && saved !== "-") return ob.stateOf(saved) === undefined ? fetchNamed(path, saved) : null;
    return location.search ? null : openDefault(path, page);
  };

  async function fetchNamed(path, id) {
    try {
      keep(await ask(`${path}/views/${id}`));
    } catch (error) {
      if (!(error instanceof ob.Refused)) throw error;
      problem = error.status === 404 ? "The view in this address was deleted, or it is not shared with you. The page is as usual." : error.message;
    }
  }

  /** Show the view that the project opens in, if it has one. */
  async function openDefault(path, page) {
    try {
      if (listed.path !== path) await list(path);
    } catch (error) {
      // The page itself says what is wrong with its project.
      if (error instanceof ob.Refused) return;
      throw error;
    }
    const row = rows.get(listed.opening);
    if (!row || location.search) return;
    const state = ob.stateOf(row.id);
    const view = { ...ob.decodeView(state), ...(row.page === page ? {} : OF_A_PAGE) };
    history.replaceState(history.state, "", `${location.pathname}?${ob.beyond(state, ob.encodeView(view), row.id)}${location.hash}`);
  }

  /** Ask, or take the answer to what was asked while the page was on its way. */
  function ask(path) {
    const asked = early.get(path) ?? ob.getJson(path);
    early.delete(path);
    return asked;
  }

  async function list(path) {
    const { views, opening } = await ask(`${path}/views`);
    if (opening) keep(opening);
    for (const row of views) rows.set(row.id, row);
    listed = { path, ids: views.map((row) => row.id), opening: opening?.view.id ?? null };
    tell();
  }

  /** Fetch the list of the project's views unless it is there. */
  ob.knowViews = () => (listed.path === ob.project?.path ? Promise.resolve() : ob.listViews());

  /** Fetch the list of the project's views anew. */
  ob.listViews = () => (ob.project ? list(ob.project.path) : Promise.resolve());

  /** Keep a view that the server told. */
  function keep({ view, state }) {
    rows.set(view.id, view);
    readAt.set(view.id, view.changed_at);
    ob.keepState(view.id, state);
    return view;
  }

  /** Show a saved view, on the page that it was saved on. */
  ob.openView = async function openView({ id }) {
    const back = here();
    const told = await ob.attempt(() => ob.getJson(`${ob.project.path}/views/${id}`));
    if (!told) return ob.attempt(ob.listViews);
    const row = keep(told);
    go(row.page, `?v=${row.id}`);
    ob.toast(`Showing “${ob.shortName(row.name)}”`, () => go(back.page, back.query));
  };

  /** Show what was saved, without what was changed since. */
  ob.resetView = function resetView() {
    const back = here();
    go(back.page, `?v=${ob.view.saved}`);
    ob.toast("As it was saved", () => go(back.page, back.query));
  };

  /** Show the page as it is without any view. */
  ob.leaveView = function leaveView() {
    const back = here();
    go(back.page, ob.opensInView() ? "?v=-" : "");
    ob.toast("Everything is reset", () => go(back.page, back.query));
  };

  const here = () => ({ page: ob.pageName(), query: ob.viewQuery() });

  function go(page, query) {
    if (page === ob.pageName()) return ob.restart(query);
    // Without a query the page would open in the project's own view.
    return ob.goTo(`${ob.base()}${ob.project.path}/${page}${query}`);
  }

  /** Save what is shown under a name; it is shown from then on. */
  ob.saveView = async function saveView(name, forTeam) {
    const row = keep(await ob.change(`${ob.project.path}/views`, { name, for_team: forTeam, page: ob.pageName(), state: ob.fullQuery() }));
    ob.setView({ saved: row.id });
    ob.toast(`Saved “${ob.shortName(row.name)}”`);
    await ob.listViews();
  };

  async function change(id, body) {
    const row = keep(await ob.change(`${ob.project.path}/views/${id}`, body, "PATCH"));
    ob.writeView();
    await ob.listViews();
    return row;
  }

  /** Put what is shown in place of what was saved under the shown view's name. */
  ob.updateView = async function updateView() {
    const { id, page, name } = ob.shownView();
    const state = ob.stateOf(id);
    const row = await change(id, { state: ob.fullQuery(), page: ob.pageName(), read: readAt.get(id) });
    ob.toast(`Updated “${ob.shortName(name)}”`, () => ob.attempt(() => change(id, { state, page, read: row.changed_at })));
  };

  ob.renameView = async function renameView({ id, name: before }, name) {
    const row = await change(id, { name });
    ob.toast(`Renamed to “${ob.shortName(row.name)}”`, () => ob.attempt(() => change(id, { name: before })));
  };

  /** Let the project open in a view, or no longer. */
  ob.makeDefault = async function makeDefault({ id, name }, on) {
    const before = listed.opening;
    await change(id, { is_default: on });
    const back = on && before ? [before, true] : [id, !on];
    ob.toast(on ? `The project opens in “${ob.shortName(name)}”` : "The project opens as usual", () => ob.attempt(() => change(back[0], { is_default: back[1] })));
  };

  /** Remove a view. What is shown stays, and so does its address, in full. */
  ob.removeView = async function removeView({ id }) {
    const { path } = ob.project;
    const { view, state } = await ob.change(`${path}/views/${id}`, {}, "DELETE");
    const shown = ob.view.saved === id;
    ob.keepState(id, null);
    if (shown) ob.setView({ saved: "" });
    const back = async () => {
      const { name, for_team, page } = view;
      keep(await ob.change(`${path}/views`, { id, name, for_team, page, state }));
      if (view.is_default) await change(id, { is_default: true });
      if (shown) ob.setView({ saved: id });
      await ob.listViews();
    };
    ob.toast(`Deleted “${ob.shortName(view.name)}”`, () => ob.attempt(back));
    await ob.listViews();
  };

  /** The query part of an address that shows others just what is seen here. */
  ob.linkQuery = async function linkQuery() {
    const full = ob.fullQuery({ selected: ob.project?.shown().map((run) => run.uid) ?? null });
    return full.length > LONG ? shortened(full) : full ? `?${full}` : ob.opensInView() ? "?v=-" : "";
  };

  /** Copy an address that shows others just what is seen here; gives a word on what was done. */
  ob.copyLink = async function copyLink() {
    const query = await ob.linkQuery();
    const done = await navigator.clipboard.writeText(location.origin + location.pathname + query).then(() => true, () => false);
    return done ? "Copied" : "Copy it from the address bar";
  };

  /** Let the server keep a long query part; where nothing may be changed it stays as it is. */
  async function shortened(state) {
    try {
      if (!(await ob.me(ob.project.path)).can_keep) return `?${state}`;
      const { view } = await ob.change(`${ob.project.path}/views`, { page: ob.pageName(), state });
      return `?v=${view.id}`;
    } catch (error) {
      if (!(error instanceof ob.Refused)) throw error;
      return `?${state}`;
    }
  }

  // A view may have selected runs that no list has brought.
  ob.onView((changed) => changed.has("selected") && ob.project?.resolveSelected());

  /** Answers on their way since this script began, long before the page is there. */
  const early = new Map();
  (function askEarly() {
    const path = ob.projectPathHere();
    const { saved } = ob.decodeView(location.search);
    const wanted = saved && saved !== "-" ? `${path}/views/${saved}` : location.search ? "" : `${path}/views`;
    if (!path || !wanted) return;
    early.set(wanted, ob.getJson(wanted));
    early.get(wanted).catch(() => {});
  })();
})((globalThis.ob = globalThis.ob || {}));
