# SPDX-License-Identifier: Apache-2.0
"""What changed in a campaign since somebody last approved it.

Text by lines, settings by name, files by content, the list by what is known of it
without opening it. No row is read; of a file that is one person's own nothing is
shown but that there is one.
"""

import difflib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from undisclosed.core.campaign import Draft, MailKind
from undisclosed.send.draft import from_json
from undisclosed.store import (
    campaign_approved,
    campaign_files,
    campaign_lists,
    campaigns,
)
from undisclosed.store.campaign_approved import Approved, FileFacts
from undisclosed.store.campaigns import Campaign
from undisclosed.store.lists import NoSuchList

MOST_LINES: Final = 400
"""Lines of one file's difference that are shown."""

_AROUND: Final = 3  # lines of what is the same, before and after a change
_WORDS: Final[dict[str, tuple[str, ...]]] = {
    "equal": ("same",),
    "delete": ("gone",),
    "insert": ("new",),
    "replace": ("gone", "new"),
}


@dataclass(frozen=True, slots=True)
class Line:
    """One line: ``kind`` is "gone", "new", "same", or "more" for lines left out."""

    kind: str
    text: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Changed:
    """One value that is another now. ``what`` is its name in English."""

    what: str
    before: str = field(repr=False)
    after: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class FileChange:
    """A file that was added ("new"), removed ("gone") or "changed".

    ``lines`` where its content is a text that could be compared.
    """

    kind: str
    before: FileFacts | None
    after: FileFacts | None
    lines: tuple[Line, ...] = ()

    @property
    def name(self) -> str:
        """What it is called; empty for a file that is one person's own."""
        facts = self.after or self.before
        return facts.name if facts is not None and not facts.column else ""

    @property
    def column(self) -> str:
        """The column that names each person's own file; empty where all get it."""
        facts = self.after or self.before
        return facts.column if facts is not None else ""


@dataclass(frozen=True, slots=True)
class Difference:
    """All that changed; false where nothing did, or nothing was ever approved."""

    text: tuple[Line, ...] = ()
    settings: tuple[Changed, ...] = ()
    chosen: tuple[Changed, ...] = ()
    files: tuple[FileChange, ...] = ()

    def __bool__(self) -> bool:
        """Whether anything changed."""
        return bool(self.text or self.settings or self.chosen or self.files)


def since_approved(found: Campaign) -> Difference:
    """What changed in a campaign since somebody last approved it."""
    kept, text = campaigns.approved_text_of(found.id), campaigns.text_of(found.id)
    if kept is None or text is None:
        return Difference()
    approved = campaign_approved.read(kept)
    before, after = from_json(approved.text), from_json(text)
    changed = [*_drafts(before, after)]
    if not approved.is_whole:
        return Difference(_text(before, after), tuple(changed))
    changed += _settings(approved, found)
    return Difference(
        _text(before, after),
        tuple(changed),
        tuple(_lists(approved, found)),
        _files(approved, found),
    )


def files_between(
    before: Iterable[FileFacts], after: Iterable[FileFacts]
) -> Iterator[FileChange]:
    """The files that are not the same; those of one name and column belong together."""
    old = {(one.name, one.column): one for one in before}
    new = {(one.name, one.column): one for one in after}
    for key in sorted(old.keys() | new.keys()):
        was, is_now = old.get(key), new.get(key)
        if was is None:
            yield FileChange("new", None, is_now)
        elif is_now is None:
            yield FileChange("gone", was, None)
        elif (was.digest, was.media_type) != (is_now.digest, is_now.media_type):
            yield FileChange("changed", was, is_now, _content(was, is_now))


def lines_between(before: Sequence[str], after: Sequence[str]) -> Iterator[Line]:
    """The lines that are not the same, with some around them; none where all are."""
    matcher = difflib.SequenceMatcher(None, before, after)
    for number, group in enumerate(matcher.get_grouped_opcodes(_AROUND)):
        if number:
            yield Line("more", "…")
        for tag, start, end, new_start, new_end in group:
            for kind in _WORDS[tag]:
                of = after[new_start:new_end] if kind == "new" else before[start:end]
                yield from (Line(kind, text) for text in of)


def _files(approved: Approved, found: Campaign) -> tuple[FileChange, ...]:
    """The changed files; none is opened where none is another."""
    kept = [(one.name, one.column, one.digest) for one in approved.files]
    summaries = campaign_files.summaries(found.id)
    if kept == [(one.name, one.column, one.digest) for one in summaries]:
        return ()
    now = [campaign_approved.facts_of(one) for one in campaigns.files_of(found.id)]
    return tuple(files_between(approved.files, now))


def _text(before: Draft, after: Draft) -> tuple[Line, ...]:
    old, new = ([one.subject, *one.markdown.splitlines()] for one in (before, after))
    return tuple(lines_between(old, new))


def _content(before: FileFacts, after: FileFacts) -> tuple[Line, ...]:
    if before.text is None or after.text is None:
        return ()
    lines = lines_between(before.text.splitlines(), after.text.splitlines())
    found = tuple(line for line, _ in zip(lines, range(MOST_LINES + 1), strict=False))
    if len(found) <= MOST_LINES:
        return found
    return (*found[:MOST_LINES], Line("more", "…"))


def _drafts(before: Draft, after: Draft) -> Iterator[Changed]:
    """What else stands in a draft: who writes, where answers go, of what kind it is."""
    old, new = _values(before), _values(after)
    for what, value in old.items():
        if new[what] != value:
            yield Changed(what, value, new[what])


def _values(draft: Draft) -> dict[str, str]:
    reply_to = draft.reply_to.spelled_out() if draft.reply_to else ""
    return {
        "From: the name": draft.author_name,
        "From: the address": draft.author.spelled_out(),
        "Answers go to": reply_to,
        "Kind": _KINDS[draft.kind],
    }


_KINDS: Final = {
    MailKind.SERVICE: "service mail: nobody unsubscribes",
    MailKind.MARKETING: "marketing: everybody can unsubscribe",
}
_NAMES: Final = {
    "per_minute": "At most so many in a minute",
    "in_doubt": "What is done with a message in doubt",
}
_SAID: Final = {
    "ask": "ask a person",
    "resend": "send it again",
    "sent": "take it as sent",
    "0": "as many as the installation allows",
}


def _settings(approved: Approved, found: Campaign) -> Iterator[Changed]:
    for name in campaign_approved.SETTINGS:
        before, after = approved.settings.get(name), getattr(found, name)
        if before != after:
            yield Changed(_NAMES[name], *(_said(one) for one in (before, after)))


def _said(value: object) -> str:
    return _SAID.get(str(value), str(value))


def _lists(approved: Approved, found: Campaign) -> Iterator[Changed]:
    name, version, people = _chosen(found)
    if approved.list_id != (found.list_id or ""):
        yield Changed("Another list", approved.list_name, name)
    elif approved.list_version != version:
        yield Changed(
            "The list was imported anew",
            f"import {approved.list_version}",
            f"import {version}",
        )
    if approved.recipients != people:
        yield Changed(
            "People who are mailed", f"{approved.recipients:,}", f"{people:,}"
        )


def _chosen(found: Campaign) -> tuple[str, int, int]:
    """Name, version and people of its list as they are now."""
    if found.list_id is None:
        return "", 0, 0
    try:
        chosen = campaign_lists.get(found.list_id)
    except NoSuchList:
        return "", found.list_version, found.recipients
    return chosen.name, chosen.version, chosen.mailed
