# SPDX-License-Identifier: Apache-2.0
"""A file on its way into a list: its life cycle as a table."""

from collections.abc import Mapping
from enum import Enum

from undisclosed.errors import UndisclosedError


class UploadState(Enum):
    """Where an uploaded file is."""

    WAITING = "waiting"  # to be checked
    CHECKED = "checked"  # every problem is named
    REFUSED = "refused"  # it cannot be used as it is: one sentence says why
    CONFIRMED = "confirmed"  # somebody saw what was found and wants it imported
    IMPORTED = "imported"  # the rows are the list's; the file is gone


class UploadEvent(Enum):
    """What can happen to it."""

    FOUND = "found"
    REFUSE = "refuse"
    CHOOSE = "choose"  # another sheet, or another column of addresses
    CONFIRM = "confirm"
    IMPORT = "import"


_S, _E = UploadState, UploadEvent

UPLOAD_TRANSITIONS: Mapping[UploadState, Mapping[UploadEvent, UploadState]] = {
    _S.WAITING: {_E.FOUND: _S.CHECKED, _E.REFUSE: _S.REFUSED},
    _S.CHECKED: {_E.CONFIRM: _S.CONFIRMED, _E.CHOOSE: _S.WAITING},
    _S.REFUSED: {_E.CHOOSE: _S.WAITING},
    _S.CONFIRMED: {_E.IMPORT: _S.IMPORTED, _E.REFUSE: _S.REFUSED},
    _S.IMPORTED: {},
}


class NoSuchUploadStep(UndisclosedError):
    """The file is not in a state in which this can be done."""


def upload_after(state: UploadState, event: UploadEvent) -> UploadState:
    """The state that a step leads to. Raises NoSuchUploadStep."""
    after = UPLOAD_TRANSITIONS[state].get(event)
    if after is None:
        raise NoSuchUploadStep(state=state.value, step=event.value)
    return after
