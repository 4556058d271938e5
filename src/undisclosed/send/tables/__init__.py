# SPDX-License-Identifier: Apache-2.0
"""Tables as people have them: what is visible in a file, row by row, as texts."""

from undisclosed.send.tables.reading import open_table
from undisclosed.send.tables.table import Line, Table, TableUnreadable

__all__ = ["Line", "Table", "TableUnreadable", "open_table"]
