# SPDX-License-Identifier: Apache-2.0
"""What every Spool does, as one suite: run over each implementation.

Each function of CHECKS takes a factory of empty spools. To run them:

    @pytest.mark.parametrize("check", CHECKS, ids=name_of)
    def test_the_spool_keeps_its_contract(check): check(make_spool)
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from undisclosed.core.address import Address
from undisclosed.core.mail import Envelope, Mail, Recipient
from undisclosed.core.private import Edit, Patch
from undisclosed.core.verdict import Action, Finding
from undisclosed.guard.ports import (
    RETRY_WINDOW,
    CopyEvent,
    CopyState,
    HoldDecided,
    HoldEvent,
    HoldState,
    NewHold,
    NoSuchHold,
    Outgoing,
    OutgoingKind,
    Spool,
)

Factory = Callable[[], Spool]
NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
SENDER = Address("olive", "council.example")
CONTENT = b"To: ann@a.example\r\nSubject: News\r\n\r\nHello \xe9\r\n" * 3


def name_of(check: Callable[[Factory], None]) -> str:
    """The id of a check in a test report."""
    return check.__name__


def envelope(*names: str, mail_from: Address | None = SENDER) -> Envelope:
    recipients = tuple(
        Recipient(Address(name, "a.example"), ("NOTIFY=FAILURE",)) for name in names
    )
    return Envelope(mail_from, recipients, ("BODY=8BITMIME", "ENVID=7"))


def new_hold(
    digest: str = "first", *, mail_from: Address | None = SENDER, **changes: object
) -> NewHold:
    hold = NewHold(
        mail=Mail(envelope("ann", "bob", mail_from=mail_from), CONTENT),
        digest=digest.encode().ljust(32, b"."),
        findings=(
            Finding("shown-outsiders", Action.HOLD, 37, "37 people would be shown."),
            Finding("addresses-in-body", Action.SPLIT, 2, "2 addresses."),
        ),
        mailing_id="mailing-1",
        reservation_id=None,
        people=37,
        disclosures=1332,
        viewers=38,
        singly_refused=None,
        expires_at=NOW + 3 * DAY,
        received_at=NOW,
    )
    return replace(hold, **changes)  # type: ignore[arg-type]


def copies_of(hold_id: str, *names: str) -> list[Outgoing]:
    """One private copy for each name, whose patch cuts the first three bytes."""
    return [
        Outgoing(
            id=f"{hold_id}{name}".ljust(24, "0"),
            hold_id=hold_id,
            kind=OutgoingKind.PRIVATE_COPY,
            envelope=envelope(name),
            patch=Patch((Edit(0, 3), Edit(5, 7, b"\xe9\r\n"))),
        )
        for name in names
    ]


def own_mail(
    identifier: str = "notice-1",
    *,
    kind: OutgoingKind = OutgoingKind.NOTICE,
    mail_from: Address | None = None,
) -> Outgoing:
    return Outgoing(
        id=identifier,
        hold_id=None,
        kind=kind,
        envelope=envelope("olive", mail_from=mail_from),
        content=b"Subject: Held\r\n\r\nText\r\n",
    )


def claimed(spool: Spool, now: datetime = NOW, limit: int = 100) -> Sequence[Outgoing]:
    return spool.claim(by="worker-1", limit=limit, lease=10 * MINUTE, now=now)


def split(spool: Spool, *names: str, digest: str = "first") -> str:
    """A hold that was sent singly to these people; its id."""
    hold_id = spool.hold(new_hold(digest)).id
    copies = copies_of(hold_id, *names)
    spool.decide(hold_id, HoldEvent.SEND_SINGLY, copies, by="olive", now=NOW)
    return hold_id


def a_held_mail_is_given_back_as_it_was(make: Factory) -> None:
    spool, new = make(), new_hold()

    hold_id = spool.hold(new).id

    hold = spool.get(hold_id)
    assert hold.id == hold_id
    assert hold.envelope == new.mail.envelope
    assert hold.envelope.parameters == new.mail.envelope.parameters
    assert hold.findings == new.findings
    assert (hold.people, hold.disclosures, hold.viewers) == (37, 1332, 38)
    assert hold.state is HoldState.HELD
    assert (hold.received_at, hold.expires_at) == (NOW, NOW + 3 * DAY)
    assert (hold.escalations, hold.size) == (0, len(CONTENT))
    assert hold.singly_refused is None
    assert spool.content(hold_id) == CONTENT


def large_and_empty_contents_are_kept_to_the_byte(make: Factory) -> None:
    spool = make()
    for number, content in enumerate((b"", bytes(range(256)) * 3000)):
        mail = Mail(envelope("ann"), content)

        hold_id = spool.hold(new_hold(f"size-{number}", mail=mail)).id

        assert spool.content(hold_id) == content


def the_null_sender_is_kept(make: Factory) -> None:
    spool = make()

    hold_id = spool.hold(new_hold(mail_from=None, singly_refused="It is signed.")).id

    assert spool.get(hold_id).envelope.mail_from is None
    assert spool.get(hold_id).singly_refused == "It is signed."


def the_same_digest_finds_the_earlier_hold_for_hours(make: Factory) -> None:
    spool = make()
    first = spool.hold(new_hold()).id

    again = spool.hold(new_hold(received_at=NOW + RETRY_WINDOW - MINUTE)).id
    other = spool.hold(new_hold("other")).id
    later = spool.hold(new_hold(received_at=NOW + RETRY_WINDOW + MINUTE)).id

    assert again == first
    assert len({first, other, later}) == 3
    assert len(spool.of_mailing("mailing-1")) == 3


def a_retry_of_a_decided_mail_finds_the_decided_hold(make: Factory) -> None:
    spool = make()
    first = split(spool, "ann")

    again = spool.hold(new_hold(received_at=NOW + HOUR)).id

    assert again == first
    assert spool.get(again).state is HoldState.SPLIT


def an_unknown_hold_has_a_name_for_its_error(make: Factory) -> None:
    spool = make()
    for ask in (spool.get, spool.content):
        with pytest.raises(NoSuchHold):
            ask("no-such-hold")
    with pytest.raises(NoSuchHold):
        spool.decide("no-such-hold", HoldEvent.WITHDRAW, by="olive", now=NOW)
    assert not spool.of_mailing("no-such-mailing")


def holds_of_a_mailing_come_oldest_first(make: Factory) -> None:
    spool = make()
    late = spool.hold(new_hold("late", received_at=NOW + HOUR)).id
    early = spool.hold(new_hold("early")).id
    spool.hold(new_hold("elsewhere", mailing_id="mailing-2"))

    assert [hold.id for hold in spool.of_mailing("mailing-1")] == [early, late]


def a_decision_moves_the_hold_and_queues_what_leaves(make: Factory) -> None:
    spool = make()
    hold_id = spool.hold(new_hold()).id
    copies = copies_of(hold_id, "ann", "bob")

    state = spool.decide(
        hold_id, HoldEvent.SEND_SINGLY, copies, by="olive", reason="", now=NOW
    )

    assert state is HoldState.SPLIT
    assert spool.get(hold_id).state is HoldState.SPLIT
    found = {copy.id: copy for copy in claimed(spool)}
    assert set(found) == {copy.id for copy in copies}
    for copy in copies:
        assert found[copy.id].patch == copy.patch
        assert found[copy.id].envelope == copy.envelope
        assert found[copy.id].envelope.recipients == copy.envelope.recipients
        assert found[copy.id].envelope.parameters == copy.envelope.parameters
        assert found[copy.id].kind is copy.kind
        assert found[copy.id].hold_id == hold_id
        assert found[copy.id].attempts == 0


def a_second_decision_is_refused_and_changes_nothing(make: Factory) -> None:
    spool = make()
    hold_id = split(spool, "ann")

    for event in set(HoldEvent) - {HoldEvent.WITHDRAW}:
        with pytest.raises(HoldDecided):
            spool.decide(hold_id, event, copies_of(hold_id, "eve"), by="olive", now=NOW)

    assert spool.get(hold_id).state is HoldState.SPLIT
    assert len(claimed(spool)) == 1


def an_escalation_is_counted_and_the_hold_stays(make: Factory) -> None:
    spool = make()
    hold_id = spool.hold(new_hold()).id

    for count in (1, 2):
        state = spool.decide(
            hold_id, HoldEvent.ESCALATE, [own_mail(f"e-{count}")], by="sweep", now=NOW
        )
        assert state is HoldState.HELD
        assert spool.get(hold_id).escalations == count

    assert {copy.id for copy in claimed(spool)} == {"e-1", "e-2"}


def the_content_stays_while_a_copy_of_it_is_to_leave(make: Factory) -> None:
    spool = make()
    hold_id = split(spool, "ann", "bob")

    first, second = claimed(spool)
    spool.mark(first.id, CopyEvent.REPLY_2XX, "250 OK", now=NOW)
    spool.mark(
        second.id, CopyEvent.REPLY_4XX, "451 Later", now=NOW, retry_at=NOW + HOUR
    )

    assert spool.content(hold_id) == CONTENT


def queueing_the_same_id_twice_queues_it_once(make: Factory) -> None:
    spool = make()

    spool.queue([own_mail(), own_mail("notice-2")], now=NOW)
    spool.queue([own_mail(), own_mail("notice-3")], now=NOW)

    found = claimed(spool)
    assert sorted(copy.id for copy in found) == ["notice-1", "notice-2", "notice-3"]
    assert {copy.content for copy in found} == {own_mail().content}
    assert {copy.hold_id for copy in found} == {None}


def a_copy_that_left_is_not_queued_again(make: Factory) -> None:
    spool = make()
    spool.queue([own_mail()], now=NOW)
    claimed(spool)
    spool.mark("notice-1", CopyEvent.REPLY_2XX, "250 OK", now=NOW)

    spool.queue([own_mail()], now=NOW + HOUR)

    assert not claimed(spool, NOW + DAY)


def a_claimed_copy_is_nobody_elses_until_the_lease_is_over(make: Factory) -> None:
    spool = make()
    split(spool, "ann", "bob", "carol")

    first = spool.claim(by="one", limit=2, lease=10 * MINUTE, now=NOW)
    second = spool.claim(by="two", limit=9, lease=10 * MINUTE, now=NOW + MINUTE)
    none = spool.claim(by="three", limit=9, lease=10 * MINUTE, now=NOW + 2 * MINUTE)
    back = spool.claim(by="four", limit=9, lease=10 * MINUTE, now=NOW + HOUR)

    assert (len(first), len(second), len(none), len(back)) == (2, 1, 0, 3)
    assert not {c.id for c in first} & {c.id for c in second}


def what_a_dead_worker_took_can_be_given_back(make: Factory) -> None:
    spool = make()
    split(spool, "ann", "bob")
    spool.claim(by="dead", limit=1, lease=HOUR, now=NOW)
    spool.claim(by="alive", limit=1, lease=HOUR, now=NOW)

    spool.give_back(by="dead")

    assert len(claimed(spool, NOW + MINUTE)) == 1


def a_copy_waits_for_its_time(make: Factory) -> None:
    spool = make()
    hold_id = spool.hold(new_hold()).id
    later = replace(copies_of(hold_id, "ann")[0], not_before=NOW + HOUR)
    later = replace(later, expires_at=NOW + 5 * DAY)
    spool.decide(hold_id, HoldEvent.RELEASE, [later], by="sam", reason="x", now=NOW)

    assert not claimed(spool, NOW + HOUR - MINUTE)
    (copy,) = claimed(spool, NOW + HOUR)
    assert copy.expires_at == NOW + 5 * DAY


def a_delayed_copy_comes_again_with_its_attempts(make: Factory) -> None:
    spool = make()
    split(spool, "ann")
    for attempt in range(3):
        now = NOW + attempt * HOUR
        (copy,) = claimed(spool, now)
        assert copy.attempts == attempt
        assert copy.state is (CopyState.DELAYED if attempt else CopyState.QUEUED)
        spool.mark(
            copy.id, CopyEvent.REPLY_4XX, "451 Later", now=now, retry_at=now + HOUR
        )
        assert not claimed(spool, now + HOUR - MINUTE)


def a_final_copy_stays_final(make: Factory) -> None:
    spool = make()
    split(spool, "ann", "bob")
    sent, failed = claimed(spool)
    spool.mark(sent.id, CopyEvent.REPLY_2XX, "250 OK", now=NOW)
    spool.mark(failed.id, CopyEvent.REPLY_5XX, "550 5.1.1 No such user", now=NOW)

    for copy in (sent, failed):
        for event in CopyEvent:
            spool.mark(copy.id, event, "250 OK", now=NOW, retry_at=NOW)

    assert not claimed(spool, NOW + DAY)
    ((failure,),) = spool.unreported(now=NOW, interval=HOUR)
    assert failure.copy_id == failed.id
    assert failure.reply == "550 5.1.1 No such user"


def a_copy_of_several_is_divided_by_recipients(make: Factory) -> None:
    spool = make()
    hold_id = spool.hold(new_hold()).id
    shared = replace(
        copies_of(hold_id, "ann")[0], envelope=envelope("ann", "bob", "carol")
    )
    spool.decide(hold_id, HoldEvent.RELEASE, [shared], by="sam", reason="x", now=NOW)
    claimed(spool)
    part = replace(shared, id="part-of-bob", envelope=envelope("bob"))

    for _ in range(2):
        spool.divide(shared.id, [part], now=NOW)

    (copy,) = claimed(spool, NOW + MINUTE)
    assert copy.id == "part-of-bob"
    assert copy.patch == shared.patch
    by_id = {copy.id: copy for copy in claimed(spool, NOW + HOUR)}
    assert by_id[shared.id].envelope.rcpt_tos == envelope("ann", "carol").rcpt_tos
    assert by_id["part-of-bob"].envelope.rcpt_tos == envelope("bob").rcpt_tos


def untouched_holds_are_due_to_escalate_and_to_expire(make: Factory) -> None:
    spool = make()
    hold_id = spool.hold(new_hold()).id
    after = (4 * HOUR, DAY)

    def due(now: datetime) -> list[str]:
        return [h.id for h in spool.due(now=now, limit=9, escalate_after=after)]

    assert due(NOW + 3 * HOUR) == []
    assert due(NOW + 4 * HOUR) == [hold_id]
    spool.decide(hold_id, HoldEvent.ESCALATE, by="sweep", now=NOW + 4 * HOUR)
    assert due(NOW + 5 * HOUR) == []
    assert due(NOW + DAY) == [hold_id]
    spool.decide(hold_id, HoldEvent.ESCALATE, by="sweep", now=NOW + DAY)
    assert due(NOW + 2 * DAY) == []
    assert due(NOW + 3 * DAY) == [hold_id]
    spool.decide(hold_id, HoldEvent.EXPIRE, by="sweep", now=NOW + 3 * DAY)
    assert due(NOW + 4 * DAY) == []


def due_holds_come_oldest_first_and_no_more_than_asked(make: Factory) -> None:
    spool = make()
    late = spool.hold(new_hold("late", received_at=NOW + HOUR)).id
    early = spool.hold(new_hold("early")).id

    found = spool.due(now=NOW + 5 * DAY, limit=9)
    first = spool.due(now=NOW + 5 * DAY, limit=1)

    assert [hold.id for hold in found] == [early, late]
    assert [hold.id for hold in first] == [early]


def a_hold_of_the_null_sender_escalates_but_never_expires(make: Factory) -> None:
    spool = make()
    hold_id = spool.hold(new_hold(mail_from=None)).id

    assert not spool.due(now=NOW + 9 * DAY, limit=9)
    (due,) = spool.due(now=NOW + 9 * DAY, limit=9, escalate_after=[HOUR])
    assert due.id == hold_id
    spool.decide(hold_id, HoldEvent.ESCALATE, by="sweep", now=NOW)
    assert not spool.due(now=NOW + 9 * DAY, limit=9, escalate_after=[HOUR])


def failures_are_reported_by_hold_and_once(make: Factory) -> None:
    spool = make()
    first = split(spool, "ann", "bob")
    second = split(spool, "carol", digest="second")
    for copy in claimed(spool):
        spool.mark(copy.id, CopyEvent.REPLY_5XX, "550 5.1.1 No", now=NOW)

    groups = spool.unreported(now=NOW, interval=HOUR)

    assert {group[0].hold_id: len(group) for group in groups} == {first: 2, second: 1}
    for group in groups:
        assert {failure.envelope.mail_from for failure in group} == {SENDER}
        assert {failure.at for failure in group} == {NOW}
        dsn = own_mail(f"dsn-{group[0].hold_id}", kind=OutgoingKind.DSN)
        spool.report([failure.copy_id for failure in group], dsn, now=NOW)
    assert not spool.unreported(now=NOW + DAY, interval=HOUR)
    assert {copy.kind for copy in claimed(spool)} == {OutgoingKind.DSN}


def a_hold_is_reported_once_per_interval(make: Factory) -> None:
    spool = make()
    split(spool, "ann", "bob")
    first, second = claimed(spool)
    spool.mark(first.id, CopyEvent.REPLY_5XX, "550 5.1.1 No", now=NOW)
    spool.report([first.id], own_mail("dsn-1"), now=NOW)

    spool.mark(second.id, CopyEvent.GIVEN_UP, "451 Later", now=NOW + MINUTE)

    assert not spool.unreported(now=NOW + 30 * MINUTE, interval=HOUR)
    ((failure,),) = spool.unreported(now=NOW + HOUR, interval=HOUR)
    assert failure.copy_id == second.id


def failures_that_nobody_may_be_told_of_are_ticked_off(make: Factory) -> None:
    spool = make()
    spool.queue([own_mail("n-1"), own_mail("n-2")], now=NOW)
    for copy in claimed(spool):
        spool.mark(copy.id, CopyEvent.REPLY_5XX, "550 No", now=NOW)

    groups = spool.unreported(now=NOW, interval=HOUR)
    assert sorted(len(group) for group in groups) == [1, 1]
    for group in groups:
        assert group[0].hold_id is None
        spool.report([group[0].copy_id], None, now=NOW)

    assert not spool.unreported(now=NOW, interval=HOUR)
    assert not claimed(spool, NOW + DAY)


CHECKS: tuple[Callable[[Factory], None], ...] = (
    a_held_mail_is_given_back_as_it_was,
    large_and_empty_contents_are_kept_to_the_byte,
    the_null_sender_is_kept,
    the_same_digest_finds_the_earlier_hold_for_hours,
    a_retry_of_a_decided_mail_finds_the_decided_hold,
    an_unknown_hold_has_a_name_for_its_error,
    holds_of_a_mailing_come_oldest_first,
    a_decision_moves_the_hold_and_queues_what_leaves,
    a_second_decision_is_refused_and_changes_nothing,
    an_escalation_is_counted_and_the_hold_stays,
    the_content_stays_while_a_copy_of_it_is_to_leave,
    queueing_the_same_id_twice_queues_it_once,
    a_copy_that_left_is_not_queued_again,
    a_claimed_copy_is_nobody_elses_until_the_lease_is_over,
    what_a_dead_worker_took_can_be_given_back,
    a_copy_waits_for_its_time,
    a_delayed_copy_comes_again_with_its_attempts,
    a_final_copy_stays_final,
    a_copy_of_several_is_divided_by_recipients,
    untouched_holds_are_due_to_escalate_and_to_expire,
    due_holds_come_oldest_first_and_no_more_than_asked,
    a_hold_of_the_null_sender_escalates_but_never_expires,
    failures_are_reported_by_hold_and_once,
    a_hold_is_reported_once_per_interval,
    failures_that_nobody_may_be_told_of_are_ticked_off,
)
