/* The dictionary of metrics: what the organisation calls what runs log, in which unit, which
   values are the best ones, and which tags mean it. And the tags that nobody has given a name. */
(function (ob) {
  "use strict";

  const BEST = { min: "least", max: "greatest", "": "neither" };
  /** Rows of tags without a metric that are shown at first. */
  const SHOWN = 40;

  ob.pages = ob.pages || {};

  ob.pages.dictionary = function dictionary(root) {
    const controller = new AbortController();
    const page = { root, signal: controller.signal, wanted: "", all: false, again: () => load(page) };
    load(page);
    return () => controller.abort();
  };

  async function load(page) {
    try {
      const [{ metrics, may_change: mayChange }, lacking] = await Promise.all(["dictionary", "dictionary/unclaimed"].map((path) => ob.getJson(path, page.signal)));
      Object.assign(page, { metrics, mayChange, lacking });
      paint(page);
    } catch (error) {
      if (error instanceof ob.Refused) page.root.replaceChildren(ob.empty(error.message));
      else if (error.name !== "AbortError") throw error;
    }
  }

  function paint(page) {
    const { metrics, mayChange } = page;
    const make = mayChange && ob.el("button.ob-pill", { type: "button", onclick: () => edit(page, null, {}) }, "New metric…");
    const rows = metrics.map((metric) => [nameCell(metric), metric.unit, BEST[metric.direction], tagsCell(metric.aliases), mayChange ? buttons(page, metric) : ""]);
    const table = metrics.length ? ob.peopleTable("Metrics", ["Metric", "Unit", "Best", "Tags that mean it", ""], rows)
      : ob.el("p.ob-mute", {}, "No metric yet. Teams that log the same thing by several names are compared once it has one here.");
    ob.keepFocus(page.root, () => page.root.replaceChildren(ob.el("div.ob-plain.ob-peoplepage.ob-dictionary", {},
      ob.el("h1", {}, "Metrics"),
      ob.el("p.ob-mute", {}, "What this organisation calls what its runs log. Everybody who signs in reads all of these names: they are of no run, and tell nothing of any. In a run that has several tags of a metric the first one listed counts; points stay as they were logged."),
      ob.peopleBar(`${ob.plural(metrics.length, "metric")}${mayChange ? "" : ". Who runs the board changes them"}`, make),
      table, ...lackingSection(page))));
  }

  function nameCell({ name, description }) {
    return [ob.el("span", {}, name), description ? ob.el("span.ob-said", {}, description) : ""];
  }

  const tagsCell = (aliases) => ob.el("span.ob-tagwords", {}, ...aliases.map(({ tag, scale }) => ob.el("span.ob-mono", {}, ob.partWords({ name: tag, scale }))));

  function buttons(page, metric) {
    return [
      ob.el("button.ob-quiet", { type: "button", "aria-label": `Change ${metric.name}`, onclick: () => edit(page, metric, metric) }, "Change"),
      ob.el("button.ob-quiet", { type: "button", "aria-label": `Remove ${metric.name}`, onclick: () => remove(page, metric) }, "Remove"),
    ];
  }

  function remove(page, { name }) {
    ob.dialog(`Remove ${name}?`, ob.el("p", {}, "Runs keep what they logged. Its tags stand for themselves again, and what was set to show this metric shows nothing."), {
      does: "Remove", danger: true,
      act: async () => {
        await ob.change("dictionary/drop", { name });
        ob.toast(`Removed ${name}`);
        page.again();
      },
    });
  }

  /* Tags without a metric. */

  function lackingSection(page) {
    const { tags, left_out: more } = page.lacking;
    const title = ob.el("h2", {}, "Tags without a metric");
    if (!tags.length) return [title, ob.el("p.ob-mute", {}, "Every scalar of the runs that you see has a metric, or there is none yet.")];
    const body = ob.el("div");
    const find = ob.el("input.ob-input", { type: "search", placeholder: "Find a tag", "aria-label": "Find a tag", value: page.wanted, oninput: () => {
      page.wanted = find.value;
      paintLacking(page, body);
    } });
    paintLacking(page, body);
    return [title, ob.peopleBar(`${ob.plural(tags.length, "tag")} of scalars in the runs that you see${more ? `, and ${ob.count(more)} that few runs have or that are very long` : ""}`, tags.length > ob.SEARCHED_FROM && find), body];
  }

  function paintLacking(page, body) {
    const wanted = page.wanted.toLowerCase();
    const found = page.lacking.tags.filter(({ tag }) => tag.toLowerCase().includes(wanted));
    const shown = page.all ? found : found.slice(0, SHOWN);
    const rows = shown.map((row) => [ob.el("span.ob-mono", {}, row.tag), ob.plural(row.runs, "run"), page.mayChange ? offers(page, row) : likely(row)]);
    const more = found.length - shown.length;
    const rest = more > 0 && ob.el("button.ob-pill", { type: "button", onclick: () => { page.all = true; paintLacking(page, body); } }, `Show ${ob.count(more)} more`);
    ob.keepFocus(body, () => body.replaceChildren(...(rows.length ? [ob.peopleTable("Tags without a metric", ["Tag", "Runs", page.mayChange ? "" : "Likely"], rows)] : [ob.el("p.ob-mute", {}, "No tag has that in it.")]), ...(rest ? [rest] : [])));
  }

  const likely = ({ like, alike }) => (like ? like : alike.length ? `as ${ob.namesInWords(alike, 3)}` : "");

  /** What can be said of a tag: in one click what is likely, else in a dialog. */
  function offers(page, row) {
    const { tag, like, scale, alike } = row;
    const times = scale === 1 ? "" : ` × ${scale}`;
    return [
      like && ob.el("button.ob-quiet", { type: "button", "aria-label": `${tag} is ${like}${times}`, onclick: () => ob.attempt(() => claim(page, like, tag, scale)) }, `This is ${like}${times}`),
      page.metrics.length ? ob.el("button.ob-quiet", { type: "button", "aria-label": `Say which metric ${tag} is`, onclick: () => choose(page, row) }, like ? "Another…" : "This is…") : "",
      !like && ob.el("button.ob-quiet", { type: "button", "aria-label": `New metric of ${tag}`, title: alike.length ? `With ${alike.join(", ")}` : null, onclick: () => edit(page, null, suggested(row)) }, alike.length ? `New, of ${alike.length + 1} alike…` : "New…"),
    ].filter(Boolean);
  }

  async function claim(page, name, tag, scale) {
    await ob.change("dictionary/claim", { name, tag, scale });
    ob.toast(`${tag} is ${name}`);
    page.again();
    return true;
  }

  function choose(page, { tag, like, scale }) {
    let name = like || page.metrics[0].name;
    const choice = ob.select("Metric", page.metrics.map((one) => [one.name, one.name]), name, (value) => { name = value; });
    const times = scaleField(scale, tag);
    ob.dialog(`What is ${tag}?`, [ob.menuField("Metric", choice), ob.menuField("Its values times", times)], {
      does: "Say so", act: () => claim(page, name, tag, times.valueAsNumber),
    });
    choice.focus();
  }

  /** What a new metric of a tag may be: of those that are alike, called as the shortest. */
  function suggested({ tag, alike }) {
    const tags = [tag, ...alike];
    const name = [...tags].sort((a, b) => a.length - b.length || (a < b ? -1 : 1))[0];
    return { name: name.slice(0, 100), direction: ob.better(tag) ?? "", aliases: tags.map((one) => ({ tag: one, scale: 1 })) };
  }

  /* One metric. */

  function edit(page, before, { name = "", unit = "", direction = "", description = "", aliases = [] }) {
    const called = ob.el("input.ob-input", { value: name, required: true, maxlength: "100", "aria-label": "Name", spellcheck: "false", autocomplete: "off" });
    const measured = ob.el("input.ob-input", { value: unit, maxlength: "16", "aria-label": "Unit", placeholder: "%, nats, s", spellcheck: "false", autocomplete: "off" });
    let best = direction;
    const way = ob.select("Best", Object.entries(BEST), direction, (value) => { best = value; });
    const words = ob.el("textarea.ob-input", { rows: "2", maxlength: "2000", "aria-label": "Description" });
    words.value = description;
    const list = ob.el("div.ob-aliases", { role: "group", "aria-label": "Tags that mean it" });
    const add = (alias) => list.append(aliasRow(alias));
    aliases.forEach(add);
    const more = ob.el("button.ob-quiet", { type: "button", onclick: () => {
      add({ tag: "", scale: 1 });
      list.lastElementChild.querySelector("input").focus();
    } }, "Add a tag");
    ob.dialog(before ? `Change ${before.name}` : "A new metric", [
      ob.menuField("Name", called), ob.menuField("Unit", measured), ob.menuField("Best", way), ob.menuField("Description", words),
      ob.el("p.ob-mute", {}, "Tags that mean it, and what their values are multiplied by to be in the unit: 0.01 makes a share of a percentage. The tag of the metric’s own name always does."),
      list, more,
    ], {
      does: before ? "Save" : "Make it",
      act: async () => {
        const said = { name: called.value.trim(), unit: measured.value.trim(), direction: best, description: words.value.trim(), aliases: aliasesOf(list), was: before?.name ?? "" };
        await ob.change("dictionary", said);
        ob.toast(before ? `Changed ${said.name}` : `Made ${said.name}`);
        page.again();
      },
    }).classList.add("ob-wide");
    called.focus();
  }

  const scaleField = (scale, of) => ob.el("input.ob-input.ob-number", { type: "number", step: "any", required: true, value: String(scale), "aria-label": `What values of ${of} are multiplied by` });

  function aliasRow({ tag, scale }) {
    const drop = ob.el("button.ob-icon", { type: "button", "aria-label": `Leave out ${tag || "this tag"}`, title: "Leave out", onclick: () => row.remove() }, ob.icon("M4 4l8 8M12 4l-8 8"));
    const row = ob.el("div.ob-alias", {}, ob.el("input.ob-input.ob-mono", { value: tag, "aria-label": "Tag", placeholder: "val/loss", spellcheck: "false", autocomplete: "off" }), ob.el("span.ob-mute", { "aria-hidden": "true" }, "×"), scaleField(scale, tag || "this tag"), drop);
    return row;
  }

  const aliasesOf = (list) => [...list.children].map((row) => [...row.querySelectorAll("input")])
    .filter(([tag]) => tag.value).map(([tag, scale]) => ({ tag: tag.value, scale: scale.valueAsNumber }));
})((globalThis.ob = globalThis.ob || {}));
