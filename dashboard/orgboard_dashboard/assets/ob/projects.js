/* The first page: the projects, or the only one at once. */
(function (ob) {
  "use strict";

  ob.pages = ob.pages || {};

  /** Written for a team or project in addresses: all that one may see. */
  ob.ANY = "*";

  /** Whether a project belongs to a place, which may name several: {team, name}. */
  ob.isIn = (row, { team, name }) => (team === ob.ANY || row.team === team) && (name === ob.ANY || row.project === name);

  ob.pages.projects = function projects(root) {
    const controller = new AbortController();
    list(root, controller.signal).catch((error) => {
      if (error instanceof ob.Refused) root.replaceChildren(ob.empty(error.message));
      else if (error.name !== "AbortError") throw error;
    });
    return () => controller.abort();
  };

  async function list(root, signal) {
    const projects = await ob.getJson("projects", signal);
    if (projects.length === 1) return open(projects[0]);
    if (!projects.length) return waitForOne(root, signal);
    const rows = projects.map((row) => ob.el("a.ob-nav.ob-project", { href: address(row) },
      ob.el("span", {}, ob.el("span.ob-team", {}, `${row.team} / `), ob.el("b", {}, row.project)),
      ob.el("span.ob-mute", {}, row.live ? ob.el("span.ob-dot.ob-live-dot") : null, row.live ? ` ${ob.count(row.live)} live` : ""),
      ob.el("span.ob-mute", {}, ob.plural(row.runs, "run")),
      ob.el("span.ob-mute", { title: row.last_event === null ? "" : ob.moment(row.last_event) }, row.last_event === null ? "" : ob.ago(row.last_event))));
    const together = wide(projects).map(([team, words, mine]) => ob.el("a.ob-nav.ob-pill", { href: address({ team, project: ob.ANY }) },
      words, ob.el("span.ob-mute", {}, ob.plural(mine.reduce((n, row) => n + row.runs, 0), "run"))));
    const isGuest = (await ob.whoAmI()).kind === "share";
    if (!isGuest) together.push(ob.el("a.ob-nav.ob-pill", { href: `${ob.base()}dictionary` }, "Dictionary of metrics"));
    root.replaceChildren(ob.el("div.ob-plain", {}, ob.el("h1", {}, "Projects"),
      ob.el("nav.ob-together", { "aria-label": "Several projects together" }, ob.el("span.ob-mute", {}, "Look together at"), ...together),
      isGuest ? null : did(projects), ob.el("div.ob-projectlist", {}, ...rows)));
  }

  const MOST_TEAMS = 8;

  /** The ways to what each team did lately. */
  function did(projects) {
    const teams = [...new Set(projects.map((row) => row.team))].slice(0, MOST_TEAMS);
    const all = teams.length > 1 ? [ob.ANY] : [];
    return ob.el("nav.ob-together", { "aria-label": "What teams did" }, ob.el("span.ob-mute", {}, "See what was done lately by"),
      ...[...all, ...teams].map((team) => ob.el("a.ob-nav.ob-pill", { href: ob.feedAddress(team) }, team === ob.ANY ? "all teams" : team)));
  }

  /** Places of several projects that can be looked at together: [team, words, the projects]. */
  function wide(projects) {
    const teams = Map.groupBy(projects, (row) => row.team);
    const large = teams.size > 1 ? [...teams].filter(([, mine]) => mine.length > 1) : [];
    return [[ob.ANY, "all projects", projects], ...large.map(([team, mine]) => [team, `all of ${team}`, mine])];
  }

  async function waitForOne(root, signal) {
    root.replaceChildren(ob.empty("No runs yet. Log some with SummaryWriter, or point orgboard at a directory: ", ob.el("code", {}, "orgboard ingest DIR"), "."));
    await new Promise((resolve) => setTimeout(resolve, 2000));
    if (!signal.aborted) await list(root, signal);
  }

  function address(row) {
    return `${ob.base()}${ob.projectPath(row.team, row.project)}/scalars`;
  }

  function open(row) {
    history.replaceState({}, "", address(row));
    ob.route();
  }

  /** A page that has nothing to show says why, and what to do. */
  ob.empty = (...words) => ob.el("div.ob-empty", {}, ob.el("p", {}, ...words));
})((globalThis.ob = globalThis.ob || {}));
