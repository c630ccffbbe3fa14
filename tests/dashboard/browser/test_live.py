"""From the training script's flush to the curve in the browser, with every part real."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from orgboard import SummaryWriter
from support.programs import Start
from support.served import Served
from support.waiting import wait_until

pytestmark = [pytest.mark.browser, pytest.mark.slow]

ADDRESS = re.compile(r"http://\S+:\d+")
LAST_STEP = """() => {
    const plot = document.querySelector('[data-tag="train/loss"] .ob-plot');
    return plot?.data?.at(-1)?.x?.at(-1) ?? -1;
}"""


@pytest.mark.timeout(120)
def test_a_curve_grows_while_the_training_writes(
    page: Page, tmp_path: Path, start_orgboard: Start
) -> None:
    logdir = tmp_path / "lab"
    with (
        SummaryWriter(str(logdir / "first")) as writer,
        start_orgboard("serve", logdir, "--db", tmp_path / "b.db", "--port", 0) as program,
    ):
        found = wait_until(lambda: ADDRESS.search(program.output()), 30, "an address")
        for step in range(10):
            writer.add_scalar("train/loss", 1 / (step + 1), step)
        writer.flush()
        page.goto(f"{found.group()}/")
        expect(page.locator(".ob-card .scatterlayer .trace").first).to_be_visible(timeout=30_000)
        expect(page.locator("#ob-live")).to_have_text("1 live")

        for step in range(10, 15):
            writer.add_scalar("train/loss", 1 / (step + 1), step)
            writer.flush()
            await_step(page, step)
        writer.add_scalar("val/loss", 0.5, 0)
        writer.flush()
        expect(page.locator('[data-tag="val/loss"] .scatterlayer .trace').first).to_be_visible()

        with SummaryWriter(str(logdir / "second")) as second:
            second.add_scalar("train/loss", 0.1, 0)
            second.flush()
            expect(page.get_by_label("Show second")).to_be_checked(timeout=20_000)


@pytest.mark.timeout(120)
def test_axes_stay_under_a_resting_pointer(
    page: Page, tmp_path: Path, start_orgboard: Start
) -> None:
    logdir = tmp_path / "lab"
    with (
        SummaryWriter(str(logdir / "run")) as writer,
        start_orgboard("serve", logdir, "--db", tmp_path / "b.db", "--port", 0) as program,
    ):
        found = wait_until(lambda: ADDRESS.search(program.output()), 30, "an address")
        for step in range(10):
            writer.add_scalar("train/loss", step, step)
        writer.flush()
        page.goto(f"{found.group()}/")
        expect(page.locator(".ob-card .scatterlayer .trace").first).to_be_visible(timeout=30_000)
        await_step(page, 9)
        axis = "() => document.querySelector('.ob-plot').layout.xaxis.range[1]"

        page.locator(".ob-stage").hover()
        writer.add_scalar("train/loss", 20, 20)
        writer.flush()
        await_step(page, 20)
        assert page.evaluate(axis) == 9
        page.mouse.move(5, 5)

        wait_until(lambda: page.evaluate(axis) == 20, 5, "the axis to follow")


def await_step(page: Page, step: int) -> None:
    """Wait until the curve ends at `step`."""
    wait_until(lambda: page.evaluate(LAST_STEP) == step, 20, f"step {step} drawn")


@pytest.mark.timeout(120)
def test_a_page_that_is_refused_a_stream_looks_by_itself(page: Page, served: Served) -> None:
    refused = {"status": 429, "content_type": "application/json", "body": '{"error": "full"}'}
    page.route("**/live", lambda route: route.fulfill(**refused))
    page.clock.install()
    page.goto(served.page("scalars"))
    said = page.locator("#ob-live")
    expect(said).to_have_text("not live", timeout=30_000)
    expect(said).to_have_attribute("title", re.compile("looks every 30 s itself"))

    with page.expect_request("**/runs?*", timeout=30_000):
        page.clock.fast_forward(31_000)
    page.unroute("**/live")
    page.clock.fast_forward(31_000)
    expect(said).not_to_have_text("not live", timeout=30_000)
    expect(said).not_to_have_text("connecting")
