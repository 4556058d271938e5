# SPDX-License-Identifier: Apache-2.0
"""What the pages read: lists, one mailing, its people and copies, caught mail."""

from dataclasses import replace
from datetime import timedelta

import pytest

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
from undisclosed.store import crypto, desk
from undisclosed.store.caught import PostgresCatcher
from undisclosed.store.spool import PostgresSpool

ANN, BOB = Address("ann", "a.example"), Address("bob", "a.example")
EVE = Address("eve", "e.example")


def hold(digest, mailing="m-1", *, later=timedelta(), **changes):
    return (
        PostgresSpool()
        .hold(
            new_hold(
                digest,
                mailing_id=mailing,
                received_at=NOW + later,
                subject=f"About {digest}",
                shown=(Shown(ANN, ("To", "Cc")), Shown(EVE, ("body text",))),
                **changes,
            )
        )
        .id
    )


def test_a_mailing_is_told_with_its_batches(database):
    first, second = hold("one"), hold("two", later=HOUR)

    view = desk.mailing("m-1")

    assert view is not None
    assert [batch.hold_id for batch in view.batches] == [first, second]
    assert (view.subject, view.sender) == ("About one", SENDER)
    assert (view.state, view.holds, view.open_holds) == (HoldState.HELD, 2, 2)
    assert view.sender_hash == crypto.address_hash(SENDER)
    assert view.batches[0].findings == new_hold().findings
    assert view.batches[1].received_at == NOW + HOUR
    assert view.copies == {state: 0 for state in CopyState}
    assert desk.mailing("no-such-mailing") is None


def test_decisions_and_copies_are_counted_by_state(database):
    spool, hold_id = PostgresSpool(), hold("one")
    other = hold("two", later=HOUR)
    copies = copies_of(hold_id, "ann", "bob", "carol")
    spool.decide(
        hold_id, HoldEvent.SEND_SINGLY, copies, by="olive", reason="why", now=NOW
    )
    claimed = spool.claim(by="w", limit=2, lease=HOUR, now=NOW)
    spool.mark(claimed[0].id, CopyEvent.REPLY_2XX, "250 2.0.0 OK", now=NOW)
    spool.mark(claimed[1].id, CopyEvent.REPLY_5XX, "550 5.1.1 <ann>", now=NOW)

    before = desk.mailing("m-1")
    spool.decide(other, HoldEvent.WITHDRAW, by="sam", now=NOW + HOUR)
    after = desk.mailing("m-1")

    assert before.state is HoldState.HELD
    assert before.copies[CopyState.SENT] == before.copies[CopyState.FAILED] == 1
    assert before.copies[CopyState.QUEUED] == 1
    batch = before.batches[0]
    assert (batch.state, batch.decided_by, batch.reason, batch.decided_at) == (
        HoldState.SPLIT,
        "olive",
        "why",
        NOW,
    )
    assert (after.state, after.open_holds) == (HoldState.WITHDRAWN, 0)
    rows = desk.copies("m-1").items
    assert {row.recipient for row in rows} == {ANN, BOB, Address("carol", "a.example")}
    assert {row.reply for row in rows} == {"", "250 2.0.0 OK", "550 5.1.1 <ann>"}


def test_the_list_is_paged_the_latest_first(database):
    for number in range(desk.PER_PAGE + 3):
        hold(f"{number}", f"m-{number:03}", later=timedelta(minutes=number))

    first, second, third = (desk.mailings(page=page) for page in (1, 2, 3))

    assert [row.mailing_id for row in first.items][:2] == ["m-052", "m-051"]
    assert (len(first.items), first.has_next) == (desk.PER_PAGE, True)
    assert (len(second.items), second.has_next) == (3, False)
    assert not third.items
    assert desk.held_count() == desk.PER_PAGE + 3


def test_the_list_is_narrowed_by_state_sender_and_search(database):
    one = hold("one", "m-1")
    mail = Mail(envelope("zoe", mail_from=EVE), CONTENT)
    hold("two", "m-2", later=HOUR, mail=mail)
    PostgresSpool().decide(one, HoldEvent.WITHDRAW, by="olive", now=NOW)

    def found(*args, **more):
        return [row.mailing_id for row in desk.mailings(*args, **more).items]

    own = [crypto.address_hash(SENDER)]
    assert found() == ["m-2", "m-1"]
    assert found(HoldState.HELD) == ["m-2"]
    assert found(HoldState.WITHDRAWN) == ["m-1"]
    assert found(HoldState.RETURNED) == []
    assert found(search="ZOE@a.example") == ["m-2"]
    assert found(search="eve@e.example") == ["m-2", "m-1"]
    assert found(search="bob@a.example") == ["m-1"]
    assert found(search="nobody@a.example") == []
    assert found(search=one) == ["m-1"]
    assert found(search="m-2") == ["m-2"]
    assert found(senders=own) == ["m-1"]
    assert found(senders=[]) == []
    assert found(HoldState.HELD, senders=own) == []
    assert desk.held_count(own) == 0


def test_people_are_listed_once_and_shortened_until_asked(database):
    hold("one")
    hold("two", later=HOUR)

    short, whole = desk.people("m-1").items, desk.people("m-1", 1, True).items

    assert [(row.address, row.channels, row.is_viewer) for row in short] == [
        ("a…@a.example", ("To", "Cc"), True),
        ("b…@a.example", (), True),
        ("e…@e.example", ("body text",), False),
    ]
    assert [row.address for row in whole] == [
        "ann@a.example",
        "bob@a.example",
        "eve@e.example",
    ]
    assert "ann@" not in repr(whole)


def test_no_repr_tells_subject_or_address(database):
    hold("one")

    told = repr(desk.mailing("m-1")) + repr(desk.mailings()) + repr(desk.copies("m-1"))

    assert "About" not in told
    assert "olive" not in told


def test_caught_mail_is_listed_found_and_given_back(database):
    catcher = PostgresCatcher()
    content = b"Subject: =?utf-8?q?Caf=C3=A9?=\r\n\tagain\r\n\r\nText \xe9\r\n"
    catcher.keep(
        [Mail(envelope("ann", "bob"), content), Mail(envelope("eve"), b"no header")],
        caught_at=NOW,
    )
    catcher.keep([Mail(envelope("zoe", mail_from=None), b"")], caught_at=NOW + HOUR)

    rows = desk.caught().items

    assert rows[0].mail_from is None
    assert desk.caught_count() == 3
    (row,) = desk.caught("bob@a.example").items
    assert (row.subject, row.mail_from, row.size) == (
        "Café again",
        SENDER,
        len(content),
    )
    assert row.rcpt_tos == (ANN, BOB)
    assert desk.caught_mail(row.caught_id).content == content
    assert [each.caught_id for each in desk.caught(row.caught_id).items] == [
        row.caught_id
    ]
    assert desk.caught_mail("nothing") is None
    assert desk.caught("nobody@a.example").items == ()


@pytest.mark.parametrize(("keep", "left"), [(0, 0), (1, 1), (9, 2)])
def test_old_and_too_much_caught_mail_is_dropped(database, keep, left):
    catcher = PostgresCatcher()
    for hours in range(3):
        catcher.keep([Mail(envelope("ann"), b"")], caught_at=NOW + hours * HOUR)

    dropped = catcher.prune(keep=keep, before=NOW + HOUR)

    assert dropped == 3 - left
    assert desk.caught_count() == left


def test_a_mailing_whose_retention_is_over_has_counts_only(database):
    from undisclosed.store import retention

    hold_id = hold("one")
    PostgresSpool().decide(hold_id, HoldEvent.WITHDRAW, by="olive", now=NOW)
    holds = replace(database.settings.holds, keep=timedelta(days=1))

    retention.purge(replace(database.settings, holds=holds), NOW + timedelta(days=2))

    view = desk.mailing("m-1")
    assert (view.subject, view.sender, view.people) == ("", None, 37)
    assert desk.people("m-1").items == ()
    assert desk.copies("m-1").items == ()
    assert desk.mailings(search="ann@a.example").items == ()
