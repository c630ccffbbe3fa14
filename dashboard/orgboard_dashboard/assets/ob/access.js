/* Who sees a project: how widely, to whom it was granted, and who that makes. Before anything is
   changed it is said who gains sight of the project and who loses it; the server tells. */
(function (ob) {
  "use strict";

  const MOST_LISTED = 200;
  const SEARCHED_FROM = 12;

  const VISIBILITIES = [["private", "Private"], ["team", "Team"], ["organisation", "Organisation"]];

  const QUESTIONS = {
    private: (place) => `Make ${place} private?`,
    team: (place, team) => `Show ${place} to the team ${team}?`,
    organisation: (place) => `Show ${place} to everybody?`,
  };

  /** Say who sees a project that is seen so widely. */
  ob.visibilityInWords = (visibility, team) => ({
    private: "Only whom it was granted to.",
    team: `The members of ${team} in their roles, and whom it was granted to.`,
    organisation: `Everybody who has an account, as viewers; the members of ${team} in their roles.`,
  })[visibility];

  /** Open the dialog; `changed` is called after each change. */
  ob.openAccess = async function openAccess(team, project, changed = () => {}) {
    const path = ob.projectPath(team, project);
    const found = await ob.attempt(() => Promise.all([ob.getJson(`${path}/access`), ob.whoAmI(), knownNames(team)]));
    if (!found) return;
    const [access, me, names] = found;
    const place = ob.el("section.ob-access");
    const dialog = { team, project, path, me, names, place, changed };
    const box = ob.dialog(`Access to ${team} / ${project}`, place, { act: () => {} });
    box.classList.add("ob-wide");
    paint(dialog, access);
    place.querySelector("[aria-checked=true]")?.focus();
  };

  /** Names that a browser may complete: everybody's for who runs the board, else the team's. */
  async function knownNames(team) {
    const { is_admin: isAdmin } = await ob.whoAmI();
    const [path, key] = isAdmin ? ["accounts", "accounts"] : [`teams/${encodeURIComponent(team)}/members`, "members"];
    return ob.getJson(path).then((told) => told[key].map((row) => row.name), () => []);
  }
  ob.knownNames = knownNames;

  async function again(dialog) {
    const access = await ob.attempt(() => ob.getJson(`${dialog.path}/access`));
    // Who has just lost it is told by the toast.
    if (access) paint(dialog, access);
    else dialog.place.closest("dialog")?.close();
    dialog.changed();
  }

  function paint(dialog, access) {
    const { place, team } = dialog;
    const seg = ob.segmented("Visibility", VISIBILITIES, access.visibility, (visibility) => {
      seg.paint(access.visibility);
      if (visibility !== access.visibility) askVisibility(dialog, visibility);
    });
    ob.keepFocus(place, () => place.replaceChildren(
      ob.el("h3", {}, "Who sees it"), seg, ob.el("p.ob-mute", {}, ob.visibilityInWords(access.visibility, team)),
      ob.el("h3", {}, "Granted, one by one"), grants(dialog, access.grants),
      ob.el("h3", {}, `Who can see this now (${ob.count(access.people.length)})`), people(access.people)));
  }

  function grants(dialog, rows) {
    const list = rows.map((row) => ob.el("li", {},
      ob.el("span.ob-name", {}, row.name, row.is_disabled ? ob.el("span.ob-mute", {}, " asleep") : ""),
      ob.roleSelect(`Role of ${row.name}`, row.role, (role) => askGrant(dialog, row.name, role)),
      ob.el("button.ob-quiet", { type: "button", "aria-label": `Take the grant of ${row.name} back`, onclick: () => askGrant(dialog, row.name, null) }, "Take back")));
    return ob.el("ul.ob-grants", { "aria-label": "Grants" }, ...list, ob.nameAdder("Grant", dialog.names, (name, role) => askGrant(dialog, name, role)));
  }

  /** Make a row that takes a name and a role. */
  ob.nameAdder = function nameAdder(does, names, act) {
    const id = "ob-known-names";
    const name = ob.el("input.ob-input", { list: id, placeholder: "Name of an account", maxlength: "64", "aria-label": "Name", autocomplete: "off", autocapitalize: "none", spellcheck: "false" });
    const role = ob.roleSelect("Role", "viewer", () => {});
    const go = () => (name.value.trim() ? act(name.value.trim(), role.value) : name.focus());
    name.addEventListener("keydown", (event) => {
      if (event.key !== "Enter") return;
      event.preventDefault();
      go();
    });
    return ob.el("li.ob-adder", {}, name, role, ob.el("button.ob-pill", { type: "button", onclick: go }, does),
      ob.el("datalist", { id }, ...names.map((known) => ob.el("option", { value: known }))));
  };

  function people(sights) {
    const body = ob.el("span");
    const show = (words) => {
      const found = sights.filter((sight) => sight.account.toLowerCase().includes(words));
      const rows = found.slice(0, MOST_LISTED).map((sight) => [[sight.account, sight.kind === "service" ? ob.el("span.ob-mute", {}, " a service") : ""], sight.role, ob.whyWords(sight)]);
      const rest = found.length - rows.length;
      body.replaceChildren(found.length ? ob.peopleTable("Who can see this", ["Name", "As", "Because"], rows) : ob.el("p.ob-mute", {}, sights.length ? "Nobody of that name." : "Nobody: only who has the machine."),
        rest > 0 ? ob.el("p.ob-mute", {}, `and ${ob.plural(rest, "other")}: type a name to find them.`) : "");
    };
    show("");
    if (sights.length <= SEARCHED_FROM) return body;
    const filter = ob.el("input.ob-input.ob-finder", { type: "search", placeholder: "Find a name", "aria-label": "Find a name", oninput: () => show(filter.value.trim().toLowerCase()), onkeydown: (event) => event.key === "Enter" && event.preventDefault() });
    return ob.el("span", {}, filter, body);
  }

  function askVisibility(dialog, visibility) {
    const place = `${dialog.team} / ${dialog.project}`;
    return ask(dialog, { visibility }, {
      title: QUESTIONS[visibility](place, dialog.team), words: ob.visibilityInWords(visibility, dialog.team), does: "Change who sees it",
      act: () => ob.delicate(`${dialog.path}/access`, { visibility }), done: "Changed who sees it",
    });
  }

  function askGrant(dialog, name, role) {
    return ask(dialog, { name, role }, {
      title: role ? `Make ${name} ${role} of ${dialog.project}?` : `Take the grant of ${name} back?`, does: role ? `Make ${name} ${role}` : "Take it back",
      act: () => ob.delicate(`${dialog.path}/access/grants`, { name, role }), done: role ? `${name} is granted ${dialog.project} as ${role}` : `Took the grant of ${name} back`,
    });
  }

  /** Say what a change would do, and do it when that is meant. */
  async function ask(dialog, change, { title, words, does, act, done }) {
    const told = await foreseen(dialog, change);
    if (!told) return again(dialog);
    const box = ob.dialog(title, [words ? ob.el("p", {}, words) : null, ...consequences(told, dialog.me.name)].filter(Boolean), {
      does,
      act: async () => {
        await act();
        ob.toast(done);
      },
    });
    // Kept as it was, too: the fields show what is, and not what was thought of.
    box.addEventListener("close", () => again(dialog));
  }

  async function foreseen(dialog, change) {
    try {
      return await ob.change(`${dialog.path}/access/preview`, change);
    } catch (error) {
      if (!(error instanceof ob.Refused)) throw error;
      ob.toast(error.status === 404 ? `There is no account called ${change.name}.` : error.message);
      return null;
    }
  }

  function consequences({ gain, lose, differ }, mine) {
    const line = (label, turns, say) => (turns.length ? ob.el("p", {}, ob.el("b", {}, `${label}: `), ob.namesInWords(turns.map(say))) : null);
    const roles = new Set(gain.map((turn) => turn.after));
    const alike = roles.size === 1;
    const own = [...lose, ...differ].find((turn) => turn.account === mine);
    const lines = [
      line(alike ? `Gains sight, as ${[...roles][0]}` : "Gains sight", gain, (turn) => (alike ? turn.account : `${turn.account} (${turn.after})`)),
      line("Loses sight", lose, (turn) => turn.account),
      line("Another role", differ, (turn) => `${turn.account} (${turn.after}, was ${turn.before})`),
      own ? ob.el("p.ob-problem", {}, own.after ? `You would be ${own.after} here, and no more than that.` : "That is you, too: you would not find this project any more.") : null,
    ].filter(Boolean);
    return gain.length || lose.length ? lines : [ob.el("p", {}, "Nobody gains or loses sight of the project."), ...lines];
  }
})((globalThis.ob = globalThis.ob || {}));
