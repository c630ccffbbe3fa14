/* One run: how it stands, what could not be read and where, what it has logged, its files. */
(function (ob) {
  "use strict";

  const AGAIN_MS = 4000;

  ob.pages = ob.pages || {};

  ob.pages.run = function run(root) {
    const controller = new AbortController();
    follow(root, controller.signal);
    return () => controller.abort();
  };

  /** Show the run, and again every few seconds while it lives and somebody looks. */
  async function follow(root, signal) {
    try {
      for (;;) {
        const found = await ob.getJson(`r/${encodeURIComponent(root.dataset.run)}`, signal);
        show(root, found);
        if (found.run.status !== "live") return;
        do await new Promise((resolve) => setTimeout(resolve, AGAIN_MS)); while (document.hidden);
        if (signal.aborted) return;
      }
    } catch (error) {
      if (error instanceof ob.Refused) root.replaceChildren(ob.empty(error.status === 404 ? "There is no such run, or it is not shared with you." : error.message));
      else if (error.name !== "AbortError") throw error;
    }
  }

  function show(root, found) {
    const { run } = found;
    const at = scrollY;
    root.replaceChildren(ob.el("div.ob-plain", {},
      breadcrumb(found),
      ob.el("h1", {}, ob.runName(run)),
      ...damage(found),
      facts(found),
      ...section("Hyperparameters", hparams(run)),
      ...section(`Logged, ${ob.count(logged(found).length)} series`, series(found)),
      ...section("Restarts", restarts(found)),
      ...section("Files", files(found))));
    if (scrollY !== at) scrollTo(0, at);
  }

  function breadcrumb(found) {
    const project = `${ob.base()}${ob.projectPath(found.team, found.project)}`;
    return ob.el("p.ob-mute", {}, ob.el("a.ob-nav", { href: `${project}/runs` }, `${found.team} / ${found.project}`), " · ",
      ob.el("a.ob-nav", { href: `${project}/scalars?sel=${found.run.uid}` }, "its scalars"));
  }

  /** Say what could not be read, with its place, and that the rest is here. */
  function damage(found) {
    if (!found.gaps.length) return [];
    const lost = found.gaps.reduce((sum, gap) => sum + gap.length, 0);
    const lines = found.gaps.slice(0, 20).map((gap) => ob.el("p", {}, `${ob.bytes(gap.length)} of `, ob.el("code", {}, gap.file), ` at ${ob.count(gap.offset)}: ${gap.reason}`));
    const more = found.gaps.length > 20 ? [ob.el("p", {}, `and ${ob.plural(found.gaps.length - 20, "more gap")}`)] : [];
    return [ob.el("div.ob-damage", { role: "note" }, ob.el("p", {}, ob.el("b", {}, `${ob.bytes(lost)} of this run could not be read. Everything else is here.`)), ...lines, ...more)];
  }

  function facts({ run, logdir }) {
    const fact = (name, value, title) => ob.el("div", { title }, ob.el("dt", {}, name), ob.el("dd", {}, value));
    const known = Number.isFinite(run.started) && Number.isFinite(run.last_event);
    return ob.el("dl.ob-facts", {},
      fact("Status", ob.el("span.ob-cellrun", {}, ob.statusDot(run), ob.statusWords(run))),
      fact("Started", run.started === null ? "–" : ob.ago(run.started), run.started === null ? null : ob.moment(run.started)),
      fact("Duration", known ? ob.span(Math.max(0, run.last_event - run.started)) : "–"),
      fact("Last step", run.last_step === null ? "–" : ob.count(run.last_step)),
      fact("Points", ob.count(run.points)),
      fact("Attempts", ob.count(run.attempts)),
      fact("Directory", ob.el("code", {}, logdir)));
  }

  function section(title, content) {
    return content ? [ob.el("h2", {}, title), ob.el("div.ob-scroll", {}, content)] : [];
  }

  function table(titles, rows) {
    return ob.el("table.ob-table", {}, ob.el("thead", {}, ob.el("tr", {}, ...titles.map((title) => ob.el("th", {}, title)))),
      ob.el("tbody", {}, ...rows.map((cells) => ob.el("tr", {}, ...cells.map((cell) => ob.el("td", {}, cell))))));
  }

  function hparams(run) {
    const rows = Object.entries(run.hparams).map(([name, value]) => [name, ob.el("span.ob-mono", {}, ob.hparam(value))]);
    return rows.length ? table(["Name", "Value"], rows) : null;
  }

  /** The series that the training logged: not the records of settings and of the run itself. */
  function logged({ series: all }) {
    return all.filter((one) => one.kind !== "hparams" && !one.name.startsWith("orgboard/"));
  }

  function series(found) {
    const scalar = (one, value) => (one.kind === "scalar" ? ob.value(value ?? NaN) : "");
    const rows = logged(found).map((one) => [
      ob.el("span.ob-mono", {}, one.name), one.kind, ob.count(one.n), one.superseded ? ob.count(one.superseded) : "–",
      one.n ? ob.count(one.last_step) : "–", scalar(one, one.last_value), scalar(one, one.min_value), scalar(one, one.max_value),
    ]);
    return rows.length ? table(["Tag", "Kind", "Points", "Replaced", "Last step", "Last", "Least", "Greatest"], rows) : null;
  }

  function restarts({ restarts: all, series: known }) {
    const names = new Map(known.map((one) => [one.tag, one.name]));
    const rows = all.map((one) => [`attempt ${one.attempt}`, one.tag === null ? "every series" : names.get(one.tag) ?? "", `from step ${ob.count(one.step)} on`]);
    return rows.length ? table(["Began", "In", "Replaces"], rows) : null;
  }

  function files({ files: all }) {
    const rows = all.map((one) => [
      ob.el("span.ob-mono", {}, one.name), ob.bytes(one.size), one.offset >= one.size ? "all" : `${ob.bytes(one.size - one.offset)} to go`,
      ob.count(one.records), one.error || one.pending || "", one.last_wall === null ? "–" : ob.ago(one.last_wall),
    ]);
    return rows.length ? table(["File", "Size", "Stored", "Records", "", "Last event"], rows) : null;
  }
})((globalThis.ob = globalThis.ob || {}));
