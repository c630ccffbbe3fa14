/* The admin page on sessions: who is signed in, since when and from where; ended one by one or all of an account's. */
(function (ob) {
  "use strict";

  /** Lay out the section of the admin pages; gives its elements. */
  ob.sessionsSection = async function sessionsSection(page) {
    const shown = { words: "" };
    const list = ob.el("div");
    const words = ob.el("span", { role: "status" });
    const again = async () => {
      const told = await ob.getJson(`admin/sessions?${new URLSearchParams({ q: shown.words })}`, page.signal);
      words.textContent = inWords(told, shown.words);
      ob.keepFocus(list, () => list.replaceChildren(told.sessions.length ? table(page, told.sessions, again)
        : ob.el("p.ob-mute", {}, shown.words ? `No session has “${shown.words}” in its name, address or browser.` : "Nobody is signed in.")));
    };
    const find = ob.settled(200, () => ob.whileHere(again));
    const field = ob.el("input.ob-input.ob-found", { type: "search", maxlength: "200", placeholder: "Find a name, address, browser", "aria-label": "Find sessions",
      oninput: () => {
        shown.words = field.value.trim();
        find();
      } });
    await again();
    return [ob.peopleBar(words, field), list];
  };

  function inWords({ sessions, is_all: isAll }, words) {
    if (!isAll) return `The ${ob.count(sessions.length)} sessions used last; find others by a word.`;
    const people = new Set(sessions.map((one) => one.account)).size;
    return `${ob.plural(sessions.length, "session")} of ${ob.plural(people, "account")}${words ? " found" : ""}`;
  }

  function table(page, sessions, again) {
    const own = (one) => (one.is_this ? [ob.el("span.ob-mute", {}, "this one")] : [
      ob.el("button.ob-quiet", { type: "button", "aria-haspopup": "menu", "aria-label": `End sessions of ${one.account}: ${ob.agentInWords(one.agent)} at ${one.address || "an unknown address"}`,
        onclick: (event) => ob.menu(event, one.account, [
          { label: "End this session", act: () => end({ id: one.id }, again) },
          { label: `End all of ${one.account}…`, danger: true, act: () => askAll(page, one.account, again) },
        ]) }, "End")]);
    const rows = sessions.map((one) => [
      [one.account, one.is_admin ? ob.el("span.ob-mute", {}, ", runs the board") : ""], ob.since(one.created_at), ob.since(one.used_at),
      one.address || "unknown", ob.el("span", { title: one.agent }, ob.agentInWords(one.agent)), page.me.read_only ? "" : own(one),
    ]);
    return ob.peopleTable("Sessions", ["Who", "Signed in", "Last used", "From", "Browser", ""], rows);
  }

  const end = (body, again) => ob.attempt(async () => {
    const { ended } = await ob.delicate("admin/sessions/end", body);
    ob.toast(`Ended ${ob.plural(ended, "session")}`);
    await again();
  });

  const askAll = (page, account, again) => ob.dialog(`End all sessions of ${account}?`, ob.el("p", {}, account === page.me.name
    ? "You are signed out everywhere but here."
    : "Whoever is signed in with this account is signed out, and can sign in again by the password. Its tokens go on working; to stop those, too, put the account to sleep."),
  { does: "End them", danger: true, act: () => end({ account }, again) });
})((globalThis.ob = globalThis.ob || {}));
