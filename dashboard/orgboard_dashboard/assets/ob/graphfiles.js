/* Graphs from people's disks: opened by a button or dropped on the page, kept in the project, and
   then looked at as the graphs of runs are. Each stands where a run does, under an id with a dot. */
(function (ob) {
  "use strict";

  const ACCEPT = ".pbtxt,.prototxt,.textproto,.pb,.meta,.onnx,.json";
  const KINDS = "TensorFlow graphs (.pbtxt, .pb, .meta), ONNX models and Keras models as JSON";
  const PREFIX = "file.";

  ob.graphFiles = (page) => new GraphFiles(page);

  /** Whether what stands for a run is an opened file. */
  ob.isGraphFile = (uid) => uid.startsWith(PREFIX);

  class GraphFiles {
    constructor(page) {
      this.page = page;
      this.path = `${page.project.path}/graphs`;
      this.runs = [];
      this.canAdd = false;
      this.mostBytes = 0;
      this.input = ob.el("input", {
        type: "file", hidden: true, multiple: true, accept: ACCEPT, "aria-label": "Files to open",
        onchange: () => {
          const files = [...this.input.files];
          this.input.value = "";
          this.open(files);
        },
      });
      this.drop = ob.el("div.ob-g-drop", { hidden: true }, ob.el("p", {}, "Drop it to open its graph"), ob.el("p.ob-mute", {}, KINDS));
    }

    /** Ask which there are. */
    async load() {
      const { files, can_add: canAdd, most_bytes: mostBytes } = await this.page.ask(this.path);
      Object.assign(this, { canAdd, mostBytes, runs: files.map(asRun) });
      const { lists } = this.page;
      for (const uid of [...lists.keys()].filter(ob.isGraphFile)) lists.delete(uid);
      for (const run of this.runs) lists.set(run.uid, [rowOf(run.file)]);
    }

    button(words = "Open a file…") {
      return ob.el("button.ob-pill.ob-g-open", { type: "button", title: `Open a graph from your disk: ${KINDS}`, onclick: () => this.input.click() }, words);
    }

    /** What says how to open one, where there is nothing else to see; nothing for who may not. */
    invitation() {
      return this.canAdd ? ["Or open one from your disk.", ob.el("span.ob-g-acts", {}, this.button())] : [];
    }

    /** Take what is dropped on the page. */
    listen(root, signal) {
      const has = (event) => event.dataTransfer?.types.includes("Files");
      const on = (name, act) => root.addEventListener(name, (event) => has(event) && act(event), { signal });
      on("dragenter", () => { this.drop.hidden = !this.canAdd; });
      // Without this the browser would leave the page for the file.
      on("dragover", (event) => {
        event.preventDefault();
        event.dataTransfer.dropEffect = this.canAdd ? "copy" : "none";
      });
      on("dragleave", (event) => root.contains(event.relatedTarget) || (this.drop.hidden = true));
      on("drop", (event) => {
        event.preventDefault();
        this.drop.hidden = true;
        if (this.canAdd) this.open([...event.dataTransfer.files]);
        else ob.toast("You may look at this project's graphs, and not add to them.");
      });
    }

    /** Open files, one after the other, and show the last that is a graph. */
    async open(files) {
      if (this.isBusy) return ob.toast("Another file is being opened. Wait until it is there.");
      this.isBusy = true;
      let opened = null;
      try {
        for (const file of files) {
          this.say(`Opening ${ob.shortName(file.name, 24)}…`);
          opened = (await this.send(file)) ?? opened;
        }
        if (opened) await this.load();
      } finally {
        this.isBusy = false;
        this.say("");
      }
      if (opened) ob.setView({ graphRun: PREFIX + opened.id, graphTag: "", graphOpen: [], graphNode: "", graphTrace: "", graphMoved: [], graphStats: "" });
      return this.page.load();
    }

    /** Send one file; gives what the server keeps of it, or null and says why not. */
    async send(file) {
      try {
        const body = await ob.withoutNumbers(file);
        if (body.size > this.mostBytes) throw new ob.Refused(413, { error: `“${file.name}” has ${ob.bytes(body.size)}${body === file ? "" : " without its weights"}; at most ${this.mostBytes >> 20} MB are opened.` });
        return await ob.sendFile(`${this.path}?${new URLSearchParams({ name: file.name, size: file.size })}`, body, this.page.controller.signal);
      } catch (error) {
        if (error.name === "AbortError") return null;
        // Not ours, then the browser's: the file cannot be read, or is gone meanwhile.
        const words = error instanceof ob.Refused ? error.message : `“${file.name}” cannot be read: ${error.message}`;
        ob.dialog("Not opened", ob.el("p", {}, words), {});
        return null;
      }
    }

    say(words) {
      for (const button of document.querySelectorAll(".ob-g-open")) {
        button.disabled = Boolean(words);
        button.textContent = words || "Open a file…";
      }
    }

    /** Ask, and take a file out of the project. */
    remove(run) {
      ob.dialog(`Remove ${ob.shortName(run.name, 40)}?`, ob.el("p", {}, "It goes for everybody who sees the project, and links to it say that it is gone. The file on your disk stays."), {
        does: "Remove", danger: true,
        act: async () => {
          await ob.change(`${this.path}/${encodeURIComponent(run.file.id)}`, {}, "DELETE");
          await this.load();
          ob.setView({ graphRun: "", graphTag: "", graphOpen: [], graphNode: "", graphTrace: "", ...(ob.view.graphBase === run.uid ? { graphBase: "" } : {}) });
          ob.toast(`${run.name} is removed.`);
          this.page.load();
        },
      });
    }

    /** What is told of an opened file where nothing of it is chosen: facts, and what can be done. */
    facts({ file }) {
      const who = file.author ? ` by ${file.author}` : "";
      return [["File", file.name], ["Opened as", file.words], ["Size on disk", ob.bytes(file.file_size)], ["Opened", ob.el("span", { title: ob.moment(file.uploaded_at) }, ob.ago(file.uploaded_at) + who)]];
    }

    acts(run) {
      if (!run.file.can_remove) return null;
      return ob.el("div.ob-g-acts", {}, ob.el("button.ob-pill.ob-danger", { type: "button", onclick: () => this.remove(run) }, "Remove the file"));
    }
  }

  function asRun(file) {
    return { uid: PREFIX + file.id, name: file.name, file };
  }

  function rowOf(file) {
    return { tag: "", plugin: "graphs", words: file.words, sha256: file.sha256, size: file.file_size, step: 0 };
  }

  /** The choices of a run or of an opened file, each kind under its name where there are files. */
  ob.graphSources = function graphSources(runs, files) {
    const option = (one) => ob.el("option", { value: one.uid }, one.file ? one.name : ob.runName(one));
    if (!files.length) return runs.map(option);
    const group = (label, rows) => (rows.length ? [ob.el("optgroup", { label }, ...rows.map(option))] : []);
    return [...group("Runs", runs), ...group("Opened files", files)];
  };
})((globalThis.ob = globalThis.ob || {}));
