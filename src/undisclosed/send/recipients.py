# SPDX-License-Identifier: Apache-2.0
"""Who stands in a file: each row checked, every problem named, nothing guessed.

A file is read twice, once to be checked and once to be imported, so that a list is
imported whole or not at all and a million rows need little memory. Problems name the
row and the column as the file has them, in words for whoever made it.
"""

import re
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice

from undisclosed.core.address import Address, parse_addr_spec, plain_address
from undisclosed.core.campaign import Row, Way
from undisclosed.errors import UndisclosedError
from undisclosed.send.merge import names_of
from undisclosed.send.tables import Line, Table
from undisclosed.send.template import TemplateError
from undisclosed.store.lists import FEW

MOST_PROBLEMS = 10_000
"""Problems that are kept; their number is counted to the end."""

ADDRESS_COLUMNS = frozenset(
    ("email", "e-mail", "e mail", "mail", "email address", "e-mail address",
     "emailadres", "e-mailadres", "mailadres", "adresse e-mail", "adresse mail",
     "courriel", "e-mail-adresse", "mailadresse", "correo", "correo electrónico",
     "indirizzo e-mail", "address")
)  # fmt: skip
"""What a column of addresses is called, in small letters."""

WAY_COLUMNS = frozenset(("way", "contact by", "reach by", "channel", "contact via"))
"""What a column is called that says how a person is to be reached."""

_WAYS = {
    Way.MAIL: ("", "mail", "email", "e-mail"),
    Way.PHONE: ("phone", "telephone", "call", "tel"),
    Way.POST: ("post", "letter", "by post", "postal"),
}
WAYS = {word: way for way, words in _WAYS.items() for word in words}
"""What may stand in such a column."""

_ROLES = frozenset(
    ("abuse", "admin", "administrator", "all", "billing", "contact", "enquiries",
     "everybody", "everyone", "hello", "help", "helpdesk", "hostmaster", "hr", "info",
     "mail", "mailer-daemon", "marketing", "news", "newsletter", "no-reply", "noreply",
     "office", "postmaster", "press", "reception", "root", "sales", "secretary",
     "security", "staff", "support", "team", "undisclosed-recipients", "webmaster")
)  # fmt: skip
_LISTS = re.compile(
    r"(?:^|[.-])(?:list|lists|listserv|owner|request|members)(?:$|[.-])"
)
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\ufeff]")
_PLAIN = re.compile(r"[a-z0-9_%+-]+(?:\.[a-z0-9_%+-]+)*@(?:[a-z0-9-]+\.)+[a-z0-9-]+")
_SEVERAL = re.compile(r"@.*[@]|[,;]|\s")
_ERROR_VALUES = re.compile(r"#(?:N/A|REF!|VALUE!|NAME\?|DIV/0!|NUM!|NULL!)")
_SAMPLE = 100


class NoRecipients(UndisclosedError):
    """The file cannot be used as it is: one sentence says why."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing about one row. ``is_fatal``: the file is not imported with it.

    ``row`` and ``column`` are those of the file (the column's name, as it stands
    there). ``text`` names no address and quotes no value.
    """

    row: int
    column: str
    text: str
    is_fatal: bool = True


@dataclass(frozen=True, slots=True)
class Columns:
    """The columns of a file and the two that mean something to us.

    ``address`` and ``way`` are positions; ``way`` is -1 where there is none. ``header``
    is the number of the row that names them.
    """

    names: tuple[str, ...]
    address: int
    way: int
    header: int

    @property
    def address_name(self) -> str:
        """The name of the column of addresses."""
        return self.names[self.address]


@dataclass(slots=True)
class Checked:
    """What a check of a whole file found."""

    columns: Columns
    rows: int = 0
    mailed: int = 0
    fatal: int = 0
    warnings: int = 0
    problems: list[Problem] = field(default_factory=list, repr=False)
    shared_domains: frozenset[str] = frozenset()
    dropped: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def is_importable(self) -> bool:
        """Whether the file may be imported: somebody is in it, and nothing is fatal."""
        return bool(self.rows) and not self.fatal


def check(
    table: Table,
    *,
    address_column: str = "",
    lists: Collection[Address] = (),
    own_domains: Collection[str] = (),
    progress: Callable[[int], None] | None = None,
) -> Checked:
    """Read the whole file and name every problem. Raises NoRecipients, TableUnreadable.

    ``address_column`` where it cannot be told by its name; ``lists`` are addresses
    that are known to stand for several people.
    """
    columns = columns_of(table, address_column)
    found = _Check(columns, frozenset(lists), tuple(own_domains)).of(table, progress)
    found.dropped, found.notes = tuple(table.dropped), tuple(table.notes)
    return found


def rows(table: Table, columns: Columns) -> Iterator[Row]:
    """Every person of a file that was checked before, as the list has them."""
    for line in _people(table, columns):
        cells = _padded(line, columns)
        way = WAYS[cells[columns.way].lower()] if columns.way >= 0 else Way.MAIL
        address = _address(cells[columns.address]) if way is Way.MAIL else None
        values = dict(zip(columns.names, cells, strict=False))
        yield Row(line.number, address, values, way)


def columns_of(table: Table, address_column: str = "") -> Columns:
    """The columns: the first row that is not empty names them. Raises NoRecipients."""
    lines = (line for line in table.lines() if not line.is_empty)
    first = next(lines, None)
    if first is None:
        raise NoRecipients("There is nothing in the file.")
    names = list(first.cells)
    while names and not names[-1]:
        names.pop()
    if any("@" in name for name in names):
        raise NoRecipients(
            "The first row holds an address: put a row with the columns' names above."
        )
    _refuse_names(names)
    sample = [line.cells for line in islice(lines, _SAMPLE)]
    address = _address_column(names, sample, address_column)
    small = [name.lower() for name in names]
    way = next((at for at, name in enumerate(small) if name in WAY_COLUMNS), -1)
    return Columns(tuple(names), address, way, first.number)


def _refuse_names(names: Sequence[str]) -> None:
    for at, name in enumerate(names, 1):
        if not name:
            raise NoRecipients(f"Column {at} has no name in the first row.")
    twice = [
        name for name, times in Counter(map(str.lower, names)).items() if times > 1
    ]
    if twice:
        raise NoRecipients(f'Two columns are called "{twice[0]}".')
    try:
        names_of(names)
    except TemplateError as error:
        raise NoRecipients(error.sentence) from None


def _address_column(
    names: Sequence[str], sample: Sequence[Sequence[str]], wanted: str
) -> int:
    if wanted:
        for at, name in enumerate(names):
            if name.lower() == wanted.strip().lower():
                return at
        raise NoRecipients(f'There is no column "{wanted}".')
    named = [at for at, name in enumerate(names) if name.lower() in ADDRESS_COLUMNS]
    holding = [
        at
        for at in range(len(names))
        if any("@" in row[at] for row in sample if at < len(row))
    ]
    found = [at for at in named if at in holding] or named or holding
    if len(found) == 1:
        return found[0]
    if not found:
        raise NoRecipients("No column holds addresses: call one of them Email.")
    several = ", ".join(f'"{names[at]}"' for at in found)
    raise NoRecipients(
        f"Several columns may hold the addresses: choose one of {several}."
    )


class _Check:
    def __init__(
        self, columns: Columns, lists: frozenset[Address], own: tuple[str, ...]
    ) -> None:
        self._columns = columns
        self._lists = lists
        self._own = tuple(f".{domain}" for domain in own)
        self._seen: dict[int, int] = {}
        self._domains: Counter[str] = Counter()
        self._inside = 0
        self.found = Checked(columns)

    def of(self, table: Table, progress: Callable[[int], None] | None) -> Checked:
        found = self.found
        for line in _people(table, self._columns):
            found.rows += 1
            self._line(line)
            if progress is not None and found.rows % 10_000 == 0:
                progress(found.rows)
        shared = (name for name, times in self._domains.items() if times >= FEW)
        found.shared_domains = frozenset(shared)
        if self._own and 0 < self._inside < found.mailed:
            self._problem(
                0,
                self._columns.address_name,
                f"{self._inside:,} of {found.mailed:,} addresses are our own.",
                is_fatal=False,
            )
        return found

    def _line(self, line: Line) -> None:
        columns = self._columns
        for at, cell in enumerate(line.cells):
            text = _why_no_value(cell)
            if text:
                self._problem(line.number, self._name(at), text)
        if any(line.cells[len(columns.names) :]):
            at = len(columns.names)
            self._problem(line.number, self._name(at), "stands beyond the last column")
        cells = _padded(line, columns)
        way = Way.MAIL
        if columns.way >= 0:
            known = WAYS.get(cells[columns.way].lower())
            if known is None:
                name = columns.names[columns.way]
                self._problem(line.number, name, "is neither mail, phone nor post")
                return
            way = known
        if way is Way.MAIL:
            self._mailed(line.number, cells[columns.address])

    def _mailed(self, row: int, cell: str) -> None:
        name = self._columns.address_name
        if not cell:
            self._problem(row, name, "has no address")
            return
        address = _address(cell)
        if address is None:
            several = cell.count("@") > 1 or (_SEVERAL.search(cell) and "@" in cell)
            text = "holds more than one address" if several else "is no address"
            self._problem(row, name, text)
            return
        self.found.mailed += 1
        earlier = self._seen.setdefault(hash(address.person), row)
        if earlier != row:
            self._problem(row, name, f"is the same person as row {earlier:,}")
            return
        self._named(row, name, address)

    def _named(self, row: int, name: str, address: Address) -> None:
        local_part, _, domain = address.person.rpartition("@")
        self._domains[domain] += 1
        if self._own and f".{domain}".endswith(self._own):
            self._inside += 1
        if address in self._lists or _LISTS.search(local_part):
            text = "seems to be a list: everybody on it would get this message"
            self._problem(row, name, text, is_fatal=False)
        elif local_part in _ROLES:
            text = "belongs to a function, not to one person"
            self._problem(row, name, text, is_fatal=False)

    def _name(self, at: int) -> str:
        names = self._columns.names
        return names[at] if at < len(names) else f"column {at + 1}"

    def _problem(
        self, row: int, column: str, text: str, *, is_fatal: bool = True
    ) -> None:
        if is_fatal:
            self.found.fatal += 1
        else:
            self.found.warnings += 1
        if len(self.found.problems) < MOST_PROBLEMS:
            self.found.problems.append(Problem(row, column, text, is_fatal))


def _why_no_value(cell: str) -> str:
    """What is wrong with a cell whatever its column; empty where nothing is."""
    if cell.isprintable() and not cell.startswith("#"):
        return ""
    if _CONTROL.search(cell):
        return "holds a control character"
    if _ERROR_VALUES.fullmatch(cell):
        return "holds an error of the sheet"
    if "\n" in cell and "@" in cell:
        return "holds several lines and an address: a quote may be missing"
    return ""


def _people(table: Table, columns: Columns) -> Iterator[Line]:
    for line in table.lines():
        if line.number > columns.header and not line.is_empty:
            yield line


def _padded(line: Line, columns: Columns) -> tuple[str, ...]:
    missing = len(columns.names) - len(line.cells)
    return line.cells + ("",) * missing if missing > 0 else line.cells


def _address(cell: str) -> Address | None:
    """Exactly one address; None for anything else, a display name included."""
    if _PLAIN.fullmatch(small := cell.lower()) and len(small) <= _LONGEST:
        local_part, _, domain = cell.rpartition("@")
        return plain_address(local_part, domain)
    if any(sign in cell for sign in ',;<>()[]" \t\r\n') or cell.count("@") != 1:
        return None
    if "." not in cell.rpartition("@")[2].strip(".") or len(cell) > _LONGEST:
        return None
    return parse_addr_spec(cell)


_LONGEST = 254  # RFC 5321 §4.5.3.1.3, less the angle brackets
