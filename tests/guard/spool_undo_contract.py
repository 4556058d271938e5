# SPDX-License-Identifier: Apache-2.0
"""What every Spool does with what is taken back, and with notices: one suite, as
``spool_contract`` is.
"""

from collections.abc import Callable
from dataclasses import replace

import pytest

from tests.guard.spool_contract import (
    DAY,
    HOUR,
    MINUTE,
    NOW,
    Factory,
    claimed,
    copies_of,
    new_hold,
    own_mail,
    split,
)
from undisclosed.guard.ports import (
    CopyEvent,
    CopyState,
    HoldDecided,
    HoldEvent,
    HoldState,
    OutgoingKind,
    Spool,
)


def states_of(spool: Spool, hold_id: str, *names: str) -> list[CopyState]:
    """Where these people's copies are, found by what can no longer happen to them."""
    found = spool.copies_of(hold_id)
    by_name = {copy.envelope.rcpt_tos[0].local_part: copy.state for copy in found}
    return [by_name[name] for name in names]


def in_its_undo_window(spool: Spool, *names: str) -> str:
    """A hold whose private copies leave in two minutes."""
    hold_id = spool.hold(new_hold()).id
    later = [
        replace(copy, not_before=NOW + 2 * MINUTE)
        for copy in copies_of(hold_id, *names)
    ]
    spool.decide(hold_id, HoldEvent.SEND_SINGLY, later, by="olive", now=NOW)
    return hold_id


def what_is_withdrawn_in_its_undo_window_never_leaves(make: Factory) -> None:
    spool = make()
    hold_id = in_its_undo_window(spool, "ann", "bob")

    assert not claimed(spool, NOW + MINUTE)
    state = spool.decide(hold_id, HoldEvent.WITHDRAW, by="olive", now=NOW + MINUTE)

    assert state is HoldState.WITHDRAWN
    assert not claimed(spool, NOW + DAY)
    assert states_of(spool, hold_id, "ann", "bob") == [CopyState.WITHDRAWN] * 2


def an_undo_window_can_be_ended_early_and_only_once(make: Factory) -> None:
    spool = make()
    hold_id = in_its_undo_window(spool, "ann", "bob")

    state = spool.decide(hold_id, HoldEvent.SEND_NOW, by="olive", now=NOW + MINUTE)

    assert state is HoldState.SPLIT
    with pytest.raises(HoldDecided):
        spool.decide(hold_id, HoldEvent.SEND_NOW, by="olive", now=NOW + MINUTE)
    assert len(claimed(spool, NOW + MINUTE)) == 2


def in_the_middle_of_a_fan_out_only_what_waits_is_taken_back(make: Factory) -> None:
    spool = make()
    hold_id = split(spool, "ann", "bob", "carol", "dan")
    sent, delayed, in_hand = claimed(spool, limit=3)
    spool.mark(sent.id, CopyEvent.REPLY_2XX, "250 OK", now=NOW)
    spool.mark(
        delayed.id, CopyEvent.REPLY_4XX, "451 Later", now=NOW, retry_at=NOW + HOUR
    )

    spool.decide(hold_id, HoldEvent.WITHDRAW, by="olive", now=NOW + MINUTE)
    was_withdrawn = spool.mark(in_hand.id, CopyEvent.REPLY_2XX, "250 OK", now=NOW)

    assert was_withdrawn
    assert not claimed(spool, NOW + DAY)
    found = {copy.id: copy.state for copy in spool.copies_of(hold_id)}
    assert found[sent.id] is found[in_hand.id] is CopyState.SENT
    assert found.pop(delayed.id) is CopyState.WITHDRAWN
    assert list(found.values()).count(CopyState.WITHDRAWN) == 1


def a_copy_whose_worker_died_is_in_doubt_when_it_is_taken_back(make: Factory) -> None:
    spool = make()
    hold_id = split(spool, "ann", "bob")
    claimed(spool, limit=1)
    spool.give_back(by="worker-1")

    spool.decide(hold_id, HoldEvent.WITHDRAW, by="olive", now=NOW + MINUTE)

    states = sorted(copy.state.value for copy in spool.copies_of(hold_id))
    assert states == ["in doubt", "withdrawn"]


def a_copy_in_the_hand_of_a_worker_that_dies_is_in_doubt(make: Factory) -> None:
    spool = make()
    hold_id = split(spool, "ann")
    claimed(spool)
    spool.decide(hold_id, HoldEvent.WITHDRAW, by="olive", now=NOW + MINUTE)

    assert not claimed(spool, NOW + DAY)
    assert states_of(spool, hold_id, "ann") == [CopyState.IN_DOUBT]


def what_has_left_cannot_be_withdrawn(make: Factory) -> None:
    spool = make()
    hold_id = split(spool, "ann")
    (copy,) = claimed(spool)
    assert not spool.mark(copy.id, CopyEvent.REPLY_2XX, "250 OK", now=NOW)

    for event in (HoldEvent.WITHDRAW, HoldEvent.SEND_NOW):
        with pytest.raises(HoldDecided):
            spool.decide(hold_id, event, by="olive", now=NOW)
    assert spool.get(hold_id).state is HoldState.SPLIT


def a_hold_says_whether_it_is_new(make: Factory) -> None:
    spool = make()
    new = spool.hold(new_hold())
    spool.decide(new.id, HoldEvent.EXPIRE, by="sweep", now=NOW)

    again = spool.hold(new_hold())

    assert new.state is HoldState.HELD
    assert (again.id, again.state) == (new.id, HoldState.RETURNED)


def the_notice_of_a_hold_is_queued_once_with_it(make: Factory) -> None:
    spool = make()
    spool.hold(new_hold(notice=own_mail()))
    spool.hold(new_hold("second", notice=own_mail()))
    spool.hold(new_hold("third"))

    (notice,) = claimed(spool)

    assert (notice.id, notice.kind) == ("notice-1", OutgoingKind.NOTICE)
    assert notice.content == own_mail().content
    assert notice.envelope == own_mail().envelope


def a_mailing_that_was_decided_and_is_held_again_has_its_notice_again(
    make: Factory,
) -> None:
    spool = make()
    first = spool.hold(new_hold(notice=own_mail())).id
    (notice,) = claimed(spool)
    spool.mark(notice.id, CopyEvent.REPLY_2XX, "250 OK", now=NOW)
    spool.hold(new_hold("second", notice=own_mail()))
    told_while_waiting = claimed(spool)
    for hold in spool.of_mailing("mailing-1"):
        spool.decide(hold.id, HoldEvent.WITHDRAW, by="olive", now=NOW)

    spool.hold(new_hold("third", notice=own_mail()))

    assert first
    assert not told_while_waiting
    (again,) = claimed(spool)
    assert (again.id, again.attempts) == ("notice-1", 0)


def what_nobody_inside_sent_never_goes_back(make: Factory) -> None:
    spool = make()
    hold_id = spool.hold(new_hold(is_ownerless=True)).id

    assert spool.get(hold_id).is_ownerless
    assert not spool.due(now=NOW + 30 * DAY, limit=9)
    (due,) = spool.due(now=NOW + 30 * DAY, limit=9, escalate_after=[HOUR])
    assert due.id == hold_id


CHECKS: tuple[Callable[[Factory], None], ...] = (
    what_is_withdrawn_in_its_undo_window_never_leaves,
    an_undo_window_can_be_ended_early_and_only_once,
    in_the_middle_of_a_fan_out_only_what_waits_is_taken_back,
    a_copy_whose_worker_died_is_in_doubt_when_it_is_taken_back,
    a_copy_in_the_hand_of_a_worker_that_dies_is_in_doubt,
    what_has_left_cannot_be_withdrawn,
    a_hold_says_whether_it_is_new,
    the_notice_of_a_hold_is_queued_once_with_it,
    a_mailing_that_was_decided_and_is_held_again_has_its_notice_again,
    what_nobody_inside_sent_never_goes_back,
)
