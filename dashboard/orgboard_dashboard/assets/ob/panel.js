/* The run panel: filter, the runs as rows of 30 px, and how many are shown.

   Only the rows in sight exist, so ten thousand runs cost as much as thirty. The same panel,
   with the same selection, stands on every page of a project. */
(function (ob) {
  "use strict";

  const ROW = 30;
  const STATUS = { live: "live", stale: "stale: no new bytes for a while", finished: "finished", failed: "failed: it said so itself" };

  let parts = null;
  let stop = () => {};

  /** Put the panel of `project` into the shell; null takes it away. */
  ob.showPanel = function showPanel(project) {
    const place = document.getElementById("ob-panel");
    document.body.classList.toggle("ob-nopanel", !project);
    // What is asked of groups depends on the page.
    if (parts && parts.project === project && place?.contains(parts.list)) return parts.groups.paint();
    if (!place) return;
    stop();
    ob.closeColumns();
    parts = null;
    place.replaceChildren();
    if (!project) return;
    parts = build(project);
    place.append(grip(), parts.head, parts.groups.el, parts.columns, parts.list, parts.foot);
    const off = [project.on(() => ob.unpressed(paint)), ob.onView(onView), ob.onRunHover(paintHover)];
    stop = () => off.forEach((each) => each());
    paint();
  };

  function build(project) {
    const bar = ob.queryBar(project);
    const all = ob.el("input", { type: "checkbox", "aria-label": "Show the newest runs, or none", onchange: toggleAll });
    const automatic = ob.el("button.ob-quiet", { type: "button", title: "Show the newest runs, whatever they are", onclick: () => ob.setView({ selected: null }) }, "newest");
    const actions = ob.el("button.ob-quiet", { type: "button", "aria-haspopup": "menu", title: "What can be done with the runs", onclick: (event) => ob.runMenu(event, project) }, "Actions");
    const every = ob.el("button.ob-quiet", { type: "button", onclick: () => project.showAll() }, "all");
    const titles = ob.el("span.ob-panel-titles");
    const groups = ob.groupBar(project);
    const close = ob.el("button.ob-icon.ob-phone", { type: "button", "aria-label": "Fold the sheet", onclick: () => ob.togglePanel() }, ob.icon("M4 4l8 8M12 4l-8 8"));
    const head = ob.el("div.ob-panel-head", {}, bar.el, bar.problem,
      ob.el("div.ob-panel-tools", {}, ob.columnsButton(project), actions, ob.el("span.ob-grow"), close));
    const columns = ob.el("div.ob-panel-head", {}, ob.el("div.ob-panel-columns", {}, all, ob.el("span", {}, "Run"), automatic, every, ob.el("span.ob-grow"), titles));
    const rows = ob.el("div.ob-rows", { role: "list", "aria-label": "Runs" });
    const list = ob.el("div.ob-list", { tabindex: "-1", oncontextmenu: (event) => {
      const uid = event.target.closest(".ob-row")?.dataset.uid;
      if (uid) ob.runMenu(event, project, [uid]);
    }, onscroll: ob.throttled(30, paint) }, rows);
    // Beside the list: what has no runs has no items either.
    const none = ob.el("div.ob-none", { role: "status", hidden: true });
    list.prepend(none);
    const foot = ob.el("div.ob-foot", {}, ob.el("span"), ob.el("span"));
    new ResizeObserver(ob.throttled(30, resized)).observe(list);
    learn(project);
    return { project, bar, all, automatic, every, titles, head, groups, columns, rows, none, list, foot, canEdit: false, hasMenu: false };
  }

  /** Whoever only looks is offered no change; with an account one may watch. */
  async function learn(project) {
    const [me, who] = await Promise.all([ob.me(project.path), ob.whoAmI()].map((asked) => asked.catch(() => null)));
    if (!(me?.can_edit || who?.signed_in) || parts?.project !== project) return;
    parts.hasMenu = true;
    parts.canEdit = Boolean(me?.can_edit);
    paint();
  }

  /** A wider panel has room for more columns, whose metrics are yet to be fetched. */
  function resized() {
    if (!parts) return;
    const keys = ob.metricKeys(ob.panelColumns()).join("\n");
    if (parts.keys !== undefined && parts.keys !== keys) parts.project.reload();
    parts.keys = keys;
    paint();
  }

  function onView(changed) {
    if (!parts) return;
    if (changed.has("runFilter")) parts.bar.set(ob.view.runFilter);
    if (changed.has("runFilter") || changed.has("sort") || changed.has("columns")) parts.project.filter();
    if (["selected", "groupBy", "groupLine", "groupBand"].some((key) => changed.has(key))) paint();
  }

  function toggleAll() {
    ob.setView({ selected: parts.project.shown().length ? [] : null });
  }

  function paint() {
    if (!parts) return;
    const { project, list, rows } = parts;
    const refused = project.error instanceof ob.Refused;
    parts.bar.say(project.error);
    paintTitles();
    // What was found before stays while the query is being mended.
    const n = project.matching ?? 0;
    const first = Math.max(0, Math.floor(list.scrollTop / ROW) - 5);
    const last = Math.min(n, Math.ceil((list.scrollTop + list.clientHeight) / ROW) + 5);
    project.need(first, last);
    rows.style.height = `${n * ROW}px`;
    const shown = new Set(project.shown().map((run) => run.uid));
    keepFocus(rows, () => rows.replaceChildren(...range(first, last).map((i) => row(project, i, shown))));
    paintNone(n === 0 && project.matching !== null && !refused);
    paintFoot(project, shown.size);
    parts.groups.paint();
    ob.paintLive();
  }

  function paintFoot(project, shown) {
    const { all, automatic, every, foot } = parts;
    const total = project.everything ?? project.matching ?? 0;
    const filtered = ob.view.runFilter && project.matching !== null;
    // Why just these: the automatic selection does not take all of many runs.
    const chosen = !ob.view.selected && shown < project.matching;
    const which = ob.view.sort === "-started" ? "newest" : "first";
    foot.children[0].textContent = chosen ? `${which} ${ob.count(shown)} shown` : `${ob.count(shown)} shown`;
    foot.children[1].textContent = filtered ? `${project.error ? "before: " : ""}${ob.count(project.matching)} of ${ob.plural(total, "run")}` : ob.plural(total, "run");
    all.checked = shown > 0;
    all.indeterminate = shown > 0 && shown < (project.matching ?? 0);
    automatic.hidden = ob.view.selected === null;
    const most = Math.min(project.matching ?? 0, ob.MOST_SHOWN);
    every.title = most < project.matching ? `Show the first ${ob.count(most)} that match: more lines are not readable` : `Show all ${ob.count(most)} that match`;
    every.hidden = !most || shown === most;
  }

  function row(project, i, shown) {
    const run = project.known.get(project.order[i]);
    const style = { transform: `translateY(${i * ROW}px)` };
    if (!run) return ob.el("div.ob-row.ob-waiting", { style, role: "listitem" });
    const on = shown.has(run.uid);
    const name = ob.runName(run);
    const box = ob.el("input", { type: "checkbox", checked: on, "data-uid": run.uid, "aria-label": `Show ${name}`, onclick: (event) => pick(project, i, event.shiftKey) });
    const put = run.archived_at === null ? "" : ".ob-archived";
    return ob.el(`div.ob-row${put}`, { style, role: "listitem", "data-uid": run.uid, onmouseenter: () => ob.hoverRun(run.uid), onmouseleave: () => ob.hoverRun(null) },
      ob.el("label", { title: [name, run.display_name && run.name, ob.statusWords(run), run.tags.join(", ")].filter(Boolean).join("\n") },
        box, ob.swatch(ob.inked(run), on), ob.statusDot(run),
        run.starred ? ob.star() : null,
        ob.el("span.ob-name", {}, name),
        ...run.tags.slice(0, 2).map(ob.chip), run.comments ? ob.saidMark(run.comments) : null),
      ob.el("button.ob-more", { type: "button", "aria-haspopup": "menu", "aria-label": `${parts.canEdit ? "Change" : "Menu of"} ${name}`, title: "What can be done with it", hidden: !parts.hasMenu, onclick: (event) => ob.runMenu(event, project, [run.uid]) }, ob.icon("M3 8h.01M8 8h.01M13 8h.01")),
      ob.el("a.ob-nav.ob-more", { href: `${ob.base()}r/${run.uid}`, "aria-label": `About ${name}`, title: "About this run" }, ob.icon("M6 3l5 5-5 5")),
      ...ob.panelColumns().map(({ key }) => ob.el("span.ob-cell", { title: ob.columnTitle(key) }, cellText(run, key))));
  }

  /** Show a run or not; with Shift, all from the one picked before to this one. */
  function pick(project, i, range) {
    const uid = project.order[i];
    const from = range && parts.picked !== undefined ? project.order.indexOf(parts.picked) : -1;
    parts.picked = uid;
    if (from < 0) return project.toggle(uid);
    const [first, last] = [Math.min(from, i), Math.max(from, i)];
    return project.show(project.order.slice(first, last + 1), !project.isShown(uid));
  }

  function cellText(run, key) {
    return key === "last_step" && run.last_step !== null ? ob.short(run.last_step) : ob.columnText(run, key);
  }

  /** The titles of the columns; a click sorts by one. */
  function paintTitles() {
    const titles = ob.panelColumns().map(({ key }) => title(key));
    keepFocus(parts.titles, () => parts.titles.replaceChildren(...titles));
  }

  function title(key) {
    const words = key === "last_step" ? "step" : ob.columnTitle(key);
    const mark = ob.view.sort === key ? "↑" : ob.view.sort === `-${key}` ? "↓" : "";
    const sorted = mark === "" ? "" : mark === "↑" ? ", smallest first" : ", largest first";
    return ob.el("button.ob-cell", { type: "button", "data-uid": key, title: `${words}: sort`, "aria-label": `Sort by ${words}${sorted}`, onclick: () => ob.sortBy(key) }, ob.el("span.ob-name", {}, words), mark && ob.el("span", {}, mark));
  }

  /** Say that there is no run, and what to do; said again, it stays as it is, with its button. */
  function paintNone(is) {
    const { none, project, rows } = parts;
    const key = is ? `${ob.view.runFilter}\n${project.everything}` : "";
    none.hidden = !is;
    rows.hidden = is;
    if (none.dataset.key === key) return;
    none.dataset.key = key;
    none.replaceChildren(...(is ? nothing(project) : []));
  }

  function nothing(project) {
    if (ob.view.runFilter) return ob.noMatch(project);
    return ["No runs yet. Log some with SummaryWriter, or point orgboard at a directory: ", ob.el("code", {}, "orgboard ingest DIR"), "."];
  }

  /** Say that no run matches, how many there are, and how to see them. */
  ob.noMatch = (project) => [
    "No run matches ", ob.el("code", {}, ob.view.runFilter), `. ${ob.plural(project.everything ?? 0, "run")} without the filter. `,
    ob.el("button.ob-quiet", { type: "button", onclick: () => ob.setView({ runFilter: "" }) }, "Show all"),
  ];

  /** Give the focus back to what stands where it was; of a row that is gone, to the list. */
  function keepFocus(rows, change) {
    const had = rows.contains(document.activeElement) ? document.activeElement : null;
    change();
    if (had) (ob.standing(had) ?? rows.parentElement).focus({ preventScroll: true });
  }

  function paintHover(uid) {
    for (const row of parts?.rows.children ?? []) row.classList.toggle("ob-hover", uid !== null && row.dataset.uid === uid);
  }

  /** The edge that is dragged to make the panel wider, or folded by a double click. */
  function grip() {
    const wide = (px) => document.documentElement.style.setProperty("--ob-panel", `${px}px`);
    const saved = Number(ob.remembered("panel"));
    if (saved) wide(saved);
    return ob.el("div.ob-grip", {
      "aria-hidden": "true", title: "Drag to resize",
      onpointerdown: (event) => {
        event.target.setPointerCapture(event.pointerId);
        event.target.onpointermove = (move) => wide(Math.min(640, Math.max(220, move.clientX)));
        event.target.onpointerup = (up) => {
          event.target.onpointermove = null;
          ob.remember("panel", Math.min(640, Math.max(220, up.clientX)));
          window.dispatchEvent(new Event("resize"));
        };
      },
    });
  }

  function range(first, last) {
    return Array.from({ length: Math.max(0, last - first) }, (_, i) => first + i);
  }

  /* Pieces that other pages show runs with. */

  /** The name that a person knows a run by; the root run is its directory itself. */
  ob.runName = (run) => (run.place ? `${run.place}: ` : "") + (run.display_name || (run.name === "." ? "(root)" : run.name));

  ob.statusWords = function statusWords(run) {
    const words = STATUS[run.status] || run.status;
    const rest = run.archived_at ? "; archived" : "";
    return run.damaged ? `${words}; some bytes could not be read${rest}` : words + rest;
  };

  ob.star = () => ob.el("span.ob-star", { role: "img", "aria-label": "starred", title: "Starred" }, ob.icon(ob.STAR));
  ob.STAR = "M8 2l1.8 3.9 4.2.5-3.1 2.900.8 4.200L8 11.400 4.300 13.500l.8-4.200L2 6.400l4.200-.5z";

  ob.chip = (tag) => ob.el("span.ob-chip", { title: tag }, tag);

  ob.statusDot = function statusDot(run) {
    const kind = run.damaged ? "damaged" : run.status === "live" ? "live-dot" : run.status;
    return ob.el(`span.ob-dot.ob-${kind}`, { role: "img", "aria-label": ob.statusWords(run), title: ob.statusWords(run) });
  };

  ob.swatch = (run, on = true) => ob.paintSwatch(ob.el("span", { "aria-hidden": "true" }), run, on);

  /** Give a swatch the ink of a run, or of none; one that has it is left alone. */
  ob.paintSwatch = function paintSwatch(node, run, on = true) {
    const { color, dash } = ob.ink(run.color);
    const name = dash === "solid" ? "ob-swatch" : "ob-swatch ob-dashed";
    if (node.className !== name) node.className = name;
    if (node.style.getPropertyValue("--ink") !== (on ? color : "")) node.style.setProperty("--ink", on ? color : "");
    return node;
  };
})((globalThis.ob = globalThis.ob || {}));
