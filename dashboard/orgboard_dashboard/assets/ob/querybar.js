/* The query bar: one line of the query language, coloured as it is typed, with what may come next
   below it, and what is wrong marked at its place. The text itself is the view's run filter. */
(function (ob) {
  "use strict";

  const WAIT_MS = 300;
  let made = 0;

  /** Make the bar of a project: {el, input, problem, say(error)}. */
  ob.queryBar = function queryBar(project) {
    made += 1;
    const bar = { project, items: [], at: 0, end: 0, chosen: -1, error: null, said: null, entered: false, id: `ob-query-${made}` };
    bar.paper = ob.el("div.ob-query-paper", { "aria-hidden": "true" });
    bar.input = ob.el("input.ob-input.ob-mono.ob-query", {
      type: "search", value: ob.view.runFilter, spellcheck: "false", autocomplete: "off", autocapitalize: "off",
      placeholder: "Filter runs: lr < 0.01 and val/loss < 0.3",
      role: "combobox", "aria-expanded": "false", "aria-controls": bar.id, "aria-autocomplete": "list",
      "aria-label": "Filter runs by a query, or by a regular expression on their names",
      "aria-describedby": `${bar.id}-problem`,
      oninput: () => typed(bar), onscroll: () => follow(bar), onkeydown: (event) => key(bar, event),
      onfocus: () => ready(bar), onclick: () => offer(bar), onblur: () => close(bar),
    });
    bar.list = ob.el("div.ob-choices", { id: bar.id, role: "listbox", "aria-label": "What may come next", hidden: true });
    bar.problem = ob.el("div.ob-problem", { id: `${bar.id}-problem`, role: "alert" });
    bar.el = ob.el("div.ob-querybox", {}, ob.el("div.ob-queryline", {}, bar.paper, bar.input), bar.list);
    bar.apply = ob.settled(WAIT_MS, () => !halfway(bar) && ob.setView({ runFilter: bar.input.value }));
    bar.say = (error) => say(bar, error);
    bar.set = (text) => set(bar, text);
    paint(bar);
    return bar;
  };

  function typed(bar) {
    bar.error = null;
    bar.entered = false;
    paint(bar);
    offer(bar);
    bar.apply();
  }

  /** Whether the name of a field is being typed: half of one would find nothing. */
  function halfway(bar) {
    const { value } = bar.input;
    const typing = value.slice(bar.at, bar.end);
    const isIt = ({ insert }) => insert === typing || (insert === `${typing}:` && value[bar.end] === ":");
    return !bar.list.hidden && typing !== "" && isQuery(value) && !bar.items.some(isIt);
  }

  /** Take a text that came from elsewhere: from the address, or from a button. */
  function set(bar, text) {
    if (bar.input.value === text) return;
    bar.input.value = text;
    bar.error = null;
    paint(bar);
  }

  /** Show what the server says of the query; null when nothing is wrong. */
  function say(bar, error) {
    const refused = error instanceof ob.Refused ? error : null;
    const before = bar.error;
    bar.error = refused && refused.status === 400 ? refused : null;
    // Who is in the middle of a condition knows that it is not finished.
    const unfinished = bar.error?.details?.at >= [...bar.input.value].length && document.activeElement === bar.input;
    bar.input.setAttribute("aria-invalid", String(Boolean(refused) && !unfinished));
    bar.problem.classList.toggle("ob-unfinished", Boolean(unfinished));
    // Made anew, a button that is being pressed would be gone before it is clicked.
    if (bar.said !== refused) bar.problem.replaceChildren(...(refused ? [refused.details.problem ?? refused.message, ...suggestions(bar)] : []));
    bar.said = refused;
    // Said with every change of the panel, and to paint lays the page out.
    if (bar.error !== before) paint(bar);
  }

  function suggestions(bar) {
    const { suggestions: names = [], at, end } = bar.error?.details ?? {};
    const buttons = names.map((name) => ob.el("button.ob-quiet.ob-mono", {
      type: "button", title: "Write this instead", onclick: () => put(bar, ob.queryWord(name), ...units(bar.input.value, at, end)),
    }, shortened(name)));
    return buttons.length ? [" Did you mean ", ...buttons, "?"] : [];
  }

  const shortened = (name) => (name.length > 40 ? `${name.slice(0, 39)}…` : name);

  /** Turn places in characters, as the server counts, into those of a string here. */
  function units(text, at, end) {
    const characters = [...text];
    const unit = (n) => characters.slice(0, n).join("").length;
    return [unit(at), unit(end)];
  }

  /** Colour the text on the paper behind the field, and mark what is wrong. */
  function paint(bar) {
    const text = bar.input.value;
    const [at, end] = bar.error?.details?.at === undefined ? [-1, -1] : units(text, bar.error.details.at, bar.error.details.end);
    const nodes = [];
    let done = 0;
    for (const piece of isQuery(text) ? ob.queryPieces(text) : []) {
      nodes.push(text.slice(done, piece.at), span(piece, piece.end > at && piece.at < end));
      done = piece.end;
    }
    nodes.push(text.slice(done));
    if (at >= text.trimEnd().length) nodes.push(ob.el("span.ob-q-wrong", {}, "\u00a0\u00a0"));
    bar.paper.replaceChildren(...nodes);
    follow(bar);
  }

  function span(piece, wrong) {
    return ob.el(`span.ob-q-${piece.kind}${wrong ? ".ob-q-wrong" : ""}`, {}, piece.text);
  }

  const isQuery = (text) => /[=<>~]|\b(and|or|not)\b|\w\s?:/i.test(text);

  function follow(bar) {
    bar.paper.scrollLeft = bar.input.scrollLeft;
  }

  async function ready(bar) {
    bar.words = await ob.vocabulary(bar.project).catch(() => null);
    // Words that come late open no list over the answer to what was entered meanwhile.
    if (document.activeElement === bar.input && !bar.entered) offer(bar);
  }

  /** Open the list of what may come next. */
  function offer(bar) {
    if (!bar.words || document.activeElement !== bar.input) return;
    const caret = bar.input.selectionStart ?? bar.input.value.length;
    Object.assign(bar, ob.completions(bar.input.value, caret, bar.words), { chosen: -1 });
    const typedAll = bar.items.length === 1 && bar.items[0].insert === bar.input.value.slice(bar.at, bar.end);
    bar.list.replaceChildren(...bar.items.map((item, i) => option(bar, item, i)));
    expand(bar, bar.items.length > 0 && !typedAll);
  }

  function option(bar, item, i) {
    return ob.el("div.ob-choice", {
      role: "option", id: `${bar.id}-${i}`, "aria-selected": "false",
      // Before the field loses the focus.
      onpointerdown: (event) => {
        event.preventDefault();
        accept(bar, i);
      },
    }, ob.el("span.ob-mono.ob-name", {}, item.label), ob.el("span.ob-about", {}, item.about));
  }

  function expand(bar, open) {
    bar.list.hidden = !open;
    bar.input.setAttribute("aria-expanded", String(open));
    if (!open) bar.input.removeAttribute("aria-activedescendant");
  }

  function close(bar) {
    expand(bar, false);
    bar.apply();
    say(bar, bar.project.error);
  }

  function key(bar, event) {
    const open = !bar.list.hidden;
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      if (open) choose(bar, event.key === "ArrowDown" ? 1 : -1);
      else offer(bar);
    } else if (open && event.key === "Tab" && !event.shiftKey && bar.items.length && bar.chosen >= 0) {
      event.preventDefault();
      accept(bar, bar.chosen);
    } else if (event.key === "Enter") {
      if (open && bar.chosen >= 0) return accept(bar, bar.chosen);
      expand(bar, false);
      bar.entered = true;
      ob.setView({ runFilter: bar.input.value });
    } else if (event.key === "Escape" && open) {
      event.preventDefault();
      event.stopPropagation();
      expand(bar, false);
    }
    return undefined;
  }

  function choose(bar, by) {
    const n = bar.items.length;
    bar.chosen = bar.chosen < 0 && by < 0 ? n - 1 : (bar.chosen + by + n) % n;
    [...bar.list.children].forEach((node, i) => {
      node.setAttribute("aria-selected", String(i === bar.chosen));
      if (i === bar.chosen) node.scrollIntoView({ block: "nearest" });
    });
    bar.input.setAttribute("aria-activedescendant", `${bar.id}-${bar.chosen}`);
  }

  function accept(bar, i) {
    const { insert } = bar.items[i];
    // The colon that follows may stand there already.
    const end = bar.end + Number(insert.endsWith(":") && bar.input.value[bar.end] === ":");
    put(bar, /[(:]$/.test(insert) ? insert : `${insert} `, bar.at, end);
  }

  /** Put a text in place of a part, and go on behind it. */
  function put(bar, text, at, end) {
    const { input } = bar;
    const rest = input.value.slice(end);
    input.value = input.value.slice(0, at) + text + (text.endsWith(" ") ? rest.replace(/^ /, "") : rest);
    input.focus();
    input.setSelectionRange(at + text.length, at + text.length);
    typed(bar);
  }

  const KEEP_MS = 20000;

  function learned(words) {
    ob.learn(words.metrics);
    ob.learn(words.named_metrics.map((one) => ({ ...one, name: ob.METRIC + one.name })));
    return words;
  }

  /** Fetch the words of a project: its fields, hyperparameters and metrics. Kept for a while. */
  ob.vocabulary = function vocabulary(project) {
    const kept = project.words;
    if (!kept || Date.now() - kept.since > KEEP_MS) {
      project.words = { since: Date.now(), asked: ob.getJson(`${project.path}/fields`).then(learned) };
      project.words.asked.catch(() => { project.words = null; });
    }
    return project.words.asked;
  };
})((globalThis.ob = globalThis.ob || {}));
