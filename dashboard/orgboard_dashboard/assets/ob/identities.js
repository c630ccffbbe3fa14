/* The organisation's provider: what one is known by there, and what its groups are here. */
(function (ob) {
  "use strict";

  /** What the viewer is known by at the provider, as a section of the account's page. */
  ob.identitiesOf = function identitiesOf(page, { provider, identities, has_password: byPassword }) {
    if (!provider && !identities.length) return "";
    const rows = identities.map((one) => [
      one.email || "no address", ob.el("span.ob-mute", {}, one.issuer), ob.since(one.created_at), ob.since(one.used_at),
      ob.el("button.ob-quiet", { type: "button", "aria-label": `Disconnect ${one.email || one.issuer}`, onclick: () => askEnd(page, one, byPassword) }, "Disconnect"),
    ]);
    const connect = provider && ob.el("button.ob-pill", { type: "button", onclick: () => ob.attempt(() => go("identities/connect", true)) }, `Connect ${provider}`);
    return ob.section(`Sign-in by ${provider || "a provider"}`, [ob.el("span.ob-grow"), connect],
      rows.length ? ob.peopleTable("Identities", ["As", "At", "Connected", "Last used", ""], rows)
        : ob.el("p.ob-mute", {}, `Not connected. Once it is, you can sign in here by ${provider}, without a password.`));
  };

  function askEnd(page, { id, email, issuer }, byPassword) {
    ob.dialog(`Disconnect ${email || issuer}?`, ob.el("p", {}, byPassword ? "You can sign in here with your password as before, and not by it any more." : "You have no password here: set one first, by a link, or you could not sign in any more."), {
      does: "Disconnect", danger: true,
      act: async () => {
        await ob.delicate(`identities/${id}`, {}, "DELETE");
        ob.toast("Disconnected");
        page.again();
      },
    });
  }

  /** Leave for the provider, to come back to this very page. */
  async function go(path, isDelicate) {
    const body = { next: location.pathname + location.search };
    const { to } = await (isDelicate ? ob.delicate(path, body) : ob.change(path, body));
    location.assign(to);
    return new Promise(() => {});
  }

  ob.proveAtProvider = () => go("identities/prove", false);

  /** Ask who has no password to sign in at the provider again. What was begun here is begun anew after that. */
  ob.askAtProvider = function askAtProvider({ provider, identities }) {
    return new Promise((resolve, reject) => {
      const refused = (error) => reject(new ob.Refused(0, { error }));
      if (!provider || !identities.length) return refused("Nothing was changed: it wants your password, and you have none. Ask who runs the board for a link.");
      const box = ob.dialog("Is it you?", ob.el("p", {}, `Who may what is delicate, and you signed in a while ago. Sign in at ${provider} again: you come back here, and can then do it.`), {
        does: `Go to ${provider}`, act: () => ob.proveAtProvider(),
      });
      box.addEventListener("close", () => refused("Nothing was changed: it wants you to sign in again."));
    });
  };

  /** What groups of the provider are here, as a part of the page about teams. */
  ob.groupRules = async function groupRules(page, teams) {
    const { provider, rules } = await ob.getJson("groups", page.signal);
    if (!provider && !rules.length) return "";
    const writes = !page.me.read_only;
    const rows = rules.map((rule) => [
      ob.el("span.ob-mono", {}, rule.group), rule.team || "runs the board", rule.team ? rule.role : "",
      writes ? ob.el("button.ob-quiet", { type: "button", "aria-label": `End what ${rule.group} is ${rule.team ? `in ${rule.team}` : "for the board"}`, onclick: () => askDrop(page, rule) }, "End") : "",
    ]);
    const add = writes && ob.el("button.ob-pill", { type: "button", onclick: () => askRule(page, teams) }, "New rule…");
    return ob.section(`Groups of ${provider || "the provider"}`, [ob.el("span.ob-grow"), add || ""],
      ob.el("p.ob-mute", {}, "What a group gives comes and goes with it, at each sign-in by the provider. What somebody gave by hand stays."),
      rows.length ? ob.peopleTable("Groups", ["Group", "Team", "Role", ""], rows) : "");
  };

  const put = async (page, body, words) => {
    await ob.delicate("groups", body);
    ob.toast(words);
    page.again();
  };

  function askDrop(page, { group, team }) {
    const words = team ? `Who is in ${group} is not made a member of ${team} by that any more. Who is one by a group already, is so until the next sign-in; with the last rule on the team it ends at once.`
      : `Who is in ${group} does not run the board by that any more.`;
    ob.dialog(`End what ${group} gives?`, ob.el("p", {}, words), { does: "End it", danger: true, act: () => put(page, { group, team, role: null }, `${group} gives that no more`) });
  }

  function askRule(page, teams) {
    const field = (label, input) => ob.el("label.ob-labelled", {}, ob.el("span", {}, label), input);
    const group = ob.el("input.ob-input", { maxlength: "300", required: true, autocomplete: "off", autocapitalize: "none", spellcheck: "false", "aria-describedby": "ob-group-hint" });
    const role = ob.roleSelect("Role", "viewer", () => {});
    const team = ob.select("Team", [...teams.map((one) => [one.name, one.name]), ["", "none: runs the board"]], teams[0]?.name ?? "", () => { role.disabled = !team.value; });
    role.disabled = !team.value;
    ob.dialog("What a group is here", [field("Group", group), ob.el("p.ob-mute", { id: "ob-group-hint" }, "As the provider writes it in its tokens: a name, a path or an id."), field("In the team", team), field("As", role)], {
      does: "Make the rule",
      act: () => put(page, { group: group.value.trim(), team: team.value, role: team.value ? role.value : "admin" }, `${group.value.trim()} is that from the next sign-in on`),
    });
    group.focus();
  }
})((globalThis.ob = globalThis.ob || {}));
