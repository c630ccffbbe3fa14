/* What floats above a page: a menu, a dialog, and a word that something was done. */
(function (ob) {
  "use strict";

  const TOAST_MS = 9000;
  const MARGIN = 8;

  let closeMenu = () => {};

  /** Open a menu at an event. `items`: {label, act, danger, on} or null for a line; `title` heads it. */
  ob.menu = function menu(event, title, items) {
    event.preventDefault();
    event.stopPropagation();
    closeMenu();
    const back = event.anchor ?? document.activeElement;
    const rows = items.map((item) => (item ? entry(item) : ob.el("hr", { role: "separator" })));
    const box = ob.el("div.ob-acts", { role: "menu", "aria-label": title, tabindex: "-1", onkeydown: keys },
      ob.el("div.ob-acts-title", { role: "presentation", title }, title), ...rows);
    const outside = (pressed) => !box.contains(pressed.target) && closeMenu();
    closeMenu = () => {
      document.removeEventListener("pointerdown", outside, true);
      window.removeEventListener("blur", closeMenu);
      box.remove();
      closeMenu = () => {};
      ob.standing(back)?.focus({ preventScroll: true });
    };
    document.addEventListener("pointerdown", outside, true);
    window.addEventListener("blur", closeMenu);
    document.body.append(box);
    place(box, event);
    box.querySelector("[role^=menuitem]")?.focus();
  };

  function entry({ label, act, danger, on }) {
    const role = on === undefined ? "menuitem" : "menuitemcheckbox";
    const onclick = () => {
      closeMenu();
      act();
    };
    return ob.el(danger ? "button.ob-danger" : "button", { type: "button", role, "aria-checked": on === undefined ? null : String(on), onclick }, label);
  }

  /** Beside the button that was pressed, else at the pointer; never off the screen. */
  function place(box, event) {
    const rect = event.rect ?? (event.currentTarget instanceof HTMLButtonElement ? event.currentTarget.getBoundingClientRect() : null);
    const [x, y] = rect ? [rect.left, rect.bottom + 4] : [event.clientX, event.clientY];
    const { offsetWidth: width, offsetHeight: height } = box;
    box.style.left = `${Math.max(MARGIN, Math.min(x, innerWidth - width - MARGIN))}px`;
    box.style.top = `${Math.max(MARGIN, Math.min(y, innerHeight - height - MARGIN))}px`;
  }

  function keys(event) {
    event.stopPropagation();
    if (event.key === "Escape" || event.key === "Tab") {
      event.preventDefault();
      return closeMenu();
    }
    const by = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (!by) return;
    event.preventDefault();
    const items = [...event.currentTarget.querySelectorAll("[role^=menuitem]")];
    items[(items.indexOf(document.activeElement) + by + items.length) % items.length].focus();
  }

  /** Open a dialog. `act` may throw what the server refused: then it stays, and says why. */
  ob.dialog = function dialog(title, content, { does, act, danger = false }) {
    const problem = ob.el("p.ob-problem", { role: "alert" });
    const go = ob.el(danger ? "button.ob-pill.ob-danger" : "button.ob-pill.ob-go", { type: "submit", hidden: !does }, does ?? "");
    const cancel = ob.el("button.ob-pill", { type: "button", onclick: () => box.close() }, does ? "Cancel" : "Close");
    const submit = async (event) => {
      event.preventDefault();
      go.disabled = true;
      try {
        await act();
        box.close();
      } catch (error) {
        if (!(error instanceof ob.Refused)) throw error;
        problem.textContent = error.message;
      } finally {
        go.disabled = false;
      }
    };
    const back = document.activeElement;
    const closed = () => {
      box.remove();
      // The browser gives the focus back, but to what is still there only.
      if (document.activeElement === document.body) ob.standing(back)?.focus({ preventScroll: true });
    };
    const box = ob.el("dialog.ob-dialog.ob-ask", { "aria-label": title, onclose: closed },
      ob.el("form", { method: "dialog", onsubmit: submit }, ob.el("h2", {}, title), ...[content].flat(), problem, ob.el("div.ob-buttons", {}, go, cancel)));
    box.addEventListener("keydown", (event) => event.stopPropagation());
    box.addEventListener("click", (event) => event.target === box && box.close());
    document.body.append(box);
    box.showModal();
    // What cannot be taken back is not one key away.
    if (danger) cancel.focus();
    return box;
  };

  /** Say that something was done, and offer to take it back while it is said. */
  ob.toast = function toast(words, undo) {
    document.getElementById("ob-toast")?.remove();
    const said = ob.el("span", { role: "status" });
    const box = ob.el("div.ob-toast", { id: "ob-toast" }, said);
    if (undo) box.append(ob.el("button.ob-quiet", { type: "button", onclick: () => (box.remove(), undo()) }, "Undo"));
    let timer = 0;
    const wait = () => { timer = setTimeout(() => box.remove(), TOAST_MS); };
    // It stays while somebody is on it.
    for (const name of ["pointerenter", "focusin"]) box.addEventListener(name, () => clearTimeout(timer));
    for (const name of ["pointerleave", "focusout"]) box.addEventListener(name, () => (clearTimeout(timer), wait()));
    document.body.append(box);
    // Into a place that is there already, so that it is read aloud.
    said.textContent = words;
    wait();
  };

  /** Run a change; what the server refuses is said and nothing else happens. */
  ob.attempt = async function attempt(act) {
    try {
      return await act();
    } catch (error) {
      if (!(error instanceof ob.Refused)) throw error;
      ob.toast(error.message);
      return null;
    }
  };
})((globalThis.ob = globalThis.ob || {}));
