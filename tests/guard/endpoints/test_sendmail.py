# SPDX-License-Identifier: Apache-2.0
"""The pipe: verdicts and what becomes of the mail, in front of a fake hop."""

import asyncio
import threading
from collections.abc import Iterator
from datetime import timedelta

import pytest

from tests.guard.worlds import World, mail, people, person
from undisclosed.core.held import HoldState, WaveState
from undisclosed.core.mail import Mail
from undisclosed.core.policy import Policy
from undisclosed.core.verdict import Action
from undisclosed.guard.endpoints.sendmail import SendmailEndpoint, hand_on
from undisclosed.guard.exit_codes import exit_code_of
from undisclosed.guard.origin import Origin
from undisclosed.guard.relay import Hop, HopSettings
from undisclosed.transport.smtp.client import ClientSettings, Timeouts
from undisclosed.transport.smtp.limits import Limits
from undisclosed.transport.smtp.replies import Reply
from undisclosed.transport.smtp.testing import EVERYTHING, FakeHop, Fault, Script

MANY = people(range(9))
ALONE = (person(1),)
BRIEFLY = timedelta(seconds=0.3)


class Pipe:
    """A pipe in front of a hop that runs in a thread of its own."""

    def __init__(self) -> None:
        self.world = World()
        self.hop = FakeHop()
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self.loop.run_forever)
        self.thread.start()
        self.call(self.hop.start())

    def call(self, work):
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(30)

    def end(self) -> None:
        self.call(self.hop.stop())
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join()
        self.loop.close()

    def script(self, **said: object) -> None:
        self.hop.script = Script(**said)

    def new_hop(self) -> Hop:
        timeouts = Timeouts(*(BRIEFLY for _ in range(5)))
        there = ClientSettings("127.0.0.1", self.hop.port, timeouts=timeouts)
        return Hop(HopSettings(there))

    def hand_in(self, what: Mail, limits: Limits | None = None) -> Reply:
        endpoint = SendmailEndpoint(
            self.world.checkpoint,
            self.new_hop,
            self.world.clock,
            hostname="guard.example",
            limits=limits or Limits(),
        )
        return endpoint.hand_in(what, Origin("sendmail", login="olive"))


@pytest.fixture
def pipe() -> Iterator[Pipe]:
    made = Pipe()
    yield made
    made.end()


def test_accepted_mail_reaches_the_hop_whole_with_our_trace(pipe):
    letter = mail(ALONE)

    reply = pipe.hand_in(letter)

    (taken,) = pipe.hop.taken
    assert exit_code_of(reply) == 0
    assert taken.content.startswith(b"Received: by guard.example id ")
    assert taken.content.endswith(letter.content)
    assert b"olive" not in taken.content.partition(b"From:")[0]


def test_held_mail_is_durable_and_never_reaches_the_hop(pipe):
    reply = pipe.hand_in(mail(MANY))

    hold_id = reply.text.rpartition(" ")[2]
    assert exit_code_of(reply) == 0
    assert pipe.world.spool.get(hold_id).state is HoldState.HELD
    assert pipe.hop.taken == []


def test_held_mail_needs_no_hop(pipe):
    pipe.call(pipe.hop.stop())

    assert "Held" in pipe.hand_in(mail(MANY)).text


def test_a_refusal_says_why_and_nothing_is_kept(pipe):
    policy = Policy(
        own_domains=frozenset({"council.example"}),
        actions={"shown-outsiders": Action.REJECT},
    )
    pipe.world = World(policy=policy)

    reply = pipe.hand_in(mail(MANY))

    assert exit_code_of(reply) == 77
    assert len(reply.lines) > 1
    assert "@" not in reply.text
    assert pipe.world.memory.states() == [WaveState.CANCELLED]
    assert pipe.hop.taken == []


def test_a_bcc_is_cut_out_of_what_is_relayed(pipe):
    letter = mail(ALONE, more="Bcc: <hidden@b.example>\r\n")

    pipe.hand_in(letter)

    assert b"hidden" not in pipe.hop.taken[0].content


def test_observed_mail_passes_unchanged(pipe):
    pipe.world = World(observe=True)

    reply = pipe.hand_in(mail(MANY))

    assert exit_code_of(reply) == 0
    assert len(pipe.hop.taken) == 1
    assert "observed" in pipe.world.journal.events()


@pytest.mark.parametrize(
    ("script", "code"),
    [
        ({"rcpts": {"p1": "550 5.1.1 <p1@home1.example> Nobody"}}, 67),
        ({"rcpts": {"p1": "451 4.2.1 Later"}}, 75),
        ({"rcpts": {"p0": "451 4.2.1 Later", "p1": "550 5.1.1 Nobody"}}, 67),
        ({"mail": "550 5.7.1 Not you"}, 77),
        ({"mail": "452 4.3.1 Full"}, 75),
        ({"data": "554 5.3.0 No"}, 69),
        ({"final": "554 5.6.0 Odd"}, 65),
        ({"final": "451 4.3.0 Later"}, 75),
        ({"final": Fault.CLOSE}, 75),
        ({"final": Fault.SILENCE}, 75),
        ({"data": Fault.CLOSE}, 75),
        ({"content": Fault.CLOSE}, 75),
        ({"mail": Fault.SILENCE}, 75),
        ({"greeting": "554 5.3.2 Not now"}, 75),
        ({"greeting": Fault.CLOSE}, 75),
    ],
    ids=str,
)
def test_what_the_hop_refuses_is_nobodys(pipe, script, code):
    pipe.script(**script)

    reply = pipe.hand_in(mail(people(range(2))))

    assert exit_code_of(reply) == code
    if not {"content", "final"} & script.keys():
        assert pipe.hop.taken == []


def test_one_recipient_that_is_refused_keeps_the_mail_from_all(pipe):
    pipe.script(rcpts={"p2": "550 5.1.1 Nobody"})

    assert exit_code_of(pipe.hand_in(mail(people(range(3))))) == 67
    assert pipe.hop.taken == []
    assert pipe.world.memory.states() == [WaveState.CANCELLED]


@pytest.mark.parametrize(
    ("final", "state"),
    [
        ("250 2.0.0 OK", WaveState.SHOWN),
        (Fault.CLOSE, WaveState.SHOWN),
        ("554 5.6.0 No", WaveState.CANCELLED),
    ],
    ids=str,
)
def test_memory_learns_whether_it_was_shown(pipe, final, state):
    pipe.script(final=final)

    pipe.hand_in(mail(people(range(3))))

    assert pipe.world.memory.states() == [state]


def test_mail_to_one_flows_while_the_store_is_away(pipe):
    pipe.world.memory.is_away = pipe.world.spool.is_away = True

    assert exit_code_of(pipe.hand_in(mail(ALONE))) == 0
    assert len(pipe.hop.taken) == 1


@pytest.mark.parametrize("away", ["memory", "spool"])
def test_with_the_store_away_the_program_keeps_what_shows_people(pipe, away):
    getattr(pipe.world, away).is_away = True

    assert exit_code_of(pipe.hand_in(mail(MANY))) == 75
    assert pipe.hop.taken == []


def test_mail_that_breaks_the_judge_is_held_by_this_process_alone(pipe, monkeypatch):
    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("over ann@a.example")

    monkeypatch.setattr("undisclosed.guard.checkpoint.judge", broken)

    reply = pipe.hand_in(mail(people(range(2))))

    assert "Held" in reply.text
    assert pipe.hop.taken == []


def test_a_bug_anywhere_is_try_again(pipe, monkeypatch, caplog):
    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("over ann@a.example")

    monkeypatch.setattr(pipe.world.checkpoint, "hold", broken)

    assert exit_code_of(pipe.hand_in(mail(MANY))) == 75
    assert "RuntimeError" in caplog.text
    assert "ann@" not in caplog.text


@pytest.mark.parametrize(
    ("limits", "code"),
    [(Limits(max_size=100), 69), (Limits(max_recipients=1), 70)],
    ids=["size", "recipients"],
)
def test_what_is_over_a_limit_is_refused_before_it_is_read(pipe, limits, code):
    assert exit_code_of(pipe.hand_in(mail(people(range(2))), limits)) == code
    assert pipe.hop.commands == []


@pytest.mark.parametrize(
    ("more", "code"),
    [("X: a\x00b\r\n", 65), ("Received: by x.example\r\n" * 51, 69)],
    ids=["NUL", "round in circles"],
)
def test_what_must_not_be_passed_on_is_refused(pipe, more, code):
    assert exit_code_of(pipe.hand_in(mail(ALONE, more=more))) == code


def test_a_hop_without_8_bits_does_not_get_them(pipe):
    pipe.hop.offers = tuple(one for one in EVERYTHING if one != "8BITMIME")
    letter = mail(ALONE, text="Tür\r\n")

    reply = pipe.hand_in(letter)

    assert exit_code_of(reply) == 65
    assert pipe.hop.taken == []


def test_dsn_parameters_reach_the_hop(pipe):
    letter = mail(
        ALONE, parameters=("RET=HDRS",), recipient_parameters=("NOTIFY=NEVER",)
    )

    pipe.hand_in(letter)

    (taken,) = pipe.hop.taken
    assert b"RET=HDRS" in taken.mail
    assert b"NOTIFY=NEVER" in taken.rcpts[0]


def test_handing_on_gives_the_mail_to_another_guard_untouched(pipe):
    letter = mail(MANY)

    reply = hand_on(letter, pipe.new_hop, Limits())

    assert reply.is_positive
    assert pipe.hop.taken[0].content == letter.content


def test_handing_on_hears_the_guards_own_words(pipe):
    pipe.script(final="550-5.7.1 Refused\r\n550 5.7.1 37 people would see each other.")

    reply = hand_on(mail(MANY), pipe.new_hop, Limits())

    assert exit_code_of(reply) == 77
    assert "37 people" in reply.text


def test_handing_on_to_nobody_is_try_again(pipe):
    pipe.call(pipe.hop.stop())

    assert exit_code_of(hand_on(mail(MANY), pipe.new_hop, Limits())) == 75
