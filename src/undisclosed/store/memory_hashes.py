# SPDX-License-Identifier: Apache-2.0
"""A wave with nothing readable left in it: what Memory compares and keeps."""

from collections.abc import Callable, Iterable
from datetime import datetime
from functools import cached_property, lru_cache
from typing import Final

from undisclosed.core.address import Address
from undisclosed.core.mailing import Wave, sketch
from undisclosed.store import people
from undisclosed.store.crypto import Keys, person_bytes
from undisclosed.store.memory_audiences import Joined
from undisclosed.store.memory_keys import person_hasher

_BOTTOM: Final = 16
"""Two sketches as similar as one mailing's share one of their smallest values, but
for about one pair in a hundred thousand million."""


class Hashes:
    """One wave under one key. What is not asked for is not hashed."""

    def __init__(self, wave: Wave, keys: Keys) -> None:
        self._wave = wave
        self._keys = keys
        self._person = person_hasher(keys)
        self._people: dict[Address, int] = {}
        self.key_id = keys.id

    @cached_property
    def sender(self) -> bytes:
        """Who the mailing belongs to."""
        return self._keys.hash("memory sender", encoded(self._wave.sender))

    @cached_property
    def digest(self) -> bytes:
        """The bytes and the envelope."""
        return self._keys.hash("memory digest", self._wave.digest)

    @cached_property
    def message_id(self) -> bytes | None:
        """The Message-ID; None without one."""
        if not self._wave.message_id:
            return None
        return self._keys.hash("memory message", encoded(self._wave.message_id))

    @cached_property
    def recalls(self) -> bytes | None:
        """The subject that a recall names."""
        if self._wave.recalls is None:
            return None
        return self._keys.hash("memory subject", encoded(self._wave.recalls))

    @cached_property
    def audience(self) -> bytes:
        """Every outsider among viewers and shown, packed."""
        return self.pack(self._wave.audience)

    @cached_property
    def sketch(self) -> tuple[int, ...]:
        """Empty where the mail joins none; a mail without text has one shingle."""
        if not self._wave.adds_up:
            return ()
        return sketch(map(_shingle_hasher(self._keys), self._wave.shingles or {b""}))

    @property
    def bottom(self) -> list[int]:
        """The smallest values of the sketch."""
        return list(self.sketch[:_BOTTOM])

    def pack(self, group: Iterable[Address]) -> bytes:
        """A set of people as one value."""
        return people.pack(self._hashed(group))

    def row(
        self, wave: Wave, joined: frozenset[Joined], now: datetime
    ) -> tuple[object, ...]:
        """The values of the wave's row; ``wave`` after Memory was asked."""
        shown = self.pack(wave.people)
        is_thread = len(wave.thread) > 1 and not wave.is_observed
        return (
            self.sender,
            self.digest,
            self._subject(),
            self.message_id,
            self.key_id,
            now,
            wave.disclosures,
            shown,
            None if self.audience == shown else self.audience,
            people.pack(self.sketch if wave.adds_up else ()),
            numbers(self.bottom if wave.adds_up else ()),
            numbers(sorted(self._hashed(wave.thread))) if is_thread else None,
            self._pack_joined(wave, joined) if is_thread else None,
        )

    def _subject(self) -> bytes:
        # A recall has the subject of what it recalls: it must not find itself, nor an
        # earlier one, but only mail that can be recalled.
        purpose = "memory subject" if self._wave.recalls is None else "memory recall"
        return self._keys.hash(purpose, encoded(self._wave.subject))

    def _pack_joined(self, wave: Wave, joined: frozenset[Joined]) -> bytes:
        """Whom our mail brought into the thread, this mail's people among them.

        Who joined and is not in this mail is known by a hash, of one key alone.
        """
        hashes = self._hashed(
            wave.people.union(one for one in joined if isinstance(one, Address))
        )
        hashes.update(
            one[1]
            for one in joined
            if not isinstance(one, Address) and one[0] == self.key_id
        )
        return people.pack(hashes)

    def of(self, person: Address) -> int:
        """One person. Who is asked about, is shown, too: each is hashed once."""
        hashed = self._people.get(person)
        if hashed is None:
            hashed = self._people[person] = self._person(person_bytes(person))
        return hashed

    def _hashed(self, group: Iterable[Address]) -> set[int]:
        return set(map(self.of, group))


@lru_cache(maxsize=64)
def _shingle_hasher(keys: Keys) -> Callable[[bytes], int]:
    """Hashes pieces of text with one key."""
    return keys.hasher("memory shingle")


def numbers(values: Iterable[int]) -> str:
    """An array of numbers as PostgreSQL reads it."""
    return f"{{{','.join(map(str, values))}}}"


def byte_strings(values: Iterable[bytes]) -> str:
    """An array of byte strings as PostgreSQL reads it."""
    quoted = [f'"\\\\x{value.hex()}"' for value in values]
    return f"{{{','.join(quoted)}}}"


def encoded(text: str) -> bytes:
    """A text as it is hashed: lone surrogates of broken mail among its characters."""
    return text.encode("utf-8", "surrogatepass")
