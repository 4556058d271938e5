# SPDX-License-Identifier: Apache-2.0
"""A row's data in another row's message, wherever the two stand in a long list."""

import tracemalloc

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.send.checks.views import COLUMNS, found, people, row, view
from undisclosed.core.address import Address
from undisclosed.core.campaign import Attached, Draft, Row, Way, Weight
from undisclosed.send.checking import run_checks
from undisclosed.send.checks.other_rows import OtherRows
from undisclosed.send.checks.view import CampaignView
from undisclosed.send.merge import compile_draft

TEXT = "Dear {{ name }}, your note: {{ ref }}"
SMALL = (1, 7, 50)
"""Hashes that are held at once: the list is read again and again."""


def facts(findings):
    return [
        (one.weight, one.text, one.place, set(one.rows), one.count) for one in findings
    ]


@pytest.mark.parametrize("most", SMALL)
@pytest.mark.parametrize(
    ("whose", "where"), [(1, 400), (400, 1), (399, 400), (200, 203)]
)
def test_a_leak_is_found_between_any_two_rows_however_little_is_held(
    most, whose, where
):
    rows = people(400)
    leaked = rows[whose - 1].address.spelled_out()
    rows[where - 1] = row(where, "Fay Lee", f"write to {leaked}")

    (one,) = found(OtherRows(most=most * 10), rows, TEXT)

    assert one.weight is Weight.STOP
    assert (one.rows, one.count) == ((where,), 1)


@settings(max_examples=30)
@given(
    st.lists(
        st.tuples(st.integers(1, 40), st.integers(1, 40)),
        max_size=12,
        unique_by=lambda pair: pair[1],
    ),
    st.sampled_from(SMALL),
)
def test_in_parts_it_finds_what_it_finds_at_once(leaks, most):
    rows = people(40)
    for whose, where in leaks:
        told = f"{rows[whose - 1].values['Name']}, p{whose}@b.example, 12345{whose:03}"
        rows[where - 1] = row(where, f"Fay{where}", told)

    at_once = found(OtherRows(), rows, f"{TEXT} {rows[4].values['Name']}")
    in_parts = found(OtherRows(most=most), rows, f"{TEXT} {rows[4].values['Name']}")

    assert facts(in_parts) == facts(at_once)


def test_two_leaks_in_one_message_count_once_whichever_part_finds_them():
    rows = people(30)
    told = " ".join(one.address.spelled_out() for one in rows[:20])
    rows[29] = row(30, "Fay Lee", told)

    (one,) = found(OtherRows(most=3), rows, TEXT)

    assert (one.rows, one.count) == ((30,), 1)


def test_a_message_that_cannot_be_made_shows_nobody_in_any_part():
    rows = people(30)
    rows[29] = row(30, "", f"write to {rows[0].address.spelled_out()}")
    rows[29] = Row(30, rows[29].address, {**rows[29].values, "Name": ""})

    assert not found(OtherRows(most=3), rows, TEXT)


def test_files_of_ones_own_are_looked_at_in_every_part():
    rows = [row(n, f"Fay{n} Lee{n}", file=f"{n}.txt") for n in range(1, 21)]
    columns = (*COLUMNS, "file")
    files = tuple(
        Attached(f"{n}.txt", "text/plain", f"p{21 - n}@a.example".encode(), "file")
        for n in range(1, 21)
    )
    rows = [
        Row(one.number, Address(f"p{one.number}", "a.example"), one.values)
        for one in rows
    ]

    (one,) = found(
        OtherRows(most=3), rows, columns=columns, draft={"attachments": files}
    )

    assert (one.place, one.count) == ("attachments", 20)


def test_the_index_takes_little_more_than_its_eight_bytes_for_each_hash():
    size, columns = 20_000, ("Email", "Name")

    def rows():
        for number in range(1, size + 1):
            address = Address(f"p{number}", "a.example")
            yield Row(number, address, {"Email": "", "Name": f"P{number}"})

    draft = Draft("Bins", "Dear {{ name }}", Address("team", "council.example"))
    ways = {Way.MAIL: size}
    looked = CampaignView(
        draft, columns, size, ways, compile_draft(draft, columns), rows
    )
    tracemalloc.start()
    try:
        run_checks(looked, checks=[OtherRows()])
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.reset_peak()
        run_checks(looked, checks=[OtherRows(most=size // 10)])
        in_parts = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()

    sample = 3_000_000  # five thousand rows say which columns tell people apart
    assert peak < sample + 16 * size
    assert in_parts <= peak


def test_whoever_waits_is_told_of_every_pass_over_the_list():
    read, looked = [], []

    run_checks(
        view(people(2_500)),
        checks=[OtherRows(most=4_000)],
        progress=looked.append,
        reading=read.append,
    )

    assert looked == [1000, 2000]
    assert read[:4] == [1000, 2000, 1000, 2000]
    assert len(read) >= 6


@pytest.mark.parametrize(
    ("markdown", "subject"),
    [
        ("Ask {{ ref | default('Zoe Lockwood') }}.", "Bins"),
        ("Dear all", "Bins of {{ ref | default('Zoe Lockwood') }}"),
        ("[page](https://u.example/Zoe%20Lockwood)", "Bins"),
        ("[page](https://u.example/?who=zoe-lockwood&n=1)", "Bins"),
        ("[page](https://u.example/a/Zoe_Lockwood.html)", "Bins"),
    ],
    ids=["a default", "in the subject", "percent forms", "a parameter", "a path"],
)
def test_a_name_is_found_in_defaults_and_in_links(markdown, subject):
    rows = [*people(3), row(4, "Zoe Lockwood")]

    (one,) = found(OtherRows(), rows, markdown, subject)

    assert (one.weight, one.place, one.rows) == (Weight.OVERRIDE, "text", (4,))


@pytest.mark.parametrize(
    "name",
    ["Zoe Lockwood diagnosis.txt", "letter-Zoe_Lockwood.txt", "ZoeX 4711223344.txt"],
)
def test_the_name_of_a_file_for_all_is_read_as_text(name):
    rows = [*people(3), row(4, "Zoe Lockwood", "4711223344")]
    files = (Attached(name, "text/plain", b"hello"),)

    (one,) = found(OtherRows(), rows, draft={"attachments": files})

    assert (one.weight, one.place, one.rows) == (Weight.OVERRIDE, "attachments", (4,))


def test_the_name_of_somebody_elses_file_is_read_too():
    columns = (*COLUMNS, "File")
    rows = [row(1, "Zoe Lockwood", File="Fay Leeson.pdf"), row(2, "Fay Leeson")]
    rows[1] = Row(2, rows[1].address, {**rows[1].values, "File": "2.pdf"})
    files = tuple(
        Attached(name, "text/plain", b"x", "File")
        for name in ("Fay Leeson.pdf", "2.pdf")
    )

    (one,) = found(OtherRows(), rows, columns=columns, draft={"attachments": files})

    assert (one.weight, one.rows) == (Weight.OVERRIDE, (1,))
