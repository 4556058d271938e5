# SPDX-License-Identifier: Apache-2.0
"""Many messages over one connection: each answered for, none twice, none unseen."""

import asyncio

import pytest

from tests.transport.smtp.talking import run
from undisclosed.transport.smtp.bulk import Handed, Outcome, Parcel, Stream
from undisclosed.transport.smtp.client import ClientSettings, connect
from undisclosed.transport.smtp.testing import EVERYTHING, FakeHop, Fault, Script

NO_PIPELINING = tuple(word for word in EVERYTHING if word != "PIPELINING")


def parcel(number: int) -> Parcel:
    return Parcel(
        number,
        b"MAIL FROM:<r%d@council.example>\r\n" % number,
        b"RCPT TO:<p%d@a.example>\r\n" % number,
        b"Subject: %d\r\n\r\n..dot\r\n.\r\n" % number,
    )


def streamed(
    count: int, script: Script | None = None, offers: tuple[str, ...] = EVERYTHING
) -> tuple[list[Outcome], FakeHop]:
    """Send so many over one connection; what was told, in its order."""

    async def scenario() -> tuple[list[Outcome], FakeHop]:
        async with FakeHop(offers, script) as hop:
            settings = ClientSettings("127.0.0.1", hop.port, "guard.test")
            connection = await connect(settings)
            waiting = [parcel(number) for number in range(count, 0, -1)]
            outcomes: list[Outcome] = []
            over = asyncio.Event()
            Stream(
                connection,
                lambda: waiting.pop() if waiting else None,
                outcomes.append,
                over.set,
            ).start()
            await asyncio.wait_for(over.wait(), 20)
            connection.quit()
            return outcomes, hop

    return run(scenario())


@pytest.mark.parametrize("offers", [EVERYTHING, NO_PIPELINING], ids=["piped", "plain"])
def test_every_message_is_taken_in_a_transaction_of_its_own(offers) -> None:
    outcomes, hop = streamed(50, offers=offers)

    assert [one.number for one in outcomes] == list(range(1, 51))
    assert {one.handed for one in outcomes} == {Handed.ANSWERED}
    assert [taken.rcpts for taken in hop.taken] == [
        (b"RCPT TO:<p%d@a.example>" % number,) for number in range(1, 51)
    ]
    assert hop.taken[0].content == b"Subject: 1\r\n\r\n.dot\r\n"
    assert hop.violations == []
    assert hop.connections == 1


@pytest.mark.parametrize("offers", [EVERYTHING, NO_PIPELINING], ids=["piped", "plain"])
def test_what_comes_later_leaves_behind_what_is_not_answered_yet(offers) -> None:
    async def scenario() -> tuple[list[int], FakeHop]:
        async with FakeHop(offers, Script(delay=0.01)) as hop:
            settings = ClientSettings("127.0.0.1", hop.port, "guard.test")
            connection = await connect(settings)
            waiting, numbers = [parcel(1)], []
            over = asyncio.Event()

            def done(outcome: Outcome) -> None:
                numbers.append(outcome.number)

            stream = Stream(
                connection,
                lambda: waiting.pop(0) if waiting else None,
                done,
                over.set,
            )
            stream.start()
            stream.go_on()  # while the first is being asked for: nothing happens
            waiting += [parcel(2), parcel(3)]
            while not hop.taken:
                await asyncio.sleep(0.001)
            stream.go_on()
            await asyncio.wait_for(over.wait(), 20)
            stream.go_on()  # it is over
            connection.quit()
            return numbers, hop

    numbers, hop = run(scenario())

    assert numbers == [1, 2, 3]
    assert hop.violations == []
    assert hop.connections == 1


def test_nothing_to_send_ends_at_once() -> None:
    outcomes, hop = streamed(0)

    assert (outcomes, hop.taken) == ([], [])


@pytest.mark.parametrize("offers", [EVERYTHING, NO_PIPELINING], ids=["piped", "plain"])
def test_a_refused_recipient_does_not_stop_the_others(offers) -> None:
    script = Script(rcpts={"p2": "550 5.1.1 No such user", "p4": "451 4.2.1 Later"})

    outcomes, hop = streamed(5, script, offers)

    assert [(one.number, one.reply.code) for one in outcomes] == [
        (1, 250), (2, 550), (3, 250), (4, 451), (5, 250),
    ]  # fmt: skip
    assert {one.handed for one in outcomes} == {Handed.ANSWERED}
    # This hop says 354 to an empty transaction, too, which is then given up.
    assert [taken.rcpts[0] for taken in hop.taken if taken.rcpts] == [
        b"RCPT TO:<p1@a.example>", b"RCPT TO:<p3@a.example>",
        b"RCPT TO:<p5@a.example>",
    ]  # fmt: skip
    assert hop.violations == []


def test_a_refused_sender_is_told_for_each_message() -> None:
    outcomes, hop = streamed(3, Script(mail="550 5.7.1 Not from here"))

    assert [(one.handed, one.reply.code) for one in outcomes] == [
        (Handed.ANSWERED, 550)
    ] * 3
    assert all(not taken.content for taken in hop.taken)


@pytest.mark.parametrize(
    ("final", "is_failed"),
    [("250 2.0.0 OK", False), ("451 4.2.1 Later", False), ("554 5.6.0 No", True)],
)
def test_only_what_is_refused_for_good_has_failed(final, is_failed) -> None:
    outcomes, _ = streamed(1, Script(final=final))

    assert [one.is_failed for one in outcomes] == [is_failed]


def test_a_refused_content_is_told_and_the_next_goes_on() -> None:
    outcomes, _ = streamed(3, Script(final="554 5.6.0 No"))

    assert [one.reply.code for one in outcomes] == [554, 554, 554]


@pytest.mark.parametrize(
    ("script", "handed"),
    [
        (Script(mail=Fault.CLOSE), Handed.NOT_HANDED_OVER),
        (Script(data=Fault.CLOSE), Handed.NOT_HANDED_OVER),
        (Script(data="250 Fine"), Handed.NOT_HANDED_OVER),
        (Script(mail="354 Go on"), Handed.NOT_HANDED_OVER),
        (Script(mail="421 4.3.2 Closing"), Handed.NOT_HANDED_OVER),
        (Script(final="421 4.3.2 Closing"), Handed.NOT_HANDED_OVER),
        (Script(final=Fault.CLOSE), Handed.UNKNOWN),
        (Script(final="354 Go on"), Handed.UNKNOWN),
        (Script(content=Fault.CLOSE), Handed.UNKNOWN),
    ],
)
def test_a_hop_that_breaks_off_leaves_nothing_untold(script, handed) -> None:
    outcomes, hop = streamed(5, script)

    assert outcomes[0].handed is handed
    assert all(one.handed is not Handed.ANSWERED for one in outcomes)
    assert len({one.number for one in outcomes}) == len(outcomes)
    assert hop.taken == [] or handed is Handed.UNKNOWN
