# SPDX-License-Identifier: Apache-2.0
"""A Memory that forgets: what the guard's tests stand on (see ``guard.testing``)."""

import threading
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from undisclosed.core.address import Address
from undisclosed.core.held import Reservation, WaveState
from undisclosed.core.known import HiddenAudience, Known, MailingSoFar, People
from undisclosed.core.mailing import SIMILARITY, Wave
from undisclosed.core.strangers import joined_before
from undisclosed.errors import TransientError
from undisclosed.guard.states import WAVE_TRANSITIONS

_FEWEST = 2


@dataclass(slots=True)
class _Place:
    id: str
    mailing_id: str
    wave: Wave
    at: datetime
    joined: People = field(repr=False, default=frozenset())
    state: WaveState = WaveState.RESERVED
    was_held: bool = False

    def counts(self) -> bool:
        return self.state is not WaveState.CANCELLED


class ForgetfulMemory:
    """A Memory that compares shingles one by one and hashes nothing.

    ``circles`` and ``controlled`` are what approvers declared: set them as you need.
    """

    def __init__(self) -> None:
        self.is_away = False
        self.circles: list[People] = []
        self.controlled: set[Address] = set()
        self._lock = threading.Lock()
        self._places: list[_Place] = []
        self._threads: dict[People, People] = {}
        self._hidden: dict[People, bool] = {}

    def reserve(self, wave: Wave, *, window: timedelta, now: datetime) -> Reservation:
        """A place for this mail; see the port."""
        with self._lock:
            self._be_there()
            threads = self._threads_of(wave)
            before = (
                frozenset[Address]()
                if wave.strangers.is_sensitive
                else joined_before(threads, wave.people)
            )
            known = self._known(wave, threads)
            wave = wave.with_known(known)
            place = self._place_of(wave, before, window, now)
            self._hide(wave.hidden, wave.strangers.is_sensitive)
            return Reservation(
                place.id,
                replace(
                    known,
                    mailing=self._mailing_of(place),
                    joined=len(before - wave.people),
                ),
            )

    def settle(self, reservation_id: str, state: WaveState) -> None:
        """What became of the mail; see the port."""
        with self._lock:
            self._be_there()
            for place in self._places:
                if (
                    place.id == reservation_id
                    and state in WAVE_TRANSITIONS[place.state]
                ):
                    place.state = state
                    place.was_held |= state is WaveState.HELD
                    self._make_thread(place)

    def hide(
        self, people: Iterable[Address], *, is_sensitive: bool, now: datetime
    ) -> None:
        """Remember a hidden audience; see the port."""
        with self._lock:
            self._be_there()
            self._hide(frozenset(people), is_sensitive)

    def learn(self, people: Iterable[Address], *, now: datetime) -> None:
        """Remember a thread that is not ours; see the port."""
        with self._lock:
            self._be_there()
            group = frozenset(people)
            if len(group) >= _FEWEST:
                self._threads.setdefault(group, frozenset())

    def state(self, reservation_id: str) -> WaveState:
        """Where a place is, for assertions."""
        return next(p.state for p in self._places if p.id == reservation_id)

    def states(self) -> list[WaveState]:
        """Where every place is, in the order of reserving."""
        return [place.state for place in self._places]

    def hidden(self) -> list[People]:
        """Every hidden audience, for assertions."""
        return list(self._hidden)

    def threads(self) -> list[People]:
        """Every thread, for assertions."""
        return list(self._threads)

    def _be_there(self) -> None:
        if self.is_away:
            raise TransientError("Memory is away.")

    def _known(self, wave: Wave, threads: list[tuple[People, People]]) -> Known:
        circles = (wave.asked & circle for circle in self.circles)
        hidden = [
            HiddenAudience(wave.asked & people, is_sensitive)
            for people, is_sensitive in self._hidden.items()
        ]
        return Known(
            recalled=self._is_recall(wave),
            circles=tuple(circle for circle in circles if len(circle) >= _FEWEST),
            threads=tuple(group for group, _ in threads),
            hidden=tuple(one for one in hidden if len(one.people) >= _FEWEST),
            is_controlled=not self.controlled.isdisjoint(wave.authors),
        )

    def _threads_of(self, wave: Wave) -> list[tuple[People, People]]:
        found = ((wave.asked & group, who) for group, who in self._threads.items())
        return [(group, who) for group, who in found if len(group) >= _FEWEST]

    def _hide(self, people: People, is_sensitive: bool) -> None:
        if len(people) >= _FEWEST:
            self._hidden[people] = is_sensitive or self._hidden.get(people, False)

    def _make_thread(self, place: _Place) -> None:
        """Who was shown together knows one another from now on."""
        wave = place.wave
        is_shown = place.state is WaveState.SHOWN and not wave.is_observed
        if not is_shown or len(wave.thread) < _FEWEST:
            return
        if place.was_held:  # an approver released it
            self._threads[wave.thread] = frozenset()
        else:
            self._threads.setdefault(wave.thread, place.joined | wave.people)

    def _place_of(
        self, wave: Wave, joined: People, window: timedelta, now: datetime
    ) -> _Place:
        for place in self._places:
            if place.wave.digest == wave.digest:
                if place.state is WaveState.CANCELLED:
                    place.state = WaveState.RESERVED
                return place
        number = len(self._places) + 1
        mailing_id = self._mailing_id(wave, window, now) or f"mailing-{number}"
        place = _Place(f"place-{number}", mailing_id, wave, now, joined)
        self._places.append(place)
        return place

    def _mailing_id(self, wave: Wave, window: timedelta, now: datetime) -> str | None:
        recent = [place for place in self._places if now - place.at <= window]
        for place in recent:
            if _is_same_message(place.wave, wave):
                return place.mailing_id
        alike = [place for place in recent if _is_same_mailing(place.wave, wave)]
        return alike[-1].mailing_id if alike else None

    def _mailing_of(self, place: _Place) -> MailingSoFar:
        waves = [
            other.wave
            for other in self._places
            if other.mailing_id == place.mailing_id and other.counts()
        ]
        people: frozenset[Address] = frozenset().union(*(w.people for w in waves))
        disclosures = sum(wave.disclosures for wave in waves)
        return MailingSoFar(place.mailing_id, len(people), disclosures, len(waves))

    def _is_recall(self, wave: Wave) -> bool:
        return wave.recalls is not None and any(
            place.wave.recalls is None  # neither itself nor an earlier recall
            and place.wave.sender == wave.sender
            and place.wave.subject == wave.recalls
            and not place.wave.audience.isdisjoint(wave.audience)
            for place in self._places
        )


def _is_same_message(one: Wave, other: Wave) -> bool:
    is_named = bool(one.message_id) and one.message_id == other.message_id
    return is_named and one.sender == other.sender


def _is_same_mailing(one: Wave, other: Wave) -> bool:
    if not (one.adds_up and other.adds_up and one.sender == other.sender):
        return False
    together = len(one.shingles | other.shingles)
    return len(one.shingles & other.shingles) >= SIMILARITY * together
