/* A second factor: codes of one's own device, beside the password. */
(function (ob) {
  "use strict";

  const MARGIN = 4;

  /** The viewer's second factor, as a section of the account's page. */
  ob.secondOf = function secondOf(page, { since, recovery_codes: left }) {
    const button = since ? ob.el("button.ob-pill", { type: "button", onclick: () => askEnd(page) }, "End it…")
      : ob.el("button.ob-pill", { type: "button", onclick: () => ob.attempt(() => begin(page)) }, "Set up…");
    const words = since ? ["In force since ", ob.since(since), `. ${ob.plural(left, "recovery code")} left${left < 3 ? ": end it and set it up again for new ones." : "."}`]
      : ["With one, the password alone does not open your account: it takes a code that your phone shows, too."];
    return ob.section("Second factor", [ob.el("span.ob-grow"), button], ob.el("p.ob-mute", {}, ...words));
  };

  async function begin(page) {
    const { secret, link, picture } = await ob.delicate("second-factor", {});
    const code = ob.el("input.ob-input", { name: "code", required: true, maxlength: "10", inputmode: "numeric", autocomplete: "one-time-code", "aria-label": "The code that it shows" });
    ob.dialog("A second factor", [
      ob.el("p", {}, "Scan this with an app for codes on your phone, or type the secret; on the phone itself, ", ob.el("a", { href: link }, "open it there"), "."),
      codeOf(picture),
      ob.el("p.ob-secret.ob-mono", { "aria-label": "The secret" }, secret),
      ob.el("label.ob-labelled", {}, ob.el("span", {}, "The code that it shows"), code),
    ], {
      does: "Put it in force",
      act: async () => {
        const { codes } = await ob.change("second-factor/confirm", { code: code.value });
        page.again();
        showCodes(codes);
      },
    });
    code.focus();
  }

  /** Draw a QR code: dark on light in either theme, with the four modules of margin that readers need. */
  function codeOf(rows) {
    const size = rows.length + 2 * MARGIN;
    const runs = rows.flatMap((row, y) => [...row.matchAll(/1+/g)].map(({ index, 0: { length } }) => `M${index + MARGIN} ${y + MARGIN}h${length}v1h-${length}z`));
    return ob.svg("svg", { class: "ob-qr", role: "img", "aria-label": "QR code", viewBox: `0 0 ${size} ${size}`, "shape-rendering": "crispEdges" },
      ob.svg("rect", { width: size, height: size, fill: "#fff" }), ob.svg("path", { d: runs.join(""), fill: "#000" }));
  }

  function showCodes(codes) {
    const copy = ob.el("button.ob-pill", { type: "button", onclick: async () => {
      const done = await navigator.clipboard?.writeText(codes.join("\n")).then(() => true, () => false);
      copy.textContent = done ? "Copied" : "Select them, and press Ctrl C";
    } }, "Copy all");
    ob.dialog("Your recovery codes", [
      ob.el("p", {}, "Each opens your account once, with your password, when the phone is gone. They are not shown again: keep them where you keep what is dear."),
      ob.el("ul.ob-codes.ob-mono", { "aria-label": "Recovery codes" }, ...codes.map((code) => ob.el("li", {}, code))), copy,
    ], { act: () => {} });
  }

  function askEnd(page) {
    ob.dialog("End the second factor?", ob.el("p", {}, "The password alone opens your account then."), {
      does: "End it", danger: true,
      act: async () => {
        await ob.delicate("second-factor", {}, "DELETE");
        ob.toast("The password alone opens your account now");
        page.again();
      },
    });
  }
})((globalThis.ob = globalThis.ob || {}));
