"""A run's own page: what it says of itself, what people write there, whether all is here."""

from __future__ import annotations

import json
import math
import re
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from orgboard_schema.sql.flush import NewGap, Restart
from orgboard_schema.types import Blob, Media, Tensor
from support.boards import scalars, values
from support.served import Served, serve_example
from support.words import HOSTILE

pytestmark = pytest.mark.browser

CONTEXT = {
    "host": HOSTILE,
    "user": "ada",
    "command": ["python", "train.py", "--name", "two words"],
    "git": {"commit": "0123abcd", "branch": "main", "dirty": {"files": 2, "lines_added": 3}},
    "packages": {"numpy": "2.1", HOSTILE: "1"},
    "devices": {"cpu": {"model": "EPYC", "count": 64, "usable": 8}, "gpus": [{"name": "H100"}]},
    "pid": {"odd": [1]},
}


def _record(told: Any) -> Tensor:
    return Tensor("string", (), (json.dumps(told).encode(),))


def _sound(level: int) -> Media:
    """Return a tenth of a second of one level, as WAV."""
    data = bytes([128 + level]) * 800
    form = struct.pack("<4sIHHIIHH", b"fmt ", 16, 1, 1, 8000, 8000, 1, 8)
    body = b"WAVE" + form + struct.pack("<4sI", b"data", len(data)) + data
    wave = struct.pack("<4sI", b"RIFF", len(body)) + body
    return Media((Blob(wave, "audio/wav"),), sample_rate=8000)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """Give a board with a run that has something of everything to tell."""
    folder: Path = tmp_path_factory.mktemp("run-page")
    with serve_example(folder) as board:
        board.board.log(
            "told",
            [
                scalars("train/loss", [1.0, math.nan, math.inf, 4.0]),
                scalars("a" * 10_000, [1.0]),
                values("orgboard/context", "tensor", [_record(CONTEXT)]),
                values(
                    "orgboard/dropped", "tensor", [_record({"dropped": 5, "reasons": {"disk": 5}})]
                ),
                values("orgboard/annotation", "tensor", [_record({"text": HOSTILE})], step=[2]),
                values("weights", "tensor", [Tensor("string", (), (b"x",))]),
                values("say", "audio", [_sound(0), _sound(90)], step=[0, 2]),
            ],
            hparams='{"lr": 0.1, "amp": true, "name": "adam"}',
            gaps=[NewGap(48_104, 312, "payload crc")],
            restarts=[Restart(1, None, None, 3)],
        )
        yield board


@pytest.fixture
def told(page: Page, served: Served) -> Page:
    """Give the page of that run."""
    page.goto(f"{served.address}/r/{served.board.uids['told']}")
    expect(page.locator(".ob-runpage")).to_be_visible()
    return page


def _box(page: Page, name: str | re.Pattern[str]) -> Locator:
    return page.get_by_role("region", name=name)


def test_the_configuration_is_told_with_types(told: Page) -> None:
    rows = _box(told, "Configuration").locator("tbody tr")

    expect(rows).to_have_text(
        [
            re.compile("lr.*0.1.*number"),
            re.compile("amp.*true.*yes or no"),
            re.compile("name.*adam.*text"),
        ]
    )


def test_settings_that_stand_beside_the_run_are_told_with_the_way_there(
    page: Page, served: Served
) -> None:
    beside = "trained/1795394269.9034734"
    uid = served.board.log("trained", [scalars("loss", [1.0])])
    served.board.log(beside, hparams='{"lr": 0.1}')
    page.goto(f"{served.address}/r/{uid}")
    box = page.get_by_role("region", name="Configuration")
    expect(box.locator("tbody tr")).to_have_text(["lr0.1number"])

    box.get_by_role("link", name=beside).click()

    expect(page.get_by_role("heading", level=1)).to_have_text(beside)
    expect(box).to_contain_text("1 setting")
    expect(box.get_by_role("link")).to_have_count(0)


def test_where_it_ran_is_told_as_text_whatever_the_log_says(told: Page) -> None:
    box = _box(told, "Context")

    expect(box.locator("dd").first).to_have_text(HOSTILE)
    expect(box).to_contain_text("python train.py --name 'two words'")
    expect(box).to_contain_text("2 files, +3")
    expect(box).to_contain_text("EPYC, 8 of 64 cores")
    expect(box).to_contain_text('{"odd":[1]}')
    box.get_by_text("Packages, 2").click()
    expect(box.locator("tbody tr").first).to_be_visible()
    assert told.locator(".ob-runpage b b, .ob-context b").count() == 0


def test_the_completeness_panel_tells_what_is_not_here_and_why(told: Page) -> None:
    box = _box(told, "Completeness")

    def stat(name: str) -> Locator:
        return box.locator(f'[data-stat="{name}"]')

    expect(stat("Read")).to_contain_text("100 bytes")
    expect(stat("Waiting")).to_contain_text("nothing")
    expect(stat("Not readable")).to_contain_text("312 bytes")
    expect(stat("Dropped by the writer")).to_contain_text("5 values")
    expect(stat("Dropped by the writer")).to_contain_text("disk 5")
    expect(stat("NaN and infinities")).to_contain_text("2in 1 series")
    box.get_by_text("Damaged ranges, 1").click()
    expect(box.locator("details tbody tr")).to_contain_text("payload crc")


def test_every_tag_is_told_with_where_it_stands_and_how_to_look_at_it(
    told: Page, served: Served
) -> None:
    box = _box(told, re.compile("Logged, 4 series"))

    loss = box.locator("tbody tr").filter(has_text="train/loss")
    expect(loss).to_contain_text("scalar")
    weights = box.locator("tbody tr").filter(has_text="weights")
    expect(weights).to_contain_text("tensor · stored; export")
    assert weights.locator("a").count() == 0
    loss.locator("a").click()

    expect(told).to_have_url(re.compile(r"/p/default/board/scalars\?.*sel="))
    expect(told.locator(".ob-card")).to_have_count(1)
    expect(told.locator('.ob-card[data-tag="train/loss"]')).to_be_visible()


def test_sounds_are_heard_step_by_step(told: Page) -> None:
    box = _box(told, "Audio")
    sound = box.locator("audio")
    expect(box.locator(".ob-at")).to_have_text("step 2")
    newest = sound.get_attribute("src") or ""

    told.get_by_label("Step of say").fill("0")

    expect(box.locator(".ob-at")).to_have_text("step 0")
    expect(sound).not_to_have_attribute("src", newest)
    sound.evaluate("(audio) => { audio.preload = 'auto'; audio.load(); }")
    expect(sound).to_have_js_property("duration", 0.1)


def test_attempts_tell_what_they_replaced(told: Page) -> None:
    rows = _box(told, "Attempts").locator("tbody tr")

    expect(rows).to_have_text([re.compile("attempt 0"), re.compile("every series from step 3 on")])


def test_a_note_is_written_shown_as_markdown_and_taken_away(told: Page) -> None:
    told.get_by_role("button", name="Write one").click()
    told.get_by_label("Note, in Markdown").fill(f"# Why\n\n**bold** {HOSTILE} <script>1</script>")
    told.get_by_role("button", name="Save").click()
    note = _box(told, "Note")
    expect(note.locator("h1")).to_have_text("Why")
    expect(note.locator("strong")).to_have_text("bold")
    assert note.locator("script").count() == 0

    told.reload()
    expect(note.locator("strong")).to_have_text("bold")
    told.get_by_role("button", name="Edit").click()
    told.get_by_label("Note, in Markdown").fill("")
    told.keyboard.press("Control+Enter")

    expect(note.get_by_role("button", name="Write one")).to_be_visible()


def test_of_two_who_write_the_second_keeps_the_text(
    told: Page, browser: Browser, served: Served
) -> None:
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    other = context.new_page()
    other.goto(told.url)
    for each in (told, other):
        each.get_by_role("button", name="Write one").click()
        each.get_by_label("Note, in Markdown").fill("mine")
    told.get_by_role("button", name="Save").click()
    expect(_box(told, "Note").locator("p")).to_have_text("mine")

    other.get_by_role("button", name="Save").click()

    expect(_box(other, "Note").get_by_role("alert")).to_contain_text("meanwhile")
    expect(other.get_by_label("Note, in Markdown")).to_have_value("mine")
    context.close()


def test_a_live_run_does_not_take_a_note_from_under_the_pen(told: Page, served: Served) -> None:
    button = _box(told, "Note").get_by_role("button", name=re.compile("Write one|Edit"))
    button.click()
    told.get_by_label("Note, in Markdown").fill("half a thou")
    points = told.locator(".ob-facts div").filter(has_text="Points")
    before = points.inner_text()

    served.board.log("told", [scalars("train/loss", [1.0], step=[50])])

    expect(points).not_to_have_text(before, timeout=15_000)
    expect(told.get_by_label("Note, in Markdown")).to_have_value("half a thou")
    expect(told.get_by_label("Note, in Markdown")).to_be_focused()


def test_remarks_of_the_training_and_of_people_stand_together(told: Page) -> None:
    box = _box(told, "Annotations")
    expect(box.locator("li")).to_have_text([re.compile(f"step 2{re.escape(HOSTILE)}.*training")])

    box.get_by_label("Annotation", exact=True).fill(HOSTILE)
    box.get_by_label("Step, or nothing for the whole run").fill("1")
    box.get_by_role("button", name="Add").click()
    expect(box.locator("li")).to_have_count(2)
    expect(box.locator("li").first).to_have_text(re.compile(f"step 1{re.escape(HOSTILE)}"))
    box.get_by_role("button", name="Remove this annotation").click()

    expect(box.locator("li")).to_have_count(1)


def test_a_run_is_starred_and_renamed_on_its_own_page(told: Page) -> None:
    star = told.get_by_role("button", name="Star", exact=True)
    star.click()
    expect(star).to_have_attribute("aria-pressed", "true")
    told.get_by_role("button", name="Change", exact=True).click()
    told.get_by_role("menuitem", name="Rename…").click()
    told.get_by_label("Name", exact=True).fill("well told")
    told.keyboard.press("Enter")
    expect(told.get_by_role("heading", level=1)).to_have_text("well told")

    told.locator(".ob-toast").get_by_role("button", name="Undo").click()

    expect(told.get_by_role("heading", level=1)).to_have_text("told")


def test_a_deleted_run_says_that_it_is_not_here(told: Page, served: Served) -> None:
    uid = served.board.log("going", [scalars("loss", [1.0])], now=1.7e9)
    told.goto(f"{served.address}/r/{uid}")
    told.get_by_role("button", name="Change", exact=True).click()
    told.get_by_role("menuitem", name="Delete…").click()
    told.get_by_role("button", name="Delete the run").click()

    expect(told.get_by_text("There is no such run, or it is not shared with you.")).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_of_it_is_wider_than_a_phone(browser: Browser, served: Served, scheme: Any) -> None:
    phone = browser.new_context(
        viewport={"width": 390, "height": 844}, has_touch=True, color_scheme=scheme
    )
    page = phone.new_page()
    page.goto(f"{served.address}/r/{served.board.uids['told']}")
    expect(_box(page, "Context")).to_be_visible()

    assert page.evaluate("document.documentElement.scrollWidth") == 390
    phone.close()
