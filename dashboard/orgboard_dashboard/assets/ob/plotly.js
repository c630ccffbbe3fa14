/* The chart library, for the pictures that people save (export.js). A page that only shows charts
   does without: they are drawn by draw.js, from the same figures. */
(function (ob) {
  "use strict";

  const VERSION = "4.1.1";

  let library = null;

  /** Fetch the library, once. */
  ob.plotly = function plotly() {
    library ??= new Promise((resolve, reject) => {
      const script = ob.el("script", { src: `${ob.base()}assets/vendor/plotly-cartesian-${VERSION}.min.js`, async: true });
      script.onload = () => resolve(globalThis.Plotly);
      script.onerror = () => {
        library = null;
        reject(new Error("The chart library could not be fetched."));
      };
      document.head.append(script);
    });
    return library;
  };
})((globalThis.ob = globalThis.ob || {}));
