/* What is said of the saved view that is shown: a button in the header, and a panel at the side.

   A view has no revision that the stream would tell of: while the panel stands, it asks again. */
(function (ob) {
  "use strict";

  const AGAIN_MS = 4000;

  /** The view whose comments are counted: {id, path, count, mayRead}. */
  let known = { id: "", path: "", count: 0, mayRead: false };
  let panel = null;
  let button = null;

  /** Put the button beside that of the views. */
  ob.showViewComments = function showViewComments() {
    const place = document.getElementById("ob-talk");
    button ??= ob.el("button.ob-icon.ob-talkbutton", { type: "button", "aria-expanded": "false", hidden: true, onclick: () => (panel ? close() : open()) },
      ob.icon(ob.SAID));
    if (!place.contains(button)) place.replaceChildren(button);
    follow();
  };

  /** Look which view is shown now. */
  function follow() {
    const row = ob.project && ob.shownView();
    const id = row?.id ?? "";
    if (id === known.id && (!id || known.path.startsWith(`${ob.project.path}/`))) return;
    close();
    known = { id, path: id ? `${ob.project.path}/views/${id}/comments` : "", count: 0, mayRead: false };
    paint();
    if (id) count(known);
  }

  async function count(view) {
    try {
      const { comments } = await ob.getJson(view.path);
      if (view !== known) return;
      known.mayRead = true;
      known.count = comments.filter((one) => !one.removed).length;
      paint();
      if (/^#c-/.test(location.hash)) open();
    } catch (error) {
      // Who came by a link has no part in it.
      if (!(error instanceof ob.Refused)) throw error;
    }
  }

  function paint() {
    if (!button) return;
    button.hidden = !known.mayRead;
    const words = known.count ? ob.plural(known.count, "comment") : "Comments";
    button.setAttribute("aria-label", `${words} on this view`);
    button.title = `${words} on this view`;
    button.setAttribute("aria-expanded", String(Boolean(panel)));
    button.querySelector(".ob-badge")?.remove();
    if (known.count) button.append(ob.el("span.ob-badge", { "aria-hidden": "true" }, String(known.count)));
  }

  function open() {
    if (panel || !known.mayRead) return;
    const row = ob.shownView();
    if (!row) return;
    const controller = new AbortController();
    const view = known;
    const talk = ob.discussion({
      path: view.path, project: row.for_team ? ob.project.path : null, signal: controller.signal,
      told: (n, page) => {
        if (view !== known) return;
        if (!page) return close();
        known.count = n;
        paint();
      },
    });
    const shut = ob.el("button.ob-icon", { type: "button", "aria-label": "Close the comments", onclick: () => close(true) }, ob.icon("M4 4l8 8M12 4l-8 8"));
    const el = ob.el("aside.ob-side", { "aria-label": `Comments on the view ${row.name}`, tabindex: "-1", onkeydown: (event) => {
      if (event.key !== "Escape" || event.defaultPrevented) return;
      event.preventDefault();
      event.stopPropagation();
      close(true);
    } },
      ob.el("header", {}, ob.el("h2", {}, "Comments"), ob.el("span.ob-name.ob-mute", {}, row.name), ob.el("span.ob-grow"), shut),
      talk.el, row.for_team ? null : ob.el("p.ob-mute", {}, "Only you see this view, and what is said here."));
    const timer = setInterval(() => document.hidden || talk.again(), AGAIN_MS);
    panel = { el, controller, timer };
    document.body.append(el);
    document.body.classList.add("ob-talking");
    paint();
    el.focus({ preventScroll: true });
    talk.again();
  }

  /** Take the panel away; `back` gives the focus to the button. */
  function close(back = false) {
    if (!panel) return;
    panel.controller.abort();
    clearInterval(panel.timer);
    panel.el.remove();
    document.body.classList.remove("ob-talking");
    panel = null;
    paint();
    if (back) button.focus({ preventScroll: true });
  }

  /** How many comments a view has, asked before it is deleted with them. */
  ob.countViewComments = async function countViewComments({ id }) {
    const { comments } = await ob.getJson(`${ob.project.path}/views/${id}/comments`);
    return comments.filter((one) => !one.removed).length;
  };

  ob.leaveViewComments = function leaveViewComments() {
    close();
    known = { id: "", path: "", count: 0, mayRead: false };
    paint();
  };

  ob.onView(ob.throttled(100, () => button?.isConnected && follow()));
  ob.onViews(() => button?.isConnected && follow());
})((globalThis.ob = globalThis.ob || {}));
