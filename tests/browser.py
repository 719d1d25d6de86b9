"""A real browser for pages: Chromium, driven by Playwright; errors of the page are errors of the test."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
PHONE, DESKTOP = {"width": 375, "height": 740}, {"width": 1280, "height": 900}


def executable() -> str:
    """Return the browser at hand; where there is none, the test is skipped, in continuous integration it fails."""
    found = next((path for name in NAMES if (path := shutil.which(name))), None)
    if found is None:
        message = "pages are tested in Chromium: install it (Debian: apt-get install chromium)"
        if os.environ.get("CI"):
            pytest.fail(message)
        pytest.skip(message)
    return found


@contextmanager
def page_of(browser: Any, file: Path, size: dict[str, int] = DESKTOP) -> Iterator[Any]:
    """Open a file offline; anything on the console, any exception and any request beyond the file is an error."""
    context = browser.new_context(viewport=size, offline=True)
    page = context.new_page()
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("request", lambda request: said.append(request.url) if request.url.startswith("http") else None)
    page.goto(file.as_uri())
    try:
        yield page
        assert said == []
    finally:
        context.close()


def serious(page: Any) -> list[str]:
    """Return what axe finds that is serious or critical."""
    from axe_playwright_python.sync_playwright import Axe

    found = Axe().run(page).response["violations"]
    return [
        f"{rule['id']}: {rule['help']}: {[node['html'][:120] for node in rule['nodes'][:3]]}"
        for rule in found
        if rule["impact"] in ("serious", "critical")
    ]


def overflows(page: Any) -> bool:
    """Tell whether the page is wider than the window."""
    return bool(page.evaluate("document.documentElement.scrollWidth > window.innerWidth + 1"))
