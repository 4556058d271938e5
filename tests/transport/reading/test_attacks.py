# SPDX-License-Identifier: Apache-2.0
"""Damaged and hostile documents: read as far as they go, never an error, never long."""

import base64
import gzip
import io
import tarfile
import zipfile
import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.transport.reading import making
from tests.transport.reading.making import doubts, kind_of, shown, zipped
from undisclosed.core.documents import KINDS
from undisclosed.core.policy import Policy
from undisclosed.core.reading import read_content
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


ANN = "ann@a.example"
RUNS = "<w:r><w:t>ann</w:t></w:r><w:r><w:t>@a.example</w:t></w:r>"
FLAT = f'<w:document xmlns:w="w"><w:body><w:p>{RUNS}</w:p></w:body></w:document>'


def _book(files: dict[str, str | bytes]) -> bytes:
    return making.with_files(making.workbook(), files)


def _strings(text: str) -> bytes:
    return _book({"xl/sharedStrings.xml": f'<sst xmlns="x"><si>{text}</si></sst>'})


def _cell(cell: str) -> bytes:
    sheet = f"<worksheet><sheetData><row>{cell}</row></sheetData></worksheet>"
    return _book({"xl/worksheets/sheet9.xml": sheet})


def _text(paragraph: str, name: str = "word/document.xml") -> bytes:
    body = f"<w:body><w:p>{paragraph}</w:p></w:body>"
    document = f'<w:document xmlns:w="{making.W}">{body}</w:document>'
    return zipped({"[Content_Types].xml": "<Types/>", name: document})


ODDLY_SPELT = {
    "a character by its number in a string": _strings("<t>ann_x0040_a.example</t>"),
    "a character by its number in a cell": _cell(
        '<c r="A1" t="inlineStr"><is><t>ann_x0040_a.example</t></is></c>'
    ),
    "a reading above the text": _strings(
        '<t>ann</t><rPh sb="0" eb="1"><t>zz</t></rPh><r><t>@a.example</t></r>'
    ),
    "strings under a name without an ending": _book(
        {
            "xl/texts": "<?xml version='1.0'?><sst><si><r><t>ann</t></r>"
            "<r><t>@a.example</t></r></si></sst>"
        }
    ),
    "a formula that joins": _cell('<c r="A1"><f>"ann"&amp;"@"&amp;"a.example"</f></c>'),
    "a formula that makes the at sign": _cell(
        '<c r="A1"><f>CONCATENATE("ann",CHAR(64),"a.example")</f></c>'
    ),
    "a symbol": _text(
        "<w:r><w:t>ann</w:t></w:r>"
        '<w:r><w:sym w:char="F040"/></w:r><w:r><w:t>a.example</w:t></w:r>'
    ),
    "a document at another place": _text(RUNS, "a/b.xml"),
    "a document under a name without an ending": _text(RUNS, "a/b"),
    "a document behind a backslash": _text(RUNS, "word\\document.xml"),
    "ruby": making.open_document(
        "text",
        "<text:p><text:ruby><text:ruby-base>ann</text:ruby-base>"
        "<text:ruby-text>t</text:ruby-text></text:ruby>@a.example</text:p>",
        {},
    ),
    "an OpenDocument formula": making.open_document(
        "spreadsheet",
        '<table:table-cell table:formula="of:=&quot;ann&quot;&amp;&quot;@a.example'
        '&quot;"/>',
        {},
    ),
}


@pytest.mark.parametrize("spelt", ODDLY_SPELT)
def test_whoever_an_office_program_would_show_is_read(spelt):
    found = shown(ODDLY_SPELT[spelt])

    assert ANN in set().union(*found.values())


def test_a_recipient_that_only_an_identifier_names_is_read():
    entry = bytes(24) + "Ann\0SMTP\0ann@a.example\0".encode("utf-16-le")
    named = {"__substg1.0_0FFF0102": entry, "__properties_version1.0": bytes(8)}
    content = making.compound(
        {"__properties_version1.0": bytes(32), "__recip_version1.0_#00000000": named}
    )

    (fields,) = read_document(kind_of(content), content).messages

    assert fields == b"To: ann@a.example\r\n\r\n"


def _packed(data: bytes, dictionary: bytes = b"") -> bytes:
    packed = zlib.compress(data)
    head = b"<< %s /Length %d /Filter /FlateDecode >>" % (dictionary, len(packed))
    return head + b"\nstream\n%s\nendstream" % packed


def _pdf(
    catalog: bytes = b"", text: bytes = b"(hi) Tj", notes: bytes = b"", *more: bytes
) -> bytes:
    """A PDF of one page; what is in ``more`` are its objects 6 and up."""
    return making.pdf_of(
        [
            b"<< /Type /Catalog /Pages 2 0 R %s >>" % catalog,
            b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
            b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents 4 0 R"
            b" /Resources << /Font << /F1 5 0 R >> >> /Annots [%s] >>" % notes,
            _packed(b"BT /F1 12 Tf 72 700 Td %s ET" % text),
            b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
            *more,
        ]
    )


NOTE = b"<< /Type /Annot /Rect [0 0 9 9] "
DRAWN = b"/Type /XObject /Subtype /Form /BBox [0 0 9 9]"
FILE = b"<< /Type /Filespec /F (a.csv) /EF << /F 8 0 R >> >>"
WIDE = "\ufeffann@a.example".encode("utf-16-be").hex().encode()
BESIDE_THE_PAGES = {
    "an address that a narrow column breaks": _pdf(
        text=b"(ann) Tj 0 -14 Td (@a.example) Tj"
    ),
    "a drawn note": _pdf(
        b"",
        b"(hi) Tj",
        b"6 0 R",
        NOTE + b"/Subtype /FreeText /AP << /N 7 0 R >> >>",
        _packed(b"BT /F1 12 Tf (ann@a.example) Tj ET", DRAWN),
    ),
    "a form of XML": _pdf(
        b"/AcroForm << /XFA 6 0 R /Fields [] >>",
        b"(hi) Tj",
        b"",
        _packed(b"<xdp>ann@a.example</xdp>"),
    ),
    "a script": _pdf(
        b"/OpenAction << /S /JavaScript /JS 6 0 R >>",
        b"(hi) Tj",
        b"",
        _packed(b"app.alert('ann@a.example')"),
    ),
    "what is filled in above a field": _pdf(
        b"/AcroForm << /Fields [6 0 R] >>",
        b"(hi) Tj",
        b"7 0 R",
        b"<< /FT /Tx /T (p) /V <%s> /Kids [7 0 R] >>" % WIDE,
        NOTE + b"/Subtype /Widget /Parent 6 0 R >>",
    ),
    "a file at a note": _pdf(
        b"",
        b"(hi) Tj",
        b"6 0 R",
        NOTE + b"/Subtype /FileAttachment /FS 7 0 R >>",
        FILE,
        _packed(zipped({"a.csv": "ann@a.example"}), b"/Type /EmbeddedFile"),
    ),
    "a page before it was changed": _pdf(
        b"", b"(hi) Tj", b"", _packed(b"BT (ann@a.example) Tj ET")
    ),
    "an octal digit": _pdf(b"/Lang (ann\\100a.example)"),
}


@pytest.mark.parametrize("place", BESIDE_THE_PAGES)
def test_whoever_a_pdf_shows_beside_its_pages_is_read(place):
    found = shown(BESIDE_THE_PAGES[place])

    assert ANN in set().union(*found.values())


def test_a_stream_of_a_pdf_that_unfolds_without_end_is_given_up():
    content = _pdf(b"", b"(hi) Tj", b"", _packed(bytes(300 * MEBIBYTE)))

    assert doubts(content) == (found.TOO_MUCH,)


LIST = b"name;mail\r\nAnn;ann@a.example\r\n"
BASE64_MESSAGE = b"Content-Transfer-Encoding: base64\n\n" + base64.b64encode(LIST)
FILES = {
    "text without an ending": ("list", LIST),
    "text under an ending that nobody knows": ("list.dat", LIST),
    "text of a copy": ("list.csv.bak", LIST),
    "UTF-16": ("list.dat", LIST.decode().encode("utf-16")),
    "a database of old": ("list.dbf", b"\x03" + bytes(40) + b"ann@a.example        "),
    "OneNote": ("a.one", b"\xe4\x52\x5c\x7b" + ANN.encode("utf-16-le")),
    "flat XML of a text": ("a.fodt", FLAT.encode()),
    "flat XML under the name of a document": ("a.docx", FLAT.encode()),
    "a message that begins with a field of its own": (
        "a.bin",
        b"X-Own: 1\nFrom: b@b.example\n" + BASE64_MESSAGE,
    ),
    "a mailbox": ("a.mbox", b"From x Mon Nov 2\nTo: b@b.example\n" + BASE64_MESSAGE),
    "a message of Apple Mail": ("a.emlx", b"123\nTo: b@b.example\n" + BASE64_MESSAGE),
    "HTML without a tag": ("a.zip", zipped({"a.htm": "ann&#64;a.example"})),
    "an archive that unpacks itself": (
        "a.exe",
        b"MZ" + bytes(500) + zipped({"a.csv": LIST}),
    ),
    "an archive behind a picture": (
        "a.zip",
        b"\xff\xd8\xff\xe0" + bytes(500) + zipped({"a.csv": LIST}),
    ),
    "an image of a disk": ("a.iso", bytes(40_000) + zipped({"a.csv": LIST})),
}


class _AtOnce:
    """A reader in this process."""

    def read(self, kind, content):
        return read_document(kind, content)


def _attached(name: str, content: bytes, media_type: str) -> bytes:
    head = (
        "From: o@own.example\r\nTo: x@x.example\r\nMIME-Version: 1.0\r\n"
        f'Content-Type: {media_type}; name="{name}"\r\n'
        "Content-Transfer-Encoding: base64\r\n\r\n"
    )
    return head.encode() + base64.encodebytes(content)


def _read(message: bytes):
    policy = Policy(own_domains=frozenset({"own.example"}))
    return read_content(message, policy, reader=_AtOnce())


@pytest.mark.parametrize("named", FILES)
def test_a_file_is_read_whatever_it_is_called(named):
    name, content = FILES[named]

    read = _read(_attached(name, content, "application/octet-stream"))

    assert ANN in {one.person for one in read.shown}


def test_text_that_says_that_it_is_a_picture_is_read():
    read = _read(_attached("a.png", LIST, "image/png"))

    assert ANN in {one.person for one in read.shown}


def test_a_picture_under_the_name_of_a_document_is_no_broken_document():
    read = _read(_attached("a.pdf", b"\x89PNG\r\n\x1a\n" + bytes(99), "image/png"))

    assert read.uncertain == ()


CLOSED = (
    "a.Z a.lzma a.lz a.lz4 a.br a.wim a.dmg a.cpio a.lzh".split()
)  # forms that are not read


@pytest.mark.parametrize("name", CLOSED)
def test_an_archive_of_a_form_that_is_not_read_is_named(name):
    read = _read(_attached(name, bytes(range(256)), "application/octet-stream"))

    assert read.uncertain != ()


def test_files_that_an_archives_directory_leaves_out_are_named():
    hidden, told = zipped({"b.csv": LIST}), zipped({"x.txt": b"nothing"})
    left_out = hidden[: hidden.index(b"PK\x01\x02")] + told

    assert doubts(left_out) == (found.BROKEN,)
    assert doubts(hidden + told) == (found.BROKEN,)
    assert doubts(told) == ()


def test_what_is_named_like_a_folder_of_an_archive_is_read():
    folder = zipped({"a_csv": LIST}).replace(b"a_csv", b"acsv/")

    assert ANN in set().union(*shown(folder).values())


def test_compressed_files_behind_zero_bytes_are_read():
    content = gzip.compress(b"x") + b"\0\0" + gzip.compress(LIST)

    assert ANN in set().union(*shown(content).values())


def test_a_second_tape_archive_behind_the_first_is_read():
    def tape(name: str, content: bytes) -> bytes:
        buffer = io.BytesIO()
        with tarfile.open(fileobj=buffer, mode="w") as archive:
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
        return buffer.getvalue()

    both = tape("x", b"x") + tape("list.csv", LIST)

    assert ANN in set().union(*shown(both).values())


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
