/* A field for a comment, in which `@` offers the names of those who may see what it is about.

   The list is the server's: it knows who may. Which name is meant, it says again when the comment
   is stored; what names nobody stays a word. */
(function (ob) {
  "use strict";

  const WAIT_MS = 120;
  /** The name that is being typed before the caret. As the server reads it. */
  const TYPING = /(?:^|[^\p{L}\p{N}_@.+\\<-])@((?:[\p{L}\p{N}][\p{L}\p{N}_.@+-]{0,63})?)$/u;
  let made = 0;

  /** Make a field {el, field}; `project` is the path of the project, null where nobody is to be named. */
  ob.namingField = function namingField({ label, placeholder = "", value = "", project, most }) {
    made += 1;
    const id = `ob-naming-${made}`;
    const state = { project, names: [], chosen: -1, asked: 0 };
    state.field = ob.el("textarea.ob-input", {
      rows: "3", value, placeholder, maxlength: String(most), "aria-label": label, "aria-autocomplete": "list", "aria-controls": id,
      oninput: () => offer(state), onclick: () => offer(state), onblur: () => close(state), onkeydown: (event) => key(state, event),
    });
    state.list = ob.el("div.ob-choices", { id, role: "listbox", "aria-label": "People who may see this", hidden: true });
    const look = ob.settled(WAIT_MS, () => fetchNames(state));
    state.look = look;
    return { el: ob.el("div.ob-naming", {}, state.field, state.list), field: state.field };
  };

  /** Give {at, name} of the name before the caret; null when none is being typed. */
  function typing({ field }) {
    if (field.selectionStart !== field.selectionEnd) return null;
    const found = TYPING.exec(field.value.slice(0, field.selectionStart));
    return found && { at: field.selectionStart - found[1].length, name: found[1] };
  }

  function offer(state) {
    state.asked += 1;
    if (state.project && typing(state)) state.look();
    else close(state);
  }

  async function fetchNames(state) {
    const now = typing(state);
    if (!now || document.activeElement !== state.field) return close(state);
    const turn = state.asked;
    try {
      const { names } = await ob.getJson(`${state.project}/people?q=${encodeURIComponent(now.name)}`);
      if (turn === state.asked && document.activeElement === state.field) show(state, names);
    } catch (error) {
      // Who may name nobody writes on without a list.
      if (!(error instanceof ob.Refused)) throw error;
      close(state);
    }
  }

  function show(state, names) {
    const isWhole = names.length === 1 && names[0] === typing(state)?.name;
    state.names = isWhole ? [] : names;
    state.list.replaceChildren(...state.names.map((name, i) => ob.el("div.ob-choice", {
      role: "option", id: `${state.list.id}-${i}`, "aria-selected": "false",
      // Before the field loses the focus.
      onpointerdown: (event) => {
        event.preventDefault();
        accept(state, i);
      },
    }, ob.el("span.ob-name", {}, name))));
    expand(state, state.names.length > 0);
    if (state.names.length) choose(state, 0);
  }

  function expand(state, open) {
    state.list.hidden = !open;
    // Only while there is a list the field is one that has a list.
    for (const [name, to] of [["role", "combobox"], ["aria-expanded", "true"]]) {
      if (open) state.field.setAttribute(name, to);
      else state.field.removeAttribute(name);
    }
    if (!open) state.field.removeAttribute("aria-activedescendant");
    if (open) place(state);
  }

  /** Above the field where there is no room below. */
  function place({ field, list }) {
    const box = field.getBoundingClientRect();
    list.classList.toggle("ob-above", box.bottom + list.offsetHeight + 8 > innerHeight && box.top > list.offsetHeight + 8);
  }

  const close = (state) => {
    state.names = [];
    state.chosen = -1;
    expand(state, false);
  };

  function choose(state, i) {
    state.chosen = i;
    [...state.list.children].forEach((node, at) => {
      node.setAttribute("aria-selected", String(at === i));
      if (at === i) node.scrollIntoView({ block: "nearest" });
    });
    state.field.setAttribute("aria-activedescendant", `${state.list.id}-${i}`);
  }

  function key(state, event) {
    if (state.list.hidden || event.isComposing) return;
    const n = state.names.length;
    const by = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (by) choose(state, (state.chosen + by + n) % n);
    else if ((event.key === "Enter" && !event.ctrlKey && !event.metaKey) || (event.key === "Tab" && !event.shiftKey)) accept(state, state.chosen);
    else if (event.key === "Escape") close(state);
    else return;
    event.preventDefault();
    event.stopImmediatePropagation();
  }

  function accept(state, i) {
    const { field } = state;
    const now = typing(state);
    const name = state.names[i];
    close(state);
    if (!now || name === undefined) return;
    const rest = field.value.slice(field.selectionEnd);
    field.value = `${field.value.slice(0, now.at)}${name} ${rest.replace(/^ /, "")}`;
    const caret = now.at + name.length + 1;
    field.focus();
    field.setSelectionRange(caret, caret);
    state.asked += 1;
  }
})((globalThis.ob = globalThis.ob || {}));
