# SPDX-License-Identifier: Apache-2.0
"""The record-only feed: what inbound mail teaches Memory, and what it must not."""

import ipaddress
from dataclasses import dataclass, field

import pytest

from tests.guard.journals import RULE, report
from tests.guard.worlds import NOW, OLIVE, POLICY, mail, people, person
from undisclosed.core.address import Address
from undisclosed.core.mail import Envelope, Mail, Recipient
from undisclosed.guard.feed import MOST_PEOPLE, Feed
from undisclosed.guard.journal_reports import JournalRules
from undisclosed.guard.origin import Origin
from undisclosed.guard.testing import FixedClock, ForgetfulMemory

SERVER = "mx.council.example"
PASS = f"Authentication-Results: {SERVER}; dmarc=pass header.from=home1.example\r\n"
AUTHOR = person(1)


@dataclass
class Troubles:
    """Counts trouble."""

    found: list[str] = field(default_factory=list)

    def trouble(self, what: str) -> None:
        self.found.append(what)

    def judged(self, action: object, is_observed: bool) -> None:
        pass


def learned(of: Mail, ids=(SERVER,)) -> list[frozenset[Address]]:
    memory = ForgetfulMemory()
    clock = FixedClock(NOW)
    Feed(POLICY, memory, clock, authserv_ids=ids).record(of)
    return memory.threads()


def inbound(shown, *, results=PASS, author=AUTHOR, **more) -> Mail:
    return mail(shown, author=author, more=results, viewers=[OLIVE], **more)


def test_an_outsider_s_mail_shows_its_people_to_one_another():
    found = learned(inbound([*people(range(2, 9)), OLIVE]))

    assert found == [frozenset({AUTHOR, *people(range(2, 9))})]


def test_people_in_any_destination_field_count():
    found = learned(inbound(people(range(2, 4)), field_name="Cc"))

    assert found == [frozenset({AUTHOR, *people(range(2, 4))})]


@pytest.mark.parametrize(
    "results",
    [
        "",
        PASS.replace("pass", "fail"),
        PASS.replace(SERVER, "mx.attacker.example"),
        PASS.replace("dmarc=pass header.from", "spf=pass smtp.helo"),
    ],
    ids=["no results", "failed", "another server", "another proof"],
)
def test_mail_that_is_not_authenticated_teaches_nothing(results):
    assert learned(inbound(people(range(2, 9)), results=results)) == []


def test_without_the_name_of_a_server_nothing_is_learned():
    assert learned(inbound(people(range(2, 9))), ids=()) == []


def test_mail_that_an_insider_wrote_is_no_inbound_mail():
    results = PASS.replace("home1.example", "council.example")

    assert learned(inbound(people(range(9)), results=results, author=OLIVE)) == []


def test_mail_without_an_author_teaches_nothing():
    content = inbound(people(range(9))).content.replace(b"From:", b"X-Nobody:")

    assert learned(Mail(Envelope(None, (Recipient(OLIVE),)), content)) == []


def test_people_who_are_only_written_of_know_nobody():
    text = "\r\n".join(one.spelled_out() for one in people(range(50, 60)))

    assert learned(inbound([OLIVE], text=f"{text}\r\n")) == []


def test_a_mail_to_very_many_is_no_conversation():
    assert learned(inbound(people(range(2, MOST_PEOPLE + 1))))
    assert learned(inbound(people(range(2, MOST_PEOPLE + 9)))) == []


def test_trouble_is_counted_and_never_raised(caplog):
    memory, troubles = ForgetfulMemory(), Troubles()
    memory.is_away = True
    feed = Feed(
        POLICY, memory, FixedClock(NOW), authserv_ids=[SERVER], metrics=troubles
    )

    feed.record(inbound(people(range(2, 9))))

    assert troubles.found == ["feed"]
    assert "@" not in caplog.text


CLIENT = Origin("SMTP", "192.0.2.7")
SERVERS = JournalRules((ipaddress.ip_network("192.0.2.7/32"),))
SECRET = JournalRules((), frozenset({RULE}))
BOTH = JournalRules(SERVERS.clients, SECRET.addresses)


def told(of: Mail, rules, origin=CLIENT, ids=(SERVER,)) -> list[frozenset[Address]]:
    memory = ForgetfulMemory()
    feed = Feed(POLICY, memory, FixedClock(NOW), authserv_ids=ids, journals=rules)
    feed.record(of, origin)
    return memory.threads()


@pytest.mark.parametrize("rules", [SERVERS, SECRET, BOTH], ids=["client", "to", "both"])
def test_a_report_of_our_journal_rule_is_opened(rules):
    of = report(inbound([*people(range(2, 9)), OLIVE]))

    assert told(of, rules) == [frozenset({AUTHOR, *people(range(2, 9))})]


STRANGER = Address("olive", "council.example")
ELSEWHERE = Origin("SMTP", "198.51.100.9")
IN_REPORT = inbound(people(range(2, 9)))


@pytest.mark.parametrize(
    ("of", "rules", "origin"),
    [
        (report(IN_REPORT), None, CLIENT),
        (report(IN_REPORT), JournalRules(), CLIENT),
        (report(IN_REPORT), SERVERS, ELSEWHERE),
        (report(IN_REPORT), SERVERS, Origin()),
        (report(IN_REPORT, to=STRANGER), SECRET, CLIENT),
        (report(IN_REPORT, to=STRANGER), BOTH, CLIENT),
        (report(IN_REPORT), BOTH, ELSEWHERE),
    ],
    ids=[
        "no rule",
        "an empty rule",
        "another client",
        "an unknown client",
        "another recipient",
        "our client, another recipient",
        "our recipient, another client",
    ],
)
def test_a_report_that_a_stranger_could_have_written_is_not_opened(of, rules, origin):
    assert told(of, rules, origin) == []


@pytest.mark.parametrize(
    ("rules", "is_opened"), [(SERVERS, False), (SECRET, True), (BOTH, True)]
)
def test_what_a_stranger_sent_through_our_server_is_opened_by_the_secret_alone(
    rules, is_opened
):
    of = report(IN_REPORT)
    sent = Mail(
        Envelope(Address("x", "stranger.example"), of.envelope.recipients), of.content
    )

    assert bool(told(sent, rules)) is is_opened


def test_one_recipient_who_is_not_the_rule_s_makes_it_no_report_of_ours():
    of = report(IN_REPORT)
    recipients = (Recipient(RULE), Recipient(OLIVE))

    assert told(Mail(Envelope(None, recipients), of.content), SECRET) == []
    assert told(Mail(Envelope(None, ()), of.content), SECRET) == []


def test_a_report_of_mail_that_is_not_authenticated_teaches_nothing():
    assert told(report(inbound(people(range(2, 9)), results="")), SERVERS) == []


def test_a_report_of_own_mail_teaches_nothing():
    results = PASS.replace("home1.example", "council.example")
    own = inbound(people(range(9)), results=results, author=OLIVE)

    assert told(report(own), SERVERS) == []


NAMELESS = (
    "Authentication-Results: spf=pass (sender IP is 192.0.2.1)\r\n"
    " smtp.mailfrom=home1.example; dkim=pass header.d=home1.example;dmarc=pass\r\n"
    " action=none header.from=home1.example;compauth=pass reason=100\r\n"
)


def test_a_server_without_a_name_counts_in_reports_alone():
    of = inbound(people(range(2, 9)), results=NAMELESS)

    assert len(told(report(of), SERVERS, ids=["", SERVER])) == 1
    assert told(report(of), SERVERS) == []
    assert told(of, SERVERS, ids=["", SERVER]) == []


def test_below_another_server_s_field_one_without_a_name_may_be_a_stranger_s():
    other = f"Authentication-Results: {SERVER}; none\r\n".replace("mx", "mx2")
    of = inbound(people(range(2, 9)), results=other + NAMELESS)

    assert told(report(of), SERVERS, ids=[""]) == []
