/* The grid of the table of runs, fetched with the first table: its script is longer than all
   others together. Until then a component by its name stands in its place. */
(function (ob) {
  "use strict";

  const { createElement, lazy, Suspense } = globalThis.React;

  const FOLDER = `${ob.base()}_dash-component-suites/dash_ag_grid`;

  let grid = null;

  function fetched() {
    grid ??= new Promise((resolve) => {
      const script = ob.el("script", { src: `${FOLDER}/dash_ag_grid.min.js` });
      script.onload = () => {
        const { AgGrid } = globalThis.dash_ag_grid;
        // Dash asks by name again, and would take another component for another grid.
        globalThis.dash_ag_grid = { ...globalThis.dash_ag_grid, ...standIn };
        resolve({ default: AgGrid });
      };
      script.onerror = () => resolve({ default: missing });
      document.head.append(script);
    });
    return grid;
  }

  const Grid = lazy(fetched);
  const standIn = { AgGrid: (props) => createElement(Suspense, { fallback: null }, createElement(Grid, props)) };
  const missing = () => createElement("p", { className: "ob-empty", role: "alert" }, "The table could not be fetched. Load the page again.");

  globalThis.dash_ag_grid = standIn;

  // Where a table comes first its scripts come while Dash starts: this one, and what it will ask for.
  if (/\/runs$/.test(location.pathname)) {
    document.head.append(ob.el("link", { rel: "preload", as: "script", href: `${FOLDER}/async-community.js` }));
    fetched();
  }
})((globalThis.ob = globalThis.ob || {}));
