# SPDX-License-Identifier: Apache-2.0
"""From bytes to be cut to header fields to be deleted, and whether that is the same.

A milter names a field by its name and its number among those of that name. The MTA
counts anew after each deletion, so the last one goes first: deleting the first and
then the second of two To fields leaves the second in place.
"""

from collections import Counter, defaultdict
from collections.abc import Sequence
from itertools import accumulate

from undisclosed.core.verdict import Removal
from undisclosed.transport.milter.responses import Deletion


def deletions_of(
    fields: Sequence[bytes], removals: Sequence[Removal]
) -> tuple[Deletion, ...] | None:
    """The deletions that take these removals out, the last field first.

    ``fields`` are the message's as they came, and begin its content. None where a
    removal is not a field whole, and where doing what the MTA does would not leave
    exactly the other fields.
    """
    doomed = _places(fields, removals)
    if doomed is None:
        return None
    numbers: Counter[bytes] = Counter()
    found: list[Deletion] = []
    for place, one in enumerate(fields):
        name = _name(one)
        numbers[name.lower()] += 1
        if place in doomed:
            found.append(Deletion(name, numbers[name.lower()]))
    found.reverse()
    kept = [one for place, one in enumerate(fields) if place not in doomed]
    return tuple(found) if remaining(fields, found) == kept else None


def remaining(fields: Sequence[bytes], deletions: Sequence[Deletion]) -> list[bytes]:
    """The fields that an MTA is left with after these deletions, done one by one."""
    places: defaultdict[bytes, list[int]] = defaultdict(list)
    for place, one in enumerate(fields):
        places[_name(one).lower()].append(place)
    for deletion in deletions:
        same = places[deletion.name.lower()]
        if deletion.number <= len(same):
            del same[deletion.number - 1]
    left = sorted(place for same in places.values() for place in same)
    return [fields[place] for place in left]


def _places(fields: Sequence[bytes], removals: Sequence[Removal]) -> set[int] | None:
    """Which fields the removals are; None where one is no field whole."""
    ends = list(accumulate(len(one) for one in fields))
    starts = [end - len(one) for end, one in zip(ends, fields, strict=True)]
    spans = {span: place for place, span in enumerate(zip(starts, ends, strict=True))}
    found = {spans.get((removal.start, removal.end), -1) for removal in removals}
    return None if -1 in found else found


def _name(one: bytes) -> bytes:
    return one.partition(b":")[0].rstrip(b" \t")
