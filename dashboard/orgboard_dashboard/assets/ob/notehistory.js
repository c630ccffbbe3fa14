/* What a run's note said before: the versions, what the next one changed, and a way back. */
(function (ob) {
  "use strict";

  /** The button that opens the history of a note; null where there is none. */
  ob.noteHistoryButton = function noteHistoryButton(uid, note, canEdit, again) {
    if (!note.earlier) return null;
    return ob.el("button.ob-quiet", { type: "button", "aria-haspopup": "dialog", onclick: () => open(uid, note, canEdit, again) },
      ob.plural(note.earlier, "earlier version"));
  };

  async function open(uid, note, canEdit, again) {
    const path = `r/${encodeURIComponent(uid)}/note`;
    const told = await ob.attempt(() => ob.getJson(`${path}/versions`));
    if (!told) return;
    const texts = new Map();
    const textOf = (version) => {
      if (!version) return note.text;
      if (!texts.has(version.version)) texts.set(version.version, ob.getJson(`${path}/versions/${version.version}`).then((found) => found.text));
      return texts.get(version.version);
    };
    const shown = ob.el("div.ob-version", { tabindex: "0", role: "region", "aria-label": "What changed" });
    const list = ob.el("div.ob-versions", { role: "radiogroup", "aria-label": "Earlier versions" });
    let chosen = null;
    const choose = async (version, i) => {
      chosen = version;
      [...list.children].forEach((button, at) => {
        button.setAttribute("aria-checked", String(at === i));
        button.tabIndex = at === i ? 0 : -1;
      });
      const found = await ob.attempt(() => Promise.all([textOf(version), textOf(told.versions[i - 1])]));
      if (found && chosen === version) shown.replaceChildren(words(i, note), difference(...found));
    };
    list.append(...told.versions.map((version, i) => ob.el("button", {
      type: "button", role: "radio", title: ob.moment(version.written_at), onclick: () => choose(version, i),
    }, ob.el("span", {}, ob.ago(version.written_at)), ob.el("span.ob-mute", {}, version.author || "you"))));
    list.addEventListener("keydown", (event) => turn(event, list));
    const box = ob.dialog("Earlier versions of the note", [list, shown], canEdit ? {
      does: "Restore this version",
      act: async () => {
        await ob.change(path, { text: await textOf(chosen), read: note.written_at });
        ob.toast("Restored; what the note said is among the earlier versions");
        await again();
      },
    } : { act: () => {} });
    box.classList.add("ob-wide", "ob-historybox");
    if (told.versions.length) await choose(told.versions[0], 0);
    list.firstElementChild?.focus();
  }

  /** Arrows choose, as among radio buttons. */
  function turn(event, list) {
    const by = { ArrowDown: 1, ArrowRight: 1, ArrowUp: -1, ArrowLeft: -1 }[event.key];
    if (!by) return;
    event.preventDefault();
    const rows = [...list.children];
    const next = rows[(rows.indexOf(document.activeElement) + by + rows.length) % rows.length];
    next.focus();
    next.click();
  }

  function words(i, note) {
    const next = i > 0 ? "The version after it" : note.text ? "What it says now" : "Then it was taken away, which";
    return ob.el("p.ob-mute", {}, `${next} leaves out what is `, ob.el("del", {}, "struck out"), " and adds what is ", ob.el("ins", {}, "underlined"), ".");
  }

  /** Draw a difference: text nodes, whatever a note says. */
  function difference(before, after) {
    const element = { same: "span", gone: "del", new: "ins" };
    return ob.el("div.ob-diff", {}, ...ob.wordDiff(before, after).map(({ text, was }) => ob.el(element[was], {}, text)));
  }
})((globalThis.ob = globalThis.ob || {}));
