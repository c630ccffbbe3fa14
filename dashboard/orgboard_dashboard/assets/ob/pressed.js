/* What a pointer is pressed on stays in its place until it is let go: a click on a button that was
   made anew in between is none. */
(function (ob) {
  "use strict";

  let isPressed = false;
  const waiting = new Set();

  document.addEventListener("pointerdown", (event) => { isPressed = !isOnScrollbar(event); }, true);
  for (const end of ["pointerup", "pointercancel", "dragend"]) document.addEventListener(end, letGo, true);
  window.addEventListener("blur", letGo);

  /** Of a scrollbar nobody tells when it is let go. */
  function isOnScrollbar({ target, offsetX, offsetY }) {
    const { clientWidth: width, clientHeight: height, scrollWidth, scrollHeight } = target;
    return (scrollHeight > height && width > 0 && offsetX >= width) || (scrollWidth > width && height > 0 && offsetY >= height);
  }

  function letGo() {
    isPressed = false;
    // After the click that the browser makes of it.
    setTimeout(() => {
      if (isPressed) return;
      const acts = [...waiting];
      waiting.clear();
      for (const act of acts) act();
    });
  }

  /** Call `act` now, or once no pointer is pressed; asked for again meanwhile, once. */
  ob.unpressed = (act) => (isPressed ? waiting.add(act) : act());
})((globalThis.ob = globalThis.ob || {}));
