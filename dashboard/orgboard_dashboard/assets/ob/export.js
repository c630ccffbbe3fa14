/* Take a chart along: as a picture, drawn here, or as all of its points, from the server. */
(function (ob) {
  "use strict";

  const SIZE = { width: 960, height: 480 };
  const MARGIN = { l: 64, r: 24, t: 48, b: 44 };
  /** Names in the legend of a picture; more would be a wall. */
  const MOST_NAMED = 24;

  /** Save a card's chart as "png" or "svg", with its title, its axes and the names of its lines. */
  ob.savePicture = async function savePicture(card, format) {
    const address = await ob.picture(card.tag.name, card.shownLines(), card.look(), format);
    download(address, `${fileName(card.tag.name)}.${format}`);
  };

  /** Make a picture's data address. */
  ob.picture = async function picture(name, lines, view, format) {
    const Plotly = await ob.plotly();
    const { data, ranges, title } = ob.groupFigure(lines, view, name);
    const named = data.filter((trace) => trace.uid.endsWith("_line")).slice(0, MOST_NAMED);
    const traces = data.map((trace) => ({ ...trace, showlegend: named.includes(trace) }));
    const axis = { zeroline: false, tickmode: "array", automargin: true, gridcolor: ob.token("grid") };
    const layout = {
      ...SIZE, margin: MARGIN, showlegend: true, paper_bgcolor: ob.token("surface"), plot_bgcolor: ob.token("surface"),
      font: { family: "system-ui, sans-serif", size: 12, color: ob.token("ink") },
      title: { text: ob.plotlyText(ob.plainName(name)), x: 0, xref: "paper", font: { size: 15 } },
      xaxis: { ...axis, ...ob.xAxisOf(ranges, view, SIZE.width), showgrid: false, title: { text: ob.plotlyText(ob.xName(view)) } },
      yaxis: { ...axis, ...ob.yAxisOf(ranges, view, SIZE.height), title: { text: title } },
    };
    return Plotly.toImage({ data: traces, layout }, { format, ...SIZE, scale: format === "png" ? 2 : 1 });
  };

  /** Charts of a page in one picture; a browser has no canvas for many more. */
  const MOST_CHARTS = 60;
  const COLUMNS = 2;

  /** Save the charts of these cards, in their order, as one "png" or "svg". */
  ob.savePage = async function savePage(cards, fetcher, format) {
    const some = cards.slice(0, MOST_CHARTS);
    const of = cards.length > some.length ? `the first ${some.length} of ${cards.length} charts` : ob.plural(some.length, "chart");
    ob.toast(`Drawing ${of}…`);
    await fetcher.fill(some);
    const charts = [];
    for (const card of some.filter((one) => one.shownLines().length)) {
      const address = await ob.picture(card.tag.name, card.shownLines(), card.look(), "svg");
      charts.push(decodeURIComponent(address.slice(address.indexOf(",") + 1)));
      await ob.breath();
    }
    if (!charts.length) return ob.toast("There is no chart to save.");
    const page = sheet(charts);
    const file = URL.createObjectURL(format === "svg" ? new Blob([page.svg], { type: "image/svg+xml" }) : await asPng(page));
    download(file, `${fileName(ob.project.name)}.${format}`);
    // The browser reads the file once it has asked where to put it.
    setTimeout(() => URL.revokeObjectURL(file), 60_000);
    ob.toast(`Saved ${of}.`);
  };

  /** Lay pictures out on one. */
  function sheet(charts) {
    const columns = Math.min(COLUMNS, charts.length);
    const [width, height] = [columns * SIZE.width, Math.ceil(charts.length / columns) * SIZE.height];
    const placed = charts.map((svg, i) => svg.replace("<svg", `<svg x="${(i % columns) * SIZE.width}" y="${Math.floor(i / columns) * SIZE.height}"`));
    return { width, height, svg: `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}"><rect width="100%" height="100%" fill="${ob.token("surface")}"/>${placed.join("")}</svg>` };
  }

  async function asPng({ width, height, svg }) {
    const picture = new Image();
    picture.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(svg)}`;
    await picture.decode();
    const canvas = ob.el("canvas", { width, height });
    canvas.getContext("2d").drawImage(picture, 0, 0);
    return new Promise((done) => canvas.toBlob(done, "image/png"));
  }

  /** Save every point, as it was logged, of these tags in the shown runs, as "csv" or "jsonl". */
  ob.savePoints = function savePoints(tags, form, kind = "scalar") {
    const runs = ob.project?.shown().map((run) => run.uid) ?? [];
    if (!runs.length || !tags.length) return;
    const query = new URLSearchParams({ tags: tags.flatMap(({ id, of }) => (of?.length ? of.map((part) => part.id) : [id])).join(","), runs: runs.join(","), form, kind });
    download(`${ob.base()}api/ui/v1/${ob.project.path}/export?${query}`, "");
  };

  /** Let the browser save what is at an address, under this name. */
  const download = (ob.download = function download(href, name) {
    const link = ob.el("a", { href, download: name, hidden: true });
    document.body.append(link);
    link.click();
    link.remove();
  });

  /** Make a file's name of a tag. */
  const fileName = (ob.fileName = function fileName(tag) {
    return tag.replace(/[^A-Za-z0-9._-]+/g, "_").slice(0, 80) || "chart";
  });
})((globalThis.ob = globalThis.ob || {}));
