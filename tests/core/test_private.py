# SPDX-License-Identifier: Apache-2.0
"""Private copies: nobody else in the header, and not one byte more changed."""

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.core.making import POLICY, SAM, address, envelope, message, people
from undisclosed.core.address import Address
from undisclosed.core.disclosure import read
from undisclosed.core.header import split_content
from undisclosed.core.mail import Mail, Recipient
from undisclosed.core.policy import DistributionList, Policy
from undisclosed.core.private import (
    Edit,
    Patch,
    insiders_copy,
    private_copy,
    read_copy,
    why_not_singly,
)

ANN = address("ann@a.example")
BOB = address("bob@b.example")
CEM = address("cem@c.example")
LEE = address("lee@council.example")
EVERYBODY = (ANN, BOB, CEM, LEE, SAM)


def mail_of(header: str, viewers: tuple[Address, ...] = EVERYBODY) -> Mail:
    """A mail with this header below From, and a body."""
    whole = f"From: Sam <sam@council.example>\r\n{header}\r\nHello.\r\n"
    return Mail(envelope(viewers), whole.encode())


def copy_for(mail: Mail, recipient: Address, policy: Policy = POLICY) -> str:
    """The header of one private copy, without From."""
    reading = read(mail, policy)
    copy = private_copy(mail.content, reading, recipient, policy).apply(mail.content)
    header, _, body = copy.partition(b"\r\n\r\n")
    assert body == b"Hello.\r\n"
    return header.decode().removeprefix("From: Sam <sam@council.example>\r\n")


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("To: ann@a.example\r\n", "To: ann@a.example"),
        ("To:ann@a.example\r\n", "To:ann@a.example"),
        ("To: Ann A <ann@a.example>, bob@b.example\r\n", "To: Ann A <ann@a.example>"),
        ("To: bob@b.example,\r\n ann@a.example\r\n", "To: ann@a.example"),
        ("To: bob@b.example; ann@a.example\r\n", "To: ann@a.example"),
        ("To: bob@b.example ann@a.example\r\n", "To: <ann@a.example>"),
        ("To : bob@b.example, ann@a.example\r\n", "To : ann@a.example"),
        ("tO: bob@b.example, ann@a.example\r\n", "tO: ann@a.example"),
        ("To: Team: bob@b.example, ann@a.example;\r\n", "To: ann@a.example"),
        (
            'To: "A, Ann" <ann@a.example>, bob@b.example\r\n',
            'To: "A, Ann" <ann@a.example>',
        ),
        ("To: ann@a.example (x, y), bob@b.example\r\n", "To: ann@a.example (x, y)"),
        (
            "To: =?utf-8?q?=C3=84nn?= <ann@a.example>, bob@b.example\r\n",
            "To: =?utf-8?q?=C3=84nn?= <ann@a.example>",
        ),
        (
            "To: =?utf-8?q?nobody?=, ann@a.example, bob@b.example\r\n",
            "To: ann@a.example",
        ),
        ('To: "bob@b.example" <ann@a.example>\r\n', "To: <ann@a.example>"),
        ("To: ann@a.example (also bob@b.example)\r\n", "To: <ann@a.example>"),
        ('To: "a, ann@a.example, bob@b.example\r\n', "To: <ann@a.example>"),
        (
            'To: "Ann \\"A\\" (x" <ann@a.example>, bob@b.example\r\n',
            'To: "Ann \\"A\\" (x" <ann@a.example>',
        ),
        (
            "To: bob@b.example, lee@council.example, ann@a.example\r\n",
            "To: ann@a.example, lee@council.example",
        ),
        ("To: bob@b.example\r\nTo: ann@a.example\r\n", "To: ann@a.example"),
        (
            "To: bob@b.example\r\n"
            "To: Ann <ann@a.example>, Lee <lee@council.example>\r\n",
            "To: Ann <ann@a.example>\r\nTo: Lee <lee@council.example>",
        ),
        (
            "To: lee@council.example\r\nCc: Ann <ann@a.example>, bob@b.example\r\n",
            "To: Ann <ann@a.example>, lee@council.example",
        ),
        (
            "To: lee@council.example\r\nCc: Ann <ann@a.example>\r\n",
            "To: Ann <ann@a.example>, lee@council.example",
        ),
        (
            "Cc: ann@a.example, lee@council.example, bob@b.example\r\n",
            "To: ann@a.example\r\nCc: lee@council.example",
        ),
        ("Subject: x\r\n", "Subject: x\r\nTo: <ann@a.example>"),
        (
            "Subject: x\r\nBcc: ann@a.example, bob@b.example\r\nX-A: y\r\n",
            "Subject: x\r\nTo: <ann@a.example>\r\nX-A: y",
        ),
        ("To: undisclosed-recipients:;\r\n", "To: <ann@a.example>"),
        (
            "To: ann@a.example\r\nReply-To: sam@council.example, bob@b.example\r\n",
            "To: ann@a.example\r\nReply-To: sam@council.example",
        ),
        (
            "To: ann@a.example\r\nReply-To: ann@a.example, bob@b.example\r\n",
            "To: ann@a.example\r\nReply-To: ann@a.example",
        ),
        ("To: ann@a.example\r\nReply-To: bob@b.example\r\n", "To: ann@a.example"),
        (
            "Received: from x by y for <bob@b.example>; now\r\nTo: ann@a.example\r\n",
            "To: ann@a.example",
        ),
        (
            "X-Forwarded-To: ann@a.example\r\nTo: ann@a.example, bob@b.example\r\n",
            "X-Forwarded-To: ann@a.example\r\nTo: ann@a.example",
        ),
        (
            "X-Note: ann@a.example bob@b.example\r\nTo: ann@a.example\r\n",
            "To: ann@a.example",
        ),
        (
            "Resent-To: ann@a.example, bob@b.example\r\nTo: ann@a.example\r\n",
            "Resent-To: ann@a.example\r\nTo: ann@a.example",
        ),
        (
            "To: sam@council.example, ann@a.example, bob@b.example\r\n",
            "To: ann@a.example, sam@council.example",
        ),
        (
            "Message-ID: <1@council.example>\r\nDate: today\r\nTo: ann@a.example, "
            "bob@b.example\r\nSubject: x\r\n y\r\n",
            "Message-ID: <1@council.example>\r\nDate: today\r\nTo: ann@a.example\r\n"
            "Subject: x\r\n y",
        ),
    ],
)
def test_a_copy_shows_its_recipient_alone(header: str, expected: str) -> None:
    assert copy_for(mail_of(header), ANN) == expected


def test_a_field_name_with_8_bit_signs_is_written_as_it_is_read() -> None:
    content = b"From: sam@council.example\r\nTo\xa0: bob@b.example, ann@a.example\r\n"
    content += b"\r\n"
    mail = Mail(envelope([ANN, BOB]), content)

    copy = private_copy(content, read(mail, POLICY), ANN, POLICY).apply(content)

    assert copy == b"From: sam@council.example\r\nto: ann@a.example\r\n\r\n"


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"\r\nHello.", b"To: <ann@a.example>\r\n\r\nHello."),
        (b"Subject: x", b"Subject: x\nTo: <ann@a.example>"),
        (b"Subject: x\n\ny", b"Subject: x\nTo: <ann@a.example>\n\ny"),
        (b"", b"To: <ann@a.example>\n"),
        (
            b"To: bob@b.example, ann@a.example\n\ny",
            b"To: ann@a.example\n\ny",
        ),
    ],
    ids=["no header", "no body", "line feeds", "empty", "line feeds in To"],
)
def test_a_copy_of_little_has_a_to(content: bytes, expected: bytes) -> None:
    mail = Mail(envelope([ANN, BOB]), content)

    copy = private_copy(content, read(mail, POLICY), ANN, POLICY).apply(content)

    assert copy == expected


def test_no_line_of_a_copy_grows_too_long() -> None:
    staff = [Address(f"colleague{n}", "council.example") for n in range(300)]
    content = message(to=[ANN, BOB, *staff])
    mail = Mail(envelope([ANN, BOB]), content)

    copy = private_copy(content, read(mail, POLICY), ANN, POLICY).apply(content)

    assert max(map(len, copy.split(b"\r\n"))) <= 78
    assert copy.count(b"colleague") == 600


def test_a_display_name_that_is_too_long_is_left_out() -> None:
    header = f"To: {'x' * 950} <ann@a.example>, bob@b.example\r\n"

    assert copy_for(mail_of(header), ANN) == "To: <ann@a.example>"


def test_a_folded_mailbox_stays_folded() -> None:
    header = (
        "To: Ann of the very long name that goes on and on for many words\r\n"
        " and on <ann@a.example>, bob@b.example, lee@council.example,\r\n"
        " A very long name of somebody who works for the council "
        "<sam@council.example>\r\n"
    )

    assert copy_for(mail_of(header), ANN) == (
        "To: Ann of the very long name that goes on and on for many words\r\n"
        " and on <ann@a.example>, lee@council.example,\r\n"
        " A very long name of somebody who works for the council <sam@council.example>"
    )


def test_a_recipient_with_a_line_end_in_the_address_adds_no_field() -> None:
    odd = Address("ann\r\nBcc: bob", "a.example")
    mail = Mail(envelope([odd, BOB]), message(to=[BOB]))

    copy = private_copy(mail.content, read(mail, POLICY), odd, POLICY)

    assert b"\nBcc" not in copy.apply(mail.content)


def test_a_list_with_members_outside_is_gone_from_a_copy() -> None:
    staff, clinic = address("staff@council.example"), address("clinic@council.example")
    policy = dataclasses.replace(
        POLICY,
        lists={staff: DistributionList((LEE,)), clinic: DistributionList((ANN, BOB))},
    )
    header = "To: staff@council.example, Clinic <clinic@council.example>\r\n"

    copy = copy_for(mail_of(header), ANN, policy)

    assert copy == "To: <ann@a.example>, staff@council.example"


def test_insiders_share_a_copy_without_what_must_not_travel() -> None:
    mail = mail_of("To: ann@a.example\r\nBcc: bob@b.example\r\n")

    patch = insiders_copy(mail.content, read(mail, POLICY), POLICY)

    assert patch.apply(mail.content) == mail.content.replace(
        b"Bcc: bob@b.example\r\n", b""
    )


people_of_a_mail = st.lists(st.sampled_from(EVERYBODY + tuple(people(4))), max_size=8)
spellings = st.sampled_from(
    [
        "{name} <{spec}>",
        "{spec}",
        '"{name}, of {spec}" <{spec}>',
        "{spec} ({name})",
        "=?utf-8?q?{name}?= <{spec}>",
        "Team: {spec};",
        "<{spec}>",
        "'{spec}' <{spec}>",
        "=?utf-8?b?QSwgQg==?= <{spec}>",
    ]
)
separators = st.sampled_from([", ", ",\r\n ", "; ", " ", ",", " ,\r\n\t"])
FIELD_NAMES = (
    "To,Cc,Bcc,to,TO ,Cc\t,Resent-To,Resent-Cc,Resent-Bcc,Reply-To,Mail-Followup-To,"
    "X-Original-To,X-Forwarded-To,Errors-To,Apparently-To,X-Anything,Received"
)
field_names = st.sampled_from(FIELD_NAMES.split(","))


@st.composite
def fields(draw: st.DrawFn) -> str:
    """One field that names some people in some spelling."""
    mailboxes = [
        draw(spellings).format(name=f"N{one.local_part}", spec=one.spelled_out())
        for one in draw(people_of_a_mail)
    ]
    return f"{draw(field_names)}: {draw(separators).join(mailboxes)}\r\n"


headers = st.lists(fields(), max_size=6).map("".join)


@given(headers, people_of_a_mail, st.binary(max_size=30))
def test_no_copy_of_any_mail_shows_another_outsider(
    header: str, viewers: list[Address], body: bytes
) -> None:
    content = f"From: sam@council.example\r\n{header}\r\n".encode() + body
    mail = Mail(envelope(viewers), content)
    reading = read(mail, POLICY)

    for viewer in reading.outside_viewers:
        patch = private_copy(content, reading, viewer, POLICY)
        copy = patch.apply(content)
        again = read_copy(mail, reading, patch, Recipient(viewer), POLICY)
        assert again.outsiders_shown <= {viewer}
        assert again.content.in_header.get(viewer)
        assert copy.endswith(content[split_content(content).body_start :])
        assert again.content.removals == ()


@given(headers, people_of_a_mail)
def test_lines_that_no_edit_touches_stay_as_they_are(
    header: str, viewers: list[Address]
) -> None:
    content = f"From: sam@council.example\r\n{header}\r\nHello.".encode()
    reading = read(Mail(envelope(viewers), content), POLICY)

    for viewer in reading.outside_viewers:
        patch = private_copy(content, reading, viewer, POLICY)
        assert_kept(patch, content)


def assert_kept(patch: Patch, content: bytes) -> None:
    """Edits ascend, do not overlap, end whole fields, and stay in the header."""
    position = 0
    for edit in patch.edits:
        assert position <= edit.start <= edit.end <= split_content(content).body_start
        assert edit.end == 0 or content[edit.end - 1 : edit.end] == b"\n"
        position = edit.end


edits = st.lists(
    st.tuples(st.integers(0, 40), st.integers(0, 5), st.binary(max_size=4))
)


@given(st.binary(max_size=60), edits)
def test_a_patch_cuts_and_adds_what_it_says(
    content: bytes, wanted: list[tuple[int, int, bytes]]
) -> None:
    made: list[Edit] = []
    for start, length, text in sorted(wanted):
        if not made or start >= made[-1].end:
            end = min(start + length, len(content))
            made.append(Edit(min(start, len(content)), end, text))
    cut = sum(edit.end - edit.start for edit in made)
    added = sum(len(edit.text) for edit in made)

    copy = Patch(tuple(made)).apply(content)

    assert len(copy) == len(content) - cut + added
    if not made:
        assert copy == content


def reason(mail: Mail, policy: Policy = POLICY, **changes: object) -> str | None:
    """Why this mail cannot be sent singly."""
    reading = read(mail, policy)
    if changes:
        content = dataclasses.replace(reading.content, **changes)  # type: ignore[arg-type]
        reading = dataclasses.replace(reading, content=content)
    return why_not_singly(mail, reading, policy)


def test_a_plain_mailing_can_be_sent_singly() -> None:
    audience = people(40)
    extra = "Received: from x by y for <p3@home3.example>; now\r\n"

    mail = Mail(envelope([*audience, LEE]), message(cc=audience, extra=extra))

    assert reason(mail) is None


def test_a_recipient_whose_odd_address_reads_as_several_can_be_sent_a_copy() -> None:
    odd = Address("ann%b.example", "a.example")
    mail = Mail(envelope([odd, *people(6)]), message(to=[odd, *people(6)]))

    assert reason(mail) is None


def test_mail_to_insiders_alone_needs_no_copies() -> None:
    assert reason(Mail(envelope([LEE, SAM]), message(to=people(9)))) is None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            " ".join(one.spelled_out() for one in people(40)),
            "Each copy would still be held: 39 people's addresses would be shown in "
            "the text (body text).",
        ),
        (" ".join(one.spelled_out() for one in people(20)), None),
    ],
    ids=["too many", "few enough"],
)
def test_a_body_that_names_others_is_not_cured(text: str, expected: str | None) -> None:
    audience = people(40)

    assert reason(Mail(envelope(audience), message(to=audience, text=text))) == expected


def test_a_field_that_is_never_edited_is_not_cured() -> None:
    content = message(to=people(9), subject="about p3@home3.example")

    found = reason(Mail(envelope(people(9)), content))

    assert found == "Each copy would still show other people (Subject)."


@pytest.mark.parametrize(
    ("signed", "expected"),
    [
        (
            "v=1; a=rsa-sha256; h=from:To: cc\r\n :subject; b=xyz",
            "A DKIM signature covers fields that each copy would change (To).",
        ),
        ("v=1; a=rsa-sha256; h=from:date:subject; b=xyz", None),
        ("v=1; nonsense", None),
    ],
)
def test_a_signature_that_covers_a_changed_field_refuses(
    signed: str, expected: str | None
) -> None:
    extra = f"DKIM-Signature: {signed}\r\n"

    mail = Mail(envelope(people(9)), message(to=people(9), extra=extra))

    assert reason(mail) == expected


def test_a_signature_over_a_field_that_no_copy_changes_does_not_refuse() -> None:
    extra = "DKIM-Signature: v=1; h=to; b=xyz\r\n"

    assert reason(Mail(envelope([ANN]), message(to=[ANN], extra=extra))) is None


def test_a_signature_over_a_to_that_is_missing_refuses() -> None:
    extra = "DKIM-Signature: v=1; h=from:to; b=xyz\r\n"

    assert reason(Mail(envelope(people(9)), message(extra=extra))) is not None


def test_a_broken_header_refuses() -> None:
    content = b"Sender: sam@council.example\r\nno field\r\n" + message(to=people(9))

    assert reason(Mail(envelope(people(9)), content)) == (
        "The header holds a line that is no field: some readers would show what "
        "follows it as text."
    )


def test_what_could_not_be_read_refuses() -> None:
    mail = Mail(envelope(people(9)), message(to=people(9)))

    found = reason(mail, uncertain=("A part is odd.",))

    assert found == "The mail could not be read whole: A part is odd."


def test_a_recall_is_not_cured() -> None:
    extra = "Content-Class: IPM.Outlook.Recall\r\n"

    found = reason(Mail(envelope(people(9)), message(to=people(9), extra=extra)))

    assert found is not None
    assert found.startswith("Each copy would still be held: A recall takes nothing")


@pytest.mark.parametrize(("member", "is_refused"), [(ANN, True), (LEE, False)])
def test_a_recipient_that_is_a_list_with_members_outside_refuses(
    member: Address, is_refused: bool
) -> None:
    staff = address("staff@council.example")
    policy = dataclasses.replace(POLICY, lists={staff: DistributionList((member,))})
    mail = Mail(envelope([staff, BOB]), message(to=[staff, BOB]))

    assert (reason(mail, policy) is not None) is is_refused


def test_a_recipient_given_twice_gets_one_judgement() -> None:
    audience = people(6)

    assert reason(Mail(envelope(audience * 2), message(to=audience))) is None
