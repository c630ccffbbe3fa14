/* A card of several tags, or of arithmetic on them: what the view's `charts` say.

   A chart's text is its name and its address; the server reads it, and says what is wrong. */
(function (ob) {
  "use strict";

  const DRAGGED = "application/x-orgboard-tag";
  const MOST_PARTS = 12;
  const PARTS_APART = "; ";
  const EDIT = "M11 2.500l2.500 2.500L6 12.500l-3 .500.500-3z";
  const REMOVE = "M4 4l8 8M12 4l-8 8";
  const ADD = "M8 3v10M3 8h10";

  class ChartCard extends ob.Card {
    constructor(source, actions, title = "") {
      super({ id: `e ${source}`, name: title || source, display_name: title }, actions);
      this.source = source;
      this.parts = [];
      this.missing = [];
      this.refusal = "";
      this.el.classList.add("ob-chart");
      this.addActions(source);
    }

    addActions(source) {
      this.el.querySelector(".ob-act").prepend(
        act("Change this chart", EDIT, () => edit(source, (text) => replace(source, text))),
        act("Remove this chart", REMOVE, () => replace(source, "")));
    }

    /** Give the lines with a name and a colour of their own: of runs, and of parts of the chart. */
    shownLines() {
      const lines = super.shownLines();
      const one = new Set(lines.map((line) => line.run)).size < 2;
      for (const line of lines) {
        const part = this.parts[line.part] ?? "";
        if (this.parts.length > 1) line.name = one ? part : `${line.name} · ${part}`;
        // Several runs keep their colours, and each part takes another dash.
        if (this.parts.length > 1) line.color = one ? line.part : line.color + line.part * ob.PALETTE.length;
      }
      return lines;
    }

    say(lines, view) {
      super.say(lines, view);
      if (this.refusal) this.note.textContent = this.refusal;
      else if (!lines.length && this.missing.length) this.note.textContent = `No shown run has ${this.missing.join(" or ")}.`;
    }

    /** Ask the server for the lines of `runs`, or of groups. */
    async ask(path, body, groups, signal) {
      const { groupLine: line, groupBand: band } = ob.view;
      const of = groups ? { groups: groups.map(({ uid, members }) => ({ id: uid, runs: members })), line, band, runs: undefined } : {};
      try {
        const answer = await ob.postScalars(path, { ...body, ...of, cards: undefined, chart: this.source }, signal, "expressions");
        Object.assign(this, { refusal: "", parts: answer.parts, missing: answer.missing });
        return answer.cards[0].lines;
      } catch (error) {
        if (!(error instanceof ob.Refused) || error.status === 404) throw error;
        Object.assign(this, { refusal: error.message, parts: [], missing: [] });
        return [];
      }
    }
  }

  ob.ChartCard = ChartCard;

  /** The card that is being dragged; null when it comes from elsewhere. */
  let held = null;
  /** Part of a pinned card, at each side, where another pinned one is put beside it. */
  const BESIDE = 0.25;

  /** Where a pinned card that is dropped there goes, of "before" and "behind"; "" onto the card. */
  function sideOf(card, { clientX }) {
    const isPinned = (one) => one?.isTag && ob.view.pinned.includes(one.tag.name);
    if (held === card || !isPinned(held) || !isPinned(card)) return "";
    const { left, width } = card.el.getBoundingClientRect();
    const at = (clientX - left) / width;
    return at < BESIDE ? "before" : at > 1 - BESIDE ? "behind" : "";
  }

  function putBeside(card, side) {
    const others = ob.view.pinned.filter((name) => name !== held.tag.name);
    ob.movePin(held.tag.name, others.indexOf(card.tag.name) + (side === "behind" ? 1 : 0));
  }

  /** Let a card take part in charts: its head can be dragged onto another, or a tag be added.
      Pinned ones can be dragged to another place. */
  ob.combinable = function combinable(card) {
    const own = () => (card.ask ? card.source : ob.quoted(card.tag.name));
    const head = card.el.querySelector("header");
    head.draggable = true;
    head.addEventListener("dragstart", (event) => {
      event.dataTransfer.setData(DRAGGED, own());
      event.dataTransfer.setData("text/plain", own());
      event.dataTransfer.effectAllowed = "copy";
      held = card;
    });
    head.addEventListener("dragend", () => { held = null; });
    const mark = (on, side = "") => {
      card.el.classList.toggle("ob-drop", on && !side);
      for (const one of ["before", "behind"]) card.el.classList.toggle(`ob-drop-${one}`, on && one === side);
    };
    card.el.addEventListener("dragover", (event) => {
      if (!event.dataTransfer.types.includes(DRAGGED)) return;
      event.preventDefault();
      mark(true, sideOf(card, event));
    });
    card.el.addEventListener("dragleave", (event) => !card.el.contains(event.relatedTarget) && mark(false));
    card.el.addEventListener("drop", (event) => {
      if (!event.dataTransfer.types.includes(DRAGGED)) return;
      event.preventDefault();
      mark(false);
      const side = sideOf(card, event);
      if (side) return putBeside(card, side);
      const dragged = event.dataTransfer.getData(DRAGGED);
      if (dragged && own() && dragged !== own()) combine(own(), dragged);
    });
    if (!card.ask) {
      head.querySelector(".ob-act").prepend(act(`Add a tag or a formula to ${card.tag.name}`, ADD,
        () => edit(own() + PARTS_APART, (text) => ob.setView({ charts: [...ob.view.charts, text] }))));
    }
  };

  function combine(own, dragged) {
    const text = own + PARTS_APART + dragged;
    if (ob.view.charts.includes(own)) replace(own, text);
    else ob.setView({ charts: [...ob.view.charts.filter((one) => one !== text), text] });
    document.querySelector(".ob-charts")?.scrollIntoView({ block: "nearest" });
  }

  /** Put another text in the place of a chart's; an empty one removes it. */
  function replace(source, text) {
    ob.setView({ charts: ob.view.charts.map((one) => (one === source ? text : one)).filter(Boolean) });
  }

  /** Write a tag as it stands in an expression. Quotes are always right, and often not needed. */
  ob.quoted = function quoted(tag) {
    return /^[A-Za-z_]\w*([./:]\w+)*$/.test(tag) ? tag : `"${tag.replace(/(["\\])/g, "\\$1")}"`;
  };

  function act(label, path, onclick) {
    return ob.el("button.ob-icon", { type: "button", "aria-label": label, title: label, onclick }, ob.icon(path));
  }

  const MOST_TAGS = 60;

  /** Ask for a chart's text in a dialog; `done` gets what the server understands. */
  function edit(text, done) {
    const field = ob.el("textarea.ob-input.ob-mono.ob-formula", { rows: "3", spellcheck: "false", "aria-label": "Tags or formulas, with semicolons between them" });
    field.value = text;
    const problem = ob.el("p.ob-problem", { role: "alert" });
    const list = ob.el("div.ob-taglist", { role: "group", "aria-label": "Insert a tag" });
    const find = ob.el("input.ob-input", { type: "search", placeholder: "Find a tag", "aria-label": "Find a tag to insert", oninput: () => paint() });
    const names = (ob.scalarTags ?? []).map((tag) => tag.name);
    const paint = () => {
      const found = names.filter((name) => name.toLowerCase().includes(find.value.toLowerCase()));
      list.replaceChildren(...found.slice(0, MOST_TAGS).map((name) => ob.el("button.ob-pill.ob-mono", { type: "button", title: name, onclick: () => insert(field, ob.quoted(name)) }, name)));
    };
    const submit = async (event) => {
      event.preventDefault();
      problem.textContent = await refusal(field.value);
      field.setAttribute("aria-invalid", String(Boolean(problem.textContent)));
      if (problem.textContent) return field.focus();
      dialog.close();
      done(field.value.trim());
    };
    const dialog = ob.el("dialog.ob-dialog.ob-chartdialog", { "aria-label": "Chart", onclose: () => dialog.remove() },
      ob.el("form", { onsubmit: submit },
        ob.el("h2", {}, "Tags and formulas of one chart"), field, problem,
        ob.el("p", {}, "As in ", ob.el("code", {}, "train/loss - val/loss; max(a, 2 * b)"), ". A tag with other characters stands in quotes. There are + − * / and abs, log, min, max; hist:TAG:mean is of histograms, as are std, min, max, num, p5, p25, p50, p75, p95."),
        find, list,
        ob.el("div.ob-dialog-foot", {}, ob.el("button.ob-pill", { type: "button", onclick: () => dialog.close() }, "Cancel"), ob.el("button.ob-pill.ob-main", { type: "submit" }, "Draw"))));
    paint();
    document.body.append(dialog);
    dialog.showModal();
    field.focus();
    field.setSelectionRange(text.length, text.length);
  }

  /** Give why the server does not understand a chart; nothing when it does. */
  async function refusal(chart) {
    if (!chart.trim()) return "Name a tag.";
    if (chart.split(PARTS_APART).length > MOST_PARTS) return `A chart has at most ${MOST_PARTS} expressions.`;
    try {
      await ob.postScalars(ob.project.path, { chart: chart.trim(), runs: [] }, undefined, "expressions");
      return "";
    } catch (error) {
      if (error instanceof ob.Refused) return error.message;
      throw error;
    }
  }

  function insert(field, words) {
    field.setRangeText(words, field.selectionStart, field.selectionEnd, "end");
    field.focus();
  }
})((globalThis.ob = globalThis.ob || {}));
