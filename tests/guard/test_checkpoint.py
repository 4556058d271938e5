# SPDX-License-Identifier: Apache-2.0
"""The one place that every endpoint passes: what it decides, and what it asks for."""

import logging
from dataclasses import replace
from pathlib import Path

import pytest

from tests.guard.worlds import (
    DAY,
    HOUR,
    OLIVE,
    POLICY,
    World,
    mail,
    people,
    person,
)
from undisclosed.core.address import Address
from undisclosed.core.disclosure import read
from undisclosed.core.held import HoldEvent, HoldState, OutgoingKind, WaveState
from undisclosed.core.mailing import wave_of
from undisclosed.core.policy import Policy
from undisclosed.core.rules import ALL_RULES
from undisclosed.core.verdict import Action
from undisclosed.errors import TransientError
from undisclosed.guard import checkpoint as module
from undisclosed.guard.checkpoint import CheckpointSettings, JudgementBroke
from undisclosed.guard.ports import RETRY_WINDOW

FORTY = people(range(40))


def breaks(monkeypatch, name="judge"):
    """Let one step of judging fail as a bug would, with an address in its text."""

    def broken(*args, **kwargs):
        raise ValueError("p1@home1.example")

    monkeypatch.setattr(module, name, broken)


def test_mail_to_one_outsider_needs_no_store():
    world = World()
    world.memory.is_away = world.spool.is_away = True

    decision = world.checkpoint.at_once(mail([person(1)]))

    assert decision is not None
    assert decision.action is Action.ACCEPT
    assert decision.reservation is None


def test_mail_among_insiders_needs_no_store():
    insiders = [Address(f"i{number}", "council.example") for number in range(50)]

    decision = World().checkpoint.at_once(mail(insiders))

    assert decision is not None
    assert decision.action is Action.ACCEPT


def test_fields_that_must_not_travel_are_named_at_once():
    of = mail([OLIVE], viewers=[person(1)], more="Bcc: <p2@home2.example>\r\n")

    decision = World().checkpoint.at_once(of)

    assert decision is not None
    assert [removal.field.lower() for removal in decision.verdict.removals] == ["bcc"]


def test_mail_that_shows_outsiders_asks_memory():
    world = World()
    of = mail(people(range(3)))

    assert world.checkpoint.at_once(of) is None
    decision = world.checkpoint.decide(of)

    assert decision.action is Action.ACCEPT
    assert decision.reservation is not None
    assert world.memory.states() == [WaveState.RESERVED]


def test_what_was_read_at_once_is_not_read_again(monkeypatch):
    world, of = World(), mail(FORTY)
    world.checkpoint.at_once(of)
    breaks(monkeypatch, "read")

    assert world.checkpoint.decide(of).action is Action.HOLD


def test_another_mail_at_the_same_place_in_memory_is_not_mistaken():
    world = World()
    one, other = mail(FORTY), mail(people(range(3)))
    world.checkpoint.at_once(one)
    kept = world.checkpoint._already_read  # what a reused id() would find
    kept[id(other)] = kept.pop(id(one))

    assert world.checkpoint.decide(other).action is Action.ACCEPT


def test_mail_read_and_never_decided_is_forgotten():
    world = World()
    mails = [mail(people(range(n, n + 3))) for n in range(module.MAX_ALREADY_READ + 5)]

    for of in mails:
        world.checkpoint.at_once(of)

    assert len(world.checkpoint._already_read) == module.MAX_ALREADY_READ


@pytest.mark.parametrize(
    "settings",
    [
        CheckpointSettings(at_once_size=10),
        CheckpointSettings(at_once_recipients=0),
        CheckpointSettings(at_once_at_signs=1),
    ],
    ids=["size", "recipients", "at signs"],
)
def test_large_mail_is_read_in_a_thread(settings):
    world, of = World(settings=settings), mail([person(1)])

    assert world.checkpoint.at_once(of) is None
    assert world.checkpoint.decide(of).action is Action.ACCEPT


def test_a_mail_that_shows_forty_people_is_held():
    world = World()

    decision, hold_id = world.take(mail(FORTY))

    assert decision.verdict.action is Action.HOLD
    hold = world.spool.get(hold_id)
    assert (hold.people, hold.viewers, hold.disclosures) == (40, 40, 40 * 39)
    assert hold.mailing_id == decision.mailing_id
    assert hold.expires_at == world.clock() + 3 * DAY
    assert world.spool.content(hold_id) == mail(FORTY).content
    assert world.memory.states() == [WaveState.HELD]
    assert [copy.kind for copy in world.spool.outgoing()] == [OutgoingKind.NOTICE]


def test_the_same_bytes_again_are_the_same_hold():
    world = World()
    first = world.held(mail(FORTY))
    world.clock.advance(HOUR)

    again = world.held(mail(FORTY))

    assert again == first
    assert world.memory.states() == [WaveState.HELD]
    assert len(world.spool.outgoing()) == 1


def test_a_retry_of_a_withdrawn_mail_changes_nothing():
    world = World()
    first = world.held(mail(FORTY))
    world.spool.decide(first, HoldEvent.WITHDRAW, by="olive", now=world.clock())

    again = world.held(mail(FORTY))

    assert again == first
    assert world.spool.get(again).state is HoldState.WITHDRAWN
    assert world.memory.states() == [WaveState.CANCELLED]


def test_a_resend_after_the_retry_window_is_a_hold_of_its_own():
    world = World()
    first = world.held(mail(FORTY))
    world.clock.advance(RETRY_WINDOW + HOUR)

    assert world.held(mail(FORTY)) != first


def test_windrush_is_stopped_at_the_third_of_five_batches():
    world = World(policy=policy_with(max_shown_outsiders=200))
    batches = [mail(people(range(100 * n, 100 * n + 100))) for n in range(5)]

    taken = [world.take(batch) for batch in batches]

    actions = [decision.action for decision, _ in taken]
    assert actions == [Action.ACCEPT] * 2 + [Action.HOLD] * 3
    assert len({decision.mailing_id for decision, _ in taken}) == 1
    last = world.memory.reserve(
        wave_of_batch(world, batches[4]), window=14 * DAY, now=world.clock()
    )
    assert last.known.mailing.people == 500
    assert last.known.mailing.disclosures == 49_500
    assert len(world.spool.outgoing()) == 1  # one notice for the mailing


def wave_of_batch(world, of):
    return wave_of(read(of, world.policy), of, world.policy)


def policy_with(**changes) -> Policy:
    return replace(POLICY, **changes)


def test_a_mail_that_did_not_pass_no_longer_counts():
    world = World(policy=policy_with(max_shown_outsiders=150))
    first = mail(people(range(100)))
    decision = world.decide(first)
    world.checkpoint.settle(decision, shown=False)

    second = world.decide(mail(people(range(100, 200))))

    assert second.action is Action.ACCEPT


def test_settling_what_reserved_nothing_asks_nobody():
    world = World()
    decision = world.decide(mail([person(1)]))
    world.memory.is_away = True

    world.checkpoint.settle(decision, shown=True)

    assert world.journal.entries == []


def test_memory_away_while_settling_is_an_alarm_and_no_error():
    world = World()
    decision = world.decide(mail(people(range(3))))
    world.memory.is_away = True

    world.checkpoint.settle(decision, shown=True)

    assert world.journal.events() == ["trouble"]
    assert world.memory.states() == [WaveState.RESERVED]


def test_memory_away_asks_the_client_to_try_again():
    world = World()
    world.memory.is_away = True

    with pytest.raises(TransientError):
        world.decide(mail(FORTY))

    assert world.journal.events() == ["trouble"]
    assert b'troubles_total{what="memory"} 1.0' in world.metrics.exposition()


def test_the_spool_away_asks_the_client_to_try_again():
    world = World()
    of = mail(FORTY)
    decision = world.decide(of)
    world.spool.is_away = True

    with pytest.raises(TransientError):
        world.checkpoint.hold(of, decision)

    world.spool.is_away = False
    assert world.held(of)
    assert world.memory.states() == [WaveState.HELD]


def test_memory_away_after_the_hold_leaves_it_held():
    world = World()
    of = mail(FORTY)
    decision = world.decide(of)
    world.memory.is_away = True

    hold_id = world.checkpoint.hold(of, decision)

    assert world.spool.get(hold_id).state is HoldState.HELD
    assert world.memory.states() == [WaveState.RESERVED]  # counts as shown


def test_a_mail_that_breaks_the_judge_twice_is_held_as_unreadable(monkeypatch, caplog):
    world, of = World(), mail(FORTY)
    breaks(monkeypatch)

    with pytest.raises(JudgementBroke) as broke:
        world.decide(of)
    decision = world.decide(of)
    hold_id = world.checkpoint.hold(of, decision)

    assert "home1" not in str(broke.value) + caplog.text
    assert broke.value.__cause__ is None
    assert [f.rule for f in decision.verdict.findings] == ["unreadable"]
    assert decision.action is Action.HOLD
    hold = world.spool.get(hold_id)
    assert hold.singly_refused
    assert hold.viewers == 40
    assert world.spool.outgoing() == []  # whether it is auto-submitted is not known
    assert world.memory.states() == [WaveState.HELD]


def test_a_mail_that_breaks_the_reader_twice_is_held_too(monkeypatch):
    world, of = World(), mail(FORTY)
    breaks(monkeypatch, "read")

    with pytest.raises(JudgementBroke):
        world.decide(of)
    decision = world.decide(of)

    assert decision.action is Action.HOLD
    assert decision.reservation is None
    assert decision.mailing_id


def test_one_failure_says_nothing_of_another_mail(monkeypatch):
    world = World()
    breaks(monkeypatch)

    for of in (mail(FORTY), mail(people(range(30)))):
        with pytest.raises(JudgementBroke):
            world.decide(of)


def test_only_so_many_failures_are_remembered(monkeypatch):
    world = World(settings=CheckpointSettings(remembered_failures=2))
    breaks(monkeypatch)
    first = mail(people(range(10)))

    for of in (first, mail(people(range(11))), mail(people(range(12)))):
        with pytest.raises(JudgementBroke):
            world.decide(of)

    with pytest.raises(JudgementBroke):
        world.decide(first)


def test_a_rejected_recall_gives_its_place_up():
    world = World()
    world.take(mail(people(range(4)), subject="Agenda"))

    decision = world.decide(mail(people(range(4)), subject="Recall: Agenda"))

    assert decision.action is Action.REJECT
    assert decision.reservation is None
    assert world.memory.states() == [WaveState.SHOWN, WaveState.CANCELLED]
    event, facts = world.journal.entries[-1]
    assert (event, facts["rules"]) == ("rejected", "recall")


def test_a_rejection_stands_though_memory_goes_away():
    world = World()
    world.take(mail(people(range(4)), subject="Agenda"))
    settle, world.memory.settle = world.memory.settle, away

    decision = world.decide(mail(people(range(4)), subject="Recall: Agenda"))

    world.memory.settle = settle
    assert decision.action is Action.REJECT
    assert "trouble" in world.journal.events()


def away(*args, **kwargs):
    raise TransientError


def test_a_rule_that_splits_needs_nobody_to_click():
    policy = policy_with(actions={"shown-outsiders": Action.SPLIT})
    world = World(policy=policy)

    decision, hold_id = world.take(mail(FORTY))

    assert decision.action is Action.SPLIT
    assert world.spool.get(hold_id).state is HoldState.SPLIT
    assert len(world.spool.outgoing()) == 40
    assert {c.kind for c in world.spool.outgoing()} == {OutgoingKind.PRIVATE_COPY}
    assert world.memory.states() == [WaveState.CANCELLED]


def test_a_split_that_cannot_be_made_is_held_for_people():
    text = "\r\n".join(address.spelled_out() for address in people(range(30)))
    policy = policy_with(actions={"shown-outsiders": Action.SPLIT})
    policy = policy_with(actions={**policy.actions, "addresses-in-body": Action.SPLIT})
    world = World(policy=policy)

    of = mail(people(range(100, 110)), text=text + "\r\n")
    decision, hold_id = world.take(of)

    assert decision.action is Action.SPLIT
    hold = world.spool.get(hold_id)
    assert hold.state is HoldState.HELD
    assert hold.singly_refused
    assert [copy.kind for copy in world.spool.outgoing()] == [OutgoingKind.NOTICE]


# Who is told of a hold.


@pytest.mark.parametrize(
    "changes",
    [
        {"mail_from": None},
        {"mail_from": Address("ann", "elsewhere.example")},
        {"more": "Auto-Submitted: auto-replied\r\n"},
    ],
    ids=["null sender", "outside sender", "auto-submitted"],
)
def test_nobody_is_told_of_mail_that_nobody_here_sent(changes):
    world = World()

    world.held(mail(FORTY, **changes))

    assert world.spool.outgoing() == []


def test_the_same_mailing_queues_no_second_notice():
    world = World()
    world.held(mail(people(range(40))))
    world.held(mail(people(range(40, 80))))

    assert len(world.spool.outgoing()) == 1


def test_without_own_domains_the_author_of_the_mail_is_told():
    world = World(policy=Policy())

    world.held(mail(FORTY))

    (notice,) = world.spool.outgoing()
    assert notice.envelope.rcpt_tos == (OLIVE,)


# Observe mode.


def test_observed_mail_passes_and_is_recorded_as_judged():
    world = World(observe=True)

    decision, hold_id = world.take(mail(FORTY))

    assert (decision.action, hold_id) == (Action.ACCEPT, None)
    assert decision.verdict.action is Action.HOLD
    assert decision.is_observed
    assert world.memory.states() == [WaveState.SHOWN]
    event, facts = world.journal.entries[-1]
    assert event == "observed"
    assert facts["action"] == "hold"
    assert facts["people"] == 40
    assert world.spool.outgoing() == []


def test_observed_recalls_pass_and_keep_their_place():
    world = World(observe=True)
    world.take(mail(people(range(4)), subject="Agenda"))

    decision, _ = world.take(mail(people(range(4)), subject="Recall: Agenda"))

    assert decision.action is Action.ACCEPT
    assert decision.verdict.action is Action.REJECT
    assert decision.reservation is not None


def test_observed_removals_are_recorded():
    world = World(observe=True)
    of = mail([OLIVE], viewers=[person(1)], more="Bcc: <p2@home2.example>\r\n")

    decision, _ = world.take(of)

    assert decision.is_observed
    assert world.journal.entries[-1][1]["removals"] == 1


def test_observed_mail_without_objection_is_not_journalled():
    world = World(observe=True)

    world.take(mail([person(1)]))
    world.take(mail(people(range(3))))

    assert world.journal.entries == []


def test_trouble_in_observe_mode_is_an_alarm():
    world = World(observe=True)
    world.memory.is_away = True

    decision = world.decide(mail(FORTY))

    assert decision.action is Action.ACCEPT
    assert decision.verdict.action is Action.HOLD
    assert world.journal.events() == ["trouble", "observed"]


def test_a_broken_judge_in_observe_mode_is_an_alarm(monkeypatch):
    world = World(observe=True)
    breaks(monkeypatch)

    decision = world.decide(mail(FORTY))

    assert decision.action is Action.ACCEPT
    assert world.journal.events() == ["trouble"]


def test_an_alarm_is_logged_where_the_journal_is_away(caplog):
    world = World(observe=True)
    world.memory.is_away = world.journal.is_away = True

    with caplog.at_level(logging.ERROR):
        decision = world.decide(mail(FORTY))

    assert decision.action is Action.ACCEPT
    assert "The journal is away" in caplog.text


def test_nothing_that_is_written_down_holds_an_address(caplog):
    world = World(observe=True)

    with caplog.at_level(logging.DEBUG):
        world.take(mail(FORTY))
        world.memory.is_away = True
        world.take(mail(people(range(50))))

    written = caplog.text + str(world.journal.entries)
    assert "@" not in written + world.metrics.exposition().decode()


def test_every_rule_is_asked():
    assert {rule.name for rule in ALL_RULES} >= {"shown-outsiders", "recall"}


def test_a_checkpoint_needs_no_metrics():
    world = World()
    checkpoint = module.Checkpoint(
        POLICY,
        world.memory,
        world.spool,
        world.clock,
        name=lambda *parts: "id",
        notices=world.notices,
        journal=world.journal,
    )

    assert checkpoint.decide(mail(FORTY)).action is Action.HOLD


def test_a_rejected_mail_without_a_place_has_none_to_give_up():
    world = World(policy=policy_with(actions={"unreadable": Action.REJECT}))
    world.memory.is_away = True

    decision = world.decide(mail([person(1)], more="References: one@\r\n" * 9))

    assert (decision.action, decision.reservation) == (Action.REJECT, None)


# What passes unread leaves a record.

VECTORS = Path(__file__).parents[1] / "messages" / "leaks"
SECRET = (VECTORS / "132-hidden-recipients-have-no-keys.eml").read_bytes()


def test_encrypted_mail_to_one_outsider_passes_and_is_recorded():
    world = World()
    secret = replace(mail([person(1)]), content=SECRET)

    assert world.checkpoint.at_once(secret) is None
    decision = world.checkpoint.decide(secret)

    assert decision.action is Action.ACCEPT
    ((event, facts),) = world.journal.entries
    assert (event, facts["viewers"]) == ("passed unread", 1)
    assert "encrypted content" in facts["what"]
    assert "@" not in str(facts)


def test_encrypted_mail_flows_while_the_journal_is_away():
    world = World()
    world.journal.is_away = world.memory.is_away = True

    decision = world.checkpoint.decide(replace(mail([person(1)]), content=SECRET))

    assert decision.action is Action.ACCEPT


def test_encrypted_mail_among_insiders_needs_no_record():
    world = World()
    insider = Address("i1", "council.example")

    decision = world.checkpoint.at_once(replace(mail([insider]), content=SECRET))

    assert decision is not None
    assert world.journal.entries == []
