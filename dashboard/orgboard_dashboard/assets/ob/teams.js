/* One team: who is in it and as what, and links that bring more people in. */
(function (ob) {
  "use strict";

  /** Open the dialog of a team; `changed` is called after each change. */
  ob.openTeam = async function openTeam(team, changed = () => {}) {
    const path = `teams/${encodeURIComponent(team)}/members`;
    const found = await ob.attempt(() => Promise.all([ob.getJson(path), ob.whoAmI(), ob.knownNames(team)]));
    if (!found) return;
    const [told, me, names] = found;
    const place = ob.el("section.ob-access");
    const writes = told.may_change && !me.read_only;
    const [links, readLinks] = (writes && (await ob.attempt(() => ob.openInvitations(`teams/${encodeURIComponent(team)}/invitations`, writes, "h3")))) || [];
    const dialog = { team, path, place, links, readLinks, changed, mayChange: writes };
    dialog.adder = ob.nameAdder("Put in", names, (name, role) => put(dialog, name, role));
    const box = ob.dialog(`Team ${team}`, place, { act: () => {} });
    box.classList.add("ob-wide");
    paint(dialog, told.members);
  };

  function paint(dialog, members) {
    const { place, mayChange } = dialog;
    const rows = members.map((row) => ob.el("li", {},
      ob.el("span.ob-name", {}, row.name, row.is_disabled ? ob.el("span.ob-mute", {}, " asleep") : ""),
      mayChange ? ob.roleSelect(`Role of ${row.name}`, row.role, (role) => put(dialog, row.name, role)) : ob.el("span.ob-mute", {}, row.role),
      mayChange ? ob.el("button.ob-quiet", { type: "button", "aria-label": `Take ${row.name} out`, onclick: () => takeOut(dialog, row.name) }, "Take out") : null));
    ob.keepFocus(place, () => place.replaceChildren(...[
      rows.length ? null : ob.el("p.ob-mute", {}, "Nobody is in this team yet."),
      ob.el("ul.ob-grants", { "aria-label": "Members" }, ...rows, mayChange ? dialog.adder : null),
      mayChange ? ob.el("h3", {}, "Somebody who has no account") : null,
      mayChange ? inviter(dialog) : null,
      dialog.links,
      mayChange ? ob.el("p.ob-adder", {}, ob.el("span.ob-grow", {}, "A project without runs, for who will log some"),
        ob.el("button.ob-pill", { type: "button", onclick: () => ob.askProject([dialog.team], dialog.changed) }, "New project…")) : null,
    ].filter(Boolean)));
  }

  function inviter({ team, readLinks }) {
    const role = ob.roleSelect("Role of who is invited", "viewer", () => {});
    return ob.el("p.ob-adder", {}, ob.el("span.ob-grow", {}, "A link that makes an account in this team, as"), role,
      ob.el("button.ob-pill", { type: "button", onclick: () => ob.attempt(() => ob.invite(team, role.value).then(readLinks)) }, "Make a link"));
  }

  /** Ask for a new project of one of these teams. */
  ob.askProject = function askProject(teams, changed) {
    const field = (label, input) => ob.el("label.ob-labelled", {}, ob.el("span", {}, label), input);
    const team = ob.select("Team", teams.map((one) => [one, one]), teams[0], () => {});
    const name = ob.el("input.ob-input", { maxlength: "64", required: true, autocomplete: "off", spellcheck: "false" });
    const seen = ob.select("Seen by", [["private", "whom it is granted to"], ["team", "the team"], ["organisation", "everybody"]], "team", () => {});
    ob.dialog("A new project", [...(teams.length > 1 ? [field("Team", team)] : []), field("Name", name), field("Seen by", seen)], {
      does: "Make it",
      act: async () => {
        await ob.change(`teams/${encodeURIComponent(team.value)}/projects`, { name: name.value.trim(), visibility: seen.value });
        ob.toast(`Made ${team.value} / ${name.value.trim()}`);
        changed();
      },
    });
    name.focus();
  };

  /** Make a link that makes an account, in a team when one is named. */
  ob.invite = async function invite(team, role) {
    const made = await ob.delicate("invitations", team ? { team, role } : {});
    ob.showLink("An invitation", team ? `Who opens it makes an account and is ${role} of the team ${team}.` : "Who opens it makes an account, which is in no team.", made);
  };

  async function put(dialog, name, role) {
    const { team, path } = dialog;
    try {
      await ob.delicate(path, { name, role });
      dialog.adder.empty();
      ob.toast(role ? `${name} is ${role} of ${team}` : `Took ${name} out of ${team}`);
    } catch (error) {
      if (!(error instanceof ob.Refused)) throw error;
      ob.toast(error.status === 404 ? `There is no account called ${name}.` : error.message);
    }
    const told = await ob.attempt(() => ob.getJson(path));
    if (told) paint(dialog, told.members);
    else dialog.place.closest("dialog")?.close();
    dialog.changed();
  }

  function takeOut(dialog, name) {
    ob.dialog(`Take ${name} out of ${dialog.team}?`, ob.el("p", {}, "What the team sees, is not seen by this account any more, unless it was granted to it or everybody may see it."), {
      does: "Take out", danger: true, act: () => put(dialog, name, null),
    });
  }
})((globalThis.ob = globalThis.ob || {}));
