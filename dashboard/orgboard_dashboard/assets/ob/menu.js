/* What opens under a button: a small sheet of choices. The browser closes it on Escape and on
   a click elsewhere, and gives the focus back. */
(function (ob) {
  "use strict";

  /** Open a sheet of `children` under `button`; opened again, it closes. */
  ob.openMenu = function openMenu(button, label, ...children) {
    if (button.getAttribute("aria-expanded") === "true") return ob.closeMenu();
    ob.closeMenu();
    const sheet = ob.el("div.ob-pop", { popover: "auto", role: "dialog", "aria-label": label }, ...children);
    document.body.append(sheet);
    button.setAttribute("aria-expanded", "true");
    sheet.addEventListener("toggle", (event) => {
      if (event.newState !== "closed") return;
      button.setAttribute("aria-expanded", "false");
      const inside = sheet.contains(document.activeElement) || document.activeElement === document.body;
      sheet.remove();
      if (inside && button.isConnected) button.focus({ preventScroll: true });
    });
    sheet.showPopover();
    place(sheet, button);
    sheet.querySelector("button, input, select")?.focus({ preventScroll: true });
  };

  ob.closeMenu = function closeMenu() {
    document.querySelector(".ob-pop:popover-open")?.hidePopover();
  };

  function place(sheet, button) {
    const at = button.getBoundingClientRect();
    const { offsetWidth: width, offsetHeight: height } = sheet;
    const below = at.bottom + 4;
    const top = below + height > innerHeight - 8 ? Math.max(8, at.top - 4 - height) : below;
    sheet.style.left = `${Math.max(8, Math.min(at.left, innerWidth - width - 8))}px`;
    sheet.style.top = `${top}px`;
  }

  /** Make a line of a sheet that acts and closes it. */
  ob.menuItem = function menuItem(label, act, words = "") {
    return ob.el("button.ob-item", { type: "button", onclick: () => { ob.closeMenu(); act(); } },
      label, words && ob.el("span.ob-mute", {}, words));
  };

  /** Make a line of a sheet that is chosen among others, or not. */
  ob.menuChoice = function menuChoice(label, words, chosen, act) {
    return ob.el("button.ob-item.ob-pick", { type: "button", role: "radio", "aria-checked": String(chosen), onclick: () => { ob.closeMenu(); act(); } },
      ob.el("span", {}, label), ob.el("span.ob-mute", {}, words));
  };

  ob.menuHead = (words) => ob.el("div.ob-pop-head", {}, words);

  /** Make a labelled field of a sheet. */
  ob.menuField = (label, ...fields) => ob.el("label.ob-pop-field", {}, ob.el("span", {}, label), ...fields);

  /** Make a field for one choice of few. `choices` are [value, label]. */
  ob.select = function select(label, choices, value, onchange) {
    const box = ob.el("select.ob-input", { "aria-label": label, onchange: () => onchange(box.value) },
      ...choices.map(([key, text]) => ob.el("option", { value: key, selected: key === value }, text)));
    return box;
  };

  /** Make two fields for a range; `onchange` hears [low, high], or null when they are emptied. */
  ob.rangeFields = function rangeFields(what, range, onchange) {
    const problem = ob.el("span.ob-problem", { role: "alert" });
    const field = (end, value) => ob.el("input.ob-input.ob-number", {
      type: "text", inputmode: "decimal", value: value ?? "", placeholder: end, "aria-label": `${what}, ${end}`,
      onchange: read, onkeydown: (event) => event.key === "Enter" && read(),
    });
    const low = field("from", range?.[0]);
    const high = field("to", range?.[1]);
    function read() {
      const [from, to] = [low.value, high.value].map((text) => (text.trim() === "" ? NaN : Number(text.replace("−", "-"))));
      const empty = !low.value.trim() && !high.value.trim();
      const sound = Number.isFinite(from) && Number.isFinite(to) && from < to;
      problem.textContent = empty || sound || !low.value.trim() || !high.value.trim() ? "" : "Two numbers, the lower one first.";
      if (empty) onchange(null);
      else if (sound) onchange([from, to]);
    }
    const auto = ob.el("button.ob-quiet", { type: "button", onclick: () => { low.value = high.value = ""; read(); } }, "automatic");
    return ob.el("div.ob-range-fields", { role: "group", "aria-label": what }, low, ob.el("span.ob-mute", {}, "to"), high, auto, problem);
  };
})((globalThis.ob = globalThis.ob || {}));
