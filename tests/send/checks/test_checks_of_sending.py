# SPDX-License-Identifier: Apache-2.0
"""What the checks find about sending: marketing, size, the domain, the next hop."""

from dataclasses import replace
from datetime import timedelta

import pytest

from tests.send.checks.views import (
    AwayResolver,
    TableResolver,
    found,
    people,
    row,
    view,
    weights,
)
from undisclosed.core.address import Address
from undisclosed.core.campaign import Attached, MailKind, Sensitivity, Way, Weight
from undisclosed.send.checking import run_checks
from undisclosed.send.checks.marketing import Marketing
from undisclosed.send.checks.mass_mail import MassMail
from undisclosed.send.checks.next_hop import NextHopRates, duration
from undisclosed.send.checks.sender_domain import SenderDomain
from undisclosed.send.checks.size import LARGE, Size
from undisclosed.send.checks.view import Domain, NextHop

# marketing


def test_advertising_in_service_mail_needs_a_reason():
    (one,) = found(Marketing(), people(1), "Hello\n\nSpecial offers for you!")

    assert (one.weight, one.place) == (Weight.OVERRIDE, "text, line 3")


def test_marketing_needs_consent_and_a_way_out():
    draft = {"kind": MailKind.MARKETING}

    assert weights(found(Marketing(), people(1), draft=draft)) == [Weight.OVERRIDE]
    assert not found(Marketing(), people(1), draft=draft, legal_basis="Consent (2024)")
    assert Weight.STOP in weights(
        found(Marketing(), people(1), draft=draft, can_unsubscribe=False)
    )


# size


def test_a_message_larger_than_the_next_hop_takes_stops():
    hop = NextHop(longest=2000)
    big = {"attachments": (Attached("a.bin", "image/png", bytes(3000)),)}

    (one,) = found(Size(), people(3), draft=big, next_hop=hop)

    assert (one.weight, one.count) == (Weight.STOP, 3)
    assert not found(Size(), people(3), draft=big)


def test_a_large_message_needs_a_reason():
    big = {"attachments": (Attached("a.bin", "image/png", bytes(LARGE)),)}

    assert weights(found(Size(), people(1), draft=big)) == [Weight.OVERRIDE]


def test_addresses_beyond_ascii_are_counted_where_the_hop_cannot_take_them():
    rows = [*people(2), row(3, address="é@a.example")]

    (one,) = found(Size(), rows, next_hop=NextHop(has_utf8=False))

    assert one.rows == (3,)


# mass-mail


def test_the_question_counts_people_and_their_other_ways():
    columns = ("Email", "Name", "Ref", "Phone", "Street")
    rows = [row(1, Phone="1", Street="A"), row(2, Phone="1"), row(3, way=Way.PHONE)]

    (one,) = found(MassMail(), rows, columns=columns)

    assert one.weight is Weight.NOTE
    assert one.text == (
        "2 people would get this mail; 1 on the list are phoned or written to instead; "
        "the list has telephone numbers for 2; postal addresses for 1. Would a call, a "
        "letter or a word in person serve as well?"
    )


@pytest.mark.parametrize("sensitivity", [Sensitivity.CONFIDENTIAL, Sensitivity.SPECIAL])
def test_a_sensitive_list_needs_an_answer(sensitivity):
    findings = found(MassMail(), people(3), sensitivity=sensitivity)

    assert weights(findings) == [Weight.OVERRIDE]


# sender-domain

GOOD = {
    "council.example": ["v=spf1 ip4:192.0.2.1 -all"],
    "_dmarc.council.example": ["v=DMARC1; p=reject"],
    "s._domainkey.council.example": ["v=DKIM1; k=rsa; p=AB CD"],
}
SIGNED = Domain("", "council.example", "s._domainkey.council.example", "p=ABCD")
MX = {"council.example": ["mx.council.example."]}


def asked(txt, mx=MX, domain=SIGNED, **more):
    resolver = TableResolver({**GOOD, **txt}, mx)
    return found(SenderDomain(), people(1), resolver=resolver, domain=domain, **more)


def test_a_domain_in_order_has_nothing_found():
    assert not asked({})


@pytest.mark.parametrize(
    ("txt", "word"),
    [
        ({"council.example": []}, "no SPF"),
        ({"council.example": ["v=spf1 -all", "v=spf1 mx -all"]}, "two SPF"),
        ({"council.example": ["v=spf1 +all"]}, "anybody"),
        ({"council.example": ["v=spf1 mx"]}, "no end"),
        ({"council.example": ["v=spf1 " + "exists:a.example " * 11 + "-all"]}, "ten"),
        (
            {"council.example": ["v=spf1 include:council.example -all " + "mx " * 10]},
            "ten",
        ),
        ({"s._domainkey.council.example": []}, "not published"),
        ({"s._domainkey.council.example": ["p=OTHER"]}, "Another DKIM"),
        ({"_dmarc.council.example": []}, "no DMARC"),
        ({"_dmarc.council.example": ["v=DMARC1; p=none"]}, "p=none"),
    ],
)
def test_what_receivers_would_object_to_is_named(txt, word):
    assert any(word in one.text for one in asked(txt))


def test_includes_that_lead_in_a_circle_end():
    circle = {"council.example": ["v=spf1 include:b.example -all"],
              "b.example": ["v=spf1 include:council.example -all"]}  # fmt: skip

    assert not asked(circle)


def test_answers_have_to_arrive():
    assert [one.place for one in asked({}, mx={"council.example": ["."]})] == [
        "reply-to"
    ]
    assert [one.place for one in asked({}, mx={})] == ["reply-to"]


def test_a_return_path_elsewhere_without_a_signature_is_not_aligned():
    txt = {"bounces.example": ["v=spf1 mx -all"]}

    findings = asked(txt, domain=Domain("bounces.example"))

    assert any("return path" in one.text for one in findings)


def test_a_providers_address_is_no_sender_of_mass_mail():
    draft = {"reply_to": None}
    campaign = view(people(1), draft=draft, resolver=TableResolver())
    author = Address("team", "gmail.com")
    campaign = replace(campaign, draft=replace(campaign.draft, author=author))

    (one,) = run_checks(campaign, checks=[SenderDomain()])

    assert "provider" in one.text


def test_name_servers_that_do_not_answer_are_said_to():
    away = found(SenderDomain(), people(1), resolver=AwayResolver())
    nobody = found(SenderDomain(), people(1))

    assert weights(away) == [Weight.OVERRIDE]
    assert weights(nobody) == [Weight.NOTE]


# next-hop


@pytest.mark.parametrize(
    ("hop", "count", "takes"),
    [
        (NextHop(per_second=10), 101, timedelta(seconds=10)),
        (NextHop(per_minute=60), 121, timedelta(minutes=2)),
        (NextHop(per_second=10, per_hour=100), 1001, timedelta(hours=10)),
        (NextHop(), 5, None),
    ],
)
def test_how_long_it_takes(hop, count, takes):
    assert duration(hop, count) == takes


def test_more_than_a_day_needs_a_reason():
    slow = found(NextHopRates(), people(50), next_hop=NextHop(per_hour=1))
    fast = found(NextHopRates(), people(50), next_hop=NextHop(per_hour=10))

    assert weights(slow) == [Weight.OVERRIDE]
    assert weights(fast) == [Weight.NOTE]


def test_a_next_hop_that_does_not_answer_is_said_to():
    hop = NextHop(per_second=10, answers=False)

    assert Weight.OVERRIDE in weights(found(NextHopRates(), people(5), next_hop=hop))
