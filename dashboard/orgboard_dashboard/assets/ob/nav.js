/* Go from page to page without a reload, and carry the view along: the same runs and filters
   stand on every page of a project. */
(function (ob) {
  "use strict";

  let path = null;

  /** Let Dash lay out the page that the address names (`pages/__init__.py`), if it is another. */
  ob.route = function route() {
    if (location.pathname === path) return;
    path = location.pathname;
    globalThis.dash_clientside.set_props("ob-page", { "data-path": path });
  };

  window.addEventListener("popstate", ob.route);

  ob.goTo = function goTo(address) {
    history.pushState({}, "", address);
    ob.route();
    window.scrollTo(0, 0);
  };

  document.addEventListener("click", (event) => {
    const link = event.target.closest?.("a.ob-nav, a.ob-home");
    if (!link || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey) return;
    event.preventDefault();
    if (link.classList.contains("ob-home")) return ob.goTo(ob.base());
    const address = new URL(link.href, location.href);
    if (address.pathname === location.pathname) return;
    ob.goTo(address.pathname + (address.search || carried(address.pathname)));
  });

  /** What goes along within a project. Zoom stays: it belongs to the axis of one page. */
  function carried(pathname) {
    const prefix = ob.project && `${ob.base()}${ob.project.path}/`;
    return prefix && pathname.startsWith(prefix) ? ob.viewQuery(ob.OF_A_PAGE) : "";
  }

  // What is not frequent on a phone stands in a sheet above the bar.
  document.addEventListener("pointerdown", (event) => {
    const more = document.querySelector(".ob-more[open]");
    if (more && !more.contains(event.target)) more.open = false;
  });

  /** Where the window has no room for all tabs, let the one that is open be seen. */
  ob.showTab = function showTab() {
    requestAnimationFrame(() => document.querySelector("#ob-tabs .ob-on")?.scrollIntoView({ block: "nearest", inline: "nearest" }));
  };

  /** Go to the next page of the project, or the one before. */
  ob.turnPage = function turnPage(by) {
    const links = [...document.querySelectorAll("#ob-tabs a")];
    const at = links.findIndex((link) => link.classList.contains("ob-on"));
    if (at >= 0) links[(at + by + links.length) % links.length].click();
  };
})((globalThis.ob = globalThis.ob || {}));
