# SPDX-License-Identifier: Apache-2.0
"""Every fault of a settings file, not only the first.

Reading ends at the first fault. Here what is wrong is taken out of the table, and
the rest is read again, until nothing more is found.
"""

from collections.abc import Iterator, Mapping
from copy import deepcopy
from pathlib import Path
from typing import Any

from undisclosed.errors import UndisclosedError
from undisclosed.formats.configuration import ConfigurationError, Table
from undisclosed.formats.configuration_lines import Path as Keys
from undisclosed.store import settings
from undisclosed.store.settings import SettingsError


def faults(
    file: Path | None, environment: Mapping[str, str]
) -> tuple[UndisclosedError, ...]:
    """What is wrong with the settings, in the order of the file; nothing if empty.

    ``file`` None: the settings that ``settings.load`` would use. What is wrong with
    the environment, or with the file as a whole, stands at the end.
    """
    try:
        file = settings.file_of(file, environment)
        table = settings.table_of(file)
    except ConfigurationError as error:
        return (SettingsError(file, error),)
    except UndisclosedError as error:
        return (error,)
    found = list(_faults(table, file, environment))
    return tuple(sorted(found, key=_place))


def _faults(
    table: Table, file: Path | None, environment: Mapping[str, str]
) -> Iterator[UndisclosedError]:
    while True:
        try:
            settings.read(table, file, environment)
        except ConfigurationError as error:
            yield SettingsError(file, error)
            path = _nearest(table.values, error.path)
            if not path:
                return
            table = _without(table, path)
        except UndisclosedError as error:
            yield error
            return
        else:
            return


def _place(fault: UndisclosedError) -> float:
    return fault.line if isinstance(fault, ConfigurationError) else float("inf")


def _nearest(values: Mapping[str, object], path: Keys) -> Keys:
    """The path as far as something stands there: what a default would be put for."""
    found: Any = values
    for place, key in enumerate(path):
        if isinstance(found, Mapping):
            is_there = key in found
        else:
            is_there = isinstance(key, int) and key < len(found)
        if not is_there:
            return path[:place]
        found = found[key]
    return path


def _without(table: Table, path: Keys) -> Table:
    """The table without what stands at ``path``; lines go on naming the file's."""
    values: Any = deepcopy(dict(table.values))
    *above, last = path
    holder = values
    for key in above:
        holder = holder[key]
    del holder[last]
    lines = dict(table.lines)
    if isinstance(last, int):
        lines = dict(_moved_up(table.lines, tuple(above), last))
    return Table(values, lines)


def _moved_up(
    lines: Mapping[Keys, int], above: Keys, gone: int
) -> Iterator[tuple[Keys, int]]:
    """The lines after an element of an array is gone: those after it move up."""
    depth = len(above)
    for path, line in lines.items():
        number = path[depth] if path[:depth] == above and len(path) > depth else None
        if not isinstance(number, int) or number < gone:
            yield path, line
        elif number > gone:
            yield (*above, number - 1, *path[depth + 1 :]), line
