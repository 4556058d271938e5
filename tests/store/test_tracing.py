# SPDX-License-Identifier: Apache-2.0
"""Where is A's mail to B? By keyed look-up, over held and accepted mail."""

import logging
from datetime import timedelta

from tests.guard.spool_contract import (
    CONTENT,
    HOUR,
    NOW,
    SENDER,
    copies_of,
    envelope,
    new_hold,
)
from undisclosed.core.address import Address
from undisclosed.core.held import CopyEvent, CopyState, HoldEvent, HoldState, Shown
from undisclosed.core.mail import Mail
from undisclosed.store import accepted, tracing
from undisclosed.store.accepted import PostgresTrace
from undisclosed.store.database import transaction
from undisclosed.store.models import AcceptedMail
from undisclosed.store.spool import PostgresSpool

ANN, BOB = Address("ann", "a.example"), Address("bob", "a.example")
EVE = Address("eve", "e.example")


def note(*names, at=NOW, sender=SENDER):
    """Note an accepted mail to these people, and write it."""
    trace = PostgresTrace()
    trace.accepted(Mail(envelope(*names, mail_from=sender), CONTENT), at)
    trace.close()


def test_accepted_mail_is_found_by_sender_and_recipient_only(database):
    note("ann", "bob")
    note("ann", at=NOW + HOUR)
    note("ann", sender=None)

    assert [one.at for one in accepted.passed(SENDER, ANN)] == [NOW + HOUR, NOW]
    assert [one.at for one in accepted.passed(SENDER, BOB)] == [NOW]
    assert [one.at for one in accepted.passed(None, ANN)] == [NOW]
    assert not accepted.passed(EVE, ANN)
    assert accepted.passed(SENDER, BOB)[0].size == len(CONTENT)


def test_nothing_readable_is_kept_of_accepted_mail(database):
    note("ann")

    row = AcceptedMail.objects.get()

    kept = f"{bytes(row.sender_hash)!r} {row.people_hashes}"
    assert "ann" not in kept
    assert "olive" not in kept


def test_accepted_mail_is_forgotten_when_its_time_is_over(database):
    note("ann")
    note("ann", at=NOW + HOUR)

    with transaction() as connection:
        gone = accepted.purge(connection, NOW + timedelta(minutes=1), 10)

    assert gone == 1
    assert [one.at for one in accepted.passed(SENDER, ANN)] == [NOW + HOUR]


def test_more_than_the_database_takes_is_dropped_with_a_warning(database, caplog):
    trace = PostgresTrace(most_waiting=2)
    mail = Mail(envelope("ann"), CONTENT)

    with caplog.at_level(logging.WARNING):
        for _ in range(3):
            trace.accepted(mail, NOW)
    trace.close()

    assert "could not be noted" in caplog.text
    assert "ann" not in caplog.text
    assert len(accepted.passed(SENDER, ANN)) == 2


def test_held_mail_is_found_with_the_copy_of_the_one_who_asks(database):
    spool = PostgresSpool()
    hold_id = spool.hold(new_hold(shown=(Shown(EVE, ("To",)),))).id
    copies = copies_of(hold_id, "ann", "bob")
    spool.decide(hold_id, HoldEvent.SEND_SINGLY, copies, by="olive", now=NOW)
    for copy in spool.claim(by="w", limit=9, lease=HOUR, now=NOW):
        if copy.envelope.rcpt_tos == (ANN,):
            spool.mark(copy.id, CopyEvent.REPLY_5XX, "550 No such user", now=NOW)

    (for_ann,) = tracing.held(SENDER, ANN)
    (for_eve,) = tracing.held(SENDER, EVE)

    assert (for_ann.hold_id, for_ann.state) == (hold_id, HoldState.SPLIT)
    assert [(copy.state, copy.reply) for copy in for_ann.copies] == [
        (CopyState.FAILED, "550 No such user")
    ]
    assert not for_eve.copies
    assert not tracing.held(EVE, ANN)


def test_held_mail_of_the_null_sender_is_found(database):
    hold_id = PostgresSpool().hold(new_hold(mail_from=None)).id

    assert [one.hold_id for one in tracing.held(None, ANN)] == [hold_id]
    assert not tracing.held(SENDER, ANN)
