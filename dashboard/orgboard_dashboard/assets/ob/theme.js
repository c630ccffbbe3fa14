/* The theme and what this browser remembers. Mantine switches the scheme by an attribute of
   the root element and remembers it; all colours are CSS variables that know both. */
(function (ob) {
  "use strict";

  const root = document.documentElement;
  const ATTRIBUTE = "data-mantine-color-scheme";

  /** The tokens of a scheme that were read: each reading lays the page out anew. */
  let read = { scheme: null, tokens: new Map() };

  /** Read a colour token: token("grid"). */
  ob.token = function token(name) {
    const scheme = root.getAttribute(ATTRIBUTE);
    if (read.scheme !== scheme) read = { scheme, tokens: new Map() };
    if (!read.tokens.get(name)) read.tokens.set(name, getComputedStyle(root).getPropertyValue(`--ob-${name}`).trim());
    return read.tokens.get(name);
  };

  ob.remembered = function remembered(key) {
    try {
      return localStorage.getItem(`orgboard-${key}`);
    } catch {
      return null;
    }
  };

  ob.remember = function remember(key, value) {
    try {
      localStorage.setItem(`orgboard-${key}`, value);
    } catch {
      /* Private windows may refuse; then it lasts as long as the page. */
    }
  };

  const listeners = new Set();

  /** Hear of a change of theme. Gives a function that stops it. */
  ob.onTheme = function onTheme(listen) {
    listeners.add(listen);
    return () => listeners.delete(listen);
  };

  // Before Mantine starts, so that a remembered dark page does not flash light.
  let saved = null;
  try {
    saved = localStorage.getItem("mantine-color-scheme-value");
  } catch {
    saved = null;
  }
  if (saved === "dark" || saved === "light") root.setAttribute(ATTRIBUTE, saved);

  const follow = () => {
    const dark = root.getAttribute(ATTRIBUTE) === "dark";
    root.setAttribute("data-ag-theme-mode", dark ? "dark" : "light");
    for (const listen of [...listeners]) listen();
  };
  new MutationObserver(follow).observe(root, { attributes: true, attributeFilter: [ATTRIBUTE] });
})((globalThis.ob = globalThis.ob || {}));
