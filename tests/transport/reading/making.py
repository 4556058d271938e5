# SPDX-License-Identifier: Apache-2.0
"""Documents of every form, each channel of which names one person."""

import io
import struct
import zipfile
import zlib

import openpyxl
from openpyxl.comments import Comment
from openpyxl.workbook.defined_name import DefinedName

from tests.transport.reading.compound import compound
from undisclosed.core.documents import LENGTH_OF_BEGINNING, kind_of_document
from undisclosed.core.text import addresses_in_text
from undisclosed.transport.reading.kinds import read_document

RELATIONS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"


def kind_of(content: bytes, name: str = "") -> str:
    """What kind of document it is."""
    kind = kind_of_document("", (name,), content[:LENGTH_OF_BEGINNING])
    assert kind is not None
    return kind


def shown(content: bytes, name: str = "") -> dict[str, set[str]]:
    """Each channel, and the people whom its text shows."""
    document = read_document(kind_of(content, name), content)
    return {
        one.channel: {each.person for each in addresses_in_text(one.text)}
        for one in document.texts
    }


def doubts(content: bytes, name: str = "") -> tuple[str, ...]:
    """What could not be read of a document."""
    return read_document(kind_of(content, name), content).uncertain


def zipped(files: dict[str, str | bytes]) -> bytes:
    """A ZIP of these files."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def with_files(package: bytes, more: dict[str, str | bytes]) -> bytes:
    """A package with more files in it, or others in their place."""
    with zipfile.ZipFile(io.BytesIO(package)) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    return zipped({**files, **more})


def workbook() -> bytes:
    """An XLSX that shows people in every way that it can."""
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = "Open"
    sheet["A1"] = "cell@seen.example"
    sheet["B2"] = "row@hidden.example"
    sheet.row_dimensions[2].hidden = True
    sheet["D4"] = "column@hidden.example"
    sheet.column_dimensions["D"].hidden = True
    sheet["A5"] = "a note"
    sheet["A5"].comment = Comment("comment@seen.example", "author@comment.example")
    sheet["A6"] = "press"
    sheet["A6"].hyperlink = "mailto:link@seen.example"
    sheet["A7"] = '="formula@" & "x" & "made@formula.example"'
    sheet.oddFooter.center.text = "footer@print.example"
    book.create_sheet("Old").sheet_state = "hidden"
    book["Old"]["A1"] = "sheet@hidden.example"
    book.create_sheet("Older").sheet_state = "veryHidden"
    book["Older"]["A1"] = "sheet@veryhidden.example"
    book.defined_names["who"] = DefinedName("who", attr_text='"name@defined.example"')
    book.properties.creator = "creator@properties.example"
    buffer = io.BytesIO()
    book.save(buffer)
    return with_files(
        buffer.getvalue(),
        {
            "xl/pivotCache/pivotCacheRecords1.xml": (
                '<pivotCacheRecords><r><s v="pivot@cache.example"/></r>'
                "</pivotCacheRecords>"
            ),
            "xl/externalLinks/externalLink1.xml": (
                "<externalLink><cell><v>external@link.example</v></cell></externalLink>"
            ),
            "xl/threadedComments/threadedComment1.xml": (
                "<ThreadedComments><threadedComment><text>thread@comment.example"
                "</text></threadedComment></ThreadedComments>"
            ),
            "xl/persons/person.xml": (
                '<personList><person displayName="P" userId="person@list.example"/>'
                "</personList>"
            ),
            "xl/media/image1.png": b"\x89PNG\r\n\x1a\n picture@pixels.example",
        },
    )


def record(number: int, data: bytes) -> bytes:
    """A record of XLS."""
    return struct.pack("<HH", number, len(data)) + data


def _wide(text: str) -> bytes:
    return struct.pack("<HB", len(text), 1) + text.encode("utf-16-le")


def _narrow(text: str) -> bytes:
    return struct.pack("<HB", len(text), 0) + text.encode("latin-1")


def old_workbook_stream() -> bytes:
    """The records of an XLS: two sheets, one hidden, a string table in two pieces."""
    bof = struct.pack("<HHHHII", 0x0600, 5, 0, 0, 0, 0)
    first = "split@table.example"
    table = struct.pack("<II", 4, 4)
    table += _narrow("cell@seen.example") + _narrow("left@over.example")
    table += struct.pack("<HB", len(first), 0) + first[:6].encode()
    goes_on = b"\x01" + first[6:].encode("utf-16-le") + _wide("row@hidden.example")
    open_sheet = (
        record(0x0809, bof)
        + record(0x007D, struct.pack("<HHHHHH", 3, 3, 0, 0, 1, 0))
        + record(0x0208, struct.pack("<HHHHHHHH", 1, 0, 1, 0, 0, 0, 0x20, 0))
        + record(0x00FD, struct.pack("<HHHI", 0, 0, 0, 0))
        + record(0x00FD, struct.pack("<HHHI", 0, 1, 0, 2))
        + record(0x00FD, struct.pack("<HHHI", 1, 0, 0, 3))
        + record(0x0204, struct.pack("<HHH", 0, 3, 0) + _narrow("col@hidden.example"))
        + record(0x01B6, bytes(18))
        + record(0x003C, b"\x00comment@seen.example")
        + record(0x0006, struct.pack("<HH", 5, 0) + bytes(18))
        + record(0x0207, _narrow("formula@result.example"))
        + record(0x0014, _narrow("&Cheader@print.example"))
        + record(0x000A, b"")
    )
    hidden_sheet = record(0x0809, bof) + record(
        0x0204, struct.pack("<HHH", 0, 0, 0) + _wide("sheet@hidden.example")
    )
    name = record(0x0018, bytes(14) + b"\x00name@defined.example")
    rest = record(0x00FC, table) + record(0x003C, goes_on) + name + record(0x000A, b"")
    bounds = 2 * (4 + 4 + 2 + 6)
    at_open = 4 + len(bof) + bounds + len(rest)
    at_hidden = at_open + len(open_sheet)
    globals_ = record(0x0809, bof)
    globals_ += record(0x0085, struct.pack("<IBB", at_open, 0, 0) + b"\x04\x00Open")
    globals_ += record(0x0085, struct.pack("<IBB", at_hidden, 2, 0) + b"\x04\x00Hide")
    return globals_ + rest + open_sheet + hidden_sheet


def old_workbook() -> bytes:
    """An XLS with pivot cache and an embedded document."""
    return compound(
        {
            "Workbook": old_workbook_stream(),
            "_SX_DB_CUR": {"0001": record(0x00CD, _narrow("pivot@cache.example"))},
            "MBD0001": {"Package": zipped({"in.txt": "embedded@object.example"})},
        }
    )


def _binary_record(number: int, data: bytes) -> bytes:
    head = (
        bytes((number,)) if number < 128 else bytes((number & 127 | 128, number >> 7))
    )
    size, length = b"", len(data)
    while length > 127:
        size, length = size + bytes((length & 127 | 128,)), length >> 7
    return head + size + bytes((length,)) + data


def _long_wide(text: str) -> bytes:
    return struct.pack("<I", len(text)) + text.encode("utf-16-le")


def binary_workbook() -> bytes:
    """An XLSB with a sheet that is hidden and one that is not."""
    sheet = (
        _binary_record(60, struct.pack("<IIIIH", 2, 2, 0, 0, 1))
        + _binary_record(0, struct.pack("<II", 0, 0) + bytes(9))
        + _binary_record(7, struct.pack("<III", 0, 0, 0))
        + _binary_record(6, struct.pack("<II", 2, 0) + _long_wide("col@hidden.example"))
        + _binary_record(0, struct.pack("<IIHB", 1, 0, 0, 0) + b"\x10" + bytes(5))
        + _binary_record(6, struct.pack("<II", 0, 0) + _long_wide("row@hidden.example"))
    )
    hidden = _binary_record(0, struct.pack("<II", 0, 0) + bytes(9)) + _binary_record(
        6, struct.pack("<II", 0, 0) + _long_wide("sheet@hidden.example")
    )
    book = b"".join(
        _binary_record(
            156, struct.pack("<II", state, 1) + _long_wide(relation) + _long_wide("S")
        )
        for state, relation in ((0, "rId1"), (1, "rId2"))
    )
    strings = b"".join(
        _binary_record(19, b"\0" + _long_wide(text))
        for text in ("cell@seen.example", "left@over.example")
    )
    return zipped(
        {
            "[Content_Types].xml": "<Types/>",
            "xl/workbook.bin": book,
            "xl/_rels/workbook.bin.rels": (
                '<Relationships><Relationship Id="rId1" Target="worksheets/a.bin"/>'
                '<Relationship Id="rId2" Target="worksheets/b.bin"/></Relationships>'
            ),
            "xl/worksheets/a.bin": sheet,
            "xl/worksheets/b.bin": hidden,
            "xl/sharedStrings.bin": strings,
            "xl/comments1.bin": _binary_record(637, _long_wide("note@seen.example")),
            "docProps/core.xml": "<p>creator@properties.example</p>",
        }
    )


def open_document(kind: str, body: str, more: dict[str, str | bytes]) -> bytes:
    """An OpenDocument package."""
    return zipped(
        {
            "mimetype": f"application/vnd.oasis.opendocument.{kind}",
            "META-INF/manifest.xml": "<manifest:manifest xmlns:manifest='m'/>",
            "content.xml": (
                "<office:document-content xmlns:office='o' xmlns:table='t'"
                " xmlns:text='x' xmlns:style='s' xmlns:xlink='l' xmlns:dc='d'>"
                f"{body}</office:document-content>"
            ),
            **more,
        }
    )


def open_table() -> bytes:
    """An ODS with everything hidden that can be."""
    body = """
    <style:style style:name="ta2"><style:table-properties table:display="false"/>
    </style:style>
    <table:table table:style-name="ta1">
     <table:table-column/><table:table-column table:visibility="collapse"/>
     <table:table-row><table:table-cell><text:p>cell@<text:span>seen.example</text:span>
     </text:p></table:table-cell>
     <table:table-cell><text:p>column@hidden.example</text:p></table:table-cell>
     </table:table-row>
     <table:table-row table:visibility="filter"><table:table-cell>
     <text:p>row@hidden.example</text:p></table:table-cell></table:table-row>
     <table:table-row><table:table-cell><office:annotation>
     <dc:creator>author@comment.example</dc:creator><dc:date>2026-01-01</dc:date>
     <text:p>comment@seen.example</text:p></office:annotation><text:p>x</text:p>
     </table:table-cell></table:table-row>
    </table:table>
    <table:table table:style-name="ta2"><table:table-row><table:table-cell>
     <text:p>sheet@hidden.example</text:p></table:table-cell></table:table-row>
    </table:table>
    <table:named-expressions><table:named-expression
     table:expression="of:=&quot;name@defined.example&quot;"/></table:named-expressions>
    """
    meta = "<m><dc:creator xmlns:dc='d'>creator@properties.example</dc:creator></m>"
    styles = "<s><text:p xmlns:text='x'>footer@print.example</text:p></s>"
    return open_document("spreadsheet", body, {"meta.xml": meta, "styles.xml": styles})


def open_text() -> bytes:
    """An ODT."""
    body = """
    <text:tracked-changes><text:p>deleted@change.example</text:p></text:tracked-changes>
    <text:p>text@seen.<text:span>example</text:span></text:p>
    <text:p>half@<office:annotation><text:p>comment@seen.example</text:p>
    </office:annotation>whole.example</text:p>
    <text:a xlink:href="mailto:link@seen.example">write</text:a>
    """
    return open_document("text", body, {})


W = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"


def document() -> bytes:
    """A DOCX."""
    body = f"""<w:document xmlns:w="{W}"><w:body>
    <w:p><w:r><w:t>text@</w:t></w:r><w:r><w:t>seen.example</w:t></w:r></w:p>
    <w:p><w:r><w:t>kept </w:t></w:r><w:del><w:r><w:delText>deleted@change.example
    </w:delText></w:r></w:del></w:p>
    <w:p><w:r><w:rPr><w:vanish/></w:rPr><w:t>unseen@hidden.example</w:t></w:r></w:p>
    <w:p><w:r><w:instrText>HYPERLINK "mailto:field@code.example"</w:instrText></w:r>
    </w:p></w:body></w:document>"""
    return zipped(
        {
            "[Content_Types].xml": "<Types/>",
            "word/document.xml": body,
            "word/comments.xml": (
                f'<w:comments xmlns:w="{W}"><w:comment w:author="A"><w:p><w:r><w:t>'
                "comment@seen.example</w:t></w:r></w:p></w:comment></w:comments>"
            ),
            "word/header1.xml": (
                f'<w:hdr xmlns:w="{W}"><w:p><w:r><w:t>header@print.example</w:t></w:r>'
                "</w:p></w:hdr>"
            ),
            "word/footnotes.xml": (
                f'<w:footnotes xmlns:w="{W}"><w:p><w:r><w:t>note@seen.example</w:t>'
                "</w:r></w:p></w:footnotes>"
            ),
            "word/_rels/document.xml.rels": (
                '<Relationships><Relationship Target="mailto:link@seen.example"/>'
                "</Relationships>"
            ),
            "docProps/core.xml": "<p>creator@properties.example</p>",
            "word/embeddings/sheet.xlsx": workbook(),
        }
    )


def slides() -> bytes:
    """A PPTX."""
    return zipped(
        {
            "[Content_Types].xml": "<Types/>",
            "ppt/presentation.xml": "<p:presentation xmlns:p='p'/>",
            "ppt/slides/slide1.xml": (
                "<p:sld xmlns:p='p' xmlns:a='a'><a:p><a:t>text@</a:t>"
                "<a:t>seen.example</a:t></a:p></p:sld>"
            ),
            "ppt/slides/slide2.xml": (
                '<p:sld xmlns:p="p" xmlns:a="a" show="0"><a:p>'
                "<a:t>slide@hidden.example</a:t></a:p></p:sld>"
            ),
            "ppt/notesSlides/notesSlide1.xml": (
                "<p:notes xmlns:p='p' xmlns:a='a'><a:p><a:t>notes@seen.example</a:t>"
                "</a:p></p:notes>"
            ),
            "ppt/comments/comment1.xml": "<c><text>comment@seen.example</text></c>",
        }
    )


def pdf() -> bytes:
    """A PDF with text in a compressed stream, a link, a note, a form and a file."""
    content = zlib.compress(b"BT /F1 12 Tf 72 700 Td (text@seen.example) Tj ET")
    note = "\ufeffnote@seen.example"
    attached = b"name,mail\nann,attached@file.example\n"
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R /AcroForm << /Fields [7 0 R] >>"
        b" /Names << /EmbeddedFiles << /Names [(a.csv) 9 0 R] >> >>"
        b" /Outlines 11 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents 4 0 R"
        b" /Resources << /Font << /F1 5 0 R >> >> /Annots [6 0 R 7 0 R 8 0 R] >>",
        b"<< /Length %d /Filter /FlateDecode >>\nstream\n%s\nendstream"
        % (len(content), content),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
        b"<< /Type /Annot /Subtype /Link /Rect [0 0 9 9]"
        b" /A << /S /URI /URI (mailto:link@seen.example) >> >>",
        b"<< /Type /Annot /Subtype /Widget /FT /Tx /T (who) /V (form@field.example)"
        b" /Rect [0 0 9 9] >>",
        b"<< /Type /Annot /Subtype /Text /Rect [0 0 9 9]"
        b" /Contents <%s> >>" % note.encode("utf-16-be").hex().encode(),
        b"<< /Type /Filespec /F (a.csv) /UF (a.csv) /EF << /F 10 0 R >> >>",
        b"<< /Type /EmbeddedFile /Length %d >>\nstream\n%s\nendstream"
        % (len(attached), attached),
        b"<< /Type /Outlines /First 12 0 R /Last 12 0 R /Count 1 >>",
        b"<< /Title (bookmark@outline.example) /Parent 11 0 R /Dest [3 0 R /Fit] >>",
    ]
    return pdf_of(objects)


def pdf_of(objects: list[bytes]) -> bytes:
    """A PDF of these objects, the first of which is its catalog."""
    out, places = b"%PDF-1.7\n", []
    for number, body in enumerate(objects, 1):
        places.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    start = len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    out += b"".join(b"%010d 00000 n \n" % place for place in places)
    out += b"trailer << /Size %d /Root 1 0 R >>\n" % (len(objects) + 1)
    return out + b"startxref\n%d\n%%%%EOF\n" % start


def message_file(message_class: str = "IPM.Note") -> bytes:
    """An MSG to three people, with a table attached and a message inside."""

    def text(value: str) -> bytes:
        return value.encode("utf-16-le")

    def number(tag: int, value: int) -> bytes:
        return struct.pack("<HHIQ", 3, tag, 6, value)

    def recipient(kind: int, name: str, mail: str) -> dict:
        return {
            "__substg1.0_3001001F": text(name),
            "__substg1.0_39FE001F": text(mail),
            "__substg1.0_3003001F": text("/o=Org/cn=Recipients/cn=x"),
            "__properties_version1.0": bytes(8) + number(0x0C15, kind),
        }

    inner = {
        "__substg1.0_1000001F": text("inside@message.example"),
        "__recip_version1.0_#00000000": recipient(1, "I", "inner@recipient.example"),
        "__properties_version1.0": bytes(24),
    }
    return compound(
        {
            "__properties_version1.0": bytes(32) + number(0x3FFD, 1252),
            "__substg1.0_001A001F": text(message_class),
            "__substg1.0_0C1F001F": text("sam@council.example"),
            "__substg1.0_1000001F": text("body@seen.example"),
            "__substg1.0_10130102": b"<p>html&#64;seen.example</p>",
            "__substg1.0_007D001F": text("Delivered-To: trace@header.example\r\n\r\n"),
            "__recip_version1.0_#00000000": recipient(1, "Ann", "to@recipient.example"),
            "__recip_version1.0_#00000001": recipient(2, "Bob", "cc@recipient.example"),
            "__recip_version1.0_#00000002": recipient(3, "Cy", "bcc@recipient.example"),
            "__attach_version1.0_#00000000": {
                "__substg1.0_3707001F": text("list.xlsx"),
                "__substg1.0_37010102": workbook(),
                "__properties_version1.0": bytes(8),
            },
            "__attach_version1.0_#00000001": {
                "__substg1.0_3001001F": text("old mail"),
                "__substg1.0_3701000D": inner,
                "__properties_version1.0": bytes(8),
            },
        }
    )


def attribute(level: int, number: int, kind: int, data: bytes) -> bytes:
    return struct.pack("<BHHI", level, number, kind, len(data)) + data + b"\0\0"


def properties(*values: bytes) -> bytes:
    """A list of MAPI properties as TNEF has it."""
    return struct.pack("<I", len(values)) + b"".join(values)


def text_property(number: int, text: str) -> bytes:
    """A Unicode property."""
    data = (text + "\0").encode("utf-16-le")
    padding = b"\0" * (-len(data) % 4)
    return struct.pack("<HHII", 0x1F, number, 1, len(data)) + data + padding


def number_property(number: int, value: int) -> bytes:
    """A number."""
    return struct.pack("<HHI", 3, number, value)


def binary_property(number: int, data: bytes, kind: int = 0x0102) -> bytes:
    """Bytes, or an object."""
    padding = b"\0" * (-len(data) % 4)
    return struct.pack("<HHII", kind, number, 1, len(data)) + data + padding


def tnef(
    message_class: str = "IPM.Microsoft Mail.Note", *, inner: bytes = b""
) -> bytes:
    """A ``winmail.dat`` with tables of recipients and attachments."""
    rows = [
        properties(number_property(0x0C15, kind), text_property(0x3003, mail))
        for kind, mail in ((1, "to@table.example"), (2, "cc@table.example"))
    ]
    table = struct.pack("<I", len(rows)) + b"".join(rows)
    listed = struct.pack("<I", 1) + properties(text_property(0x39FE, "in@list.example"))
    stream = struct.pack("<IH", 0x223E9F78, 1)
    stream += attribute(1, 0x9007, 6, struct.pack("<II", 1252, 0))
    stream += attribute(1, 0x8008, 7, message_class.encode() + b"\0")
    stream += attribute(1, 0x9004, 6, table)
    stream += attribute(
        1,
        0x9003,
        6,
        properties(
            text_property(0x0E04, "shown@display.example"),
            text_property(0x1000, "body@seen.example"),
            binary_property(0x0E12, listed, 0x000D),
        ),
    )
    stream += attribute(2, 0x9002, 6, bytes(14))
    stream += attribute(2, 0x8010, 1, b"list.csv\0")
    stream += attribute(2, 0x800F, 6, b"ann,attached@file.example\r\n")
    if inner:
        stream += attribute(2, 0x9002, 6, bytes(14))
        wrapped = bytes(16) + inner
        stream += attribute(
            2, 0x9005, 6, properties(binary_property(0x3701, wrapped, 0x000D))
        )
    return stream
