# SPDX-License-Identifier: Apache-2.0
"""How much of what mail servers really send back is understood: beside flufl.bounce.

Public collections of reports, each with what somebody else found in it: Sisimai's
own expectations, the output of Mail::DeliveryStatus::BounceParser, and flufl.bounce's
own test data. Nothing of ours stands in these messages, so what is measured is the
reading alone; whose delivery a report is about is told by our tokens, which are there
or not.

The table goes into ``docs/reference/bounces.md``.
"""

import email
import json
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flufl.bounce import all_failures

from bench.corpus import REALMAIL, NoCorpus
from bench.row import Row
from undisclosed.core.returns import ReturnKind
from undisclosed.send.return_reading import Returned, read_return

BOUNCES = REALMAIL.parent / "bounces"
PAGE = Path(__file__).parents[1] / "docs" / "reference" / "bounces.md"
_TABLE = re.compile(r"(?<=<!-- measured -->\n).*?(?=<!-- end -->)", re.DOTALL)

KINDS = {
    "feedback": ReturnKind.COMPLAINT,
    "vacation": ReturnKind.AUTO_REPLY,
    "delivered": ReturnKind.DELIVERED,
}
"""Sisimai's reasons that are no bounce."""

_WORDS = "what reports say in words alone"
_OWN = "the peer's own data: a bounce in which it finds nobody counts as none"
_BOUNCE = (ReturnKind.FAILED, ReturnKind.DELAYED)
_SISIMAI, _PARSER, _FLUFL = "sisimai", "bounceparser", "flufl"


@dataclass(slots=True)
class Question:
    """One question to a collection: how many messages, who answered how many right."""

    text: str
    is_its_own: bool = False
    asked: int = 0
    ours: int = 0
    peer: int = 0

    def count(self, ours: bool, peer: bool) -> None:
        """One more message."""
        self.asked += 1
        self.ours += ours
        self.peer += peer


@dataclass(frozen=True, slots=True)
class Found:
    """What flufl.bounce found: the addresses that failed for now, and for good."""

    temporary: frozenset[str]
    permanent: frozenset[str]

    @property
    def all(self) -> frozenset[str]:
        """Both."""
        return self.temporary | self.permanent


def rows(*, quick: bool) -> Iterator[Row]:
    """The share that is understood of each collection; writes the table."""
    if not BOUNCES.is_dir():
        raise NoCorpus
    expected = json.loads((BOUNCES / "expected.json").read_text("utf-8"))
    questions = [
        *_sisimai(_section(expected, _SISIMAI)),
        *_parser(_section(expected, _PARSER)),
        *_flufl(_section(expected, _FLUFL)),
    ]
    for question in questions:
        yield Row(
            name=f"returned mail: {question.text}",
            unit="%",
            ours=100 * question.ours / question.asked,
            peer=100 * question.peer / question.asked,
            peer_name="flufl.bounce",
            target="no less than flufl.bounce alone",
            is_met=None if question.is_its_own else question.ours >= question.peer,
            bounded_by=_OWN if question.is_its_own else _WORDS,
        )
    number, slowest, mean = _times()
    yield Row(
        name="returned mail: reading one report",
        unit="ms",
        ours=1000 * mean,
        bounded_by=f"the slowest of {number} took {1000 * slowest:.0f} ms",
    )
    _write(questions, number)


def _section(expected: dict[str, Any], name: str) -> dict[str, Any]:
    """The section whose name begins so, with what an output or an upstream says."""
    found = [key for key in expected if re.match(rf"{name} \(", key)]
    return dict(expected[found[0]])


def _sisimai(expected: dict[str, Any]) -> list[Question]:
    kind = Question("what it is (Sisimai)")
    lasts = Question("whether it lasts (Sisimai)")
    for content, wanted in _read(BOUNCES / "sisimai" / "bsd", expected):
        ours, peer = read_return(content), _peer(content)
        reason = KINDS.get(wanted[0]["reason"])
        if reason is not None:
            kind.count(ours.kind is reason, not peer.all)
            continue
        kind.count(ours.kind in _BOUNCE, bool(peer.all))
        is_lasting = ours.kind is ReturnKind.FAILED and ours.cause.is_lasting
        is_hard = bool(wanted[0]["hard"])
        lasts.count(is_lasting is is_hard, bool(peer.permanent) is is_hard)
    return [kind, lasts]


def _parser(expected: dict[str, Any]) -> list[Question]:
    kind = Question("bounce or not (BounceParser)")
    who = Question("whom it names (BounceParser)")
    for content, wanted in _read(BOUNCES / "bounceparser", expected):
        ours, peer = read_return(content), _peer(content)
        is_bounce = bool(wanted["is_bounce"])
        kind.count((ours.kind in _BOUNCE) is is_bounce, bool(peer.all) is is_bounce)
        if is_bounce and wanted["addresses"]:
            named = {one.lower() for one in wanted["addresses"]}
            who.count(named <= _people(ours), named <= peer.all)
    return [kind, who]


def _flufl(expected: dict[str, Any]) -> list[Question]:
    kind = Question("for now or for good (flufl.bounce's own)", is_its_own=True)
    for content, wanted in _read(BOUNCES / "flufl", expected):
        ours, peer = read_return(content), _peer(content)
        right = _right(wanted)
        is_right = ours.kind is right if right else ours.kind not in _BOUNCE
        is_same = peer.permanent == {one.lower() for one in wanted["permanent"]}
        kind.count(is_right, is_same)
    return [kind]


def _right(wanted: dict[str, Any]) -> ReturnKind | None:
    """What flufl.bounce's own data say; None where it is no bounce."""
    if wanted["permanent"]:
        return ReturnKind.FAILED
    return ReturnKind.DELAYED if wanted["temporary"] else None


def _read(folder: Path, expected: dict[str, Any]) -> Iterator[tuple[bytes, Any]]:
    for name, wanted in sorted(expected.items()):
        yield (folder / name).read_bytes(), wanted


def _people(returned: Returned) -> set[str]:
    return {one.spelled_out().lower() for one in returned.people}


def _peer(content: bytes) -> Found:
    try:
        temporary, permanent = all_failures(email.message_from_bytes(content))
    except Exception:
        return Found(frozenset(), frozenset())
    return Found(_texts(temporary), _texts(permanent))


def _texts(found: Any) -> frozenset[str]:
    return frozenset(one.decode("utf-8", "replace").lower() for one in found)


def _times() -> tuple[int, float, float]:
    """How many messages there are in all, the slowest, and the mean, in seconds."""
    times = []
    for file in sorted(BOUNCES.rglob("*")):
        if file.is_file() and file.suffix not in (".json", ".jsonl", ".md"):
            content = file.read_bytes()
            began = time.perf_counter()
            read_return(content)
            times.append(time.perf_counter() - began)
    return len(times), max(times), sum(times) / len(times)


def _write(questions: list[Question], number: int) -> None:
    """Put the table into its page."""
    lines = [
        "| question | messages | ours | flufl.bounce alone |",
        "|---|---:|---:|---:|",
    ]
    lines += [
        f"| {one.text} | {one.asked} | {_share(one.ours, one.asked)} "
        f"| {_share(one.peer, one.asked)} |"
        for one in questions
    ]
    lines.append(f"\nOf all {number} messages of the collections none raises.\n")
    page = PAGE.read_text(encoding="utf-8")
    PAGE.write_text(
        _TABLE.sub(lambda _: "\n".join(lines), page, count=1), encoding="utf-8"
    )


def _share(part: int, whole: int) -> str:
    return f"{100 * part / whole:.1f} %"
