# SPDX-License-Identifier: Apache-2.0
"""Links are signed, expire, and hold no address."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from undisclosed.guard.links import Link, LinkExpired, LinkSigner, LinkWrong

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
DAY = timedelta(days=1)
SIGNER = LinkSigner(b"k" * 32)


@given(mailing_id=st.text(max_size=40), person_ref=st.text(max_size=40))
def test_a_link_opens_as_it_was_signed(mailing_id, person_ref):
    token = SIGNER.sign(mailing_id, person_ref, NOW + DAY)

    assert SIGNER.open(token, NOW) == Link(mailing_id, person_ref, NOW + DAY)
    assert token.isascii()
    assert not set(token) - set(
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_."
    )


def test_a_link_expires_to_the_second():
    token = SIGNER.sign("mailing", "person", NOW + DAY)

    assert SIGNER.open(token, NOW + DAY - timedelta(seconds=1))
    with pytest.raises(LinkExpired):
        SIGNER.open(token, NOW + DAY)


@given(place=st.integers(min_value=0), letter=st.sampled_from("Ax-_.é0"))
def test_a_changed_link_is_wrong(place, letter):
    token = SIGNER.sign("mailing", "person", NOW + DAY)
    place %= len(token)
    changed = token[:place] + letter + token[place + 1 :]

    if changed == token:
        assert SIGNER.open(changed, NOW)
    else:
        with pytest.raises(LinkWrong):
            SIGNER.open(changed, NOW)


@given(token=st.text(max_size=60))
def test_anything_else_is_wrong(token):
    with pytest.raises(LinkWrong):
        SIGNER.open(token, NOW)


@pytest.mark.parametrize(
    "token",
    ["", ".", "a.b", "\x00", "a" * 5000, "é.é", "\ud800.x"],
    ids=["empty", "dot", "short", "nul", "long", "letters", "surrogate"],
)
def test_what_was_never_a_link_is_wrong(token):
    with pytest.raises(LinkWrong):
        SIGNER.open(token, NOW)


def test_another_key_signs_other_links():
    token = LinkSigner(b"other" * 7).sign("mailing", "person", NOW + DAY)

    with pytest.raises(LinkWrong):
        SIGNER.open(token, NOW)


def test_a_link_of_an_earlier_key_opens_until_that_key_is_gone():
    old, both = LinkSigner(b"old" * 11), LinkSigner(b"new" * 11, b"old" * 11)
    before = old.sign("mailing", "person", NOW + DAY)
    after = both.sign("mailing", "person", NOW + DAY)

    assert both.open(before, NOW) == both.open(after, NOW)
    with pytest.raises(LinkWrong):
        old.open(after, NOW)
    with pytest.raises(LinkWrong):
        LinkSigner(b"new" * 11).open(before, NOW)
