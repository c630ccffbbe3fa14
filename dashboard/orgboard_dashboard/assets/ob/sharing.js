/* Share what is seen by a link, with people who have no account; and see which links there are. */
(function (ob) {
  "use strict";

  const ENDS = [["7", "7 days"], ["30", "30 days"], ["90", "90 days"], ["365", "a year"]];

  /** Whether the one who looks may share pages of the project that is open. */
  ob.canShare = (me) => Boolean(ob.project && me.can_share);

  /** Ask how to share the page as it is, and show the link; below, the links that still open. */
  ob.askShare = async function askShare() {
    const { path, name } = ob.project;
    const found = await ob.attempt(async () => ({ ...(await ob.getJson(`${path}/shares`)), ...(await ob.getJson(`${path}/embeds`)) }));
    if (!found) return;
    const uids = ob.project.shown().map((run) => run.uid);
    const chosen = { only: uids.length ? "shown" : "all", days: "30" };
    const title = ob.el("input.ob-input", { value: ob.shownView()?.name ?? name, maxlength: "200", "aria-label": "Title", required: true, spellcheck: "false", autocomplete: "off" });
    const whose = ob.segmented("Which runs", [...(uids.length ? [["shown", `The ${ob.count(uids.length)} shown`]] : []), ["all", "All of the project"]], chosen.only, (value) => { chosen.only = value; });
    const ends = ob.segmented("Ends in", ENDS, chosen.days, (value) => { chosen.days = value; });
    const list = ob.el("div.ob-shares");
    paint(list, path, found.shares);
    const frames = ob.el("div.ob-shares");
    ob.paintEmbeds(frames, path, found.embeds);
    const box = ob.dialog("Share this page", [
      ob.el("p", {}, "Whoever has the link sees this page and these runs, and changes nothing. It needs no account."),
      ob.menuField("Title", title), ob.labelled("Runs", whose), ob.labelled("Ends in", ends), list, frames,
    ], {
      does: "Make a link",
      act: async () => {
        const body = { title: title.value, path: location.pathname.slice(ob.base().length - 1) + (await ob.linkQuery()), days: Number(chosen.days) };
        const made = await ob.delicate(`${path}/shares`, chosen.only === "all" ? body : { ...body, runs: uids });
        ob.showSecret(`Link to ${ob.shortName(made.title, 40)}`, "The link", made.link, [ob.el("p", {}, "Whoever has it sees this page. It is not shown again; it can be revoked where it was made.")]);
      },
    });
    title.select();
    return box;
  };

  function paint(list, path, shares) {
    if (!shares.length) return list.replaceChildren();
    list.replaceChildren(ob.el("h3", {}, "Links that open"), ob.el("ul", {}, ...shares.map((share) => entry(list, path, shares, share))));
  }

  function entry(list, path, shares, share) {
    const runs = share.runs === null ? "all runs" : ob.plural(share.runs, "run");
    const used = share.used_at ? `opened ${ob.plural(share.uses, "time")}, last ${ob.ago(share.used_at)}` : "not opened yet";
    const words = [runs, share.made_by ? `by ${share.made_by}` : "", `ends ${new Date(share.expires_at * 1000).toLocaleDateString()}`, used].filter(Boolean).join(" · ");
    const revoke = () => ob.attempt(async () => {
      await ob.change(`${path}/shares/${encodeURIComponent(share.id)}`, {}, "DELETE");
      paint(list, path, shares.filter((other) => other !== share));
      return true;
    });
    return ob.el("li", {},
      ob.el("a.ob-name", { href: share.path, title: share.title }, share.title), ob.el("span.ob-mute", {}, words),
      ob.el("button.ob-quiet.ob-danger", { type: "button", "aria-label": `Revoke the link ${share.title}`, onclick: revoke }, "Revoke"));
  }
})((globalThis.ob = globalThis.ob || {}));
