/* What one is told: the bell in the header, and the page that lists where comments name one, and
   what became of the runs that one watches. */
(function (ob) {
  "use strict";

  const AGAIN_MS = 60000;
  const MOST = 99;

  let bell = null;
  let unseen = 0;

  /** Put the bell into the header, beside the account. */
  ob.showBell = function showBell(place) {
    bell = ob.el("a.ob-icon.ob-bell", { href: `${ob.base()}account/mentions`, onclick: go }, ob.icon("M8 2.500a3.500 3.500 0 0 0-3.500 3.500c0 3.500-1.500 4.500-1.500 5.500h10c0-1-1.500-2-1.500-5.500A3.500 3.500 0 0 0 8 2.500zM6.500 13.500a1.600 1.600 0 0 0 3 0"));
    place.prepend(bell);
    paint();
    ob.countMentions();
    setInterval(() => document.hidden || ob.countMentions(), AGAIN_MS);
    document.addEventListener("visibilitychange", () => document.hidden || ob.countMentions());
  };

  function go(event) {
    if (event.metaKey || event.ctrlKey || event.shiftKey) return;
    event.preventDefault();
    ob.goTo(bell.getAttribute("href"));
  }

  /** Ask how many are new. */
  ob.countMentions = async function countMentions() {
    if (!bell) return;
    try {
      ({ unseen } = await ob.getJson("mentions/unseen"));
    } catch (error) {
      if (!(error instanceof ob.Refused)) throw error;
      return;
    }
    paint();
  };

  function paint() {
    const words = unseen > MOST ? `${MOST}+` : String(unseen);
    bell.setAttribute("aria-label", unseen ? `Inbox: ${words} new` : "Inbox");
    bell.title = unseen ? `${words} new: mentions, and runs you watch` : "Mentions, and runs you watch";
    bell.querySelector(".ob-badge")?.remove();
    if (unseen) bell.append(ob.el("span.ob-badge", { "aria-hidden": "true" }, words));
  }

  /** Draw the page of what there is to tell: where one is named, and what became of runs that one watches. */
  ob.drawMentions = async function drawMentions(page) {
    const [{ mentions }, { news }] = await Promise.all(["mentions", "news"].map((path) => ob.getJson(path, page.signal)));
    const told = [...mentions.map((one) => ({ ...one, at: one.written_at })), ...news].sort((a, b) => b.at - a.at);
    const fresh = told.filter((one) => one.seen_at === null);
    const all = fresh.length ? ob.el("button.ob-pill", { type: "button", onclick: () => see(page, fresh) }, "Take all for seen") : null;
    const list = told.length
      ? ob.el("ul.ob-inbox", { "aria-label": "Inbox" }, ...told.map((one) => entry(page, one)))
      : ob.el("p.ob-mute", {}, "Nothing yet. Who writes @ and your name in a comment on a run or a view that you may see, reaches you here; so does what becomes of runs that you watch: the eye on a run's page begins it.");
    ob.keepFocus(page.root, () => page.root.replaceChildren(ob.el("div.ob-plain.ob-peoplepage", {},
      ob.el("h1", {}, "Inbox"),
      ob.section("Mentions, and runs you watch", [ob.el("span.ob-mute", {}, fresh.length ? `${ob.count(fresh.length)} new` : ""), ob.el("span.ob-grow"), all], list))));
    ob.countMentions();
  };

  function entry(page, one) {
    const isNew = one.seen_at === null;
    const project = ob.projectPath(one.team, one.project);
    const place = one.run ? `r/${encodeURIComponent(one.run)}` : `${project}/${one.page}?v=${encodeURIComponent(one.view)}`;
    const comment = one.what ? one.comment : one.id;
    const address = `${ob.base()}${place}${comment ? `#c-${comment}` : ""}`;
    const open = (event) => {
      if (event.metaKey || event.ctrlKey || event.shiftKey) return;
      event.preventDefault();
      ob.goTo(address);
    };
    const by = one.author || "somebody on the host";
    const link = ob.el("a.ob-name", { href: address, onclick: open }, one.about);
    const seen = isNew ? ob.el("button.ob-quiet", { type: "button", "aria-label": `Seen: ${comment ? by : one.what} on ${one.about}`, onclick: () => see(page, [one]) }, "Seen") : null;
    return ob.el(isNew ? "li.ob-new" : "li", {},
      ob.el("div", {}, isNew ? ob.el("span.ob-newmark", {}, "new") : null,
        ...(comment ? [ob.el("b.ob-name", {}, by), one.what ? " commented on " : " names you on ", link] : [dot(one), link, ` ${HAPPENED[one.what]}`]),
        ob.el("span.ob-mute", {}, ` · ${one.run ? "" : "view · "}${one.team} / ${one.project} · `, ob.since(one.at))),
      one.excerpt ? ob.el("p", {}, one.excerpt) : one.what === "damaged" ? ob.el("p", {}, `${ob.bytes(one.lost_bytes)} in ${ob.plural(one.gaps, "place")} could not be read. Everything else is here.`) : null, seen);
  }

  const HAPPENED = { finished: "finished", failed: "failed", stale: "went stale: its files grow no more", damaged: "is damaged" };

  const dot = (one) => (one.what === "damaged" ? ob.statusDot({ status: "finished", damaged: true }) : ob.statusDot({ status: one.what, damaged: false }));

  async function see(page, told) {
    const named = told.filter((one) => !one.what).map((one) => one.id);
    const news = told.filter((one) => one.what).map((one) => one.id);
    await ob.attempt(async () => {
      if (named.length) await ob.change("mentions/seen", { comments: named });
      if (news.length) await ob.change("news/seen", { news });
    });
    page.again();
  }
})((globalThis.ob = globalThis.ob || {}));
