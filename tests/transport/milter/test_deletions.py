# SPDX-License-Identifier: Apache-2.0
"""Bytes to be cut become deletions that leave exactly the other fields."""

from itertools import accumulate

import pytest
from hypothesis import given
from hypothesis import strategies as st

from undisclosed.core.verdict import Removal
from undisclosed.transport.milter.deletions import deletions_of, remaining
from undisclosed.transport.milter.responses import Deletion

FIELDS = (
    b"To: a@a.example\r\n",
    b"Bcc: b@b.example\r\n",
    b"to: c@c.example,\r\n d@d.example\r\n",
    b"TO : e@e.example\r\n",
)


def removal(fields, place):
    end = list(accumulate(len(one) for one in fields))[place]
    return Removal("x", end - len(fields[place]), end)


names = st.sampled_from([b"To", b"TO", b"to", b"Bcc", b"X-To", b"Cc "])
fields_of = st.lists(
    st.builds(lambda name, body: name + b":" + body + b"\r\n", names, st.just(b" x")),
    max_size=12,
)


@given(fields_of, st.data())
def test_what_is_left_is_what_was_not_to_be_removed(fields, data):
    doomed = data.draw(st.sets(st.integers(0, max(0, len(fields) - 1))))
    doomed = doomed if fields else set()

    found = deletions_of(fields, [removal(fields, place) for place in doomed])

    assert found is not None
    kept = [one for place, one in enumerate(fields) if place not in doomed]
    assert remaining(fields, found) == kept


def test_the_last_field_of_a_name_goes_first():
    doomed = [removal(FIELDS, place) for place in (0, 2, 3)]

    assert deletions_of(FIELDS, doomed) == (
        Deletion(b"TO", 3),
        Deletion(b"to", 2),
        Deletion(b"To", 1),
    )


def test_ascending_deletions_would_leave_one_in_place():
    ascending = [Deletion(b"To", number) for number in (1, 2, 3)]

    assert remaining(FIELDS, ascending) == list(FIELDS[1:3])


@pytest.mark.parametrize(
    "cut",
    [
        pytest.param(Removal("x", 0, 5), id="a part of a field"),
        pytest.param(Removal("x", 0, 35), id="two fields as one"),
        pytest.param(Removal("x", 500, 510), id="the body"),
    ],
)
def test_what_is_no_field_whole_cannot_be_deleted(cut):
    assert deletions_of(FIELDS, [cut]) is None


def test_twenty_thousand_fields_of_one_name_take_no_time_to_speak_of():
    fields = [b"X-To: a@a.example\r\n"] * 20_000

    found = deletions_of(fields, [removal(fields, 0), removal(fields, 19_999)])

    assert found == (Deletion(b"X-To", 20_000), Deletion(b"X-To", 1))
