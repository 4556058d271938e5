# SPDX-License-Identifier: Apache-2.0
"""When a message was sent, as its header says it: Date, read liberally.

Archives hold every date that was ever written: RFC 5322 §3.3, the obsolete forms
of §4.3, the asctime of C, ISO 8601, years of two digits, names in full.
"""

import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta, timezone

from undisclosed.core.header import Field

_MONTHS = {
    name: number
    for number, name in enumerate(
        "jan feb mar apr may jun jul aug sep oct nov dec".split(), 1
    )
}
_ZONES = {"est": -5, "edt": -4, "cst": -6, "cdt": -5, "mst": -7, "mdt": -6}
_ZONES |= {"pst": -8, "pdt": -7, "cet": 1, "cest": 2, "mez": 1, "mesz": 2, "bst": 1}

_TIME = r"(?P<hour>\d{1,2})[:.](?P<minute>\d\d)(?:[:.](?P<second>\d\d))?(?:\.\d+)?"
_NOON = r"(?:\s*(?P<noon>[AaPp])\.?[Mm]\b\.?)?"
_ZONE = rf"{_NOON}\s*(?P<zone>[+-]\d\d:?\d\d|[A-Za-z]{{1,5}})?"
_MONTH = r"(?P<month>[A-Za-z]{3})[A-Za-z]*\.?"
_FORMS = tuple(
    re.compile(form)
    for form in (
        rf"\b(?P<day>\d{{1,2}})[ -]*{_MONTH}[ ,-]*(?P<year>\d{{2,4}})[ ,]+"
        rf"{_TIME}{_ZONE}",
        rf"\b{_MONTH} +(?P<day>\d{{1,2}}),? +{_TIME}(?:\s+(?P<zone>[A-Za-z]{{1,5}}"
        r"|[+-]\d{4}))?\s+(?P<year>\d{4})",
        rf"\b{_MONTH} +(?P<day>\d{{1,2}}),? +(?P<year>\d{{4}})[ ,]+{_TIME}{_ZONE}",
        rf"\b(?P<year>\d{{4}})-(?P<month>\d\d)-(?P<day>\d\d)[T ]+{_TIME}{_ZONE}",
    )
)
_LONGEST = 200  # characters: no date is longer


def sent_at(fields: Sequence[Field]) -> datetime | None:
    """When the message was sent (aware UTC), or None where nothing says so.

    The Date field counts; without a readable one, the time at the end of the
    oldest Received field (RFC 5321 §4.4) or of Resent-Date.
    """
    for text in _texts(fields):
        if (moment := parse_date(text)) is not None:
            return moment
    return None


def parse_date(text: str) -> datetime | None:
    """The first date in a text, aware UTC; None where there is none."""
    short = " ".join(text[:_LONGEST].split())
    for form in _FORMS:
        if (match := form.search(short)) and (moment := _moment(match)) is not None:
            return moment
    return None


def _texts(fields: Sequence[Field]) -> Iterator[str]:
    yield from (_text(field) for field in fields if field.name == "date")
    received = [field for field in fields if field.name == "received"]
    for field in reversed(received):
        yield _text(field).rpartition(";")[2]
    others = ("resent-date", "delivery-date")
    yield from (_text(field) for field in fields if field.name in others)


def _text(field: Field) -> str:
    return field.body.decode("latin-1")


def _moment(match: re.Match[str]) -> datetime | None:
    """The moment that a matched form names; None where no calendar has it."""
    try:
        local = datetime(
            _year(match["year"]),
            _month(match["month"]),
            int(match["day"]),
            _hour(match["hour"], match.groupdict().get("noon")),
            int(match["minute"]),
            min(int(match["second"] or 0), 59),  # a leap second is no second of ours
            tzinfo=_zone(match["zone"] or ""),
        )
        return local.astimezone(UTC)
    except (KeyError, ValueError, OverflowError):
        return None


def _year(digits: str) -> int:
    """The year; two and three digits as RFC 5322 §4.3 reads them."""
    year = int(digits)
    if len(digits) == 2:
        return year + (2000 if year < 50 else 1900)
    return year + 1900 if len(digits) == 3 else year


def _month(name: str) -> int:
    return int(name) if name.isdigit() else _MONTHS[name.lower()]


def _hour(digits: str, noon: str | None) -> int:
    hour = int(digits)
    if noon is None or hour > 12:
        return hour
    return hour % 12 + (12 if noon in "Pp" else 0)


def _zone(name: str) -> timezone:
    """The zone; one that nobody knows is UTC (RFC 5322 §4.3)."""
    if name[:1] in ("+", "-"):
        digits = name[1:].replace(":", "")
        offset = timedelta(hours=int(digits[:2]), minutes=int(digits[2:]))
        return timezone(offset if name[0] == "+" else -offset)
    return timezone(timedelta(hours=_ZONES.get(name.lower(), 0)))
