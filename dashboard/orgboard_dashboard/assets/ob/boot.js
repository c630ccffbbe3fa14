/* Start: find the page that the router laid out, and run it; leave it when another comes. */
(function (ob) {
  "use strict";

  let leave = () => {};
  let current = null;

  function enter(place) {
    const page = place.firstElementChild;
    if (page === current) return;
    leave();
    leave = () => {};
    current = page;
    document.body.classList.remove("ob-sheet");
    ob.readView();
    const name = page?.dataset?.page;
    const inProject = Boolean(page?.dataset?.project);
    if (!inProject && name !== "run") ob.closeProject();
    const run = ob.pages[name];
    if (run) leave = run(page) || leave;
    ob.showPanel(inProject ? ob.project : null);
    ob.paintLive();
  }

  /** The shell is drawn by React a moment after this script: wait for its place for pages. */
  function watch() {
    const place = document.getElementById("ob-page");
    if (!place) return false;
    new MutationObserver(() => enter(place)).observe(place, { childList: true });
    if (place.firstElementChild) enter(place);
    return true;
  }

  const waiting = new MutationObserver(() => watch() && waiting.disconnect());
  waiting.observe(document.body, { childList: true, subtree: true });
})((globalThis.ob = globalThis.ob || {}));
