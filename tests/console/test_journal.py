# SPDX-License-Identifier: Apache-2.0
"""The page of the journal: reading, narrowing, names, verifying, downloading."""

import json
import re
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import psycopg
import pytest

from tests.console.test_accounts import LOGIN, PASSWORD
from tests.console.test_mailings import words
from tests.console.test_second_factors import left_alone
from tests.console.world import World, now
from undisclosed.console import wiring
from undisclosed.store import journal, pseudonyms, sealing, verifier, verifying
from undisclosed.store.database import transaction
from undisclosed.store.models import Account, JournalEntry, Role

NORTH, MAILING = "00112233445566778899aabbccddeeff", "0a1b2c3d4e5f60718293a4b5"
READERS = {Role.DPO, Role.AUDITOR, Role.ADMINISTRATOR}


def acts(world: World) -> Account:
    """Sam did this and that."""
    sam = world.account(Role.SENDER, login="sam@council.example", name="Sam Holt")
    journal.write("list exported", actor=str(sam.pk), list=NORTH, rows=3)
    journal.write("mail held", actor="guard", mailing=MAILING, people=40)
    journal.write("team member set", actor="guard", account=str(sam.pk))
    return sam


def entries_on(page: bytes) -> list[str]:
    """The events on a page, from its top."""
    return re.findall(r'<span class="what">([^<]*)</span>', page.decode())


def test_entries_stand_there_newest_first(world: World) -> None:
    acts(world)

    page = world.client(Role.AUDITOR).get("/journal/").content

    assert entries_on(page) == ["team member set", "mail held", "list exported"]


@pytest.mark.parametrize("role", list(Role))
def test_only_who_may_reads_it(world: World, role: Role) -> None:
    status = world.client(role).get("/journal/").status_code

    assert status == (200 if role in READERS else 403)


def test_people_are_named_for_an_auditor(world: World) -> None:
    acts(world)

    said = words(world.client(Role.AUDITOR).get("/journal/").content)

    assert f"by Sam Holt · list: {NORTH} · rows: 3" in said
    assert "account: Sam Holt" in said


def test_an_administrator_sees_that_it_was_a_person(world: World) -> None:
    acts(world)

    browser = world.client(Role.ADMINISTRATOR)
    said = words(browser.get("/journal/").content)

    number = pseudonyms.every()[0].number
    assert re.search(rf"by a person of epoch {number} \([0-9a-f]{{6}}\)", said)
    assert "Sam Holt" not in said


def test_an_administrator_does_not_look_for_a_person(world: World) -> None:
    sam = acts(world)

    answer = world.client(Role.ADMINISTRATOR).get("/journal/", {"who": str(sam.pk)})

    assert answer.status_code == 400
    assert entries_on(answer.content) == []
    assert "pseudonym read" not in world.events()


def test_once_the_key_is_gone_nobody_is_named(world: World) -> None:
    acts(world)
    number = pseudonyms.every()[0].number
    with transaction() as connection:
        pseudonyms.destroy(connection, number, now() + timedelta(days=200))

    said = words(world.client(Role.AUDITOR).get("/journal/").content)

    assert f"by a person of epoch {number}" in said
    assert "by Sam Holt" not in said and "account: Sam Holt" not in said


def test_looking_for_one_person_finds_their_acts_and_is_written_down(
    world: World,
) -> None:
    sam = acts(world)
    browser = world.client(Role.AUDITOR)

    page = browser.get("/journal/", {"who": str(sam.pk)})
    noted = world.events().count("pseudonym read")
    browser.get("/journal/", {"who": str(sam.pk), "before": str(2**62)})

    assert entries_on(page.content) == ["list exported"]
    assert world.events()[-1] == "pseudonym read"
    assert (noted, world.events().count("pseudonym read")) == (1, 2)


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ({"event": "mail held"}, ["mail held"]),
        ({"who": "guard"}, ["team member set", "mail held"]),
        ({"subject": NORTH}, ["list exported"]),
        ({"day": "2020-01-01"}, []),
        ({"who": "guard", "event": "mail held", "subject": MAILING}, ["mail held"]),
    ],
    ids=["event", "part", "subject", "day", "all of it"],
)
def test_it_is_narrowed(world: World, asked: dict[str, str], found: list[str]) -> None:
    acts(world)

    page = world.client(Role.AUDITOR).get("/journal/", asked)

    assert entries_on(page.content) == found


@pytest.mark.parametrize(
    "asked",
    [
        {"event": "no such event"},
        {"day": "yesterday"},
        {"subject": '"] || true'},
        {"subject": "ann@a.example"},
        {"subject": "accept"},
    ],
    ids=["event", "day", "path", "address", "word"],
)
def test_what_cannot_be_asked_is_said(world: World, asked: dict[str, str]) -> None:
    acts(world)

    page = world.client(Role.AUDITOR).get("/journal/", asked)

    assert page.status_code == 400
    assert 'class="error"' in page.content.decode()


@pytest.mark.parametrize("asked", ["x", "-1", "9" * 40, "1.5", "½"])
def test_a_page_that_is_none_is_the_first(world: World, asked: str) -> None:
    acts(world)
    browser = world.client(Role.AUDITOR)

    for name in ("before", "after"):
        assert browser.get("/journal/", {name: asked}).status_code == 200


def test_pages_lead_to_older_and_to_newer_entries(world: World) -> None:
    for number in range(120):
        journal.write("mail held", actor="guard", number=number)
    browser = world.client(Role.AUDITOR)

    first = browser.get("/journal/?event=mail+held").content.decode()
    older = re.search(r'rel="next" href="([^"]*)"', first)
    assert older is not None
    second = browser.get(f"/journal/{older[1].replace('&amp;', '&')}").content.decode()
    newer = re.search(r'rel="prev" href="([^"]*)"', second)
    assert newer is not None
    back = browser.get(f"/journal/{newer[1].replace('&amp;', '&')}").content.decode()

    def numbers(page: str) -> list[int]:
        return [int(one) for one in re.findall(r"number: (\d+)", page)]

    assert numbers(first) == numbers(back) == list(range(119, 69, -1))
    assert numbers(second) == list(range(69, 19, -1))
    assert 'rel="prev"' not in first


def test_a_fact_leads_to_all_that_is_about_the_same(world: World) -> None:
    acts(world)
    browser = world.client(Role.AUDITOR)

    page = browser.get("/journal/?event=mail+held").content.decode()

    assert f'href="?subject={MAILING}"' in page
    assert entries_on(browser.get(f"/journal/?subject={MAILING}").content) == [
        "mail held"
    ]


def test_the_number_of_queries_does_not_grow_with_the_people(
    world: World, django_queries: "list[str]"
) -> None:
    browser = world.client(Role.AUDITOR)
    acts(world)
    django_queries.clear()
    browser.get("/journal/")
    few = len(django_queries)
    for _ in range(40):
        journal.write("mail held", actor=str(Account.objects.get(name="Sam Holt").pk))

    django_queries.clear()
    browser.get("/journal/")

    assert 0 < len(django_queries) <= few


@pytest.fixture
def django_queries(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The queries of the store's own connections, as they are put."""
    from undisclosed.store.database import Connection

    asked: list[str] = []
    run = Connection.run

    def counted(self: Connection, query: str, values: object = ()) -> object:
        asked.append(query)
        return run(self, query, values)  # type: ignore[arg-type]

    monkeypatch.setattr(Connection, "run", counted)
    return asked


def test_it_says_how_far_it_is_sealed_and_was_verified(world: World) -> None:
    acts(world)
    sealing.seal(now())
    browser = world.client(Role.AUDITOR)

    before = words(browser.get("/journal/").content)
    answer = browser.post("/journal/verify/")
    after = words(browser.get("/journal/").content)

    assert "Sealed until entry 3" in before
    assert "It was not verified on this page yet." in before
    assert sealing.head() in before
    assert answer["Location"] == "/journal/"
    assert "3 sealed entries, and everything holds." in after
    assert "2 entries wait to be sealed." in after


def test_a_journal_that_was_changed_is_said_to_be(
    world: World, superuser: "psycopg.Connection[tuple[object, ...]]"
) -> None:
    acts(world)
    sealing.seal(now())
    superuser.execute("UPDATE store_journalentry SET facts = '{}' WHERE id = 2")
    browser = world.client(Role.AUDITOR)

    browser.post("/journal/verify/")
    said = words(browser.get("/journal/").content)

    assert "this journal was changed" in said
    assert "An entry of batch 1 was changed." in said


def test_certificates_that_cannot_be_read_are_said(
    world: World, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    acts(world)
    sealing.seal(now())
    settings = wiring.settings()
    authority = replace(settings.journal, timestamp_ca=tmp_path / "missing.pem")
    monkeypatch.setattr(
        wiring, "settings", lambda: replace(settings, journal=authority)
    )

    answer = world.client(Role.AUDITOR).post("/journal/verify/", follow=True)

    assert "the file that journal.timestamp_ca names cannot be read" in words(
        answer.content
    )


@pytest.fixture
def superuser(world: World) -> "psycopg.Connection[tuple[object, ...]]":
    """Somebody with all rights in the database, whom no trigger stops."""
    connection = psycopg.connect(world.database.url, autocommit=True)
    connection.execute("SET session_replication_role = replica")
    yield connection  # type: ignore[misc]
    connection.close()


def test_a_long_one_is_verified_by_a_worker(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    acts(world)
    sealing.seal(now())
    monkeypatch.setattr(verifying, "AT_ONCE", 2)
    browser = world.client(Role.AUDITOR)

    browser.post("/journal/verify/")
    waits = words(browser.get("/journal/").content)
    done = verifying.verify_wanted(wiring.settings(), now())
    idle = verifying.verify_wanted(wiring.settings(), now())

    assert "It is being verified by a worker." in waits
    assert (done, idle) == (True, False)
    assert "everything holds" in words(browser.get("/journal/").content)


def test_a_head_that_was_noted_has_to_be_there(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    acts(world)
    sealing.seal(now())
    heads = wiring.settings().store.data / verifying.HEADS
    heads.write_text(f"2026-01-01 {'ab' * 32}\n", encoding="ascii")
    browser = world.client(Role.AUDITOR)

    try:
        browser.post("/journal/verify/")
    finally:
        heads.unlink()

    assert "that was noted is not in this journal" in words(
        browser.get("/journal/").content
    )


def test_what_is_downloaded_holds_for_the_stand_alone_verifier(world: World) -> None:
    acts(world)
    sealing.seal(now())
    browser = world.client(Role.AUDITOR)

    answer = browser.post("/journal/download/")
    text = b"".join(answer.streaming_content).decode()  # type: ignore[attr-defined]
    found = verifier.verify(verifier.read(text.splitlines()))

    assert (found.entries, found.unsealed, found.faults) == (3, 1, [])
    assert json.loads(text.splitlines()[-1])["event"] == "journal exported"
    assert "attachment" in answer["Content-Disposition"]
    assert "@" not in text


def test_downloading_is_asked_again(world: World) -> None:
    from django.test import Client

    account = world.account(Role.AUDITOR)
    account.set_password(PASSWORD)
    account.save()
    browser = Client()
    browser.post("/log-in/", LOGIN)
    left_alone(browser)

    assert browser.post("/journal/download/").status_code == 302
    assert "journal exported" not in world.events()


def test_the_verifier_is_the_one_that_the_command_prints(world: World) -> None:
    import inspect

    answer = world.client(Role.ADMINISTRATOR).get("/journal/verifier.py")

    assert answer.content.decode() == inspect.getsource(verifier)


def test_the_seals_of_days_are_listed(world: World) -> None:
    acts(world)
    yesterday = now() - timedelta(days=2)
    sealing.seal(yesterday)
    sealing.seal(now())

    page = world.client(Role.AUDITOR).get("/journal/days/").content.decode()

    assert f"?day={yesterday:%Y-%m-%d}" in page
    assert "3 entries" in words(page.encode())


def test_no_address_is_on_any_page_of_it(world: World) -> None:
    acts(world)
    journal.write("odd", actor="guard", said="ann@a.example")
    sealing.seal(now())
    browser = world.client(*Role)

    for path in ("/journal/", "/journal/days/", "/journal/?event=odd"):
        assert "@" not in browser.get(path).content.decode()


def test_reading_it_changes_nothing(world: World) -> None:
    acts(world)
    before = JournalEntry.objects.count()

    world.client(Role.AUDITOR).get("/journal/?who=guard&event=mail+held")

    assert JournalEntry.objects.count() == before


@pytest.mark.parametrize(
    ("role", "said"),
    [
        (Role.AUDITOR, "because: … wrote it."),
        (Role.ADMINISTRATOR, "because: (in their own words)"),
    ],
)
def test_what_people_wrote_is_read_by_who_may_name_them(
    world: World, role: Role, said: str
) -> None:
    sam = world.account(Role.SENDER, login="sam@council.example", name="Sam Holt")
    wrote = "ann@a.example wrote it."
    journal.write("campaign reject", actor=str(sam.pk), campaign="c", because=wrote)

    page = words(world.client(role).get("/journal/").content)

    assert said in page
    assert "@" not in page
