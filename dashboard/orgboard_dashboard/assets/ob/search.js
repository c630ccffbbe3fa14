/* The command palette: runs, tags, pages and actions in one field, by Ctrl+K or from the header.
   Runs and tags come from the server, a moment after the typing rests. */
(function (ob) {
  "use strict";

  const MOST_OF_A_SORT = 8;
  const REST_MS = 150;

  let box = null;

  /** Open the palette, or close it when it is open. */
  ob.openCommands = function openCommands() {
    if (box) return box.dialog.close();
    ob.closeMenu();
    box = make();
    document.body.append(box.dialog);
    box.dialog.showModal();
    search();
  };

  function make() {
    const list = ob.el("div.ob-commands-list", { role: "listbox", id: "ob-commands-list", "aria-label": "What was found" });
    const input = ob.el("input.ob-commands-input", {
      type: "text", placeholder: "Search runs, tags, pages, actions", spellcheck: "false", autocomplete: "off",
      role: "combobox", "aria-expanded": "true", "aria-controls": "ob-commands-list", "aria-label": "Search runs, tags, pages, actions",
      oninput: search, onkeydown: onKey,
    });
    const controller = new AbortController();
    const dialog = ob.el("dialog.ob-commands", { "aria-label": "Search", onclose: () => {
      controller.abort();
      dialog.remove();
      box = null;
    } }, input, list);
    dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());
    return { dialog, input, list, controller, found: [], at: 0, turn: 0, tags: null };
  }

  function onKey(event) {
    const by = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (by && box.found.length) {
      event.preventDefault();
      mark((box.at + by + box.found.length) % box.found.length);
    }
    if (event.key === "Enter" && box.found[box.at]) run(box.found[box.at]);
  }

  function run(command) {
    box.dialog.close();
    command.act();
  }

  function search() {
    const words = box.input.value.trim().toLowerCase().split(/\s+/).filter(Boolean);
    show([...pages(words), ...views(words), ...actions(words)]);
    fetchMore(words, (box.turn += 1));
  }

  const fetchMore = ob.settled(REST_MS, async (words, turn) => {
    if (!box || !ob.project || turn !== box.turn) return;
    const open = box;
    try {
      const [runs, tags] = await Promise.all([findRuns(words, open), findTags(words, open)]);
      if (box === open && turn === open.turn) show([...runs, ...tags, ...pages(words), ...views(words), ...actions(words)]);
    } catch (error) {
      if (!(error instanceof ob.Refused) && error.name !== "AbortError") throw error;
    }
  });

  const matches = (text, words) => words.every((word) => text.toLowerCase().includes(word));

  async function findRuns(words, { controller }) {
    if (!words.length) return [];
    // The server knows all runs: the words in their order, whatever stands between them.
    // Quotes and backslashes stand by their number: a query in quotes reads them otherwise.
    const numbered = (sign) => `\\x${sign.charCodeAt(0).toString(16)}`;
    const escaped = (word) => word.replace(/["\\^$.*+?()[\]{}|]/g, (sign) => (/["\\]/.test(sign) ? numbered(sign) : `\\${sign}`));
    const q = `name ~ "(?i)${words.map(escaped).join(".*")}"`;
    const query = new URLSearchParams({ q, limit: String(MOST_OF_A_SORT) });
    const { runs } = await ob.getJson(`${ob.project.path}/runs?${query}`, controller.signal);
    return runs.map((each) => ({ sort: "Runs", label: ob.runName(each), words: each.status, act: () => ob.goTo(`${ob.base()}r/${each.uid}`) }));
  }

  async function findTags(words, open) {
    open.tags ??= (await ob.getJson(`${ob.project.path}/tags?kind=scalar`, open.controller.signal)).tags;
    const found = open.tags.filter((tag) => matches(tag.name, words)).slice(0, MOST_OF_A_SORT);
    return found.map(({ name }) => ({ sort: "Tags", label: name, mono: true, act: () => goToTag(name) }));
  }

  /** Show one tag's card on the scalars page. */
  function goToTag(name) {
    const tagFilter = `^${name.replace(/[\\^$.*+?()[\]{}|/]/g, "\\$&")}$`;
    if (location.pathname.endsWith("/scalars")) {
      ob.setView({ tagFilter, collapsed: [] });
      const field = document.querySelector(".ob-tagfilter");
      if (field) field.value = tagFilter;
    } else {
      ob.goTo(`${ob.base()}${ob.project.path}/scalars${ob.viewQuery({ tagFilter, zoom: null, collapsed: [] })}`);
    }
  }

  function pages(words) {
    const links = [...document.querySelectorAll("#ob-tabs a")];
    const all = links.map((link) => ({ sort: "Pages", label: link.textContent, act: () => link.click() }));
    all.push({ sort: "Pages", label: "All projects", act: () => ob.goTo(ob.base()) });
    all.push(...ob.ownPages().map((page) => ({ sort: "Pages", ...page })));
    return all.filter((page) => matches(page.label, words));
  }

  function views(words) {
    const found = ob.savedViews().filter((row) => matches(row.name, words)).slice(0, MOST_OF_A_SORT);
    return found.map((row) => ({ sort: "Views", label: row.name, words: ob.viewWords(row), act: () => ob.openView(row) }));
  }

  function actions(words) {
    const all = [...ob.commonActions(), ...ob.viewActions(), ...(ob.pageActions?.() ?? [])];
    return all.filter(({ label }) => matches(label, words)).map((action) => ({ sort: "Actions", ...action }));
  }

  /** What can be done on every page. */
  ob.commonActions = () => [
    { label: "Light or dark", words: "t", act: () => document.querySelector(".ob-theme")?.click() },
    { label: "Fold or unfold the run panel", words: "p", act: () => ob.togglePanel() },
    { label: "Filter runs", words: "r", act: () => document.querySelector(".ob-panel .ob-query")?.focus() },
    { label: "List the keys", words: "?", act: () => ob.showKeys() },
  ];

  function show(found) {
    box.found = found;
    box.at = 0;
    const rows = [];
    found.forEach((command, i) => {
      if (command.sort !== found[i - 1]?.sort) rows.push(ob.el("div.ob-pop-head", { role: "presentation" }, command.sort));
      rows.push(ob.el("div.ob-item", { role: "option", id: `ob-command-${i}`, onclick: () => run(command), onpointermove: () => mark(i) },
        ob.el(command.mono ? "span.ob-name.ob-mono" : "span.ob-name", {}, command.label), ob.el("span.ob-mute", {}, command.words ?? "")));
    });
    if (!found.length) rows.push(ob.el("div.ob-none", {}, "Nothing like that here."));
    box.list.replaceChildren(...rows);
    mark(0);
  }

  function mark(i) {
    box.at = i;
    for (const row of box.list.querySelectorAll("[role=option]")) {
      const on = row.id === `ob-command-${i}`;
      row.setAttribute("aria-selected", String(on));
      if (on) row.scrollIntoView({ block: "nearest" });
    }
    if (box.found.length) box.input.setAttribute("aria-activedescendant", `ob-command-${i}`);
    else box.input.removeAttribute("aria-activedescendant");
  }

  document.addEventListener("click", (event) => event.target.closest?.("#ob-search") && ob.openCommands());
})((globalThis.ob = globalThis.ob || {}));
