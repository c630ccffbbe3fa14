/* Who is signed in: the button in the header, and what all pages about people have in common.
   A board without accounts has none of it. */
(function (ob) {
  "use strict";

  const ROLES = ["viewer", "editor", "admin"];

  let asked = null;
  let me = { signed_in: false, is_admin: false };

  /** Who looks: {name, kind, is_admin, signed_in, read_only}. */
  ob.whoAmI = function whoAmI() {
    asked ??= ob.getJson("me").then((told) => (me = told), (error) => {
      asked = null;
      throw error;
    });
    return asked;
  };

  /** Put the account's button into the header. */
  ob.showAccount = async function showAccount() {
    const place = document.getElementById("ob-account");
    if (!place || !(await ob.whoAmI()).signed_in) return;
    const button = ob.el("button.ob-me", {
      type: "button", "aria-haspopup": "dialog", "aria-expanded": "false", "aria-label": `Account: ${me.name}`, title: me.name,
      onclick: () => openAccountMenu(button),
    }, initials(me.name));
    place.replaceChildren(button);
    ob.showBell(place);
  };

  /** Give one or two letters: ana.lopez is AL, ben is B. */
  function initials(name) {
    const parts = name.split(/[^\p{L}\p{N}]+/u).filter(Boolean);
    const letters = [parts[0], ...(parts.length > 1 ? [parts.at(-1)] : [])].map((part) => String.fromCodePoint(part.codePointAt(0)));
    return letters.join("").toLocaleUpperCase();
  }

  async function openAccountMenu(button) {
    const { project } = ob;
    const here = project ? await ob.attempt(() => ob.me(project.path)) : null;
    ob.openMenu(button, "Account",
      ob.el("div.ob-pop-head.ob-me-name", {}, me.name, me.is_admin ? ob.el("span.ob-mute", {}, " · runs the board") : ""),
      ...(here?.can_share ? [ob.menuItem(`Access to ${project.name}…`, () => ob.openAccess(project.team, project.name))] : []),
      ...ob.ownPages().map(({ label, act }) => ob.menuItem(label, act)),
      ob.menuItem("Sign out", () => ob.signOut()));
  }

  /** The page of what the organisation calls its metrics, which guests do not have. */
  ob.dictionaryPage = () => (me.kind === "share" ? [] : [{ label: "Dictionary of metrics", act: () => ob.goTo(`${ob.base()}dictionary`) }]);

  /** The pages that are about people, as menus and the palette list them. */
  ob.ownPages = () => [
    ...(me.signed_in ? [{ label: "Account", act: () => ob.goTo(`${ob.base()}account`) }] : []),
    ...(me.signed_in && me.is_admin ? [{ label: "Admin", act: () => ob.goTo(`${ob.base()}admin`) }] : []),
    ...(me.signed_in ? [{ label: "Inbox", act: () => ob.goTo(`${ob.base()}account/mentions`) }] : []),
    ...(me.kind === "share" ? [] : [ob.feedPage()]),
    ...ob.dictionaryPage(),
  ];

  /** Ask for a change that wants the password to be fresh; ask for the password when it is not. */
  ob.delicate = async function delicate(path, body, method) {
    try {
      return await ob.change(path, body, method);
    } catch (error) {
      if (!(error instanceof ob.Refused) || !error.details.prove) throw error;
    }
    await askProof();
    return ob.change(path, body, method);
  };

  /** Ask who it is: for the password, or, of who has none, at the provider. */
  async function askProof() {
    const known = await ob.getJson("identities");
    return known.has_password ? askPassword(known) : ob.askAtProvider(known);
  }

  function askPassword(known) {
    return new Promise((resolve, reject) => {
      let proved = false;
      const input = ob.el("input.ob-input", { type: "password", name: "password", autocomplete: "current-password", required: true, maxlength: "256", "aria-label": "Your password" });
      const box = ob.dialog("Is it you?", [
        ob.el("p", {}, "Who may what is delicate, and you gave your password a while ago."),
        ob.el("input", { type: "text", hidden: true, autocomplete: "username", value: me.name }), input,
        known.provider && known.identities.length ? ob.el("p.ob-spaced", {}, ob.el("button.ob-quiet", { type: "button", onclick: () => ob.attempt(() => ob.proveAtProvider()) }, `Or sign in at ${known.provider} again, and come back here`)) : "",
      ], {
        does: "Go on",
        act: async () => {
          await ob.change("prove", { password: input.value });
          proved = true;
        },
      });
      box.addEventListener("close", () => (proved ? resolve() : reject(new ob.Refused(0, { error: "Nothing was changed: it wants your password." }))));
      input.focus();
    });
  }

  /** Show a link that was made: once, to be copied. */
  ob.showLink = function showLink(title, words, { link, expires_at: until }) {
    // The server knows where the board is, or the browser does.
    const address = new URL(link, new URL(ob.base(), location.href)).href;
    ob.showSecret(title, "The link", address, [
      ob.el("p", {}, `It works once, until ${ob.moment(until)}, and is not shown again. Who has it has what it gives.`),
    ], [ob.el("p", {}, words)]);
  };

  /** Show what was made and is told once, to be copied; with words above and below. */
  ob.showSecret = function showSecret(title, label, secret, below, above = []) {
    const field = copyField(label, secret);
    ob.dialog(title, [...above, field, ...below], { act: () => {} });
    field.firstElementChild.focus();
  };

  /** Make a field with what is to be copied, under its name. */
  ob.secretField = (label, secret) => ob.el("div.ob-secret-named", {}, ob.el("span", { "aria-hidden": "true" }, label), copyField(label, secret));

  function copyField(label, secret) {
    const field = ob.el("input.ob-input.ob-mono", { readonly: true, value: secret, "aria-label": label, onfocus: () => field.select() });
    const copy = ob.el("button.ob-pill", { type: "button", onclick: () => copyTo(copy, secret) }, "Copy");
    return ob.el("p.ob-secret", {}, field, copy);
  }

  async function copyTo(button, text) {
    const done = await navigator.clipboard?.writeText(text).then(() => true, () => false);
    button.textContent = done ? "Copied" : "Press Ctrl C";
    if (!done) button.previousElementSibling.select();
  }

  /** A name before what is no field by itself: a row of choices. */
  ob.labelled = (label, choices) => ob.el("div.ob-pop-field", {}, ob.el("span", { "aria-hidden": "true" }, label), choices);

  /** Make a field for a role; `more` are further choices. */
  ob.roleSelect = (label, value, onchange, more = []) => ob.select(label, [...ROLES.map((role) => [role, role]), ...more], value, onchange);

  /** Say why somebody has a role in a project. */
  ob.whyWords = ({ ways, team }) => ways.map(({ by, role }) => ({
    board: "runs the board", grant: `granted as ${role}`, team: `${role} of the team ${team}`, organisation: "everybody may view it",
  })[by]).join(" · ");

  /** Make a table of people: `heads` are words, `rows` lists of cells; on a phone a row is a block. */
  ob.peopleTable = function peopleTable(label, heads, rows) {
    const cells = (row) => row.map((cell, i) => ob.el(!heads[i] && i === row.length - 1 ? "td.ob-end" : "td", { "data-label": heads[i] || null }, ...[cell].flat().filter((part) => part !== null && part !== "")));
    return ob.el("table.ob-people", { "aria-label": label },
      ob.el("thead", {}, ob.el("tr", {}, ...heads.map((head) => (head ? ob.el("th", { scope: "col" }, head) : ob.el("td", {}))))),
      ob.el("tbody", {}, ...rows.map((row) => ob.el("tr", {}, ...cells(row)))));
  };

  /** A moment as a cell: how long ago, and the exact time on it. */
  ob.since = (wall) => (wall ? ob.el("span", { title: ob.moment(wall) }, ob.ago(wall)) : "");

  /** Names in words: a, b, c and 4 others. */
  ob.namesInWords = function namesInWords(names, most = 8) {
    const shown = names.length > most + 1 ? names.slice(0, most) : names;
    const rest = names.length - shown.length;
    const parts = rest ? [...shown, ob.plural(rest, "other")] : shown;
    return parts.length < 2 ? parts.join("") : `${parts.slice(0, -1).join(", ")} and ${parts.at(-1)}`;
  };

  /** Run a page about people: `draw(page)` lays it out; it is drawn anew by `page.again()`. */
  ob.peoplePage = function peoplePage(root, draw) {
    const controller = new AbortController();
    const page = { root, signal: controller.signal, again: () => run(page, draw) };
    run(page, draw);
    return () => controller.abort();
  };

  /** Try what a page does by itself, and no more once it was left. */
  ob.whileHere = (act) => ob.attempt(act).catch((error) => {
    if (error.name !== "AbortError") throw error;
  });

  async function run(page, draw) {
    try {
      page.me = await ob.whoAmI();
      if (page.me.signed_in) await draw(page);
      else page.root.replaceChildren(withoutAccounts());
    } catch (error) {
      if (error instanceof ob.Refused) page.root.replaceChildren(ob.empty(error.message));
      else if (error.name !== "AbortError") throw error;
    }
  }

  const withoutAccounts = () => ob.empty("This board has no accounts: who can reach it may do everything, and only this machine can. To give people accounts, run ",
    ob.el("code", {}, "orgboard user add NAME --admin"), " on it. From then on everybody signs in.");
})((globalThis.ob = globalThis.ob || {}));
