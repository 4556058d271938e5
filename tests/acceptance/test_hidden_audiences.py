# SPDX-License-Identifier: Apache-2.0
"""Who was hidden once stays hidden: IICSA, Highland and Boston through the endpoint.

Each case comes twice: as it was, with the whole list, and with so few people that
only Memory can object.
"""

import json
import secrets
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import timedelta

import pytest

from tests.acceptance.running_guard import NOON, OWN_DOMAIN, RunningGuard
from tests.guard.memory_contract import WINDOW, asking
from undisclosed.console.wiring import keyed_ids, memory, spool
from undisclosed.core.address import Address
from undisclosed.core.known import HiddenAudience
from undisclosed.core.policy import DistributionList, Policy
from undisclosed.guard import desk
from undisclosed.store.models import HeldMail
from undisclosed.transport.smtp.testing import Script

SENDER = f"inquiry@{OWN_DOMAIN}"
SECRETARY = f"secretary@{OWN_DOMAIN}"
VICTIMS = tuple(f"p{n}@home{n}.example" for n in range(90))
STRANGERS = tuple(f"s{n}@house{n}.example" for n in range(9))
MONTH = timedelta(days=30)
NUMBERS = iter(range(10**6))
LETTERS = str.maketrans("0123456789", "ghijklmnop")


@pytest.fixture
def guard(database: object) -> Iterator[RunningGuard]:
    """The guard of an authority."""
    with RunningGuard() as running:
        yield running


def letter(
    shown: Sequence[str],
    *,
    field: str = "To",
    author: str = SENDER,
    text: str = "",
) -> bytes:
    """A mail that shows these people; its text is its own unless it is given."""
    number = next(NUMBERS)
    # Numbers count alike: a text of its own has words of its own.
    words = text or " ".join(secrets.token_hex(6).translate(LETTERS) for _ in range(40))
    others = f"{field}: {', '.join(shown)}\r\n" if shown else ""
    to_self = f"To: {SECRETARY}\r\n" if field != "To" or not shown else ""
    return (
        f"From: {author}\r\n{to_self}{others}Subject: Letter {number}\r\n"
        f"Message-ID: <{number}@{OWN_DOMAIN}>\r\n\r\n{words}\r\n"
    ).encode()


def is_held(guard: RunningGuard, shown: Sequence[str], **more: str) -> bool:
    """Hand in a mail that shows its recipients; whether it was held."""
    author = more.get("author", SENDER)
    code, text = guard.send(author, shown, letter(shown, **more))
    assert code == 250, text
    return "Held" in text


def hide(guard: RunningGuard, people: Sequence[str] = VICTIMS) -> None:
    """Write to people in Bcc, as it should be done."""
    code, text = guard.send(SENDER, people, letter(()))
    assert (code, "Held" in text) == (250, False), text


def rules() -> list[list[str]]:
    """The rules that objected to each held mail, the oldest first."""
    findings = HeldMail.objects.order_by("received_at").values_list(
        "findings", flat=True
    )
    return [[finding["rule"] for finding in each] for each in findings]


def test_iicsa_the_correction_to_an_audience_in_bcc_is_held(
    guard: RunningGuard,
) -> None:
    hide(guard)

    guard.clock.advance(timedelta(minutes=5))
    assert is_held(guard, VICTIMS)
    guard.clock.advance(timedelta(minutes=5))
    assert is_held(guard, VICTIMS[40:44])  # no limit would hold four

    assert rules() == [["shown-outsiders", "hidden-audience"], ["hidden-audience"]]
    assert len(guard.hop.taken) == 1


def test_iicsa_a_reply_to_all_of_them_and_two_more_is_held(guard: RunningGuard) -> None:
    hide(guard)

    assert is_held(guard, (*VICTIMS, "x@x.example", "y@y.example"), field="Cc")
    assert is_held(guard, (*VICTIMS[:3], "x@x.example", "y@y.example"), field="Cc")


def test_iicsa_a_storm_of_39_replies_to_all_is_held_one_by_one(
    guard: RunningGuard,
) -> None:
    hide(guard)
    storm = [VICTIMS[n % 22] for n in range(39)]

    held = [
        is_held(guard, [one for one in VICTIMS if one != author], author=author)
        for author in storm
    ]
    few = [
        is_held(guard, [one for one in VICTIMS[22:26] if one != author], author=author)
        for author in storm
    ]

    assert held == [True] * 39
    assert few == [True] * 39
    assert len(guard.hop.taken) == 1


def test_highland_a_list_copied_out_of_an_old_group_mail_is_held(
    guard: RunningGuard,
) -> None:
    patients = VICTIMS[:37]
    assert is_held(guard, patients, field="Cc")
    hold_id = HeldMail.objects.get().id
    by = desk.Actor("clerk", frozenset({Address("inquiry", OWN_DOMAIN)}))
    desk.send_singly(
        spool(), memory(), hold_id, guard.policy, by, NOON, name=keyed_ids()
    )

    guard.clock.advance(6 * MONTH)
    assert is_held(guard, patients, field="Cc")
    assert is_held(guard, patients[7:11], field="Cc", author=SECRETARY)

    assert rules()[-1] == ["hidden-audience"]
    assert guard.hop.taken == []


def test_highland_the_quoted_list_of_an_old_mail_is_held_for_one_reader(
    guard: RunningGuard,
) -> None:
    hide(guard)
    quoted = (
        "See below.\r\n\r\n-----Original Message-----\r\nFrom: The clinic\r\n"
        f"Sent: Monday\r\nTo: {'; '.join(VICTIMS[5:8])}\r\nSubject: Group\r\n\r\nHello"
    )

    code, text = guard.send(
        SENDER, STRANGERS[:1], letter(STRANGERS[:1], text=f"{quoted}\r\n")
    )

    assert (code, "Held" in text) == (250, True), text


def test_boston_the_repair_of_a_failed_send_is_held(database: object) -> None:
    readers = tuple(f"r{n}@reader{n}.example" for n in range(598))
    with RunningGuard(script=Script(final="451 4.3.0 Later")) as guard:
        code, _ = guard.send(SENDER, readers, letter(()))
        assert code == 451

        guard.clock.advance(timedelta(hours=1))
        assert is_held(guard, readers, field="Cc")
        assert is_held(guard, readers[500:503], field="Cc")


def test_as_few_strangers_who_were_never_hidden_pass(guard: RunningGuard) -> None:
    hide(guard)

    assert not is_held(guard, STRANGERS[:4])
    assert not is_held(guard, (*VICTIMS[:2], *STRANGERS[:2]))
    assert not is_held(guard, VICTIMS[:1])


def test_two_of_a_sensitive_list_are_enough(database: object) -> None:
    members = tuple(Address(*one.split("@")) for one in VICTIMS[:9])
    sensitive = DistributionList(members, is_sensitive=True)
    lists = {Address("clinic", OWN_DOMAIN): sensitive}
    policy = Policy(own_domains=frozenset({OWN_DOMAIN}), lists=lists)
    with RunningGuard(policy) as guard:
        hide(guard, VICTIMS[:9])

        assert is_held(guard, VICTIMS[:2])


def test_three_of_a_confidential_list_are_held_although_nobody_wrote_to_it(
    database: object,
) -> None:
    members = tuple(Address(*one.split("@")) for one in VICTIMS)
    confidential = DistributionList(members, is_confidential=True)
    lists = {Address("readers", OWN_DOMAIN): confidential}
    policy = Policy(own_domains=frozenset({OWN_DOMAIN}), lists=lists)
    with RunningGuard(policy) as guard:
        assert is_held(guard, VICTIMS[:3])
        assert not is_held(guard, (*VICTIMS[:2], *STRANGERS[:2]))


def test_colleagues_of_one_organisation_may_be_written_to_together(
    guard: RunningGuard,
) -> None:
    firm = tuple(f"c{n}@firm.example" for n in range(8))
    hide(guard, (*firm, *VICTIMS))

    assert not is_held(guard, firm)


def test_a_sender_cannot_learn_who_stands_on_a_list(guard: RunningGuard) -> None:
    """What is told of a held mail depends on what its sender wrote, and on no list."""
    hide(guard, (*VICTIMS[:50], *STRANGERS[5:]))
    probes = {
        "three of one list": (*VICTIMS[:3], *STRANGERS[:2]),
        "five of one list": VICTIMS[:5],
        "four and one": (*VICTIMS[:4], *STRANGERS[:1]),
    }

    replies = [guard.send(SENDER, shown, letter(shown))[1] for shown in probes.values()]

    assert len({reply.split()[1] for reply in replies}) == 1  # the rest is an id
    told = {
        (hold.people, hold.disclosures, json.dumps(hold.findings, sort_keys=True))
        for hold in HeldMail.objects.all()
    }
    assert len(told) == 1
    assert "hidden" not in " ".join(finding_texts())


def finding_texts() -> list[str]:
    """What people read about the held mails."""
    found = HeldMail.objects.values_list("findings", flat=True)
    return [finding["text"] for each in found for finding in each]


def test_memory_answers_with_those_who_were_asked_about_only(
    guard: RunningGuard,
) -> None:
    """No answer of Memory names anybody whom the mail itself does not name."""
    hide(guard)
    asked = frozenset(Address(*one.split("@")) for one in VICTIMS[:3])
    wave = replace(asking("probe", range(3)), people=asked, audience=asked)

    known = memory().reserve(wave, window=WINDOW, now=NOON).known

    assert known.hidden == (HiddenAudience(asked),)
