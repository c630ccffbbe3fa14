/* The field that finds nodes of a graph, and what it found. */
(function (ob) {
  "use strict";

  /** The field that finds nodes by a regular expression, and the list of what it found. */
  ob.graphSearch = function graphSearch(page) {
    const list = ob.el("div.ob-g-found", { hidden: true, role: "group", "aria-label": "Found" });
    const field = ob.el("input.ob-input.ob-tagfilter", {
      type: "search", placeholder: "Find nodes  /", spellcheck: "false", "aria-label": "Find nodes, a regular expression",
      oninput: ob.settled(150, () => look()),
      onkeydown: (event) => {
        if (event.key === "ArrowDown") list.querySelector("button")?.focus();
        else if (event.key === "Enter") list.querySelector("button")?.click();
        else if (event.key === "Escape" && !list.hidden) event.preventDefault(), hide();
        else return;
        event.preventDefault();
      },
    });
    const hide = () => { list.hidden = true; };
    const el = ob.el("div.ob-g-search", { onfocusout: (event) => el.contains(event.relatedTarget) || hide() }, field, list);
    list.addEventListener("keydown", (event) => {
      const by = { ArrowDown: "nextElementSibling", ArrowUp: "previousElementSibling" }[event.key];
      if (event.key === "Escape") hide();
      if (!by && event.key !== "Escape") return;
      event.preventDefault();
      (document.activeElement[by] ?? field).focus();
    });
    async function look() {
      const q = field.value;
      if (!q) return hide();
      try {
        const { found, total } = await page.ask(`${page.path}/search?${new URLSearchParams({ q })}`);
        if (q === field.value) fill(found, total);
      } catch (error) {
        if (error instanceof ob.Refused) list.replaceChildren(ob.el("p.ob-problem", { role: "alert" }, error.message));
        else if (error.name !== "AbortError") throw error;
        list.hidden = false;
      }
      return undefined;
    }
    function fill(found, total) {
      const rows = found.slice(0, 50).map((child) => ob.el("button.ob-item", { type: "button", title: child.path, onclick: () => { hide(); page.reveal(child.path); } },
        ob.el("span.ob-mono", {}, child.path), ob.el("span.ob-mute", {}, child.kind === "node" ? child.op : ob.plural(child.nodes, "node"))));
      const more = total > rows.length ? ob.el("p.ob-mute", {}, `${ob.count(total - rows.length)} more`) : null;
      list.replaceChildren(...(rows.length ? rows : [ob.el("p.ob-mute", {}, "No node has such a name.")]), ...(more ? [more] : []));
      list.hidden = false;
    }
    return { el, field };
  };
})((globalThis.ob = globalThis.ob || {}));
