# SPDX-License-Identifier: Apache-2.0
"""What the guard writes to people: one sentence, one link, nobody else's address."""

import base64
import re
from dataclasses import replace
from datetime import timedelta

import pytest

from tests.guard.worlds import (
    DAY,
    HOUR,
    NAME,
    NOTICES,
    NOW,
    OLIVE,
    SAM,
    SENDER,
    SIGNER,
    World,
    mail,
    people,
    person,
)
from undisclosed.core.address import Address
from undisclosed.core.held import OutgoingKind
from undisclosed.guard import desk
from undisclosed.guard.notices import (
    Facts,
    Notices,
    person_ref,
    sentence,
    without_others,
)

FORTY = people(range(40))
WRITER = Notices(NOTICES, SIGNER.sign, NAME)
FACTS = Facts("mailing-1", 37, 1332, None, "37 people.", "News")


def text_of(content: bytes) -> str:
    """Header, text and HTML of a letter, decoded."""
    pieces = [content.decode("utf-8")]
    for part in content.split(b"\r\n--=_"):
        head, _, body = part.partition(b"\r\n\r\n")
        if b"base64" in head:
            pieces.append(base64.b64decode(body).decode("utf-8"))
    return "\n".join(pieces)


def addresses_in(text: str) -> set[str]:
    return set(re.findall(r"[\w.+-]+@[\w.-]+\.\w+", text))


def notice_of(world: World) -> bytes:
    (notice,) = (c for c in world.spool.outgoing() if c.kind is OutgoingKind.NOTICE)
    assert notice.content is not None
    return notice.content


@pytest.mark.parametrize(
    ("viewers", "disclosures", "said"),
    [
        (37, 1332, "37 people would have seen 36 others' addresses."),
        (1136, 1136 * 1135, "1,136 people would have seen 1,135 others' addresses."),
        (1, 30, "1 person would have seen 30 others' addresses."),
        (2, 2, "2 people would have seen 1 other's address."),
        (3, 7, "3 people would have seen 3 others' addresses."),
        (0, 5, "0 people would have seen 5 others' addresses."),
    ],
)
def test_one_sentence_says_who_would_have_seen_whom(viewers, disclosures, said):
    assert sentence(viewers, disclosures) == said


def test_a_notice_says_one_sentence_and_has_one_link():
    world = World()
    world.held(mail(FORTY))

    text = text_of(notice_of(world))

    assert "40 people would have seen 39 others' addresses." in text
    assert "Send singly · Withdraw" in text
    assert len(set(re.findall(r"https?://[^\s'<]+", text))) == 1
    assert "Held: Newsletter" in text
    assert "Auto-Submitted: auto-generated" in text
    assert "Date: Mon, 2 Mar 2026 09:00:00 +0000" in text


def test_the_link_of_a_notice_opens_the_mailing_for_its_sender():
    world = World()
    hold_id = world.held(mail(FORTY))

    found = re.search(r"/links/([^/\s]+)/", text_of(notice_of(world)))

    assert found is not None
    link = SIGNER.open(found[1], NOW)
    assert link.mailing_id == world.spool.get(hold_id).mailing_id
    assert link.person_ref == person_ref(NAME, OLIVE)
    assert link.expires_at == NOW + NOTICES.link_lifetime


def test_a_notice_comes_from_the_null_sender_to_the_sender_alone():
    world = World()
    world.held(mail(FORTY))

    (notice,) = world.spool.outgoing()

    assert notice.envelope.mail_from is None
    assert notice.envelope.rcpt_tos == (OLIVE,)
    assert notice.expires_at == NOW + 5 * DAY


def test_a_notice_offers_only_what_helps():
    refused = "The text shows other people's addresses."
    notice = WRITER.of_hold(replace(FACTS, singly_refused=refused), OLIVE, NOW)

    text = text_of(notice.content)

    assert "Send singly" not in text
    assert "Withdraw:" in text
    assert refused in text


def test_a_notice_of_unread_mail_says_why():
    facts = replace(FACTS, disclosures=0, first_finding="It could not be read whole.")

    assert "It could not be read whole." in text_of(
        WRITER.of_hold(facts, OLIVE, NOW).content
    )
    assert "could not judge" in text_of(
        WRITER.of_hold(replace(facts, first_finding=""), OLIVE, NOW).content
    )


def test_a_mail_without_subject_has_a_notice_too():
    text = text_of(WRITER.of_hold(replace(FACTS, subject=" "), OLIVE, NOW).content)

    assert "Subject: Your mail is held" in text


def test_a_notice_written_again_is_the_same():
    one, other = (WRITER.of_hold(FACTS, OLIVE, NOW) for _ in range(2))

    assert (one.id, one.content) == (other.id, other.content)
    assert one.id != WRITER.of_hold(FACTS, SAM, NOW).id


def test_a_subject_that_names_somebody_is_quoted_without_the_name():
    world = World()
    world.held(mail(FORTY, subject="Fwd: from ann@a.example, <script>"))

    text = text_of(notice_of(world))

    assert "ann" not in text
    assert "<script>" not in text.partition("<!DOCTYPE")[2]


def test_a_sender_outside_ascii_is_written_to():
    zoe = Address("zoë", "council.example")

    notice = WRITER.of_hold(FACTS, zoe, NOW)

    assert notice.envelope.parameters == ("BODY=8BITMIME", "SMTPUTF8")


def test_a_reminder_names_nobody():
    world = World()
    hold = world.spool.get(world.held(mail(FORTY)))

    reminder = world.notices.of_waiting(hold, SAM, NOW + 4 * HOUR)

    text = text_of(reminder.content)
    assert addresses_in(text) == {
        SAM.spelled_out(),
        NOTICES.author.spelled_out(),
        f"{reminder.id}@guard.example",
    }
    assert "has waited 4 hours." in text
    assert f"/mailings/{hold.mailing_id}/" in text


def test_a_reminder_of_mail_without_a_sender_says_whose_it_is():
    world = World()
    hold = world.spool.get(world.held(mail(FORTY, mail_from=None)))

    reminder = world.notices.of_waiting(replace(hold, findings=()), SAM, NOW + HOUR)

    assert "the desk owns it" in text_of(reminder.content)
    assert "1 hour" in text_of(reminder.content)


def test_a_mail_on_its_way_back_is_attached_to_the_byte():
    world = World()
    of = mail(FORTY, text="Caf\u00e9\r\n", more="X: =_" + "0" * 40 + "\r\n")
    hold = world.spool.get(world.held(of))

    way_back = world.notices.of_return(hold, OLIVE, of.content, NOW + timedelta(days=3))

    content = world.bytes_of(way_back)
    before, behind = content.split(of.content)
    assert b"Content-Type: message/rfc822\r\n" in before
    assert b"Content-Transfer-Encoding: 8bit" in before
    assert b"3 days" in before
    assert behind.startswith(b"\r\n--=_")
    assert way_back.envelope.rcpt_tos == (OLIVE,)
    assert way_back.envelope.mail_from is None
    assert way_back.envelope.parameters == ("BODY=8BITMIME",)
    assert addresses_in(before.decode()) == {
        OLIVE.spelled_out(),
        NOTICES.author.spelled_out(),
        f"{way_back.id}@guard.example",
    }


def test_a_boundary_never_occurs_in_what_it_surrounds():
    world = World()
    hold = world.spool.get(world.held(mail(FORTY)))
    boundary = f"=_{world.notices.of_return(hold, OLIVE, b'', NOW).id}".encode()
    content = b"\r\n".join((b"Subject: x", b"", b"--" + boundary, b"--" + boundary))

    way_back = world.notices.of_return(hold, OLIVE, content, NOW)

    assert way_back.patch is not None
    before = way_back.patch.edits[0].text
    found = re.search(rb'boundary="([^"]+)"', before)
    assert found is not None
    assert found[1] not in content
    assert way_back.envelope.parameters == ()


def test_no_mail_of_our_own_names_a_third_person():
    world = World()
    text = "\r\n".join(address.spelled_out() for address in people(range(60)))
    world.held(mail(FORTY, text=text + "\r\n", subject="p3@home3.example"))
    world.held(mail(people(range(50)), subject="Other"))
    world.desk(desk.send_singly, "hold-2", SENDER)

    own = [c for c in world.spool.outgoing() if c.content is not None]

    assert len(own) == 2
    for copy in own:
        named = addresses_in(text_of(copy.content or b""))
        allowed = {OLIVE.spelled_out(), NOTICES.author.spelled_out()}
        assert all(one in allowed or one.startswith(copy.id) for one in named)


def test_words_that_name_others_are_taken_out():
    mine = person(1)
    text = "550 <p1@home1.example> moved to p2@home2.example, or x\uff20y"

    assert without_others(text, mine) == "550 <p1@home1.example> moved to … or …"
    assert without_others("ann@a.example said") == "… said"
