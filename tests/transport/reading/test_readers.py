# SPDX-License-Identifier: Apache-2.0
"""Each form of document: everybody whom it shows is found, by the right channel."""

import bz2
import gzip
import io
import lzma
import sqlite3
import tarfile
import zipfile

import pytest

from tests.transport.reading import making
from tests.transport.reading.compound import compound
from tests.transport.reading.making import doubts, kind_of, shown, zipped
from undisclosed.core.documents import KINDS, MASKED
from undisclosed.transport.reading import found
from undisclosed.transport.reading.kinds import READERS, read_document

ADDRESS = "ann@a.example"


def _all(channels: dict[str, set[str]]) -> set[str]:
    return set().union(*channels.values())


def test_every_kind_of_document_has_its_reader():
    assert set(READERS) == set(KINDS)


XLSX = {
    "attached table": {
        "cell@seen.example",
        "made@formula.example",
        "xmade@formula.example",
    },
    "attached table: hidden row": {"row@hidden.example"},
    "attached table: hidden column": {"column@hidden.example"},
    "attached table: hidden sheet": {
        "sheet@hidden.example",
        "sheet@veryhidden.example",
    },
    "attached table: comment": {
        "author@comment.example",
        "comment@seen.example",
        "thread@comment.example",
        "person@list.example",
    },
    "attached table: link": {"link@seen.example"},
    "attached table: header or footer": {"footer@print.example"},
    "attached table: defined name": {"name@defined.example"},
    "attached table: pivot cache": {"pivot@cache.example"},
    "attached table: external link": {"external@link.example"},
    "attached table: properties": {"creator@properties.example"},
}
XLS = {
    "attached table": {
        "cell@seen.example",
        "split@table.example",
        "formula@result.example",
    },
    "attached table: hidden row": {"row@hidden.example"},
    "attached table: hidden column": {"col@hidden.example"},
    "attached table: hidden sheet": {"sheet@hidden.example"},
    "attached table: comment": {"comment@seen.example"},
    "attached table: header or footer": {"header@print.example"},
    "attached table: defined name": {"name@defined.example"},
    "attached table: left-over text": {"left@over.example"},
    "attached table: pivot cache": {"pivot@cache.example"},
    "attached table: embedded object: archive: text": {"embedded@object.example"},
}
XLSB = {
    "attached table": {"cell@seen.example"},
    "attached table: hidden row": {"row@hidden.example"},
    "attached table: hidden column": {"col@hidden.example"},
    "attached table: hidden sheet": {"sheet@hidden.example"},
    "attached table: comment": {"note@seen.example"},
    "attached table: left-over text": {"left@over.example"},
    "attached table: properties": {"creator@properties.example"},
}
ODS = {
    "attached table": {"cell@seen.example"},
    "attached table: hidden row": {"row@hidden.example"},
    "attached table: hidden column": {"column@hidden.example"},
    "attached table: hidden sheet": {"sheet@hidden.example"},
    "attached table: comment": {"author@comment.example", "comment@seen.example"},
    "attached table: defined name": {"name@defined.example"},
    "attached table: header or footer": {"footer@print.example"},
    "attached table: properties": {"creator@properties.example"},
}
ODT = {
    "attached document": {
        "text@seen.example",
        "half@whole.example",
        "link@seen.example",
    },
    "attached document: comment": {"comment@seen.example"},
    "attached document: tracked changes": {"deleted@change.example"},
}
DOCX = {
    "attached document": {"text@seen.example"},
    "attached document: tracked changes": {"deleted@change.example"},
    "attached document: hidden text": {"unseen@hidden.example"},
    "attached document: field": {"field@code.example"},
    "attached document: comment": {"comment@seen.example"},
    "attached document: header or footer": {"header@print.example"},
    "attached document: note": {"note@seen.example"},
    "attached document: link": {"link@seen.example"},
    "attached document: properties": {"creator@properties.example"},
    **{
        channel.replace("attached ", "attached document: ", 1): people
        for channel, people in XLSX.items()
    },
}
PPTX = {
    "attached slides": {"text@seen.example"},
    "attached slides: hidden slide": {"slide@hidden.example"},
    "attached slides: notes": {"notes@seen.example"},
    "attached slides: comment": {"comment@seen.example"},
}
PDF = {
    "attached PDF": {"text@seen.example"},
    "attached PDF: link": {"link@seen.example"},
    "attached PDF: annotation": {"note@seen.example"},
    "attached PDF: form field": {"form@field.example"},
    "attached PDF: bookmark": {"bookmark@outline.example"},
    "attached PDF: attachment: table": {"attached@file.example"},
}
MSG = {
    "attached message: text": {
        "body@seen.example",
        "html@seen.example",
        "inside@message.example",
    },
    **{
        channel.replace("attached ", "attached message: attachment: ", 1): people
        for channel, people in XLSX.items()
    },
}
TNEF = {
    "attached message: text": {"body@seen.example"},
    "attached message: attachment: table": {"attached@file.example"},
}


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        pytest.param(making.workbook, XLSX, id="xlsx"),
        pytest.param(making.old_workbook, XLS, id="xls"),
        pytest.param(making.binary_workbook, XLSB, id="xlsb"),
        pytest.param(making.open_table, ODS, id="ods"),
        pytest.param(making.open_text, ODT, id="odt"),
        pytest.param(making.document, DOCX, id="docx"),
        pytest.param(making.slides, PPTX, id="pptx"),
        pytest.param(making.pdf, PDF, id="pdf"),
        pytest.param(making.message_file, MSG, id="msg"),
        pytest.param(making.tnef, TNEF, id="tnef"),
    ],
)
def test_everybody_is_found_by_the_channel_that_shows_them(document, expected):
    content = document()

    assert shown(content) == expected
    assert doubts(content) == ()


def test_the_recipients_of_an_outlook_message_come_as_the_header_that_they_were():
    content = making.message_file()

    messages = read_document(kind_of(content), content).messages

    assert messages == (
        b"Bcc: bcc@recipient.example\r\nCc: cc@recipient.example\r\n"
        b"From: sam@council.example\r\nTo: to@recipient.example\r\n\r\n",
        b"Delivered-To: trace@header.example\r\n\r\n",
        b"To: inner@recipient.example\r\n\r\n",
    )


def test_the_recipient_tables_of_winmail_dat_come_as_a_header():
    content = making.tnef(inner=making.tnef())

    messages = read_document(kind_of(content), content).messages

    assert messages == (
        b"Cc: cc@table.example\r\nTo: shown@display.example,\r\n to@table.example,\r\n"
        b" in@list.example\r\n\r\n",
    )


@pytest.mark.parametrize(
    ("message_class", "is_recall"),
    [("IPM.Outlook.Recall", True), ("IPM.Note", False)],
)
def test_a_recall_object_is_told(message_class, is_recall):
    content = making.tnef(message_class)

    assert read_document(kind_of(content), content).is_recall is is_recall


def test_an_attached_file_of_a_recall_recalls_nothing():
    content = making.message_file("IPM.Outlook.Recall")

    assert not read_document(kind_of(content), content).is_recall


def _tar(files: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return buffer.getvalue()


TABLE = b"name;mail\r\nann;ann@a.example\r\n"


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(zipped({"list.csv": TABLE}), id="zip"),
        pytest.param(gzip.compress(TABLE), id="gzip"),
        pytest.param(gzip.compress(b"x") + gzip.compress(TABLE), id="gzip-twice"),
        pytest.param(bz2.compress(TABLE), id="bzip2"),
        pytest.param(lzma.compress(TABLE), id="xz"),
        pytest.param(_tar({"list.csv": TABLE}), id="tar"),
        pytest.param(gzip.compress(_tar({"a.csv": TABLE})), id="tar-in-gzip"),
        pytest.param(zipped({"a.zip": zipped({"a": TABLE})}), id="zip-in-zip"),
        pytest.param(zipped({"list.eml": b"To: ann@a.example\r\n\r\n"}), id="message"),
        pytest.param(zipped({f"{ADDRESS}.txt": b"x"}), id="file-name"),
        pytest.param(zipped({"a.html": b"<b>ann</b>&#64;a.example"}), id="html"),
        pytest.param(
            zipped({"a.ics": b"ATTENDEE:mailto:ann@a\r\n .example\r\n"}), id="folded"
        ),
    ],
)
def test_an_archive_hides_nothing(content):
    document = read_document(kind_of(content), content)

    everything = " ".join(one.text for one in document.texts)
    assert ADDRESS in everything + b" ".join(document.messages).decode()
    assert document.uncertain == ()


@pytest.mark.parametrize(
    "charset",
    ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "cp1252",
     "koi8-r", "shift_jis"],
)  # fmt: skip
def test_a_table_is_read_in_every_charset(charset):
    content = zipped({"list.csv": f"name\tmail\r\nann\t{ADDRESS}\r\n".encode(charset)})

    assert shown(content) == {"attached archive: table": {ADDRESS}}


@pytest.mark.parametrize(
    "content",
    [TABLE, b"<table><tr><td>ann&#64;a.example</td></tr></table>"],
    ids=["csv", "html"],
)
def test_text_under_the_name_of_a_spreadsheet_is_a_table(content):
    assert shown(content, "list.xls") == {"attached table": {ADDRESS}}


def test_a_message_under_the_name_of_outlooks_is_a_message():
    content = b"Subject: x\r\nTo: ann@a.example\r\n\r\n"

    assert read_document(MASKED, content).messages == (content,)


def test_what_smime_wraps_is_handed_on_as_a_message():
    content = zipped({"smime.p7m": b"\x30\x80\x06\x00\x01"})

    (message,) = read_document(kind_of(content), content).messages

    assert message.startswith(b"Content-Type: application/pkcs7-mime\r\n")
    assert message.endswith(b"\r\n\r\n\x30\x80\x06\x00\x01")


def test_noise_under_the_name_of_a_document_is_a_broken_one():
    assert doubts(b"\0\1\2\x80" * 20, "list.pdf") == (found.BROKEN,)


def test_a_table_of_the_first_excels_is_read():
    text = b"ann@a.example"
    label = b"\0\0\0\0\0\0\0" + bytes((len(text),)) + text
    content = making.record(0x0009, b"\2\0\x10\0") + making.record(0x0004, label)

    assert _all(shown(content, "list.xls")) == {ADDRESS}


def test_rtf_is_read_with_its_escapes_and_its_objects():
    inner = compound({"Contents": b"embedded@object.example is here"})
    content = (
        rb"{\rtf1\ansi {\fonttbl{\f0 Arial;}}ann\'40a.example\par "
        rb"{\object{\*\objdata " + inner.hex().encode() + rb"}}"
        rb"{\field{\*\fldinst HYPERLINK mailto:bob\u64?b.example}}}"
    )

    people = _all(shown(content))

    assert {ADDRESS, "bob@b.example", "embedded@object.example"} <= people


def test_word_and_powerpoint_of_old_are_swept():
    word = compound({"WordDocument": bytes(64) + "ann@a.example ".encode("utf-16-le")})
    slides = compound({"PowerPoint Document": b"\0\0 ann@a.example \0"})

    assert shown(word) == {"attached document": {ADDRESS}}
    assert shown(slides) == {"attached slides": {ADDRESS}}


def test_a_database_is_swept(tmp_path):
    file = tmp_path / "people.db"
    connection = sqlite3.connect(file)
    connection.execute("CREATE TABLE people (mail TEXT)")
    connection.execute("INSERT INTO people VALUES (?)", ("person " + ADDRESS,))
    connection.commit()
    connection.close()

    assert ADDRESS in _all(shown(file.read_bytes()))


def _encrypted_zip() -> bytes:
    content = bytearray(zipped({"list.csv": TABLE}))
    for signature, place in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        content[content.index(signature) + place] |= 1
    return bytes(content)


def _encrypted_odf() -> bytes:
    return making.open_document(
        "spreadsheet", "", {"META-INF/manifest.xml": "<m><encryption-data/></m>"}
    )


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(compound({"EncryptedPackage": b"x" * 5000}), id="office"),
        pytest.param(
            compound({"Workbook": making.record(0x809, bytes(16))
                      + making.record(0x2F, bytes(6))}), id="xls"
        ),
        pytest.param(
            compound({"WordDocument": bytes(10) + b"\0\1" + bytes(50)}), id="doc"
        ),
        pytest.param(_encrypted_zip(), id="zip"),
        pytest.param(_encrypted_odf(), id="odf"),
    ],
)  # fmt: skip
def test_a_document_with_a_password_says_so(content):
    assert doubts(content) == (found.PROTECTED,)


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(making.workbook()[:2000], id="cut"),
        pytest.param(b"%PDF-1.7 ann@a.example", id="pdf"),
        pytest.param(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1 ann@a.example", id="ole"),
        pytest.param(gzip.compress(TABLE)[:-12], id="gzip"),
        pytest.param(bz2.compress(TABLE)[:-9], id="bzip2"),
        pytest.param(lzma.compress(TABLE)[:-30], id="xz"),
        pytest.param(
            zipped({"[Content_Types].xml": "", "xl/workbook.xml": "<a",
                    "xl/sharedStrings.xml": "<sst>ann@a.example"}), id="markup"
        ),
    ],
)  # fmt: skip
def test_a_broken_document_says_so(content):
    assert found.BROKEN in doubts(content)


def test_a_broken_document_is_searched_all_the_same():
    assert _all(shown(b"%PDF-1.7 ann@a.example")) == {ADDRESS}
    markup = zipped(
        {
            "[Content_Types].xml": "",
            "word/document.xml": "<w:p>ann@a.example<w:t></w:p>",
        }
    )
    assert _all(shown(markup)) == {ADDRESS}


@pytest.mark.parametrize(
    "magic", [b"Rar!\x1a\x07\x01\0", b"7z\xbc\xaf\x27\x1c", b"!BDN"]
)
def test_an_archive_that_is_not_read_says_so(magic):
    assert doubts(magic + b"ann@a.example") == (found.CLOSED,)


def test_two_files_of_one_name_are_both_read():
    buffer = io.BytesIO()
    with (
        pytest.warns(UserWarning, match="Duplicate"),
        zipfile.ZipFile(buffer, "w") as archive,
    ):
        archive.writestr("list.csv", "ann@a.example")
        archive.writestr("list.csv", "bob@b.example")

    assert _all(shown(buffer.getvalue())) == {ADDRESS, "bob@b.example"}


def test_a_picture_under_the_name_of_a_table_is_a_picture():
    picture = b"\x89PNG\r\n\x1a\n picture@pixels.example"

    assert shown(picture, "a.xlsx") == {}
    assert doubts(picture, "a.xlsx") == ()


def test_a_pdf_with_a_password_says_so():
    locked = (
        b"/Encrypt << /Filter /Standard /V 1 /R 2 /P -4 /O <"
        + b"41" * 32
        + b"> /U <"
        + b"42" * 32
        + b"> >> /ID [<00><00>]"
    )
    content = making.pdf().replace(b"/Root 1 0 R", b"/Root 1 0 R " + locked)

    assert doubts(content) == (found.PROTECTED,)
