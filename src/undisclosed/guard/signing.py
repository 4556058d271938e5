# SPDX-License-Identifier: Apache-2.0
"""DKIM signatures of private copies: what a copy broke goes, and ours takes its place.

A mail that was signed before it came here (RFC 6376) has signatures over fields that
each private copy changes. Where mail is signed behind the guard they are taken off;
where it is not, the copy is signed with a key of ours. Otherwise nothing is sent
singly (``core.private``).
"""

import re
from dataclasses import dataclass, field, replace
from datetime import datetime

from undisclosed.core.header import Field, split_content
from undisclosed.core.held import Outgoing, OutgoingKind
from undisclosed.core.policy import OnBroken, Signatures
from undisclosed.formats.dkim import DkimKey, body_hash, relaxed, signature
from undisclosed.guard.authors import author_of
from undisclosed.transport.smtp.content import with_line_ends

COPIES = frozenset({OutgoingKind.PRIVATE_COPY, OutgoingKind.INSIDERS_COPY})
"""What leaves otherwise than it was signed."""

_NAMES = re.compile(rb"(?:^|;)\s*h\s*=([^;]*)")  # RFC 6376 §3.5
_SIGNATURE = "dkim-signature"


@dataclass(frozen=True, slots=True)
class _Read:
    """A message as signatures see it: its fields, and its body."""

    fields: tuple[Field, ...] = field(repr=False)
    body: bytes = field(repr=False)

    def named(self, name: str) -> list[bytes]:
        """Every field of this name in its relaxed form, in order."""
        return [
            relaxed(one.raw_name, one.body) for one in self.fields if one.name == name
        ]


@dataclass(frozen=True, slots=True)
class _Held:
    """What all copies of one held mail have in common: it is found once."""

    hold_id: str | None
    body_hash: bytes = field(repr=False)
    key: DkimKey | None


class Signing:
    """Takes broken signatures off, and puts ours on; the last thing before sending."""

    def __init__(self, signatures: Signatures, key: DkimKey | None = None) -> None:
        """``key`` is the key that copies are signed with, whatever its domain says."""
        self._signatures = signatures
        self._key = key
        self._last: _Held | None = None

    def finished(
        self, copy: Outgoing, held: bytes, content: bytes, now: datetime
    ) -> bytes:
        """The copy as it may leave: no signature on it that does not hold."""
        is_ours = copy.kind in COPIES and copy.hold_id is not None
        if not is_ours or self._signatures.on_broken is OnBroken.KEEP:
            return content
        before = _read(with_line_ends(held))
        if not before.named(_SIGNATURE):
            return content
        content = with_line_ends(content)
        after = _read(content)
        broken = _broken(before, after)
        if not broken:
            return content
        content = _without(content, broken)
        common = self._of(copy.hold_id, before, held)
        if common.key is None:
            return content
        is_same = after.body == before.body
        hashed = common.body_hash if is_same else body_hash(after.body)
        kept = [one for one in after.fields if one not in broken]
        fields = [(one.raw_name, one.body) for one in kept]
        return signature(fields, hashed, common.key, now) + content

    def _of(self, hold_id: str | None, read: _Read, held: bytes) -> _Held:
        last = self._last
        if last is not None and last.hold_id == hold_id:
            return last
        domain = self._signatures.domain_for(author_of(held))
        key = replace(self._key, domain=domain) if self._key and domain else None
        self._last = _Held(hold_id, body_hash(read.body), key)
        return self._last


def _read(content: bytes) -> _Read:
    header = split_content(content)
    return _Read(header.fields, content[header.body_start :])


def _broken(before: _Read, after: _Read) -> tuple[Field, ...]:
    """The signatures of a copy that cover what the copy changed."""
    is_body_changed = before.body != after.body
    return tuple(
        one
        for one in after.fields
        if one.name == _SIGNATURE
        and (
            is_body_changed
            or any(before.named(name) != after.named(name) for name in _covered(one))
        )
    )


def _covered(one: Field) -> set[str]:
    """The names of the fields that a signature covers."""
    found = _NAMES.search(one.body)
    names = found[1].decode("ascii", "ignore").lower().split(":") if found else ()
    return {"".join(name.split()) for name in names}


def _without(content: bytes, fields: tuple[Field, ...]) -> bytes:
    pieces, position = [], 0
    for one in fields:
        pieces.append(content[position : one.start])
        position = one.end
    return b"".join([*pieces, content[position:]])
