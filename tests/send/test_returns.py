# SPDX-License-Identifier: Apache-2.0
"""A report that comes back changes its row, suppresses the person, or pauses all."""

import secrets

import pytest

from tests.store.campaigns import (
    NOW,
    address_of,
    sending,
)
from undisclosed.core.address import Address
from undisclosed.core.campaign import (
    CampaignState,
    DeliveryState,
    MailKind,
)
from undisclosed.core.returns import ReturnKind
from undisclosed.formats.dsn import (
    DeliveryAction,
    DeliveryReport,
    RecipientStatus,
    write_dsn,
)
from undisclosed.formats.letter import Letter
from undisclosed.guard.testing import FixedClock
from undisclosed.send.returns import ReturnLimits, Returns, learn_refusals, why_paused
from undisclosed.send.tokens import Purpose, Tokens
from undisclosed.store import campaigns, ledger, returns, suppressions
from undisclosed.store.database import database as connected
from undisclosed.store.database import transaction
from undisclosed.store.ledger import Marked
from undisclosed.store.models import JournalEntry, ReturnedMail
from undisclosed.store.returns import Standing

TOKENS = Tokens({purpose: secrets.token_bytes(32) for purpose in Purpose})
DOMAIN = "bounces.c.test"
HOST = "c.test"
COMPLAINTS = Address("complaints", "c.test")


def returns_of(**limits):
    """What takes returned mail, at the time of the campaign."""
    chosen = ReturnLimits(**limits)
    clock = FixedClock(NOW)
    return Returns(
        TOKENS,
        clock,
        domain=DOMAIN,
        hostname=HOST,
        others=[COMPLAINTS],
        limits=chosen,
    )


def token(campaign, number, purpose=Purpose.RETURN_PATH):
    return TOKENS.make(purpose, campaigns.get(campaign).serial, number)


def return_path(campaign, number):
    return Address(f"b-{token(campaign, number)}", DOMAIN)


def dsn(number, action="failed", status="5.1.1", reply="", returned=b"Subject: x\r\n"):
    """A report as RFC 3464 has it."""
    recipient = RecipientStatus(
        address_of(number).spelled_out(), DeliveryAction(action), status, reply
    )
    letter = Letter(
        author_name="Mail system",
        author="mailer-daemon@mx.test",
        to=f"b@{DOMAIN}",
        subject="Undelivered",
        written_at=NOW,
        message_id="1@mx.test",
        plain="It was not delivered.\n",
    )
    return write_dsn(letter, DeliveryReport("mx.test", (recipient,)), returned, "=_b")


def arf(campaign, number, kind="abuse", purpose=Purpose.FEEDBACK):
    """A complaint as RFC 5965 has it, its addresses redacted, the message attached.

    Of the message's own marks it has one.
    """
    made = token(campaign, number, purpose)
    mark = f"Message-ID: <{made}@{HOST}>"
    if purpose is Purpose.FEEDBACK:
        mark = f"Feedback-ID: {made}:service:{made}:council"
    return (
        "From: <feedback@provider.test>\r\nTo: <complaints@c.test>\r\n"
        "MIME-Version: 1.0\r\nContent-Type: multipart/report; "
        'report-type=feedback-report; boundary="=_a"\r\n\r\n--=_a\r\n\r\n'
        "Somebody complained.\r\n--=_a\r\nContent-Type: message/feedback-report\r\n\r\n"
        f"Feedback-Type: {kind}\r\nUser-Agent: x/1\r\nVersion: 1\r\n\r\n--=_a\r\n"
        f"Content-Type: message/rfc822\r\n\r\n{mark}\r\n"
        "To: redacted@provider.test\r\n\r\nDear all\r\n--=_a--\r\n"
    ).encode()


def sent_to(people, **more):
    """A campaign that was sent to so many."""
    campaign = sending(people, **more)
    ledger.claim(campaign, by="w", limit=people, lease=returns.KEEP, now=NOW)
    ledger.begin(campaign, range(1, people + 1), by="w", now=NOW)
    ledger.mark(
        campaign,
        [Marked(n, DeliveryState.SENT, 250) for n in range(1, people + 1)],
        NOW,
    )
    return campaign


def row_of(campaign, number):
    return next(one for one in ledger.rows(campaign) if one.number == number)


def reason_of(campaign, number, kind=MailKind.SERVICE):
    team = campaigns.get(campaign).team
    return suppressions.why(address_of(number), team=team, kind=kind)


def make_marketing(campaign):
    with connected() as connection:
        connection.run("UPDATE store_campaign SET kind = 'marketing'")
    return campaign


def test_a_report_to_the_return_path_fails_its_row_and_suppresses_the_person(database):
    campaign = sent_to(3)
    content = dsn(2, reply="550 5.1.1 no such user here: p2@a.example")

    taken = returns_of().take(content, [return_path(campaign, 2)])

    assert (taken.kind, taken.is_ours, taken.is_new) == (ReturnKind.FAILED, True, True)
    failed = row_of(campaign, 2)
    assert (failed.state, failed.status) == (DeliveryState.FAILED, "5.1.1")
    assert failed.reply == "550 5.1.1 no such user here: p2@a.example"
    assert failed.reason == "no such mailbox"
    assert row_of(campaign, 1).state is DeliveryState.SENT
    assert reason_of(campaign, 2) == "failed"
    assert reason_of(campaign, 1) == ""
    assert ledger.counts(campaign)[DeliveryState.FAILED] == 1


def test_the_same_report_twice_is_one(database):
    campaign = sent_to(1)
    content = dsn(1)
    takes = returns_of()

    first = takes.take(content, [return_path(campaign, 1)])
    trace = b"Received: from elsewhere\r\n"
    second = takes.take(trace + content, [return_path(campaign, 1)])

    assert (first.is_new, second.is_new) == (True, False)
    assert ReturnedMail.objects.count() == 1


def test_complaining_about_one_message_many_times_pauses_nothing(database):
    campaign = sent_to(5)
    takes = returns_of(fewest_complaints=2, complaint_share=0.1)

    for number in range(5):
        words = f"Somebody complained, time {number}".encode()
        content = arf(campaign, 1).replace(b"Somebody complained", words)
        takes.take(content, [COMPLAINTS])

    assert returns.counts(campaign) == {ReturnKind.COMPLAINT: 1}
    assert campaigns.get(campaign).state is CampaignState.SENDING


def test_a_report_without_the_return_path_is_found_by_the_message_it_returns(database):
    campaign = sent_to(2)
    made = token(campaign, 2, Purpose.MESSAGE_ID)
    content = dsn(2, returned=f"Message-ID: <{made}@c.test>\r\n".encode())

    taken = returns_of().take(content, [Address("author", "c.test")])

    assert taken.is_ours
    assert row_of(campaign, 2).state is DeliveryState.FAILED


@pytest.mark.parametrize(
    "forged", [Purpose.MESSAGE_ID, Purpose.UNSUBSCRIBE, None], ids=str
)
def test_what_names_an_address_and_has_no_return_path_of_ours_changes_nothing(
    database, forged
):
    campaign = sent_to(1)
    local_part = f"b-{token(campaign, 1, forged)}" if forged else "b-" + 26 * "a"

    taken = returns_of().take(dsn(1), [Address(local_part, DOMAIN)])

    assert not taken.is_ours
    assert row_of(campaign, 1).state is DeliveryState.SENT
    assert reason_of(campaign, 1) == ""


def test_what_returns_messages_of_two_people_is_nobodys(database):
    campaign = sent_to(2)
    ids = [token(campaign, n, Purpose.MESSAGE_ID) for n in (1, 2)]
    returned = "".join(f"Message-ID: <{one}@c.test>\r\n" for one in ids).encode()

    taken = returns_of().take(dsn(1, returned=returned))

    assert not taken.is_ours


@pytest.mark.parametrize(
    ("status", "reply"),
    [
        ("5.2.2", "552 5.2.2 mailbox full"),
        ("5.7.1", "550 5.7.1 rejected as spam"),
        ("4.4.7", "delivery time expired"),
        ("5.0.0", "550 sender domain does not exist"),
    ],
)
def test_a_failure_that_may_pass_suppresses_nobody(database, status, reply):
    campaign = sent_to(1)

    returns_of().take(dsn(1, status=status, reply=reply), [return_path(campaign, 1)])

    assert row_of(campaign, 1).state is DeliveryState.FAILED
    assert reason_of(campaign, 1) == ""


def test_who_fails_in_three_campaigns_is_suppressed_whatever_the_reason(database):
    campaign = sent_to(1)
    hashed = returns.whose(campaigns.get(campaign).serial, 1).address_hash
    for other in ("one", "two"):
        ReturnedMail.objects.create(
            key=secrets.token_bytes(32),
            campaign_id=other,
            number=1,
            address_hash=hashed,
            kind="failed",
            at=NOW,
        )

    returns_of().take(dsn(1, status="5.2.2"), [return_path(campaign, 1)])

    assert reason_of(campaign, 1) == "failed"


def test_a_delay_changes_nothing_and_a_delivery_is_recorded(database):
    campaign = sent_to(2)
    takes = returns_of()

    takes.take(dsn(1, "delayed", "4.4.1"), [return_path(campaign, 1)])
    takes.take(dsn(2, "delivered", "2.0.0"), [return_path(campaign, 2)])

    assert row_of(campaign, 1).state is DeliveryState.SENT
    assert row_of(campaign, 2).state is DeliveryState.DELIVERED
    assert returns.counts(campaign) == {ReturnKind.DELAYED: 1, ReturnKind.DELIVERED: 1}


def test_a_failure_after_a_delivery_is_believed_and_not_the_other_way(database):
    campaign = sent_to(1)
    takes, path = returns_of(), [return_path(campaign, 1)]

    for action, status in (
        ("delivered", "2.0.0"),
        ("failed", "5.1.1"),
        ("delivered", "2.1.5"),
    ):
        takes.take(dsn(1, action, status), path)

    assert row_of(campaign, 1).state is DeliveryState.FAILED


def test_a_complaint_about_service_mail_ends_all_mail(database):
    campaign = sent_to(1)

    taken = returns_of().take(arf(campaign, 1), [COMPLAINTS])

    assert taken.kind is ReturnKind.COMPLAINT
    assert reason_of(campaign, 1, MailKind.SERVICE) == "complaint"
    assert row_of(campaign, 1).state is DeliveryState.SENT


def test_what_only_a_message_id_names_counts_and_suppresses_nobody(database):
    campaign = sent_to(2)
    about_1 = arf(campaign, 1, purpose=Purpose.MESSAGE_ID)
    made = token(campaign, 2, Purpose.MESSAGE_ID)
    about_2 = dsn(2, returned=f"Message-ID: <{made}@{HOST}>\r\n".encode())

    complaint = returns_of().take(about_1, [COMPLAINTS])
    failure = returns_of().take(about_2)

    assert (complaint.is_ours, failure.is_ours) == (True, True)
    assert returns.counts(campaign) == {ReturnKind.COMPLAINT: 1, ReturnKind.FAILED: 1}
    assert row_of(campaign, 2).state is DeliveryState.FAILED
    assert (reason_of(campaign, 1), reason_of(campaign, 2)) == ("", "")
    assert {one.address_hash for one in ReturnedMail.objects.all()} == {None}


def test_what_is_not_proven_takes_no_place_from_what_is(database):
    campaign = sent_to(1)
    returns_of().take(arf(campaign, 1, purpose=Purpose.MESSAGE_ID), [COMPLAINTS])

    taken = returns_of().take(arf(campaign, 1), [COMPLAINTS])

    assert taken.is_new
    assert reason_of(campaign, 1) == "complaint"
    assert returns.counts(campaign) == {ReturnKind.COMPLAINT: 1}
    assert returns.standing(campaign).complaints == 1


def test_a_reply_s_references_are_no_complaint_of_the_person(database):
    campaign = sent_to(1)
    made = token(campaign, 1, Purpose.MESSAGE_ID)
    content = arf(campaign, 1, purpose=Purpose.MESSAGE_ID).replace(
        f"Message-ID: <{made}@{HOST}>".encode(),
        f"References: <{made}@evil.example>".encode(),
    )

    taken = returns_of().take(content, [COMPLAINTS])

    assert not taken.is_ours
    assert reason_of(campaign, 1) == ""


def test_a_complaint_about_marketing_ends_marketing(database):
    campaign = make_marketing(sent_to(1))

    returns_of().take(arf(campaign, 1), [COMPLAINTS])

    assert reason_of(campaign, 1, MailKind.MARKETING) == "complaint"
    assert reason_of(campaign, 1, MailKind.SERVICE) == ""


def test_a_report_that_it_is_no_spam_is_no_complaint(database):
    campaign = sent_to(1)

    taken = returns_of().take(arf(campaign, 1, "not-spam"), [COMPLAINTS])

    assert taken.kind is ReturnKind.REPORT
    assert reason_of(campaign, 1) == ""


def test_an_auto_reply_is_counted_and_ignored(database):
    campaign = sent_to(1)
    content = (
        b"From: p1@a.example\r\nSubject: Out of office\r\n"
        b"Auto-Submitted: auto-replied\r\n\r\nI am away until Monday.\r\n"
    )

    taken = returns_of().take(content, [return_path(campaign, 1)])

    assert taken.kind is ReturnKind.AUTO_REPLY
    assert row_of(campaign, 1).state is DeliveryState.SENT
    assert reason_of(campaign, 1) == ""


def test_a_persons_letter_is_nothing_of_ours(database):
    campaign = sent_to(1)
    content = b"From: p1@a.example\r\nSubject: Re: Bins\r\n\r\nWhich Monday?\r\n"

    taken = returns_of().take(content, [return_path(campaign, 1)])

    assert (taken.kind, taken.is_new) == (ReturnKind.UNKNOWN, False)
    assert not ReturnedMail.objects.exists()


def test_who_is_suppressed_is_taken_out_of_what_is_being_sent(database):
    campaign = sending(2)
    serial = campaigns.get(campaign).serial
    made = TOKENS.make(Purpose.RETURN_PATH, serial, 2)

    returns_of().take(dsn(2), [Address(f"b-{made}", DOMAIN)])

    assert row_of(campaign, 2).state is DeliveryState.SUPPRESSED
    assert row_of(campaign, 1).state is DeliveryState.QUEUED


def test_complaints_pause_a_campaign_at_once(database):
    campaign = sent_to(5)
    takes = returns_of(fewest_complaints=2, complaint_share=0.3)

    takes.take(arf(campaign, 1), [COMPLAINTS])
    before = campaigns.get(campaign).state
    takes.take(arf(campaign, 2), [COMPLAINTS])

    assert before is CampaignState.SENDING
    paused = campaigns.get(campaign)
    assert paused.state is CampaignState.PAUSED
    assert paused.paused_because == "2 of 5 people complained."


def test_failures_pause_a_campaign_at_once(database):
    campaign = sent_to(5)
    takes = returns_of(fewest_failures=1, failed_share=0.3)

    for number in (1, 2):
        takes.take(dsn(number), [return_path(campaign, number)])

    because = campaigns.get(campaign).paused_because
    assert because == "2 of 5 messages came back."


@pytest.mark.parametrize(
    ("standing", "is_paused"),
    [
        (Standing(CampaignState.SENDING, 1_000, 0, 3, 0, 3), False),
        (Standing(CampaignState.SENDING, 999, 0, 3, 0, 3), True),
        (Standing(CampaignState.SENDING, 100, 0, 2, 0, 2), False),
        (Standing(CampaignState.SENDING, 100, 0, 9, 0, 1), False),
        (Standing(CampaignState.SENDING, 200, 11, 0, 11, 0), True),
        (Standing(CampaignState.SENDING, 220, 11, 0, 11, 0), False),
        (Standing(CampaignState.SENDING, 20, 10, 0, 10, 0), False),
        (Standing(CampaignState.SENDING, 200, 40, 0, 3, 0), False),
        (Standing(CampaignState.SENDING, 0, 0, 0, 0, 0), False),
    ],
    ids=[
        "at the limit",
        "above it",
        "too few to say",
        "a person let it go on since",
        "failures above the limit",
        "failures at the limit",
        "too few failures",
        "few failures since it went on",
        "nothing was answered",
    ],
)
def test_it_pauses_above_a_share_and_a_number(standing, is_paused):
    assert bool(why_paused(standing, ReturnLimits())) is is_paused


def test_mail_is_taken_at_our_return_paths_and_where_providers_complain(database):
    campaign = sent_to(1)
    takes, ours = returns_of(), return_path(campaign, 1)

    assert takes.is_for_us(ours)
    assert takes.is_for_us(Address(ours.local_part.upper(), DOMAIN.upper()))
    assert takes.is_for_us(COMPLAINTS)
    assert not takes.is_for_us(Address(ours.local_part, "elsewhere.test"))
    assert not takes.is_for_us(Address("b-" + 26 * "a", DOMAIN))
    assert not takes.is_for_us(Address("postmaster", DOMAIN))


def test_the_journal_says_how_many_and_not_who(database):
    campaign = sent_to(1)

    returns_of().take(dsn(1), [return_path(campaign, 1)])

    entry = JournalEntry.objects.filter(event="suppressed").get()
    assert (entry.actor, entry.facts["people"]) == ("returns", 1)
    assert "@" not in str(entry.facts)


@pytest.mark.parametrize(
    ("reply", "reason", "suppressed"),
    [
        ("550 5.1.1 no such user", "refused", "failed"),
        ("550 5.0.0 User unknown", "refused", "failed"),
        ("550 5.7.1 blocked", "refused", ""),
        ("451 4.4.1 given up", "given up", ""),
    ],
)
def test_what_the_next_hop_refused_at_once_suppresses_alike(
    database, reply, reason, suppressed
):
    campaign = sending(2)
    ledger.claim(campaign, by="w", limit=2, lease=returns.KEEP, now=NOW)
    ledger.begin(campaign, [1, 2], by="w", now=NOW)
    status, failed = reply.split()[1], DeliveryState.FAILED
    answers = [
        Marked(1, failed, 550, status, reply, reason=reason),
        Marked(2, DeliveryState.SENT, 250),
    ]
    ledger.mark(campaign, answers, NOW)

    first, again = learn_refusals(NOW), learn_refusals(NOW)

    assert (first, again) == (int(reason == "refused"), 0)
    assert reason_of(campaign, 1) == suppressed
    assert reason_of(campaign, 2) == ""
    assert (row_of(campaign, 1).reason, row_of(campaign, 1).reply) == (reason, reply)


def test_what_came_back_long_ago_is_forgotten(database):
    campaign = sent_to(1)
    returns_of().take(dsn(1), [return_path(campaign, 1)])

    assert returns.purge(NOW) == 0
    assert returns.purge(NOW + returns.KEEP + returns.FAILURES_IN) == 1
    assert not ReturnedMail.objects.exists()


@pytest.mark.parametrize(
    ("action", "state"),
    [
        ("delivered", DeliveryState.DELIVERED),
        ("relayed", DeliveryState.SENT),
        ("expanded", DeliveryState.SENT),
    ],
)
def test_only_what_was_delivered_counts_as_delivered(database, action, state):
    campaign = sent_to(2)
    content = dsn(1, action, "2.0.0")

    taken = returns_of().take(content, [return_path(campaign, 1)])

    assert taken.kind.value == action
    assert ledger.counts(campaign)[state] == 2 - (state is DeliveryState.DELIVERED)
    assert row_of(campaign, 1).state is state
    assert returns.counts(campaign) == {taken.kind: 1}


def test_what_was_relayed_first_may_be_delivered_or_fail_later(database):
    campaign, takes = sent_to(2), returns_of()
    for number in (1, 2):
        path = [return_path(campaign, number)]
        takes.take(dsn(number, "relayed", "2.0.0"), path)

    takes.take(dsn(1, "delivered", "2.0.0"), [return_path(campaign, 1)])
    takes.take(dsn(2, "failed", "5.1.1"), [return_path(campaign, 2)])

    assert row_of(campaign, 1).state is DeliveryState.DELIVERED
    assert row_of(campaign, 2).state is DeliveryState.FAILED


def test_only_failures_and_complaints_have_what_came_back_counted(database):
    campaign = sent_to(5)
    patient = returns_of(fewest_failures=9)
    for number in (1, 2, 3):
        patient.take(dsn(number), [return_path(campaign, number)])
    strict = returns_of(fewest_failures=1, failed_share=0.1)

    strict.take(dsn(4, "delivered", "2.0.0"), [return_path(campaign, 4)])
    after_delivery = campaigns.get(campaign).state
    strict.take(dsn(5), [return_path(campaign, 5)])

    assert after_delivery is CampaignState.SENDING
    assert campaigns.get(campaign).state is CampaignState.PAUSED


def test_what_was_refused_is_found_by_its_own_index(database):
    sent_to(300)

    with transaction() as connection:
        connection.run("ANALYZE store_delivery")
        connection.run("SET LOCAL enable_seqscan = off")
        rows = connection.all(
            "SELECT inhrelid::regclass::text FROM pg_inherits"
            " WHERE inhparent = 'delivery_refused'::regclass"
        )
        own = [name for (name,) in rows] or ["delivery_refused"]
        plan = connection.all(f"EXPLAIN {returns._REFUSED}", (NOW, 500))

    assert any(name in line for name in own for (line,) in plan), plan
