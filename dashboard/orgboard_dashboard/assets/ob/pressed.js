/* What a pointer is pressed on stays in its place until it is let go: a click on a button that was
   made anew in between is none. */
(function (ob) {
  "use strict";

  let isPressed = false;
  const waiting = new Set();

  document.addEventListener("pointerdown", () => { isPressed = true; }, true);
  for (const end of ["pointerup", "pointercancel", "dragend"]) document.addEventListener(end, letGo, true);
  window.addEventListener("blur", letGo);

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
