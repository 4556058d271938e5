# SPDX-License-Identifier: Apache-2.0
"""A private copy of an invitation, or of encrypted mail, names its recipient alone."""

import base64
import binascii
import dataclasses
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.core.making import POLICY, SAM, address, envelope, people
from undisclosed.core.address import Address
from undisclosed.core.disclosure import read
from undisclosed.core.documents import Document, DocumentText
from undisclosed.core.mail import Mail, Recipient
from undisclosed.core.policy import Policy, policy_from
from undisclosed.core.private import private_copy, read_copy, why_not_singly
from undisclosed.formats import cms, openpgp
from undisclosed.formats.configuration import parse_toml

ANN = address("ann@a.example")
BOB = address("bob@b.example")
LEE = address("lee@council.example")
VIEWERS = (ANN, BOB, LEE)

CALENDAR = """BEGIN:VCALENDAR
METHOD:REQUEST
BEGIN:VEVENT
UID:1@council.example
ORGANIZER;CN=Sam:mailto:sam@council.example
ATTENDEE;CN="Ann Lee";RSVP=TRUE:mailto:ann@a.exam
 ple
ATTENDEE;EMAIL=bob@b.example;CN=Bob:urn:uuid:0000-1
ATTENDEE;CN=Lee:mailto:lee@council.example
X-ALL-INVITED:ann@a.example\\,bob@b.example
SUMMARY:A meeting
END:VEVENT
END:VCALENDAR
""".replace("\n", "\r\n").encode()

ENCODERS = {
    "": lambda data: data,
    "base64": lambda data: base64.encodebytes(data).replace(b"\n", b"\r\n"),
    "quoted-printable": lambda data: binascii.b2a_qp(data, istext=True),
}


def invitation(
    encoding: str = "",
    *,
    calendar: bytes = CALENDAR,
    container: str = "multipart/alternative",
    viewers: tuple[Address, ...] = VIEWERS,
    header: str = "",
) -> Mail:
    """A mail with a text and a calendar."""
    fields = (
        "From: Sam <sam@council.example>\r\n"
        f"To: {', '.join(one.spelled_out() for one in viewers)}\r\n{header}"
        f"MIME-Version: 1.0\r\nContent-Type: {container}; boundary=x\r\n\r\n"
        "--x\r\n\r\nPlease come.\r\n"
        "--x\r\nContent-Type: text/calendar; method=REQUEST; charset=utf-8\r\n"
    )
    if encoding:
        fields += f"Content-Transfer-Encoding: {encoding}\r\n"
    coded = ENCODERS[encoding](calendar)
    return Mail(envelope(viewers), fields.encode() + b"\r\n" + coded + b"\r\n--x--\r\n")


def copy_of(mail: Mail, recipient: Address, policy: Policy = POLICY) -> bytes:
    """One private copy, whole."""
    reading = read(mail, policy)
    return private_copy(mail.content, reading, recipient, policy).apply(mail.content)


def calendar_in(content: bytes, encoding: str) -> bytes:
    """The calendar of a copy, decoded."""
    part = content.split(b"--x")[2].partition(b"\r\n\r\n")[2]
    if encoding == "base64":
        return base64.b64decode(part)
    return binascii.a2b_qp(part) if encoding else part


@pytest.mark.parametrize("encoding", ENCODERS)
def test_a_copy_of_an_invitation_has_its_own_attendee_and_the_insiders(
    encoding: str,
) -> None:
    copy = copy_of(invitation(encoding), BOB)

    expected = CALENDAR.replace(
        b'ATTENDEE;CN="Ann Lee";RSVP=TRUE:mailto:ann@a.exam\r\n ple\r\n', b""
    ).replace(b"X-ALL-INVITED:ann@a.example\\,bob@b.example\r\n", b"")
    assert calendar_in(copy, encoding).rstrip() == expected.rstrip()
    assert copy.endswith(b"\r\n--x--\r\n")


@pytest.mark.parametrize("encoding", ENCODERS)
def test_an_invitation_can_be_sent_singly(encoding: str) -> None:
    mail = invitation(encoding)

    assert why_not_singly(mail, read(mail, POLICY), POLICY) is None


def test_only_the_lines_that_name_others_are_cut() -> None:
    mail = invitation()

    patch = private_copy(mail.content, read(mail, POLICY), ANN, POLICY)

    body = [edit for edit in patch.edits if edit.start > mail.content.index(b"--x")]
    assert [mail.content[edit.start : edit.end] for edit in body] == [
        b"ATTENDEE;EMAIL=bob@b.example;CN=Bob:urn:uuid:0000-1\r\n",
        b"X-ALL-INVITED:ann@a.example\\,bob@b.example\r\n",
    ]
    assert {edit.text for edit in body} == {b""}


def test_a_copy_is_read_again_whole() -> None:
    mail = invitation()
    reading = read(mail, POLICY)
    patch = private_copy(mail.content, reading, ANN, POLICY)

    copy = read_copy(mail, reading, patch, Recipient(ANN), POLICY)

    outside = {one.person for one in copy.shown if copy.sides.is_outsider(one)}
    assert outside == {"ann@a.example"}


def test_the_insiders_copy_keeps_the_invitation() -> None:
    mail = invitation(viewers=(LEE, ANN))
    reading = read(mail, POLICY)

    copy = private_copy(mail.content, reading, LEE, POLICY).apply(mail.content)

    assert b"ann@a.exam" not in copy


REFUSED = {
    "signed": {"container": "multipart/signed"},
    "an outsider as its organizer": {
        "calendar": CALENDAR.replace(b"sam@council", b"max@m")
    },
    "two in one line": {
        "calendar": CALENDAR.replace(
            b"ATTENDEE;CN=Lee", b'ATTENDEE;DELEGATED-FROM="mailto:bob@b.example"'
        ).replace(b"lee@council.example", b"ann@a.example")
    },
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_cut_is_not_sent_singly(case: str) -> None:
    mail = invitation(**REFUSED[case])  # type: ignore[arg-type]

    reason = why_not_singly(mail, read(mail, POLICY), POLICY)

    if case == "two in one line":
        # The line names two outsiders: it goes from every copy.
        assert reason is None
        assert b"DELEGATED" not in copy_of(mail, ANN)
    else:
        assert reason is not None
        assert "calendar" in reason


def test_a_signature_of_the_mail_covers_the_body() -> None:
    signature = "DKIM-Signature: v=1; d=council.example; h=from:date; bh=x; b=x\r\n"
    mail = invitation(header=signature)

    reason = why_not_singly(mail, read(mail, POLICY), POLICY)

    assert reason is not None
    assert "The Body" in reason


@given(st.lists(st.integers(0, 30), min_size=1, max_size=20, unique=True), st.data())
def test_every_attendee_gets_a_copy_with_one_attendee(
    numbers: list[int], data: st.DataObject
) -> None:
    everybody = people(31)
    invited = tuple(everybody[number] for number in numbers)
    lines = "".join(
        f"ATTENDEE:mailto:{one.spelled_out()}\r\n"
        + data.draw(st.sampled_from(["", "COMMENT:x\r\n", "RESOURCES:Room 1\r\n"]))
        for one in invited
    )
    calendar = f"BEGIN:VEVENT\r\n{lines}END:VEVENT\r\n".encode()
    mail = invitation(calendar=calendar, viewers=invited)

    for one in invited:
        copy = calendar_in(copy_of(mail, one), "")
        assert copy.count(b"ATTENDEE") == 1
        assert one.spelled_out().encode() in copy


def needs(program: str) -> None:
    """Skip where a program is not installed."""
    if shutil.which(program) is None:
        pytest.skip(f"{program} is not installed (tests/debian-packages.txt)")


def run(*command: str, folder: Path, data: bytes = b"") -> bytes:
    """What a program writes; its configuration is in this folder."""
    environment = {"GNUPGHOME": str(folder), "PATH": "/usr/bin:/bin", "LC_ALL": "C"}
    done = subprocess.run(
        command, input=data, capture_output=True, env=environment, check=True
    )
    return done.stdout


@pytest.fixture(scope="module")
def keyring(
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[tuple[Path, dict[str, str]]]:
    """A key of Ann, Bob and Sam each, and their encryption keys' ids."""
    needs("gpg")
    folder = tmp_path_factory.mktemp("gnupg", numbered=True)
    folder.chmod(0o700)
    ids = {}
    for one in (ANN, BOB, SAM):
        user = one.spelled_out()
        make = ("--batch", "--passphrase", "", "--quick-gen-key", user)
        run("gpg", *make, "future-default", "default", "never", folder=folder)
        listed = run("gpg", "--with-colons", "--list-keys", user, folder=folder)
        subkeys = [line for line in listed.splitlines() if line.startswith(b"sub:")]
        ids[user] = subkeys[0].split(b":")[4].decode()
    yield folder, ids
    run("gpgconf", "--kill", "all", folder=folder)


def encrypted_with_openpgp(folder: Path, *, armored: bool) -> bytes:
    """A text encrypted for Ann, Bob and Sam."""
    names = [one.spelled_out() for one in (ANN, BOB, SAM)]
    command = ["gpg", "--batch", "--trust-model", "always", "-e"]
    command += ["-a"] if armored else []
    for name in names:
        command += ["-r", name]
    return run(*command, folder=folder, data=b"Content-Type: text/plain\n\nSecret.\n")


def openpgp_mail(data: bytes, encoding: str = "") -> Mail:
    """PGP/MIME (RFC 3156 §4)."""
    coded = ENCODERS[encoding](data.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n"))
    if encoding == "base64":
        coded = ENCODERS[encoding](data)
    field = f"Content-Transfer-Encoding: {encoding}\r\n" if encoding else ""
    head = (
        "From: Sam <sam@council.example>\r\nTo: ann@a.example, bob@b.example\r\n"
        "MIME-Version: 1.0\r\nContent-Type: multipart/encrypted; boundary=x;"
        ' protocol="application/pgp-encrypted"\r\n\r\n'
        "--x\r\nContent-Type: application/pgp-encrypted\r\n\r\nVersion: 1\r\n"
        f"--x\r\nContent-Type: application/octet-stream\r\n{field}\r\n"
    )
    return Mail(envelope((ANN, BOB)), head.encode() + coded + b"\r\n--x--\r\n")


def with_keys(ids: dict[str, str]) -> Policy:
    """The policy that knows whose these keys are."""
    owners = {key: address(owner) for owner, key in ids.items()}
    return dataclasses.replace(POLICY, keys=owners)


@pytest.mark.parametrize("form", ["armored", "armored in base64", "binary"])
def test_gpg_decrypts_a_copy_that_names_one_key(
    form: str, keyring: tuple[Path, dict[str, str]]
) -> None:
    folder, ids = keyring
    policy = with_keys(ids)
    data = encrypted_with_openpgp(folder, armored=form != "binary")
    encoding = "" if form == "armored" else "base64"
    mail = openpgp_mail(data, encoding)
    assert read(mail, policy).content.recipient_ids == 3

    assert why_not_singly(mail, read(mail, policy), policy) is None
    copy = copy_of(mail, BOB, policy)

    named = read(Mail(envelope((BOB,)), copy), policy).content.key_ids
    assert named == {ids["bob@b.example"], ids["sam@council.example"]}
    part = copy.split(b"--x")[2].partition(b"\r\n\r\n")[2]
    part = base64.b64decode(part) if encoding else part
    assert b"Secret." in run("gpg", "--batch", "-d", folder=folder, data=part)


def test_keys_that_nobody_knows_keep_a_mail_from_being_sent_singly(
    keyring: tuple[Path, dict[str, str]],
) -> None:
    folder, ids = keyring
    mail = openpgp_mail(encrypted_with_openpgp(folder, armored=True))
    policy = with_keys({"ann@a.example": ids["ann@a.example"]})

    assert why_not_singly(mail, read(mail, policy), policy) == (
        "Each copy would still name the keys of other recipients."
    )


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Policy]:
    """A certificate of Ann, Bob and Sam each, and a policy that knows them."""
    needs("openssl")
    folder = tmp_path_factory.mktemp("openssl")
    keys = {}
    for number, one in enumerate((ANN, BOB, SAM), 0xA0B1):
        name = one.local_part
        make = [
            "-newkey",
            "rsa:2048",
            "-nodes",
            "-days",
            "9",
            "-set_serial",
            str(number),
        ]
        files = ["-keyout", str(folder / f"{name}.key"), "-out", str(folder / name)]
        subject = ["-subj", f"/CN={name}/emailAddress={one.spelled_out()}"]
        run("openssl", "req", "-x509", *make, *files, *subject, folder=folder)
        keys[f"{number:X}"] = one
    return folder, dataclasses.replace(POLICY, keys=keys)


def smime_mail(folder: Path, *options: str) -> Mail:
    """A text encrypted for Ann, Bob and Sam, as openssl writes it."""
    names = [str(folder / one.local_part) for one in (ANN, BOB, SAM)]
    body = run(
        "openssl", "cms", "-encrypt", "-aes256", *options, *names,
        folder=folder, data=b"Content-Type: text/plain\n\nSecret.\n",
    )  # fmt: skip
    fields = b"From: Sam <sam@council.example>\nTo: ann@a.example, bob@b.example\n"
    content = (fields + body).replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
    return Mail(envelope((ANN, BOB)), content)


@pytest.mark.parametrize(
    "options",
    [(), ("-stream",), ("-keyid",), ("-aes-256-gcm",)],
    ids=["DER", "indefinite lengths", "key identifiers", "authenticated"],
)
def test_openssl_decrypts_a_copy_that_names_one_certificate(
    options: tuple[str, ...], certificates: tuple[Path, Policy]
) -> None:
    folder, policy = certificates
    mail = smime_mail(folder, *options)
    reading = read(mail, policy)
    assert reading.content.recipient_ids == 3
    if options == ("-keyid",):
        keys = {one: ANN for one in reading.content.key_ids}
        policy = dataclasses.replace(policy, keys=_by_identifier(folder))
        assert keys.keys() == policy.keys.keys()
    reading = read(mail, policy)

    assert why_not_singly(mail, reading, policy) is None
    copy = copy_of(mail, ANN, policy)

    named = read(Mail(envelope((ANN,)), copy), policy).content.key_ids
    assert {policy.keys[one] for one in named} == {ANN, SAM}
    for one, opens in ((ANN, True), (SAM, True), (BOB, False)):
        assert _opens(copy, one, folder) is opens


def _by_identifier(folder: Path) -> dict[str, Address]:
    found = {}
    for one in (ANN, BOB, SAM):
        text = run(
            "openssl", "x509", "-noout", "-ext", "subjectKeyIdentifier", "-in",
            str(folder / one.local_part), folder=folder,
        )  # fmt: skip
        key = text.split()[-1].replace(b":", b"").decode()
        found[key] = one
    return found


def _opens(content: bytes, one: Address, folder: Path) -> bool:
    name = one.local_part
    try:
        found = run(
            "openssl", "cms", "-decrypt", "-recip", str(folder / name), "-inkey",
            str(folder / f"{name}.key"), folder=folder, data=content,
        )  # fmt: skip
    except subprocess.CalledProcessError:
        return False
    return b"Secret." in found


@given(st.binary(max_size=200))
def test_pruning_never_raises(data: bytes) -> None:
    assert cms.without_recipients(data, {"01"}) == data
    assert openpgp.without_recipients(data, set()) == data


class FakeReader:
    """Finds the same in every document."""

    def __init__(self, found: Document) -> None:
        self.found = found
        self.asked: list[bytes] = []

    def read(self, kind: str, content: bytes) -> Document:
        self.asked.append(content)
        return self.found


def with_document(mail: Mail, content: bytes, name: str) -> Mail:
    """The mail with another attachment."""
    part = (
        f"--x\r\nContent-Disposition: attachment; filename={name}\r\n"
        "Content-Type: application/octet-stream\r\n"
        f"Content-Transfer-Encoding: base64\r\n\r\n{base64.b64encode(content).decode()}"
        "\r\n--x--\r\n"
    )
    body = mail.content.removesuffix(b"--x--\r\n") + part.encode()
    return dataclasses.replace(mail, content=body)


def test_documents_are_not_read_again_for_each_copy() -> None:
    reader = FakeReader(Document(texts=(DocumentText("attached PDF", "q@q.example"),)))
    mail = with_document(invitation(), b"%PDF-1.7", "list.pdf")
    reading = read(mail, POLICY, reader=reader)

    assert why_not_singly(mail, reading, POLICY) is None
    patch = private_copy(mail.content, reading, ANN, POLICY)
    copy = read_copy(mail, reading, patch, Recipient(ANN), POLICY)

    assert len(reader.asked) == 1
    assert address("q@q.example") in copy.shown


def test_a_copy_whose_document_would_be_another_is_refused() -> None:
    mail = invitation()
    named = mail.content.replace(b"method=REQUEST", b"name=invite.pdf")
    mail = dataclasses.replace(mail, content=named)
    reading = read(mail, POLICY, reader=FakeReader(Document()))

    reason = why_not_singly(mail, reading, POLICY)

    assert reason is not None
    assert "could not be read whole" in reason


def test_outlooks_own_form_keeps_a_mail_from_being_sent_singly() -> None:
    recipients = b"To: ann@a.example, bob@b.example\r\n\r\n"
    reader = FakeReader(Document(messages=(recipients,)))
    mail = with_document(invitation(), b"\x78\x9f\x3e\x22rest", "winmail.dat")
    reading = read(mail, POLICY, reader=reader)

    assert why_not_singly(mail, reading, POLICY) == (
        "Each copy would still show other people (winmail.dat: To)."
    )


def test_a_calendar_in_a_wide_charset_is_not_cut() -> None:
    wide = CALENDAR.decode().encode("utf-16-le")
    mail = invitation("base64", calendar=wide)
    named = mail.content.replace(b"charset=utf-8", b"charset=utf-16le")
    mail = dataclasses.replace(mail, content=named)

    reason = why_not_singly(mail, read(mail, POLICY), POLICY)

    assert reason is not None
    assert "calendar ATTENDEE" in reason


@pytest.mark.parametrize("first", ["base64", "7bit"])
def test_a_calendar_with_two_encodings_is_clean_in_each(first: str) -> None:
    mail = invitation()
    field = b"Content-Type: text/calendar; method=REQUEST; charset=utf-8\r\n"
    second = "7bit" if first == "base64" else "base64"
    both = "".join(f"Content-Transfer-Encoding: {one}\r\n" for one in (first, second))
    content = mail.content.replace(field, field + both.encode())

    copy = copy_of(dataclasses.replace(mail, content=content), ANN)

    assert b"bob@b.example" not in copy


def test_copies_that_are_too_long_to_be_read_again_are_not_made(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("undisclosed.core.private.MOST_READ_AGAIN", 1000)
    mail = invitation()

    assert why_not_singly(mail, read(mail, POLICY), POLICY) == (
        "The body is too long to be changed for each recipient."
    )


def test_serial_numbers_are_compared_without_their_zeros() -> None:
    text = "[policy.keys]\n'ann@a.example' = ['0x00:0a:b1']"
    policy = policy_from(parse_toml(text).table("policy"))

    assert policy.owner_of("0AB1") == ANN
    assert policy.owner_of("AB1") == ANN
    assert policy.owner_of("AB2") is None
