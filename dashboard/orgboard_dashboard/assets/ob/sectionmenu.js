/* What can be done with a section of cards at once. */
(function (ob) {
  "use strict";

  const MORE = "M3.500 8h.01M8 8h.01M12.500 8h.01";

  /** Make the button of a section's sheet; it shows on hover and on focus. */
  ob.sectionMenu = function sectionMenu(name, tags, kind) {
    const label = `More about the section ${name || "other"}`;
    const button = ob.el("button.ob-icon", {
      type: "button", "aria-label": label, title: "More", "aria-haspopup": "dialog", "aria-expanded": "false",
      onclick: () => open(button, name, tags, kind),
    }, ob.icon(MORE));
    return ob.el("span.ob-act", {}, button);
  };

  function open(button, name, tags, kind) {
    const own = ob.view.sectionRanges.find(([group]) => group === name);
    const setRange = (range) => {
      const others = ob.view.sectionRanges.filter(([group]) => group !== name);
      ob.setView({ sectionRanges: range ? [...others, [name, ...range]] : others });
    };
    ob.openMenu(button, button.getAttribute("aria-label"),
      ob.menuHead(kind === "scalar" ? "Vertical range of its cards" : "Range of values of its cards"),
      ob.rangeFields("Range of the section", own?.slice(1) ?? null, setRange),
      ob.menuHead("Save"),
      ob.menuItem("CSV", () => ob.savePoints(tags, "csv", kind), "every point of its cards, of the shown runs"),
      ob.menuItem("JSON", () => ob.savePoints(tags, "jsonl", kind), "every point, an object a line"));
  }
})((globalThis.ob = globalThis.ob || {}));
