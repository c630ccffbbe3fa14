/* The admin page on storage: what takes how much room, as bars that open: teams, a team's
   projects, a project's runs. Where one is, the address says. */
(function (ob) {
  "use strict";

  /** Between two questions while the server has not measured everything yet. */
  const AGAIN_MS = 250;

  /** Lay out the section of the admin pages; gives its elements. */
  ob.storageSection = async function storageSection(page) {
    const place = ob.el("div");
    const draw = async () => {
      const at = here();
      const told = await ob.getJson(`admin/storage?${new URLSearchParams(at)}`, page.signal);
      const now = here();
      if (at.team !== now.team || at.project !== now.project) return;
      ob.keepFocus(place, () => place.replaceChildren(...laidOut(told, at, go)));
      if (!told.is_whole && place.isConnected) setTimeout(() => ob.whileHere(draw), AGAIN_MS);
    };
    const go = (to) => {
      history.pushState({}, "", `${location.pathname}${Object.keys(to).length ? `?${new URLSearchParams(to)}` : ""}`);
      ob.whileHere(draw);
    };
    const back = () => place.isConnected && ob.whileHere(draw);
    window.addEventListener("popstate", back, { signal: page.signal });
    // It is not connected yet: what is left to measure is asked for once it is.
    await draw();
    setTimeout(() => place.isConnected && ob.whileHere(draw), AGAIN_MS);
    return [place];
  };

  function here() {
    const asked = new URLSearchParams(location.search);
    const at = { team: asked.get("team") ?? "", project: asked.get("project") ?? "" };
    return at.team ? at : { team: "", project: "" };
  }

  function laidOut(told, at, go) {
    const { rows, others, total } = told;
    const level = at.project ? "runs" : at.team ? "projects" : "teams";
    const measuring = told.unmeasured
      ? ob.el("p.ob-mute", { role: "status" }, `Measuring: ${ob.plural(told.unmeasured, "run")} to go. What is shown so far is true, and not all.`) : "";
    if (!rows.length) return [crumbs(at, go), ob.el("p.ob-mute", {}, at.team ? "No run takes any room here." : "Nothing is stored yet: ", at.team ? "" : ob.el("code", {}, "orgboard ingest DIR"), at.team ? "" : " reads a directory.")];
    return [
      at.team ? "" : sums(told), crumbs(at, go), measuring, legend(total),
      bars(rows, at, go, level),
      others ? ob.el("p.ob-mute", {}, `and ${ob.plural(others, level.slice(0, -1))} that take less; the sums have them all.`) : "",
      ob.el("p.ob-mute", {}, inWords(total, told)),
      ob.el("p.ob-mute", {}, "Media is stored once by content: where several runs have the same picture, each counts an equal part of it."),
    ].filter(Boolean);
  }

  function sums({ total, database_bytes: database, free_bytes: free, outside_bytes: outside, days }) {
    const stat = (label, value, note) => ob.el("div.ob-sum", {}, ob.el("span.ob-mute", {}, label), ob.el("b", {}, value), note ? ob.el("span.ob-mute", {}, note) : "");
    return ob.el("div.ob-sums", {},
      stat("Database", ob.bytes(database), free > database / 100 ? `${ob.bytes(free)} of it free for what comes` : ""),
      stat("Points", ob.bytes(total.point_bytes), `${ob.short(total.points)} of ${ob.plural(total.runs, "run")}`),
      stat("Media", ob.bytes(total.media_bytes), outside ? `${ob.bytes(outside)} of it in files` : ""),
      forecast(total, days, stat));
  }

  /** Say what the last days would make of the next ones. */
  function forecast(total, days, stat) {
    if (!total.recent_bytes) return "";
    const daily = total.recent_bytes / days;
    const doubled = (total.point_bytes + total.media_bytes) / daily;
    return stat("A day", ob.bytes(daily), `over ${days > 1.5 ? `the last ${Math.round(days)} days` : "the last day"}; twice as much as now in ${doubled > 3650 ? "more than ten years" : ob.plural(Math.ceil(doubled), "day")}`);
  }

  function crumbs({ team, project }, go) {
    if (!team) return "";
    const link = (label, to) => ob.el("button.ob-link", { type: "button", onclick: () => go(to) }, label);
    const parts = [link("All teams", {}), " / ", project ? link(team, { team }) : ob.el("b", {}, team), ...(project ? [" / ", ob.el("b", {}, project)] : [])];
    return ob.el("nav.ob-crumbs", { "aria-label": "Where" }, ...parts);
  }

  const PARTS = [["points", "points"], ["media", "media"], ["archived", "archived"], ["leaving", "deleted, given back soon"]];

  function legend(total) {
    const parts = PARTS.filter(([key]) => of(total)[key] > 0);
    return ob.el("p.ob-mute.ob-roomkey", { "aria-hidden": "true" }, ...parts.map(([key, label]) => ob.el("span", {}, ob.el(`i.ob-part.ob-of-${key}`), label)));
  }

  /** What a bar is made of: all of it, each byte once. */
  function of(room) {
    const set = room.archived_bytes + room.leaving_bytes;
    const all = room.point_bytes + room.media_bytes;
    const kept = all ? (all - set) / all : 0;
    return { points: room.point_bytes * kept, media: room.media_bytes * kept, archived: room.archived_bytes, leaving: room.leaving_bytes };
  }

  function bars(rows, at, go, level) {
    const most = Math.max(...rows.map((row) => row.point_bytes + row.media_bytes), 1);
    const cells = rows.map((row) => {
      const bytes = row.point_bytes + row.media_bytes;
      const parts = of(row);
      const bar = ob.el("span.ob-room", { "aria-hidden": "true" }, ...PARTS.map(([key]) => ob.el(`i.ob-part.ob-of-${key}`, { style: { width: `${(100 * parts[key]) / most}%` } })));
      return [opener(row, at, go, level), bar, ob.el("span", { title: `${ob.count(bytes)} bytes` }, ob.bytes(Math.round(bytes))),
        ob.short(row.points), level === "runs" ? "" : ob.short(row.runs), ob.short(row.files)];
    });
    const heads = level === "runs" ? ["Run", "", "Bytes", "Points", "", "Files"] : [level === "teams" ? "Team" : "Project", "", "Bytes", "Points", "Runs", "Files"];
    const table = ob.peopleTable("What takes how much room", heads, cells);
    table.classList.add("ob-rooms");
    return table;
  }

  function opener(row, { team }, go, level) {
    if (level === "runs") return ob.el("a.ob-nav.ob-mono", { href: `${ob.base()}r/${row.uid}` }, row.name);
    return ob.el("button.ob-link", { type: "button", onclick: () => go(level === "teams" ? { team: row.name } : { team, project: row.name }) }, row.name);
  }

  function inWords(total, { database_bytes: database }) {
    const bytes = total.point_bytes + total.media_bytes;
    const share = database ? ` of a database of ${ob.bytes(database)}; the rest is indexes, names, and room that is free` : "";
    const parts = [`${ob.bytes(Math.round(bytes))} in all${share}.`];
    if (total.archived_bytes) parts.push(`Archived runs take ${ob.bytes(Math.round(total.archived_bytes))}; they keep it until they are deleted.`);
    if (total.leaving_bytes) parts.push(`${ob.bytes(Math.round(total.leaving_bytes))} are of deleted runs, or of runs read anew, and come back by and by.`);
    if (total.superseded_points) parts.push(`${ob.plural(total.superseded_points, "point")} ${total.superseded_points === 1 ? "was" : "were"} logged again after a restart: kept, and hidden unless asked for.`);
    return parts.join(" ");
  }
})((globalThis.ob = globalThis.ob || {}));
