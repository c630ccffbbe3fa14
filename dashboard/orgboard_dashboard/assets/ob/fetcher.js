/* Fetch what the cards in sight want: those that want the same twelve at a time, one request
   after the other, and of a busy server less often. */
(function (ob) {
  "use strict";

  const BATCH = 12;
  /** So many times as long as a server took to answer, it is not asked for what grew since. */
  const REST = 6;
  const MOST_REST_MS = 5000;

  class Fetcher {
    constructor(project, cards, signal, say, { drawn, post } = {}) {
      Object.assign(this, { project, cards, signal, say });
      this.drawn = drawn ?? (() => ob.drawn(project));
      this.post = post ?? null;
      this.running = false;
      this.following = 0;
      this.restUntil = 0;
      /** Fetch soon, what cards were given to want meanwhile as well. */
      this.wake = ob.throttled(120, () => this.fetch());
    }

    close() {
      clearTimeout(this.following);
    }

    /** Fetch what grew once the rest is over that the last fetch earned: of a server that is busy
        less is asked, and a page spends at most half of its time with drawing. */
    follow() {
      this.following ||= setTimeout(() => {
        this.following = 0;
        this.wake();
      }, this.restUntil - performance.now());
    }

    /** Ask until nothing is wanted. */
    async fetch() {
      if (this.running) return;
      this.running = true;
      const began = performance.now();
      this.awaited = 0;
      try {
        for (let batch = this.batch(); batch; batch = this.batch()) await this.ask(batch);
      } catch (error) {
        if (error instanceof ob.Refused) this.say(error.message);
        else if (error.name !== "AbortError") throw error;
      } finally {
        this.running = false;
        const drawn = performance.now() - began - this.awaited;
        this.restUntil = performance.now() + Math.min(MOST_REST_MS, Math.max(REST * this.awaited, drawn));
      }
    }

    /** Fetch what these cards do not have yet, on the screen or not. */
    async fill(cards) {
      const lacking = cards.filter((card) => !card.fetched);
      const runs = ob.drawn(this.project).map((run) => run.uid);
      while (lacking.length) {
        const alone = lacking.findIndex((card) => card.ask);
        const batch = lacking.splice(0, alone === 0 ? 1 : Math.min(BATCH, alone < 0 ? BATCH : alone));
        await this.ask({ cards: batch, runs, width: widthOf(batch[0]), afresh: true });
      }
    }

    /** Choose the next cards that want the same runs. */
    batch() {
      const shown = this.drawn().map((run) => run.uid);
      const wanting = [...this.cards.values()].filter((card) => card.visible && card.wanted && card.el.isConnected);
      if (!wanting.length || !shown.length) return null;
      const runsOf = (card) => (card.wanted === "all" ? shown : shown.filter((uid) => card.wanted.has(uid)));
      const key = (card) => `${runsOf(card).join()} ${widthOf(card)} ${card.ask ? card.tag.id : ""}`;
      const cards = wanting.filter((card) => key(card) === key(wanting[0])).slice(0, BATCH);
      const afresh = cards[0].wanted === "all";
      return { cards, runs: runsOf(cards[0]), width: widthOf(cards[0]), afresh };
    }

    async ask({ cards, runs, width, afresh }) {
      const place = ob.placeOf(ob.view);
      const { superseded } = ob.view;
      const asked = asking();
      for (const card of cards) {
        card.wanted = null;
        card.asked = new Set([...(afresh ? [] : card.asked ?? []), ...runs]);
      }
      if (!runs.length) return;
      const body = {
        cards: cards.map((card) => ({ tag: card.tag.id })), runs, ...place, width, superseded, since: null,
      };
      const groups = ob.isGrouped() && !this.post ? ob.drawn(this.project).filter((group) => runs.includes(group.uid)) : null;
      const began = performance.now();
      const lines = await this.linesOf(cards, body, groups);
      this.awaited += performance.now() - began;
      if (asked !== asking()) {
        for (const card of cards) card.wanted = "all";
        return;
      }
      for (const card of cards) {
        if (afresh) card.lines.clear();
        card.take(lines.get(card.tag.id) ?? [], runs, place.from !== null);
        await card.draw();
        await ob.breath();
      }
    }

    /** Ask for the lines of cards, by tag: of runs, or of groups. A chart is asked for alone. */
    async linesOf(cards, body, groups) {
      const { path } = this.project;
      const [{ ask, tag }] = cards;
      if (this.post) return this.post(path, body, this.signal);
      if (ask) return new Map([[tag.id, await cards[0].ask(path, body, groups, this.signal)]]);
      const answer = await (groups ? ob.postBands(path, groups, body, this.signal) : ob.postScalars(path, body, this.signal));
      return new Map(answer.cards.map((card) => [card.tag, card.lines]));
    }
  }

  /** Make what fetches for `cards` (a Map of cards), until `signal` ends it; refusals are said.
      `drawn()` gives what has lines and `post(path, body, signal)` their lines by tag, where
      they are not those of scalars. */
  ob.fetcher = (project, cards, signal, say, ways) => new Fetcher(project, cards, signal, say, ways);

  /** What of the view an answer is good for. */
  function asking() {
    const { superseded, groupBy, groupLine, groupBand } = ob.view;
    return JSON.stringify([ob.placeOf(ob.view), superseded, groupBy, groupLine, groupBand]);
  }

  function widthOf(card) {
    return ob.columnsFor(card.plot, ob.drawn(ob.project).length);
  }
})((globalThis.ob = globalThis.ob || {}));
