# SPDX-License-Identifier: Apache-2.0
"""The milter endpoint: what an MTA hears of each verdict, and when."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import cast

import pytest

from tests.guard.endpoints.deciding import BySubject, Counting, run
from undisclosed.core.address import Address
from undisclosed.core.mail import Envelope, Mail, Recipient
from undisclosed.errors import TransientError
from undisclosed.guard.checkpoint import Checkpoint, CheckpointSettings, Decision
from undisclosed.guard.endpoints.milter import (
    MilterEndpoint,
    MilterSettings,
    as_retried,
)
from undisclosed.transport.milter.events import Client, Message
from undisclosed.transport.milter.settings import MilterServerSettings, TcpSocket
from undisclosed.transport.milter.testing import Answered, FakeMta, Letter
from undisclosed.transport.smtp.limits import Limits

ANYWHERE = TcpSocket("127.0.0.1", 0)


@dataclass
class Deciding(BySubject):
    """By subject; it remembers the digests, too."""

    digests: list[bytes] = field(default_factory=list)

    @property
    def settings(self) -> CheckpointSettings:
        return CheckpointSettings(observe=self.is_observed)

    def hold(self, mail: Mail, decision: Decision) -> str:
        self.digests.append(decision.digest)
        return super().hold(mail, decision)


def letter(
    subject: str, *more: tuple[bytes, bytes], body: bytes = b"Text\r\n"
) -> Letter:
    fields = ((b"From", b" sam@council.example"), (b"Subject", b" " + subject.encode()))
    return Letter(fields=(*fields, *more), body=body)


@asynccontextmanager
async def asked(
    checkpoint: Deciding, limits: Limits | None = None, max_hops: int = 50
) -> AsyncIterator[MilterEndpoint]:
    """A milter endpoint that is serving on a free port."""
    server = MilterServerSettings(limits=limits or Limits())
    endpoint = MilterEndpoint(
        cast(Checkpoint, checkpoint),
        MilterSettings(ANYWHERE, server, max_hops, timedelta(seconds=1)),
        Counting(),
    )
    await endpoint.serve()
    try:
        yield endpoint
    finally:
        await endpoint.close()


def answered(
    letter: Letter,
    checkpoint: Deciding | None = None,
    *,
    actions: int = 0x1FF,
    login: bytes = b"",
    limits: Limits | None = None,
    max_hops: int = 50,
) -> tuple[Answered, Deciding, list[str]]:
    """One mail: the answer, the checkpoint, and what was counted."""
    checkpoint = checkpoint or Deciding()

    async def scenario() -> tuple[Answered, list[str]]:
        async with asked(checkpoint, limits, max_hops) as endpoint:
            mta = await FakeMta.connect(endpoint.port, actions=actions)
            found = await mta.hand_in(letter, login=login)
            mta.close()
            await asyncio.sleep(0.02)
            return found, cast(Counting, endpoint.metrics).counts

    found, counts = run(scenario())
    return found, checkpoint, counts


@pytest.mark.parametrize(
    ("subject", "outcome", "count"),
    [
        pytest.param("accept", "a", "accepted", id="accept"),
        pytest.param("memory accept", "a", "accepted", id="accept by Memory"),
        pytest.param("hold", "d", "held", id="hold"),
        pytest.param("memory hold", "d", "held", id="hold by Memory"),
        pytest.param("split", "d", "held", id="split"),
        pytest.param("reject", "y", "rejected", id="reject"),
        pytest.param("memory away", "y", "refused", id="Memory is away"),
        pytest.param("break", "y", "refused", id="the judge breaks"),
    ],
)
def test_every_verdict_has_its_answer(subject: str, outcome: str, count: str) -> None:
    found, _, counts = answered(letter(subject))

    assert found.outcome == outcome
    assert counts == [count]


def test_a_refusal_says_why_in_several_lines() -> None:
    found, checkpoint, _ = answered(letter("memory reject"))

    assert found.text == (
        "550-5.7.1 Refused, nobody has received it\r\n"
        "550-5.7.1 37 people would see each other.\r\n"
        "550 5.7.1 A recall delivers it again."
    )
    assert checkpoint.settled == [False]


@pytest.mark.parametrize("subject", ["memory away", "break"])
def test_what_is_our_fault_is_for_later(subject: str) -> None:
    found, checkpoint, _ = answered(letter(subject))

    assert found.text.startswith("451 4.3.0 ")
    assert checkpoint.held == []


def test_nothing_is_discarded_that_is_not_committed() -> None:
    found, _, counts = answered(letter("hold"), Deciding(is_spool_away=True))

    assert found.text.startswith("451 4.3.0 ")
    assert counts == ["refused"]


def test_what_is_held_is_the_mail_as_it_was_told() -> None:
    _, checkpoint, _ = answered(letter("hold", (b"X-Folded", b" a\n\tb")))

    (held,) = checkpoint.held
    assert held.content == (
        b"From: sam@council.example\r\nSubject: hold\r\nX-Folded: a\r\n\tb\r\n"
        b"\r\nText\r\n"
    )
    assert held.envelope.rcpt_tos == (Address("ann", "a.example"),)


def test_the_judge_learns_who_handed_the_mail_in() -> None:
    _, checkpoint, _ = answered(letter("accept"), login=b"sam")

    (origin,) = checkpoint.origins
    assert (origin.endpoint, origin.client, origin.login) == (
        "milter",
        "192.0.2.7",
        "sam",
    )


def test_accepted_mail_counts_as_shown_as_nothing_more_is_heard() -> None:
    _, checkpoint, _ = answered(letter("memory accept"))

    assert checkpoint.settled == [True]


BCC = ((b"X-Before", b" 1"), (b"Bcc", b" bob@b.example"), (b"X-After", b" 1"))


def test_fields_that_must_not_travel_are_deleted_at_the_mta() -> None:
    found, _, _ = answered(letter("accept", *BCC))

    assert found.deleted == 1
    names = [name for name, _ in found.fields]
    assert names == [b"From", b"Subject", b"X-Before", b"X-After"]


def test_a_field_that_the_mta_does_not_let_be_deleted_keeps_its_mail_back() -> None:
    found, checkpoint, _ = answered(letter("memory accept", *BCC), actions=0)

    assert found.text.startswith("451 ")
    assert checkpoint.settled == [False]


def test_observed_mail_passes_unchanged() -> None:
    found, checkpoint, counts = answered(
        letter("memory reject", *BCC), Deciding(is_observed=True)
    )

    assert (found.outcome, found.deleted) == ("a", 0)
    assert checkpoint.held == []
    assert counts == ["accepted"]


SMALL = Limits(max_size=400)


@pytest.mark.parametrize(
    ("letter", "code"),
    [
        pytest.param(letter("accept", body=b"x" * 500 + b"\r\n"), "552", id="size"),
        pytest.param(letter("accept", body=b"a\rb\r\n"), "554", id="a bare CR"),
        pytest.param(
            Letter(rcpts=((b"<ann@",),), fields=((b"Subject", b" accept"),)),
            "501",
            id="a recipient that cannot be read",
        ),
        pytest.param(letter("accept", *[(b"Received", b" x")] * 9), "554", id="loop"),
        pytest.param(
            Letter(rcpts=(), fields=((b"Subject", b" accept"),)),
            "554",
            id="no recipients",
        ),
    ],
)
def test_what_cannot_be_judged_is_refused_and_observed_mail_passes(
    letter: Letter, code: str
) -> None:
    refused, _, counts = answered(letter, limits=SMALL, max_hops=8)
    observed, _, passed = answered(
        letter, Deciding(is_observed=True), limits=SMALL, max_hops=8
    )

    assert refused.text[:3] == code
    assert counts == ["refused"]
    assert observed.outcome == "a"
    assert passed == ["accepted"]


def test_observed_mail_passes_where_the_judge_breaks() -> None:
    found, _, _ = answered(letter("break"), Deciding(is_observed=True))

    assert found.outcome == "a"


def test_mail_that_the_mta_gives_up_is_not_held_and_not_shown() -> None:
    checkpoint = Deciding()
    checkpoint.slow.clear()

    async def scenario() -> None:
        async with asked(checkpoint) as endpoint:
            mta = await FakeMta.connect(endpoint.port)
            await mta.begin(letter("memory hold"))
            mta.say("E", b"")
            while not checkpoint.judged:
                await asyncio.sleep(0.005)
            mta.close()
            await asyncio.sleep(0.05)
            checkpoint.slow.set()
            while not checkpoint.settled:
                await asyncio.sleep(0.005)

    run(scenario())

    assert checkpoint.held == []
    assert checkpoint.settled == [False]


def test_a_place_that_cannot_be_settled_is_logged_and_costs_no_mail(
    caplog: pytest.LogCaptureFixture,
) -> None:
    class Unsettled(Deciding):
        def settle(self, decision: Decision, shown: bool) -> None:
            raise TransientError("Memory is away.")

    found, _, _ = answered(letter("memory accept"), Unsettled())

    assert found.outcome == "a"
    assert "not settled: TransientError" in caplog.text


def test_several_connections_are_judged_at_once() -> None:
    checkpoint = Deciding()
    checkpoint.slow.clear()

    async def scenario() -> list[str]:
        async with asked(checkpoint) as endpoint:
            slow, quick = [await FakeMta.connect(endpoint.port) for _ in range(2)]
            waiting = asyncio.create_task(slow.hand_in(letter("memory hold")))
            first = await quick.hand_in(letter("accept"))
            checkpoint.slow.set()
            second = await waiting
            slow.close()
            quick.close()
            return [first.outcome, second.outcome]

    assert run(scenario()) == ["a", "d"]


def test_no_address_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    answered(letter("break"))
    answered(letter("memory accept", *BCC), actions=0)

    assert caplog.records
    assert "@" not in caplog.text


# A retry.


def message(identifier: str, queue_id: str, date: str = "Mon") -> Message:
    fields = (
        b"From: sam@council.example\r\n",
        f"Date: {date}\r\n".encode(),
        f"Message-Id: {identifier}\r\n".encode(),
    )
    fields = fields if identifier else fields[:2]
    content = b"".join(fields) + b"\r\nText\r\n"
    envelope = Envelope(None, (Recipient(Address("ann", "a.example")),))
    return Message(Mail(envelope, content), Client(queue_id=queue_id), fields)


def test_a_message_id_that_the_mta_made_is_not_compared_and_the_date_is() -> None:
    one = message("<20260302.4ABCDEF01@mta.council.example>", "4ABCDEF01")
    again = message("<20260302.4ABCDEF99@mta.council.example>", "4ABCDEF99")
    later = message("<20260302.4ABCDEF99@mta.council.example>", "4ABCDEF99", "Tue")

    assert as_retried(one) == as_retried(again) != as_retried(later)
    assert as_retried(one).content == (
        b"From: sam@council.example\r\nDate: Mon\r\n\r\nText\r\n"
    )


@pytest.mark.parametrize(
    ("identifier", "queue_id"),
    [
        pytest.param("<1@client.example>", "4ABCDEF01", id="the client's own"),
        pytest.param("<1.x@client.example>", "x", id="too short a name"),
        pytest.param("<1.@client.example>", "", id="no name"),
    ],
)
def test_a_message_id_of_the_client_is_compared_and_the_date_is_not(
    identifier: str, queue_id: str
) -> None:
    one, later = (message(identifier, queue_id, date) for date in ("Mon", "Tue"))
    other = message("<2@client.example>", queue_id)

    assert as_retried(one) == as_retried(later) != as_retried(other)


def test_without_a_message_id_every_byte_is_compared() -> None:
    one = message("", "4ABCDEF01")

    assert as_retried(one) is one.mail


def test_a_retry_of_a_local_program_has_the_same_digest() -> None:
    checkpoint = Deciding()

    async def scenario() -> None:
        async with asked(checkpoint) as endpoint:
            mta = await FakeMta.connect(endpoint.port)
            for queue_id in (b"4ABCDEF01", b"4ABCDEF02"):
                made = b" <20260302." + queue_id + b"@mta.council.example>"
                again = letter("memory hold", (b"Message-Id", made))
                await mta.hand_in(again, queue_id=queue_id)
            await mta.hand_in(letter("memory hold", (b"Message-Id", b" <1@x.example>")))
            mta.close()

    run(scenario())

    first, second, other = checkpoint.digests
    assert first == second
    assert other not in (first, b"")
