# SPDX-License-Identifier: Apache-2.0
"""The guard's life cycles are complete tables."""

import pytest

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
    pytest.param(HOLD_TRANSITIONS, HoldState, HoldEvent, id="hold"),
    pytest.param(COPY_TRANSITIONS, CopyState, CopyEvent, id="copy"),
]


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


def test_only_held_mail_can_change():
    final = {state for state, row in HOLD_TRANSITIONS.items() if not row}

    assert final == set(HoldState) - {HoldState.HELD}


def test_memory_is_told_of_every_state_of_a_hold():
    assert set(WAVE_OF) == set(HoldState)
    assert WAVE_OF[HoldState.RELEASED] is WaveState.SHOWN
    assert WAVE_OF[HoldState.SPLIT] is WaveState.CANCELLED


def test_the_tables_are_those_of_the_core():
    assert set(states.__all__) >= {"COPY_TRANSITIONS", "HOLD_TRANSITIONS"}
