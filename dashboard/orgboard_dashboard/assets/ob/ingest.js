/* The admin page on ingest: who reads which directory, how far behind, what is damaged, and what to try. */
(function (ob) {
  "use strict";

  const EVERY_MS = 3000;

  /** Lay out the section of the admin pages; gives its elements. It asks again while it is looked at. */
  ob.ingestSection = async function ingestSection(page) {
    const place = ob.el("div");
    const draw = async () => {
      const told = await ob.getJson("admin/ingest", page.signal);
      ob.keepFocus(place, () => place.replaceChildren(...laidOut(told)));
    };
    await draw();
    const timer = setInterval(() => {
      if (!place.isConnected) clearInterval(timer);
      else if (!document.hidden) ob.whileHere(draw);
    }, EVERY_MS);
    page.signal.addEventListener("abort", () => clearInterval(timer), { once: true });
    return [place];
  };

  function laidOut({ now, logdirs, lost, files, is_all: isAll }) {
    if (!logdirs.length) return [ob.el("p.ob-mute", {}, "Nothing was read yet: ", ob.el("code", {}, "orgboard ingest DIR"), " reads a directory, and goes on reading it.")];
    return [
      sums(logdirs), ob.peopleTable("Directories", ["Directory", "State", "Read by", "Behind", "Rate", "Runs"], logdirs.map((logdir) => row(logdir, now))),
      ob.el("h2", {}, "Files that cannot be read"),
      files.length ? ob.peopleTable("Files that cannot be read", ["File", "Run", "Why", "What to try"], files.map((file) => fileRow(file)))
        : ob.el("p.ob-mute", {}, "None: every file that was found can be read."),
      isAll ? "" : ob.el("p.ob-mute", {}, `The first ${ob.count(files.length)} of them.`),
      ob.el("h2", {}, "Bytes that were damaged"),
      lost.length ? ob.peopleTable("Bytes that were damaged", ["What", "Bytes", "Places", "Runs", "What to try"], lost.map(lostRow))
        : ob.el("p.ob-mute", {}, "None: all bytes that were read were sound."),
    ].filter(Boolean);
  }

  const sum = (parts) => parts.reduce((all, one) => all + one, 0);

  function sums(logdirs) {
    const works = logdirs.flatMap((logdir) => alive(logdir)).map((one) => one.work);
    const owners = new Set(logdirs.flatMap((logdir) => alive(logdir)).map((one) => one.owner));
    const pending = sum(works.map((work) => work.pending_bytes));
    const stat = (label, value, note) => ob.el("div.ob-sum", {}, ob.el("span.ob-mute", {}, label), ob.el("b", {}, value), note ? ob.el("span.ob-mute", {}, note) : "");
    return ob.el("div.ob-sums", {},
      stat("Processes", ob.count(owners.size), owners.size ? "" : "nobody reads anything"),
      stat("Waiting", ob.bytes(pending), pending ? `the oldest for ${ob.span(Math.max(...works.map((work) => work.lag_s)))}` : "everything is stored"),
      stat("Stored", `${ob.short(Math.round(sum(works.map((work) => work.points_per_s))))} points/s`, `${ob.bytes(Math.round(sum(works.map((work) => work.bytes_per_s))))}/s, over the last minute`),
      stat("Damaged places", ob.count(sum(logdirs.map((logdir) => logdir.gaps))), "each read around"));
  }

  const alive = (logdir) => logdir.ingests.filter((one) => one.alive);

  function row(logdir, now) {
    const works = alive(logdir).map((one) => one.work);
    const pending = sum(works.map((work) => work.pending_bytes));
    const behind = pending ? `${ob.bytes(pending)}, ${ob.span(Math.max(...works.map((work) => work.lag_s)))}` : works.length ? "nothing waits" : "";
    const rate = sum(works.map((work) => work.points_per_s));
    return [[ob.el("span.ob-mono", {}, logdir.path), ob.el("div.ob-mute", {}, logdir.project)], state(logdir, now), readers(logdir, now), behind,
      rate ? `${ob.short(Math.round(rate))} points/s` : "", `${ob.plural(logdir.runs, "run")}, ${ob.plural(logdir.files, "file")}`];
  }

  /** Say how a directory is read: a dot, a word, and why when it is not as it could be. */
  function state(logdir, now) {
    const works = alive(logdir).map((one) => one.work);
    const told = (kind, word, why) => [ob.el("span.ob-state", {}, ob.el(`i.ob-dot.ob-${kind}`, { "aria-hidden": "true" }), word), why ? ob.el("div.ob-mute", {}, why) : ""];
    if (!works.length) {
      return told("damaged", "nobody reads it", logdir.seen_at ? `last looked at ${ob.ago(logdir.seen_at, now)}. Is its ingest running?` : "never looked at. Is its ingest running?");
    }
    const unreadable = sum(works.map((work) => work.unreadable_files));
    if (unreadable) return told("damaged", `${ob.plural(unreadable, "file")} unreadable`, "see below");
    const polls = works.find((work) => work.watch === "polling");
    if (polls) return told("stale", "polling", [polls.watch_reason, "new points come a little later"].filter(Boolean).join(": "));
    return told("live-dot", "watching", "");
  }

  function readers(logdir, now) {
    const all = logdir.ingests.map((one) => ob.el("div", { title: `since ${ob.moment(one.since)}` }, `${one.host}, process ${one.pid}`,
      one.alive ? "" : ob.el("span.ob-mute", {}, `, gone since ${ob.ago(one.until, now).replace(/ ago$/, "")}`)));
    return all.length ? all : "";
  }

  function fileRow(file) {
    return [ob.el("span.ob-mono", {}, file.path), ob.el("a.ob-nav", { href: `${ob.base()}r/${file.uid}` }, file.run), file.error, cure(file.error)];
  }

  function cure(error) {
    const known = [
      [/permission|denied|EACCES/i, "Let the user that ingest runs as read the file and enter its directories."],
      [/no such file|not found|ENOENT|gone/i, "Bring the file back, or delete the run if it is not wanted any more."],
      [/input\/output|EIO|stale|ESTALE|timed? ?out/i, "Look at the disk or the network mount; ingest tries again by itself."],
      [/directory/i, "Something else has the file's name: move it away."],
    ];
    return known.find(([pattern]) => pattern.test(error))?.[1] ?? "Ingest tries again by itself. If it stays, look at the file on its machine.";
  }

  const CURES = {
    "not an event file": "It has the name of an event file and is none: move it out of the directory.",
    "payload crc": "Bytes changed on the disk or on the way. A sound copy put in its place is read anew.",
    "length crc": "Bytes changed on the disk or on the way. A sound copy put in its place is read anew.",
    "zero header": "A machine went down before it had written these. They are lost unless there is a copy.",
    "not a protobuf": "A sound record that holds no event: which program wrote it?",
    "too large": "A record that claims to be larger than any real one: damage, or an attack.",
    "declared length beyond the end": "The file was cut short. A whole copy put in its place is read anew.",
  };

  const lostRow = (one) => [one.reason, ob.bytes(one.bytes), ob.count(one.places), ob.count(one.runs), CURES[one.reason] ?? "Everything around it was read. A sound copy put in the file's place is read anew."];
})((globalThis.ob = globalThis.ob || {}));
