/* Tokens, by which programs ask in somebody's name: listed, made, revoked. */
(function (ob) {
  "use strict";

  const SCOPES = [["read", "look and export"], ["write", "and change what is said of runs"]];
  const DAYS = [["7", "a week"], ["30", "30 days"], ["90", "90 days"], ["366", "a year"]];

  /** Make a table of tokens; `owned` says whose they are, too. `changed` is called after one is revoked. */
  ob.tokenTable = function tokenTable(tokens, owned, changed) {
    const rows = tokens.map((one) => [
      one.name, ...(owned ? [one.owner] : []), one.scope, one.place || "wherever its owner may", ob.el("span", { title: ob.moment(one.expires_at) }, `in ${ob.span(one.expires_at - Date.now() / 1000)}`), ob.since(one.used_at),
      ob.el("button.ob-quiet", { type: "button", "aria-label": `Revoke ${one.name}`, onclick: () => askRevoke(one, changed) }, "Revoke"),
    ]);
    return ob.peopleTable("Tokens", ["Name", ...(owned ? ["Of"] : []), "May", "Where", "Ends", "Last used", ""], rows);
  };

  function askRevoke(token, changed) {
    ob.dialog(`Revoke ${token.name}?`, ob.el("p", {}, "What asks by it is refused from its next request on. It cannot be brought back."), {
      does: "Revoke", danger: true,
      act: async () => {
        await ob.change(`tokens/${encodeURIComponent(token.id)}`, {}, "DELETE");
        ob.toast(`Revoked ${token.name}`);
        changed();
      },
    });
  }

  /** Ask what a token is to be for, and show it once; `owner` is a service's name, or "" for oneself. */
  ob.askToken = async function askToken(owner, changed = () => {}) {
    const seen = await ob.attempt(() => ob.getJson(owner ? `accounts/${encodeURIComponent(owner)}/access` : "access"));
    if (!seen) return;
    const field = (label, input) => ob.el("label.ob-labelled", {}, ob.el("span", {}, label), input);
    const name = ob.el("input.ob-input", { required: true, maxlength: "100", placeholder: "nightly report", autocomplete: "off", spellcheck: "false" });
    const scope = ob.select("What it may", SCOPES, "read", () => {});
    const projects = seen.projects.map((sight) => [JSON.stringify([sight.team, sight.project]), `${sight.team} / ${sight.project}`]);
    const place = ob.select("Where it holds", [["[]", "wherever its owner may"], ...projects], "[]", () => {});
    const days = ob.select("For how long", DAYS, "90", () => {});
    ob.dialog(owner ? `A token of ${owner}` : "A new token", [
      ob.el("p", {}, "A program asks by it in ", owner ? `the name of ${owner}` : "your name", ", never for more than the account may at that moment."),
      field("What it is for", name), field("It may", scope), field("Where", place), field("For how long", days),
    ], {
      does: "Make it",
      act: async () => {
        const [team = "", project = ""] = JSON.parse(place.value);
        show(await ob.delicate("tokens", { name: name.value, scope: scope.value, days: Number(days.value), team, project, owner }));
        changed();
      },
    });
    name.focus();
  };

  function show({ token, name }) {
    const address = new URL(`${ob.base()}api/v1/projects`, location.href).href;
    ob.showSecret(`The token for ${name}`, "The token", token, [
      ob.el("p", {}, "It is not shown again. Keep it where your program finds it and others do not, and send it as a header:"),
      ob.el("p", {}, ob.el("code", {}, `curl -H "Authorization: Bearer $TOKEN" ${address}`)),
    ]);
  }
})((globalThis.ob = globalThis.ob || {}));
