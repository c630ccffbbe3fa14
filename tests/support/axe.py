"""axe-core: what a page fails of WCAG, levels A and AA, as far as a machine can tell."""

from __future__ import annotations

from functools import cache
from importlib.resources import files

from playwright.sync_api import Page

__all__ = ["faults_of"]

TAGS = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa")

# No rule is left out and no element passed over.
_RUN = """async (tags) => {
    const { violations } = await axe.run(document, {
        runOnly: { type: "tag", values: tags }, resultTypes: ["violations"],
    });
    return violations.flatMap(({ id, nodes }) => nodes.map(({ target, failureSummary }) =>
        `${id}: ${target.join(" ")}\\n${failureSummary}`));
}"""


def faults_of(page: Page) -> list[str]:
    """List what is wrong with the page as it stands: the rule, the element, the reason."""
    # Our policy stops scripts that a page brings along. What the debugger says is not stopped.
    if page.evaluate("typeof axe") == "undefined":
        page.evaluate(_source())
    faults: list[str] = page.evaluate(_RUN, list(TAGS))
    return faults


@cache
def _source() -> str:
    return (files("axe_playwright_python") / "axe.min.js").read_text(encoding="utf-8")
