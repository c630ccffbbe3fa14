/* Ghosts: the runs of a group as thin lines over its card, while the group is pointed at.

   They are fetched when they are wanted, kept with the card, and drawn over the others as one
   SVG, so that pointing at a group redraws nothing else. */
(function (ob) {
  "use strict";

  const DWELL_MS = 120;
  /** The pointer is on a line, and not only near it. */
  const ON_PX = 40;

  /** Show the runs of the group `uid` on a card; null, or the uid of a run, shows none. */
  ob.ghost = function ghost(card, uid) {
    clearTimeout(card.dwell);
    // What a formula or a difference draws lies on another scale than the runs.
    const group = uid && card.constructor === ob.Card && ob.isGrouped() && card.visible && ob.project ? ob.drawn(ob.project).find((one) => one.uid === uid) : null;
    if (!group) {
      card.ghosted = null;
      card.el.querySelector(".ob-ghosts")?.remove();
      return;
    }
    if (card.ghosted === uid) return;
    card.ghosted = uid;
    card.dwell = setTimeout(() => show(card, group), DWELL_MS);
  };

  /** Show the runs of the group whose point is under the pointer. */
  ob.ghostAt = function ghostAt(card, row) {
    ob.ghost(card, row && row.apart <= ON_PX ? row.line.run : null);
  };

  async function show(card, group) {
    const lines = await fetched(card, group).catch((error) => {
      if (error instanceof ob.Refused) return [];
      throw error;
    });
    if (card.ghosted !== group.uid || !card.visible || !card.ranges) return;
    card.el.querySelector(".ob-ghosts")?.remove();
    card.plot.parentElement.append(picture(card, group, lines));
  }

  async function fetched(card, group) {
    const width = ob.columnsFor(card.plot, group.members.length);
    const body = {
      cards: [{ tag: card.tag.id }], runs: group.members, ...ob.placeOf(ob.view), width, superseded: false,
    };
    const key = JSON.stringify(body);
    if (card.ghostKey !== key) {
      const answer = await ob.postScalars(ob.project.path, body);
      card.ghostKey = key;
      card.ghostLines = answer.cards[0].lines;
    }
    return card.ghostLines;
  }

  function picture(card, group, lines) {
    const scale = ob.scaleOf(card.plot, card.ranges, ob.view);
    const paths = lines.map((line) => ob.svg("path", { d: ob.pathOf(line.x, line.y, scale) }));
    const svg = ob.canvas(scale, { class: "ob-ghosts", "aria-hidden": "true" }, ...paths);
    Object.assign(svg.style, { left: `${scale.left}px`, top: `${scale.top}px`, width: `${scale.width}px`, height: `${scale.height}px` });
    svg.style.setProperty("--ink", ob.ink(group.color).color);
    return svg;
  }
})((globalThis.ob = globalThis.ob || {}));
