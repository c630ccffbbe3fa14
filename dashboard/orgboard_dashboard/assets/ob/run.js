/* One run: how it stands, what people say of it, what it logged, and whether all of it is here.

   Each section is drawn again only when what it shows has changed, so that a live run does not
   take a note away from under the person who writes it. */
(function (ob) {
  "use strict";

  const AGAIN_MS = 4000;

  const OUTCOME = {
    stop: "finished: its writer closed it",
    hparams: "finished: its hyperparameters say so",
    failed: "failed: it said so itself",
  };

  ob.pages = ob.pages || {};

  ob.pages.run = function run(root) {
    const controller = new AbortController();
    const page = { root, signal: controller.signal, drawn: new Map(), me: null, talk: null, edits: 0, watched: null };
    page.slots = layOut(root);
    const edited = () => look(page);
    window.addEventListener("ob-edited", edited, { signal: controller.signal });
    follow(page);
    return () => controller.abort();
  };

  function layOut(root) {
    const slot = (name) => ob.el(`div.ob-slot.ob-slot-${name}`);
    const slots = Object.fromEntries(["head", "damage", "facts", "note", "comments", "series", "clips", "complete", "hparams", "attempts", "remarks", "context"].map((name) => [name, slot(name)]));
    slots.page = ob.el("div.ob-plain.ob-runpage", { hidden: true },
      slots.head, slots.damage, slots.facts,
      ob.el("div.ob-columns", {},
        ob.el("div", {}, slots.note, slots.comments, slots.series, slots.clips, slots.complete),
        ob.el("div", {}, slots.hparams, slots.remarks, slots.attempts, slots.context)));
    root.replaceChildren(slots.page);
    return slots;
  }

  /** Show the run, and again every few seconds while it lives and somebody looks. */
  async function follow(page) {
    for (;;) {
      const found = await look(page);
      if (!found || found.run.status !== "live") return;
      do await new Promise((resolve) => setTimeout(resolve, AGAIN_MS)); while (document.hidden);
      if (page.signal.aborted) return;
    }
  }

  async function look(page) {
    try {
      const found = await ob.getJson(`r/${encodeURIComponent(page.root.dataset.run)}`, page.signal);
      if (!page.me) [page.me, page.watched] = await Promise.all([ob.me(ob.projectPath(found.team, found.project)), ob.isWatched(found.run.uid, page.signal)]);
      show(page, found);
      // Whoever asked first, the stream or this page's own clock.
      if (page.talk && page.edits !== found.run.edits) page.talk.again();
      page.edits = found.run.edits;
      see(page, found);
      page.talk ??= talkOf(page, found);
      return found;
    } catch (error) {
      if (error instanceof ob.Refused) page.root.replaceChildren(ob.empty(error.status === 404 ? "There is no such run, or it is not shared with you." : error.message));
      else if (error.name !== "AbortError") throw error;
      return null;
    }
  }

  /** What one is told of a run that one watches is seen with its page. */
  function see(page, { run }) {
    const state = JSON.stringify([run.status, run.gaps, run.edits, run.last_event]);
    if (!page.watched || document.hidden || page.saw === state) return;
    page.saw = state;
    ob.whileHere(() => ob.seeRun(run.uid, page.signal));
  }

  /** What people say to each other of it; asked again when the stream says that something was. */
  function talkOf(page, { run, team, project }) {
    const path = ob.projectPath(team, project);
    const count = ob.el("span.ob-mute");
    const talk = ob.discussion({
      path: `r/${encodeURIComponent(run.uid)}/comments`, project: path, signal: page.signal,
      told: (n, told) => {
        page.slots.comments.hidden = !told;
        count.textContent = n ? ob.count(n) : "";
      },
    });
    page.slots.comments.hidden = true;
    page.slots.comments.replaceChildren(ob.section("Comments", count, talk.el));
    hear(page, path, run);
    talk.again();
    return talk;
  }

  /** Hear of changes of the run: by the project that is open, or by a stream of its own. */
  function hear(page, path, run) {
    const again = ob.throttled(300, () => page.signal.aborted || look(page));
    const told = (row) => row && row.edits !== page.edits && again();
    if (ob.project?.path === path) {
      const off = ob.project.on((what) => (what === "again" ? again() : told(what.changed?.get(run.uid))));
      return page.signal.addEventListener("abort", off);
    }
    ob.startLive({
      path, live: run.status === "live" ? 1 : 0,
      changed: (rows) => told(rows.find((row) => row.uid === run.uid)), tell: again,
    });
    // The project that was open goes on to be heard of.
    return page.signal.addEventListener("abort", () => (ob.project ? ob.startLive(ob.project) : ob.stopLive()));
  }

  function show(page, found) {
    const { run, note, series, files, gaps, records, restarts, annotations, logdir, finished } = found;
    const canEdit = page.me.can_edit;
    const path = ob.projectPath(found.team, found.project);
    page.slots.page.hidden = false;
    draw(page, "head", [run, found.team, found.project, page.watched], () => head(page, found, path));
    draw(page, "damage", [gaps, files.map((file) => file.error)], () => damage(found));
    draw(page, "facts", [run, logdir, finished], () => facts(found));
    if (!isBusy(page.slots.note)) draw(page, "note", [note], () => ob.noteCard(run.uid, note, canEdit, () => look(page)));
    draw(page, "series", [series], () => ob.seriesCard(found, path));
    draw(page, "clips", series.filter((one) => one.kind === "audio"), () => ob.clipsCard(found, path, page.signal));
    draw(page, "complete", [files, gaps, records.dropped, series.map((one) => [one.non_finite, one.thinned])], () => ob.completeCard(found));
    draw(page, "hparams", [run.hparams, run.beside], () => ob.hparamsCard(run));
    draw(page, "attempts", [run.attempts, restarts], () => ob.attemptsCard(found));
    if (!isBusy(page.slots.remarks)) draw(page, "remarks", [records.remarks, annotations], () => ob.remarksCard(found, path, canEdit, () => look(page)));
    draw(page, "context", [records.context, records.contexts], () => ob.contextCard(records));
  }

  /** Whether somebody is writing there. */
  function isBusy(slot) {
    const fields = [...slot.querySelectorAll(".ob-annotate .ob-input")];
    return slot.querySelector("textarea") !== null || fields.some((field) => field.value || field === document.activeElement);
  }

  function draw(page, name, shown, make) {
    const key = JSON.stringify(shown);
    if (page.drawn.get(name) === key) return;
    page.drawn.set(name, key);
    ob.keepFocus(page.slots[name], () => page.slots[name].replaceChildren(...[make()].flat().filter(Boolean)));
  }

  /** A section: a box with a title, and what stands beside the title. */
  ob.section = (title, beside, ...content) => ob.el("section.ob-box", { "aria-label": title },
    ob.el("header", {}, ob.el("h2", {}, title), ...[beside].flat().filter(Boolean)), ...content);

  function head(page, found, path) {
    const { run } = found;
    const { can_edit: canEdit, can_delete: canDelete } = page.me;
    const watch = ob.watchButton(run, page.watched, (watched) => {
      page.watched = watched;
      show(page, found);
    });
    const project = `${ob.base()}${path}`;
    const star = ob.el(run.starred ? "button.ob-icon.ob-on" : "button.ob-icon", {
      type: "button", "aria-pressed": String(run.starred), "aria-label": "Star", title: run.starred ? "Take the star away" : "Star", hidden: !canEdit,
      onclick: () => ob.attempt(() => ob.edit(path, [{ runs: [run.uid], starred: !run.starred }], () => (run.starred ? "Without star" : "Starred"))),
    }, ob.icon(ob.STAR));
    const more = ob.el("button.ob-pill", {
      type: "button", "aria-haspopup": "menu", hidden: !canEdit,
      onclick: (event) => ob.menu(event, ob.runName(run), ob.runActions(path, [run], canDelete)),
    }, "Change");
    const tags = run.tags.map((tag) => ob.chip(tag));
    return [
      ob.el("p.ob-mute", {}, ob.el("a.ob-nav", { href: `${project}/runs` }, `${found.team} / ${found.project}`), " · ",
        ob.el("a.ob-nav", { href: `${project}/scalars?sel=${run.uid}` }, "its scalars")),
      ob.el("div.ob-title", {}, ob.swatch(run), ob.el("h1", {}, ob.runName(run)), star, watch, ob.el("span.ob-grow"), more),
      run.display_name ? ob.el("p.ob-mute", {}, ob.el("code", {}, run.name)) : null,
      run.archived_at ? ob.el("p.ob-mute", {}, `Archived ${ob.ago(run.archived_at)}: it is on no list unless archived runs are shown.`) : null,
      tags.length ? ob.el("div.ob-chips", {}, ...tags) : null,
    ];
  }

  /** Say what could not be read, with its place, and that the rest is here. */
  function damage({ gaps, files }) {
    const unreadable = files.filter((file) => file.error).map((file) => ob.el("p", {}, ob.el("code", {}, file.name), ` cannot be read: ${file.error}`));
    if (!gaps.length && !unreadable.length) return [];
    const lost = gaps.reduce((sum, gap) => sum + gap.length, 0);
    const lines = gaps.slice(0, 5).map((gap) => ob.el("p", {}, `${ob.bytes(gap.length)} of `, ob.el("code", {}, gap.file), ` at ${ob.count(gap.offset)}: ${gap.reason}`));
    const more = gaps.length > 5 ? ob.el("p", {}, `and ${ob.plural(gaps.length - 5, "more gap")}, below`) : null;
    const what = gaps.length ? ob.el("p", {}, ob.el("b", {}, `${ob.bytes(lost)} of this run could not be read. Everything else is here.`)) : null;
    return [ob.el("div.ob-damage", { role: "note" }, ...[what, ...lines, more, ...unreadable].filter(Boolean))];
  }

  function facts({ run, logdir, finished }) {
    const fact = (name, value, title) => ob.el("div", { title }, ob.el("dt", {}, name), ob.el("dd", {}, value));
    const known = Number.isFinite(run.started) && Number.isFinite(run.last_event);
    const when = (wall) => [wall === null ? "–" : ob.ago(wall), wall === null ? null : ob.moment(wall)];
    return ob.el("dl.ob-facts", {},
      fact("Status", ob.el("span.ob-cellrun", {}, ob.statusDot(run), OUTCOME[finished] ?? ob.statusWords(run))),
      fact("Started", ...when(run.started)),
      fact("Last event", ...when(run.last_event)),
      fact("Duration", known ? ob.span(Math.max(0, run.last_event - run.started)) : "–"),
      fact("Last step", run.last_step === null ? "–" : ob.count(run.last_step)),
      fact("Points", ob.count(run.points)),
      fact("Attempts", ob.count(run.attempts)),
      logdir ? fact("Directory", ob.el("code", {}, logdir)) : null);
  }
})((globalThis.ob = globalThis.ob || {}));
