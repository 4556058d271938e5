# SPDX-License-Identifier: Apache-2.0
"""A file as a table: text is read here, workbooks in a child process."""

from pathlib import Path

from undisclosed.send.tables import delimited, isolated
from undisclosed.send.tables.table import Table, TableUnreadable

_WORKBOOKS = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")
_OTHERS = (b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"%PDF", b"{\\rtf")


def open_table(file: Path, sheet: str = "") -> Table:
    """The visible table of a file; of a workbook with several, the one of this name.

    Raises TableUnreadable, with a sentence for whoever chose the file; and so does
    reading its lines.
    """
    with file.open("rb") as opened:
        beginning = opened.read(8)
    if not beginning:
        raise TableUnreadable("The file is empty.")
    if beginning.startswith(_OTHERS):
        raise TableUnreadable("This is no table but a picture or a document.")
    if beginning.startswith(_WORKBOOKS):
        return isolated.open_table(file, sheet)
    return delimited.open_table(file)
