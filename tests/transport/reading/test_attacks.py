# SPDX-License-Identifier: Apache-2.0
"""Damaged and hostile documents: read as far as they go, never an error, never long."""

import gzip
import io
import zipfile

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.transport.reading import making
from tests.transport.reading.making import doubts, kind_of, shown, zipped
from undisclosed.core.documents import KINDS
from undisclosed.transport.reading import found
from undisclosed.transport.reading.kinds import read_document
from undisclosed.transport.reading.limits import MEBIBYTE
from undisclosed.transport.reading.pool import ENDED, TOO_SLOW, PooledReader

DOCUMENTS = {
    name: (kind_of(content), content)
    for name, content in (
        ("xlsx", making.workbook()),
        ("xls", making.old_workbook()),
        ("xlsb", making.binary_workbook()),
        ("ods", making.open_table()),
        ("docx", making.document()),
        ("pptx", making.slides()),
        ("msg", making.message_file()),
        ("tnef", making.tnef(inner=making.tnef())),
    )
}


@st.composite
def damaged(draw, content):
    """The content with a few of its bytes changed, doubled or gone."""
    damaged = bytearray(content)
    for _ in range(draw(st.integers(1, 8))):
        at = draw(st.integers(0, max(0, len(damaged) - 1)))
        match draw(st.integers(0, 3)):
            case 0:
                damaged[at : at + 1] = bytes((draw(st.integers(0, 255)),))
            case 1:
                del damaged[at : at + draw(st.integers(1, 600))]
            case 2:
                damaged[at:at] = damaged[at : at + draw(st.integers(1, 600))]
            case _:
                damaged[at : at + 4] = draw(st.sampled_from((b"\xff" * 4, bytes(4))))
    return bytes(damaged)


@pytest.mark.parametrize("name", DOCUMENTS)
@settings(max_examples=60)
@given(st.data())
def test_a_damaged_document_is_read_without_an_error(name, data):
    kind, content = DOCUMENTS[name]

    document = read_document(kind, data.draw(damaged(content)))

    assert all(sentence.endswith(".") for sentence in document.uncertain)


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=30)
@given(content=st.binary(max_size=300))
def test_any_bytes_are_read_as_any_kind(kind, content):
    document = read_document(kind, content)

    assert "@" not in "".join(document.uncertain)


@pytest.fixture(scope="module")
def reader():
    with PooledReader() as reader:
        yield reader


@settings(max_examples=40)
@given(st.data())
def test_a_damaged_pdf_ends_no_child(reader, data):
    document = reader.read("pdf", data.draw(damaged(making.pdf())))

    assert {ENDED, TOO_SLOW}.isdisjoint(document.uncertain)


def _nested(depth: int) -> bytes:
    content = b"ann@a.example"
    for _ in range(depth):
        content = zipped({"a.zip": content})
    return content


def test_archives_in_archives_are_opened_to_a_depth():
    assert doubts(_nested(found.DEEPEST)) == ()
    assert doubts(_nested(found.DEEPEST + 1)) == (found.TOO_MUCH,)


def test_an_archive_of_too_many_files_says_so():
    many = zipped({f"{number}.txt": b"x" for number in range(found.MOST_FILES + 1)})

    assert doubts(many) == (found.TOO_MUCH,)


def test_files_that_share_their_bytes_are_counted_each_time():
    content = gzip.compress(bytes(90 * MEBIBYTE), 9)

    assert doubts(zipped({"a": content, "b": content, "c": content})) == (
        found.TOO_MUCH,
    )


def test_what_was_found_before_the_limit_is_kept():
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        archive.writestr("list.csv", "ann@a.example")
        archive.writestr("bomb", bytes(300 * MEBIBYTE))
    content = buffer.getvalue()

    assert shown(content) == {"attached archive: table": {"ann@a.example"}}
    assert doubts(content) == (found.TOO_MUCH,)


ENTITIES = """<?xml version="1.0"?><!DOCTYPE lolz [<!ENTITY a "ann@a.example">
<!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;&b;">
]><w:document xmlns:w="w"><w:p>&c;</w:p></w:document>"""


def test_entities_of_a_documents_own_are_not_unfolded():
    content = zipped({"[Content_Types].xml": "", "word/document.xml": ENTITIES})

    assert doubts(content) == (found.BROKEN,)
    assert shown(content) == {"attached document": {"ann@a.example"}}


def test_more_text_than_is_told_is_named():
    line = b"ann@a.example " + b"x" * 65_000 + b"\n"
    numbered = b"".join(b"%d" % number + line for number in range(300))

    assert doubts(zipped({"a.txt": numbered})) == (found.TOO_MUCH,)


def test_of_a_long_text_only_the_lines_that_matter_are_told():
    content = zipped({"a.log": b"nothing here\n" * 100_000 + b"ann@a.example\n"})

    (text,) = read_document(kind_of(content), content).texts

    assert text.text == "ann@a.example"


def test_a_stream_that_claims_to_be_longer_than_its_file_is_broken():
    content = bytearray(making.message_file())
    root = content.index("Root Entry".encode("utf-16-le"))
    content[root + 120 : root + 124] = (2**31 - 1).to_bytes(4, "little")

    assert found.BROKEN in doubts(bytes(content))
