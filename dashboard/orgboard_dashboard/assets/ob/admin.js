/* The pages for who runs the board: people, teams, projects, tokens. The others are in files
   of their own. */
(function (ob) {
  "use strict";

  const SECTIONS = [["people", "People"], ["teams", "Teams"], ["projects", "Projects"], ["tokens", "Tokens"], ["sessions", "Sessions"],
    ["directories", "Directories"], ["storage", "Storage"], ["ingest", "Ingest"], ["audit", "Audit log"]];

  ob.pages = ob.pages || {};

  ob.pages.admin = (root) => ob.peoplePage(root, draw);

  async function draw(page) {
    const { section } = page.root.dataset;
    if (!page.me.is_admin) return page.root.replaceChildren(ob.empty("There is nothing here, or it is not shared with you."));
    const content = await { people, teams, projects, tokens, sessions: ob.sessionsSection, directories: ob.directoriesSection, storage: ob.storageSection,
      ingest: ob.ingestSection, audit: ob.auditSection }[section](page);
    const links = SECTIONS.map(([key, label]) => ob.el(key === section ? "a.ob-nav.ob-on" : "a.ob-nav", { href: `${ob.base()}admin/${key}`, "aria-current": key === section ? "page" : null }, label));
    ob.keepFocus(page.root, () => page.root.replaceChildren(ob.el("div.ob-plain.ob-peoplepage", {},
      ob.el("h1", {}, "Admin"), ob.el("nav.ob-subtabs", { "aria-label": "Admin" }, ...links), ...content)));
    // On a phone they are wider than the page.
    page.root.querySelector(".ob-subtabs .ob-on").scrollIntoView({ inline: "nearest", block: "nearest" });
  }

  const bar = (words, ...buttons) => ob.el("div.ob-peoplebar", {}, ob.el("span.ob-mute.ob-grow", {}, words), ...buttons.filter(Boolean));
  const button = (label, act) => ob.el("button.ob-pill", { type: "button", onclick: act }, label);
  ob.peopleBar = bar;

  async function people(page) {
    const { accounts } = await ob.getJson("accounts", page.signal);
    const rows = accounts.map((row) => [
      row.name, [row.kind, row.is_admin ? ob.el("span.ob-mute", {}, ", runs the board") : ""], stateOf(row), ob.since(row.used_at),
      ob.el("button.ob-quiet", { type: "button", "aria-haspopup": "menu", "aria-label": `What can be done with ${row.name}`, onclick: (event) => ob.menu(event, row.name, actionsOf(page, row)) }, "Change"),
    ]);
    const writes = !page.me.read_only;
    const [open] = await ob.openInvitations("invitations", writes, "h2", page.signal);
    const table = ob.peopleTable("Accounts", ["Name", "Kind", "State", "Last used", ""], rows);
    return [bar(ob.plural(accounts.length, "account"), accounts.length > ob.SEARCHED_FROM && finder(accounts, table),
      writes && button("Invite…", () => askInvitation(page)), writes && button("New account…", () => askAccount(page))), table, open];
  }

  /** Make a field that leaves the rows of a name; `table` has one for each account. */
  function finder(accounts, table) {
    const find = () => {
      const words = field.value.trim().toLowerCase();
      [...table.tBodies[0].rows].forEach((row, i) => { row.hidden = !accounts[i].name.toLowerCase().includes(words); });
    };
    const field = ob.el("input.ob-input", { type: "search", placeholder: "Find a name", "aria-label": "Find a name", oninput: find });
    return field;
  }

  function stateOf(row) {
    if (row.disabled_at !== null) return "asleep";
    return row.kind === "person" && !row.has_password && !row.has_identity ? "no password yet" : "";
  }

  function actionsOf(page, row) {
    const { name } = row;
    const path = `accounts/${encodeURIComponent(name)}`;
    const change = async (body, words) => {
      await ob.delicate(path, body, "PATCH");
      ob.toast(words);
      page.again();
    };
    const changed = (body, words) => ob.attempt(() => change(body, words));
    const asleep = row.disabled_at !== null;
    const sees = { label: `What ${name} sees`, act: () => ob.attempt(() => showSights(name)) };
    if (page.me.read_only) return [sees];
    return [
      sees,
      ...(row.kind === "person" && !asleep ? [{ label: "Link to set a password…", act: () => ob.attempt(() => makeLink(page, row)) }] : []),
      ...(row.has_second ? [{ label: "Ask for no second factor…", act: () => askEndSecond(name, () => ob.delicate(`${path}/second-factor`, {}, "DELETE").then(() => { ob.toast(`${name} is asked for no second factor`); page.again(); })) }] : []),
      ...(row.kind === "service" && !asleep ? [{ label: "New token…", act: () => ob.askToken(name) }] : []),
      null,
      row.is_admin ? { label: "Runs the board no more", act: () => changed({ admin: false }, `${name} runs the board no more`) }
        : { label: "Let it run the board…", act: () => askAdmin(name, () => change({ admin: true }, `${name} runs the board`)) },
      asleep ? { label: "Wake", act: () => changed({ disabled: false }, `${name} can sign in again`) }
        : { label: "Put to sleep…", danger: true, act: () => askSleep(name, () => change({ disabled: true }, `${name} is asleep`)) },
    ];
  }

  async function makeLink(page, { name, has_password: has }) {
    const make = async () => {
      const made = await ob.delicate(`accounts/${encodeURIComponent(name)}/link`, {});
      ob.showLink(`A link for ${name}`, "Who opens it sets the password of this account.", made);
      page.again();
    };
    if (!has) return make();
    ob.dialog(`A new password for ${name}?`, ob.el("p", {}, "You get a link for who forgot the password. Nothing changes until it is opened; then all sessions of the account are over."), { does: "Make the link", act: make });
  }

  const askAdmin = (name, act) => ob.dialog(`Let ${name} run the board?`, ob.el("p", {}, "It may then do everything everywhere: see all projects, make admins, and put any account to sleep, yours too."), { does: "Let it run the board", act });

  const askEndSecond = (name, act) => ob.dialog(`Ask ${name} for no second factor?`, ob.el("p", {}, "Do it for who lost the device and the recovery codes, and make sure that it is who says so: the password alone opens the account then."), { does: "Ask for none", danger: true, act });

  const askSleep = (name, act) => ob.dialog(`Put ${name} to sleep?`, ob.el("p", {}, "It is signed out everywhere, its tokens stop working, and nobody can sign in with it. What it wrote stays, under its name. It can be woken again."), { does: "Put to sleep", danger: true, act });

  async function showSights(name) {
    const { projects } = await ob.getJson(`accounts/${encodeURIComponent(name)}/access`);
    const rows = projects.map((sight) => [`${sight.team} / ${sight.project}`, sight.role, ob.whyWords(sight)]);
    const content = rows.length ? ob.peopleTable("Projects", ["Project", "As", "Because"], rows) : ob.el("p", {}, "No project.");
    ob.dialog(`What ${name} sees`, content, { act: () => {} }).classList.add("ob-wide");
  }

  function askAccount(page) {
    const name = ob.el("input.ob-input", { maxlength: "64", "aria-label": "Name", placeholder: "Name", required: true, autocomplete: "off", autocapitalize: "none", spellcheck: "false" });
    const kind = ob.select("Kind", [["person", "a person: you get a link to set the password"], ["service", "a service: a program's, has tokens only"]], "person", () => {});
    ob.dialog("A new account", [name, ob.el("p.ob-spaced", {}, kind)], {
      does: "Make it",
      act: async () => {
        const made = await ob.delicate("accounts", { name: name.value.trim(), kind: kind.value });
        page.again();
        if (made.link) ob.showLink(`A link for ${made.name}`, "Who opens it sets the password of this account.", made);
        else ob.toast(`Made ${made.name}`);
      },
    });
    name.focus();
  }

  async function askInvitation(page) {
    const told = await ob.attempt(() => ob.getJson("teams"));
    if (!told) return;
    const role = ob.roleSelect("Role", "viewer", () => {});
    const team = ob.select("Team", [["", "no team"], ...told.teams.map((one) => [one.name, one.name])], told.teams[0]?.name ?? "", () => { role.disabled = !team.value; });
    role.disabled = !team.value;
    ob.dialog("Invite somebody", [
      ob.el("p", {}, "A link with which one person makes an account, under a name of their choice."),
      ob.el("label.ob-labelled", {}, ob.el("span", {}, "Into the team"), team), ob.el("label.ob-labelled", {}, ob.el("span", {}, "As"), role),
    ], { does: "Make a link", act: () => ob.invite(team.value, role.value).then(page.again) });
  }

  async function tokens(page) {
    const { tokens: all } = await ob.getJson("tokens?everybodys=true", page.signal);
    return [bar(`${ob.plural(all.length, "token")} of programs. Each asks in the name of an account, which makes its own; for a service's, see People.`),
      all.length ? ob.tokenTable(all, true, page.again) : ob.el("p.ob-mute", {}, "No token was made yet, or all have ended.")];
  }

  async function teams(page) {
    const { teams: rows } = await ob.getJson("teams", page.signal);
    const cells = rows.map((row) => [row.name, ob.plural(row.members, "member"), ob.plural(row.projects, "project"),
      ob.el("button.ob-quiet", { type: "button", "aria-label": `Members of ${row.name}`, onclick: () => ob.openTeam(row.name, page.again) }, "Members")]);
    return [bar(ob.plural(rows.length, "team"), !page.me.read_only && button("New team…", () => askTeam(page))),
      rows.length ? ob.peopleTable("Teams", ["Team", "", "", ""], cells) : ob.el("p.ob-mute", {}, "No team yet. Projects belong to teams; the first ingest makes the team default."),
      await ob.groupRules(page, rows)];
  }

  function askTeam(page) {
    const name = ob.el("input.ob-input", { maxlength: "64", "aria-label": "Name of the team", placeholder: "Name of the team", required: true, autocomplete: "off", spellcheck: "false" });
    ob.dialog("A new team", name, {
      does: "Make it",
      act: async () => {
        await ob.change("teams", { name: name.value.trim() });
        page.again();
        ob.openTeam(name.value.trim(), page.again);
      },
    });
    name.focus();
  }

  async function projects(page) {
    const [{ places }, { teams: all }] = await Promise.all(["places", "teams"].map((path) => ob.getJson(path, page.signal)));
    const rows = places.map((row) => [
      ob.el("a.ob-nav", { href: `${ob.base()}${ob.projectPath(row.team, row.project)}/scalars` }, ob.el("span.ob-mute", {}, `${row.team} / `), row.project),
      row.visibility, row.grants ? ob.plural(row.grants, "grant") : "", ob.plural(row.runs, "run"),
      page.me.read_only ? "" : ob.el("button.ob-quiet", { type: "button", "aria-label": `Access to ${row.team} / ${row.project}`, onclick: () => ob.openAccess(row.team, row.project, page.again) }, "Access"),
    ]);
    return [bar(ob.plural(places.length, "project"), !page.me.read_only && all.length ? button("New project…", () => ob.askProject(all.map((one) => one.name), page.again)) : null),
      rows.length ? ob.peopleTable("Projects", ["Project", "Seen by", "", "", ""], rows) : ob.el("p.ob-mute", {}, "No project yet. ", ob.el("code", {}, "orgboard ingest DIR --project TEAM/PROJECT"), " makes one, and so does the button.")];
  }
})((globalThis.ob = globalThis.ob || {}));
