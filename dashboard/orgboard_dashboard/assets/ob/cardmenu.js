/* What can be done with one card: pin it, fill the screen with it, set its range, take it along. */
(function (ob) {
  "use strict";

  const ICONS = {
    pin: "M6 2.500h4M6.500 2.500v4L4.500 9h7L9.500 6.500v-4M8 9v4.500",
    full: "M9.500 2.500H13.500V6.500M13 3L9 7M6.500 13.500H2.500V9.500M3 13L7 9",
    more: "M3.500 8h.01M8 8h.01M12.500 8h.01",
  };

  /** Make the buttons of a card; they show on hover and on focus. */
  ob.cardActions = function cardActions(card, { onResize, onSelect }) {
    const { name } = card.tag;
    const button = (what, label, onclick) => ob.el("button.ob-icon", { type: "button", "aria-label": `${label} ${ob.plainName(name)}`, title: label, onclick }, ob.icon(ICONS[what]));
    const pin = button("pin", "Pin", () => ob.togglePin(name));
    const full = button("full", "Full screen", () => ob.toggleFull(card, onResize));
    const more = button("more", "More about", () => openMore(card, more, Boolean(onSelect)));
    // Only the cards of tags stand in sections that a pinned one is above of.
    const canPin = card.isTag && Boolean(onSelect);
    more.setAttribute("aria-haspopup", "dialog");
    more.title = "More";
    card.paintActions = () => {
      const pinned = ob.view.pinned.includes(name);
      pin.setAttribute("aria-pressed", String(pinned));
      pin.title = pinned ? "Unpin" : "Pin";
      full.setAttribute("aria-pressed", String(card.el.classList.contains("ob-full")));
    };
    card.fullButton = full;
    return ob.el("span.ob-act", {}, canPin ? pin : null, full, more);
  };

  ob.togglePin = function togglePin(name) {
    const { pinned } = ob.view;
    ob.setView({ pinned: pinned.includes(name) ? pinned.filter((one) => one !== name) : [...pinned, name] });
  };

  /** Give a pinned card another place among the pinned ones. */
  ob.movePin = function movePin(name, to) {
    const others = ob.view.pinned.filter((one) => one !== name);
    ob.setView({ pinned: others.toSpliced(to, 0, name) });
  };

  /** Make the lines of a sheet that move a pinned card, without dragging it. */
  function moves(name) {
    const { pinned } = ob.view;
    const at = pinned.indexOf(name);
    return [
      at > 0 && ob.menuItem("Move to the front", () => ob.movePin(name, 0)),
      at > 0 && ob.menuItem("Move before", () => ob.movePin(name, at - 1)),
      at >= 0 && at < pinned.length - 1 && ob.menuItem("Move behind", () => ob.movePin(name, at + 1)),
    ].filter(Boolean);
  }

  /** Let a card fill the screen, or give the screen back. */
  ob.toggleFull = function toggleFull(card, onResize) {
    const others = [...document.querySelectorAll(".ob-card.ob-full")].map((el) => el.card).filter((one) => one !== card);
    for (const one of [...others, card]) {
      one.el.classList.toggle("ob-full", one === card ? undefined : false);
      one.paintActions();
      onResize(one);
    }
    ob.hideTip();
    card.fullButton.focus({ preventScroll: true });
  };

  /** Give the screen back; whether it was taken. */
  ob.leaveFull = function leaveFull() {
    const full = document.querySelector(".ob-card.ob-full")?.card;
    full?.fullButton.click();
    return Boolean(full);
  };

  /** `tabled`: the page has a place for the table of values. */
  function openMore(card, button, tabled) {
    const { name } = card.tag;
    const own = ob.view.cardRanges.find(([tag]) => tag === name);
    const setRange = (range) => {
      const others = ob.view.cardRanges.filter(([tag]) => tag !== name);
      ob.setView({ cardRanges: range ? [...others, [name, ...range]] : others });
    };
    const save = (label, words, act) => ob.menuItem(label, act, words);
    ob.openMenu(button, `More about ${ob.plainName(name)}`,
      ob.menuHead("In words"), ob.el("p.ob-words", {}, card.told?.() ?? ob.describe(name, card.shownLines())),
      ...(card.tag.of?.length ? [ob.menuHead("A metric, logged as"), ob.el("p.ob-words", {}, ob.el("span.ob-mono", {}, card.tag.of.map(ob.partWords).join(", ")), card.tag.of.length > 1 ? ". In a run that has several of them the first one counts." : "")] : []),
      ...(card.look().cardRanges === ob.view.cardRanges ? [ob.menuHead(card.rangeName ?? "Vertical range"), ob.rangeFields(card.rangeName ?? "Vertical range", own?.slice(1) ?? null, setRange)] : []),
      ...(card.isTag ? moves(name) : []),
      ...(card.menuItems?.() ?? []),
      ...(card.isTag && !card.kind ? ob.dictionaryPage().map(({ label, act }) => ob.menuItem(label, act)) : []),
      ...ob.embedItems(card),
      ...(card.isTag && tabled && !card.kind ? [ob.menuItem("Table of values", () => ob.openTable(card))] : []),
      ob.menuHead("Save"),
      save("PNG", "the picture, twice as fine", () => (card.savePicture?.("png") ?? ob.savePicture(card, "png"))),
      save("SVG", "the picture, as lines", () => (card.savePicture?.("svg") ?? ob.savePicture(card, "svg"))),
      ...(card.isTag ? [
        save("CSV", "every point of the shown runs", () => ob.savePoints([card.tag], "csv", card.kind)),
        save("JSON", "every point, an object a line", () => ob.savePoints([card.tag], "jsonl", card.kind)),
      ] : []));
  }
})((globalThis.ob = globalThis.ob || {}));
