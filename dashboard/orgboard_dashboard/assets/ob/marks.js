/* Marks at the foot of a chart: where a run was restarted, what its script remarked, and what people did.

   They are buttons over the axis, so that a pointer, a finger and the keyboard read them all.
   Those that would lie on one another are one mark with all their words. */
(function (ob) {
  "use strict";

  const APART_PX = 12;
  /** A mark's line ends before the chart does. */
  const SHORT_PX = 12;
  const MOST = 40;
  const MOST_WORDS = 8;
  /** As near to a value that is not finite as to any other. */
  const NEAR_PX = 8;
  const NEAR_ROWS = 5;
  const AGAIN_MS = 4000;

  const known = new WeakMap();

  /** Give the remarks on the runs of a project, by uid; they follow what is shown. */
  function remarksOf(project) {
    if (!known.has(project)) {
      const remarks = { of: new Map(), all: [], key: null };
      known.set(project, remarks);
      const again = ob.throttled(AGAIN_MS, () => {
        remarks.key = null;
        fetchRemarks(project, remarks);
      });
      project.on((what) => (what.changed || what === "filter" ? again() : what !== "remarks" && fetchRemarks(project, remarks)));
      const off = ob.onView((changed) => (ob.project !== project ? off() : changed.has("selected") && fetchRemarks(project, remarks)));
      fetchRemarks(project, remarks);
    }
    return known.get(project);
  }

  async function fetchRemarks(project, remarks) {
    const uids = project.shown().map((run) => run.uid);
    const key = uids.join();
    if (key === remarks.key || ob.project !== project) return;
    remarks.key = key;
    if (!uids.length) return;
    try {
      const query = new URLSearchParams({ runs: key });
      const [{ annotations }, { remarks: ofPeople }] = await Promise.all(
        ["annotations", "remarks"].map((whose) => ob.getJson(`${project.path}/${whose}?${query}`, project.controller.signal)));
      const had = JSON.stringify([...remarks.of, remarks.all]);
      remarks.of = Map.groupBy([...annotations, ...ofPeople.filter(({ run }) => run)], ({ run }) => run);
      remarks.all = ofPeople.filter(({ run }) => !run);
      if (had !== JSON.stringify([...remarks.of, remarks.all])) project.tell("remarks");
    } catch (error) {
      if (error.name !== "AbortError" && !(error instanceof ob.Refused)) throw error;
    }
  }

  /** Lay the marks of its lines over a drawn card. */
  ob.paintMarks = function paintMarks(card, lines) {
    card.el.querySelector(".ob-flags")?.remove();
    if (!card.ranges || !card.visible || !ob.project) return;
    const all = [...lines.flatMap((line) => [...restarts(line), ...remarks(line)]), ...ofEveryRun(lines)];
    if (!all.length) return;
    const scale = ob.scaleOf(card.plot, card.ranges, ob.view);
    const marks = merged(all, scale);
    if (!marks.length) return;
    const box = ob.el("div.ob-flags", { role: "group", "aria-label": "Marks", style: { left: `${scale.left}px`, top: `${scale.top + scale.height}px` }, onkeydown: walk },
      ...marks.map((mark, at) => button(mark, at)));
    box.style.setProperty("--reach", `${scale.height - SHORT_PX}px`);
    card.plot.parentElement.append(box);
  };

  function restarts(line) {
    if (line.superseded) return [];
    return (line.cuts ?? []).map(({ attempt, step }) => {
      return { x: placeAtStep(step, line), sort: "restart", color: line.color, said: [[`attempt ${attempt} went on from step ${ob.count(step)}`, line.name]] };
    });
  }

  function remarks(line) {
    if (line.superseded || !line.x.length) return [];
    const { of } = remarksOf(ob.project);
    const group = line.members ? ob.drawn(ob.project).find((one) => one.uid === line.run) : null;
    return (group ? group.members : [line.run]).flatMap((uid) => (of.get(uid) ?? []).map((remark) => {
      const run = ob.project.known.get(uid);
      return { x: placeOf(remark, line), sort: "note", color: line.color, said: [[wordsOf(remark), run ? ob.runName(run) : ""]] };
    }));
  }

  /** What somebody remarked on all runs of the project lies where it does on the first of them. */
  function ofEveryRun(lines) {
    const line = lines.find(({ superseded, x }) => !superseded && x.length);
    return line ? remarksOf(ob.project).all.map((remark) => ({ x: placeOf(remark, line), sort: "note", color: null, said: [[wordsOf(remark), "every run"]] })) : [];
  }

  function wordsOf({ text, author }) {
    return author ? `${text} (${author})` : text;
  }

  /** Where a remark lies on the axis: at its step where it has one, else at its time; null where at neither. */
  function placeOf({ step, wall }, line) {
    const { xAxis } = ob.view;
    if (xAxis === "step" && step !== null) return step;
    if (xAxis === "wall" && wall !== null) return wall;
    if (!line.wall || (step === null && wall === null)) return null;
    if (wall === null) return placeAtStep(step, line);
    if (xAxis === "relative") return line.x[0] + wall - line.wall[0];
    return step !== null && xAxis !== "active" ? placeAtStep(step, line) : line.x[atOrAfter(wall, line.wall)];
  }

  function placeAtStep(step, line) {
    const { xAxis } = ob.view;
    if (xAxis === "step") return step;
    return xAxis === "rstep" ? line.x[0] + step - line.step[0] : line.x[atOrAfter(step, line.step)];
  }

  /** Index of the first value at or after `wanted`, or else of the last. By a metric they are in no order. */
  function atOrAfter(wanted, column) {
    let [after, last] = [-1, 0];
    for (let i = 0; i < column.length; i += 1) {
      if (column[i] >= wanted && (after < 0 || column[i] < column[after])) after = i;
      if (column[i] > column[last]) last = i;
    }
    return after < 0 ? last : after;
  }

  function merged(marks, scale) {
    const placed = marks
      .map((mark) => ({ ...mark, px: mark.x === null ? NaN : scale.x(mark.x) }))
      .filter(({ px }) => px >= 0 && px <= scale.width)
      .sort((a, b) => a.px - b.px);
    const kept = [];
    for (const mark of placed) {
      const last = kept.at(-1);
      if (!last || mark.px - last.px >= APART_PX) {
        kept.push(mark);
        continue;
      }
      last.said.push(...mark.said);
      if (mark.sort === "restart") last.sort = "restart";
      if (mark.color !== last.color) last.color = null;
    }
    return kept.slice(0, MOST);
  }

  function button(mark, at) {
    const words = sentences(mark.said);
    const tell = (event) => {
      ob.hideTip();
      tip(event.currentTarget, words);
    };
    const node = ob.el(`button.ob-flag.ob-flag-${mark.sort}`, {
      type: "button", "aria-label": words.join("; "), tabindex: at === 0 ? "0" : "-1", style: { transform: `translateX(${mark.px.toFixed(1)}px)` },
      onpointerenter: tell, onfocus: tell, onclick: tell, onpointerleave: untip, onblur: untip,
      onpointermove: (event) => event.stopPropagation(),
    });
    node.style.setProperty("--ink", mark.color === null ? "var(--ob-mute)" : ob.ink(mark.color).color);
    return node;
  }

  /** Say once what was said of several runs. */
  function sentences(said) {
    const whose = new Map();
    for (const [words, name] of said) whose.set(words, (whose.get(words) ?? new Set()).add(name));
    const lines = [...whose].map(([words, names]) => `${words} · ${names.size === 1 ? [...names][0] : ob.plural(names.size, "run")}`);
    return lines.length > MOST_WORDS ? [...lines.slice(0, MOST_WORDS), `and ${lines.length - MOST_WORDS} more`] : lines;
  }

  /** Arrow keys go from mark to mark: a card is one stop of the Tab key. */
  function walk(event) {
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    const marks = [...event.currentTarget.children];
    const to = step && marks[marks.indexOf(event.target) + step];
    if (!to) return;
    event.preventDefault();
    marks.forEach((mark) => mark.setAttribute("tabindex", mark === to ? "0" : "-1"));
    to.focus();
  }

  let bubble = null;

  function tip(node, words) {
    bubble ??= document.body.appendChild(ob.el("div.ob-tip.ob-flagtip", { role: "tooltip" }));
    bubble.replaceChildren(...words.map((line) => ob.el("p", {}, line)));
    bubble.hidden = false;
    const box = node.getBoundingClientRect();
    const x = Math.max(8, Math.min(box.left, innerWidth - bubble.offsetWidth - 8));
    bubble.style.transform = `translate(${x}px, ${Math.max(8, box.top - bubble.offsetHeight - 6)}px)`;
  }

  function untip() {
    if (bubble) bubble.hidden = true;
  }

  document.addEventListener("scroll", untip, { capture: true, passive: true });

  /** Tell the values that are not finite at the pointer: elements for the tooltip, or null. */
  ob.strangeAt = function strangeAt(lines, scale, px) {
    const near = new Map();
    for (const line of lines) {
      for (const mark of line.marks) {
        if (mark.x === null || !(Math.abs(scale.x(mark.x) - px) <= NEAR_PX)) continue;
        const key = `${mark.value} ${mark.run ?? line.run}`;
        const one = near.get(key) ?? { line, mark, n: 0 };
        near.set(key, { ...one, n: one.n + 1, last: mark.step });
      }
    }
    if (!near.size) return null;
    const rows = [...near.values()].slice(0, NEAR_ROWS).map(({ line, mark, n, last }) => ob.el("p", {}, ob.swatch(line),
      n === 1 ? ` ${spelled(mark.value)} at step ${ob.count(mark.step)}` : ` ${ob.count(n)} ${spelled(mark.value)} at steps ${ob.count(mark.step)} to ${ob.count(last)}`,
      ` · ${whose(mark, line)}`));
    if (near.size > NEAR_ROWS) rows.push(ob.el("p", {}, `and ${ob.count(near.size - NEAR_ROWS)} more`));
    return ob.el("div.ob-strange", {}, ...rows);
  };

  function spelled(value) {
    return value.replace("-Infinity", "−∞").replace("Infinity", "∞");
  }

  /** In a group it is one of its runs that logged the value. */
  function whose(mark, line) {
    const run = mark.run && ob.project?.known.get(mark.run);
    return run ? ob.runName(run) : line.name;
  }
})((globalThis.ob = globalThis.ob || {}));
