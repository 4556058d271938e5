# SPDX-License-Identifier: Apache-2.0
"""What each check finds, and what it leaves alone."""

import io
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl import Workbook

from tests.send.checks.views import (
    BOX,
    TableResolver,
    found,
    people,
    row,
    view,
    weights,
)
from undisclosed.core.campaign import Attached, Way, Weight
from undisclosed.send.checking import run_checks
from undisclosed.send.checks import ALL_CHECKS
from undisclosed.send.checks.attachments import Attachments
from undisclosed.send.checks.confidential_data import ConfidentialData
from undisclosed.send.checks.fields import Fields
from undisclosed.send.checks.links import Links, problems
from undisclosed.send.checks.mass_mail import MassMail
from undisclosed.send.checks.merge_shift import MergeShift
from undisclosed.send.checks.other_rows import OtherRows
from undisclosed.send.checks.special_categories import SpecialCategories
from undisclosed.transport.reading.pool import PooledReader

REF = "Dear {{ name }},\n\nyour number is {{ ref }}."
NINO = "AB 12 34 56 C"


# All of them


def test_an_ordinary_mail_to_ordinary_people_needs_no_override():
    resolver = TableResolver(
        {
            "council.example": ["v=spf1 mx -all"],
            "_dmarc.council.example": ["v=DMARC1; p=reject"],
        },
        mx={"council.example": ["mx.council.example."]},
    )

    findings = run_checks(view(people(60), resolver=resolver))

    assert set(weights(findings)) == {Weight.NOTE}


def test_what_nobody_may_override_comes_first():
    findings = run_checks(view([*people(9), row(10, "Ann Lee", way=Way.MAIL)], REF))

    assert findings[0].weight is Weight.STOP
    order = [Weight.STOP, Weight.OVERRIDE, Weight.NOTE]
    assert weights(findings) == sorted(weights(findings), key=order.index)


def test_progress_tells_how_many_were_looked_at():
    told = []

    run_checks(view(people(2100)), checks=[MassMail()], progress=told.append)

    assert told == [1000, 2000]


def test_every_check_has_a_name_and_a_sentence_of_its_own():
    names = [one.name for one in ALL_CHECKS]

    assert len(set(names)) == len(names)
    assert all(one.description.endswith(".") for one in ALL_CHECKS)


@settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(st.text(max_size=30), st.text(max_size=30)), max_size=12))
def test_no_row_raises_and_no_finding_shows_a_value(values):
    rows = [row(n, f"Ann {n}", Note=note, Ref2=ref)
            for n, (note, ref) in enumerate(values, 1)]  # fmt: skip
    columns = ("Email", "Name", "Ref", "Note", "Ref2")
    source = "{{ note }} {{ ref2 | default('x') }} [a](https://u.example/{{ note }})"

    findings = run_checks(view(rows, source, columns=columns))

    for one in findings:
        assert not [v for pair in values for v in pair if len(v) > 8 and v in one.text]
        assert "@" not in one.text


# confidential-data


def test_a_number_in_the_text_is_found_with_its_line():
    (one,) = found(ConfidentialData(), people(2), f"Hello,\n\nNI: {NINO}.")

    assert one.weight is Weight.OVERRIDE
    assert one.place == "text, line 3"
    assert NINO not in one.text


def test_numbers_that_are_filled_in_are_counted_by_column():
    (one,) = found(ConfidentialData(), people(30, ref=NINO), REF)

    assert one.place == "column Ref"
    assert one.count == 30
    assert one.rows == tuple(range(1, 21))


def test_a_column_that_is_not_shown_is_not_looked_at():
    assert not found(ConfidentialData(), people(3, ref=NINO))


def test_the_councils_own_telephone_number_is_nothing_to_tell():
    assert not found(ConfidentialData(), people(2), "Call us: 020 7946 0958.")


def test_a_number_of_two_columns_together_is_found():
    rows = [row(1, ref="AB 12 34", Rest="56 C")]
    columns = ("Email", "Name", "Ref", "Rest")

    (one,) = found(ConfidentialData(), rows, "{{ ref }} {{ rest }}", columns=columns)

    assert (one.place, one.count) == ("text", 1)


def test_a_list_without_headings_does_not_name_a_person_as_a_column():
    column = "ann.lee@a.example"
    rows = [row(1, **{column: NINO})]

    (one,) = found(
        ConfidentialData(),
        rows,
        "{{ ann_lee_a_example }}",
        columns=("Email", "Name", column),
    )

    assert one.place == "a column"


# special-categories


@pytest.mark.parametrize(
    ("text", "category"),
    [("your HIV clinic", "health"), ("uw schulden", "money trouble or support"),
     ("crime victims", "crime"), ("votre santé", "health"),
     ("the trade unions", "trade union")],
)  # fmt: skip
def test_intimate_words_are_found(text, category):
    findings = found(SpecialCategories(), people(1), f"Hello,\n\n{text}.")

    assert any(category in one.text and one.place == "text, line 3" for one in findings)


def test_a_word_inside_another_word_is_none():
    assert not found(
        SpecialCategories(), people(1), "We archived the clinicals' shivers."
    )


def test_intimate_words_in_a_column_are_counted():
    (one,) = found(SpecialCategories(), people(4, ref="Diabetes group"), REF)

    assert (one.place, one.count) == ("column Ref", 4)


def test_the_senders_name_tells_as_much_as_the_text():
    findings = found(
        SpecialCategories(), people(1), draft={"author_name": "HIV Clinic"}
    )

    assert {one.place for one in findings} == {"sender"}


# fields


def test_a_missing_value_stops():
    (one,) = found(Fields(), [row(1, ref="A1"), row(2), row(3)], REF)

    assert one.weight is Weight.STOP
    assert (one.count, one.rows) == (2, (2, 3))
    assert one.text == '2 messages cannot be made: has no value for the field "ref".'


def test_a_field_that_nobody_has_is_found_although_a_default_stands_in():
    (one,) = found(Fields(), people(3), "{{ ref | default('-') }}")

    assert (one.weight, one.place) == (Weight.OVERRIDE, "column Ref")


@pytest.mark.parametrize("value", ["#N/A", "null", "#REF!", "n/a"])
def test_values_that_spreadsheets_leave_behind_are_found(value):
    (one,) = found(Fields(), [row(1, ref="A1"), row(2, ref=value)], REF)

    assert (one.rows, one.place) == ((2,), "column Ref")


@pytest.mark.parametrize(
    "text",
    ["Dear «Name»", "Dear <<First>>", "Dear {name}", "Dear [Name]", "TODO", "*|FNAME|*",
     "Dear %%name%%", "Dear ${name}"],
)  # fmt: skip
def test_placeholders_of_other_programs_are_found(text):
    (one,) = found(Fields(), people(2), f"Hello\n\n{text}")

    assert one.place == "text, line 3"


@pytest.mark.parametrize("text", ["[Name](https://x.example)", "a {b c", "10 % off %"])
def test_what_is_no_placeholder_is_left(text):
    assert not found(Fields(), people(2), text)


# other-rows


def test_another_rows_address_in_a_message_stops():
    rows = [row(1, "Ann Lee", "see bob.ray@a.example"), row(2, "Bob Ray", "none")]

    (one,) = found(OtherRows(), rows, REF)

    assert (one.weight, one.rows) == (Weight.STOP, (1,))


def test_another_rows_number_in_a_message_is_found_however_it_is_written():
    columns = ("Email", "Name", "Ref", "Phone")
    rows = [
        row(1, "Ann Lee", "call 07700-900 002 please", Phone="07700 900001"),
        row(2, "Bob Ray", "-", Phone="07700900002"),
        row(3, "Cat Moe", "-", Phone="07700900003"),
    ]

    (one,) = found(OtherRows(), rows, REF, columns=columns)

    assert (one.weight, one.rows, one.place) == (Weight.OVERRIDE, (1,), "column Ref")


def test_another_rows_name_in_a_message_is_found():
    rows = [*people(20), row(21, "Ann Lester", "your neighbour Fayaaab Leeaaah asks")]

    (one,) = found(OtherRows(), rows, REF)

    assert one.rows == (21,)


def test_what_a_household_shares_is_not_another_rows():
    columns = ("Email", "Name", "Ref", "Phone")
    rows = [row(n, f"P{n} Lee", "x", Phone="07700 900001") for n in (1, 2)]
    rows += [row(n, f"P{n} Roe", "x", Phone=f"07700 90000{n}") for n in (3, 4, 5)]

    assert not found(OtherRows(), rows, "{{ name }} {{ phone }}", columns=columns)


def test_people_of_the_list_in_the_constant_text_stop():
    text = "Dear all, ask fayaaab.leeaaah@a.example or fayaaac.leeaabe@a.example."

    (one,) = found(OtherRows(), people(20), text)

    assert (one.weight, one.place) == (Weight.STOP, "text")
    assert one.count == 2


def test_words_that_rows_share_with_the_text_need_a_reason_and_stop_nothing():
    rows = [row(n, f"High Street {_word}") for n, _word in enumerate("AB", 1)]

    (one,) = found(OtherRows(), rows, "Works in High Street A and High Street B.")

    assert (one.weight, one.count) == (Weight.OVERRIDE, 2)


def test_people_who_are_written_to_by_post_are_not_shown_either():
    rows = [*people(3), row(4, "Zoe Lockwood", way=Way.POST)]

    (one,) = found(OtherRows(), rows, "Ask Zoe Lockwood.")

    assert one.rows == (4,)


def test_the_sender_may_be_on_the_list_and_in_the_text():
    rows = [*people(5), row(6, address=BOX.spelled_out())]

    assert not found(OtherRows(), rows, "Write to box@council.example.")


def test_a_list_in_a_file_for_all_stops():
    table = "\n".join(one.values["Email"] for one in people(5))
    files = (Attached("list.csv", "text/csv", table.encode()),)

    (one,) = found(OtherRows(), people(8), draft={"attachments": files})

    assert (one.weight, one.place, one.count) == (Weight.STOP, "attachments", 5)


def test_somebody_elses_letter_is_found():
    columns = ("Email", "Name", "Ref", "File")
    ann, bob = people(2)
    rows = [replace(one, values={**one.values, "File": f"{one.number}.txt"})
            for one in (ann, bob)]  # fmt: skip
    letters = [f"Dear {one.values['Name']}".encode() for one in (ann, bob)]
    right = tuple(Attached(f"{n}.txt", "text/plain", letter, "File")
                  for n, letter in enumerate(letters, 1))  # fmt: skip
    wrong = tuple(Attached(f"{n}.txt", "text/plain", letter, "File")
                  for n, letter in enumerate(reversed(letters), 1))  # fmt: skip

    assert not found(OtherRows(), rows, columns=columns, draft={"attachments": right})
    (one,) = found(OtherRows(), rows, columns=columns, draft={"attachments": wrong})
    assert one.rows == (1, 2)


# merge-shift


def shifted(rows, column, change):
    values = change([one.values[column] for one in rows])
    return [replace(one, values={**one.values, column: value})
            for one, value in zip(rows, values, strict=True)]  # fmt: skip


def test_an_intact_list_has_nothing_shifted():
    assert not found(MergeShift(), people(200))


@pytest.mark.parametrize(
    "change",
    [
        lambda v: [*v[1:], v[0]],
        lambda v: [v[-1], *v[:-1]],
        lambda v: [*v[:60], *v[61:], v[0]],
        lambda v: [*v[:60], "New Person", *v[60:-1]],
        lambda v: [*v[2:], *v[:2]],
    ],
    ids=["up", "down", "from a deleted cell on", "from an added cell on", "two up"],
)
def test_a_column_that_slipped_is_found(change):
    findings = found(MergeShift(), shifted(people(120), "Name", change))

    assert any("slipped" in one.text and one.place == "address and column Name"
               for one in findings)  # fmt: skip


@pytest.mark.parametrize(
    "order",
    [sorted, lambda v: sorted(v, reverse=True)],
    ids=["A to Z", "Z to A"],
)
def test_a_column_that_was_sorted_alone_is_found(order):
    names = [f"{chr(97 + n * 7 % 26)}ay{chr(97 + n // 26)}x Lee" for n in range(1, 80)]
    rows = [row(n, name) for n, name in enumerate(names, 1)]

    findings = found(MergeShift(), shifted(rows, "Name", order))

    assert findings
    assert findings[0].weight is Weight.OVERRIDE


def test_a_column_of_other_people_of_the_list_is_no_shift():
    columns = ("Email", "Name", "Ref", "Manager")
    rows = people(60)
    names = [one.values["Name"] for one in rows]
    rows = [
        replace(one, values={**one.values, "Manager": names[n * 7 % 60]})
        for n, one in enumerate(rows)
    ]

    assert not found(MergeShift(), rows, columns=columns)


def test_a_column_that_ends_early_is_found():
    rows = [row(n, f"P{n}x Q{n}y", str(n) if n < 20 else "") for n in range(1, 21)]

    places = [one.place for one in found(MergeShift(), rows)]

    assert "column Ref" in places


def test_columns_that_cannot_be_compared_are_said_to():
    rows = [row(n, f"P{n}", f"R{n}") for n in range(1, 21)]

    (one,) = found(MergeShift(), rows)

    assert (one.weight, one.place) == (Weight.NOTE, "list")


def test_families_and_a_common_town_are_no_shift():
    columns = ("Email", "Name", "Ref", "Town")
    rows = [row(n, f"Kid{chr(96 + n)}x Smith", Town="Smithfield") for n in range(1, 25)]

    assert not found(MergeShift(), rows, columns=columns)


# at signs in values


@pytest.mark.parametrize("ref", ["3 @ 5", "bob@corp", "zoe@b.example", "a \ufe6b b"])
def test_an_at_sign_that_would_stop_the_campaign_is_found_with_its_column(ref):
    rows = [*people(5), row(6, "Zoe Lockwood", ref)]
    rows = [replace(one, values={**one.values, "Ref": one.values["Ref"] or "1"})
            for one in rows]  # fmt: skip

    (one,) = found(Fields(), rows, REF)

    assert (one.weight, one.place, one.rows) == (Weight.STOP, "column Ref", (6,))
    assert 'Write "at"' in one.text


def test_an_at_sign_that_a_value_makes_an_address_of_is_found():
    (one,) = found(Fields(), people(2), "Ask {{ name }}@council.example.")

    assert (one.weight, one.place, one.count) == (Weight.STOP, "text", 2)


def test_at_signs_of_the_text_and_of_the_own_address_stop_nothing():
    text = "Dear {{ name }}, {{ email }}: 3 @ 5, @council, box@council.example."

    assert not found(Fields(), people(5), text)


# attachments


def files(*attached):
    return {"attachments": attached}


def test_people_of_the_list_in_a_file_stop():
    text = "ask fayaaab.leeaaah@a.example or fayaaac.leeaabe@a.example"
    file = Attached("a.txt", "text/plain", text.encode())

    (one,) = found(Attachments(), people(4), draft=files(file))

    assert (one.weight, one.count) == (Weight.STOP, 2)


def test_an_outsider_in_a_file_needs_a_reason_and_an_insider_none():
    outside = Attached("a.txt", "text/plain", b"ask zoe@b.example")
    inside = Attached("a.txt", "text/plain", b"ask zoe@council.example")

    assert weights(found(Attachments(), people(1), draft=files(outside))) == [
        Weight.OVERRIDE
    ]
    assert not found(Attachments(), people(1), draft=files(inside))


def test_a_persons_own_file_with_another_ones_address_stops():
    columns = ("Email", "Name", "Ref", "File")
    ann, bob = [replace(one, values={**one.values, "File": f"{one.number}.txt"})
                for one in people(2)]  # fmt: skip
    address = bob.address.spelled_out().encode()
    own = [Attached(f"{n}.txt", "text/plain", address, "File") for n in (1, 2)]

    (one,) = found(Attachments(), [ann, bob], columns=columns, draft=files(*own))

    assert (one.weight, one.rows) == (Weight.STOP, (1,))


def test_a_file_that_no_row_names_is_found():
    columns = ("Email", "Name", "Ref", "File")
    own = [Attached(f"{n}.txt", "text/plain", b"x", "Ref") for n in (1, 2, 3)]

    findings = found(
        Attachments(), [row(1, ref="1.txt")], columns=columns, draft=files(*own)
    )

    assert [one.count for one in findings] == [2]


def own_files(count, kind="text/plain", **named):
    """So many people with a file each; ``named`` says whose another one's is."""
    columns = ("Email", "Name", "Ref", "File")
    ending = kind.rpartition("/")[2]
    rows = [replace(one, values={**one.values, "File": f"{one.number}.{ending}"})
            for one in people(count)]  # fmt: skip
    for number, other in named.get("other", {}).items():
        values = {**rows[number - 1].values, "File": f"{other}.{ending}"}
        rows[number - 1] = replace(rows[number - 1], values=values)
    own = [Attached(f"{n}.{ending}", kind, b"%d" % n, "File")
           for n in range(1, count + 1)
           if n not in named.get("other", {})]  # fmt: skip
    return found(Attachments(), rows, columns=columns, draft=files(*own))


def test_a_file_of_ones_own_is_named_by_one_row():
    assert not own_files(30)


def test_one_persons_file_that_a_second_row_names_stops_where_each_has_an_own_one():
    (one,) = own_files(30, other={7: 3})

    assert (one.weight, one.rows, one.count) == (Weight.STOP, (7,), 1)
    assert one.place == "files by column"


def test_files_that_households_share_need_a_reason():
    (one,) = own_files(30, other={n: n - 1 for n in range(2, 31, 2)})

    assert (one.weight, one.count) == (Weight.OVERRIDE, 15)


def test_a_picture_that_two_rows_name_is_found_without_reading_it():
    shared, unread = own_files(4, "image/png", other={2: 1})

    assert (shared.weight, shared.rows) == (Weight.OVERRIDE, (2,))
    assert (unread.weight, unread.count) == (Weight.OVERRIDE, 3)
    assert "somebody has to look" in unread.text


def test_numbers_in_a_file_are_found():
    file = Attached("a.txt", "text/plain", f"{NINO}\nAB 22 34 56 C".encode())

    (one,) = found(Attachments(), people(1), draft=files(file))

    assert (one.weight, one.count, one.place) == (Weight.OVERRIDE, 2, "file 1")


def test_a_document_that_nothing_reads_is_named():
    file = Attached("a.pdf", "application/pdf", b"%PDF-1.7")

    (one,) = found(Attachments(), people(1), draft=files(file))

    assert "not read" in one.text


def test_people_on_a_hidden_sheet_are_found():
    book = Workbook()
    book.active["A1"] = "Bin days"
    hidden = book.create_sheet("Everybody")
    hidden.sheet_state = "veryHidden"
    hidden.append(["fayaaab.leeaaah@a.example"])
    hidden.append(["fayaaac.leeaabe@a.example"])
    content = io.BytesIO()
    book.save(content)
    file = Attached("days.xlsx", "application/octet-stream", content.getvalue())

    with PooledReader() as reader:
        findings = found(Attachments(), people(4), draft=files(file), reader=reader)

    assert findings[0].weight is Weight.STOP
    assert any("hidden sheet" in one.text for one in findings)


# links


@pytest.mark.parametrize(
    ("link", "words", "word"),
    [
        ("http://x.example/", "page", "http"),
        ("https://192.0.2.1/", "page", "number"),
        ("https://intranet/page", "page", "insiders"),
        ("https://files.council.internal/", "page", "insiders"),
        ("https://bit.ly/abc", "page", "shortener"),
        ("https://bank.example@evil.example/", "page", "before its host"),
        ("https://evil.example/", "https://bank.example/", "another place"),
        ("https://x.example/?e=ann%40a.example", "page", "mail address"),
        ("javascript:alert(1)", "page", "kind"),
        ("page.html", "page", "cannot be read"),
        ("https://[::1", "page", "cannot be read"),
    ],
)
def test_links_with_a_problem_are_named(link, words, word):
    assert any(word in one for one in problems(link, words))


@pytest.mark.parametrize(
    ("link", "words"),
    [("https://www.council.example/bins", "council.example"),
     ("tel:+442079460958", "us"), ("mailto:box@council.example", "box@council.example"),
     ("#top", "up"), ("https://council.example/a", "our page")],
)  # fmt: skip
def test_links_without_one_are_left(link, words):
    assert not list(problems(link, words))


def test_a_link_is_counted_once_for_each_message():
    (one,) = found(Links(), people(3), "[a](http://x.example) [b](http://y.example)")

    assert one.count == 3
