"""Fixtures: Chromium, a web server for pages, and a test page for each sign-in library.

All tests use one deployed stack.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page, Playwright, sync_playwright

from operations import frontend, storefront
from tests.browser import chromium, node
from tests.browser.sites import Sites, serving
from tests.browser.storefront import Storefront, built, watched
from tests.journeys.stack import Stack

HERE: Final = Path(__file__).parent
SHOP: Final = "localhost:5173"
"""The site of the example shop in its own browser."""
SITES: Final = ("localhost:3000", "localhost:5173", "127.0.0.1:3000", "127.0.0.1:5173")
"""The sites of the tests. The stack `local` allows these origins."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests that need a browser.

    If no Chromium is on the PATH, the tests are skipped. If the variable REQUIRE_CHROMIUM is set, as in CI, the test
    run fails instead.
    """
    here = [item for item in items if HERE in item.path.parents and "playwright" in getattr(item, "fixturenames", ())]
    found = chromium.path()
    if here and not found and os.environ.get("REQUIRE_CHROMIUM"):
        raise pytest.UsageError("chromium: not found; the tests of tests/browser must run here; install Chromium")
    for item in here:
        item.add_marker(pytest.mark.browser)
        item.add_marker(pytest.mark.emulator)
        if not found:
            item.add_marker(pytest.mark.skip(reason="no Chromium on the PATH"))


@pytest.fixture(scope="session")
def sites() -> Iterator[Sites]:
    """A web server for all pages. Chromium connects to it for each address in SITES."""
    with serving() as found:
        yield found


@pytest.fixture(scope="package")
def playwright() -> Iterator[Playwright]:
    """The Playwright API, which allows only one instance per thread.

    Playwright runs an event loop in this thread until Playwright ends. The tests of the Pulumi components need an event
    loop in the same thread, so Playwright must end before the tests of another folder start.
    """
    with sync_playwright() as found:
        yield found


@pytest.fixture(scope="package")
def browser(playwright: Playwright, sites: Sites) -> Iterator[Browser]:
    """Chromium, which connects only to this machine."""
    with chromium.launched(playwright, dict.fromkeys(SITES, f"127.0.0.1:{sites.port}")) as found:
        yield found


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """An empty page in a new browser profile."""
    with chromium.profile(browser) as context:
        yield context.new_page()


@pytest.fixture(scope="session")
def configuration(stack: Stack) -> dict[str, str]:
    """The files of `make frontend` for the deployed stack, as {path on a site: text}."""
    return _configuration(stack, urlsplit(str(stack.frontend["auth"]["hostedUiUrl"])).netloc)


@pytest.fixture(scope="session")
def amplify_configuration(stack: Stack) -> dict[str, str]:
    """The files of `make frontend`, with the emulator's HTTPS port in the configuration of AWS Amplify."""
    return _configuration(stack, f"localhost:{frontend.https_port(stack.instance)}")


def _configuration(stack: Stack, page: str) -> dict[str, str]:
    return {f"/{name}": text for name, text in frontend.files(stack.frontend, page).items()}


@pytest.fixture(scope="session")
def bundles() -> dict[str, dict[str, str]]:
    """The files of the test page of each sign-in library, as {library: {path: text}}."""
    head = '<!doctype html><title>Shop</title><link rel="icon" href="data:,">'
    html = f'{head}<script type="module" src="/page.js"></script>'
    return {name: {"/index.html": html, "/page.js": node.bundle(name)} for name in ("oidc", "amplify")}


@pytest.fixture(scope="package")
def shop_port(stack: Stack, free_port: Callable[[], int], tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """The port of a server with the production build of the example shop.

    The server sends the same headers as the site on AWS.
    """
    folder = tmp_path_factory.mktemp("frontend")
    frontend.write(folder, stack.frontend, urlsplit(str(stack.frontend["auth"]["hostedUiUrl"])).netloc)
    port = free_port()
    with storefront.serving(folder, port, built=built(tmp_path_factory.mktemp("shop"))):
        yield port


@pytest.fixture(scope="package")
def shop_browser(playwright: Playwright, shop_port: int) -> Iterator[Browser]:
    """Chromium for the example shop. The shop has the origin http://SHOP, from which the stack accepts requests."""
    with chromium.launched(playwright, {SHOP: f"127.0.0.1:{shop_port}"}) as found:
        yield found


@pytest.fixture
def shop(shop_browser: Browser) -> Iterator[Storefront]:
    """The example shop in a new browser profile.

    The test fails if a script of the page fails or the page violates its Content Security Policy.
    """
    with chromium.profile(shop_browser) as context, watched(context.new_page()) as page:
        yield Storefront(page, f"http://{SHOP}")
