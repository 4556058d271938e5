# SPDX-License-Identifier: Apache-2.0
"""The pictures of the documentation: ``python -m tests.browser.screenshots [FOLDER]``.

They show the replay of the Metropolitan Police case, with invented people, on a
database that is made for them and forgotten.
"""

import sys
from collections.abc import Iterator
from pathlib import Path

from playwright.sync_api import Browser

from tests.browser.site import WIDTHS, browsing, served, tab
from tests.postgres import TestDatabase

FOLDER = Path(__file__).parents[2] / "docs/screenshots"
NAMES = (
    "start",
    "mailings",
    "mailing",
    "mailing-sent",
    "link",
    "postoffice",
    "message",
    "campaigns",
    "campaign-write",
    "campaign-approve",
    "campaign-sending",
    "unsubscribe",
    "lists",
    "list",
    "list-rows",
    "list-checked",
)

LONG = ("postoffice",)
"""Pages of many rows: the first screen of them says it all."""


def take(database: TestDatabase, folder: Path, browser: Browser) -> Iterator[Path]:
    """Take every picture at every width; the files as they are written."""
    from tests.browser.campaign_pictures import Pictures
    from tests.console.world import World, address, message, outsiders
    from undisclosed.console.start import replay
    from undisclosed.store import desk
    from undisclosed.store.models import Role

    folder.mkdir(parents=True, exist_ok=True)
    database.empty()
    world = World(database)
    account = world.account(*Role, login="olive@council.example", name="Olive Marsh")
    cookie = world.client_of(account).cookies["sessionid"].value
    world.hold(message(outsiders(265), subject="Direct payments: your new rates"))
    mailing = world.replay()
    token = world.link(mailing, sender=address(replay.SENDER))

    def shoot(url: str, name: str, path: str, cookie: str = cookie) -> Iterator[Path]:
        for width in WIDTHS:
            with tab(browser, url, cookie, width=width) as context:
                page = context.new_page()
                page.goto(path)
                if page.locator("iframe").count():
                    # What is out of sight would not be painted.
                    height = page.evaluate("document.documentElement.scrollHeight")
                    page.set_viewport_size({"width": width, "height": height})
                    page.wait_for_timeout(300)
                file = folder / f"{name}-{width}.png"
                page.screenshot(path=file, full_page=name not in LONG)
                yield file

    with served() as url:
        yield from shoot(url, "start", "/")
        yield from shoot(url, "mailings", "/mailings/")
        yield from shoot(url, "mailing", f"/mailings/{mailing}/")
        yield from shoot(url, "link", f"/links/{token}/", "")
        world.client_of(account).post(f"/mailings/{mailing}/send-singly/")
        world.deliver(rounds=8)
        yield from shoot(url, "mailing-sent", f"/mailings/{mailing}/")
        world.deliver()
        yield from shoot(url, "postoffice", "/post-office/")
        latest = desk.caught().items[0].caught_id
        yield from shoot(url, "message", f"/post-office/{latest}/")
        made = Pictures(world)
        sam, max_ = made.cookie("sam"), made.cookie("max")
        written, sent = f"{made.written}/write", made.sent
        yield from shoot(url, "campaigns", "/campaigns/", sam)
        yield from shoot(url, "campaign-write", f"/campaigns/{written}/", sam)
        yield from shoot(url, "campaign-approve", f"/campaigns/{made.submitted}/", max_)
        yield from shoot(url, "campaign-sending", f"/campaigns/{sent}/", sam)
        yield from shoot(url, "lists", "/lists/", sam)
        yield from shoot(url, "list", f"/lists/{made.list_id}/", sam)
        yield from shoot(url, "list-rows", f"/lists/{made.list_id}/rows/", sam)
        yield from shoot(url, "list-checked", made.uploaded(), sam)
        with made.organisation():
            yield from shoot(url, "unsubscribe", made.unsubscribe_path(), "")


def main() -> None:
    """Write the pictures into the folder that is named, or into the documentation."""
    database = TestDatabase()
    database.start()
    try:
        folder = Path(sys.argv[1]) if sys.argv[1:] else FOLDER
        with browsing() as browser:
            for file in take(database, folder, browser):
                print(file)
    finally:
        database.end()


if __name__ == "__main__":
    main()
