# SPDX-License-Identifier: Apache-2.0
"""A held mail becomes a campaign in one click, and is sent to each person alone."""

from email import message_from_bytes, policy
from email.message import EmailMessage

import pytest

from tests.console.campaigns import APPROVERS, Office, act, page, state
from tests.console.world import SAM, address, now, outsiders
from tests.send.sending import sent
from undisclosed.core.campaign import CampaignState, DeliveryState, Weight
from undisclosed.core.mail import Envelope, Mail, Recipient
from undisclosed.guard.testing import FixedClock
from undisclosed.store import campaigns, ledger, lists

pytestmark = pytest.mark.usefixtures("database")

PEOPLE = outsiders(9)


@pytest.fixture
def office(world):
    return Office(world)


def mail(made):
    """The message in an envelope to everybody of it."""
    made["From"] = "Sam Marsh <sam@council.example>"
    made["Subject"] = "Your new rates: 5 % {{ more }}"
    made["Message-ID"] = f"<{len(bytes(made))}@council.example>"
    recipients = tuple(Recipient(address(one)) for one in PEOPLE)
    return Mail(Envelope(SAM, recipients), bytes(made).replace(b"\n", b"\r\n"))


def made_of(office, content):
    """The id of the campaign that is made of a held mail, and its first page."""
    mailing = office.world.hold(mail(content))
    sam = office.people["sam"]
    sam.roles = ["sender"]
    sam.save()
    client = office.client("sam")
    answer = client.post(f"/campaigns/from/{mailing}/", follow=True)
    return answer.redirect_chain[-1][0].split("/")[2], answer.content.decode()


def sent_whole(office, made):
    """Check it, answer for what was found, approve it, send it; what the hop took."""
    sam, by = office.client("sam"), office.people["sam"].pk
    act(sam, made, "check")
    for found in campaigns.get(made).findings:
        assert found.weight is not Weight.STOP, found.text
        if found.weight is Weight.OVERRIDE:
            campaigns.override(made, found.check, "It is right.", by=by, now=now())
    act(sam, made, "submit")
    office.approve(made, *APPROVERS)
    act(sam, made, "start")
    taken = []
    for _ in range(3):
        hop, _ = sent(clock=FixedClock(now()))
        taken += hop.taken
    return taken


def test_a_held_mail_is_sent_to_each_of_its_people_alone(office):
    content = EmailMessage()
    content["To"] = ", ".join(f'"Person, {n}" <{one}>' for n, one in enumerate(PEOPLE))
    content.set_content(
        "Dear all,\n\nthe rate is 5 % from {% May %} on.\n\nSam\nBins\n"
    )
    content.add_attachment(b"Ward,Rate\n", "text", "csv", filename="rates.csv")

    made, _ = made_of(office, content)
    taken = sent_whole(office, made)

    assert state(made) is CampaignState.DONE
    assert ledger.counts(made) == {DeliveryState.SENT: len(PEOPLE)}
    wanted = {
        person
        for person in PEOPLE
        for one in taken
        if one.rcpts[0].count(b"@") == 1 and person.encode() in one.rcpts[0]
    }
    assert (wanted, len(taken)) == (set(PEOPLE), len(PEOPLE))
    for one in taken:
        assert len(one.rcpts) == 1
        found = message_from_bytes(one.content, policy=policy.default)
        assert sum(person.encode() in one.content for person in PEOPLE) == 1
        assert found["Subject"] == "Your new rates: 5 % {{ more }}"
        text = found.get_body(("plain",)).get_content()
        assert "the rate is 5 % from {% May %} on." in text
        assert "Sam\r\nBins" in text
        (file,) = found.iter_attachments()
        assert file.get_filename() == "rates.csv"


def test_names_with_commas_become_a_column_of_the_list(office):
    content = EmailMessage()
    content["To"] = ", ".join(f'"Person, {n}" <{one}>' for n, one in enumerate(PEOPLE))
    content.set_content("Dear all,\n\nthe rates are new.\n")

    made, _ = made_of(office, content)

    rows = list(lists.rows(campaigns.get(made).list_id))
    assert {one.values["Name"] for one in rows} == {f"Person, {n}" for n in range(9)}
    assert lists.columns(campaigns.get(made).list_id) == ("Address", "Name")


def test_what_cannot_be_taken_over_is_said_where_the_text_is_written(office):
    content = EmailMessage()
    content["To"] = ", ".join(PEOPLE)
    content.set_content(
        "<p>Dear all,</p><p>see <a href='https://c.example'>the rates</a>.</p>"
        "<img src='cid:logo@council.example'>",
        subtype="html",
    )
    picture = b"\x89PNG\r\n\x1a\n"
    content.add_related(
        picture, "image", "png", cid="<logo@council.example>", disposition="inline"
    )

    made, shown = made_of(office, content)

    assert "Not taken over: 1 picture inside the text." in shown
    assert "Not taken over: the formatting: the words of the HTML were taken." in shown
    assert "1 link: only the words that lead there" in shown
    assert "see the rates." in page(office.client("sam"), made, "write/")


def test_a_mail_in_another_script_is_sent_as_it_was_written(office):
    content = EmailMessage()
    content["To"] = ", ".join(PEOPLE)
    content.set_content("שלום לכולם,\n\nהתעריפים חדשים.\n")

    made, _ = made_of(office, content)
    taken = sent_whole(office, made)

    found = message_from_bytes(taken[0].content, policy=policy.default)
    assert "התעריפים חדשים." in found.get_body(("plain",)).get_content()
    assert len(taken) == len(PEOPLE)
