# SPDX-License-Identifier: Apache-2.0
"""The guard's life cycles are complete tables."""

import pytest

from undisclosed.core.held import LEAVING
from undisclosed.guard import states
from undisclosed.guard.desk import WAVE_OF
from undisclosed.guard.states import (
    COPY_TRANSITIONS,
    HOLD_TRANSITIONS,
    WAVE_TRANSITIONS,
    CopyEvent,
    CopyState,
    HoldEvent,
    HoldState,
    WaveState,
)

TABLES = [
    pytest.param(COPY_TRANSITIONS, CopyState, CopyEvent, id="copy"),
]


def test_every_state_of_a_hold_has_its_row_and_every_step_leads_somewhere():
    assert set(HOLD_TRANSITIONS) == set(HoldState)
    for row in HOLD_TRANSITIONS.values():
        assert set(row) <= set(HoldEvent)
        assert set(row.values()) <= set(HoldState)


@pytest.mark.parametrize(("table", "states", "events"), TABLES)
def test_every_state_has_its_row(table, states, events):
    assert set(table) == set(states)


@pytest.mark.parametrize(("table", "states", "events"), TABLES)
def test_a_state_answers_every_event_or_none(table, states, events):
    for row in table.values():
        assert set(row) in (set(), set(events))
        assert set(row.values()) <= set(states)


def test_every_wave_state_has_its_row():
    assert set(WAVE_TRANSITIONS) == set(WaveState)


def test_a_shown_wave_stays_shown():
    assert not WAVE_TRANSITIONS[WaveState.SHOWN]


def test_what_was_taken_back_or_went_back_stays_so():
    final = {state for state, row in HOLD_TRANSITIONS.items() if not row}

    assert final == {HoldState.WITHDRAWN, HoldState.RETURNED}


def test_what_was_decided_can_only_be_withdrawn_or_sent_now():
    for state in LEAVING:
        steps = HOLD_TRANSITIONS[state]
        assert steps[HoldEvent.WITHDRAW] is HoldState.WITHDRAWN
        assert set(steps) <= {HoldEvent.WITHDRAW, HoldEvent.SEND_NOW}
        assert steps.get(HoldEvent.SEND_NOW, state) is state


def test_nobody_ends_the_wait_of_an_only_approver():
    assert HoldEvent.SEND_NOW not in HOLD_TRANSITIONS[HoldState.RELEASED]


def test_memory_is_told_of_every_state_of_a_hold():
    assert set(WAVE_OF) == set(HoldState)
    assert WAVE_OF[HoldState.RELEASED] is WaveState.SHOWN
    assert WAVE_OF[HoldState.SPLIT] is WaveState.CANCELLED


def test_the_tables_are_those_of_the_core():
    assert set(states.__all__) >= {"COPY_TRANSITIONS", "HOLD_TRANSITIONS"}
