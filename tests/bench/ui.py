"""Measure what people wait for in the browser, beside TensorBoard where it can do the same.

- cards: 20 runs of 200 tags on a cold page, and all of its cards scrolled through.
- smooth: twelve cards in sight: the smoothing dragged, the pointer moved over a chart.
- many: 1000 runs of 20 tags on a cold page.
- table: 10 000 runs of 100 tags: the first rows, and queries and orders by the server's CPU.
- long: one series of 5 million points: zooms, and whether each pixel column is right.
- graph: a computation graph of 100 000 nodes on a cold page of a server that has not read it.
- hist: 500 tags of 100 histograms: the page, its heap, and the map of layers.
- live: 50 who look on while 20 000 points a second come in.
- people: 100 who are signed in and look on, while it changes again and again who of them may.

`make bench-ui ARGS="--only cards long --runs 3"`; `--quick` takes small logs and a minute or two,
and shows only that everything runs. Figures are medians, with the least and the most of ours. CPU
is read from the kernel, of the page's process and of the server's; what draws by software instead
of a GPU, and the browser's own process, are told apart. When a curve is seen is read from frames
of the screen, by its colour, in both boards alike. On a machine that is busy they mean little.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import tempfile
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from urllib.parse import quote, urlencode

import numpy as np
from playwright.sync_api import Playwright, sync_playwright

from orgboard_schema.sql.engine import open_engine
from support.asking import board_of, log_hparams, questions_of_runs
from support.columns import unlike_columns
from support.figures import Bar, Figures
from support.large_graphs import pages_of_a_graph
from support.live_board import look_on
from support.logdirs import Scalars, curves, write_scalars
from support.looking import (
    OURS,
    TENSORBOARD,
    FirstScreen,
    Look,
    Zoomed,
    dragged,
    first_screen,
    hovered,
    rows_shown,
    scrolled,
    show_cards,
    zoomed,
)
from support.many_histograms import layers_cpu_s, page_of_histograms, serve_histograms
from support.served_logs import our_server, ours, tensorboard
from support.sides import PEERS, ingested, sqlite
from support.signed_in_board import look_on_signed_in
from support.tabs import tab

SHAPES = {
    "cards": Scalars(20, 200, 500),
    "smooth": Scalars(20, 200, 500),
    "many": Scalars(1_000, 20, 500),
    "table": Scalars(10_000, 100, 2),
    "long": Scalars(1, 1, 5_000_000),
    "graph": Scalars(1, 1, 100_000),
    "hist": Scalars(1, 500, 100),
    "live": Scalars(1_000, 20, 40),
    "people": Scalars(200, 20, 300),
}

QUICK = {
    "cards": Scalars(4, 30, 50),
    "smooth": Scalars(4, 30, 50),
    "many": Scalars(50, 20, 50),
    "table": Scalars(200, 20, 2),
    "long": Scalars(1, 1, 1_000_000),
    "graph": Scalars(1, 1, 5_000),
    "hist": Scalars(1, 50, 20),
    "live": Scalars(50, 20, 8),
    "people": Scalars(20, 20, 20),
}

PAGES = 2
LOOKERS = 48
"""Beside the real pages: fifty of those are more than two cores draw, whatever the server does."""

PEOPLE = 100
CHANGE_EVERY_S = 2.0
"""Something is taken from somebody, or from half of all, and given back a few seconds later."""

HISTOGRAM_FORMS: tuple[Literal["tensor", "proto"], ...] = ("tensor", "proto")
"""Thirty buckets of one width as TensorFlow 2 logs them; TensorBoard's old edges as torch does."""

SMOOTHED_CARDS = 12
DRAG_STEPS = 24
MOVES = 60

PAGE_OF_RUNS = 200
AGAIN = 5

PLOT_PX = "() => document.querySelector('.ob-plot').clientWidth"


@dataclass(frozen=True, slots=True)
class Place:
    """Where and how often a part is measured."""

    playwright: Playwright
    scratch: Path
    runs: int
    peers: Path | None
    figures: Figures


def main() -> int:
    """Measure the parts; return 1 when an answer is wrong. A bar that is missed is printed."""
    arguments = _arguments()
    found: Path = arguments.peers
    peers = found if found.with_name("tensorboard").exists() else None
    if peers is None:
        print(f"  no TensorBoard at {found}: `make bench-ui` has it")
    figures = Figures("TensorBoard", lambda line: print(line, flush=True))
    wrong = 0
    print(f"  medians of {arguments.runs} runs, {os.cpu_count()} cores, no GPU, SQLite")
    with tempfile.TemporaryDirectory(dir=arguments.scratch) as scratch, sync_playwright() as each:
        place = Place(each, Path(scratch), arguments.runs, peers, figures)
        for name in arguments.only or SHAPES:
            shape = (QUICK if arguments.quick else SHAPES)[name]
            wrong += PARTS[name](shape, place)
    missed = figures.missed
    print(f"\n  bars missed: {', '.join(missed) or 'none'}" + (", WRONG answers" if wrong else ""))
    return int(wrong > 0)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="what people wait for in the browser")
    parser.add_argument("--only", nargs="+", choices=list(SHAPES), help="these parts")
    parser.add_argument("--runs", type=int, default=5, help="of each figure the median is told (5)")
    parser.add_argument("--quick", action="store_true", help="small logs, a minute or two")
    parser.add_argument("--peers", type=Path, default=PEERS, help="a Python with TensorBoard")
    parser.add_argument("--scratch", type=Path, help="where logdirs and databases lie meanwhile")
    return parser.parse_args()


def _written(name: str, shape: Scalars, place: Place) -> Path:
    logdir = place.scratch / name
    write_scalars(logdir, shape)
    place.figures.begin(f"{name}: {shape.runs:,} runs x {shape.tags:,} tags x {shape.steps:,}")
    return logdir


def _cards(shape: Scalars, place: Place) -> int:
    logdir, times = _written("cards", shape, place), range(place.runs)
    theirs: list[FirstScreen] = []
    if place.peers:
        with tensorboard(place.peers, logdir, shape, place.scratch) as server:
            address = f"{server.address}/#timeseries"
            theirs = [first_screen(place.playwright, server, address, TENSORBOARD) for _ in times]
    with ours(logdir, place.scratch) as server:
        address = server.page(f"scalars?sel={','.join(server.uids())}")
        mine = [first_screen(place.playwright, server, address, OURS) for _ in times]
        _tell_screens(mine, theirs, place.figures)
        heaps, cards = [], 0
        for _ in times:
            with tab(place.playwright) as opened:
                opened.page.goto(address)
                cards, heap = scrolled(opened)
                heaps.append(heap)
        what = f"heap, all {cards} cards scrolled through"
        place.figures.tell(what, heaps, "MB", bar=Bar(most=150))
    return int(cards != shape.tags)


def _tell_screens(mine: list[FirstScreen], theirs: list[FirstScreen], figures: Figures) -> None:
    def tell(
        what: str, unit: str, of: Callable[[FirstScreen], float], bar: Bar | None = None
    ) -> None:
        figures.tell(what, [of(one) for one in mine], unit, [of(one) for one in theirs], bar)

    half = Bar(part=0.5)
    tell("first curve on the screen", "s", lambda one: one.first_s, half)
    tell("a curve in each chart of the screen", "s", lambda one: one.complete_s)
    tell("charts that lie on it as a whole", "", lambda one: one.charts)
    tell("the page's CPU until then", "s", lambda one: one.cpu.renderer, half)
    tell("the page's CPU until it rests", "s", lambda one: one.rested.renderer, half)
    tell("drawing by software, in place of a GPU", "s", lambda one: one.rested.gpu)
    tell("the browser's own CPU, taking frames", "s", lambda one: one.rested.browser)
    tell("the server's CPU", "s", lambda one: one.server_s)
    tell("heap", "MB", lambda one: one.heap_mb, Bar(most=44))
    tell("received", "MB", lambda one: one.received_mb)


def _smooth(shape: Scalars, place: Place) -> int:
    logdir = _written("smooth", shape, place)
    only = f"metric_0*([0-9]|1[0-{SMOOTHED_CARDS - 11}])$"
    drags: dict[str, list[float]] = {}
    moves: dict[str, list[float]] = {}

    def measure(name: str, address: str, look: Look, height: int, least: int) -> None:
        for _ in range(place.runs):
            with tab(place.playwright, height=height) as opened:
                show_cards(opened, address, look, least)
                cards = len(opened.boxes(look.charts))
                moves.setdefault(name, []).append(hovered(opened, look, MOVES))
                drags.setdefault(name, []).append(dragged(opened, look, DRAG_STEPS, cards))

    if place.peers:
        with tensorboard(place.peers, logdir, shape, place.scratch) as server:
            # It has drawn as many as a laptop's screen holds; of more, some stay empty.
            measure("theirs", f"{server.address}/#timeseries", TENSORBOARD, 900, 2)
    with ours(logdir, place.scratch) as server:
        chosen = f"t={quote(only)}&sel={','.join(server.uids())}"
        measure("ours", server.page(f"scalars?{chosen}"), OURS, 1600, SMOOTHED_CARDS)
    what = f"smoothing dragged, {SMOOTHED_CARDS} cards: a card and step"
    place.figures.tell(what, drags["ours"], "ms", drags.get("theirs", []), Bar(most=60))
    what = "pointer moved over a chart: a move"
    place.figures.tell(what, moves["ours"], "ms", moves.get("theirs", []), Bar(most=16))
    return 0


def _many(shape: Scalars, place: Place) -> int:
    logdir = _written("many", shape, place)
    with ours(logdir, place.scratch) as server:
        address = server.page("scalars")
        found = [first_screen(place.playwright, server, address, OURS) for _ in range(place.runs)]
    place.figures.tell("first curve", [one.first_s for one in found], "s", bar=Bar(most=2))
    place.figures.tell("the page's CPU", [one.cpu.renderer for one in found], "s")
    place.figures.tell("the server's CPU", [one.server_s for one in found], "s")
    return 0


def _table(shape: Scalars, place: Place) -> int:
    logdir, figures = _written("table", shape, place), place.figures
    with sqlite(place.scratch, "table") as store:
        ingested(logdir, store)
        engine = open_engine(store.url)
        board = board_of(engine, most=shape.runs)
        log_hparams(board)
        asked = questions_of_runs(board)
        engine.dispose()
        first: dict[str, list[float]] = {}
        again: dict[str, list[float]] = {}
        rows: list[dict[str, float]] = []
        for _ in range(place.runs):
            # Each time a server that has not been asked yet.
            with our_server(logdir, store.url, place.scratch) as server:
                server.ask("runs?limit=1&q=name+~+x")
                for words, q, sort in asked:
                    query = urlencode({"q": q, "sort": sort, "limit": PAGE_OF_RUNS})
                    first.setdefault(words, []).append(server.cpu_ms(f"runs?{query}"))
                    later = [server.cpu_ms(f"runs?{query}") for _ in range(AGAIN)]
                    again.setdefault(words, []).append(statistics.mean(later))
                rows.append(rows_shown(place.playwright, server))
    for where in ("table", "panel"):
        figures.tell(
            f"first rows of the {where}", [one[where] for one in rows], "s", bar=Bar(most=2)
        )
    for words, _, _ in asked:
        figures.tell(f"{words}: server CPU", first[words], "ms", bar=Bar(most=200))
        figures.tell("  asked again", again[words], "ms", bar=Bar(most=200))
    return 0


def _long(shape: Scalars, place: Place) -> int:
    logdir = _written("long", shape, place)
    raw = curves(shape, 0)
    line = raw.step.astype(np.float64), raw.value[:, 0].astype(np.float64)
    zooms = _zooms(shape.steps)
    taken: dict[str, list[Zoomed]] = {}
    columns = 0
    with ours(logdir, place.scratch) as server:
        for _ in range(place.runs):
            with tab(place.playwright) as opened:
                show_cards(opened, server.page("scalars"), OURS, 1)
                columns = opened.page.evaluate(PLOT_PX)
                for words, stretch in zooms.items():
                    taken.setdefault(words, []).append(zoomed(opened.page, stretch))
    wrong = 0
    for words, (low, high) in zooms.items():
        figures = place.figures
        figures.tell(f"zoom to {words}", [one.ms for one in taken[words]], "ms", bar=Bar(most=300))
        figures.tell("  from the request", [one.request_ms for one in taken[words]], "ms")
        inside = slice(low, high + 1)
        for one in taken[words]:
            unlike = unlike_columns((line[0][inside], line[1][inside]), (one.x, one.y), columns)
            wrong += bool(unlike)
            if unlike:
                print(f"    WRONG: {len(unlike)} of {columns} columns: {unlike[0]}")
    print(f"    each of {columns} columns compared with the raw points at every zoom")
    return wrong


def _zooms(steps: int) -> dict[str, tuple[int, int]]:
    """Give stretches of all sizes, each from a place that is no border of anything."""
    parts = {"a half": 2, "a fifth": 5, "a fiftieth": 50, "a thousandth": 1_000, "200 points": 0}
    begin = steps * 377 // 1000
    found = {
        words: (begin, begin + (steps // part if part else 200) - 1)
        for words, part in parts.items()
    }
    return {**found, "all of it": (0, steps - 1)}


def _graph(shape: Scalars, place: Place) -> int:
    tell = place.figures.tell
    place.figures.begin(f"graph: {shape.steps:,} nodes, which the server reads for the page")
    seen = pages_of_a_graph(place.playwright, shape.steps, place.scratch, place.runs)
    tell("drawn", [one.drawn_s for one in seen], "s", bar=Bar(most=2))
    tell("the server's CPU until then", [one.server_cpu_s for one in seen], "s")
    tell("the page's CPU until then", [one.page.renderer for one in seen], "s")
    tell("the browser's other processes", [one.page.gpu + one.page.browser for one in seen], "s")
    tell("a scope opened in a scope", [one.scope_s for one in seen], "s")
    tell(
        "the server's CPU for it", [one.scope_server_cpu_s for one in seen], "s", bar=Bar(most=0.3)
    )
    tell("heap then", [one.heap_mb for one in seen], "MB")
    return 0


def _hist(shape: Scalars, place: Place) -> int:
    figures = place.figures
    for form in HISTOGRAM_FORMS:
        figures.begin(f"hist: {shape.tags:,} tags x {shape.steps:,} histograms, {form}")
        with serve_histograms(shape, form, place.scratch) as server:
            looked = [page_of_histograms(place.playwright, server) for _ in range(place.runs)]
            usable = [one.usable_s for one in looked]
            figures.tell("all cards in sight drawn", usable, "s", bar=Bar(most=2))
            figures.tell("the page's CPU until then", [one.page_cpu_s for one in looked], "s")
            figures.tell("the server's CPU", [one.server_cpu_s for one in looked], "s")
            figures.tell("heap then", [one.heap_mb for one in looked], "MB")
            held = [one.most_mb for one in looked]
            figures.tell("heap, all cards scrolled through", held, "MB", bar=Bar(most=150))
            for measure in ("w1", "js", "std"):
                taken = [layers_cpu_s(server, measure) for _ in range(place.runs)]
                bar = Bar(most=1)
                figures.tell(f"map of layers, {measure}: server CPU", taken, "s", bar=bar)
    return 0


def _live(shape: Scalars, place: Place) -> int:
    rate = shape.runs * shape.tags
    place.figures.begin(
        f"live: {rate:,} points a second of {shape.runs:,} runs for {shape.steps} s;"
        f" {PAGES} pages of Chromium and {LOOKERS} clients that hold the stream and ask as pages do"
    )
    found = look_on(place.playwright, shape, place.scratch, PAGES, LOOKERS, shape.steps)
    tell = place.figures.tell
    tell("points that came to lie in SQL a second", [found.stored_per_s], "")
    for words, taken, most in (
        ("questions for curves, the clients'", found.met.curves_ms, 300),
        ("questions for curves, the pages'", found.pages_ms, 300),
        ("questions for curves while the clients came", found.met.coming_ms, None),
        ("questions for lists of tags and charts", found.met.lists_ms, None),
    ):
        if not taken:
            found.errors.append(f"{words}: there were none")
            continue
        ordered = sorted(taken)
        tell(f"{words}: {len(ordered)}, median", [statistics.median(ordered)], "ms")
        ninety_fifth = ordered[int(len(ordered) * 0.95)]
        tell("  95 in 100 within", [ninety_fifth], "ms", bar=Bar(most=most))
    for words, count in (("ticks", found.met.ticks), ("curves", len(found.met.curves_ms))):
        tell(f"between two {words} of a client", [shape.steps * LOOKERS / max(1, count)], "s")
    tell("sent to the clients a second", [found.met.octets / found.wall_s / 1e6], "MB")
    for words, share in found.cores.items():
        tell(f"CPU of {words}", [100 * share], "%")
    tell("errors", [len(found.errors)], "", bar=Bar(most=0))
    for error, count in Counter(found.errors).most_common(5):
        print(f"    {count} x {error}")
    return len(found.errors)


def _people(shape: Scalars, place: Place) -> int:
    place.figures.begin(
        f"people: {shape.runs * shape.tags:,} points a second in 2 projects for {shape.steps} s;"
        f" {PEOPLE} accounts signed in by HTTPS, 2 of them in Chromium, before 4 workers"
    )
    seen = look_on_signed_in(place.playwright, shape, place.scratch, PEOPLE, CHANGE_EVERY_S)
    met, tell = seen.met, place.figures.tell
    tell("points that came to lie in SQL a second", [seen.stored_per_s], "")
    for words, taken in (
        ("questions for curves, the clients'", met.curves_ms),
        ("questions for curves, the pages'", seen.pages_ms),
        ("questions for lists, roles and tags", met.lists_ms),
        ("changes of who may what", met.changes_ms),
        ("from a change to the end of its streams", met.ended_ms),
        ("sign-ins", met.sign_in_ms),
    ):
        if not taken:
            seen.errors.append(f"{words}: there were none")
            continue
        ordered = sorted(taken)
        tell(f"{words}: {len(ordered)}, median", [statistics.median(ordered)], "ms")
        tell("  95 in 100 within", [ordered[int(len(ordered) * 0.95)]], "ms")
    tell("from a grant's end to the page that says so", [seen.page_noticed_s], "s")
    for kind, count in sorted(met.changes.items()):
        tell(f"changes: {kind}", [count], "")
    tell("requests that were judged", [met.judged], "")
    tell("  refused, as they had to be", [met.refused], "")
    tell("  answered though it was taken away", [met.late], "", bar=Bar(most=0))
    tell("  refused though it was given back", [met.withheld], "", bar=Bar(most=0))
    for words, share in seen.cores.items():
        tell(f"CPU of {words}", [100 * share], "%")
    tell("errors", [len(seen.errors)], "", bar=Bar(most=0))
    for error, count in Counter(seen.errors).most_common(20):
        print(f"    {count} x {error}")
    return len(seen.errors)


PARTS: dict[str, Callable[[Scalars, Place], int]] = {
    "cards": _cards,
    "smooth": _smooth,
    "many": _many,
    "table": _table,
    "long": _long,
    "graph": _graph,
    "hist": _hist,
    "live": _live,
    "people": _people,
}


if __name__ == "__main__":
    sys.exit(main())
