# SPDX-License-Identifier: Apache-2.0
"""An invitation that was held is sent singly, each with its own attendee alone."""

from tests.guard.worlds import SENDER, World, mail, people
from undisclosed.core.held import OutgoingKind
from undisclosed.core.mail import Mail
from undisclosed.guard import desk

INVITED = people(range(12))


def invitation(*, is_signed: bool = False) -> Mail:
    """An invitation of twelve people, who all stand in To as well."""
    lines = "".join(
        f"ATTENDEE;CN=Name;RSVP=TRUE:mailto:{one.spelled_out()}\r\n" for one in INVITED
    )
    kind = "signed" if is_signed else "alternative"
    fields = f"MIME-Version: 1.0\r\nContent-Type: multipart/{kind}; boundary=xx\r\n"
    body = (
        "--xx\r\nContent-Type: text/calendar; method=REQUEST\r\n\r\n"
        f"BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\n{lines}END:VEVENT\r\nEND:VCALENDAR\r\n"
        "--xx--\r\n"
    )
    plain = mail(INVITED, more=fields)
    header = plain.content.partition(b"\r\n\r\n")[0]
    return Mail(plain.envelope, header + b"\r\n\r\n" + body.encode())


def test_each_gets_an_invitation_of_their_own() -> None:
    world = World()
    hold_id = world.held(invitation())

    world.desk(desk.send_singly, hold_id, SENDER)

    copies = [
        copy
        for copy in world.spool.outgoing()
        if copy.kind is OutgoingKind.PRIVATE_COPY
    ]
    assert len(copies) == len(INVITED)
    for copy in copies:
        (recipient,) = copy.envelope.rcpt_tos
        content = world.bytes_of(copy)
        assert content.count(b"ATTENDEE") == 1
        named = [one for one in INVITED if one.spelled_out().encode() in content]
        assert named == [recipient]


def test_a_signed_invitation_is_not_offered_to_be_sent_singly() -> None:
    world = World()
    hold_id = world.held(invitation(is_signed=True))

    reason = world.spool.get(hold_id).singly_refused

    assert reason is not None
    assert "calendar ATTENDEE" in reason
