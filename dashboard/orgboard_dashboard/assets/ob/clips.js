/* The sounds of a run: each tag with a slider over its steps. Nothing is fetched but what is
   played. */
(function (ob) {
  "use strict";

  const NEWEST = 200;
  const MOST_AT_ONCE = 8;

  /** The box of a run's page that its sounds are in; nothing when it logged none. */
  ob.clipsCard = function clipsCard({ run, series }, path, signal) {
    if (!series.some((one) => one.kind === "audio" && one.n)) return [];
    const place = ob.el("div");
    fill(place, run, path, signal);
    return ob.section("Audio", null, place);
  };

  async function fill(place, run, path, signal) {
    try {
      const query = new URLSearchParams({ kind: "audio", runs: run.uid, limit: NEWEST });
      const { series } = await ob.getJson(`${path}/values?${query}`, signal);
      place.replaceChildren(...series.filter((one) => one.points.length).map((one) => clip(run, one)));
    } catch (error) {
      if (error instanceof ob.Refused) place.replaceChildren(ob.el("p.ob-problem", {}, error.message));
      else if (error.name !== "AbortError") throw error;
    }
  }

  function clip(run, { name, points, total }) {
    const last = points.length - 1;
    const sounds = ob.el("div.ob-sounds");
    const at = ob.el("span.ob-at");
    const range = ob.el("input.ob-slider", { type: "range", min: "0", max: String(last), step: "1", "aria-label": `Step of ${name}`, hidden: last === 0 });
    const put = (i) => {
      at.textContent = `step ${ob.count(points[i].step)}`;
      at.title = ob.moment(points[i].wall);
      range.style.setProperty("--at", `${(i / Math.max(1, last)) * 100}%`);
      sounds.replaceChildren(...players(run, name, points[i]));
    };
    range.addEventListener("input", () => put(Number(range.value)));
    range.value = String(last);
    put(last);
    const more = total > points.length ? `newest ${ob.count(points.length)} of ${ob.count(total)}` : ob.plural(total, "step");
    return ob.el("div.ob-clip", { "data-tag": name }, ob.el("div.ob-by", {}, ob.el("span.ob-mono.ob-tag", { title: name.slice(0, 2000) }, name), at),
      last === 0 ? null : ob.el("div.ob-stepper", {}, range, ob.el("span", {}, more)), sounds);
  }

  function players(run, name, point) {
    const blobs = point.blobs ?? [];
    const made = blobs.slice(0, MOST_AT_ONCE).map((blob) => ob.el("audio", {
      controls: true, preload: "none", "aria-label": `${name} at step ${point.step}`, title: `${blob.media_type}, ${ob.bytes(blob.size)}`,
      src: `${ob.base()}api/ui/v1/r/${run.uid}/blob/${blob.sha256}`,
    }));
    const rest = blobs.length - made.length;
    return rest > 0 ? [...made, ob.el("p.ob-mute", {}, `and ${ob.count(rest)} more at this step`)] : made;
  }
})((globalThis.ob = globalThis.ob || {}));
