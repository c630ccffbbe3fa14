/* The admin page on directories: what is read, into which project, and by which rules. */
(function (ob) {
  "use strict";

  ob.directoriesSection = async function directoriesSection(page) {
    const [{ directories, rules }, projects] = await Promise.all(["directories", "projects"].map((path) => ob.getJson(path, page.signal)));
    const places = projects.map((row) => `${row.team}/${row.project}`);
    const writes = !page.me.read_only;
    const action = (label, row, does) => (writes ? ob.el("button.ob-quiet", { type: "button", "aria-label": `${label} ${row.path}`, onclick: does }, label) : "");
    const read = directories.map((row) => [ob.el("span.ob-mono", {}, row.path), row.project, row.visibility, ob.plural(row.runs, "run"), ob.since(row.seen_at),
      action("Assign", row, () => ask(page, places, row.path))]);
    const assigned = rules.map((rule) => [ob.el("span.ob-mono", {}, rule.path), rule.project, ob.since(rule.created_at),
      action("Take back", rule, () => ob.attempt(() => drop(page, rule)))]);
    const button = ob.el("button.ob-pill", { type: "button", onclick: () => ask(page, places, "") }, "Assign a directory…");
    return [
      ob.peopleBar(`${ob.plural(directories.length, "directory", "directories")} read`, writes && button),
      directories.length ? ob.peopleTable("Directories", ["Directory", "Project", "Seen by", "", "Last looked at", ""], read)
        : ob.el("p.ob-mute", {}, "Nothing was read yet: ", ob.el("code", {}, "orgboard ingest DIR"), " reads a directory."),
      ob.el("h2", {}, "Assigned"),
      rules.length ? ob.peopleTable("Assigned directories", ["Directory, and all below it", "Project", "Since", ""], assigned)
        : ob.el("p.ob-mute", {}, "No directory was assigned. What nobody assigned is seen only by who runs the board."),
    ];
  };

  function ask(page, places, path) {
    const input = ob.el("input.ob-input.ob-mono", { value: path, required: true, "aria-label": "Directory", placeholder: "/data/faces", spellcheck: "false", autocomplete: "off" });
    let project = places[0] ?? "";
    const choice = ob.select("Project", places.map((one) => [one, one]), project, (value) => { project = value; tell(); });
    const told = ob.el("p.ob-mute", { role: "status" }, "All that is read from it, and from below it, now and later.");
    const tell = ob.settled(300, async () => {
      const answer = await ob.change("directories", { path: input.value.trim(), project, trial: true }).catch((error) => {
        if (!(error instanceof ob.Refused)) throw error;
        return null;
      });
      if (answer) told.textContent = inWords(answer, project);
    });
    input.addEventListener("input", tell);
    ob.dialog("Assign a directory", [ob.menuField("Directory", input), ob.labelled("Project", choice), told], {
      does: "Assign",
      act: async () => {
        const moved = await ob.delicate("directories", { path: input.value.trim(), project });
        ob.toast(moved.runs ? `Moved ${ob.plural(moved.runs, "run")}` : "Assigned");
        page.again();
      },
    });
    input.focus();
    if (path) tell();
  }

  /** Say what a rule moves, from where: who sees those projects is who may lose sight. */
  function inWords({ logdirs, projects, runs }, to) {
    if (!logdirs.length) return "Nothing that is there moves; what comes goes there.";
    return `${ob.plural(runs, "run")} of ${ob.plural(logdirs.length, "directory", "directories")} move from ${ob.namesInWords(projects)} to ${to}: who sees them is who sees ${to}.`;
  }

  async function drop(page, rule) {
    await ob.delicate("directories/drop", { path: rule.path });
    ob.toast("Taken back; its runs stay where they are");
    page.again();
    return true;
  }
})((globalThis.ob = globalThis.ob || {}));
