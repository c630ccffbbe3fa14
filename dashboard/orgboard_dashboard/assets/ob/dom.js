/* Make elements. Whatever a log or a person wrote becomes a text node, never markup. */
(function (ob) {
  "use strict";

  /** Make an element: el("a.ob-x", {href, onclick, "aria-label"}, "text", child, [more]). */
  ob.el = function el(what, attributes, ...children) {
    const [tag, ...classes] = what.split(".");
    const node = document.createElement(tag || "div");
    if (classes.length) node.className = classes.join(" ");
    for (const [name, value] of Object.entries(attributes || {})) {
      if (value === null || value === undefined || value === false) continue;
      if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
      else if (name === "style") Object.assign(node.style, value);
      else if (name in PROPERTIES) node[name] = value;
      else node.setAttribute(name, value === true ? "" : String(value));
    }
    node.append(...children.flat().filter((child) => child !== null && child !== undefined));
    return node;
  };

  const PROPERTIES = { checked: 1, disabled: 1, hidden: 1, indeterminate: 1, value: 1 };

  const SVG = "http://www.w3.org/2000/svg";

  /** Make an SVG element: svg("g", {class, onclick}, child, "text", [more]). What is null or false is left out. */
  ob.svg = function svg(tag, attributes, ...children) {
    const node = document.createElementNS(SVG, tag);
    for (const [name, value] of Object.entries(attributes)) {
      if (value === null || value === undefined || value === false) continue;
      if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
      else node.setAttribute(name, value);
    }
    node.append(...children.flat().filter((child) => child !== null && child !== undefined));
    return node;
  };

  /** Make a line icon of 16 px from a path of ours. */
  ob.icon = function icon(path) {
    return ob.svg("svg", { viewBox: "0 0 16 16", class: "ob-glyph", "aria-hidden": "true" }, ob.svg("path", { d: path }));
  };

  /** Give the element, or what was made in its place: in the row of the same run, or by the same name. */
  ob.standing = function standing(element) {
    if (!element || element.isConnected) return element;
    const row = element.closest("[data-uid]");
    if (!row) return [...document.querySelectorAll(element.localName)].find((one) => called(one) === called(element)) ?? null;
    const now = document.querySelector(`${row.localName}[data-uid="${CSS.escape(row.dataset.uid)}"]`);
    return now && stops(now)[stops(row).indexOf(element)];
  };

  const called = (element) => element.getAttribute("aria-label") ?? element.textContent;
  const stops = (element) => [element, ...element.querySelectorAll("*")].filter((one) => one.matches("input, button, a"));

  /** Change what is in `place`; what had the focus there has it again, in its new shape. */
  ob.keepFocus = function keepFocus(place, change) {
    const had = place.contains(document.activeElement) ? document.activeElement : null;
    change();
    if (had && had !== document.activeElement) ob.standing(had)?.focus({ preventScroll: true });
  };

  /** Make one choice of few: buttons side by side. `choices` are [value, label]. */
  ob.segmented = function segmented(label, choices, value, onchange) {
    const box = ob.el("div.ob-seg", { role: "radiogroup", "aria-label": label });
    const paint = (chosen) => {
      for (const button of box.children) {
        const on = button.dataset.value === chosen;
        button.classList.toggle("ob-on", on);
        button.setAttribute("aria-checked", String(on));
      }
    };
    for (const [key, text] of choices) {
      const onclick = () => {
        paint(key);
        onchange(key);
      };
      box.append(ob.el("button", { type: "button", role: "radio", "data-value": key, onclick }, text));
    }
    paint(value);
    box.paint = paint;
    return box;
  };

  /** Call `act` at most once in `wait` ms, the last time included. */
  ob.throttled = function throttled(wait, act) {
    let timer = 0;
    let last = 0;
    return function later() {
      if (timer) return;
      const rest = Math.max(0, last + wait - Date.now());
      timer = setTimeout(() => {
        timer = 0;
        last = Date.now();
        act();
      }, rest);
    };
  };

  /** Let the browser paint and take input before the next piece of work. */
  ob.breath = () => new Promise((resolve) => setTimeout(resolve));

  /** Call `act` once nothing has called for `wait` ms. */
  ob.settled = function settled(wait, act) {
    let timer = 0;
    return function later(...args) {
      clearTimeout(timer);
      timer = setTimeout(() => act(...args), wait);
    };
  };
})((globalThis.ob = globalThis.ob || {}));
