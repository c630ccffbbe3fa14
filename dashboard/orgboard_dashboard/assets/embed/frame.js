/* A card in another site's frame. The secret stands behind the # of the frame's own address, which
   no server is sent; it goes with each question, and no cookie does. Nothing is kept in the browser.

   While the frame is in sight it asks now and then whether there is more; what it was refused it
   says in words, and asks no more. */
(function (ob) {
  "use strict";

  const EVERY_MS = 15000;
  /** After the board did not answer. */
  const AGAIN_MS = 30000;
  const TIMEOUT_MS = 30000;
  const WHOLE = "This address is not whole. Copy all of it.";

  const root = document.documentElement;
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const paint = () => root.setAttribute("data-mantine-color-scheme", dark.matches ? "dark" : "light");
  paint();
  dark.addEventListener("change", paint);

  const secret = location.hash.slice(1);
  const card = new ob.EmbedCard("", "Open in orgboard");
  document.getElementById("card").append(card.el);

  let version = "";
  let shownAt = 0;
  let runs = 0;
  let timer = 0;
  let isDue = true;
  let isAsking = false;
  let isOver = !secret;
  let isInSight = true;

  /** Ask when the time has come and somebody sees it. */
  async function ask() {
    if (!isDue || isAsking || isOver || document.hidden || !isInSight) return;
    [isDue, isAsking] = [false, true];
    clearTimeout(timer);
    const response = await fetched();
    const wait = response ? await take(response) : away();
    isAsking = false;
    if (wait) timer = setTimeout(() => { isDue = true; ask(); }, wait);
    else isOver = true;
  }

  async function fetched() {
    const headers = { Authorization: `Embed ${secret}`, ...(version ? { "If-None-Match": version } : {}) };
    const asked = `${location.pathname}/card?width=${ob.columnsFor(card.plot, runs)}`;
    try {
      return await fetch(asked, { headers, credentials: "omit", cache: "no-store", redirect: "error", signal: AbortSignal.timeout(TIMEOUT_MS) });
    } catch {
      return null;
    }
  }

  /** Show what was answered; gives how long to wait before the next question, 0 for ever. */
  async function take(response) {
    if (response.status === 304) return answered();
    if (response.ok) {
      const answer = ob.decodeScalars(await response.arrayBuffer());
      version = response.headers.get("ETag") ?? "";
      show(answer);
      return answered();
    }
    if (response.status === 429) return 1000 * (Number(response.headers.get("Retry-After")) || 60);
    if (response.status >= 500) return away();
    const { error } = await response.json().catch(() => ({}));
    card.end(error ?? `The board answered ${response.status}.`);
    return 0;
  }

  function answered() {
    shownAt = Date.now() / 1000;
    card.el.removeAttribute("data-away");
    card.el.title = "";
    return EVERY_MS;
  }

  function show({ title, name, unit, best, state, page, runs: told, cards }) {
    const shown = told.map((run) => (run.name === "." ? { ...run, name: "(root)" } : run));
    ob.learn([{ name, best, unit }]);
    runs = shown.length;
    document.title = `${title} · orgboard`;
    card.title.textContent = title;
    card.title.title = ob.plainName(name);
    card.link.href = new URL(`../${page}`, location.href);
    card.link.hidden = false;
    card.show(name, ob.namedLines(cards[0].lines, shown), ob.decodeView(state));
  }

  /** The board does not answer: what is there stays, and says from when it is. */
  function away() {
    const words = "The board does not answer at the moment.";
    if (!shownAt) card.say(words);
    else card.words[1].textContent = `${words} This is from ${ob.clock(shownAt)}.`;
    version = "";
    return AGAIN_MS;
  }

  new ResizeObserver(() => card.draw()).observe(card.plot);
  new IntersectionObserver((seen) => { isInSight = seen.at(-1).isIntersecting; ask(); }).observe(root);
  document.addEventListener("visibilitychange", ask);
  if (isOver) card.end(WHOLE);
  else ask();
})((globalThis.ob = globalThis.ob || {}));
