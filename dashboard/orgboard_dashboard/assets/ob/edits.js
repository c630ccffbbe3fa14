/* Change what is said of runs: post it, say what was done, and how to take it back. */
(function (ob) {
  "use strict";

  /** Post edits of runs of `path` ("p/TEAM/PROJECT"); say `words(how many)`, with an undo,
      after which `undone` is called. */
  ob.edit = async function edit(path, edits, words, undone = () => {}) {
    const { changed, undo } = await ob.change(`${path}/edits`, { edits });
    const back = async () => {
      const done = await ob.attempt(() => ob.change(`${path}/edits`, { edits: undo }));
      if (done) undone();
      reread();
    };
    ob.toast(changed ? words(changed) : "Nothing to change.", undo.length ? back : null);
    reread();
    return changed;
  };

  /** Let what is on the screen be what is stored; a run's own page listens, too. */
  function reread() {
    ob.project?.reread();
    window.dispatchEvent(new CustomEvent("ob-edited"));
  }
  ob.reread = reread;

  /** Ask for a name of one run. */
  ob.askName = function askName(path, run) {
    const input = ob.el("input.ob-input", { value: run.display_name ?? "", placeholder: run.name, maxlength: "256", "aria-label": "Name", spellcheck: "false" });
    const box = ob.dialog("Rename", [ob.el("p", {}, "Its directory stays ", ob.el("code", {}, run.name), ". Leave the name empty to go by it."), input], {
      does: "Rename",
      act: () => ob.edit(path, [{ runs: [run.uid], name: input.value }], () => (input.value.trim() ? `Renamed to ${input.value.trim()}` : "It goes by its directory again")),
    });
    box.querySelector("input").select();
  };

  /** Ask for tags to give and to take. */
  ob.askTags = async function askTags(path, runs) {
    const known = await ob.attempt(() => ob.getJson(`${path}/run-tags`));
    if (!known) return;
    const counts = new Map();
    for (const run of runs) for (const tag of run.tags) counts.set(tag, (counts.get(tag) ?? 0) + 1);
    const dropped = new Set();
    const input = ob.el("input.ob-input", { list: "ob-known-tags", placeholder: "baseline, keep", "aria-label": "Tags to add, with commas between", spellcheck: "false" });
    const chips = [...counts].sort().map(([tag, n]) => removable(tag, runs.length > 1 ? `${tag} (${n} of ${runs.length})` : tag, dropped));
    const content = [
      chips.length ? ob.el("div.ob-chips", {}, ...chips) : ob.el("p", {}, "No tags yet."), input,
      ob.el("datalist", { id: "ob-known-tags" }, ...known.tags.map((tag) => ob.el("option", { value: tag }))),
    ];
    const act = async () => {
      const added = input.value.split(",").map((tag) => tag.trim()).filter(Boolean);
      const uids = runs.map((run) => run.uid);
      const edits = [];
      if (added.length) edits.push({ runs: uids, tag: added });
      if (dropped.size) edits.push({ runs: uids, untag: [...dropped] });
      if (edits.length) await ob.edit(path, edits, (n) => `Changed the tags of ${ob.plural(n, "run")}`);
    };
    ob.dialog(runs.length === 1 ? `Tags of ${ob.runName(runs[0])}` : `Tags of ${ob.plural(runs.length, "run")}`, content, { does: "Save", act });
    input.focus();
  };

  function removable(tag, words, dropped) {
    const button = ob.el("button.ob-chip", {
      type: "button", "aria-pressed": "false", title: `Take ${tag} away`,
      onclick: () => {
        dropped[dropped.has(tag) ? "delete" : "add"](tag);
        button.setAttribute("aria-pressed", String(dropped.has(tag)));
      },
    }, words, ob.icon("M5 5l6 6M11 5l-6 6"));
    return button;
  }

  /** Ask for a colour: one of the palette, any other, or the run's own place again. */
  ob.askColor = function askColor(path, runs) {
    const uids = runs.map((run) => run.uid);
    const give = (color) => ob.edit(path, [{ runs: uids, color }], (n) => (color ? `Coloured ${ob.plural(n, "run")}` : `Gave ${ob.plural(n, "run")} the own colour back`));
    const now = runs.length === 1 ? ob.ink(runs[0].color).color : "";
    const free = ob.el("input", { type: "color", value: now || ob.PALETTE[0], "aria-label": "Any colour" });
    const swatches = ob.PALETTE.map((color, i) => ob.el("button.ob-ink", {
      type: "button", style: { background: color }, "aria-label": `Colour ${i + 1}`, title: color, "aria-pressed": String(color === now),
      onclick: () => (box.close(), ob.attempt(() => give(color))),
    }));
    const own = ob.el("button.ob-quiet", { type: "button", onclick: () => (box.close(), ob.attempt(() => give(""))) }, "Its own colour again");
    const box = ob.dialog(runs.length === 1 ? `Colour of ${ob.runName(runs[0])}` : `Colour of ${ob.plural(runs.length, "run")}`, [
      ob.el("div.ob-inks", { role: "group", "aria-label": "Palette" }, ...swatches),
      ob.el("label.ob-field", {}, free, "another colour"), own,
    ], { does: "Use this colour", act: () => give(free.value) });
  };

  /** Ask whether to delete, with what it frees. */
  ob.askDelete = async function askDelete(path, runs) {
    const uids = runs.map((run) => run.uid);
    const told = await ob.attempt(() => ob.change(`${path}/deletion/preview`, { runs: uids }));
    if (!told) return;
    const live = told.live ? ob.el("p", {}, `${ob.plural(told.live, "run")} ${told.live === 1 ? "is" : "are"} live and will stay: stop what writes, and wait two minutes.`) : null;
    if (!told.runs) return ob.dialog("Nothing to delete", live ?? ob.el("p", {}, "These runs are gone already."), { act: () => {} });
    const one = told.runs === 1;
    const words = [
      ob.el("p", {}, `This takes ${ob.plural(told.points, "point")} out of the database and frees ${ob.bytes(told.bytes)}.`),
      ob.el("p", {}, `Event files are never touched, and ingest does not read them again. "Deleted runs" in the menu brings ${one ? "the run" : "them"} back by reading ${one ? "its" : "their"} files from the beginning; name, tags and note stay.`),
      told.gone ? ob.el("p.ob-problem", {}, `${ob.plural(told.gone, "run")} ${told.gone === 1 ? "has" : "have"} no file any more: that cannot be brought back.`) : null,
      live,
    ].filter(Boolean);
    const what = one && runs.length === 1 ? ob.runName(runs[0]) : ob.plural(told.runs, "run");
    ob.dialog(`Delete ${what}?`, words, {
      does: one ? "Delete the run" : `Delete ${ob.plural(told.runs, "run")}`, danger: true,
      act: async () => {
        const done = await ob.change(`${path}/deletion`, { runs: uids });
        leaveOut(new Set(done.deleted));
        ob.toast(`Deleted ${ob.plural(done.deleted.length, "run")}${done.live ? `; ${ob.plural(done.live, "live run")} stayed` : ""}`);
        reread();
      },
    });
  };

  /** List what can be brought back. */
  ob.showDeleted = async function showDeleted(path) {
    const found = await ob.attempt(() => ob.getJson(`${path}/deleted`));
    if (!found) return;
    const chosen = new Set();
    const rows = found.runs.map((run) => ob.el("label.ob-deleted", {},
      ob.el("input", { type: "checkbox", onchange: (event) => chosen[event.target.checked ? "add" : "delete"](run.uid) }),
      ob.el("span.ob-name", { title: run.name }, ob.runName(run)),
      ob.el("span.ob-mute", {}, run.gone_at ? "its files are gone" : `deleted ${ob.ago(run.deleted_at)}`)));
    if (!rows.length) return ob.dialog("Deleted runs", ob.el("p", {}, "No run of this project was deleted."), { act: () => {} });
    ob.dialog("Deleted runs", [ob.el("p", {}, "The next ingest reads the files of the chosen ones from their beginning."), ob.el("div.ob-deletedlist", {}, ...rows)], {
      does: "Bring back",
      act: async () => {
        const { restored } = await ob.change(`${path}/restoration`, { runs: [...chosen] });
        ob.toast(`${ob.plural(restored, "run")} will be read again`);
        reread();
      },
    });
  };

  /** What is off the lists is off the charts: out of a selection made by hand. */
  function leaveOut(uids) {
    const { selected } = ob.view;
    if (selected?.some((uid) => uids.has(uid))) ob.setView({ selected: selected.filter((uid) => !uids.has(uid)) });
  }
  ob.leaveOut = leaveOut;
})((globalThis.ob = globalThis.ob || {}));
