# SPDX-License-Identifier: Apache-2.0
"""ZIP: archives, and the packages of office programs, which are archives.

Whatever a package says that it is, every file in it is read: a mail program shows an
archive's files, an office program those that the package names.
"""

import io
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

from undisclosed.transport.reading.found import (
    BROKEN,
    CLOSED,
    PROTECTED,
    Broken,
    Findings,
)
from undisclosed.transport.reading.readers.archives import ARCHIVE, FILE_NAMES

_PIECE = 64 * 1024
_ENCRYPTED = 0x41  # flag bits 0 (encrypted) and 6 (strongly): APPNOTE 4.4.4
_LOCAL_FILE = b"PK\x03\x04"
_LENGTHS_AT = 26
_UNREAD = (".iwa",)
"""Files of packages (Pages, Numbers, Keynote) whose form is not read."""


@dataclass(frozen=True, slots=True)
class Package:
    """An opened ZIP; files are unpacked as they are asked for, within the budget."""

    archive: zipfile.ZipFile
    findings: Findings

    @property
    def names(self) -> list[str]:
        """The names of its files; one may be there twice."""
        return [info.filename for info in self.archive.infolist()]

    def files(self) -> Iterator[tuple[str, bytes]]:
        """Name and content of each file that can be unpacked."""
        for info in self.archive.infolist():
            # What is named like a folder may hold bytes all the same.
            if info.compress_size or not info.is_dir():
                content = self._unpacked(info)
                if content:
                    yield info.filename, content

    def file(self, name: str) -> bytes:
        """The content of one file; empty where there is none."""
        wanted = name.lower()
        for info in self.archive.infolist():
            if info.filename.lower() == wanted:
                return self._unpacked(info)
        return b""

    def _unpacked(self, info: zipfile.ZipInfo) -> bytes:
        findings = self.findings
        if info.flag_bits & _ENCRYPTED:
            findings.doubt(PROTECTED)
            return b""
        pieces = []
        try:
            with self.archive.open(info) as file:
                while piece := file.read(_PIECE):
                    findings.budget.unpack(len(piece))
                    pieces.append(piece)
        except NotImplementedError:
            findings.doubt(CLOSED)
        except (zipfile.BadZipFile, zlib.error, EOFError, OSError, ValueError):
            findings.doubt(BROKEN)
        return b"".join(pieces)


def open_package(content: bytes, findings: Findings) -> Package:
    """Open a ZIP. Raises Broken."""
    try:
        archive = zipfile.ZipFile(io.BytesIO(content))
    except (zipfile.BadZipFile, ValueError, OSError, NotImplementedError):
        raise Broken from None
    if _has_more_files(content, archive):
        findings.doubt(BROKEN)
    return Package(archive, findings)


def is_behind(content: bytes) -> bool:
    """Whether a ZIP stands behind other bytes, as in one that unpacks itself."""
    return zipfile.is_zipfile(io.BytesIO(content))


def _has_more_files(content: bytes, archive: zipfile.ZipFile) -> bool:
    """Whether files stand in it that its directory leaves out (APPNOTE 4.3.7).

    Programs that read a ZIP from its beginning would unpack them.
    """
    position = 0
    files = sorted(archive.infolist(), key=lambda one: one.header_offset)
    for info in files:
        start = info.header_offset
        if content.find(_LOCAL_FILE, position, start) >= 0:
            return True
        lengths = content[start + _LENGTHS_AT : start + _LENGTHS_AT + 4]
        names = int.from_bytes(lengths[:2], "little")
        more = int.from_bytes(lengths[2:], "little")
        end = start + _LENGTHS_AT + 4 + names + more + info.compress_size
        position = max(position, end)
    return content.find(_LOCAL_FILE, position) >= 0


def read_archive(package: Package) -> None:
    """Read a ZIP that is a plain archive."""
    findings = package.findings
    for name in package.names:
        findings.show(FILE_NAMES, name)
        if name.lower().endswith(_UNREAD):
            findings.doubt(CLOSED)
    comments = [package.archive.comment]
    comments += [info.comment for info in package.archive.infolist()]
    for comment in comments:
        findings.show(ARCHIVE, comment.decode("utf-8", "replace"))
    for name, file in package.files():
        findings.open(ARCHIVE, name, file)
