/* Runs that one watches: the button on a run's page, the entry of its menu, the list of them on the
   account's page. What there is to tell of them stands in the inbox (inbox.js). */
(function (ob) {
  "use strict";

  const EYE = "M1.500 8c1.600-3 3.800-4.500 6.500-4.500s4.900 1.500 6.500 4.500c-1.600 3-3.800 4.500-6.500 4.500S3.100 11 1.500 8zM8 6a2 2 0 1 0 0 4 2 2 0 0 0 0-4z";
  const TOLD = "The bell tells you when it finishes, fails, goes stale or is damaged, and what others say of it.";

  const pathOf = (uid) => `r/${encodeURIComponent(uid)}/watch`;

  /** Whether one watches a run; null: without an account nobody watches. */
  ob.isWatched = async function isWatched(uid, signal) {
    if (!(await ob.whoAmI()).signed_in) return null;
    return (await ob.getJson(pathOf(uid), signal)).watched;
  };

  /** Begin to watch a run, or stop; gives whether it is watched now. */
  ob.watch = async function watch(run, on) {
    const { watched } = await ob.change(pathOf(run.uid), {}, on ? "POST" : "DELETE");
    ob.toast(on ? `Watching ${ob.runName(run)}. ${TOLD}` : `Stopped watching ${ob.runName(run)}`);
    ob.countMentions();
    return watched;
  };

  /** The button on a run's page; `changed(watched)` hears of it. */
  ob.watchButton = (run, watched, changed) => ob.el(watched ? "button.ob-icon.ob-watch.ob-on" : "button.ob-icon.ob-watch", {
    type: "button", "aria-pressed": String(watched), "aria-label": "Watch", title: watched ? "Stop watching" : `Watch. ${TOLD}`, hidden: watched === null,
    onclick: () => ob.attempt(async () => changed(await ob.watch(run, !watched))),
  }, ob.icon(EYE));

  /** The entry of a run's menu, for who has an account. */
  ob.watchAction = async function watchAction(run) {
    const watched = await ob.attempt(() => ob.isWatched(run.uid));
    if (typeof watched !== "boolean") return [];
    return [{ label: watched ? "Stop watching" : "Watch", act: () => ob.attempt(() => ob.watch(run, !watched)) }];
  };

  /** Take for seen what there was to tell of a run whose page is looked at. */
  ob.seeRun = async function seeRun(uid, signal) {
    const { news } = await ob.getJson("news", signal);
    const fresh = news.filter((one) => one.run === uid && one.seen_at === null).map((one) => one.id);
    if (!fresh.length || document.hidden) return;
    await ob.change("news/seen", { news: fresh });
    ob.countMentions();
  };

  /** The runs that one watches, on the account's page. */
  ob.watchesOf = function watchesOf(page, watches) {
    const rows = watches.map((one) => [
      ob.el("a.ob-nav", { href: `${ob.base()}r/${encodeURIComponent(one.uid)}` }, one.name),
      ob.el("span", {}, ob.el("span.ob-mute", {}, `${one.team} / `), one.project),
      ob.el("span.ob-cellrun", {}, ob.statusDot(one), one.damaged ? `${one.status}, damaged` : one.status), ob.since(one.since),
      ob.el("button.ob-quiet", { type: "button", "aria-label": `Stop watching ${one.name}`, onclick: () => stop(page, one) }, "Stop"),
    ]);
    return ob.section("Runs you watch", null, rows.length ? ob.peopleTable("Watched runs", ["Run", "In", "It is", "Watched since", ""], rows)
      : ob.el("p.ob-mute", {}, `None. The eye on a run's page, or “Watch” in its menu, begins it. ${TOLD}`));
  };

  async function stop(page, one) {
    await ob.attempt(() => ob.watch({ uid: one.uid, name: one.name }, false));
    page.again();
  }
})((globalThis.ob = globalThis.ob || {}));
