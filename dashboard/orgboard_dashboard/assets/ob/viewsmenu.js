/* The button in the header that says which saved view is shown, and the sheet under it. */
(function (ob) {
  "use strict";

  const PAGES = { runs: "runs", scalars: "scalars", histograms: "histograms", graphs: "graphs", text: "text", images: "images", hparams: "settings", compare: "compare" };

  let button = null;
  let me = { can_keep: false, can_edit: false };

  /** Show the button on a project's page, and what is wrong with the view in its address; null hides it. */
  ob.showViews = function showViews(page) {
    const place = document.getElementById("ob-views");
    if (!place) return;
    if (!page) return (ob.leaveViewComments(), place.replaceChildren());
    button ??= ob.el("button.ob-pill", { type: "button", "aria-haspopup": "dialog", "aria-expanded": "false", onclick: () => open() });
    if (!place.contains(button)) place.replaceChildren(button);
    ob.showViewComments();
    paint();
    const words = ob.viewProblem();
    if (words) page.prepend(notice(words));
    // For the palette, and to know whether an untouched page needs to say so in its address.
    learn(ob.knowViews).catch(() => {});
  };

  async function learn(list) {
    [me] = await Promise.all([ob.me(ob.projectPathHere()), list()]);
    return true;
  }

  function notice(words) {
    const box = ob.el("div.ob-notice", { role: "alert" }, ob.el("span", {}, words),
      ob.el("button.ob-quiet", { type: "button", onclick: () => box.remove() }, "Close"));
    return box;
  }

  function paint() {
    if (!button) return;
    const row = ob.shownView();
    const differs = ob.viewDiffers();
    const said = JSON.stringify([row?.name, differs]);
    if (button.dataset.said === said) return;
    button.dataset.said = said;
    const words = differs ? ", changed since it was saved" : "";
    button.setAttribute("aria-label", row ? `Views: ${row.name}${words}` : "Views");
    button.title = row ? `${row.name}${words}` : "Saved views of this project (v)";
    button.replaceChildren(ob.el("span.ob-name", {}, row ? row.name : "Views"), differs ? ob.el("span.ob-changed") : "", ob.el("span", { "aria-hidden": "true" }, "▾"));
  }

  ob.onView(ob.throttled(100, paint));
  ob.onViews(paint);

  /** Say in a few words whose a view is, and of which page if of another. */
  ob.viewWords = (row) => [row.is_default ? "default" : "", row.for_team ? "team" : "only you", row.page === ob.pageName() ? "" : PAGES[row.page] ?? row.page].filter(Boolean).join(" · ");

  async function open() {
    if (button.getAttribute("aria-expanded") === "true") return ob.closeMenu();
    if (!(await ob.attempt(() => learn(ob.listViews)))) return;
    const rows = ob.savedViews();
    const list = rows.length
      ? ob.el("ul.ob-viewlist", { "aria-label": "Saved views" }, ...rows.map(entry))
      : ob.el("p.ob-mute", {}, me.can_keep ? "No view is saved yet. A view keeps how pages look: filters, chosen runs, axes, smoothing, zoom." : "No view is saved.");
    ob.openMenu(button, "Views", ob.menuHead("Views of this project"), list, ob.el("hr"),
      ...ob.viewActions().map(({ label, words, act }) => ob.menuItem(label, act, words)));
  }

  function entry(row) {
    const shown = ob.view.saved === row.id;
    const pick = ob.el("button.ob-item", {
      type: "button", title: row.owner ? `${row.name}\nby ${row.owner}` : row.name, "aria-current": shown ? "true" : null,
      onclick: () => (ob.closeMenu(), ob.openView(row)),
    }, ob.el("span.ob-name", {}, row.name), ob.el("span.ob-mute", {}, ob.viewWords(row)));
    const more = ob.el("button.ob-icon", { type: "button", "aria-haspopup": "menu", "aria-label": `Change view ${row.name}`, title: "Rename, make it the default, delete", onclick: () => openMore(row) }, ob.icon("M3 8h.01M8 8h.01M13 8h.01"));
    return ob.el("li", {}, pick, me.can_keep && (me.can_edit || !row.for_team) ? more : null);
  }

  function openMore(row) {
    ob.closeMenu();
    const attempt = (act) => () => ob.attempt(act);
    const opens = row.is_default
      ? [{ label: "No longer the default", act: attempt(() => ob.makeDefault(row, false)) }]
      : row.for_team ? [{ label: "Make it the default", act: attempt(() => ob.makeDefault(row, true)) }] : [];
    ob.menu({ anchor: button, rect: button.getBoundingClientRect(), preventDefault() {}, stopPropagation() {} }, row.name, [
      { label: "Rename…", act: () => askName(row) }, ...opens, null,
      { label: "Delete", danger: true, act: attempt(() => askRemove(row)) },
    ]);
  }

  /** What can be done with what is shown, for the sheet and for the palette. */
  ob.viewActions = function viewActions() {
    // A run's own page has no view.
    if (!ob.project || !document.querySelector("#ob-views button")) return [];
    const row = ob.shownView();
    const differs = ob.viewDiffers();
    const edits = [
      ...(differs && (me.can_edit || !row.for_team) ? [{ label: "Update this view", words: ob.shortName(row.name, 24), act: () => ob.attempt(ob.updateView) }] : []),
      { label: "Save view as…", words: "", act: askSave },
    ];
    return [
      ...(me.can_keep ? edits : []),
      ...(differs ? [{ label: "Discard the changes", words: "", act: ob.resetView }] : []),
      ...(ob.fullQuery() ? [{ label: "Reset everything", words: "no view", act: ob.leaveView }] : []),
      ...(ob.canShare(me) ? [{ label: "Share by a link…", words: "without an account", act: ob.askShare }] : []),
      { label: "Copy link", words: "to just what is seen", act: async () => ob.toast(`${await ob.copyLink()}.`) },
    ];
  };

  /** Delete a view; what was said of it goes with it, so that is told first. */
  async function askRemove(row) {
    const said = await ob.countViewComments(row);
    if (!said) return ob.removeView(row);
    return ob.dialog(`Delete ${row.name}?`, ob.el("p", {}, `${ob.plural(said, "comment")} on it ${said === 1 ? "goes" : "go"} with it. Undo brings the view back, and not what was said of it.`), {
      does: "Delete the view", danger: true, act: () => ob.removeView(row),
    });
  }

  function nameField(value) {
    return ob.el("input.ob-input", { value, maxlength: "200", "aria-label": "Name", placeholder: "Name", spellcheck: "false", autocomplete: "off", required: true });
  }

  function askSave() {
    const input = nameField("");
    let forTeam = me.can_edit;
    const whom = ob.segmented("For whom", [...(me.can_edit ? [["team", "For the team"]] : []), ["me", "Only for me"]], forTeam ? "team" : "me", (value) => { forTeam = value === "team"; });
    const chosen = ob.view.selected;
    const runs = chosen === null ? "the newest runs, whichever they will be" : ob.plural(chosen.length, "chosen run");
    ob.dialog("Save view", [input, whom, ob.el("p", {}, `It keeps filters, axes, smoothing, zoom, columns and which runs are shown: ${runs}.`)], {
      does: "Save", act: () => ob.saveView(input.value, forTeam),
    });
    input.focus();
  }

  function askName(row) {
    const input = nameField(row.name);
    ob.dialog("Rename view", input, { does: "Rename", act: () => ob.renameView(row, input.value) });
    input.select();
  }
})((globalThis.ob = globalThis.ob || {}));
