/* One's own account: password, sessions, teams, and what one sees; what one is told is in `inbox.js`. */
(function (ob) {
  "use strict";

  ob.pages = ob.pages || {};

  ob.pages.account = (root) => ob.peoplePage(root, root.dataset.section === "mentions" ? ob.drawMentions : draw);

  async function draw(page) {
    const [{ sessions }, { projects, teams }, { tokens }, { watches }, known, second] = await Promise.all(["sessions", "access", "tokens", "watches", "identities", "second-factor"].map((path) => ob.getJson(path, page.signal)));
    ob.keepFocus(page.root, () => page.root.replaceChildren(ob.el("div.ob-plain.ob-peoplepage", {},
      ob.el("h1", {}, page.me.name), page.me.is_admin ? ob.el("p.ob-mute", {}, "You run this board.") : "",
      sessionsOf(page, sessions), known.has_password ? passwordOf(page) : "", ob.identitiesOf(page, known), known.has_password ? ob.secondOf(page, second) : "", ob.watchesOf(page, watches), teamsOf(teams), projectsOf(projects), tokensOf(page, tokens))));
  }

  function sessionsOf(page, sessions) {
    const end = (body, words) => ob.attempt(async () => {
      const { ended } = await ob.change("sessions/end", body);
      ob.toast(words(ended));
      page.again();
    });
    const rows = sessions.map((one) => [
      ob.el("span", { title: one.agent }, ob.agentInWords(one.agent)), one.address || "unknown", ob.since(one.created_at), ob.since(one.used_at),
      one.is_this ? ob.el("span.ob-mute", {}, "this one") : ob.el("button.ob-quiet", {
        type: "button", "aria-label": `End the session of ${ob.agentInWords(one.agent)} at ${one.address}`,
        onclick: () => end({ id: one.id }, () => "Ended the session"),
      }, "End"),
    ]);
    const others = sessions.length > 1 ? ob.el("button.ob-pill", { type: "button", onclick: () => end({ others: true }, (n) => `Ended ${ob.plural(n, "session")}`) }, "End all others") : null;
    return ob.section("Where you are signed in", [ob.el("span.ob-grow"), others], ob.peopleTable("Sessions", ["Browser", "From", "Signed in", "Last used", ""], rows));
  }

  /** Tell a browser and a system from what the browser calls itself. */
  ob.agentInWords = function agentInWords(agent) {
    const known = (names) => names.find(([pattern]) => pattern.test(agent))?.[1];
    const browser = known([[/Edg\//, "Edge"], [/OPR\//, "Opera"], [/Firefox\//, "Firefox"], [/Chrome\//, "Chrome"], [/Safari\//, "Safari"]]);
    const system = known([[/Windows/, "Windows"], [/iPhone|iPad/, "iOS"], [/Mac OS X/, "macOS"], [/Android/, "Android"], [/Linux|X11/, "Linux"]]);
    return [browser ?? (agent.split(/[\s/]/)[0] || "Unknown"), system && `on ${system}`].filter(Boolean).join(" ");
  };

  function passwordOf(page) {
    const field = (label, name, complete, more = {}) => {
      const input = ob.el("input.ob-input", { type: "password", name, autocomplete: complete, required: true, maxlength: "256", ...more });
      return [input, ob.el("label.ob-labelled", {}, ob.el("span", {}, label), input)];
    };
    const [current, currentLabel] = field("Your password now", "current", "current-password");
    const [wanted, wantedLabel] = field("The new one", "password", "new-password", { minlength: "12", "aria-describedby": "ob-password-hint" });
    const problem = ob.el("p.ob-problem", { role: "alert" });
    const go = ob.el("button.ob-pill.ob-go", { type: "submit" }, "Change the password");
    const onsubmit = async (event) => {
      event.preventDefault();
      go.disabled = true;
      problem.textContent = "";
      try {
        await ob.change("password", { current: current.value, password: wanted.value });
        event.target.reset();
        ob.toast("Changed your password; other sessions are over");
        page.again();
      } catch (error) {
        if (!(error instanceof ob.Refused)) throw error;
        problem.textContent = error.message;
      } finally {
        go.disabled = false;
      }
    };
    return ob.section("Password", null, ob.el("form.ob-form", { onsubmit },
      ob.el("input", { type: "text", hidden: true, autocomplete: "username", value: page.me.name }),
      currentLabel, wantedLabel, go),
    ob.el("p.ob-mute", { id: "ob-password-hint" }, "At least 12 characters; a sentence is a good one. Wherever else you are signed in, you are signed out."), problem);
  }

  function teamsOf(teams) {
    const mine = teams.filter((team) => team.role);
    const rows = mine.map((team) => [team.name, team.role, ob.plural(team.members, "member"),
      ob.el("button.ob-quiet", { type: "button", "aria-label": `Who is in ${team.name}`, onclick: () => ob.openTeam(team.name) }, "Who is in it")]);
    return ob.section("Your teams", null, rows.length ? ob.peopleTable("Teams", ["Team", "You are", "", ""], rows)
      : ob.el("p.ob-mute", {}, "You are in no team. An admin of one can put you in."));
  }

  function tokensOf(page, tokens) {
    const make = ob.el("button.ob-pill", { type: "button", onclick: () => ob.askToken("", page.again) }, "New token…");
    return ob.section("Tokens for programs", [ob.el("span.ob-grow"), make], tokens.length ? ob.tokenTable(tokens, false, page.again)
      : ob.el("p.ob-mute", {}, "None. By a token a script of yours reads what you see, or says things of runs."));
  }

  function projectsOf(projects) {
    const rows = projects.map((sight) => [
      ob.el("a.ob-nav", { href: `${ob.base()}${ob.projectPath(sight.team, sight.project)}/scalars` }, ob.el("span.ob-mute", {}, `${sight.team} / `), sight.project),
      sight.role, ob.whyWords(sight)]);
    return ob.section("What you see", null, rows.length ? ob.peopleTable("Projects", ["Project", "As", "Because"], rows)
      : ob.el("p.ob-mute", {}, "No project is shared with you yet. Ask who runs one to give you access, by your name."));
  }
})((globalThis.ob = globalThis.ob || {}));
