/* One-time links that are out: what each gives, and a button that takes it back. */
(function (ob) {
  "use strict";

  /** Make the section of the links of a path, empty when none is out; and what reads them again.
      `writes`: they can be revoked here. */
  ob.openInvitations = async function openInvitations(path, writes, head, signal) {
    const place = ob.el("section.ob-invitations");
    const again = async () => {
      const { links } = await ob.getJson(path, signal);
      ob.keepFocus(place, () => place.replaceChildren(...(links.length ? [ob.el(head, {}, "Open invitations"), table(links, writes, again)] : [])));
    };
    await again();
    return [place, again];
  };

  function table(links, writes, again) {
    const rows = links.map((one) => [
      inWords(one), one.made_by || "who has the host", ob.since(one.created_at),
      ob.el("span", { title: ob.moment(one.expires_at) }, `in ${ob.span(one.expires_at - Date.now() / 1000)}`),
      writes ? ob.el("button.ob-quiet", { type: "button", "aria-label": `Revoke ${inWords(one)}, made by ${one.made_by || "who has the host"}`, onclick: () => askRevoke(one, again) }, "Revoke") : "",
    ]);
    return ob.peopleTable("Open invitations", ["For", "Made by", "Made", "Ends", ""], rows);
  }

  function inWords({ account, team, role }) {
    if (account) return `the password of ${account}`;
    return team ? `an account, ${role} of ${team}` : "an account in no team";
  }

  function askRevoke(link, again) {
    ob.dialog("Revoke this link?", ob.el("p", {}, `It is for ${inWords(link)}. Who has it opens nothing with it any more; another can be made.`), {
      does: "Revoke", danger: true,
      act: async () => {
        await ob.delicate(`invitations/${encodeURIComponent(link.id)}`, {}, "DELETE");
        ob.toast("Revoked the link");
        await again();
      },
    });
  }
})((globalThis.ob = globalThis.ob || {}));
