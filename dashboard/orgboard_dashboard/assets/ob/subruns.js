/* Sub-runs of `add_scalars`: torch writes each key into a directory of its own, RUN/TAG_key, all
   with the same tag. Told by their names, they are lines of one run: its colour, another dash
   for each key, and the key as their label. */
(function (ob) {
  "use strict";

  /** Give {parent, key} of a run that holds one key of `tag`; null for any other run. */
  ob.subRun = function subRun(name, tag) {
    const part = `${tag.replaceAll("/", "_")}_`;
    if (name.startsWith(part) && name.length > part.length) return { parent: ".", key: name.slice(part.length) };
    const at = name.lastIndexOf(`/${part}`);
    const key = at > 0 ? name.slice(at + 1 + part.length) : "";
    return key ? { parent: name.slice(0, at), key } : null;
  };

  /** Give the names and colours of the sub-runs among `runs` on the card of `tag`, by uid. */
  ob.subRunLooks = function subRunLooks(runs, tag) {
    const families = new Map();
    for (const run of runs) {
      const found = run.members ? null : ob.subRun(run.name, tag);
      if (found) families.set(found.parent, [...(families.get(found.parent) ?? []), { run, key: found.key }]);
    }
    const looks = new Map();
    for (const [parent, members] of families) {
      const own = runs.find((run) => run.name === parent);
      members.sort((a, b) => (a.key < b.key ? -1 : 1));
      const color = (own ?? members[0].run).color % ob.PALETTE.length;
      members.forEach(({ run, key }, turn) => {
        // The first dash is the run's own, where the run has a line of that tag itself.
        looks.set(run.uid, { name: `${ob.runName({ name: parent })} · ${key}`, color: color + (turn + (own ? 1 : 0)) * ob.PALETTE.length });
      });
    }
    return looks;
  };
})((globalThis.ob = globalThis.ob || {}));
