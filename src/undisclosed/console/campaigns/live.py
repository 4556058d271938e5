# SPDX-License-Identifier: Apache-2.0
"""A campaign while it is being sent: counts, speed and pictures, from the tally.

Nothing here grows with the list: the database keeps the counts beside the ledger.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from undisclosed.console.picture import Part, Piece, pieces
from undisclosed.console.templatetags.console import count
from undisclosed.core.campaign import CampaignState, DeliveryState
from undisclosed.store import campaign_tally, seeds
from undisclosed.store.campaign_tally import Times
from undisclosed.store.campaigns import Campaign

MOST_BARS: Final = 60
MOST_DOMAINS: Final = 12
_SPEED_OVER: Final = timedelta(minutes=5)
_HEIGHT: Final = 100.0

_D = DeliveryState
_SENT = (_D.SENT, _D.DELIVERED)
_OPEN = (_D.QUEUED, _D.DELAYED, _D.IN_DOUBT)


@dataclass(frozen=True, slots=True)
class Bar:
    """So many sent and failed from ``at`` on; heights in parts of a hundred."""

    at: datetime
    sent: int
    failed: int
    x: str
    width: str
    sent_y: str
    sent_height: str
    failed_y: str
    failed_height: str


@dataclass(frozen=True, slots=True)
class DomainRow:
    """One domain, or all that few people share: counts and its bar."""

    name: str
    sent: int
    failed: int
    open: int
    pieces: tuple[Piece, ...]
    sentence: str

    @property
    def total(self) -> int:
        """Everybody at it who is not suppressed."""
        return self.sent + self.failed + self.open


@dataclass(frozen=True, slots=True)
class Live:
    """What the page shows and asks for again while ``is_moving``."""

    sentence: str
    pieces: tuple[Piece, ...]
    counts: tuple[tuple[DeliveryState, int], ...]
    total: int
    per_minute: int
    time_left: str
    bars: tuple[Bar, ...]
    span: timedelta
    domains: tuple[DomainRow, ...]
    in_doubt: int
    is_moving: bool
    seeds_travel: bool = False

    @property
    def ends_at(self) -> datetime | None:
        """When the last bar ends."""
        return self.bars[-1].at + self.span if self.bars else None

    @property
    def scale(self) -> str:
        """What the highest bar stands for."""
        highest = max((bar.sent + bar.failed for bar in self.bars), default=0)
        minutes = self.span // timedelta(minutes=1)
        return ngettext(
            "highest: %(number)s in a minute",
            "highest: %(number)s in %(minutes)s minutes",
            minutes,
        ) % {"number": count(highest), "minutes": count(minutes)}


def live_of(found: Campaign, now: datetime) -> Live | None:
    """Where the deliveries are; None before the campaign began."""
    if found.started_at is None:
        return None
    since = _since(found, now)
    tally = campaign_tally.of(found.id, since.replace(second=0, microsecond=0))
    counts = tally.counts
    total = sum(counts.values())
    sent, failed, waiting = _three(counts)
    speed = _speed(tally.latest, since, now)
    span, bars = _bars(tally.by_time, tally.step)
    moving = found.state is CampaignState.SENDING
    parts = (Part(sent, "safe"), Part(failed, "seen"), Part(waiting, "wait"))
    return Live(
        sentence=_sentence(sent, failed, total, counts),
        pieces=pieces(parts, whole=total),
        counts=tuple((state, counts[state]) for state in _D if counts.get(state)),
        total=total,
        per_minute=speed if moving else 0,
        time_left=_time_left(waiting, speed) if moving else "",
        bars=bars,
        span=span,
        domains=_domains(tally.by_domain),
        in_doubt=counts.get(_D.IN_DOUBT, 0),
        is_moving=moving,
        seeds_travel=moving and found.step == 1 and _seeds_travel(found.id),
    )


def _seeds_travel(campaign_id: str) -> bool:
    """Whether its first message waits for what went to the seed boxes."""
    last = seeds.of(campaign_id)
    return last is not None and last.state is seeds.SeedState.TRAVELLING


def _three(counts: Mapping[DeliveryState, int]) -> tuple[int, int, int]:
    sent = sum(counts.get(state, 0) for state in _SENT)
    waiting = sum(counts.get(state, 0) for state in _OPEN)
    return sent, counts.get(_D.FAILED, 0), waiting


def _sentence(
    sent: int, failed: int, total: int, counts: Mapping[DeliveryState, int]
) -> str:
    said = ngettext(
        "%(sent)s of %(total)s message sent",
        "%(sent)s of %(total)s messages sent",
        total,
    ) % {"sent": count(sent), "total": count(total)}
    more = [
        (counts.get(_D.DELIVERED, 0), _("%(number)s of them known to be delivered")),
        (failed, _("%(number)s failed")),
        (counts.get(_D.DELAYED, 0), _("%(number)s delayed")),
        (counts.get(_D.IN_DOUBT, 0), _("%(number)s in doubt")),
        (counts.get(_D.SUPPRESSED, 0), _("%(number)s suppressed")),
    ]
    rest = [words % {"number": count(number)} for number, words in more if number]
    return ", ".join((said, *rest)) + "."


def _since(found: Campaign, now: datetime) -> datetime:
    """From when on its speed is measured."""
    return max(now - _SPEED_OVER, found.started_at or now)


def _speed(latest: Times, since: datetime, now: datetime) -> int:
    """Answers in a minute, over the last five."""
    span = max((now - since) / timedelta(minutes=1), 1.0)
    return round(sum(number for _, _, number in latest) / span)


def _time_left(waiting: int, per_minute: int) -> str:
    if not waiting or not per_minute:
        return ""
    minutes = -(-waiting // per_minute)
    if minutes < 120:
        return ngettext(
            "about %(number)s minute left", "about %(number)s minutes left", minutes
        ) % {"number": count(minutes)}
    hours = round(minutes / 60)
    return ngettext(
        "about %(number)s hour left", "about %(number)s hours left", hours
    ) % {"number": count(hours)}


def _bars(
    times: Times, step: timedelta = timedelta(minutes=1)
) -> tuple[timedelta, tuple[Bar, ...]]:
    """At most sixty bars over the whole time, each of so many whole steps."""
    if not times:
        return timedelta(0), ()
    first, last = times[0][0], times[-1][0]
    whole = (last - first) // step + 1
    each = -(-whole // MOST_BARS)
    span, slots = each * step, -(-whole // each)
    sent, failed = Counter[int](), Counter[int]()
    for at, state, number in times:
        of = failed if state is _D.FAILED else sent
        of[(at - first) // span] += number
    highest = max(max(sent[i], 0) + max(failed[i], 0) for i in range(slots)) or 1
    return span, tuple(
        _bar(first + i * span, i, slots, (sent[i], failed[i]), highest)
        for i in range(slots)
    )


def _bar(
    at: datetime, place: int, slots: int, of: tuple[int, int], highest: int
) -> Bar:
    """One bar: what failed stands on what was sent."""
    sent, failed = max(of[0], 0), max(of[1], 0)
    low, high = _HEIGHT * sent / highest, _HEIGHT * failed / highest
    width = 600 / slots
    return Bar(
        at,
        sent,
        failed,
        f"{place * width:.2f}",
        f"{width * 0.86:.2f}",
        f"{_HEIGHT - low:.2f}",
        f"{low:.2f}",
        f"{_HEIGHT - low - high:.2f}",
        f"{high:.2f}",
    )


def _domains(
    rows: Iterable[tuple[str, DeliveryState, int]],
) -> tuple[DomainRow, ...]:
    """The domains of the most people, then all others together."""
    by_name: dict[str, Counter[DeliveryState]] = {}
    for name, state, number in rows:
        by_name.setdefault(name, Counter())[state] += number
    rest = by_name.pop("", Counter())
    largest = sorted(by_name, key=lambda name: (-by_name[name].total(), name))
    for name in largest[MOST_DOMAINS:]:
        rest += by_name[name]
    shown = [(name, by_name[name]) for name in largest[:MOST_DOMAINS]]
    if rest.total():
        shown.append((_("all others"), rest))
    most = max((sum(_three(counts)) for _, counts in shown), default=0)
    return tuple(_domain(name, counts, most) for name, counts in shown)


def _domain(name: str, counts: Mapping[DeliveryState, int], most: int) -> DomainRow:
    sent, failed, waiting = _three(counts)
    parts = (Part(sent, "safe"), Part(failed, "seen"), Part(waiting, "wait"))
    said = _("%(sent)s sent, %(failed)s failed, %(open)s waiting") % {
        "sent": count(sent),
        "failed": count(failed),
        "open": count(waiting),
    }
    return DomainRow(
        name, sent, failed, waiting, pieces(parts, whole=most), f"{name}: {said}"
    )
