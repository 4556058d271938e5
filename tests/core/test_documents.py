# SPDX-License-Identifier: Apache-2.0
"""What kind of document a part is: its bytes weigh more than its name."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from undisclosed.core.documents import KINDS, kind_of_document

OCTETS = "application/octet-stream"


@given(st.text(), st.lists(st.text()), st.binary(max_size=1024))
def test_every_part_is_one_of_the_kinds_or_none(media_type, names, beginning):
    assert kind_of_document(media_type, names, beginning) in (*KINDS, None)


@pytest.mark.parametrize(
    ("beginning", "kind"),
    [
        (b"PK\x03\x04rest", "zip"),
        (b"PK\x05\x06", "zip"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "ole"),
        (b"\x78\x9f\x3e\x22", "tnef"),
        (b"{\\rtf1", "rtf"),
        (b"%PDF-1.4", "pdf"),
        (b"\r\nnoise %PDF-1.4", "pdf"),
        (bytes(257) + b"ustar", "tar"),
        (b"\x1f\x8b\x08", "gzip"),
        (b"BZh9", "bzip2"),
        (b"\xfd7zXZ\x00", "xz"),
        (b"SQLite format 3\x00", "database"),
        (b"Rar!\x1a\x07", "closed"),
        (b"7z\xbc\xaf\x27\x1c", "closed"),
        (b"!BDN", "closed"),
        (b"PK rest", None),
        (b"Hello", None),
        (b"\x89PNG\r\n\x1a\n", None),
    ],
)
def test_bytes_tell_the_kind_whatever_is_said_about_them(beginning, kind):
    assert kind_of_document("text/plain", ("photo.txt",), beginning) == kind


@pytest.mark.parametrize(
    ("media_type", "name"),
    [
        ("application/pdf", ""),
        ("application/vnd.ms-excel", "list.csv"),
        ("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", ""),
        ("application/vnd.oasis.opendocument.text", ""),
        (OCTETS, "LIST.XLSX"),
        (OCTETS, 'list.xlsx" '),
        (OCTETS, "Winmail.dat"),
    ],
)
def test_what_only_says_that_it_is_a_document_is_masked(media_type, name):
    assert kind_of_document(media_type, (name,), b"name,mail") == "masked"


@pytest.mark.parametrize("name", ["a.png", "a.txt", "pdf", ""])
def test_other_files_are_no_documents(name):
    assert kind_of_document(OCTETS, (name,), b"name,mail") is None


def test_nothing_is_no_document_under_any_name():
    assert kind_of_document("application/pdf", ("a.pdf",), b"") is None


@pytest.mark.parametrize("beginning", [b"\xff\xd8\xff\xe0", b"GIF89a"])
def test_a_picture_is_looked_at_under_the_name_of_a_document_alone(beginning):
    assert kind_of_document("application/pdf", ("a.jpg",), beginning) is None
    assert kind_of_document("image/jpeg", ("a.zip",), beginning) == "masked"
