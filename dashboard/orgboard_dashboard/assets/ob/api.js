/* Talk to the server. A request that the network or a restarting server loses is tried again
   until it is answered or aborted; what the server refuses is an error with its words. */
(function (ob) {
  "use strict";

  const AWAY_AFTER_MS = 12000;
  const TIMEOUT_MS = 30000;
  const SENT_WITHIN_MS = 180000;
  const KEPT_AHEAD_MS = 3000;
  /** Whoever answers these is starting, or waits for something that is. */
  const TRY_AGAIN = new Set([502, 503, 504]);
  /** Between the change of a session's secret and the answer that tells it. */
  const RENEWED_WITHIN_MS = 500;
  const LONGEST_WAIT_S = 60;
  const PAUSES_MS = [300, 600, 1200, 2500, 5000];

  /** The prefix that the app is mounted under, from Dash's own configuration. */
  ob.base = function base() {
    const config = document.getElementById("_dash-config");
    return config ? JSON.parse(config.textContent).requests_pathname_prefix || "/" : "/";
  };

  ob.projectPath = function projectPath(team, project) {
    return `p/${encodeURIComponent(team)}/${encodeURIComponent(project)}`;
  };

  /** Ask for JSON under /api/ui/v1/. */
  ob.getJson = async function getJson(path, signal) {
    const early = ahead.get(path);
    ahead.delete(path);
    const answer = early ? await early : await (await patiently(path, {}, signal)).json();
    signal?.throwIfAborted();
    return answer;
  };

  /** Answers to what nobody has asked yet, by path; each is taken once. */
  const ahead = new Map();

  /** Ask for JSON that `getJson` will be asked for within moments, or never. */
  ob.askAhead = function askAhead(path) {
    const asked = ob.getJson(path);
    ahead.set(path, asked);
    // Who takes it hears of an error; and what is old is not what the board has.
    asked.catch(() => {});
    setTimeout(() => ahead.get(path) === asked && ahead.delete(path), KEPT_AHEAD_MS);
  };

  /** Ask for JSON with a question too long for an address. */
  ob.postJson = async function postJson(path, body, signal) {
    const response = await patiently(path, posted(body), signal);
    return response.json();
  };

  /** Ask for the points of cards; gives what `ob.decodeScalars` makes of the answer. */
  ob.postScalars = async function postScalars(project, body, signal, route = "scalars") {
    const response = await patiently(`${project}/${route}`, posted(body), signal);
    return ob.decodeScalars(await response.arrayBuffer());
  };

  /** Ask for a change. Never asked twice: whether a lost one was made is not known. */
  ob.change = async function change(path, body, method = "POST") {
    const response = await once(path, { method, headers: vouched(), body: JSON.stringify(body) });
    if (!response) throw new Refused(0, { error: "The server did not answer. See whether it was done before you try again." });
    answered();
    if (!response.ok) throw new Refused(response.status, await reason(response));
    return response.json();
  };

  /** Send the bytes of a file. Never sent twice, as any change; a slow line has minutes for it. */
  ob.sendFile = async function sendFile(path, file, signal) {
    const request = { method: "POST", headers: vouched("application/octet-stream"), body: file };
    const response = await once(path, request, signal, SENT_WITHIN_MS);
    if (!response) throw new Refused(0, { error: "The server did not take the file, or did not answer. See whether it is there before you try again." });
    answered();
    if (!response.ok) throw new Refused(response.status, await reason(response));
    return response.json();
  };

  const roles = new Map();

  /** Who looks at a project (its path), and what that one may do there:
     {name, role, can_edit, can_delete, can_keep}. */
  ob.me = function whoami(path) {
    if (!roles.has(path)) {
      const asked = ob.getJson(`${path}/me`);
      roles.set(path, asked);
      asked.catch(() => roles.delete(path));
    }
    return roles.get(path);
  };

  /** What a page sends beside the cookie of its session, which no other site's page can read. */
  function vouched(type = "application/json") {
    const told = proof();
    return { "Content-Type": type, ...(told ? { "X-CSRFToken": told } : {}) };
  }

  const proof = () => /(?:^|; )(?:__Host-)?ob_csrf=([0-9a-f]+)/.exec(document.cookie)?.[1] ?? "";

  /** Nobody is signed in any more: the way back leads to this very place. */
  function signIn() {
    const here = location.pathname + location.search;
    location.assign(`${ob.base()}sign-in?next=${encodeURIComponent(here)}`);
    return new Promise(() => {});
  }

  /** End the session, and go where one is opened. */
  ob.signOut = async function signOut() {
    const response = await fetch(`${ob.base()}sign-out`, { ...posted({}), credentials: "same-origin" }).catch(() => null);
    // One that is over already is as well.
    if (response?.ok || response?.status === 401) location.assign(`${ob.base()}sign-in`);
    else ob.toast("The server did not answer. You are still signed in.");
  };

  // Dash asks for the next page itself, and says nothing of a session that is over.
  const fetched = globalThis.fetch;
  globalThis.fetch = async function fetch(...asked) {
    const response = await fetched.apply(this, asked);
    const isDashs = () => new URL(response.url).pathname.endsWith("/_dash-update-component");
    if (response.status === 429 && isDashs()) {
      await heldUp(response);
      return globalThis.fetch(...asked);
    }
    return response.status === 401 && isDashs() ? signIn() : response;
  };

  function posted(body) {
    return { method: "POST", headers: vouched(), body: JSON.stringify(body) };
  }

  /** A refusal: what the server said, its status, and whatever else the answer tells. */
  class Refused extends Error {
    constructor(status, { error, ...details }) {
      super(error);
      this.status = status;
      this.details = details;
    }
  }
  ob.Refused = Refused;

  async function patiently(path, request, signal) {
    for (let attempt = 0; ; attempt += 1) {
      const response = await once(path, request, signal);
      if (response?.status === 429) {
        await heldUp(response, signal);
        continue;
      }
      if (response && !TRY_AGAIN.has(response.status)) {
        answered();
        if (response.ok) return response;
        throw new Refused(response.status, await reason(response));
      }
      unanswered(response ? "database" : "server");
      await pause(PAUSES_MS[Math.min(attempt, PAUSES_MS.length - 1)], signal);
    }
  }

  async function once(path, request, signal, within = TIMEOUT_MS) {
    const limit = AbortSignal.timeout(within);
    const either = signal ? AbortSignal.any([signal, limit]) : limit;
    const sent = proof();
    try {
      const response = await fetch(`${ob.base()}api/ui/v1/${path}`, { ...request, signal: either, credentials: "same-origin" });
      if (response.status !== 401 && response.status !== 403) return response;
      // A password given in another tab, or a moment ago, gives the session another secret: what was
      // under way asked by the old one, and nothing was done.
      if (response.status === 401 && sent && sent === proof()) await pause(RENEWED_WITHIN_MS, signal);
      if (sent && proof() && sent !== proof()) return await once(path, request.headers ? { ...request, headers: vouched(request.headers["Content-Type"]) } : request, signal, within);
      return response.status === 401 ? signIn() : response;
    } catch (error) {
      if (signal?.aborted) throw error;
      return null;
    }
  }

  /** Wait as long as the server says that one who asks so much should; the page says so meanwhile. */
  async function heldUp(response, signal) {
    const seconds = Math.min(Number(response.headers.get("Retry-After")) || 1, LONGEST_WAIT_S);
    answered();
    sayBox(`This page asked for more at once than the board answers one browser. Going on in ${ob.span(seconds)}.`);
    // Not all of a page's questions in the same moment again.
    await pause(1000 * seconds + 500 * Math.random(), signal);
    document.getElementById("ob-away")?.remove();
  }

  async function reason(response) {
    const body = await response.json().catch(() => null);
    const isTooLong = response.status === 413;
    return body?.error ? body : { error: isTooLong ? "What stands before the board, a proxy, takes nothing as large as that." : `The server answered ${response.status}.` };
  }

  function pause(ms, signal) {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(resolve, ms);
      signal?.addEventListener("abort", () => {
        clearTimeout(timer);
        reject(signal.reason);
      }, { once: true });
    });
  }

  let lastAnswer = Date.now();
  let failingSince = 0;
  let silent = "server";
  let clock = 0;

  function answered() {
    lastAnswer = Date.now();
    clearInterval(clock);
    clock = 0;
    document.getElementById("ob-away")?.remove();
  }

  function unanswered(who) {
    silent = who;
    if (clock) return;
    failingSince = Date.now();
    clock = setInterval(sayAway, 1000);
  }

  function sayAway() {
    const away = Date.now() - failingSince;
    if (away < AWAY_AFTER_MS) return;
    const seconds = Math.round(away / 1000);
    const seen = ob.clock(lastAnswer / 1000);
    sayBox(`The ${silent} has not answered for ${seconds} s. Trying again; what you see is from ${seen}.`);
  }

  function sayBox(words) {
    let box = document.getElementById("ob-away");
    if (!box) {
      box = ob.el("div.ob-away", { id: "ob-away", role: "status" });
      document.body.append(box);
    }
    box.textContent = words;
  }
})((globalThis.ob = globalThis.ob || {}));
