/* Where comments name the one who looks: the bell in the header, and the page that lists them. */
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
    bell.setAttribute("aria-label", unseen ? `Mentions: ${words} new` : "Mentions");
    bell.title = unseen ? `${words} new: comments that name you` : "Comments that name you";
    bell.querySelector(".ob-badge")?.remove();
    if (unseen) bell.append(ob.el("span.ob-badge", { "aria-hidden": "true" }, words));
  }

  /** Draw the page of mentions. */
  ob.drawMentions = async function drawMentions(page) {
    const { mentions } = await ob.getJson("mentions", page.signal);
    const fresh = mentions.filter((one) => one.seen_at === null).length;
    const all = fresh ? ob.el("button.ob-pill", { type: "button", onclick: () => see(page, { all: true }) }, "Take all for seen") : null;
    const list = mentions.length
      ? ob.el("ul.ob-inbox", { "aria-label": "Mentions" }, ...mentions.map((one) => entry(page, one)))
      : ob.el("p.ob-mute", {}, "Nobody has named you yet. Who writes @ and your name in a comment on a run or a view that you may see, reaches you here.");
    ob.keepFocus(page.root, () => page.root.replaceChildren(ob.el("div.ob-plain.ob-peoplepage", {},
      ob.el("h1", {}, "Mentions"),
      ob.section("Comments that name you", [ob.el("span.ob-mute", {}, fresh ? `${ob.count(fresh)} new` : ""), ob.el("span.ob-grow"), all], list))));
    ob.countMentions();
  };

  function entry(page, one) {
    const isNew = one.seen_at === null;
    const project = ob.projectPath(one.team, one.project);
    const place = one.run ? `r/${encodeURIComponent(one.run)}` : `${project}/${one.page}?v=${encodeURIComponent(one.view)}`;
    const address = `${ob.base()}${place}#c-${one.id}`;
    const open = (event) => {
      if (event.metaKey || event.ctrlKey || event.shiftKey) return;
      event.preventDefault();
      ob.goTo(address);
    };
    const seen = isNew ? ob.el("button.ob-quiet", { type: "button", "aria-label": `Seen: ${one.author} on ${one.about}`, onclick: () => see(page, { comments: [one.id] }) }, "Seen") : null;
    return ob.el(isNew ? "li.ob-new" : "li", {},
      ob.el("div", {}, isNew ? ob.el("span.ob-newmark", {}, "new") : null, ob.el("b.ob-name", {}, one.author || "somebody on the host"), " on ",
        ob.el("a.ob-name", { href: address, onclick: open }, one.about),
        ob.el("span.ob-mute", {}, ` · ${one.run ? "" : "view · "}${one.team} / ${one.project} · `, ob.since(one.written_at))),
      ob.el("p", {}, one.excerpt), seen);
  }

  async function see(page, body) {
    await ob.attempt(() => ob.change("mentions/seen", body));
    page.again();
  }
})((globalThis.ob = globalThis.ob || {}));
