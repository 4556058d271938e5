# SPDX-License-Identifier: Apache-2.0
"""Each rule: when it objects, and in which words."""

import dataclasses

import pytest

from tests.core.making import POLICY, SAM, address, content, people, reading_of
from undisclosed.core.address import Address
from undisclosed.core.known import NOTHING_KNOWN, Known, MailingSoFar
from undisclosed.core.policy import DistributionList, Policy
from undisclosed.core.rules.addresses_in_body import AddressesInBody
from undisclosed.core.rules.channels import channels
from undisclosed.core.rules.forwarded_addresses import ForwardedAddresses
from undisclosed.core.rules.recall import Recall
from undisclosed.core.rules.shown_outsiders import ShownOutsiders
from undisclosed.core.rules.unreadable import Unreadable, broken_twice
from undisclosed.core.verdict import Action, Finding


def shown_outsiders(
    viewers: list[Address],
    to: list[Address],
    policy: Policy = POLICY,
    known: Known = NOTHING_KNOWN,
) -> Finding | None:
    """What the rule says to a mail to these viewers with these people in To."""
    reading = reading_of(viewers, content(to), policy=policy)
    return ShownOutsiders().check(reading, known, policy)


@pytest.mark.parametrize(("number", "is_found"), [(0, False), (5, False), (6, True)])
def test_shown_outsiders_objects_above_five(number: int, is_found: bool) -> None:
    found = shown_outsiders(people(number), people(number))

    assert (found is not None) is is_found


def test_shown_outsiders_says_who_would_see_whom() -> None:
    found = shown_outsiders(people(37), people(37))

    assert found == Finding(
        "shown-outsiders",
        Action.HOLD,
        37,
        "37 people would see each other's addresses (To).",
    )


@pytest.mark.parametrize(
    ("viewers", "shown", "text"),
    [
        (1, 38, "37 people's addresses would be shown to 1 recipient (To)."),
        (2, 38, "38 people's addresses would be shown to 2 recipients (To)."),
        (1200, 1100, "1,100 people would see each other's addresses (To)."),
    ],
)
def test_shown_outsiders_says_it_exactly(viewers: int, shown: int, text: str) -> None:
    found = shown_outsiders(people(viewers), people(shown))

    assert found is not None
    assert found.text == text


def test_shown_outsiders_can_be_asked_for_one() -> None:
    policy = dataclasses.replace(POLICY, max_shown_outsiders=0)

    found = shown_outsiders(people(2)[1:], people(1), policy)

    assert found is not None
    assert found.text == "1 person's address would be shown to 1 recipient (To)."


def mailing(people: int, waves: int) -> Known:
    """What Memory says of a mailing so far."""
    return Known(MailingSoFar("m", people=people, disclosures=0, waves=waves))


def test_shown_outsiders_adds_up_the_batches_of_a_mailing() -> None:
    found = shown_outsiders(people(4), people(4), known=mailing(1136, 7))

    assert found is not None
    assert found.people == 1136
    assert (
        found.text == "1,136 people in 7 mails would see each other's addresses (To)."
    )


@pytest.mark.parametrize(
    ("viewers", "shown"), [(1, 1), (3, 0)], ids=["one viewer", "nobody"]
)
def test_shown_outsiders_adds_nothing_up_where_nobody_is_shown(
    viewers: int, shown: int
) -> None:
    found = shown_outsiders(people(viewers), people(shown), known=mailing(1136, 7))

    assert found is None


def test_shown_outsiders_adds_up_the_transactions_of_one_mail() -> None:
    found = shown_outsiders(people(2), people(2), known=mailing(6, 3))

    assert found is not None
    assert found.people == 6


def test_shown_outsiders_adds_up_a_batch_that_comes_one_recipient_at_a_time() -> None:
    found = shown_outsiders(people(1), people(4), known=mailing(1136, 7))

    assert found is not None
    assert found.people == 1136


@pytest.mark.parametrize(
    ("limit", "number", "is_found"), [(2, 2, 0), (2, 3, 1), (9, 6, 1)]
)
def test_shown_outsiders_is_stricter_with_a_sensitive_list(
    limit: int, number: int, is_found: int
) -> None:
    members = DistributionList(tuple(people(50)), is_sensitive=True)
    policy = dataclasses.replace(
        POLICY,
        max_shown_outsiders_sensitive=limit,
        lists={address("clinic@council.example"): members},
    )

    found = shown_outsiders(people(number), people(number), policy)

    assert (found is not None) == bool(is_found)


def test_channels_are_named_in_the_order_of_reading_and_not_endlessly() -> None:
    ann, bob, cem = people(3)
    shown = {
        ann: ("To", "Cc"),
        bob: ("To", "Reply-To", "Errors-To", "X-A"),
        cem: ("X-B",),
    }

    assert channels(shown, {ann, bob}) == "To, Cc, Reply-To, Errors-To and 1 more"
    assert channels(shown, {cem}) == "X-B"


@pytest.mark.parametrize("number", [25, 26])
def test_addresses_in_body_objects_above_twenty_five(number: int) -> None:
    one, *others = people(number + 1)
    reading = reading_of([one], content([one], text=[one, *others, SAM]))

    found = AddressesInBody().check(reading, NOTHING_KNOWN, POLICY)

    assert (found is not None) is (number > 25)
    if found is not None:
        text = "26 people's addresses would be shown in the text (body text)."
        assert (found.people, found.text) == (26, text)


@pytest.mark.parametrize(
    ("in_text", "forwarded", "counted"),
    [(0, 25, 0), (0, 26, 26), (13, 13, 26), (26, 0, 0), (26, 1, 0), (26, 26, 26)],
)
def test_forwarded_addresses_counts_the_text_along(
    in_text: int, forwarded: int, counted: int
) -> None:
    shown = content(
        text=people(in_text, first=100), forwarded=people(forwarded, first=200)
    )

    found = ForwardedAddresses().check(
        reading_of(people(1), shown), NOTHING_KNOWN, POLICY
    )

    assert (found.people if found else 0) == counted


def test_forwarded_addresses_says_where() -> None:
    shown = content(forwarded=people(30, first=1))

    found = ForwardedAddresses().check(
        reading_of(people(1), shown), NOTHING_KNOWN, POLICY
    )

    assert found is not None
    assert found.text == (
        "30 people's addresses would be shown in forwarded or attached mail "
        "(forwarded header block)."
    )


@pytest.mark.parametrize(
    ("viewers", "is_object", "is_matched", "is_found"),
    [
        (people(1), True, False, True),
        (people(1), False, True, True),
        (people(1), False, False, False),
        ([SAM], True, True, False),
    ],
)
def test_recall_objects_to_recalls_that_go_outside(
    viewers: list[Address], is_object: bool, is_matched: bool, is_found: bool
) -> None:
    reading = reading_of(viewers, content(recall=is_object))

    found = Recall().check(reading, Known(recalled=is_matched), POLICY)

    assert (found is not None) is is_found
    if found is not None:
        assert found.action is Action.REJECT
        assert found.text == (
            "A recall takes nothing back: it would be delivered to 1 person outside, "
            "with the addresses that it shows."
        )


@pytest.mark.parametrize(
    ("viewers", "uncertain", "is_found"),
    [(2, ("A part is odd.",), True), (1, ("A part is odd.",), False), (2, (), False)],
)
def test_unreadable_objects_for_two_outside_viewers(
    viewers: int, uncertain: tuple[str, ...], is_found: bool
) -> None:
    unread = dataclasses.replace(content(uncertain=uncertain), body_uncertain=uncertain)
    reading = reading_of([SAM, *people(viewers)], unread)

    found = Unreadable().check(reading, NOTHING_KNOWN, POLICY)

    assert (found is not None) is is_found
    if found is not None:
        assert found.text == (
            "This mail to 2 people outside could not be read whole: A part is odd."
        )


def test_unreadable_objects_for_one_outside_viewer_where_the_header_is_unread() -> None:
    reading = reading_of([SAM, *people(1)], content(uncertain=("It is too long.",)))

    found = Unreadable().check(reading, NOTHING_KNOWN, POLICY)

    assert found is not None
    assert found.people == 1


@pytest.mark.parametrize(("viewers", "action"), [(1, Action.ACCEPT), (2, Action.HOLD)])
def test_what_broke_twice_is_held_for_two(viewers: int, action: Action) -> None:
    verdict = broken_twice(viewers)

    assert verdict.action is action
    assert [finding.rule for finding in verdict.findings] == ["unreadable"]


def test_the_policy_sets_the_action_of_each_rule() -> None:
    names = ("shown-outsiders", "addresses-in-body", "forwarded-addresses")
    policy = dataclasses.replace(
        POLICY, actions=dict.fromkeys((*names, "recall", "unreadable"), Action.SPLIT)
    )
    everything = content(
        people(30),
        text=people(30, first=100),
        forwarded=people(30, first=200),
        uncertain=("A part is odd.",),
        recall=True,
    )
    reading = reading_of(people(30), everything)
    rules = (ShownOutsiders(), AddressesInBody(), ForwardedAddresses(), Recall())

    found = [rule.check(reading, NOTHING_KNOWN, policy) for rule in rules]
    found.append(Unreadable().check(reading, NOTHING_KNOWN, policy))

    assert [one.action for one in found if one] == [Action.SPLIT] * 5
