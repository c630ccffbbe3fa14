/* What people say to each other of a run or a view: threads of one level, and a field for more.

   A comment is drawn again only when it has changed, so that one that comes meanwhile takes no
   half-written answer away. */
(function (ob) {
  "use strict";

  ob.SAID = "M2.500 3h11v7.500H8L5 13.500v-3H2.500z";

  /** How many comments a run has, in a list. */
  ob.saidMark = (n) => ob.el("span.ob-saidmark", { role: "img", "aria-label": ob.plural(n, "comment"), title: ob.plural(n, "comment") }, ob.icon(ob.SAID), String(n));

  /** Make the list of what is said at `path` ("r/UID/comments"), in the project of path `project`.
      Gives {el, again, isBusy}; `told(count, page)` hears how many there are. */
  ob.discussion = function discussion({ path, project, signal, told = () => {} }) {
    const talk = { path, project, signal, told, drawn: new Map(), open: null, page: null, seen: new Set() };
    talk.list = ob.el("ol.ob-talk", { "aria-label": "Comments" });
    talk.none = ob.el("p.ob-mute", { hidden: true });
    talk.form = ob.el("div.ob-talkform");
    talk.el = ob.el("div.ob-discussion", {}, talk.none, talk.list, talk.form);
    talk.again = () => look(talk);
    talk.isBusy = () => [...talk.el.querySelectorAll("textarea")].some((field) => field.value.trim() || field === document.activeElement);
    return talk;
  };

  async function look(talk) {
    try {
      const page = await ob.getJson(talk.path, talk.signal);
      const isFirst = talk.page === null;
      talk.page = page;
      show(talk);
      if (isFirst) goToHash(talk);
      tellSeen(talk);
      return page;
    } catch (error) {
      if (error instanceof ob.Refused) talk.told(0, null);
      else if (error.name !== "AbortError") throw error;
      return null;
    }
  }

  function show(talk) {
    const { comments, can_write: canWrite } = talk.page;
    const count = comments.filter((one) => !one.removed).length;
    talk.none.hidden = comments.length > 0;
    talk.none.textContent = canWrite ? "" : "Nobody has said anything yet.";
    if (!talk.none.textContent) talk.none.hidden = true;
    const nodes = inThreads(comments).map((one) => drawn(talk, one));
    const gone = new Set(comments.map((one) => one.id));
    for (const key of talk.drawn.keys()) if (!gone.has(key)) talk.drawn.delete(key);
    if (talk.open?.row && talk.drawn.has(talk.open.under)) nodes.splice(lastOf(talk, nodes, comments) + 1, 0, talk.open.row);
    settle(talk.list, nodes);
    talk.list.hidden = nodes.length === 0;
    if (canWrite && !talk.form.firstChild) talk.form.append(newOne(talk));
    talk.told(count, talk.page);
  }

  /** Put each answer below the one that begins its thread. */
  function inThreads(comments) {
    const answers = Map.groupBy(comments.filter((one) => one.answers), (one) => one.answers);
    return comments.filter((one) => !one.answers).flatMap((one) => [one, ...(answers.get(one.id) ?? [])]);
  }

  /** Where the thread ends that is being answered. */
  function lastOf(talk, nodes, comments) {
    const mine = new Set(comments.filter((one) => (one.answers ?? one.id) === talk.open.under).map((one) => talk.drawn.get(one.id).row));
    return nodes.findLastIndex((node) => mine.has(node));
  }

  /** Let `list` have these children; those that are there already stay, and keep the focus. */
  function settle(list, nodes) {
    const wanted = new Set(nodes);
    for (const node of [...list.children]) if (!wanted.has(node)) node.remove();
    nodes.forEach((node, i) => {
      if (list.children[i] !== node) list.insertBefore(node, list.children[i] ?? null);
    });
  }

  function drawn(talk, one) {
    const key = JSON.stringify(one);
    const before = talk.drawn.get(one.id);
    if (before && (before.key === key || before.isEdited)) return before.row;
    const row = before?.row ?? ob.el("li", { id: `c-${one.id}`, tabindex: "-1" });
    const entry = { key, row, isEdited: false };
    talk.drawn.set(one.id, entry);
    row.className = one.answers ? "ob-said ob-answer" : "ob-said";
    ob.keepFocus(row, () => row.replaceChildren(...parts(talk, one, entry)));
    return row;
  }

  function parts(talk, one, entry) {
    if (one.removed) return [ob.el("p.ob-mute", {}, "This comment was taken back.")];
    const who = one.author || (one.mine ? "you" : "somebody on the host");
    const when = ob.el("a.ob-mute", { href: `#c-${one.id}`, title: ob.moment(one.written_at) }, ob.ago(one.written_at));
    const edited = one.changed_at === null ? null : ob.el("span.ob-mute", { title: ob.moment(one.changed_at) }, "edited");
    const news = one.news ? ob.el("span.ob-newmark", {}, "names you") : null;
    const can = talk.page.can_write;
    const act = (label, words, onclick) => ob.el("button.ob-quiet", { type: "button", "aria-label": words, onclick }, label);
    return [
      ob.el("header", {}, ob.el("b.ob-name", {}, who), when, edited, news, ob.el("span.ob-grow"),
        can ? act("Answer", `Answer ${who}`, () => answer(talk, one.answers ?? one.id)) : null,
        can && one.mine ? act("Edit", "Edit your comment", () => edit(talk, one, entry)) : null,
        one.can_remove ? act("Take back", `Take back the comment of ${who}`, () => askRemove(talk, one, who)) : null),
      ob.mdBox(one),
    ];
  }

  /** Text as the server rendered it, or as it was typed where it did not. */
  ob.mdBox = function mdBox({ html, text }) {
    if (html === null) return ob.el("pre.ob-md", {}, text);
    const box = ob.el("div.ob-md");
    box.append(ob.safeHtml(html));
    return box;
  };

  /** A field with its buttons. `send(text)` stores it; `leave`, when there is one, gives up. */
  function writer(talk, { label, placeholder, value = "", does, send, leave }) {
    const { el, field } = ob.namingField({ label, placeholder, value, project: talk.project, most: talk.page.most_chars });
    const problem = ob.el("span.ob-problem", { role: "alert" });
    const go = ob.el("button.ob-pill.ob-go", { type: "submit", title: "Ctrl Enter" }, does);
    const submit = async (event) => {
      event?.preventDefault();
      if (!field.value.trim() || go.disabled) return field.focus();
      go.disabled = true;
      problem.textContent = "";
      try {
        await send(field.value);
        await talk.again();
      } catch (error) {
        if (!(error instanceof ob.Refused)) throw error;
        problem.textContent = error.message;
      } finally {
        go.disabled = false;
      }
      return undefined;
    };
    field.addEventListener("keydown", (event) => {
      if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) submit();
      if (event.key === "Escape" && leave && !event.defaultPrevented) {
        event.preventDefault();
        event.stopPropagation();
        leave();
      }
    });
    const form = ob.el("form.ob-writer", { onsubmit: submit }, el, ob.el("div.ob-buttons", {}, problem, ob.el("span.ob-grow"), go,
      leave ? ob.el("button.ob-pill", { type: "button", onclick: leave }, "Cancel") : null));
    return { form, field };
  }

  function newOne(talk) {
    const { form, field } = writer(talk, {
      label: "Comment, in Markdown", placeholder: "Comment. Markdown; @ names somebody", does: "Comment",
      send: async (text) => {
        await ob.change(talk.path, { text });
        field.value = "";
      },
    });
    return form;
  }

  function answer(talk, under) {
    closeOpen(talk);
    const { form, field } = writer(talk, {
      label: "Answer, in Markdown", placeholder: "Answer", does: "Answer",
      send: async (text) => {
        await ob.change(talk.path, { text, answers: under });
        closeOpen(talk);
      },
      leave: () => {
        closeOpen(talk);
        talk.drawn.get(under)?.row.querySelector("button")?.focus();
      },
    });
    talk.open = { under, row: ob.el("li.ob-said.ob-answer", {}, form) };
    show(talk);
    field.focus();
  }

  function closeOpen(talk) {
    talk.open?.row.remove();
    talk.open = null;
  }

  function edit(talk, one, entry) {
    const back = () => {
      entry.isEdited = false;
      entry.row.replaceChildren(...parts(talk, one, entry));
      // It may have changed meanwhile.
      entry.key = "";
      show(talk);
      entry.row.focus({ preventScroll: true });
    };
    const { form, field } = writer(talk, {
      label: "Your comment, in Markdown", value: one.text, does: "Save",
      send: async (text) => {
        await ob.change(`comments/${encodeURIComponent(one.id)}`, { text }, "PATCH");
        entry.isEdited = false;
        entry.key = "";
      },
      leave: back,
    });
    entry.isEdited = true;
    entry.row.replaceChildren(form);
    field.focus();
    field.setSelectionRange(field.value.length, field.value.length);
  }

  function askRemove(talk, one, who) {
    const words = one.mine ? "It is gone for everybody, and cannot be brought back." : `It is ${who}'s. It is gone for everybody, cannot be brought back, and the audit log says that you took it away.`;
    ob.dialog("Take this comment back?", [ob.el("p", {}, words)], {
      does: "Take back", danger: true,
      act: async () => {
        await ob.change(`comments/${encodeURIComponent(one.id)}`, {}, "DELETE");
        await talk.again();
      },
    });
  }

  /** What is on the screen was seen. */
  async function tellSeen(talk) {
    const news = talk.page.comments.filter((one) => one.news && !talk.seen.has(one.id)).map((one) => one.id);
    if (!news.length || document.hidden) return;
    for (const key of news) talk.seen.add(key);
    await ob.attempt(() => ob.change("mentions/seen", { comments: news }));
    ob.countMentions();
  }

  /** Show the comment that the address names. */
  function goToHash(talk) {
    const key = /^#c-([0-9A-Za-z]+)$/.exec(location.hash)?.[1];
    const row = key && talk.drawn.get(key)?.row;
    if (!row) return;
    row.classList.add("ob-meant");
    row.scrollIntoView({ block: "center" });
    row.focus({ preventScroll: true });
  }
})((globalThis.ob = globalThis.ob || {}));
