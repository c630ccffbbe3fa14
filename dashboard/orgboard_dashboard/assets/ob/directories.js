/* Which directories go to which projects. Before one is assigned it is said what moves, and who
   gains and who loses sight of it. */
(function (ob) {
  "use strict";

  /** Lay out the section of the admin pages; gives its elements. */
  ob.directoriesSection = async function directoriesSection(page) {
    const [{ directories, rules }, { places }] = await Promise.all(["directories", "places"].map((path) => ob.getJson(path, page.signal)));
    const writes = !page.me.read_only && places.length > 0;
    const act = (label, name, onclick) => (writes ? ob.el("button.ob-quiet", { type: "button", "aria-label": name, onclick }, label) : "");
    const read = directories.map((row) => [ob.el("code", {}, row.path), row.project, row.visibility, ob.plural(row.runs, "run"),
      act("Assign", `Assign ${row.path}`, () => askDirectory(page, places, row.path, row.project))]);
    const assigned = rules.map((row) => [ob.el("code", {}, row.path), row.project, ob.since(row.created_at),
      act("Drop", `Drop the rule for ${row.path}`, () => askDrop(page, row))]);
    return [
      ob.peopleBar("What is read from a directory, or from one below it, goes to the project that it is assigned to.",
        writes && ob.el("button.ob-pill", { type: "button", onclick: () => askDirectory(page, places, "", "") }, "Assign a directory…")),
      read.length ? ob.peopleTable("Directories", ["Directory", "Goes to", "Seen by", "", ""], read) : ob.el("p.ob-mute", {}, "No directory was read yet: ", ob.el("code", {}, "orgboard ingest DIR"), " reads one."),
      ob.el("h2", {}, "Rules"),
      assigned.length ? ob.peopleTable("Rules", ["Directory", "Goes to", "Since", ""], assigned) : ob.el("p.ob-mute", {}, "No directory is assigned. What nobody assigned is seen by who runs the board alone."),
    ];
  };

  function askDirectory(page, places, path, now) {
    const field = (label, input) => ob.el("label.ob-labelled", {}, ob.el("span", {}, label), input);
    const directory = ob.el("input.ob-input.ob-mono", { value: path, required: true, placeholder: "/data/faces", maxlength: "4096", autocomplete: "off", spellcheck: "false" });
    const choices = places.map((one) => [JSON.stringify([one.team, one.project]), `${one.team}/${one.project}`]);
    const place = ob.select("Project", choices, choices.find(([, words]) => words === now)?.[0] ?? choices[0][0], () => {});
    ob.dialog("Assign a directory", [field("Directory, as the host that reads it has it", directory), field("Project", place)], {
      does: "See what that does",
      act: async () => {
        const [team, project] = JSON.parse(place.value);
        const change = { path: directory.value.trim(), team, project };
        confirm(page, change, await ob.change("directories/preview", change));
      },
    });
    directory.focus();
  }

  function confirm(page, change, told) {
    const { runs, logdirs, projects } = told.moved;
    const words = logdirs.length
      ? [ob.el("p", {}, `Moves ${ob.plural(runs, "run")} of ${logdirs.length === 1 ? "a directory" : `${ob.count(logdirs.length)} directories`} out of ${ob.namesInWords(projects)}.`), ...ob.consequences(told, page.me.name)]
      : [ob.el("p", {}, "Nothing is there yet that would move; what comes goes there.")];
    ob.dialog(`Give ${change.path} to ${change.team}/${change.project}?`, words, {
      does: "Assign it",
      act: async () => {
        await ob.delicate("directories", change);
        ob.toast(`${change.path} goes to ${change.team}/${change.project}`);
        page.again();
      },
    });
  }

  function askDrop(page, { path }) {
    ob.dialog(`Drop the rule for ${path}?`, ob.el("p", {}, "Its runs stay where they are. What comes from directories that are not known yet goes by the other rules, and without one to who runs the board alone."), {
      does: "Drop it", danger: true,
      act: async () => {
        await ob.delicate("directories/drop", { path });
        page.again();
      },
    });
  }
})((globalThis.ob = globalThis.ob || {}));
