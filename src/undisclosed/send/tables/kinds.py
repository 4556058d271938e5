# SPDX-License-Identifier: Apache-2.0
"""Which reader a workbook needs: what it is decides, not what it is called."""

from pathlib import Path
from zipfile import BadZipFile, ZipFile

from undisclosed.send.tables import calamine, opendocument, workbook
from undisclosed.send.tables.table import Table, TableUnreadable

MOST_UNPACKED = 1024**3
"""Bytes of an unpacked workbook; more is no list of people."""

_OLE = b"\xd0\xcf\x11\xe0"
_ODS = b"application/vnd.oasis.opendocument.spreadsheet"


def open_workbook(file: Path, sheet: str = "") -> Table:
    """The table of one visible sheet of a workbook. Raises TableUnreadable."""
    with file.open("rb") as opened:
        if opened.read(4) == _OLE:
            return calamine.open_table(file, sheet)
    try:
        with ZipFile(file) as archive:
            names = set(archive.namelist())
            if sum(one.file_size for one in archive.infolist()) > MOST_UNPACKED:
                raise TableUnreadable("The workbook is too large when it is unpacked.")
            is_open = "mimetype" in names and archive.read("mimetype")[:100] == _ODS
    except (BadZipFile, OSError, ValueError, RuntimeError, NotImplementedError):
        raise TableUnreadable("The workbook is damaged, or has a password.") from None
    if is_open:
        return opendocument.open_table(file, sheet)
    if "xl/workbook.xml" in names:
        return workbook.open_table(file, sheet)
    if "xl/workbook.bin" in names:
        return calamine.open_table(file, sheet)
    raise TableUnreadable("This is no workbook but another kind of archive.")
