/* Move runs to another project, after saying who gains and who loses sight of them. */
(function (ob) {
  "use strict";

  /** Ask where to; `path` is the project ("p/TEAM/PROJECT") that these runs are in. */
  ob.askMove = async function askMove(path, runs) {
    const told = await ob.attempt(() => Promise.all([ob.getJson("places"), ob.whoAmI()]));
    if (!told) return;
    const [{ places }, me] = told;
    const others = places.filter((one) => ob.projectPath(one.team, one.project) !== path).map((one) => `${one.team}/${one.project}`);
    const what = runs.length === 1 ? ob.runName(runs[0]) : ob.plural(runs.length, "run");
    if (!others.length) return ob.dialog(`Move ${what}`, ob.el("p", {}, "There is no other project that you run. Who runs this one and another one moves runs between them."), { act: () => {} });
    ask(path, runs.map((run) => run.uid), what, others, me.name);
  };

  function ask(path, uids, what, others, mine) {
    let to = others[0];
    const words = ob.el("section.ob-told", { role: "status" });
    const go = () => box.querySelector("[type=submit]");
    const tell = async () => {
      const asked = to;
      // Nothing is moved before it was said what that does.
      go().disabled = true;
      words.replaceChildren(ob.el("p", {}, "Looking who gains and who loses sight of it…"));
      const told = await ob.attempt(() => ob.change(`${path}/moves`, { runs: uids, to: asked, trial: true }));
      if (asked !== to) return;
      words.replaceChildren(...(told ? inWords(told, mine) : []));
      go().disabled = !told;
    };
    const choice = ob.select("Project", others.map((one) => [one, one]), to, (value) => {
      to = value;
      tell();
    });
    const box = ob.dialog(`Move ${what}`, [ob.labelled("To", choice), words,
      ob.el("p.ob-mute", {}, "Name, tags, note and address stay. What is written to it from now on comes with it.")], {
      does: "Move",
      act: async () => {
        const { moved } = await ob.delicate(`${path}/moves`, { runs: uids, to });
        ob.leaveOut(new Set(uids));
        ob.toast(`Moved ${ob.plural(moved, "run")} to ${to}`);
        ob.reread();
      },
    });
    tell();
  }

  function inWords(told, mine) {
    const say = (n, what) => (n ? [ob.el("p", {}, `${what} ${n === 1 ? "shows" : "show"} ${told.runs === 1 ? "it" : "some of them"}, and then ${n === 1 ? "does" : "do"} not.`)] : []);
    return [...ob.consequences(told, mine), ...say(told.shares, `${ob.plural(told.shares, "share link")} of this project`),
      ...say(told.embeds, `${ob.plural(told.embeds, "card")} of this project in other sites' pages`)];
  }
})((globalThis.ob = globalThis.ob || {}));
