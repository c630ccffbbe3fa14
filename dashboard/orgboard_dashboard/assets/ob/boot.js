/* Start: find the page that the router laid out, and run it; leave it when another comes. */
(function (ob) {
  "use strict";

  let leave = () => {};
  let current = null;

  async function enter(place) {
    const page = place.firstElementChild;
    if (page === current) return;
    stop();
    current = page;
    document.body.classList.remove("ob-sheet");
    const fetched = page?.dataset?.project ? ob.fetchView(page.dataset) : null;
    if (fetched) await fetched;
    if (current === page) begin(page);
  }

  function begin(page) {
    const name = page?.dataset?.page;
    const inProject = Boolean(page?.dataset?.project);
    ob.readView(inProject);
    if (!inProject && name !== "run") ob.closeProject();
    const run = ob.pages[name];
    if (run) leave = run(page) || leave;
    ob.showPanel(inProject ? ob.project : null);
    ob.showViews(inProject ? page : null);
    ob.paintLive();
    ob.showTab();
  }

  function stop() {
    leave();
    leave = () => {};
  }

  /** Begin the page again with another query part ("?…", or none). */
  ob.restart = function restart(query) {
    history.replaceState(history.state, "", location.pathname + query + location.hash);
    stop();
    begin(current);
  };

  /** The shell is drawn by React a moment after this script: wait for its place for pages. */
  function watch() {
    const place = document.getElementById("ob-page");
    if (!place) return false;
    new MutationObserver(() => enter(place)).observe(place, { childList: true });
    ob.route();
    ob.showAccount();
    // What comes beside the tabs later, and a window made narrower, take room from them.
    new ResizeObserver(ob.showTab).observe(document.getElementById("ob-tabs"));
    return true;
  }

  // Once the scripts after this one have run, too.
  queueMicrotask(() => ob.askForRunsAhead());

  const waiting = new MutationObserver(() => watch() && waiting.disconnect());
  waiting.observe(document.body, { childList: true, subtree: true });
})((globalThis.ob = globalThis.ob || {}));
