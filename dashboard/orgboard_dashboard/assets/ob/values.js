/* Texts and pictures: the shown runs' newest points, tag by tag, each with a slider over its
   steps. Text arrives as HTML that the server made safe; everything else is text nodes. */
(function (ob) {
  "use strict";

  ob.pages = ob.pages || {};
  ob.pages.text = (root) => open(root, "text", texts);
  ob.pages.images = (root) => open(root, "image", pictures);

  function open(root, kind, show) {
    const project = ob.openProject(root.dataset.team, root.dataset.project);
    const controller = new AbortController();
    const out = ob.el("div.ob-out");
    const problem = ob.el("span.ob-problem", { role: "alert" });
    root.replaceChildren(ob.el("div.ob-toolbar", { role: "toolbar" }, ob.runsButton(), ob.tagFilter(), problem), out);
    const page = { project, kind, show, out, problem, series: null, at: new Map(), signal: controller.signal };
    const again = ob.throttled(1000, () => fetchAll(page));
    const offs = [
      project.on((what) => (what === "again" || what === "filter" || grew(project, what)) && again()),
      ob.onView((changed) => {
        if (changed.has("selected")) again();
        if (changed.has("tagFilter")) paint(page);
      }),
    ];
    project.ready.then(() => fetchAll(page));
    return () => {
      controller.abort();
      offs.forEach((off) => off());
    };
  }

  function grew(project, what) {
    return what.changed && [...what.changed.keys()].some((uid) => project.isShown(uid));
  }

  async function fetchAll(page) {
    const runs = page.project.shown().map((run) => run.uid);
    if (page.signal.aborted) return;
    try {
      const query = new URLSearchParams({ kind: page.kind, runs: runs.join(","), limit: 200 });
      page.series = runs.length ? (await ob.getJson(`${page.project.path}/values?${query}`, page.signal)).series : [];
      paint(page);
    } catch (error) {
      if (error instanceof ob.Refused) page.out.replaceChildren(ob.empty(error.message));
      else if (error.name !== "AbortError") throw error;
    }
  }

  function paint(page) {
    if (!page.series) return;
    const filter = ob.tagMatcher(ob.view.tagFilter);
    page.problem.textContent = filter.problem;
    const series = page.series.filter((one) => one.points.length && filter.matches(one.name));
    if (!series.length) return page.out.replaceChildren(nothing(page));
    const tags = new Map();
    for (const one of series) tags.set(one.name, [...(tags.get(one.name) ?? []), one]);
    page.out.replaceChildren(...[...tags].map(([name, members]) => ob.el("section.ob-section", { "aria-label": name },
      ob.el("h2.ob-mono", {}, name),
      ob.el(`div.ob-media.ob-${page.kind}s`, {}, ...members.map((one) => card(page, one))))));
  }

  function nothing(page) {
    const what = page.kind === "text" ? "text" : "image";
    if (page.series.length) return ob.empty("No tag matches ", ob.el("code", {}, ob.view.tagFilter), ".");
    if (!page.project.shown().length) return ob.empty("No run is shown. Choose some in the run panel.");
    return ob.empty(`The shown runs have logged no ${what}. Log some with `, ob.el("code", {}, `writer.add_${what}(tag, …)`), ".");
  }

  /** One series: whose it is, the slider, and the value at the chosen step. */
  function card(page, series) {
    const run = page.project.known.get(series.run);
    const key = `${series.run} ${series.name}`;
    const last = series.points.length - 1;
    const value = ob.el("div");
    const at = ob.el("span.ob-at");
    const range = ob.el("input.ob-slider", { type: "range", min: "0", max: String(last), step: "1", "aria-label": `Step of ${series.name}`, hidden: last === 0 });
    const put = (i) => {
      const point = series.points[i];
      at.textContent = `step ${ob.count(point.step)}`;
      at.title = ob.moment(point.wall);
      range.style.setProperty("--at", `${(i / Math.max(1, last)) * 100}%`);
      value.replaceChildren(page.show(series, point));
    };
    range.addEventListener("input", () => {
      const i = Number(range.value);
      // At the end it follows the newest.
      if (i === last) page.at.delete(key);
      else page.at.set(key, series.points[i].step);
      put(i);
    });
    const wanted = page.at.has(key) ? series.points.findIndex((point) => point.step === page.at.get(key)) : last;
    const start = wanted < 0 ? last : wanted;
    range.value = String(start);
    put(start);
    const more = series.total > series.points.length ? `newest ${ob.count(series.points.length)} of ${ob.count(series.total)}` : ob.plural(series.total, "step");
    return ob.el("article.ob-card", { "data-tag": series.name, "data-run": series.run },
      ob.el("div.ob-by", {}, run ? ob.swatch(run) : null, ob.el("span.ob-name", {}, run ? ob.runName(run) : series.run), at),
      last === 0 ? null : ob.el("div.ob-stepper", {}, range, ob.el("span", {}, more)),
      series.thinned ? ob.el("p.ob-thinned", { title: ob.thinningRule(series.thinned) }, ob.thinnedWords(series.thinned)) : null, value);
  }

  function texts(series, point) {
    const parts = point.strings ?? [];
    return ob.el("div", {}, ...parts.map((text, i) => {
      const html = point.html?.[i];
      if (html === null || html === undefined) return ob.el("pre.ob-md", {}, text);
      const box = ob.el("div.ob-md");
      box.append(ob.safeHtml(html));
      return box;
    }));
  }

  /** The server's HTML as elements, read by a document of its own that runs nothing. */
  ob.safeHtml = function safe(html) {
    const page = new DOMParser().parseFromString(html, "text/html");
    for (const link of page.querySelectorAll("a")) link.rel = "noopener noreferrer nofollow";
    return document.importNode(fragment(page.body), true);
  };

  function fragment(body) {
    const range = body.ownerDocument.createRange();
    range.selectNodeContents(body);
    return range.extractContents();
  }

  function pictures(series, point) {
    const blobs = point.blobs ?? [];
    return ob.el("div.ob-pictures", {}, ...blobs.map((blob) => ob.el("img", {
      loading: "lazy", decoding: "async", alt: `${series.name} at step ${point.step}`, title: `${blob.media_type}, ${ob.bytes(blob.size)}`,
      width: point.width, height: point.height,
      src: `${ob.base()}api/ui/v1/r/${series.run}/blob/${blob.sha256}`,
    })));
  }
})((globalThis.ob = globalThis.ob || {}));
