/* Hear from the server what changed: one stream of ticks a tab, only while it is looked at.

   A tick says which runs grew; the cards fetch what they show of those. The stream is closed
   on a hidden tab, because a browser allows a server few connections; on return, and after
   any break, everything visible is fetched again, since ticks may have been missed. */
(function (ob) {
  "use strict";

  const RETRY_MS = 2000;
  /** Refused so often in a row, as by a server with too many to tell, a page looks by itself. */
  const OFTEN = 3;
  const LOOK_MS = 30000;
  /** Of a server that tells so seldom, in seconds, the header says so. */
  const SELDOM = 2;

  let project = null;
  let stream = null;
  let timer = 0;
  let refused = 0;
  /** About so many seconds lie between two ticks: a server with many to tell tells each less often. */
  let every = 0;

  ob.startLive = function startLive(opened) {
    project = opened;
    connect(false);
  };

  ob.stopLive = function stopLive() {
    project = null;
    disconnect();
    paint();
  };

  function connect(again) {
    disconnect();
    if (!project || document.hidden) return;
    stream = new EventSource(`${ob.base()}api/ui/v1/${project.path}/live`);
    stream.onopen = () => {
      refused = 0;
      paint();
      if (again) lookAgain(project);
      again = true;
    };
    stream.addEventListener("runs", (event) => {
      const told = JSON.parse(event.data);
      every = told.every;
      project?.changed(told.runs);
      paint();
    });
    // What was shown may not be seen any more: not to be left on the screen until a retry.
    const began = performance.now();
    stream.addEventListener("over", () => {
      disconnect();
      timer = setTimeout(reconnect, performance.now() - began < RETRY_MS ? RETRY_MS : 0);
    });
    stream.onerror = () => {
      const closed = stream?.readyState === EventSource.CLOSED;
      if (closed) refused += 1;
      paint();
      if (!closed) return;
      disconnect();
      timer = setTimeout(reconnect, refused < OFTEN ? RETRY_MS : LOOK_MS);
    };
  }

  /** Runs may have come meanwhile, and some may not be seen any more. */
  function lookAgain(opened) {
    opened?.tell("again");
    opened?.reread();
  }

  /** Connect again to what was refused, unless it is not there any more for who looks. */
  async function reconnect() {
    const asked = project;
    try {
      // Who is signed out is led to the sign-in by the answer.
      await ob.getJson(`${asked.path}/me`);
    } catch (error) {
      if (!(error instanceof ob.Refused)) throw error;
      if (error.status === 404) return asked.tell("gone");
    }
    if (asked !== project) return;
    if (refused >= OFTEN) lookAgain(project);
    connect(true);
  }

  function disconnect() {
    clearTimeout(timer);
    stream?.close();
    stream = null;
  }

  /** Say in the header how many runs are live, and whether the stream stands. */
  function paint() {
    const place = document.getElementById("ob-live");
    if (!place) return;
    if (!project) return place.replaceChildren();
    const joined = stream?.readyState === EventSource.OPEN;
    const n = project.live;
    const pace = every < SELDOM ? "" : `, every ${Math.round(every)} s`;
    const alone = refused >= OFTEN;
    const words = !joined ? (alone ? "not live" : "connecting") : n ? `${ob.count(n)} live${pace}` : "no run live";
    if (place.textContent === words) return;
    const dot = ob.el(`span.ob-dot.${!joined ? "ob-stale" : n ? "ob-live-dot" : "ob-finished"}`);
    place.replaceChildren(dot, ob.el("span", {}, words));
    place.title = !joined && alone ? `The server has no stream for this page, which looks every ${LOOK_MS / 1000} s itself`
      : !joined ? "Waiting for the server's stream"
      : pace ? "This page follows its runs; the server has many to tell, so not as often as they write"
      : "This page follows its runs as they write";
  }
  ob.paintLive = paint;

  document.addEventListener("visibilitychange", () => {
    if (document.hidden) disconnect();
    else if (project) connect(true);
  });
})((globalThis.ob = globalThis.ob || {}));
