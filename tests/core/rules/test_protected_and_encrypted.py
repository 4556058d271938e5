# SPDX-License-Identifier: Apache-2.0
"""What a signature protects, and what encryption tells of its recipients."""

import dataclasses

import pytest

from tests.core.making import POLICY, SAM, content, people, reading_of
from undisclosed.core.address import Address
from undisclosed.core.known import NOTHING_KNOWN
from undisclosed.core.policy import DistributionList, Policy
from undisclosed.core.rules.encrypted_recipients import EncryptedRecipients
from undisclosed.core.rules.protected_headers import ProtectedHeaders
from undisclosed.core.verdict import Action, Finding

LEE = Address("lee", "council.example")


def protected(
    number: int, viewers: list[Address], policy: Policy = POLICY
) -> Finding | None:
    """What the rule says where so many people stand in protected fields."""
    named = {one: ("protected header: To",) for one in people(number)}
    shown = dataclasses.replace(content(), in_header=dict(named), in_protected=named)
    reading = reading_of(viewers, shown, policy)
    return ProtectedHeaders().check(reading, NOTHING_KNOWN, policy)


@pytest.mark.parametrize(("number", "is_found"), [(0, False), (5, False), (6, True)])
def test_protected_headers_objects_above_five(number: int, is_found: bool) -> None:
    assert (protected(number, people(number)) is not None) is is_found


def test_protected_headers_says_why_they_stay() -> None:
    assert protected(12, people(12)) == Finding(
        "protected-headers",
        Action.HOLD,
        12,
        "12 people's addresses would be shown by fields that its signature or "
        "encryption protects (protected header: To): they cannot be changed for each "
        "recipient.",
    )


def test_protected_headers_objects_to_one_viewer_who_sees_the_others() -> None:
    assert protected(12, people(1)) is not None


def test_protected_headers_objects_above_two_of_a_sensitive_list() -> None:
    clinic = Address("clinic", "council.example")
    lists = {clinic: DistributionList(tuple(people(3)), is_sensitive=True)}
    policy = dataclasses.replace(POLICY, lists=lists)

    assert protected(3, people(3), policy) is not None
    assert protected(2, people(2)[:1] + people(1, 9), policy) is None


def encrypted(
    keys: int, viewers: list[Address], policy: Policy = POLICY
) -> Finding | None:
    """What the rule says where encryption names so many keys."""
    named = frozenset(f"{number:016X}" for number in range(keys))
    shown = dataclasses.replace(content(), recipient_ids=keys, key_ids=named)
    reading = reading_of(viewers, shown, policy)
    return EncryptedRecipients().check(reading, NOTHING_KNOWN, policy)


@pytest.mark.parametrize(
    ("keys", "is_found"), [(0, False), (6, False), (7, True), (40, True)]
)
def test_encrypted_recipients_takes_the_authors_key_off(
    keys: int, is_found: bool
) -> None:
    assert (encrypted(keys, people(3)) is not None) is is_found


def test_encrypted_recipients_says_how_many() -> None:
    found = encrypted(10, people(3))

    assert found == Finding(
        "encrypted-recipients",
        Action.HOLD,
        9,
        "Its encryption names the keys of 9 recipients outside to each of them.",
    )


def test_encrypted_recipients_takes_the_insiders_keys_off() -> None:
    assert encrypted(7, [*people(3), LEE]) is None


def test_encrypted_recipients_lets_mail_to_one_outsider_through() -> None:
    assert encrypted(40, [*people(1), LEE]) is None


def test_encrypted_recipients_knows_the_keys_of_the_policy() -> None:
    # Lee's three keys are known, and no unknown one can be Lee's any more.
    lees = {f"{number:016X}": LEE for number in range(3)}
    policy = dataclasses.replace(POLICY, keys=lees)

    assert encrypted(9, [*people(3), LEE], policy) is None
    found = encrypted(10, [*people(3), LEE], policy)
    assert found is not None
    assert found.people == 6


def test_encrypted_recipients_counts_outsiders_whose_keys_are_known() -> None:
    owners = {f"{number:016X}": one for number, one in enumerate([*people(6), SAM])}
    policy = dataclasses.replace(POLICY, keys=owners)

    assert encrypted(7, people(2), policy) is not None
