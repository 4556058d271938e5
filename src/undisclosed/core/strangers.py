# SPDX-License-Identifier: Apache-2.0
"""Who is still new to whom once Memory has answered.

``core.disclosure`` counts what is new without asking; circles and threads make some
of it known. People are taken together by the groups that they stand in, one union
for all that stand in the same ones, so that a thread of five thousand costs what a
thread of five does.
"""

from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from undisclosed.core.address import Address
from undisclosed.core.known import Known, People

Joined = TypeVar("Joined", bound=Hashable)

_NOBODY: People = frozenset()

Organisation = Callable[[Address], str | None]


def _nobody_s(address: Address) -> str | None:
    return None


@dataclass(frozen=True, slots=True)
class Strangers:
    """The outsiders of one mail, and what is known of them without asking.

    ``viewers`` are the outside viewers, its author and its sender left out: these know
    whom they write to. ``organisation`` names an outsider's organisation, None where
    a person stands alone. ``is_sensitive``: a sensitive list is touched, and nothing
    makes anybody known.
    """

    viewers: People = field(repr=False)
    organisation: Organisation = field(repr=False, default=_nobody_s)
    is_sensitive: bool = False

    def new(self, people: People, groups: Sequence[People]) -> tuple[People, int]:
        """Those who are new to a viewer although these groups know one another.

        With them the number of pairs (viewer, person) that are new.
        """
        groups = () if self.is_sensitive else groups
        new: set[Address] = set()
        pairs = 0
        for together, standing_in in _by_groups(people, groups):
            known: set[Address] = set().union(*standing_in)
            rest = self.viewers - known
            colleagues = Counter(map(self.organisation, rest))
            for person in together:
                viewers = len(rest) - self._known_without_asking(
                    person, rest, colleagues
                )
                if viewers:
                    new.add(person)
                    pairs += viewers
        return frozenset(new), pairs

    def _known_without_asking(
        self, person: Address, rest: People, colleagues: "Counter[str | None]"
    ) -> int:
        """How many of the rest know the person: themselves, and their colleagues."""
        organisation = self.organisation(person)
        if organisation is None or self.is_sensitive:
            return int(person in rest)
        return colleagues[organisation]


def counted(new: People, groups: Iterable[People], unseen: People = _NOBODY) -> People:
    """Those of the new people who count against the limit.

    Where a mail goes on with a circle or a thread, those count who join it: more of
    its people stand in the group than come to it. Else everybody who is new counts,
    and so where somebody ``unseen``, a viewer who stands in no field, is none of them.
    """
    bases = [group & new for group in groups if unseen <= group]
    most = max(map(len, bases), default=0)
    if 2 * most <= len(new):
        return new
    # Of several as large the same one is taken, in whatever order they come.
    return new - min((base for base in bases if len(base) == most), key=sorted)


def goes_on(new: People, group: People) -> bool:
    """Whether a mail with these new people goes on with this group."""
    return 2 * len(new & group) > len(new)


def joined_before(
    threads: Iterable[tuple[People, frozenset[Joined]]], shown: People
) -> frozenset[Joined]:
    """Whom our own mail brought into the threads that this mail goes on with.

    ``shown`` are those whom the mail newly shows. A thread is given with those who
    joined it, as whatever stands for them.
    """
    union: set[Joined] = set()
    for group, joined in threads:
        if goes_on(shown, group):
            union |= joined
    return frozenset(union)


def still_new(
    people: People, pairs: int, known: Known, strangers: Strangers
) -> tuple[People, int]:
    """Who of the people newly shown counts against the limit, and the new pairs.

    ``pairs`` are those that are new without asking.
    """
    groups = (*known.circles, *known.threads)
    if not groups or not people or strangers.is_sensitive:
        return people, pairs
    new, pairs = strangers.new(people, groups)
    return counted(new, groups, strangers.viewers - people), pairs


def _by_groups(
    people: People, groups: Sequence[People]
) -> list[tuple[list[Address], list[People]]]:
    """The people, those together who stand in the same groups, with these groups."""
    found: dict[tuple[int, ...], list[Address]] = {}
    if not groups:
        return [(list(people), [])]
    for person in people:
        mark = tuple(n for n, group in enumerate(groups) if person in group)
        found.setdefault(mark, []).append(person)
    return [(some, [groups[n] for n in mark]) for mark, some in found.items()]
