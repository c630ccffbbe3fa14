"""What is taken along from the scalars page: pictures of charts, and all of their points."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

import pytest
from playwright.sync_api import Page, expect

from support.cards import ready
from support.served import POINTS, Served

pytestmark = pytest.mark.browser


@pytest.mark.parametrize(("label", "begins"), [("PNG", b"\x89PNG"), ("SVG", b"<svg")])
def test_a_chart_is_saved_as_a_picture(
    page: Page, served: Served, tmp_path: Path, label: str, begins: bytes
) -> None:
    page.goto(served.page("scalars?t=evil"))
    ready(page)
    page.locator(".ob-card").hover()
    page.locator(".ob-card").get_by_label("More about").click()

    with page.expect_download() as download:
        page.get_by_role("button", name=label).click()
    download.value.save_as(tmp_path / "picture")

    saved = (tmp_path / "picture").read_bytes()
    assert saved.startswith(begins)
    assert download.value.suggested_filename == f"evil_img_src_x_onerror_alert_1_.{label.lower()}"
    if label == "SVG":
        assert b"<img" not in saved


@pytest.mark.parametrize(("form", "begins"), [("PNG", b"\x89PNG"), ("SVG", b"<svg")])
def test_all_charts_of_a_page_are_saved_as_one_picture(
    page: Page, served: Served, tmp_path: Path, form: str, begins: bytes
) -> None:
    page.goto(served.page("scalars?t=loss|accuracy&w=1400,700"))
    ready(page)
    shown = page.locator(".ob-card").count()
    assert shown > page.locator(".ob-card .plot").count(), "some are not drawn yet"

    page.keyboard.press("Control+k")
    page.keyboard.type(f"charts of this page as {form}")
    with page.expect_download() as download:
        page.keyboard.press("Enter")
    download.value.save_as(tmp_path / "picture")

    saved = (tmp_path / "picture").read_bytes()
    assert saved.startswith(begins)
    assert download.value.suggested_filename == f"board.{form.lower()}"
    if form == "SVG":
        drawn = ElementTree.fromstring(saved)
        assert len(drawn.findall("{*}svg")) == shown
    expect(page.get_by_text(f"Saved {shown} charts.")).to_be_visible()


@pytest.mark.parametrize(("label", "lines"), [("CSV", POINTS + 1), ("JSON", POINTS)])
def test_every_point_of_a_chart_is_saved(
    page: Page, served: Served, tmp_path: Path, label: str, lines: int
) -> None:
    page.goto(served.page(f"scalars?t=train/loss&sel={served.board.uids['cosine/a']}"))
    ready(page)
    page.locator(".ob-card").hover()
    page.get_by_label("More about train/loss").click()

    with page.expect_download() as download:
        page.get_by_role("button", name=label).click()
    download.value.save_as(tmp_path / "points")

    assert len((tmp_path / "points").read_bytes().splitlines()) == lines
