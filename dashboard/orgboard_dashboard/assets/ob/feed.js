/* What a team did lately: one line a day, project, person and sort, the newest first. Days are the
   reader's own; the server counts what is between them. */
(function (ob) {
  "use strict";

  const WEEK = 7;

  ob.pages = ob.pages || {};

  ob.pages.feed = function feed(root) {
    const controller = new AbortController();
    const { team } = root.dataset;
    const page = { root, team, signal: controller.signal };
    page.ways = ob.el("nav.ob-together", { "aria-label": "Beside it" });
    page.list = ob.el("div.ob-feed");
    page.foot = ob.el("p.ob-feedfoot");
    root.replaceChildren(ob.el("div.ob-plain", {},
      ob.el("h1", {}, `What ${nameOf(team)} did`), page.ways, page.list, page.foot));
    show(page, lastDays(new Date())).catch((error) => {
      if (error instanceof ob.Refused) root.replaceChildren(ob.empty(error.status === 404 ? "This page is for people of the board: a share link does not show it." : error.message));
      else if (error.name !== "AbortError") throw error;
    });
    return () => controller.abort();
  };

  const nameOf = (team) => (team === ob.ANY ? "all teams" : team);

  /** The address of a team's feed; `*` is all teams'. */
  ob.feedAddress = (team) => `${ob.base()}t/${encodeURIComponent(team)}/feed`;

  /** The feed of the team one is at, as menus and the palette list it. */
  ob.feedPage = function feedPage() {
    const team = ob.project?.team ?? ob.ANY;
    return { label: `What ${nameOf(team)} did`, act: () => ob.goTo(ob.feedAddress(team)) };
  };

  /** Where else one may want to go; a team of which one sees nothing has no runs to look at. */
  const ways = (team, isEmpty) => [
    isEmpty ? null : ob.el("a.ob-nav.ob-pill", { href: `${ob.base()}${ob.projectPath(team, ob.ANY)}/scalars` }, team === ob.ANY ? "Runs of all projects" : `Runs of all of ${team}`),
    team === ob.ANY ? null : ob.el("a.ob-nav.ob-pill", { href: ob.feedAddress(ob.ANY) }, "What all teams did"),
  ].filter(Boolean);

  /** Where the last days begin up to the one of a moment, and where that one ends. */
  function lastDays(date) {
    const [year, month, day] = [date.getFullYear(), date.getMonth(), date.getDate()];
    return Array.from({ length: WEEK + 1 }, (_, n) => new Date(year, month, day - WEEK + 1 + n).getTime() / 1000);
  }

  async function show(page, days) {
    const query = new URLSearchParams({ days: days.join(",") });
    const told = await ob.getJson(`t/${encodeURIComponent(page.team)}/feed?${query}`, page.signal);
    const byDay = Map.groupBy(told.entries, (one) => one.day);
    const first = !page.list.children.length;
    if (first) page.ways.replaceChildren(...ways(page.team, !told.entries.length && told.earlier === null));
    page.list.append(...[...byDay].map(([day, entries]) => section(days[day], entries)));
    if (!told.entries.length && first) page.list.append(nothing(page, told));
    if (told.left_out) page.list.append(ob.el("p.ob-mute", {}, `${ob.plural(told.left_out, "older line")} of these days ${told.left_out === 1 ? "is" : "are"} left out: look at one team alone.`));
    page.foot.replaceChildren(...(told.earlier === null ? [] : [older(page, told.earlier)]));
  }

  function nothing(page, { earlier }) {
    const where = page.team === ob.ANY ? "in any team that you see" : `in ${page.team}`;
    return earlier === null
      ? ob.empty(`Nothing has happened ${where} yet. Runs that are logged there show here, and the notes, comments and views of those who look at them.`)
      : ob.el("p.ob-mute", {}, `Nothing happened ${where} in the last ${WEEK} days. The last time something did was ${ob.ago(earlier)}.`);
  }

  function older(page, earlier) {
    const button = ob.el("button.ob-pill", { type: "button", onclick: async () => {
      button.disabled = true;
      const before = page.list.children.length;
      await ob.whileHere(() => show(page, lastDays(new Date(earlier * 1000))));
      button.disabled = false;
      const next = page.list.children[before];
      next?.querySelector("h2")?.focus();
    } }, `Older: the ${WEEK} days up to ${dayOf(earlier)}`);
    return button;
  }

  const dayOf = (wall) => new Date(wall * 1000).toLocaleDateString([], { day: "numeric", month: "long", year: "numeric" });

  function section(begin, entries) {
    const date = new Date(begin * 1000);
    const [today, yesterday] = [0, 1].map((n) => new Date(new Date().setHours(0, 0, 0, 0) - n * 86400000 + n * 3600000).toDateString());
    const told = date.toLocaleDateString([], { weekday: "long", day: "numeric", month: "long" });
    const near = { [yesterday]: "Yesterday", [today]: "Today" }[date.toDateString()];
    return ob.el("section.ob-box", { "aria-label": told },
      ob.el("header", {}, ob.el("h2", { tabindex: "-1" }, near ?? told), near ? ob.el("span.ob-mute", {}, told) : null),
      ob.el("ol", {}, ...entries.map(entry)));
  }

  function entry(one) {
    return ob.el("li", {}, mark(one),
      ob.el("div", {}, ob.el("p", {}, ...sentence(one).flat().filter((part) => part !== null && part !== "")),
        one.excerpt ? ob.el("p.ob-feedsaid", {}, one.excerpt) : named(one)),
      ob.el("span.ob-mute", { title: ob.moment(one.at) }, ob.clock(one.at)));
  }

  function mark({ what }) {
    if (what === "started") return ob.el("span.ob-dot.ob-live-dot", { "aria-hidden": "true" });
    if (what === "finished" || what === "failed" || what === "damaged") return ob.el(`span.ob-dot.ob-${what}`, { "aria-hidden": "true" });
    return ob.el("span.ob-feedmark", { "aria-hidden": "true" }, ob.icon({ comment: ob.SAID, note: "M3 13l1-3.500L10.500 3 13 5.500 6.500 12z", view: "M2.500 3h11v10h-11zM2.500 6h11" }[what]));
  }

  function sentence(one) {
    const who = one.who ? ob.el("b.ob-name", {}, one.who) : null;
    const runs = one.count === 1 ? link(one, one.items[0]) : ob.plural(one.count, "run");
    const of = who ? [" of ", who] : "";
    const place = [" in ", ob.el("a.ob-nav", { href: `${ob.base()}${ob.projectPath(one.team, one.project)}/scalars` }, ob.el("span.ob-mute", {}, `${one.team} / `), one.project)];
    switch (one.what) {
      case "started": return [who ? [who, " started "] : "", runs, who ? "" : " started", place, best(one)];
      case "finished": return [runs, of, " finished", place];
      case "failed": return [runs, of, " failed", place];
      case "damaged": return [runs, of, place, one.count === 1 ? " is damaged: some bytes could not be read" : " are damaged: some bytes could not be read"];
      case "note": return [person(who), " wrote ", one.count === 1 ? ["a note on ", runs] : [`notes on `, runs], place];
      case "comment": return [person(who), one.count === 1 ? " commented on " : ` made ${ob.plural(one.count, "comment")}, the last on `, link(one, one.items[0], one.comment), place];
      default: return [person(who), " saved ", one.count === 1 ? ["the view ", link(one, one.items[0])] : ob.plural(one.count, "view"), " for the team", place];
    }
  }

  const person = (who) => who ?? ob.el("b.ob-name", {}, "Somebody on the host");

  function best({ best: found }) {
    if (!found) return "";
    const value = [ob.value(found.value), found.unit].filter(Boolean).join("\u202f");
    return [", best ", ob.el("span.ob-mono", {}, found.metric), " ", ob.el("a.ob-nav.ob-num", { href: `${ob.base()}r/${encodeURIComponent(found.run)}` }, value)];
  }

  /** The newest of several. */
  function named(one) {
    if (one.count === 1 || one.what === "comment") return null;
    const links = one.items.map((item) => link(one, item));
    const rest = one.count - links.length;
    return ob.el("p.ob-mute.ob-feednames", {}, ...links.flatMap((each, i) => (i ? [", ", each] : [each])), rest > 0 ? ` and ${ob.plural(rest, "other")}` : "");
  }

  function link(one, item, comment = null) {
    const to = item.run ? `r/${encodeURIComponent(item.run)}` : `${ob.projectPath(one.team, one.project)}/${item.page}?v=${encodeURIComponent(item.view)}`;
    return ob.el("a.ob-nav.ob-name", { href: `${ob.base()}${to}${comment ? `#c-${comment}` : ""}` }, item.name === "." ? "(root)" : item.name);
  }
})((globalThis.ob = globalThis.ob || {}));
