# SPDX-License-Identifier: Apache-2.0
"""What the checks look at: a campaign as it would be sent, row after row."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Protocol

from undisclosed.core.address import Address
from undisclosed.core.campaign import Attached, Draft, Row, Sensitivity, Way
from undisclosed.core.documents import Reader
from undisclosed.errors import TransientError
from undisclosed.send.checks.files import FileText, read_file
from undisclosed.send.merge import Preview, Template
from undisclosed.send.message import Marks


class ResolverAway(TransientError):
    """No name server answered in time."""


class Resolver(Protocol):
    """Asks the domain name system. An empty answer says that there is nothing.

    Raises ResolverAway where nobody answers.
    """

    def texts(self, name: str) -> tuple[str, ...]:
        """The TXT records of a name, each joined (RFC 7208 §3.3)."""

    def exchanges(self, name: str) -> tuple[str, ...]:
        """The hosts of the MX records; ``.`` among them refuses mail (RFC 7505)."""

    def addresses(self, name: str) -> tuple[str, ...]:
        """The A and AAAA records."""


@dataclass(frozen=True, slots=True)
class NextHop:
    """What is known of the next hop, and how fast it may be given mail.

    Rates count messages over all workers, 0 is no limit. ``longest`` is the SIZE that
    it offers in octets (RFC 1870), None where it was not asked or says none.
    ``is_post_office``: nothing leaves this machine.
    """

    per_second: int = 0
    per_minute: int = 0
    per_hour: int = 0
    longest: int | None = None
    has_utf8: bool | None = None
    answers: bool | None = None
    is_post_office: bool = False


@dataclass(frozen=True, slots=True)
class Domain:
    """What we say of ourselves in mail: who signs it and where its bounces go.

    ``dkim_record`` is the TXT that has to stand at ``dkim_name``; both empty where
    nobody here signs. ``return_domain`` is empty where bounces go to the author.
    """

    return_domain: str = ""
    dkim_domain: str = ""
    dkim_name: str = ""
    dkim_record: str = ""


@dataclass(frozen=True, slots=True)
class CampaignView:
    """A campaign before anybody approves it, as the checks are given it.

    ``people`` counts those who would be mailed, ``ways`` everybody on the list by the
    way in which they are reached. ``source`` opens the rows; it may be called again.
    ``reader`` reads attached documents, None where there is none. ``resolver`` asks
    the domain name system, None where it is not to be asked.
    """

    draft: Draft = field(repr=False)
    columns: tuple[str, ...] = field(repr=False)
    people: int
    ways: Mapping[Way, int]
    template: Template = field(repr=False)
    source: Callable[[], Iterator[Row]] = field(repr=False)
    own_domains: frozenset[str] = frozenset()
    sensitivity: Sensitivity = Sensitivity.ORDINARY
    legal_basis: str = field(default="", repr=False)
    can_unsubscribe: bool = True
    next_hop: NextHop = field(default_factory=NextHop)
    domain: Domain = field(default_factory=Domain)
    resolver: Resolver | None = field(default=None, repr=False)
    reader: Reader | None = field(default=None, repr=False)
    now: datetime = datetime(2000, 1, 1, tzinfo=UTC)
    _files: dict[int, FileText] = field(default_factory=dict, repr=False)
    _own: dict[str, dict[str, Attached]] = field(default_factory=dict, repr=False)

    def file_text(self, attached: Attached) -> FileText:
        """What one of the draft's attachments says; each is read once."""
        key = id(attached)
        if key not in self._files:
            self._files[key] = read_file(attached, self.reader)
        return self._files[key]

    @property
    def common_files(self) -> tuple[Attached, ...]:
        """The attachments that every message carries."""
        return tuple(one for one in self.draft.attachments if not one.column)

    def own_files(self, row: Row) -> Iterator[Attached]:
        """The attachments that are one person's alone."""
        if not self._own:
            for one in self.draft.attachments:
                if one.column:
                    self._own.setdefault(one.column, {})[one.name] = one
        for column, by_name in self._own.items():
            found = by_name.get(row.values.get(column, "").strip())
            if found is not None:
                yield found

    def rows(self) -> Iterator[Row]:
        """Everybody on the list, one after the other."""
        return self.source()

    @property
    def senders(self) -> frozenset[Address]:
        """The addresses that stand in every message because they are the sender's."""
        draft = self.draft
        return frozenset(filter(None, (draft.author, draft.reply_to)))

    @property
    def marks(self) -> Marks:
        """Marks of the length that those of real messages have."""
        return Marks("a" * 26, self.now, "https://u.invalid/" + "a" * 60, "a" * 26)

    @property
    def shown_columns(self) -> tuple[str, ...]:
        """The columns whose values the template puts into messages or asks about."""
        names = self.template.columns
        return tuple(names[name] for name in sorted(self.template.fields))


@dataclass(frozen=True, slots=True)
class Merged:
    """A row and the message that it would get.

    ``message`` is None where the row does not fit the template: ``why`` is then the
    sentence that says so, without a value.
    """

    row: Row
    message: Preview | None = field(repr=False)
    values: Mapping[str, str] = field(
        default_factory=lambda: MappingProxyType({}), repr=False
    )
    why: str = ""
