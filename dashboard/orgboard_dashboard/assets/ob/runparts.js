/* The boxes of a run's page that tables fill: what it logged, how complete it is, its settings,
   its attempts. */
(function (ob) {
  "use strict";

  const FEW = 100;
  /** Where a kind can be looked at, or heard on this page; the others can be exported. */
  const PAGES = { scalar: "scalars", histogram: "histograms", text: "text", image: "images", graph: "graphs" };

  function table(titles, rows, left = 1) {
    const cell = (tag, content, i) => ob.el(i < left ? `${tag}.ob-left` : tag, {}, content);
    return ob.el("div.ob-scroll", { tabindex: "0" }, ob.el("table.ob-table", {},
      ob.el("thead", {}, ob.el("tr", {}, ...titles.map((title, i) => cell("th", title, i)))),
      ob.el("tbody", {}, ...rows.map((cells) => ob.el("tr", {}, ...cells.map((content, i) => cell("td", content, i)))))));
  }
  ob.plainTable = table;

  /** The series that the training logged: not the records of settings and of the run itself. */
  function logged(series) {
    return series.filter((one) => one.kind !== "hparams" && !one.name.startsWith("orgboard/"));
  }

  /** Every tag with where it stands; the first ones, and all of them when asked. */
  ob.seriesCard = function seriesCard(found, path) {
    const all = logged(found.series);
    const place = ob.el("div");
    let every = false;
    const filter = ob.el("input.ob-input", { type: "search", placeholder: "Filter", "aria-label": "Filter the tags of this run", oninput: () => paint() });
    const paint = () => {
      const words = filter.value.toLowerCase().split(/\s+/).filter(Boolean);
      const matching = all.filter((one) => words.every((word) => `${one.name} ${one.kind}`.toLowerCase().includes(word)));
      const shown = every ? matching : matching.slice(0, FEW);
      const more = matching.length - shown.length;
      place.replaceChildren(
        shown.length ? seriesTable(shown, found.run, path) : ob.el("p.ob-mute", {}, all.length ? "No tag matches." : "Nothing was logged yet."),
        more ? ob.el("button.ob-quiet", { type: "button", onclick: () => ((every = true), paint()) }, `Show all ${ob.count(matching.length)}`) : "");
    };
    paint();
    return ob.section(`Logged, ${ob.count(all.length)} series`, all.length > 10 ? [ob.el("span.ob-grow"), filter] : null, place);
  };

  function seriesTable(shown, run, path) {
    const scalar = (one, value) => (one.kind === "scalar" ? (one.n ? ob.value(value ?? NaN) : "–") : "");
    const rows = shown.map((one) => [
      seriesLink(one, run, path), PAGES[one.kind] || one.kind === "audio" ? one.kind : ob.el("span", { title: `Stored. Look at it with: orgboard export values --kind ${one.kind}` }, `${one.kind} · stored; export`),
      ob.count(one.n), one.superseded ? ob.count(one.superseded) : "–", one.n ? ob.count(one.last_step) : "–",
      scalar(one, one.last_value), scalar(one, one.min_value), scalar(one, one.max_value), one.kind !== "scalar" ? "" : one.non_finite ? ob.count(one.non_finite) : "–",
    ]);
    return table(["Tag", "Kind", "Points", "Replaced", "Last step", "Last", "Least", "Greatest", "NaN, ∞"], rows, 2);
  }

  function seriesLink(one, run, path) {
    const page = PAGES[one.kind];
    const name = ob.el("span.ob-mono.ob-tag", { title: one.name.slice(0, 2000) }, one.name);
    if (!page) return name;
    const query = new URLSearchParams({ t: `^${one.name.slice(0, 500).replace(/[\\^$.*+?()[\]{}|]/g, "\\$&")}${one.name.length > 500 ? "" : "$"}`, sel: run.uid });
    return ob.el("a.ob-nav", { href: `${ob.base()}${path}/${page}?${query}` }, name);
  }

  /** Whether all that was logged is here, and what is not and why. */
  ob.completeCard = function completeCard({ files, gaps, records, series }) {
    const sum = (of) => files.reduce((total, file) => total + (of(file) ?? 0), 0);
    const waiting = sum((file) => file.pending_bytes);
    const lag = Math.max(0, ...files.map((file) => file.lag_s));
    const lost = gaps.reduce((total, gap) => total + gap.length, 0);
    const odd = series.filter((one) => one.non_finite);
    const strange = odd.reduce((total, one) => total + one.non_finite, 0);
    const { values, reasons } = records.dropped;
    const thinned = series.filter((one) => one.thinned);
    const taken = thinned.reduce((total, one) => total + one.thinned.logged - one.thinned.kept, 0);
    const whole = !waiting && !lost && !values;
    const stat = (name, value, note, bad) => ob.el("div", { "data-stat": name }, ob.el("dt", {}, name),
      ob.el("dd", {}, bad ? ob.el(`span.ob-dot.ob-${bad}`, { "aria-hidden": "true" }) : null, value), ob.el("dd.ob-mute", {}, note));
    return ob.section("Completeness", ob.el("span.ob-mute", {}, whole ? (taken ? "everything is here but what was thinned" : "everything that was logged is here") : ""),
      ob.el("dl.ob-stats", {},
        stat("Read", ob.bytes(sum((file) => file.offset)), ob.plural(files.length, "file")),
        stat("Waiting", waiting ? ob.bytes(waiting) : "nothing", waiting ? `for at most ${ob.span(lag)}` : "", waiting ? "stale" : ""),
        stat("Not readable", lost ? ob.bytes(lost) : "nothing", lost ? ob.plural(gaps.length, "gap") : "", lost ? "damaged" : ""),
        stat("Dropped by the writer", values ? ob.plural(values, "value") : "nothing", Object.entries(reasons).map(([reason, n]) => `${reason} ${ob.count(n)}`).join(", "), values ? "damaged" : ""),
        stat("NaN and infinities", strange ? ob.count(strange) : "none", strange ? `in ${ob.count(odd.length)} series` : ""),
        taken ? stat("Thinned", ob.plural(taken, "point"), `of ${ob.count(thinned.length)} series, last on ${ob.day(Math.max(...thinned.map((one) => one.thinned.at)))}`) : null),
      filesTable(files), gapsTable(gaps), thinnedTable(thinned));
  };

  function filesTable(files) {
    const rows = files.map((one) => [
      ob.el("span.ob-mono.ob-tag", { title: one.source_writer ? `Written by ${one.source_writer}` : "" }, one.name), ob.bytes(one.size),
      one.pending_bytes === null ? "packed" : one.pending_bytes ? `${ob.bytes(one.pending_bytes)} wait, ${ob.span(one.lag_s)}` : "all",
      ob.count(one.records), one.gap_bytes ? ob.bytes(one.gap_bytes) : "–", one.error || one.pending || "", one.last_wall === null ? "–" : ob.el("span", { title: ob.moment(one.last_wall) }, ob.ago(one.last_wall)),
    ]);
    return rows.length ? table(["File", "Size", "Stored", "Records", "Lost", "", "Last event"], rows) : ob.el("p.ob-mute", {}, "No file of it was seen yet.");
  }

  function gapsTable(gaps) {
    if (!gaps.length) return null;
    const rows = gaps.map((gap) => [ob.el("span.ob-mono.ob-tag", {}, gap.file), ob.count(gap.offset), ob.bytes(gap.length), gap.reason, ob.el("span", { title: ob.moment(gap.found_at) }, ob.ago(gap.found_at))]);
    return ob.el("details.ob-details", {}, ob.el("summary", {}, `Damaged ranges, ${ob.count(gaps.length)}`), table(["File", "At byte", "Length", "Reason", "Found"], rows));
  }

  function thinnedTable(thinned) {
    if (!thinned.length) return null;
    const rows = thinned.map(({ name, kind, thinned: { kept, logged, at, keep_every } }) => [
      ob.el("span.ob-mono.ob-tag", { title: name.slice(0, 2000) }, name), kind, `${ob.count(kept)} of ${ob.count(logged)}`, `1 in ${ob.count(keep_every)}`, ob.el("span", { title: ob.moment(at) }, ob.ago(at)),
    ]);
    return ob.el("details.ob-details", {}, ob.el("summary", {}, `Thinned series, ${ob.count(thinned.length)}`), table(["Tag", "Kind", "Kept", "Rule", "When"], rows, 2));
  }

  /** What became of a series that was thinned: how much of it is kept. */
  ob.thinnedWords = ({ kept, logged, at }) => `${ob.count(kept)} of ${ob.count(logged)} kept, thinned on ${ob.day(at)}`;

  /** What became of those of these lines that were thinned, as a sentence; "" where none was. */
  ob.thinnedTogether = function thinnedTogether(lines) {
    const all = lines.flatMap((line) => line.thinned ?? []);
    const sum = (key) => all.reduce((total, one) => total + one[key], 0);
    return all.length ? `${ob.thinnedWords({ kept: sum("kept"), logged: sum("logged"), at: Math.max(...all.map((one) => one.at)) })}.` : "";
  };

  /** By which rule, for who rests on it. */
  ob.thinningRule = ({ keep_every, at }) => `1 in ${ob.count(keep_every)} was kept, and the first and the last, by \`orgboard db retain\` (${ob.moment(at)}). The event files were not touched.`;

  /** The settings, each with its type. */
  ob.hparamsCard = function hparamsCard(run) {
    const rows = Object.entries(run.hparams).map(([name, value]) => [
      ob.el("span.ob-mono.ob-tag", {}, name), ob.el("span.ob-mono.ob-tag", { title: String(value).slice(0, 2000) }, ob.hparam(value)), ob.el("span.ob-mute", {}, typeName(value)),
    ]);
    // torch's add_hparams makes a run of its own for them.
    const beside = run.beside && ["; logged beside it, in ", ob.el("a.ob-nav.ob-link", { href: `${ob.base()}r/${run.beside.uid}` }, run.beside.name)];
    return ob.section("Configuration", ob.el("span.ob-mute", {}, rows.length ? ob.plural(rows.length, "setting") : "", ...(beside ?? [])),
      rows.length ? table(["Name", "Value", "Type"], rows) : ob.el("p.ob-mute", {}, "None logged. Log them with ", ob.el("code", {}, "writer.add_hparams({…}, {…})"), "."));
  };

  function typeName(value) {
    if (typeof value === "number") return "number";
    return typeof value === "boolean" ? "yes or no" : "text";
  }

  /** Each life of the run, and what it replaced of those before. */
  ob.attemptsCard = function attemptsCard({ run, restarts, series }) {
    if (run.attempts < 2) return [];
    const names = new Map(series.map((one) => [one.tag, one.name]));
    const rows = Array.from({ length: Math.min(run.attempts, 500) }, (_, attempt) => {
      const mine = restarts.filter((one) => one.attempt === attempt);
      return [`attempt ${attempt}`, replaced(mine, names)];
    });
    return ob.section("Attempts", ob.el("span.ob-mute", {}, ob.count(run.attempts)), table(["Life", "Replaces"], rows, 2));
  };

  function replaced(mine, names) {
    if (!mine.length) return "–";
    const every = mine.find((one) => one.tag === null);
    if (every) return `every series from step ${ob.count(every.step)} on`;
    if (mine.length === 1) return `${names.get(mine[0].tag) ?? "a series"} from step ${ob.count(mine[0].step)} on`;
    return `${ob.count(mine.length)} series, the first from step ${ob.count(Math.min(...mine.map((one) => one.step)))} on`;
  }
})((globalThis.ob = globalThis.ob || {}));
