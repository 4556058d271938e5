# SPDX-License-Identifier: Apache-2.0
"""The life cycles of the guard, as tables: held mail, copy, wave.

The tables themselves stand in ``core.held``, since the store keeps what they
describe and must not import the guard.
"""

from undisclosed.core.held import (
    COPY_TRANSITIONS,
    HOLD_TRANSITIONS,
    WAVE_TRANSITIONS,
    CopyEvent,
    CopyState,
    HoldEvent,
    HoldState,
    OutgoingKind,
    WaveState,
)

__all__ = [
    "COPY_TRANSITIONS",
    "HOLD_TRANSITIONS",
    "WAVE_TRANSITIONS",
    "CopyEvent",
    "CopyState",
    "HoldEvent",
    "HoldState",
    "OutgoingKind",
    "WaveState",
]
