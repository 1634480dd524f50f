"""A real Chromium for tests of the console."""

from __future__ import annotations

import shutil
from contextlib import contextmanager
from typing import TYPE_CHECKING

from playwright.sync_api import sync_playwright

from tests.consoles import PASSWORD
from tests.waiting import PLENTY_S

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser, ConsoleMessage, Page

CHROMIUM = shutil.which("chromium")
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
         "--disable-component-update", "--disable-sync"]  # fmt: skip


@contextmanager
def started_chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


@contextmanager
def page_of(chromium: Browser, *, width: int = 1280, language: str = "en-GB", dark: bool = False) -> Iterator[Page]:
    """A page whose scripts must not fail."""
    context = chromium.new_context(
        viewport={"width": width, "height": 800}, locale=language, color_scheme="dark" if dark else "light"
    )
    context.set_default_timeout(PLENTY_S * 1000)  # a busy machine is no fault
    page = context.new_page()
    faults: list[str] = []
    page.on("console", lambda message: faults.append(message.text) if is_fault(message) else None)
    page.on("pageerror", lambda error: faults.append(str(error)))
    try:
        yield page
        assert not faults
    finally:
        context.close()


def is_fault(message: ConsoleMessage) -> bool:
    """Whether a script said it; that a form was refused, the browser says itself."""
    return message.type == "error" and "status of 422" not in message.text


def set_password(page: Page, link: str) -> None:
    """Follow a link of an invitation; ends signed in, on the live page."""
    page.goto(link)
    page.fill("[name=password]", PASSWORD)
    page.fill("[name=again]", PASSWORD)
    page.click("button.main")
    page.wait_for_selector("[data-cards]", state="attached")
