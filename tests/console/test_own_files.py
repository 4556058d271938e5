# SPDX-License-Identifier: Apache-2.0
"""One person's own file is shown as a row is: with a right, and after asking again."""

import pytest
from django.test import Client

from tests.console.campaigns import THREE, Office, act, page
from tests.console.test_accounts import PASSWORD
from tests.console.test_second_factors import left_alone
from tests.console.world import now
from undisclosed.core.campaign import Attached
from undisclosed.store import campaigns
from undisclosed.store.roles import Role

pytestmark = pytest.mark.usefixtures("database")

FILES = (
    Attached("map.pdf", "application/pdf", b"map"),
    *(
        Attached(f"{name} Miller.pdf", "application/pdf", name.encode(), "Name")
        for name in ("Ann", "Bob", "Eve")
    ),
)
ASKS = "/security/again/"


@pytest.fixture
def office(world):
    return Office(world)


def with_files(office):
    made = office.drafted(office.list_of(*THREE))
    by = office.people["sam"].pk
    campaigns.change(made, by=by, now=now(), files=list(FILES))
    return made


def left_desk(account):
    """A browser whose last log-in is an hour old."""
    account.set_password(PASSWORD)
    account.save()
    browser = Client()
    login = {"login": f"{account.name.lower()}@council.example", "password": PASSWORD}
    assert browser.post("/log-in/", login).status_code == 302
    left_alone(browser)
    return browser


@pytest.mark.parametrize("may_see_rows", [False, True])
def test_who_writes_reads_the_names_of_own_files_with_the_right_alone(
    office, may_see_rows
):
    made = with_files(office)
    office.people["lea"] = office.member("lea", Role.SENDER, may_see_rows=may_see_rows)

    shown = page(office.client("lea"), made, "write/")

    assert "map.pdf" in shown
    assert ("Bob Miller" in shown) is may_see_rows
    assert ("own file</span>" in shown) is not may_see_rows


@pytest.mark.parametrize(
    ("path", "is_asked"),
    [("files/1", False), ("files/2", True), ("test", True), ("preview", True)],
)
def test_whoever_left_the_desk_is_asked_before_a_row_is_shown(office, path, is_asked):
    made = with_files(office)
    reader = office.member("rita", Role.SENDER, may_see_rows=True)
    browser = left_desk(reader)

    answer = act(browser, made, path, row="2")

    asked = answer.status_code == 302 and answer["Location"].startswith(ASKS)
    assert asked is is_asked
    events = set(office.world.events())
    assert not events & {"file opened", "test sent", "row shown"}


def test_an_own_file_that_is_opened_is_journalled(office):
    made = with_files(office)
    office.people["rita"] = office.member("rita", Role.SENDER, may_see_rows=True)

    answer = act(office.client("rita"), made, "files/3")

    assert answer.content == b"Bob"
    assert "file opened" in office.world.events()
