# SPDX-License-Identifier: Apache-2.0
"""Which reader reads which kind of document; what becomes of what they raise."""

from collections.abc import Callable

from undisclosed.core.documents import (
    BZIP2,
    CLOSED,
    DATABASE,
    GZIP,
    LENGTH_OF_BEGINNING,
    MASKED,
    OLE,
    OTHER,
    PDF,
    PICTURES,
    RTF,
    TAR,
    TNEF,
    XZ,
    ZIP,
    Document,
    kind_of_document,
)
from undisclosed.transport.reading import found
from undisclosed.transport.reading.found import Findings
from undisclosed.transport.reading.readers.archives import (
    read_bzip2,
    read_gzip,
    read_tar,
    read_xz,
)
from undisclosed.transport.reading.readers.docx import read_docx, read_pptx
from undisclosed.transport.reading.readers.odf import read_odf
from undisclosed.transport.reading.readers.ole import read_ole
from undisclosed.transport.reading.readers.outlook import read_tnef
from undisclosed.transport.reading.readers.package import (
    is_behind,
    open_package,
    read_archive,
)
from undisclosed.transport.reading.readers.pdf import read_pdf
from undisclosed.transport.reading.readers.plain import read_masked, read_plain
from undisclosed.transport.reading.readers.rtf import read_rtf
from undisclosed.transport.reading.readers.sweep import sweep
from undisclosed.transport.reading.readers.xls import read_xls
from undisclosed.transport.reading.readers.xlsb import read_xlsb
from undisclosed.transport.reading.readers.xlsx import read_xlsx

Reader = Callable[[bytes, Findings], None]

_OLD_TABLES = (b"\x09\x00", b"\x09\x02", b"\x09\x04", b"\x09\x08")
"""How tables of Excel 2 to 4 begin: a BOF record, with no compound file around it."""


def read_document(kind: str, content: bytes) -> Document:
    """What a document shows. Raises MemoryError, and nothing else."""
    findings = Findings(_open_file)
    try:
        _read(kind, content, findings)
    except found.TooMuch:
        findings.doubt(found.TOO_MUCH)
    return findings.document()


def _open_file(name: str, content: bytes, findings: Findings) -> None:
    """Read a file inside a document, whatever it is."""
    kind = kind_of_document("", (name,), content[:LENGTH_OF_BEGINNING])
    if kind is None and is_behind(content):
        kind = ZIP
    if kind is None:
        read_plain(name, content, findings)
    else:
        _read(kind, content, findings)


def _read(kind: str, content: bytes, findings: Findings) -> None:
    """Read with the reader of this kind; one that fails hides nothing of the others."""
    try:
        READERS[kind](content, findings)
    except (found.TooMuch, MemoryError):
        raise
    except found.Protected:
        findings.doubt(found.PROTECTED)
    except Exception:
        # A reader that a document has broken tells nothing about the rest of it.
        findings.doubt(found.BROKEN)
        sweep(content, findings, "attached document")


def _read_zip(content: bytes, findings: Findings) -> None:
    """Read a ZIP as the package of an office program, or as the archive that it is."""
    package = open_package(content, findings)
    names = frozenset(name.lower() for name in package.names)
    if "[content_types].xml" in names:
        for name, reader in _OFFICE:
            if name in names:
                reader(package)
                return
    if "content.xml" in names and "meta-inf/manifest.xml" in names:
        read_odf(package)
        return
    read_archive(package)


def _read_closed(_: bytes, findings: Findings) -> None:
    findings.doubt(found.CLOSED)


def _read_database(content: bytes, findings: Findings) -> None:
    sweep(content, findings, "attached database")


def _read_masked(content: bytes, findings: Findings) -> None:
    if is_behind(content):
        _read_zip(content, findings)
    elif content.startswith(PICTURES):
        return  # It shows what it shows, whatever it is called.
    elif content.lstrip()[:4] == b"{\\rt":
        read_rtf(content, findings)
    elif content.startswith(_OLD_TABLES):
        read_xls(content, findings)
    else:
        read_masked(content, findings)


def _read_other(content: bytes, findings: Findings) -> None:
    if is_behind(content):
        _read_zip(content, findings)
    else:
        read_plain("", content, findings)


_OFFICE = (
    ("xl/workbook.xml", read_xlsx),
    ("xl/workbook.bin", read_xlsb),
    ("word/document.xml", read_docx),
    ("ppt/presentation.xml", read_pptx),
)

READERS: dict[str, Reader] = {
    ZIP: _read_zip,
    OLE: read_ole,
    PDF: read_pdf,
    TNEF: read_tnef,
    RTF: read_rtf,
    TAR: read_tar,
    GZIP: read_gzip,
    BZIP2: read_bzip2,
    XZ: read_xz,
    DATABASE: _read_database,
    CLOSED: _read_closed,
    MASKED: _read_masked,
    OTHER: _read_other,
}
"""One reader for each of ``core.documents.KINDS``."""
