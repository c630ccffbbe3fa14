/* The boxes of a run's page that words fill: the note, remarks on moments, where it ran. */
(function (ob) {
  "use strict";

  const MOST_PACKAGES = 1000;

  /** The note, and the field to write it in. */
  ob.noteCard = function noteCard(uid, note, canEdit, again) {
    const place = ob.el("div");
    const edit = ob.el("button.ob-quiet", { type: "button", hidden: !canEdit, onclick: () => write() }, note.text ? "Edit" : "Write one");
    const said = note.written_at === null ? "" : `${note.author ? `${note.author}, ` : ""}${ob.ago(note.written_at)}`;
    const show = () => {
      edit.hidden = !canEdit;
      if (!note.text) place.replaceChildren(ob.el("p.ob-mute", {}, canEdit ? "What is this run about, and what came of it? Markdown." : "Nobody wrote one."));
      else place.replaceChildren(ob.mdBox(note));
    };
    const write = () => {
      edit.hidden = true;
      const field = ob.el("textarea.ob-input.ob-mono", { rows: "8", value: note.text, "aria-label": "Note, in Markdown" });
      const problem = ob.el("span.ob-problem", { role: "alert" });
      const save = async () => {
        problem.textContent = "";
        try {
          await ob.change(`r/${encodeURIComponent(uid)}/note`, { text: field.value, read: note.written_at });
        } catch (error) {
          if (!(error instanceof ob.Refused)) throw error;
          problem.textContent = error.message;
          return;
        }
        place.replaceChildren();
        show();
        await again();
      };
      field.addEventListener("keydown", (event) => {
        if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) save();
      });
      place.replaceChildren(field, ob.el("div.ob-buttons", {}, problem, ob.el("span.ob-grow"),
        ob.el("button.ob-pill.ob-go", { type: "button", title: "Ctrl Enter", onclick: save }, "Save"),
        ob.el("button.ob-pill", { type: "button", onclick: show }, "Cancel")));
      field.focus();
    };
    show();
    return ob.section("Note", [ob.el("span.ob-mute", { title: note.written_at === null ? null : ob.moment(note.written_at) }, said), ob.el("span.ob-grow"), ob.noteHistoryButton(uid, note, canEdit, again), edit], place);
  };

  /** What the training and people said of moments, by step; and a field for more. */
  ob.remarksCard = function remarksCard({ run, records, annotations }, path, canEdit, again) {
    const rows = [
      ...records.remarks.map((one) => ({ ...one, by: "the training" })),
      ...annotations.map((one) => ({ ...one, by: one.run === null ? "for every run" : one.author })),
    ].sort((a, b) => (a.step ?? Infinity) - (b.step ?? Infinity) || (a.wall ?? 0) - (b.wall ?? 0));
    if (!rows.length && !canEdit) return [];
    const list = ob.el("ul.ob-remarks", {}, ...rows.map((one) => remark(one, path, canEdit, again)));
    return ob.section("Annotations", ob.el("span.ob-mute", {}, rows.length ? ob.count(rows.length) : ""), rows.length ? list : null, canEdit ? form(run, path, again) : null);
  };

  function remark(one, path, canEdit, again) {
    const when = one.step !== null ? `step ${ob.count(one.step)}` : one.wall !== null ? ob.moment(one.wall) : "the whole run";
    const remove = one.id && canEdit
      ? ob.el("button.ob-icon", { type: "button", "aria-label": "Remove this annotation", title: "Remove", onclick: async () => {
        const path2 = `${path}/remarks/${encodeURIComponent(one.id)}`;
        if (await ob.attempt(() => ob.change(path2, { text: "" }, "PATCH"))) await again();
      } }, ob.icon("M4 4l8 8M12 4l-8 8"))
      : null;
    return ob.el("li", {}, ob.el("span.ob-mute", {}, when), ob.el("span", {}, one.text, one.by ? ob.el("span.ob-mute", {}, ` · ${one.by}`) : null), remove);
  }

  function form(run, path, again) {
    const text = ob.el("input.ob-input", { placeholder: "Annotate", maxlength: "1000", required: true, "aria-label": "Annotation" });
    const step = ob.el("input.ob-input", { placeholder: "step", inputmode: "numeric", pattern: "[-+]?[0-9]{1,15}", "aria-label": "Step, or nothing for the whole run", title: "A step, or nothing for the whole run" });
    const every = ob.el("input", { type: "checkbox", "aria-label": "For every run of the project" });
    const submit = async (event) => {
      event.preventDefault();
      const body = { text: text.value, step: step.value.trim() ? Number(step.value) : null, run: every.checked ? null : run.uid };
      const done = await ob.attempt(() => ob.change(`${path}/remarks`, body));
      if (!done) return;
      document.activeElement?.blur();
      text.value = step.value = "";
      await again();
    };
    return ob.el("form.ob-annotate", { onsubmit: submit }, text, step, ob.el("label.ob-mute", {}, every, " every run"), ob.el("button.ob-pill", { type: "submit" }, "Add"));
  }

  /** Where the run took place, as its newest writer told. */
  ob.contextCard = function contextCard({ context, contexts }) {
    const rows = contextRows(context).filter(([, value]) => value !== null && value !== "");
    if (!rows.length) return ob.section("Context", null, ob.el("p.ob-mute", {}, "Not recorded. orgboard's SummaryWriter records host, command, code and packages."));
    const list = ob.el("dl.ob-context", {}, ...rows.flatMap(([name, value]) => [ob.el("dt", {}, name), ob.el("dd", {}, value)]));
    return ob.section("Context", ob.el("span.ob-mute", {}, contexts > 1 ? `the newest of ${ob.count(contexts)}` : ""), list, packages(context.packages));
  };

  function contextRows(context) {
    const { git, devices, python, job } = context;
    const code = (value) => (value === null ? null : ob.el("code", {}, value));
    const command = Array.isArray(context.command) ? context.command.slice(0, 500).map(quoted).join(" ") : text(context.command);
    return [
      ["Host", text(context.host)], ["User", text(context.user)], ["Command", code(command)], ["Directory", code(text(context.directory))],
      ["Commit", code(text(git?.commit))], ["Branch", text(git?.branch)], ["Remote", code(text(git?.remote))], ["Changes", changes(git?.dirty)],
      ["Python", python ? [text(python.version), text(python.implementation)].filter(Boolean).join(" ") : null], ["Interpreter", code(text(python?.executable))],
      ["System", text(context.system)], ["Processor", processor(devices?.cpu)], ["Memory", Number.isFinite(devices?.memory_bytes) ? ob.bytes(devices.memory_bytes) : null],
      ["GPUs", gpus(devices?.gpus)], ["Job", job && typeof job === "object" ? Object.entries(job).slice(0, 30).map(([name, value]) => `${name}=${text(value)}`).join(" ") : null], ["Process", text(context.pid)],
    ];
  }

  /** Whatever a log says, as text that is not too long; null when there is none. */
  function text(value) {
    if (value === undefined || value === null) return null;
    return (typeof value === "string" ? value : JSON.stringify(value)).slice(0, 4000);
  }

  function quoted(part) {
    const word = text(part) ?? "";
    return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replace(/'/g, "'\\''")}'`;
  }

  function changes(dirty) {
    if (!dirty || typeof dirty !== "object") return null;
    const count = (name, word) => (Number.isFinite(dirty[name]) && dirty[name] ? ob.plural(dirty[name], word) : null);
    const lines = Number.isFinite(dirty.lines_added) || Number.isFinite(dirty.lines_deleted) ? `+${ob.count(dirty.lines_added || 0)} −${ob.count(dirty.lines_deleted || 0)}` : null;
    const parts = [count("files", "file"), lines, count("untracked", "untracked file")].filter(Boolean);
    return count("files", "file") || count("untracked", "x") ? parts.join(", ") : "none";
  }

  function processor(cpu) {
    if (!cpu || typeof cpu !== "object") return null;
    const usable = Number.isFinite(cpu.usable) && cpu.usable !== cpu.count ? `${ob.count(cpu.usable)} of ` : "";
    return `${text(cpu.model) ?? ""}${Number.isFinite(cpu.count) ? `, ${usable}${ob.plural(cpu.count, "core")}` : ""}`;
  }

  function gpus(all) {
    if (!Array.isArray(all) || !all.length) return null;
    return all.slice(0, 64).map((gpu) => `${text(gpu?.name) ?? "?"}${Number.isFinite(gpu?.memory_bytes) ? ` (${ob.bytes(gpu.memory_bytes)})` : ""}`).join(", ");
  }

  function packages(all) {
    if (!all || typeof all !== "object" || !Object.keys(all).length) return null;
    const rows = Object.entries(all).sort().slice(0, MOST_PACKAGES).map(([name, version]) => [ob.el("span.ob-mono.ob-tag", {}, name), ob.el("span.ob-mono", {}, text(version) ?? "")]);
    return ob.el("details.ob-details", {}, ob.el("summary", {}, `Packages, ${ob.count(Object.keys(all).length)}`), ob.plainTable(["Package", "Version"], rows));
  }
})((globalThis.ob = globalThis.ob || {}));
