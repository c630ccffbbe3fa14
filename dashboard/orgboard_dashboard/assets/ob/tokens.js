/* The part of one's account on tokens: what programs ask by, in one's own name. */
(function (ob) {
  "use strict";

  const SCOPES = [["read", "Read"], ["write", "Read and change"]];

  /** Lay out the tokens of who is signed in; `sights` are the projects that a token can be held to. */
  ob.tokensOf = function tokensOf(page, tokens, sights) {
    const revoke = (token) => ob.attempt(async () => {
      await ob.change(`tokens/${encodeURIComponent(token.id)}`, {}, "DELETE");
      ob.toast(`${ob.shortName(token.name, 30)} lets in no more`);
      page.again();
    });
    const rows = tokens.map((token) => [
      token.name, token.scope === "write" ? "reads and changes" : "reads", token.place || "all that you see",
      ob.moment(token.expires_at), token.used_at ? ob.since(token.used_at) : "never",
      ob.el("button.ob-quiet", { type: "button", "aria-label": `Revoke the token ${token.name}`, onclick: () => revoke(token) }, "Revoke"),
    ]);
    const add = ob.el("button.ob-pill", { type: "button", onclick: () => ask(page, sights) }, "New token…");
    return ob.section("Tokens for programs", [ob.el("span.ob-grow"), add], rows.length ? ob.peopleTable("Tokens", ["Token", "May", "In", "Ends", "Last used", ""], rows)
      : ob.el("p.ob-mute", {}, "A script or a CI job asks ", ob.el("code", {}, "/api/v1"), " by a token, for no more than you may yourself."));
  };

  function ask(page, sights) {
    const name = ob.el("input.ob-input", { maxlength: "100", required: true, "aria-label": "Name", placeholder: "What it is for", spellcheck: "false", autocomplete: "off" });
    const chosen = { scope: "read", place: "", days: "90" };
    const scope = ob.segmented("It may", SCOPES, chosen.scope, (value) => { chosen.scope = value; });
    const places = [...new Set(sights.map(({ team }) => team)), ...sights.map(({ team, project }) => `${team}/${project}`)];
    const place = ob.select("In", [["", "all that you see"], ...places.map((one) => [one, one])], "", (value) => { chosen.place = value; });
    const days = ob.segmented("Ends in", [["7", "7 days"], ["90", "90 days"], ["366", "a year"]], chosen.days, (value) => { chosen.days = value; });
    ob.dialog("New token", [ob.menuField("Name", name), ob.labelled("It may", scope), ob.labelled("In", place), ob.labelled("Ends in", days)], {
      does: "Make the token",
      act: async () => {
        const made = await ob.delicate("tokens", { ...chosen, name: name.value, days: Number(chosen.days) });
        ob.showOnce(`Token: ${ob.shortName(made.name, 40)}`, "The program sends it as: Authorization: Bearer and the token.", made.token, "The token");
        page.again();
      },
    });
    name.focus();
  }
})((globalThis.ob = globalThis.ob || {}));
