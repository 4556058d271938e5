# SPDX-License-Identifier: Apache-2.0
"""PDF: the text of its pages, annotations, links, forms, bookmarks, attached files.

PDFium reads it (ISO 32000-2). A page that is a picture of text shows nothing here.
"""

import ctypes
import re
from hashlib import sha256

import pypdfium2 as pdfium
from pypdfium2 import raw

from undisclosed.core.text import addresses_in_text, has_at_sign
from undisclosed.transport.reading.found import (
    BROKEN,
    TOO_MUCH,
    Broken,
    Findings,
    Protected,
)
from undisclosed.transport.reading.readers.pdf_streams import (
    files_and_streams,
    strings,
)
from undisclosed.transport.reading.readers.sweep import texts_in

PAGE = "attached PDF"
ANNOTATION = "attached PDF: annotation"
LINK = "attached PDF: link"
FORM = "attached PDF: form field"
PROPERTIES = "attached PDF: properties"
BOOKMARK = "attached PDF: bookmark"
ATTACHMENT = "attached PDF: attachment"

MOST_PAGES = 5_000
MOST_ANNOTATIONS = 20_000
MOST_BOOKMARKS = 20_000

_ANNOTATED = (b"Contents", b"T", b"Subj", b"RC", b"NM")
_FILLED_IN = (b"V", b"DV", b"TU", b"Opt")
_BROKEN_ADDRESS = re.compile(r"\r?\n(?=@)|(?<=@)\r?\n")
"""Where a narrow column breaks an address in two."""

_TEXT_MARKS = dict.fromkeys((0xFFFE, 0xFFFF, 0x02, 0xAD))
"""What PDFium puts where a word goes on in the next line."""


def read_pdf(content: bytes, findings: Findings) -> None:
    """Read a PDF. Raises Broken and Protected."""
    try:
        document = pdfium.PdfDocument(content)
    except pdfium.PdfiumError as error:
        if "assword" in str(error) or error.err_code in (
            raw.FPDF_ERR_PASSWORD,
            raw.FPDF_ERR_SECURITY,
        ):
            raise Protected from None
        raise Broken from None
    try:
        known = _read_document(document, findings)
    finally:
        document.close()
    _sweep(content, findings)
    for is_file, stream in files_and_streams(content, findings):
        if not is_file:
            _sweep(stream, findings)
        elif sha256(stream).digest() not in known:
            findings.open(ATTACHMENT, "", stream)


def _read_document(document: pdfium.PdfDocument, findings: Findings) -> set[bytes]:
    """Read what PDFium tells; the digests of the files that are attached."""
    for value in document.get_metadata_dict().values():
        findings.show(PROPERTIES, value)
    number = len(document)
    if number > MOST_PAGES:
        findings.doubt(TOO_MUCH)
    left = MOST_ANNOTATIONS
    for index in range(min(number, MOST_PAGES)):
        try:
            page = document[index]
        except pdfium.PdfiumError:
            findings.doubt(BROKEN)
            continue
        try:
            left -= _read_page(document, page, findings, left)
        finally:
            page.close()
    _read_bookmarks(document, findings)
    return _read_attachments(document, findings)


def _sweep(content: bytes, findings: Findings) -> None:
    """Show what stands in the file outside of all that: scripts, metadata."""
    texts = [*texts_in(content), *filter(has_at_sign, strings(content))]
    if not texts:
        return
    known = "\n".join(one.text for one in findings.document().texts).lower()
    for text in texts:
        if any(one.person not in known for one in addresses_in_text(text)):
            findings.show(PROPERTIES, text)


def _read_page(
    document: pdfium.PdfDocument, page: pdfium.PdfPage, findings: Findings, left: int
) -> int:
    """Read a page; how many annotations it has."""
    try:
        text_page = page.get_textpage()
    except pdfium.PdfiumError:
        findings.doubt(BROKEN)
        return 0
    try:
        text = text_page.get_text_range(errors="replace")
    finally:
        text_page.close()
    findings.show(PAGE, text)
    findings.show(PAGE, text.translate(_TEXT_MARKS))
    findings.show(PAGE, _BROKEN_ADDRESS.sub("", text))
    number = int(raw.FPDFPage_GetAnnotCount(page))
    if number > left:
        findings.doubt(TOO_MUCH)
    for index in range(min(number, left)):
        annotation = raw.FPDFPage_GetAnnot(page, index)
        if annotation:
            _read_annotation(document, annotation, findings)
            raw.FPDFPage_CloseAnnot(annotation)
    return number


def _read_annotation(
    document: pdfium.PdfDocument, annotation: object, findings: Findings
) -> None:
    for names, channel in ((_ANNOTATED, ANNOTATION), (_FILLED_IN, FORM)):
        for name in names:
            findings.show(channel, _annotated(annotation, name))
    link = raw.FPDFAnnot_GetLink(annotation)
    action = raw.FPDFLink_GetAction(link) if link else None
    if action:
        findings.show(LINK, _target(document, action))


def _annotated(annotation: object, name: bytes) -> str:
    size = raw.FPDFAnnot_GetStringValue(annotation, name, None, 0)
    if size <= 2:
        return ""
    buffer = ctypes.create_string_buffer(size)
    wide = ctypes.cast(buffer, ctypes.POINTER(raw.FPDF_WCHAR))
    raw.FPDFAnnot_GetStringValue(annotation, name, wide, size)
    return buffer.raw.decode("utf-16-le", "replace").rstrip("\0")


def _target(document: pdfium.PdfDocument, action: object) -> str:
    """Where a link leads: an address of the web or of mail, or a file."""
    texts = []
    for read, arguments in (
        (raw.FPDFAction_GetURIPath, (document, action)),
        (raw.FPDFAction_GetFilePath, (action,)),
    ):
        size = read(*arguments, None, 0)
        buffer = ctypes.create_string_buffer(size or 1)
        read(*arguments, buffer, size)
        texts.append(buffer.raw.rstrip(b"\0").decode("utf-8", "replace"))
    return "\n".join(texts)


def _read_bookmarks(document: pdfium.PdfDocument, findings: Findings) -> None:
    for number, item in enumerate(document.get_toc()):
        if number >= MOST_BOOKMARKS:
            findings.doubt(TOO_MUCH)
            return
        findings.show(BOOKMARK, item.get_title())


def _read_attachments(document: pdfium.PdfDocument, findings: Findings) -> set[bytes]:
    known: set[bytes] = set()
    for index in range(document.count_attachments()):
        try:
            attachment = document.get_attachment(index)
            name, data = attachment.get_name(), bytes(attachment.get_data())
        except pdfium.PdfiumError:
            findings.doubt(BROKEN)
            continue
        findings.budget.unpack(len(data))
        known.add(sha256(data).digest())
        findings.show(ATTACHMENT, name)
        findings.open(ATTACHMENT, name, data)
    return known
