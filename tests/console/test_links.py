# SPDX-License-Identifier: Apache-2.0
"""The page behind a notice's link: it shows without acting, and acts once."""

import re
from datetime import timedelta

import pytest
from django.test import Client

from tests.console.test_mailings import words
from tests.console.world import SAM, World, address, message, now, outsiders
from undisclosed.console import wiring
from undisclosed.console.postoffice.display import text_of
from undisclosed.guard.notices import person_ref
from undisclosed.store import desk
from undisclosed.store.models import HeldMail, JournalEntry, Role


def state_of(mailing: str) -> str:
    """Where the mailing is."""
    view = desk.mailing(mailing)
    assert view is not None
    return view.state.value


def test_opening_a_link_shows_and_decides_nothing(world: World) -> None:
    everybody = outsiders(9)
    mailing = world.hold(message(everybody))
    browser = Client()

    for _ in range(3):
        answer = browser.get(f"/links/{world.link(mailing)}/")

    page = answer.content.decode()
    assert answer.status_code == 200
    assert "each person would see 8 other addresses." in words(answer.content)
    assert not [each for each in [*everybody, SAM.spelled_out()] if each in page]
    assert state_of(mailing) == "held"


def test_the_link_of_the_notice_leads_to_this_page(world: World) -> None:
    mailing = world.hold(message(outsiders(9)))
    world.deliver()

    [notice] = desk.caught(search=SAM.spelled_out()).items
    mail = desk.caught_mail(notice.caught_id)
    assert mail is not None
    found = re.search(r"http://testserver(/links/[\w.=-]+/)", text_of(mail.content))
    assert found is not None
    answer = Client().get(found[1])

    assert answer.status_code == 200
    assert "Send singly" in words(answer.content)
    assert state_of(mailing) == "held"


@pytest.mark.parametrize(
    ("act", "state"), [("send-singly", "split"), ("withdraw", "withdrawn")]
)
def test_the_sender_decides_once_without_logging_in(
    world: World, act: str, state: str
) -> None:
    mailing = world.hold(message(outsiders(9)))
    token, browser = world.link(mailing), Client()

    first = browser.post(f"/links/{token}/{act}/")
    second = browser.post(f"/links/{token}/{act}/")
    afterwards = browser.get(f"/links/{token}/")

    assert first.status_code == 302
    assert second.status_code == 409
    assert "already decided" in words(second.content)
    assert afterwards.status_code == 200
    assert re.search(r"by you|as you decided", words(afterwards.content))
    assert state_of(mailing) == state


def test_a_link_never_releases_unchanged(world: World) -> None:
    mailing = world.hold(message(outsiders(9)))
    token = world.link(mailing)

    page = Client().get(f"/links/{token}/").content.decode()
    answer = Client().post(f"/links/{token}/release/", {"reason": "I want to."})

    assert "elease" not in page
    assert answer.status_code == 404


@pytest.mark.parametrize("act", ["", "progress/", "send-singly/", "withdraw/"])
@pytest.mark.parametrize(
    ("name", "status"), [("wrong", 404), ("expired", 410), ("destroyed", 410)]
)
def test_a_link_that_is_no_use_says_why(
    world: World, act: str, name: str, status: int
) -> None:
    mailing = world.hold(message(outsiders(9)))
    person = person_ref(wiring.keyed_ids(), SAM)
    sign = wiring.link_signer().sign
    tokens = {
        "wrong": world.link(mailing)[:-3],
        "expired": sign(mailing, person, now() - timedelta(seconds=1)),
        "destroyed": sign("nothing", person, now() + timedelta(days=1)),
    }
    browser = Client()
    open_it = browser.post if act.endswith(("singly/", "withdraw/")) else browser.get

    answer = open_it(f"/links/{tokens[name]}/{act}")

    assert answer.status_code == status
    assert "<h1>" in answer.content.decode()
    assert state_of(mailing) == "held"


def test_a_link_of_another_person_decides_nothing(world: World) -> None:
    mailing = world.hold(message(outsiders(9)))
    token = world.link(mailing, sender=address("sue@council.example"))

    answer = Client().post(f"/links/{token}/send-singly/")

    assert answer.status_code == 404
    assert state_of(mailing) == "held"


def test_the_journal_says_that_it_was_decided_by_link(world: World) -> None:
    mailing = world.hold(message(outsiders(9)))

    Client().post(f"/links/{world.link(mailing)}/withdraw/")

    assert JournalEntry.objects.filter(actor="link").exists()


def test_a_link_asks_for_the_token_of_its_form(world: World) -> None:
    mailing = world.hold(message(outsiders(9)))
    token = world.link(mailing)

    answer = Client(enforce_csrf_checks=True).post(f"/links/{token}/withdraw/")

    assert answer.status_code == 403
    assert "too old" in words(answer.content)
    assert state_of(mailing) == "held"


def test_an_approvers_name_is_not_told_by_a_link(world: World) -> None:
    mailing = world.hold(message(outsiders(9)))
    world.client(Role.SUPERVISOR, name="Olive Marsh").post(
        f"/mailings/{mailing}/send-singly/"
    )

    page = words(Client().get(f"/links/{world.link(mailing)}/").content)

    assert "as an approver decided" in page
    assert "Olive" not in page


def test_send_singly_is_not_offered_by_link_where_it_would_not_help(
    world: World,
) -> None:
    people = outsiders(40)
    body = "These people take part:\n" + "\n".join(people) + "\n"
    mailing = world.hold(message(people[:2], body=body))
    token = world.link(mailing)

    page = words(Client().get(f"/links/{token}/").content)
    answer = Client().post(f"/links/{token}/send-singly/")

    assert "It cannot be sent singly" in page
    assert answer.status_code == 409
    assert state_of(mailing) == "held"


def test_the_sender_is_told_that_it_goes_back_to_them(world: World) -> None:
    mailing = world.hold(message(outsiders(9)))
    auditor = world.client(Role.AUDITOR)

    of_link = words(Client().get(f"/links/{world.link(mailing)}/").content)
    of_other = words(auditor.get(f"/mailings/{mailing}/").content)

    assert "it goes back to you on" in of_link
    assert "its sender" not in of_link
    assert "it goes back to its sender on" in of_other


def test_the_sender_is_told_that_it_was_returned_to_them(world: World) -> None:
    mailing = world.hold(message(outsiders(9)))
    token = world.link(mailing)
    HeldMail.objects.update(state="returned", decided_at=now())

    page = words(Client().get(f"/links/{token}/").content)

    assert "Returned to you on" in page
