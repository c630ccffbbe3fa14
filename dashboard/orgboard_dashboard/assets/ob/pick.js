/* A line of a chart is a way to its run: a click on it, or the other button, opens what can be done.

   A click waits for the second one of a double click, which resets the zoom. */
(function (ob) {
  "use strict";

  const REACH_PX = 8;
  const STILL_PX = 4;
  const DOUBLE_MS = 300;

  /** Listen on a card's stage. */
  ob.pickable = function pickable(card) {
    const stage = card.plot.parentElement;
    let waiting = 0;
    const clicked = (event) => {
      const twice = waiting !== 0;
      clearTimeout(waiting);
      waiting = 0;
      if (twice) return;
      const row = ob.lineAt(card, event, REACH_PX);
      if (row) waiting = setTimeout(() => { waiting = 0; offer(event, row.line); }, DOUBLE_MS);
    };
    stage.addEventListener("pointerdown", (down) => {
      if (down.button !== 0 || down.shiftKey || down.pointerType === "touch" || down.target.closest("button")) return;
      const still = (up) => Math.hypot(up.clientX - down.clientX, up.clientY - down.clientY) < STILL_PX;
      document.addEventListener("pointerup", (up) => still(up) && clicked(up), { once: true, capture: true });
    });
    stage.addEventListener("contextmenu", (event) => {
      const row = ob.lineAt(card, event, event.pointerType === "touch" ? 3 * REACH_PX : REACH_PX);
      if (row) offer(event, row.line);
    });
  };

  /** Offer what can be done with the run of a line, or with the runs of a group. */
  function offer(event, line) {
    const { project } = ob;
    if (!project) return;
    ob.hideTip();
    const group = line.members ? ob.drawn(project).find((one) => one.uid === line.run) : null;
    const uids = group?.members ?? [line.run];
    const these = group ? "these runs" : "this run";
    const about = { label: "About this run", act: () => ob.goTo(`${ob.base()}r/${line.run}`) };
    ob.menu(event, line.name, [
      { label: `Show only ${these}`, act: () => ob.setView({ selected: uids }) },
      { label: `Hide ${these}`, act: () => project.show(uids, false) },
      ...(group ? [] : [about]),
    ]);
  }
})((globalThis.ob = globalThis.ob || {}));
