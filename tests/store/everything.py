# SPDX-License-Identifier: Apache-2.0
"""Uses every table of the store once, over the server whose URL is given.

A process of its own: Django is configured once for each process.
"""

import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

from undisclosed.core.address import Address
from undisclosed.core.held import (
    CopyEvent,
    HoldEvent,
    NewHold,
    Outgoing,
    OutgoingKind,
    Shown,
    WaveState,
)
from undisclosed.core.mail import Envelope, Mail, Recipient
from undisclosed.core.mailing import Wave
from undisclosed.core.private import Edit, Patch
from undisclosed.core.verdict import Action, Finding
from undisclosed.store import settings
from undisclosed.store.crypto import Keys
from undisclosed.store.migrate import migrate

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
KEYS = Keys(bytes(32))
ANN, OLIVE = Address("ann", "a.example"), Address("olive", "council.example")
CONTENT = b"To: ann@a.example\r\nSubject: Agenda\r\n\r\nHello\r\n"
ENVELOPE = Envelope(OLIVE, (Recipient(ANN, ("ORCPT=rfc822;ann@a.example",)),))


def main(url: str) -> None:
    """Hold, split, fail, report, remember, catch, make an account."""
    settings.configure(settings.load(Path("/dev/null"), {}), url=url, keys=KEYS)
    migrate()
    _hold()
    _remember()
    _catch()
    _open_to_programs()


def _hold() -> None:
    from undisclosed.store.spool import PostgresSpool

    spool = PostgresSpool(KEYS)
    hold_id = spool.hold(
        NewHold(
            mail=Mail(ENVELOPE, CONTENT),
            digest=bytes(32),
            findings=(Finding("shown-outsiders", Action.HOLD, 2, "2 people."),),
            mailing_id="m-1",
            reservation_id=None,
            people=2,
            disclosures=2,
            viewers=2,
            singly_refused=None,
            expires_at=NOW + timedelta(days=3),
            received_at=NOW,
            subject="Agenda",
            shown=(Shown(ANN, ("To",)),),
        )
    ).id
    patch = Patch((Edit(0, 18, b"To: ann@a.example\r\n"),))
    copy = Outgoing(
        f"{hold_id}-1", hold_id, OutgoingKind.PRIVATE_COPY, ENVELOPE, patch=patch
    )
    own = Outgoing("n-1", None, OutgoingKind.NOTICE, ENVELOPE, content=CONTENT)
    spool.decide(
        hold_id,
        HoldEvent.SEND_SINGLY,
        [copy],
        by="x",
        reason="ann@a.example: Agenda",
        now=NOW,
    )
    spool.queue([own], now=NOW)
    for each in spool.claim(by="w", limit=9, lease=timedelta(minutes=1), now=NOW):
        reply = "550 <ann@a.example>: Agenda unknown"
        spool.mark(each.id, CopyEvent.REPLY_5XX, reply, now=NOW)
    spool.unreported(now=NOW, interval=timedelta(0))


def _remember() -> None:
    from undisclosed.store.memory import PostgresMemory

    memory = PostgresMemory(KEYS)
    for digest in (b"1", b"2"):
        place = memory.reserve(
            Wave(
                digest=digest * 32,
                sender=OLIVE.person,
                people=frozenset({ANN, OLIVE}),
                audience=frozenset({ANN}),
                disclosures=2,
                adds_up=True,
                shingles=frozenset({b"Hello Agenda"}),
                subject="Agenda",
                message_id="1.agenda@council.example",
                authors=frozenset({OLIVE}),
                thread=frozenset({ANN, OLIVE}),
                hidden=frozenset({ANN, OLIVE}),
            ),
            window=timedelta(days=14),
            now=NOW,
        )
        memory.settle(
            place.id, WaveState.CANCELLED if digest == b"1" else WaveState.SHOWN
        )
    _declare()


def _declare() -> None:
    from undisclosed.store import circles, control

    until, reason = NOW + timedelta(days=9), "ann@a.example: Agenda"
    circles.declare(
        {ANN, OLIVE}, owner="x", reason=reason, until=until, by="x", now=NOW
    )
    control.impose([ANN], reason=reason, by="x", until=until, now=NOW)


def _catch() -> None:
    from undisclosed.store import bootstrap, journal
    from undisclosed.store.caught import PostgresCatcher

    PostgresCatcher(KEYS).keep([Mail(ENVELOPE, CONTENT)], caught_at=NOW)
    account = bootstrap.first_account(OLIVE, name="First")
    assert account is not None
    bootstrap.login_link(account, NOW)
    journal.write("tried", actor="olive@council.example", reason="ann@a.example")


def _open_to_programs() -> None:
    from undisclosed.store import tokens
    from undisclosed.store.used import PostgresOnce

    tokens.make("outlook", tokens.Purpose.CHECK, owner=OLIVE, now=NOW)
    tokens.count("outlook", NOW)
    PostgresOnce(KEYS).use("ann@a.example", bytes(32), until=NOW, now=NOW)


if __name__ == "__main__":
    main(sys.argv[1])
