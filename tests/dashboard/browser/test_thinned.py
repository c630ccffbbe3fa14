"""A series that was thinned says so: beside its pictures, and where a run tells whether all is
here."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from orgboard_schema.types import TensorHistogram
from support.axe import faults_of
from support.boards import scalars, values
from support.served import Served, serve_example
from support.thinned import picture, thin

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """Give a board with a run of a thousand pictures, of which a hundred and one are left."""
    with serve_example(tmp_path_factory.mktemp("thinned")) as board:
        seen = [picture(step) for step in range(1000)]
        weights = [counted(step) for step in range(1000)]
        chunks = [
            scalars("loss", [1.0, 0.5]),
            values("samples/generated", "image", seen),
            values("unet/weight", "histogram", weights),
        ]
        uid = board.board.log("diffusion", chunks)
        thin(board.board.engine, uid, "image", "histogram", now=time.time())
        yield board


def counted(step: int) -> TensorHistogram:
    """Return a histogram that moves along."""
    return TensorHistogram("float64", ((step, step + 1.0, 3.0), (step + 1.0, step + 2.0, 5.0)))


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_pictures_say_how_many_there_were(page: Page, served: Served, theme: str) -> None:
    page.emulate_media(color_scheme=theme)  # type: ignore[arg-type]  # one of its two words
    page.goto(f"{served.page('images')}?sel={served.board.uids['diffusion']}")

    told = page.locator('[data-tag="samples/generated"] .ob-thinned')
    expect(told).to_have_text(re.compile(r"^101 of 1\s000 kept, thinned on \w.+ 20\d\d$"))
    expect(told).to_have_attribute("title", re.compile("^1 in 10 was kept.*files were not touched"))
    # Of the other runs' pictures none was taken.
    assert page.locator(".ob-thinned").count() == 1
    assert faults_of(page) == []


def test_the_completeness_panel_tells_it_without_calling_it_damage(
    page: Page, served: Served
) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(f"{served.address}/r/{served.board.uids['diffusion']}")

    box = page.get_by_role("region", name="Completeness")
    expect(box).to_contain_text("everything is here but what was thinned")
    expect(box.locator('[data-stat="Thinned"]')).to_contain_text(re.compile(r"1\s798 points"))
    expect(box.locator('[data-stat="Thinned"]')).to_contain_text("of 2 series, last on")
    box.get_by_text("Thinned series, 2").click()
    expect(box.locator("details tbody tr").first).to_contain_text(re.compile(r"101 of 1\s000"))
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert faults_of(page) == []


def test_histograms_and_the_map_of_layers_say_how_many_there_were(
    page: Page, served: Served
) -> None:
    page.goto(f"{served.page('histograms')}?sel={served.board.uids['diffusion']}&hm=w1")

    words = page.locator('[data-tag="unet/weight"] footer span').last
    expect(words).to_have_text("50 of 101 steps, thinned")
    kept = r"101 of 1\s000 kept, thinned on \w.+ 20\d\d\."
    expect(words).to_have_attribute("title", re.compile(f"^{kept} Drawn are the first"))
    expect(page.locator(".ob-mapwords")).to_contain_text(re.compile(f"Histograms: {kept}"))
    assert faults_of(page) == []
