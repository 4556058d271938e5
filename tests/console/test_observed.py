# SPDX-License-Identifier: Apache-2.0
"""Mode observe on the pages: a strip, a list, and a mailing that tells the truth."""

import pytest
from django.test import Client

from tests.console.test_mailings import words
from tests.console.world import SAM, World, message, observing, outsiders
from undisclosed.console.observed import entries
from undisclosed.store import journal
from undisclosed.store.models import JournalEntry, Role

STRIP = (
    "Observing: nothing is changed, held or refused; what would have been held is "
    "recorded."
)
ROOM = '<a href="/observed/"'


@pytest.mark.parametrize("role", Role)
def test_every_page_says_that_the_guard_observes(world: World, role: Role) -> None:
    client = world.client(role)

    for path in ("/", "/mailings/", "/accounts/", "/nowhere/"):
        with observing():
            observed = words(client.get(path).content)
        enforced = words(client.get(path).content)

        assert STRIP in observed
        assert STRIP not in enforced


def test_who_is_not_logged_in_is_not_told(world: World) -> None:
    with observing():
        page = words(Client().get("/log-in/").content)

    assert "Observing" not in page


def test_observed_mail_is_listed_newest_first(world: World) -> None:
    one = world.observe(message(outsiders(9)))
    two = world.observe(
        message(outsiders(40)[20:], subject="Rates", body="Wholly different.\n")
    )
    client = world.client(Role.AUDITOR)

    page = words(client.get("/observed/").content)

    assert page.count("Would have been held") == 2
    assert page.index(f"Mailing {two}") < page.index(f"Mailing {one}")
    assert f"9 people · Rule shown-outsiders · Mailing {one}" in page
    assert f"20 people · Rule shown-outsiders · Mailing {two}" in page


def test_the_list_spells_out_no_address_and_no_subject(world: World) -> None:
    everybody = outsiders(9)
    world.observe(message(everybody, subject="Direct payments"))
    client = world.client(Role.SUPERVISOR)

    page = client.get("/observed/").content.decode()

    assert not [each for each in [*everybody, SAM.spelled_out()] if each in page]
    assert "Direct payments" not in page


@pytest.mark.parametrize(
    ("action", "said"),
    [
        ("hold", "Would have been held"),
        ("split", "Would have been sent singly"),
        ("reject", "Would have been refused"),
        ("accept", "Would have passed with less in it"),
    ],
)
def test_what_would_have_been_done_is_said(
    world: World, action: str, said: str
) -> None:
    journal.write("observed", mailing="m", action=action, removals=2)
    journal.write("held", mailing="m", action="hold")
    client = world.client(Role.DPO)

    page = words(client.get("/observed/").content)

    assert page.count("Would have") == 1
    assert f"{said} " in page
    assert "2 fields would have been cut out" in page


def test_observed_mail_comes_in_pages(world: World) -> None:
    for number in range(51):
        journal.write("observed", mailing=f"m{number}", action="hold")
    client = world.client(Role.AUDITOR)

    first = client.get("/observed/").content.decode()
    last = client.get("/observed/?page=2").content.decode()

    assert first.count("Would have been held") == 50
    assert 'rel="next"' in first
    assert last.count("Would have been held") == 1
    assert "Mailing m0" in last


def test_an_empty_list_says_so(world: World) -> None:
    page = words(world.client(Role.AUDITOR).get("/observed/").content)

    assert "Nothing was recorded yet." in page
    assert "It no longer observes" not in page


def test_the_navigation_leads_there_while_observing_or_where_there_is_any(
    world: World,
) -> None:
    client = world.client(Role.AUDITOR)

    without = client.get("/").content.decode()
    with observing():
        while_observing = client.get("/").content.decode()
    world.observe(message(outsiders(9)))
    afterwards = client.get("/").content.decode()

    assert ROOM not in without
    assert ROOM in while_observing
    assert ROOM in afterwards


def test_a_sender_is_not_led_to_what_they_may_not_read(world: World) -> None:
    world.observe(message(outsiders(9)))
    sam = world.client(Role.SENDER, login=SAM.spelled_out())

    with observing():
        page = sam.get("/").content.decode()

    assert ROOM not in page
    assert "observed mail" not in page


def test_whether_there_is_any_is_not_asked_for_every_page(world: World) -> None:
    before = entries.are_there()
    journal.write("observed", mailing="m", action="hold")
    remembered = entries.are_there()
    entries.forget()

    assert (before, remembered, entries.are_there()) == (False, False, True)


@pytest.mark.parametrize("is_first", [True, False], ids=["before", "after"])
def test_observed_mail_of_a_held_mailing_is_told_as_it_was(
    world: World, is_first: bool
) -> None:
    passes, stays = message(outsiders(12)), message(outsiders(9))
    if is_first:
        passed, mailing = world.observe(passes), world.hold(stays)
    else:
        mailing, passed = world.hold(stays), world.observe(passes)
    client = world.client(Role.AUDITOR)

    page = words(client.get(f"/mailings/{mailing}/").content)
    link = words(Client().get(f"/links/{world.link(mailing)}/").content)
    listed = client.get("/observed/").content.decode()

    assert passed == mailing
    for told in (page, link):
        assert "1 of 2 mails is held. Nobody has received that one yet." in told
        assert "1 mail of this mailing passed as it was written" in told
        assert "because the guard was observing" in told
        assert "the limit was not reached" not in told
        assert "Nobody has received it yet" not in told
        assert "people saw others' addresses, or would have 12" in told
    assert f'href="/mailings/{mailing}/"' in listed


def test_mail_below_the_limit_and_observed_mail_are_told_apart(world: World) -> None:
    below = message(outsiders(4))
    checkpoint = world.checkpoint()
    checkpoint.settle(checkpoint.decide(below), True)
    mailing = world.hold(message(outsiders(9)))
    world.observe(message(outsiders(12)))
    client = world.client(Role.AUDITOR)

    page = words(client.get(f"/mailings/{mailing}/").content)

    assert "1 of 3 mails is held." in page
    assert "1 mail of this mailing passed as it was written" in page
    assert "1 earlier mail of this mailing had already left" in page


def test_a_mail_that_was_tried_again_counts_once(world: World) -> None:
    mailing = world.hold(message(outsiders(9)))
    again = message(outsiders(12))
    world.observe(again, again)
    client = world.client(Role.AUDITOR)

    page = words(client.get(f"/mailings/{mailing}/").content)

    assert JournalEntry.objects.filter(event="observed").count() == 2
    assert "1 of 2 mails is held." in page
    assert "1 mail of this mailing passed as it was written" in page


def test_a_mailing_without_observed_mail_is_told_as_before(world: World) -> None:
    world.observe(message([f"p@p{n}.example" for n in range(9)], body="Other.\n"))
    mailing = world.hold(message(outsiders(9)))
    client = world.client(Role.AUDITOR)

    page = words(client.get(f"/mailings/{mailing}/").content)

    assert "Nobody has received it yet. As it is written, each person would" in page
    assert "observing" not in page


def test_a_guard_that_never_observed_says_what_the_page_is_for(world: World) -> None:
    client = world.client(Role.AUDITOR)

    page = words(client.get("/observed/").content)

    assert "This guard does not observe" in page
    assert "this page lists what would have been held" in page
