/* What may come next in a query. Pure: text, caret and the project's words give a list.

   A twin of the server's grammar only as far as to know whether a field, an operator, a value or
   a word between conditions stands at the caret. What is right, the server says. */
(function (ob) {
  "use strict";

  const MOST = 12;
  const PIECE = /"(?:[^"\\]|\\.)*"?|'(?:[^'\\]|\\.)*'?|==|!=|!~|<=|>=|[=<>~(),:]|[^\s()=!<>~,:"']+|!/gs;
  const OPERATORS = ["=", "!=", "<", "<=", ">", ">=", "~", "!~", "in"];
  const BETWEEN = ["and", "or"];
  const WORDS = new Set(["and", "or", "not", "in"]);
  const SOURCES = new Set(["hp", "metric", "has"]);
  const AGGREGATES = new Set(["last", "min", "max", "best"]);
  const COMPARING = new Set(["=", "==", "!=", "<", "<=", ">", ">=", "~", "!~", ":"]);

  /** Cut a query into pieces [{text, at, end, kind}], to colour and to complete. */
  ob.queryPieces = function queryPieces(text) {
    const pieces = [...text.matchAll(PIECE)].map((found) => ({ text: found[0], at: found.index, end: found.index + found[0].length, kind: "" }));
    pieces.forEach((piece, i) => {
      piece.kind = kindOf(piece, pieces[i - 1], pieces[i + 1], statisticUntil(pieces.slice(0, i + 1)));
    });
    return pieces;
  };

  function kindOf(piece, before, after, statistic) {
    if (WORDS.has(piece.text.toLowerCase())) return "word";
    if (piece.text === "hist" && after?.text === ":") return "source";
    if (statistic) return piece.text === ":" ? "sign" : "field";
    if (/^[=<>~!]/.test(piece.text) || (piece.text === ":" && !SOURCES.has(before?.text))) return "operator";
    if (/^[(),:]/.test(piece.text)) return "sign";
    if (SOURCES.has(piece.text) && after?.text === ":") return "source";
    if (AGGREGATES.has(piece.text) && after?.text === "(") return "source";
    return before?.kind === "operator" || before?.text === "," ? "value" : "field";
  }

  /** How many pieces of `hist : TAG : std` these end with, two or more; 0 when they do not. */
  function statisticUntil(done) {
    const begins = (n) => done.at(-n)?.text === "hist" && done.at(1 - n)?.text === ":" && (n < 4 || done.at(3 - n)?.text === ":");
    return [2, 3, 4, 5].find(begins) ?? 0;
  }

  /** Write a name or a value as a query needs it: in quotes when it has spaces or signs. */
  ob.queryWord = function queryWord(text) {
    if (/^[^\s()=!<>~,:"'\x00-\x1f]+$/.test(text) && !WORDS.has(text.toLowerCase())) return text;
    return `"${text.replace(/(\\*)("|$)/g, (_, slashes, quote) => slashes + slashes + (quote && `\\${quote}`))}"`;
  };

  /** Give {at, end, items: [{insert, label, about}]} for the caret: what to put in place of at to end. */
  ob.completions = function completions(text, caret, words) {
    const before = ob.queryPieces(text.slice(0, caret));
    const last = before.at(-1);
    const typing = last && last.end === caret && /^["'\w./-]|[^\x00-\x7f]/.test(last.text) ? last : null;
    const done = typing ? before.slice(0, -1) : before;
    const at = typing ? typing.at : caret;
    const typed = typing ? typing.text.replace(/^["']|["']$/g, "") : "";
    const ends = /^[^\s()=!<>~,:"']*/.exec(text.slice(caret))[0].length;
    return { at, end: caret + (typing ? ends : 0), items: matching(expected(done, words), typed).slice(0, MOST) };
  };

  /** What can stand after these pieces. */
  function expected(done, words) {
    const [last, before] = [done.at(-1), done.at(-2)];
    if (!last) return fields(words);
    const statistic = statisticUntil(done);
    if (statistic === 2) return histograms(words);
    if (statistic === 4) return (words.statistics ?? []).map((name) => item(name, "of the last histogram"));
    if (statistic === 5) return (done.at(-7)?.text === "has" ? BETWEEN : OPERATORS).map((word) => item(word, ""));
    if (last.text === ":" && SOURCES.has(before?.text)) return named(before.text, words);
    if (last.text === "(" && AGGREGATES.has(before?.text)) return metrics(words);
    if (COMPARING.has(last.text)) return values(fieldBefore(done.slice(0, -1)), words);
    const list = listOf(done);
    if (list) return last.text === "," || last.text === "(" ? values(fieldBefore(list), words) : [];
    if (last.text === "(" || WORDS.has(last.text.toLowerCase())) return fields(words);
    return valueEnds(done) ? BETWEEN.map((word) => item(word, "")) : OPERATORS.map((sign) => item(sign, ""));
  }

  /** Whether the last piece ends a condition, and not the name of a field. */
  function valueEnds(done) {
    const [last, before, third] = [done.at(-1), done.at(-2), done.at(-3)];
    if (last.text === ")") return !AGGREGATES.has(openingOf(done)?.text);
    if (before?.text === ":" && third?.text === "has") return true;
    if (before?.text === ":" && SOURCES.has(third?.text)) return false;
    return COMPARING.has(before?.text);
  }

  /** The piece before the bracket that the last piece closes. */
  function openingOf(done) {
    let depth = 0;
    for (let i = done.length - 1; i >= 0; i -= 1) {
      if (done[i].text === ")") depth += 1;
      if (done[i].text === "(") depth -= 1;
      if (depth === 0) return done[i - 1];
    }
    return undefined;
  }

  /** The pieces before an `in (` that is still open; null when there is none. */
  function listOf(done) {
    for (let i = done.length - 1; i > 0; i -= 1) {
      if (done[i].text === ")") return null;
      if (done[i].text === "(") return done[i - 1].text.toLowerCase() === "in" ? done.slice(0, i - 1) : null;
    }
    return null;
  }

  /** The name of the field that these pieces end with. */
  function fieldBefore(done) {
    const last = done.at(-1);
    if (last?.text.toLowerCase() === "not") return fieldBefore(done.slice(0, -1));
    return last ? last.text.replace(/^(["'])([^]*)\1$/, "$2") : "";
  }

  function fields(words) {
    return [
      ...words.fields.map(({ name, about }) => item(name, about)),
      ...named("hp", words), ...metrics(words),
      ...statisticsOf(words), item("has:", "the run has it at all"), item("not", ""),
      ...[...AGGREGATES].map((name) => item(`${name}(`, `the ${name} value of a metric`)),
    ];
  }

  function named(source, words) {
    const hparams = words.hparams.map(({ name, runs }) => item(ob.queryWord(name), `hyperparameter · ${ob.plural(runs, "run")}`, name));
    if (source === "hp") return hparams;
    if (source === "metric") return [...namedMetrics(words, ""), ...metrics(words, [])];
    return [...hparams, ...metrics(words), ...statisticsOf(words)];
  }

  const statisticsOf = (words) => (words.histograms?.length ? [item("hist:", "a number of the last histogram")] : []);

  function histograms(words) {
    return (words.histograms ?? []).map(({ name, runs }) => item(`${ob.queryWord(name)}:`, `histograms · ${ob.plural(runs, "run")}`, name));
  }

  /** Metrics of the dictionary: behind `metric:`, or with it. */
  function namedMetrics(words, before = "metric:") {
    return (words.named_metrics ?? []).map(({ name, runs }) => item(before + ob.queryWord(name), `of the dictionary · ${ob.plural(runs, "run")}`, name));
  }

  function metrics(words, named = namedMetrics(words)) {
    return [...named, ...words.metrics.map(({ name, runs }) => item(ob.queryWord(name), `metric · ${ob.plural(runs, "run")}`, name))];
  }

  function values(name, words) {
    const known = words.fields.find((field) => field.name === name) ?? words.hparams.find((hparam) => hparam.name === name);
    const given = [...(known?.values ?? [])];
    if (given.every((value) => Number.isFinite(Number(value)))) given.sort((a, b) => a - b);
    const few = given.map((value) => item(ob.queryWord(value), "", value));
    if (known?.kind === "time") return [item("-1h", "an hour ago"), item("-1d", "a day ago"), item("-7d", "a week ago"), item(new Date().toISOString().slice(0, 10), "today")];
    return known?.kind === "span" ? [item("5min", ""), item("1h", ""), item("1d", "")] : few;
  }

  function item(insert, about, label = insert) {
    return { insert, about, label };
  }

  /** Those that begin with what is typed, then those that contain it. */
  function matching(items, typed) {
    const wanted = typed.toLowerCase();
    if (!wanted) return items;
    const begins = items.filter(({ label }) => label.toLowerCase().startsWith(wanted));
    const contains = items.filter(({ label }) => !label.toLowerCase().startsWith(wanted) && label.toLowerCase().includes(wanted));
    return [...begins, ...contains];
  }
})((globalThis.ob = globalThis.ob || {}));
