# SPDX-License-Identifier: Apache-2.0
"""Processes that were started with several master keys, and a database full of use."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.test import override_settings

from tests.guard.memory_contract import reserve, wave
from tests.guard.spool_contract import new_hold
from tests.store.campaigns import NOW, address_of, sending
from undisclosed.core.address import Address
from undisclosed.core.returns import Cause, ReturnKind
from undisclosed.store import campaigns, control, returns, suppressions
from undisclosed.store.crypto import Keys
from undisclosed.store.memory import PostgresMemory
from undisclosed.store.spool import PostgresSpool
from undisclosed.store.suppressions import Reason

OLD, MIDDLE, NEW = (bytes(range(at, at + 32)) for at in (0, 50, 100))
PEOPLE = 7


@contextmanager
def process(*masters: bytes) -> Iterator[Keys]:
    """A process with these master keys, the newest first, the look-up key last."""
    keys = Keys(b"".join(masters))
    with override_settings(UNDISCLOSED_KEYS=keys):
        yield keys


def fill() -> str:
    """A campaign that is being sent, and a row in everything that is looked up."""
    campaign = sending(PEOPLE)
    suppressions.suppress([address_of(2)], Reason.ASKED, by="test", now=NOW)
    olive = Address("olive", "council.example")
    control.impose(
        [olive], reason="a", by="1", until=NOW + control.LONGEST / 2, now=NOW
    )
    about = returns.whose(campaigns.get(campaign).serial, 3)
    assert about is not None
    report = returns.Report(
        returns.key_of(ReturnKind.FAILED, about), ReturnKind.FAILED, Cause.OTHER
    )
    returns.record(report, about, NOW)
    PostgresSpool().hold(new_hold())
    reserve(PostgresMemory(), wave("one"))
    return campaign
