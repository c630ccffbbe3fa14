"""The pages of a board, and what opens on them: one project with something of everything."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from typing import Final, TypeAlias

from playwright.sync_api import Locator, Page, expect

from orgboard_schema.sql.flush import NewGap, Restart
from orgboard_schema.types import Blob, Media, Tensor, TensorHistogram
from support.boards import Board, scalars, values
from support.graph_defs import logged, model
from support.words import HOSTILE, say

__all__ = ["OPENED", "PAGES", "PHONE", "PROJECT", "State", "log_everything", "row"]

PROJECT: Final = "/p/default/all"
OLD: Final = 1.7e9

State: TypeAlias = tuple[str, Callable[[Page], None]]
"""An address below the board's, and what to do there until all that is meant stands."""


def log_everything(board: Board) -> None:
    """Log a project of four runs, of which people and scripts have said what can be said."""
    project = PROJECT.removeprefix("/p/")
    for n, name in enumerate(("lr0.1-s0", "lr0.1-s1", "lr0.01-s0")):
        loss = [2.0 / (1 + step / (n + 1)) for step in range(200)]
        board.log(
            name,
            [
                scalars("train/loss", loss),
                scalars("val/loss", [1.1 * value for value in loss[::10]], step=range(0, 200, 10)),
                scalars("odd", [1.0, math.nan, math.inf, 4.0]),
                values(
                    "notes", "text", [_text("# First\n\n**bold** [a link](https://a.b) `code`")]
                ),
                values("orgboard/context", "tensor", [_text(json.dumps({"host": HOSTILE}))]),
                values("orgboard/annotation", "tensor", [_text('{"text": "slower"}')], step=[50]),
                values("weights", "tensor", [_text("x")]),
                values("layers/0", "histogram", [_buckets(step) for step in range(20)]),
                values("layers/1", "histogram", [_buckets(-1), _buckets(3)], step=[0, 10]),
                values("say", "audio", [_sound(0), _sound(9)], step=[0, 2]),
                values("seen", "image", [_pixel(), _pixel()], step=[0, 10]),
                logged(model(2 + n, 2)),
            ],
            hparams=json.dumps({"lr": [0.1, 0.1, 0.01][n], "seed": n, "name": "adam"}),
            gaps=[NewGap(48_104, 312, "payload crc")] if n == 0 else (),
            restarts=[Restart(1, None, None, 120)] if n == 1 else (),
            project=project,
        )
    board.log("old", [scalars("train/loss", [3.0, 2.0])], now=OLD, project=project)
    say(board.engine, "lr0.1-s1")


def _text(text: str) -> Tensor:
    return Tensor("string", (), (text.encode(),))


def _buckets(step: int) -> TensorHistogram:
    """Make a histogram; below 0 one that cannot be drawn whole."""
    rows = [(at / 4 - 2, at / 4 - 1.75, float((at * (step + 1)) % 7)) for at in range(16)]
    odd = [(1.0, 0.5, 1.0)] if step < 0 else []
    return TensorHistogram("float64", (*rows, *odd))


def _sound(level: int) -> Media:
    data = bytes([128 + level]) * 800
    form = b"fmt \x10\0\0\0\1\0\1\0\x40\x1f\0\0\x40\x1f\0\0\1\0\x08\0"
    body = b"WAVE" + form + b"data" + len(data).to_bytes(4, "little") + data
    wave = b"RIFF" + len(body).to_bytes(4, "little") + body
    return Media((Blob(wave, "audio/wav"),), sample_rate=8000)


def _pixel() -> Media:
    return Media(
        (
            Blob(
                b"GIF89a\1\0\1\0\x80\0\0\0\0\0\xff\xff\xff,\0\0\0\0\1\0\1\0\0\2\2D\1\0;",
                "image/gif",
            ),
        ),
        1,
        1,
    )


def row(page: Page, name: str) -> Locator:
    """Find a run's row in the panel."""
    named = page.locator(".ob-name").get_by_text(name, exact=True)
    return page.locator(".ob-panel .ob-row").filter(has=named)


def _seen(selector: str) -> Callable[[Page], None]:
    return lambda page: expect(page.locator(selector).first).to_be_visible()


_drawn = _seen(".ob-card .scatterlayer .trace")


def _clicked(name: str, then: str) -> Callable[[Page], None]:
    """Press the button of this name on a drawn page; what then stands is found by `then`."""

    def act(page: Page) -> None:
        _drawn(page)
        page.get_by_label(name, exact=True).first.press("Enter")
        expect(page.locator(then).first).to_be_visible()

    return act


def _pressed(key: str, then: str) -> Callable[[Page], None]:
    def act(page: Page) -> None:
        _drawn(page)
        page.keyboard.press(key)
        expect(page.locator(then).first).to_be_visible()

    return act


def _chosen(item: str, run: str = "old") -> Callable[[Page], None]:
    """Open the dialog that an entry of a run's menu leads to."""

    def act(page: Page) -> None:
        _clicked(f"Change {run}", "[role=menu]")(page)
        page.get_by_role("menuitem", name=item, exact=True).press("Enter")
        expect(page.locator("dialog[open], .ob-toast").first).to_be_visible()

    return act


def _said(query: str, then: str) -> Callable[[Page], None]:
    def act(page: Page) -> None:
        _drawn(page)
        page.get_by_label("Filter runs by a query").fill(query)
        expect(page.locator(then).first).to_be_visible()

    return act


def _found(page: Page) -> None:
    _drawn(page)
    page.keyboard.press("Control+k")
    page.keyboard.type("lo")
    expect(page.get_by_role("option").filter(has_text="train/loss")).to_be_visible()


def _full(page: Page) -> None:
    _drawn(page)
    page.keyboard.press("j")
    page.keyboard.press("f")
    expect(page.locator(".ob-card.ob-full")).to_be_visible()


def _table(page: Page) -> None:
    _clicked("More about train/loss", ".ob-pop")(page)
    page.get_by_role("button", name="Table of values").press("Enter")
    expect(page.locator(".ob-drawer tbody tr").nth(1)).to_be_visible()


def _pointed(page: Page) -> None:
    _drawn(page)
    page.locator(".ob-card .ob-stage").first.hover()
    expect(page.get_by_role("tooltip")).to_be_visible()


def _group_opened(page: Page) -> None:
    _drawn(page)
    page.locator(".ob-group").first.press("Enter")
    expect(page.locator(".ob-member").first).to_be_visible()


def _writing(page: Page) -> None:
    page.get_by_role("button", name="Edit", exact=True).click()
    expect(page.get_by_label("Note, in Markdown")).to_be_visible()


def _from_actions(item: str) -> Callable[[Page], None]:
    def act(page: Page) -> None:
        _drawn(page)
        page.get_by_role("button", name="Actions", exact=True).click()
        page.get_by_role("menuitem", name=item).click()
        expect(page.locator("dialog[open]")).to_be_visible()

    return act


def _columns(page: Page) -> None:
    _drawn(page)
    page.locator(".ob-columns-button").click()
    expect(page.get_by_label("lr", exact=True)).to_be_visible()


def _unfolded(page: Page) -> None:
    page.get_by_text("Damaged ranges").click()
    expect(page.locator("details[open] table")).to_be_visible()


def _node_sought(page: Page) -> None:
    _seen(".ob-g-node")(page)
    page.keyboard.press("/")
    page.keyboard.type("Relu")
    expect(page.locator(".ob-g-found button").first).to_be_visible()


def _sheet(page: Page) -> None:
    _drawn(page)
    page.get_by_role("button", name="Runs", exact=True).click()
    expect(page.get_by_label("Show old")).to_be_visible()


def _view_saved(page: Page) -> None:
    """Save a view, change what is seen, and list what there is."""
    _pressed("v", ".ob-pop")(page)
    page.get_by_role("button", name="Save view as…").press("Enter")
    page.get_by_role("textbox", name="Name").fill(HOSTILE)
    page.keyboard.press("Enter")
    expect(page.locator("dialog[open]")).to_have_count(0)
    page.get_by_role("radio", name="Sym").press("Enter")
    expect(page.locator(".ob-changed")).to_be_visible()
    page.locator("#ob-views button").press("Enter")
    expect(page.locator(".ob-viewlist")).to_be_visible()


def _view_changed(page: Page) -> None:
    _drawn(page)
    page.locator("#ob-views button").press("Enter")
    page.get_by_role("button", name=f"Change view {HOSTILE}").press("Enter")
    expect(page.get_by_role("menuitem", name="Delete")).to_be_visible()


def _view_named(page: Page) -> None:
    _pressed("v", ".ob-pop")(page)
    page.get_by_role("button", name="Save view as…").press("Enter")
    expect(page.get_by_role("dialog", name="Save view")).to_be_visible()


_BRUSHED: Final = "ax=hp:lr,hp:name,last:odd,hp:seed&br=hp:lr~0.05~1&xy=hp:lr~hp:seed"


def _axis(name: str) -> Callable[[Page], None]:
    def act(page: Page) -> None:
        page.get_by_role("button", name=name, exact=True).click()
        expect(page.locator(".ob-pop")).to_be_visible()

    return act


def _histograms(page: Page) -> None:
    """Wait for the cards and the map of layers."""
    expect(page.locator(".ob-histcard .ob-plot path").first).to_be_attached()
    expect(page.locator(".ob-mapwords")).to_contain_text("2 layers")


def _bucket_pointed(page: Page) -> None:
    expect(page.locator(".ob-histcard .ob-plot path").first).to_be_attached()
    page.locator(".ob-histcard .ob-stage").first.hover()
    expect(page.locator(".ob-bucket")).to_be_visible()


PAGES: Final[dict[str, State]] = {
    "home": ("/", _seen(".ob-project")),
    "runs": (f"{PROJECT}/runs?cols=name,status,hp:lr,last:train/loss", _seen(".ag-row")),
    "scalars": (f"{PROJECT}/scalars", _drawn),
    "histograms": (f"{PROJECT}/histograms?hm=w1&sel={{lr0.1-s0}}", _histograms),
    "compare": (f"{PROJECT}/compare", _drawn),
    "text": (f"{PROJECT}/text", _seen(".ob-card strong")),
    "images": (f"{PROJECT}/images", _seen(".ob-card img")),
    "hparams": (f"{PROJECT}/hparams", _seen(".ob-table tbody tr")),
    "brushed settings": (f"{PROJECT}/hparams?{_BRUSHED}", _seen(".ob-brush")),
    "graphs": (f"{PROJECT}/graphs?go=encoder", _seen(".ob-g-opened")),
    "a scope of a graph": (
        f"{PROJECT}/graphs?go=encoder&gs=encoder&gx=inputs",
        _seen(".ob-g-side dl"),
    ),
    "layers of a graph": (f"{PROJECT}/graphs?gp=layers", _seen(".ob-g-side td")),
    "graphs compared": (
        f"{PROJECT}/graphs?gp=changes&gd={{lr0.1-s0}}",
        _seen(".ob-g-side h3"),
    ),
    "run": ("/r/{lr0.1-s0}", _seen(".ob-runpage")),
    "a run that much is said of": ("/r/{lr0.1-s1}", _seen(".ob-runpage")),
    "missing page": ("/no/such/page", _seen("p a")),
    "unknown run": ("/r/00000000000000000000000000", _seen(".ob-empty")),
    "unknown project": ("/p/default/unknown/scalars", _seen(".ob-empty")),
    "a view that is gone": (f"{PROJECT}/scalars?v=neverMade123", _seen(".ob-notice")),
    "no run": (f"{PROJECT}/scalars?sel=", _seen(".ob-empty")),
    "no tag": (f"{PROJECT}/scalars?t=nothing", _seen(".ob-empty")),
    "broken tag filter": (f"{PROJECT}/scalars?t=(", _seen(".ob-toolbar .ob-problem")),
    "grouped": (f"{PROJECT}/scalars?g=hp:lr", _drawn),
    "groups compared": (f"{PROJECT}/compare?g=hp:lr", _drawn),
    "much in one": (
        f"{PROJECT}/scalars?e=train/loss%20-%20val/loss&e=no%20%2B&pin=odd&old=1&x0=10&x1=100",
        _seen(".ob-charts .scatterlayer .trace"),
    ),
}
"""What has an address."""

_ON_SCALARS: Final[dict[str, Callable[[Page], None]]] = {
    "menu of a card": _clicked("More about train/loss", ".ob-pop"),
    "horizontal axis": _clicked("More horizontal axes", ".ob-pop"),
    "how charts are drawn": _clicked("How charts are drawn", ".ob-pop"),
    "full screen": _full,
    "table of values": _table,
    "tooltip": _pointed,
    "formula": _clicked("Add a tag or a formula to train/loss", "dialog[open]"),
    "palette": _pressed("Control+k", ".ob-commands"),
    "palette with runs and tags": _found,
    "keys": _pressed("?", "#ob-keys"),
    "columns": _columns,
    "completion": _said("l", ".ob-choice"),
    "broken query": _said("lr <", ".ob-problem:not(:empty)"),
    "unknown field": _said("see = 1", ".ob-problem button"),
    "no match": _said("name ~ nothing", ".ob-none"),
    "menu of a run": _clicked("Change old", "[role=menu]"),
    "rename": _chosen("Rename…"),
    "tags": _chosen("Tags…", HOSTILE),
    "colour": _chosen("Colour…"),
    "delete": _chosen("Delete…"),
    "delete a live run": _chosen("Delete…", "lr0.1-s0"),
    "deleted runs": _from_actions("Deleted runs…"),
    "form of the table": _from_actions("Save the table…"),
    "views, one changed": _view_saved,
    "menu of a view": _view_changed,
    "name of a view": _view_named,
    "starred": _chosen("Star", "lr0.01-s0"),
}

_INNERMOST: Final = "go=encoder&go=encoder/block_0&go=encoder/block_0/layer_0"

OPENED: Final[dict[str, State]] = {
    **{name: (f"{PROJECT}/scalars", act) for name, act in _ON_SCALARS.items()},
    "group": (f"{PROJECT}/scalars?g=hp:lr", _group_opened),
    "every run of a group": (f"{PROJECT}/scalars?g=hp:lr&gl=each&cols=name,hp:lr", _table),
    "part of the name": (f"{PROJECT}/scalars?g=re:(", _seen(".ob-group-problem:not(:empty)")),
    "menu of an axis": (f"{PROJECT}/hparams?{_BRUSHED}", _axis("Axis lr")),
    "choice of axes": (f"{PROJECT}/hparams?{_BRUSHED}", _axis("Axes ▾")),
    "nodes found": (f"{PROJECT}/graphs", _node_sought),
    "set aside": (f"{PROJECT}/graphs?{_INNERMOST}&gp=aside", _seen(".ob-g-moves button")),
    "what is set aside drawn": (
        f"{PROJECT}/graphs?{_INNERMOST}&gp=aside&ga=1",
        _seen(".ob-g-moves"),
    ),
    "note": ("/r/{lr0.1-s1}", _writing),
    "bands at a step": (f"{PROJECT}/histograms?hv=dist&hs=5", _bucket_pointed),
    "histograms of groups": (f"{PROJECT}/histograms?g=hp:lr", _seen(".ob-histcard .ob-plot svg")),
    "map of layers": (f"{PROJECT}/histograms?hm=std", _seen(".ob-mapwords")),
    "details of a run": ("/r/{lr0.1-s0}", _unfolded),
}
"""What opens on a page, with a key or a click."""

PHONE: Final[dict[str, State]] = {**PAGES, "sheet of runs": (f"{PROJECT}/scalars", _sheet)}
"""What a phone shows besides: the panel is a sheet there."""
