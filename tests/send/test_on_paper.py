# SPDX-License-Identifier: Apache-2.0
"""Letters have the text that was approved, for the people who are written to."""

from datetime import date

import pypdfium2
import pytest

from tests.store.campaigns import NOW, drafted, set_state
from undisclosed.core.address import Address
from undisclosed.core.campaign import Attached, CampaignState, Draft, Row, Way
from undisclosed.send import on_paper
from undisclosed.send.draft import to_json
from undisclosed.send.on_paper import (
    NobodyOnPaper,
    NotApproved,
    SomeNotPrinted,
    TooMany,
)
from undisclosed.store import campaign_files, crypto, lists
from undisclosed.store.database import database as connected
from undisclosed.store.models import RecipientList

COLUMNS = ("Email", "Name", "Address line 1", "Postcode")
DRAFT = Draft(
    "Bin days", "Dear {{ name }},\n\nMonday it is.", Address("bins", "council.example")
)
DAY = date(2026, 11, 2)


def person(number, way, name):
    where = ("", name, f"{number} High Street", "LS1 1AA")
    return Row(number, None, dict(zip(COLUMNS, where, strict=True)), way)


def approve(made):
    """Have a campaign's text approved for its list as it is now."""
    set_state(made, CampaignState.APPROVED)
    with connected() as connection:
        connection.run(
            "UPDATE store_campaign c"
            "   SET approved_sealed = draft_sealed, list_version = l.version"
            "  FROM store_recipientlist l WHERE l.id = c.list_id"
        )


@pytest.fixture
def campaign(database):
    """An approved campaign; of its people one is phoned and two are written to."""
    made = drafted(0, to_json(DRAFT))
    people = [
        person(2, Way.POST, "Ann"),
        person(3, Way.PHONE, "Pat"),
        person(4, Way.POST, "Bob"),
    ]
    lists.import_rows(list_id(), COLUMNS, people, by="test", now=NOW)
    approve(made)
    return made


def list_id():
    return RecipientList.objects.get().pk


def pages(content):
    pdf = pypdfium2.PdfDocument(content)
    try:
        return [page.get_textpage().get_text_bounded() for page in pdf]
    finally:
        pdf.close()


def test_those_who_are_written_to_get_the_approved_text(campaign):
    made = on_paper.letters(list_id(), campaign, day=DAY)

    ann, bob = pages(made.content)
    assert made.people == 2
    assert "Dear Ann," in ann and "Dear Bob," in bob
    assert not any("Pat" in page for page in (ann, bob))


def test_those_who_are_phoned_are_on_the_call_sheet(campaign):
    made = on_paper.call_sheet(list_id(), heading="Bin days")

    (pat,) = pages(made.content)
    assert made.people == 1
    assert "Pat" in pat and "Ann" not in pat


@pytest.mark.parametrize(
    "state", [CampaignState.DRAFT, CampaignState.SUBMITTED, CampaignState.CANCELLED]
)
def test_a_text_that_is_not_approved_now_is_not_printed(campaign, state):
    set_state(campaign, state)

    with pytest.raises(NotApproved):
        on_paper.letters(list_id(), campaign, day=DAY)


def test_nobody_is_written_to_whom_nobody_approved(campaign):
    people = [person(2, Way.POST, "Ann"), person(3, Way.POST, "Eve")]
    lists.import_rows(list_id(), COLUMNS, people, by="test", now=NOW)

    with pytest.raises(NotApproved):
        on_paper.letters(list_id(), campaign, day=DAY)


def test_a_list_without_such_people_has_nothing_to_print(campaign):
    people = [person(2, Way.POST, "Ann")]
    lists.import_rows(list_id(), COLUMNS, people, by="test", now=NOW)

    with pytest.raises(NobodyOnPaper):
        on_paper.call_sheet(list_id(), heading="")


def test_too_many_people_are_refused_and_none_is_left_out(campaign, monkeypatch):
    monkeypatch.setattr(on_paper, "MOST", 1)

    with pytest.raises(TooMany):
        on_paper.letters(list_id(), campaign, day=DAY)


def test_nobody_is_printed_until_somebody_says_without_whom(campaign):
    columns = ("Email", "Name", "Address line 1", "Postcode")
    people = [person(2, Way.POST, "Ann"), person(3, Way.POST, "Bob\U0001fae0")]
    lists.import_rows(list_id(), columns, people, by="test", now=NOW)
    approve(campaign)

    with pytest.raises(SomeNotPrinted, match="Row 3") as caught:
        on_paper.letters(list_id(), campaign, day=DAY)
    made = on_paper.letters(list_id(), campaign, day=DAY, without=True)

    assert caught.value.printed.people == 1
    assert (made.people, [one.row for one in made.left_out]) == (1, [3])
    assert len(pages(made.content)) == 1


def test_the_files_of_the_campaign_are_named_in_its_letters(campaign):
    files = (
        Attached("map.pdf", "application/pdf", b"map"),
        Attached("Ann.pdf", "application/pdf", b"own", "Name"),
    )
    with connected() as connection:
        wrapped = connection.one("SELECT data_key FROM store_campaign")[0]
        key = crypto.keys().unwrap(bytes(wrapped), f"campaign/{campaign}")
        campaign_files.replace(connection, campaign, key, files)

    made = on_paper.letters(list_id(), campaign, day=DAY)

    assert "Enclosed: map.pdf, Ann." in pages(made.content)[0]
    assert "Enclosed: map.pdf, Bob." in pages(made.content)[1]
