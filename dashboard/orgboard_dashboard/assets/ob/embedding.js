/* Let pages of other sites show a card: make the frame, see it before, and see which there are. */
(function (ob) {
  "use strict";

  const ENDS = [["30", "30 days"], ["90", "90 days"], ["365", "a year"]];
  /** As many as the server finds for a card that names none. */
  const NEWEST = 10;
  const HEIGHT = 360;
  /** What the frame may do; the board says the same of it, and the page that has it need not believe that. */
  const SANDBOX = "allow-scripts allow-same-origin allow-popups allow-popups-to-escape-sandbox";

  /** Make the line of a card's sheet; it is there for who may share what is in the project. */
  ob.embedItems = function embedItems(card) {
    const { project } = ob;
    if (!project || !card.isTag || card.kind) return [];
    const item = ob.menuItem("Embed…", () => ob.askEmbed(card), "in a page of another site");
    item.hidden = true;
    ob.me(project.path).then((me) => { item.hidden = !ob.canShare(me); }, () => {});
    return [item];
  };

  /** Ask where a card is to be shown, and show what to paste there; below, the cards that are. */
  ob.askEmbed = async function askEmbed(card) {
    const { path, name: project } = ob.project;
    const found = await ob.attempt(() => ob.getJson(`${path}/embeds`));
    if (!found) return;
    if (!found.are_shown) return void ob.dialog("Embed this card", ob.el("p", {}, "Who runs this board has switched cards in other sites' pages off."), { act: () => {} });
    const { name } = card.tag;
    const shown = ob.project.shown().map((run) => run.uid);
    const chosen = { which: shown.length ? "shown" : "newest", days: "90" };
    const preview = new Preview(card, `${ob.plainName(name)} · ${project}`);
    const title = ob.el("input.ob-input", { value: preview.el.title.textContent, maxlength: "200", "aria-label": "Title", required: true, spellcheck: "false", autocomplete: "off", oninput: () => preview.call(title.value) });
    const origins = ob.el("textarea.ob-input.ob-mono", { rows: "2", required: true, spellcheck: "false", placeholder: "https://wiki.example.org", "aria-label": "Sites that may show it, one a line" });
    const which = ob.segmented("Which runs", [...(shown.length ? [["shown", `The ${ob.count(shown.length)} shown`]] : []), ["newest", `The first ${NEWEST} of the list`]], chosen.which, (value) => { chosen.which = value; preview.of(runsOf(value)); });
    const ends = ob.segmented("Ends in", ENDS, chosen.days, (value) => { chosen.days = value; });
    const list = ob.el("div.ob-shares");
    ob.paintEmbeds(list, path, found.embeds);
    const box = ob.dialog("Embed this card", [
      ob.el("p", {}, "Whoever can read the page sees this card, as it grows, and nothing else of the board. It shows what you may see, and changes with that; each run is a line of its own."),
      ob.menuField("Title", title), ob.menuField("Sites", origins), ob.labelled("Runs", which), ob.labelled("Ends in", ends),
      ob.el("div.ob-embed-preview", { role: "group", "aria-label": "Preview" }, preview.el.el), list,
    ], {
      does: "Make the frame",
      act: async () => {
        const body = { tag: name, state: ob.fullQuery({ selected: null }), title: title.value, origins: origins.value.split(/\s+/).filter(Boolean), days: Number(chosen.days) };
        tell(await ob.delicate(`${path}/embeds`, chosen.which === "shown" ? { ...body, runs: shown } : body));
      },
    });
    box.classList.add("ob-embedding");
    preview.of(runsOf(chosen.which));
    origins.focus();
  };

  /** The runs of a card as it will be shown. */
  async function runsOf(which) {
    if (which === "shown") return ob.project.shown();
    const { runFilter: q, sort } = ob.view;
    return (await ob.project.rows({ q, sort, limit: NEWEST, offset: 0 }, [])).runs;
  }

  /** The card as the frame will show it, of the same points. */
  class Preview {
    constructor(card, title) {
      Object.assign(this, { card, el: new ob.EmbedCard(title), asked: null });
      new ResizeObserver(() => this.el.draw()).observe(this.el.plot);
    }

    call(title) {
      this.el.title.textContent = title;
    }

    /** Show it of other runs. */
    async of(asked) {
      this.asked = asked;
      const { tag } = this.card;
      const answer = await ob.attempt(async () => {
        const runs = await asked;
        const body = { cards: [{ tag: tag.id }], runs: runs.map((run) => run.uid), ...ob.placeOf(ob.view), superseded: ob.view.superseded, since: null, width: ob.columnsFor(this.el.plot, runs.length) };
        return { runs: runs.map((run) => ({ uid: run.uid, name: ob.runName(run), color: run.color })), ...(await ob.postScalars(ob.project.path, body)) };
      });
      if (!answer || this.asked !== asked) return;
      this.el.show(tag.name, ob.namedLines(answer.cards[0].lines, answer.runs), ob.view);
    }
  }

  /** Show what to paste, once. */
  function tell({ title, address, origins }) {
    const html = `<iframe src="${quoted(address)}" title="${quoted(title)}" width="100%" height="${HEIGHT}" style="border:0" loading="lazy" sandbox="${SANDBOX}"></iframe>`;
    const box = ob.dialog(`Frame of ${ob.shortName(title, 40)}`, [
      ob.el("p", {}, `For pages of ${origins.join(", ")}. It is not shown again; it can be revoked where it was made.`),
      ob.secretField("HTML to paste", html), ob.secretField("The address alone, where a page asks for one", address),
    ], { act: () => {} });
    box.classList.add("ob-embedding");
    box.querySelector("input").focus();
  }

  const quoted = (text) => text.replace(/&/g, "&amp;").replace(/"/g, "&quot;").replace(/</g, "&lt;").replace(/>/g, "&gt;");

  /** List the cards that other sites' pages may show. */
  ob.paintEmbeds = function paintEmbeds(list, path, embeds) {
    if (!embeds.length) return list.replaceChildren();
    list.replaceChildren(ob.el("h3", {}, "Cards in other sites' pages"), ob.el("ul", {}, ...embeds.map((embed) => entry(list, path, embeds, embed))));
  };

  function entry(list, path, embeds, embed) {
    const runs = embed.runs === null ? "the first runs" : ob.plural(embed.runs, "run");
    const used = embed.used_at ? `last shown ${ob.ago(embed.used_at)}` : "not shown yet";
    const words = [ob.plainName(embed.tag), runs, `on ${embed.origins.join(", ")}`, embed.made_by ? `by ${embed.made_by}` : "", `ends ${ob.day(embed.expires_at)}`, used].filter(Boolean).join(" · ");
    const revoke = () => ob.attempt(async () => {
      await ob.change(`${path}/embeds/${encodeURIComponent(embed.id)}`, {}, "DELETE");
      ob.paintEmbeds(list, path, embeds.filter((other) => other !== embed));
      return true;
    });
    return ob.el("li", {},
      ob.el("span.ob-name", { title: embed.title }, embed.title), ob.el("span.ob-mute", {}, words),
      ob.el("button.ob-quiet.ob-danger", { type: "button", "aria-label": `Revoke the frame ${embed.title}`, onclick: revoke }, "Revoke"));
  }
})((globalThis.ob = globalThis.ob || {}));
