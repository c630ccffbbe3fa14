/* The panel's part on groups: what the runs are grouped by, and the groups with their counts. */
(function (ob) {
  "use strict";

  const LINES = [["mean", "Mean"], ["median", "Median"], ["min", "Least"], ["max", "Greatest"], ["each", "Every run"]];
  const BANDS = [["minmax", "Least to greatest"], ["std", "Std deviation"], ["sem", "Std error"], ["ci", "95 % interval"], ["none", "No band"]];
  const NAME = "re:";
  /** What is a choice once some run tells it: [what to group by, its title, whether a run tells it]. */
  const WORDS = [["tag", "tags", (run) => run.tags?.length], ["user", "user", (run) => run.user], ["host", "host", (run) => run.host], ["project", "project", (run) => run.place]];

  /** Make the part for `project`: {el, paint()}. It repaints itself as the grouping changes. */
  ob.groupBar = function groupBar(project) {
    const open = new Set();
    const by = choice("Group runs by", (value) => {
      pattern.hidden = value !== NAME;
      if (value !== NAME) return ob.setView({ groupBy: value });
      pattern.focus();
    });
    const pattern = ob.el("input.ob-input.ob-mono", {
      type: "search", placeholder: "Part of the name, as  -s(\\d+)$", spellcheck: "false", hidden: true,
      "aria-label": "Group runs by what this regular expression captures of their names",
      oninput: ob.settled(250, () => ob.setView({ groupBy: pattern.value && NAME + pattern.value })),
    });
    const line = choice("Line of a group", (groupLine) => ob.setView({ groupLine }));
    const band = choice("Band of a group", (groupBand) => ob.setView({ groupBand }));
    fill(line, LINES);
    fill(band, BANDS);
    const look = ob.el("div.ob-group-look", {}, line, band);
    const problem = ob.el("div.ob-group-problem", { role: "alert" });
    const list = ob.el("ul.ob-groups", { "aria-label": "Groups" });
    const el = ob.el("div.ob-groupbar", {}, ob.el("label.ob-field", {}, ob.el("span", {}, "Group"), by), pattern, look, problem, list);
    const bar = { el, project, open, by, pattern, line, band, look, problem, list, paint: () => paint(bar) };
    return bar;
  };

  function paint(bar) {
    const { groupBy, groupLine, groupBand } = ob.view;
    const grouping = ob.groupingOf(bar.project);
    const named = groupBy.startsWith(NAME);
    // The panel paints at every scroll, and ten thousand runs have many values.
    const names = `${bar.project.known.size} ${groupBy}`;
    if (bar.names !== names) fill(bar.by, choices(bar.project));
    bar.names = names;
    bar.by.value = named || (!bar.pattern.hidden && !groupBy) ? NAME : groupBy;
    bar.pattern.hidden = bar.by.value !== NAME;
    if (named && document.activeElement !== bar.pattern) bar.pattern.value = groupBy.slice(NAME.length);
    [bar.line.value, bar.band.value] = [groupLine, groupBand];
    bar.look.hidden = !groupBy;
    bar.band.hidden = groupLine === "each";
    bar.problem.textContent = groupBy ? grouping.problem : "";
    bar.pattern.setAttribute("aria-invalid", String(Boolean(bar.problem.textContent)));
    bar.list.hidden = !groupBy || !grouping.groups.length;
    const rows = JSON.stringify([grouping.groups, [...bar.open]]);
    if (bar.rows === rows) return;
    bar.rows = rows;
    keepFocus(bar.list, () => bar.list.replaceChildren(...grouping.groups.map((group) => row(bar, group))));
  }

  /** What runs can be grouped by: the hyperparameters that they have, those that differ first. */
  function choices(project) {
    const values = new Map();
    for (const run of project.known.values()) {
      for (const [name, value] of Object.entries(run.hparams ?? {})) {
        values.set(name, (values.get(name) ?? new Set()).add(JSON.stringify(value)));
      }
    }
    const words = WORDS.filter(([key, , told]) => key === ob.view.groupBy || [...project.known.values()].some(told));
    const chosen = ob.view.groupBy.startsWith("hp:") ? ob.view.groupBy.slice(3) : "";
    if (chosen && !values.has(chosen)) values.set(chosen, new Set());
    const names = [...values.keys()].sort((a, b) => (values.get(b).size > 1) - (values.get(a).size > 1) || a.localeCompare(b));
    return [["", "none"], [NAME, "part of the name"], ...words.map(([key, title]) => [key, title]), ...names.map((name) => [`hp:${name}`, name])];
  }

  function row(bar, group) {
    const isOpen = bar.open.has(group.uid);
    const toggle = () => {
      if (isOpen) bar.open.delete(group.uid);
      else bar.open.add(group.uid);
      bar.paint();
    };
    // A group without a line of its own has nothing to stand out.
    const point = () => ob.hoverRun(ob.isGrouped() ? group.uid : null);
    const head = ob.el("button.ob-group", { type: "button", "aria-expanded": String(isOpen), "data-uid": group.uid, title: group.name, onclick: toggle, onfocus: point, onblur: () => ob.hoverRun(null) },
      ob.icon("M4 6l4 4 4-4"), ob.swatch(group), ob.el("span.ob-name", {}, group.name), ob.el("span.ob-step", {}, ob.plural(group.members.length, "run")));
    const members = isOpen ? ob.el("ul", {}, ...group.members.map((uid) => member(bar.project, uid))) : null;
    return ob.el("li", { onmouseenter: point, onmouseleave: () => ob.hoverRun(null) }, head, members);
  }

  function member(project, uid) {
    const run = project.known.get(uid);
    return run ? ob.el("li.ob-member", {}, ob.statusDot(run), ob.el("a.ob-nav.ob-name", { href: `${ob.base()}r/${uid}`, title: run.name }, ob.runName(run))) : null;
  }

  function choice(label, onchange) {
    const select = ob.el("select.ob-select", { "aria-label": label, onchange: () => onchange(select.value) });
    return select;
  }

  /** Put the options into a select, unless they are there: an open one would close. */
  function fill(select, options) {
    const key = JSON.stringify(options);
    if (select.dataset.key === key) return;
    const { value } = select;
    select.dataset.key = key;
    select.replaceChildren(...options.map(([one, words]) => ob.el("option", { value: one }, words.length > 60 ? `${words.slice(0, 59)}…` : words)));
    select.value = value;
  }

  function keepFocus(list, change) {
    const uid = list.contains(document.activeElement) ? document.activeElement.dataset.uid : null;
    change();
    if (uid) list.querySelector(`button[data-uid="${CSS.escape(uid)}"]`)?.focus({ preventScroll: true });
  }
})((globalThis.ob = globalThis.ob || {}));
