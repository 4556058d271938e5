# SPDX-License-Identifier: Apache-2.0
"""Logs hold no token of a link, whichever page writes them."""

import io
import logging
from collections.abc import Iterator

import pytest
from django.test import Client

from tests.console.world import World
from undisclosed.console.logged_paths import WithoutTokens, shortened
from undisclosed.console.site import application

TOKEN = "eyJzZWNyZXQiOiB0cnVlfQ.c2lnbmF0dXJl"


@pytest.fixture
def logged() -> Iterator[io.StringIO]:
    """What a handler of the root's writes, as the console installs it."""
    written = io.StringIO()
    handler = logging.StreamHandler(written)
    root = logging.getLogger()
    root.addHandler(handler)
    application()
    yield written
    root.removeHandler(handler)


@pytest.mark.parametrize(
    "path",
    [
        f"/links/{TOKEN}/",
        f"/links/{TOKEN}",
        f"/links/{TOKEN}/nothing/",
        f"/links/%20{TOKEN}/",
        f"/links/{TOKEN[:9]}%2F{TOKEN[9:]}/",
        f"/log-in/{TOKEN}/",
        f"/log-in/{TOKEN}/more",
    ],
)
def test_a_page_that_is_not_there_is_logged_without_its_token(
    world: World, logged: io.StringIO, caplog: pytest.LogCaptureFixture, path: str
) -> None:
    answer = Client().get(path, follow=True)

    assert answer.status_code == 404
    for said in (logged.getvalue(), caplog.text):
        assert "Not Found: /l" in said
        assert TOKEN[9:] not in said


def test_a_refused_form_is_logged_without_the_token(
    world: World, logged: io.StringIO
) -> None:
    browser = Client(enforce_csrf_checks=True)

    answer = browser.post(f"/links/{TOKEN}/withdraw/")
    wrong_way = Client().post(f"/links/{TOKEN}/")

    assert (answer.status_code, wrong_way.status_code) == (403, 405)
    assert "Forbidden" in logged.getvalue()
    assert "Method Not Allowed" in logged.getvalue()
    assert TOKEN not in logged.getvalue()


def test_a_trace_is_written_without_the_token(logged: io.StringIO) -> None:
    try:
        raise LookupError(f"no mailing behind /links/{TOKEN}/")
    except LookupError:
        logging.getLogger("somewhere").exception("It broke at /log-in/%s", TOKEN)

    assert "LookupError: no mailing behind /links/…" in logged.getvalue()
    assert "It broke at /log-in/…" in logged.getvalue()
    assert TOKEN not in logged.getvalue()


def test_other_paths_and_records_stay_as_they_are(logged: io.StringIO) -> None:
    log = logging.getLogger("somewhere")

    log.warning("Not Found: %s", "/mailings/abc/")
    log.warning("%(one)s is one", {"one": 1})

    assert logged.getvalue() == "Not Found: /mailings/abc/\n1 is one\n"


def test_only_the_line_of_the_token_is_cut() -> None:
    said = f"First /links/{TOKEN}/\nsecond /log-in/\nthird /log-in/{TOKEN}"

    assert shortened(said) == "First /links/…\nsecond /log-in/\nthird /log-in/…"


def test_making_the_application_twice_installs_the_filter_once() -> None:
    application()
    application()

    filters = logging.getLogger("django.request").filters
    assert len([each for each in filters if isinstance(each, WithoutTokens)]) == 1
