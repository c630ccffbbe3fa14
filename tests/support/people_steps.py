"""What people do in their browsers to come in, to let others in, and to go."""

from __future__ import annotations

import re

from playwright.sync_api import Page, expect

from support.people import PASSWORD

__all__ = [
    "access_to",
    "choose_for",
    "give_name_and_password",
    "grant",
    "invitation",
    "open_link",
    "sign_out",
]


def open_link(page: Page, link: str, name: str) -> None:
    """Make an account by a one-time link."""
    page.goto(link)
    page.get_by_label("Name", exact=True).fill(name)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Make the account").click()
    expect(page.get_by_role("button", name=f"Account: {name}")).to_be_visible()
    assert "#" not in page.url


def give_name_and_password(page: Page, name: str) -> None:
    """Sign in, where the board asks for it."""
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    page.get_by_label("Name", exact=True).fill(name)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()


def sign_out(page: Page) -> None:
    """Sign out by the account's menu."""
    page.get_by_role("button", name=re.compile("^Account: ")).click()
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()


def invitation(page: Page, address: str, team: str, role: str = "viewer") -> str:
    """Make a link into a team, on the page of who runs the board."""
    page.goto(f"{address}/admin/teams")
    page.get_by_role("button", name=f"Members of {team}").click()
    page.get_by_label("Role of who is invited").select_option(role)
    page.get_by_role("button", name="Make a link").click()
    link = page.get_by_label("The link").input_value()
    assert link.startswith(f"{address}/welcome#")
    return link


def access_to(page: Page, address: str, place: str) -> None:
    """Open the dialog of who sees a project, "TEAM / PROJECT", on the admin's page."""
    page.goto(f"{address}/admin/projects")
    page.get_by_role("button", name=f"Access to {place}").click()
    expect(page.get_by_role("dialog", name=f"Access to {place}")).to_be_visible()


def grant(page: Page, address: str, place: str, name: str, role: str = "viewer") -> None:
    """Grant a project to somebody who does not see it, after reading what that changes."""
    access_to(page, address, place)
    dialog = page.get_by_role("dialog", name=f"Access to {place}")
    dialog.get_by_label("Role", exact=True).select_option(role)
    dialog.get_by_label("Name", exact=True).fill(name)
    dialog.get_by_label("Name", exact=True).press("Enter")
    expect(page.get_by_text(f"Gains sight, as {role}: {name}")).to_be_visible()
    page.get_by_role("button", name=f"Make {name} {role}").click()
    expect(dialog.get_by_role("list", name="Grants")).to_contain_text(name)


def choose_for(page: Page, name: str, item: str) -> None:
    """Choose what is done with an account, on the page of all accounts."""
    page.get_by_role("button", name=f"What can be done with {name}").click()
    page.get_by_role("menuitem", name=item).click()
