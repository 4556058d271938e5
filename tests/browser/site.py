# SPDX-License-Identifier: Apache-2.0
"""The pages behind a real port, and a real browser in front of them."""

import os
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from wsgiref.simple_server import WSGIRequestHandler

from django.core.servers.basehttp import ThreadedWSGIServer
from playwright.sync_api import Browser, BrowserContext, sync_playwright

from undisclosed.console.site import application

CHROMIUM = next(
    (
        found
        for name in ("chromium", "chromium-browser")
        if (found := shutil.which(name))
    ),
    "",
)
FLAGS = [
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
]
WIDTHS = (1280, 390)


class QuietHandler(WSGIRequestHandler):
    """Answers without writing every request to the terminal."""

    def log_message(self, format: str, *args: object) -> None:
        """Nothing."""


@contextmanager
def served() -> Iterator[str]:
    """The pages on a free port of this machine; their URL."""
    server = ThreadedWSGIServer(("127.0.0.1", 0), QuietHandler, ipv6=False)
    server.daemon_threads = True
    server.set_app(application())
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@contextmanager
def browsing() -> Iterator[Browser]:
    """A Chromium of the system, without a window."""
    # The browser's driver runs an event loop in this thread, and Django would
    # refuse to work beside it; the loop never runs while the database is asked.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    try:
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(
                executable_path=CHROMIUM, args=FLAGS, headless=True
            )
            yield browser
            browser.close()
    finally:
        del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]


@contextmanager
def tab(
    browser: Browser, url: str, cookie: str = "", *, width: int = 1280, **options: bool
) -> Iterator[BrowserContext]:
    """A context of the browser, logged in where a session's cookie is given."""
    context = browser.new_context(
        viewport={"width": width, "height": 900 if width > 600 else 844},
        base_url=url,
        locale="en-GB",
        **options,  # type: ignore[arg-type]
    )
    if cookie:
        context.add_cookies([{"name": "sessionid", "value": cookie, "url": url}])
    yield context
    context.close()
