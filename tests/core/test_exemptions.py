# SPDX-License-Identifier: Apache-2.0
"""Exemptions: read strictly from the policy, and never by a sender alone."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests import strategies
from undisclosed.core.address import Address, parse_addr_spec
from undisclosed.core.exemptions import ExemptionRule
from undisclosed.core.mail import Envelope, Recipient
from undisclosed.core.policy import PolicyError, policy_from
from undisclosed.formats.configuration import parse_toml

ARCHIVE = Address("journal", "archive.example")
OLIVE = Address("olive", "council.example")
GOOD = """
[[policy.exemptions]]
name = "journal"
owner = "IT operations"
reason = "Journal reports go to the archive."
until = 2026-12-31
clients = ["10.1.0.9/32"]
senders = ["<>", "council.example"]
recipients = ["journal@archive.example"]
"""


def rules(text):
    """The exemptions of a settings file."""
    return policy_from(parse_toml(text).table("policy")).exemptions


def envelope(*people, sender=OLIVE):
    return Envelope(sender, tuple(Recipient(one) for one in people))


def test_an_exemption_is_read_whole():
    (rule,) = rules(GOOD)

    assert (rule.name, rule.owner, rule.until) == (
        "journal",
        "IT operations",
        date(2026, 12, 31),
    )
    assert rule.reason == "Journal reports go to the archive."
    assert rule.covers(envelope(ARCHIVE), "10.1.0.9", "SMTP")
    assert rule.covers(envelope(ARCHIVE, sender=None), "10.1.0.9", "SMTP")


@pytest.mark.parametrize(
    ("people", "sender", "client"),
    [
        pytest.param([ARCHIVE], OLIVE, "10.1.0.8", id="another client"),
        pytest.param([ARCHIVE], OLIVE, "", id="no client"),
        pytest.param([ARCHIVE], OLIVE, "not an address", id="an odd client"),
        pytest.param([ARCHIVE, OLIVE], OLIVE, "10.1.0.9", id="a recipient more"),
        pytest.param([OLIVE], OLIVE, "10.1.0.9", id="another recipient"),
        pytest.param([ARCHIVE], ARCHIVE, "10.1.0.9", id="another sender"),
    ],
)
def test_what_differs_in_one_thing_is_not_covered(people, sender, client):
    (rule,) = rules(GOOD)

    assert not rule.covers(envelope(*people, sender=sender), client, "SMTP")


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('name = "journal"', "", "needs 'name'"),
        ('owner = "IT operations"', 'owner = " "', "needs 'owner'"),
        ('reason = "Journal reports go to the archive."', "", "needs 'reason'"),
        ("until = 2026-12-31", "", "must be a day"),
        ("until = 2026-12-31", "until = 2026-12-31T00:00:00Z", "must be a day"),
        ("IT operations", "ann@council.example", "without an address"),
        ('["10.1.0.9/32"]', '["10.1.0.9/8"]', "must be networks"),
        ('["journal@archive.example"]', '["journal@"]', "addresses or domains"),
        ('["<>", "council.example"]', '["a b"]', "addresses or domains"),
        ("until = ", "ends = 1\nuntil = ", "ends"),
    ],
    ids=lambda text: text[:24],
)
def test_what_is_missing_or_odd_is_refused_with_its_line(old, new, said):
    with pytest.raises(PolicyError, match=said) as refused:
        rules(GOOD.replace(old, new))

    assert refused.value.line > 1
    assert "@council" not in str(refused.value)


def test_a_sender_alone_exempts_nothing():
    text = GOOD.replace('clients = ["10.1.0.9/32"]', "")

    with pytest.raises(PolicyError, match="anybody may write a sender"):
        rules(text.replace('recipients = ["journal@archive.example"]', ""))


def test_two_of_one_name_are_refused():
    with pytest.raises(PolicyError, match="this name"):
        rules(GOOD + GOOD)


def test_its_last_day_counts_whole():
    (rule,) = rules(GOOD)

    assert not rule.is_over(datetime(2026, 12, 31, 23, 59, tzinfo=UTC))
    assert rule.is_over(datetime(2027, 1, 1, tzinfo=UTC))
    ahead = datetime(2027, 1, 1, 0, 30, tzinfo=UTC).astimezone(
        tz=datetime.now().astimezone().tzinfo
    )
    assert rule.is_over(ahead)


def test_local_programs_are_named_as_such():
    (rule,) = rules(GOOD.replace('"10.1.0.9/32"', '"local"'))

    assert rule.covers(envelope(ARCHIVE), "", "sendmail")
    assert not rule.covers(envelope(ARCHIVE), "", "")
    assert not rule.covers(envelope(ARCHIVE), "10.1.0.9", "SMTP")


def test_a_mapped_address_is_the_one_it_stands_for():
    (rule,) = rules(GOOD)

    assert rule.covers(envelope(ARCHIVE), "::ffff:10.1.0.9", "SMTP")


def test_a_domain_means_its_sub_domains():
    (rule,) = rules(GOOD)

    inside = Address("x", "mail.council.example")
    near = Address("x", "evilcouncil.example")
    assert rule.covers(envelope(ARCHIVE, sender=inside), "10.1.0.9", "SMTP")
    assert not rule.covers(envelope(ARCHIVE, sender=near), "10.1.0.9", "SMTP")


@given(st.lists(strategies.spellings.map(parse_addr_spec), min_size=1, max_size=5))
def test_one_recipient_more_than_it_names_is_one_too_many(people):
    rule = ExemptionRule(
        "n", "o", "r", date.max, recipients=frozenset({ARCHIVE.person})
    )

    covered = rule.covers(envelope(ARCHIVE, *people), "", "")

    assert covered == all(one.person == ARCHIVE.person for one in people)


@given(st.integers(-500, 500))
def test_it_is_over_from_the_day_after_its_last(days):
    now = datetime(2026, 3, 2, 9, tzinfo=UTC)
    rule = ExemptionRule("n", "o", "r", now.date() + timedelta(days=days))

    assert rule.is_over(now) == (days < 0)
