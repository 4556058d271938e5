# SPDX-License-Identifier: Apache-2.0
"""What changed since a campaign was approved: all of it, and nothing of any row."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.store.campaigns import NOW, account, drafted, row
from undisclosed.core.address import Address
from undisclosed.core.campaign import Attached, Draft, MailKind, Sensitivity
from undisclosed.send import difference
from undisclosed.send.difference import files_between, lines_between, since_approved
from undisclosed.send.draft import to_json
from undisclosed.store import campaign_approved, campaigns, lists
from undisclosed.store.campaign_approved import facts_of
from undisclosed.store.database import database as connected
from undisclosed.store.lists import ListFacts
from undisclosed.store.models import RecipientList

LINES = st.lists(st.sampled_from(["a", "b", "c", "d"]), max_size=30)
DRAFT = Draft(
    "Bins",
    "Dear {{ name }},\n\nMonday.",
    Address("bins", "council.example"),
    "Bins",
)
DATES = Attached("dates.csv", "text/csv", b"Ward,Day\nNorth,Monday\nSouth,Friday\n")
LETTER = Attached("p1.pdf", "application/pdf", b"private", "Name")


@given(LINES, LINES)
def test_the_lines_that_are_gone_and_new_make_one_text_of_the_other(before, after):
    found = list(lines_between(before, after))

    kinds = [one.kind for one in found]
    assert kinds.count("gone") - kinds.count("new") == len(before) - len(after)
    assert not found or {"gone", "new"} & set(kinds)
    assert bool(found) == (before != after)


@given(LINES, LINES)
def test_nothing_is_shown_that_is_in_neither_text(before, after):
    for line in lines_between(before, after):
        if line.kind in ("gone", "same"):
            assert line.text in before
        if line.kind in ("new", "same"):
            assert line.text in after


@given(st.dictionaries(st.sampled_from("abcd"), st.binary(max_size=9)))
def test_files_are_not_different_from_themselves(files):
    facts = [facts_of(Attached(name, "text/plain", files[name])) for name in files]

    assert not list(files_between(facts, facts[::-1]))
    assert {one.kind for one in files_between((), facts)} <= {"new"}
    assert {one.kind for one in files_between(facts, ())} <= {"gone"}


@pytest.fixture
def campaign(database):
    """A campaign that somebody approved as it is."""
    made = drafted(3, to_json(DRAFT))
    by = campaigns.get(made).created_by
    campaigns.change(made, by=by, now=NOW, files=(DATES, LETTER))
    with connected() as connection:
        campaign_approved.keep(connection, made)
    return made


def change(campaign, **changed):
    by = campaigns.get(campaign).created_by
    campaigns.change(campaign, by=by, now=NOW, **changed)


def found(campaign):
    return since_approved(campaigns.get(campaign))


def test_what_is_as_it_was_approved_has_no_difference(campaign):
    assert not found(campaign)


def test_what_nobody_ever_approved_has_no_difference(database):
    assert not found(drafted(1, to_json(DRAFT)))


def test_the_text_is_compared_by_lines(campaign):
    changed = replace(DRAFT, markdown="Dear {{ name }},\n\nTuesday.")
    change(campaign, text=to_json(changed))

    kinds = [(one.kind, one.text) for one in found(campaign).text]

    assert ("gone", "Monday.") in kinds
    assert ("new", "Tuesday.") in kinds
    assert ("same", "Dear {{ name }},") in kinds


@pytest.mark.parametrize(
    ("changed", "what", "values"),
    [
        pytest.param(
            {"reply_to": Address("all", "council.example")},
            "Answers go to",
            ("", "all@council.example"),
            id="where answers go",
        ),
        pytest.param(
            {"author_name": "Waste"}, "From: the name", ("Bins", "Waste"), id="who"
        ),
        pytest.param(
            {"author": Address("w", "c.example")},
            "From: the address",
            ("bins@council.example", "w@c.example"),
            id="from where",
        ),
        pytest.param(
            {"kind": MailKind.MARKETING},
            "Kind",
            (
                "service mail: nobody unsubscribes",
                "marketing: everybody can unsubscribe",
            ),
            id="who can unsubscribe",
        ),
    ],
)
def test_a_setting_is_named_with_what_it_was_and_is(campaign, changed, what, values):
    change(campaign, text=to_json(replace(DRAFT, **changed)))

    (one,) = found(campaign).settings

    assert (one.what, (one.before, one.after)) == (what, values)


def test_how_fast_and_what_is_done_in_doubt_are_compared_too(campaign):
    change(campaign, settings={"per_minute": 60, "in_doubt": "sent"})

    assert {(one.before, one.after) for one in found(campaign).settings} == {
        ("as many as the installation allows", "60"),
        ("ask a person", "take it as sent"),
    }


def test_a_table_is_compared_by_lines_and_named_with_its_size(campaign):
    other = replace(DATES, content=DATES.content.replace(b"Friday", b"Sunday"))
    change(campaign, files=(other, LETTER))

    (file,) = found(campaign).files

    assert (file.kind, file.name) == ("changed", "dates.csv")
    assert file.before and file.after
    assert file.before.size == len(DATES.content)
    assert file.before.digest != file.after.digest
    assert [(one.kind, one.text) for one in file.lines if one.kind != "same"] == [
        ("gone", "South,Friday"),
        ("new", "South,Sunday"),
    ]


def test_files_that_came_and_went_are_named(campaign):
    change(campaign, files=(LETTER, Attached("map.pdf", "application/pdf", b"map")))

    kinds = {one.name: one.kind for one in found(campaign).files}

    assert kinds == {"dates.csv": "gone", "map.pdf": "new"}


def test_of_one_persons_own_file_neither_name_nor_content_is_shown(campaign):
    change(campaign, files=(DATES, replace(LETTER, content=b"other")))

    (file,) = found(campaign).files

    assert (file.kind, file.name, file.column, file.lines) == (
        "changed",
        "",
        "Name",
        (),
    )


def test_a_long_difference_is_cut_and_says_so(campaign):
    rows = b"".join(b"%d,x\n" % number for number in range(2 * difference.MOST_LINES))
    change(campaign, files=(replace(DATES, content=rows), LETTER))

    (file,) = found(campaign).files

    assert len(file.lines) == difference.MOST_LINES + 1
    assert file.lines[-1].kind == "more"


def test_a_list_that_was_imported_anew_is_said_with_its_count(campaign):
    list_id = campaigns.get(campaign).list_id
    people = [row(number) for number in (1, 2)]
    lists.import_rows(list_id, ("Email", "Name"), people, by="t", now=NOW)

    imported, people = found(campaign).chosen

    assert imported.what == "The list was imported anew"
    assert (people.before, people.after) == ("3", "2")


def test_another_list_is_named(campaign):
    team = RecipientList.objects.get().team_id
    other = lists.create(
        ListFacts("South", "bin days", Sensitivity.ORDINARY),
        team=team,
        owner=account("olive").pk,
        by="t",
        now=NOW,
    )
    lists.import_rows(other, ("Email", "Name"), [row(9)], by="t", now=NOW)
    change(campaign, list_id=other)

    listed, people = found(campaign).chosen

    assert (listed.what, listed.before, listed.after) == (
        "Another list",
        "North",
        "South",
    )
    assert (people.before, people.after) == ("3", "1")


def test_a_campaign_that_was_approved_before_files_were_kept_shows_its_text(campaign):
    with connected() as connection:
        connection.run("UPDATE store_campaign SET approved_sealed = draft_sealed")
    change(campaign, text=to_json(replace(DRAFT, subject="Bin days")), files=())

    only = found(campaign)

    assert only.text and not only.files
