# SPDX-License-Identifier: Apache-2.0
"""What a careless or hostile sender tries on a running guard, and how it is refused."""

import re
import socket
from collections.abc import Iterator

import pytest

from tests.acceptance.running_guard import OWN_DOMAIN, RunningGuard
from undisclosed.core.policy import Policy
from undisclosed.store.models import HeldMail

SENDER = f"sam@{OWN_DOMAIN}"
TEXT = "The appointments of this month have moved to the annex behind the library."


@pytest.fixture
def guard(database: object) -> Iterator[RunningGuard]:
    """A guard of the authority over an empty store."""
    policy = Policy(own_domains=frozenset({OWN_DOMAIN}))
    with RunningGuard(policy) as running:
        yield running


def _people(number: int, first: int = 0) -> list[str]:
    return [f"p{n}@home{n}.example" for n in range(first, first + number)]


def _mail(to: str, *fields: str, text: str = TEXT) -> bytes:
    lines = [f"From: {SENDER}", f"To: {to}", "Subject: Appointments", *fields]
    return "\r\n".join([*lines, "", text, ""]).encode()


def _is_held(reply: tuple[int, str]) -> bool:
    return reply[0] == 250 and "Held" in reply[1]


def test_batches_that_come_one_recipient_at_a_time_add_up(guard: RunningGuard) -> None:
    first, second = _people(5), _people(5, first=5)

    before = [guard.send(SENDER, [one], _mail(", ".join(first))) for one in first]
    after = [guard.send(SENDER, [one], _mail(", ".join(second))) for one in second]

    assert not any(map(_is_held, before))
    assert all(map(_is_held, after))


@pytest.mark.parametrize("spell", ["{0}%{1}@{2}", "{1}!{0}@{2}"], ids=["%", "!"])
def test_recipients_routed_through_the_own_domain_are_outsiders(
    guard: RunningGuard, spell: str
) -> None:
    routed = [spell.format(*one.split("@"), OWN_DOMAIN) for one in _people(9)]

    reply = guard.send(SENDER, routed, _mail(", ".join(routed)))

    assert _is_held(reply)
    assert guard.hop.taken == []


def test_a_header_too_long_to_read_is_held_for_a_single_recipient(
    guard: RunningGuard,
) -> None:
    people = _people(9)
    filler = [f"X-Filler-{number}: x" for number in range(200_000)]

    mail = _mail(people[0], *filler, f"Cc: {', '.join(people)}")
    reply = guard.send(SENDER, people[:1], mail)

    assert _is_held(reply)
    assert guard.hop.taken == []


@pytest.mark.parametrize(
    "field",
    [
        "References: <{}>",
        "List-Unsubscribe: <mailto:leave-{}@list.example>",
        "X-Loop: {}",
        "Received: from a.example by b.example id {}",
    ],
    ids=lambda field: field.partition(":")[0],
)
def test_a_private_copy_names_nobody_in_a_field_that_is_not_read_as_people(
    guard: RunningGuard, field: str
) -> None:
    people = _people(9)
    named = people[3].replace("@", "=") if "leave-" in field else people[3]

    reply = guard.send(SENDER, people, _mail(", ".join(people), field.format(named)))

    assert _is_held(reply)
    hold = HeldMail.objects.get()
    assert hold.singly_refused is None
    assert hold.viewers == 9


@pytest.mark.parametrize("sequence", [b"\n.\n", b"\n.\r\n", b"\r.\r", b"\r\n.\n"])
def test_a_second_mail_is_not_smuggled_inside_a_first(
    guard: RunningGuard, sequence: bytes
) -> None:
    people = ", ".join(_people(9))
    inner = (
        f"MAIL FROM:<{SENDER}>\r\nRCPT TO:<p0@home0.example>\r\nDATA\r\n"
        f"From: {SENDER}\r\nTo: {people}\r\n\r\nHello.\r\n"
    ).encode()

    with socket.create_connection(("127.0.0.1", guard.port), 30) as client:
        client.sendall(
            b"EHLO c.example\r\nMAIL FROM:<"
            + SENDER.encode()
            + b">\r\nRCPT TO:<p0@home0.example>\r\nDATA\r\n"
            + b"From: x\r\n\r\nHello."
            + sequence
            + inner
            + b"\r\n.\r\nQUIT\r\n"
        )
        heard = b"".join(iter(lambda: client.recv(65_536), b""))

    assert re.search(rb"(?m)^5\d\d ", heard)
    assert guard.hop.taken == []
