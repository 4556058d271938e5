# SPDX-License-Identifier: Apache-2.0
"""A campaign that is sent while its parts are killed, and the account of it.

By id: each person of the list is sent to, or the ledger says why not; whoever got it
more often than once had a row that was shown as in doubt. Used by the tests with some
kills and by ``bench.send`` with fifty.
"""

import json
import random
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from tests.acceptance.installation import Installation, until

PARTS = ("worker", "database", "hop", "second")
"""What is killed; ``second`` is another worker."""

SECOND = "second"
_STATES = (
    "SELECT state, count(*) FROM store_delivery WHERE campaign_id = %s GROUP BY state"
)
_ATTEMPTS = "SELECT number, attempts FROM store_delivery WHERE campaign_id = %s"
_SENT = "SELECT number FROM store_delivery WHERE campaign_id = %s AND state = 'sent'"
_DECIDED = """
SELECT coalesce(sum((facts->>'messages')::int), 0)::int FROM store_journalentry
 WHERE event = 'doubt decided' AND facts->>'campaign' = %s
"""
_STATE = "SELECT state, paused_because FROM store_campaign WHERE id = %s"


@dataclass(frozen=True, slots=True)
class Sent:
    """What became of a campaign over all kills.

    ``people`` stand on the approved list, ``states`` are the ledger's at the end.
    ``lost`` are those whom the ledger calls sent and the next hop never saw;
    ``doubled`` got it more than once, ``unexplained`` are those of them who got it
    more often than the ledger has attempts; ``doubted`` rows were shown as in doubt
    in nobody's hand, and decided. ``others`` are messages that showed an address of
    somebody else, or went to more than one.
    """

    kills: Counter[str]
    people: int
    states: Mapping[str, int]
    doubted: int
    lost: tuple[int, ...] = field(repr=False)
    doubled: tuple[int, ...] = field(repr=False)
    unexplained: tuple[int, ...] = field(repr=False)
    others: int

    def __str__(self) -> str:
        """The counts in one line."""
        kills = ", ".join(f"{n} {part}" for part, n in sorted(self.kills.items()))
        states = ", ".join(f"{n:,} {name}" for name, n in sorted(self.states.items()))
        return (
            f"{self.kills.total()} kills ({kills}); {self.people:,} people = {states}; "
            f"{self.doubted:,} were in doubt, {len(self.lost)} lost, "
            f"{len(self.doubled):,} doubled ({len(self.unexplained)} unexplained)"
        )


def kill_at_random(
    installation: Installation,
    campaign: str,
    *,
    people: int,
    kills: int,
    seed: int,
    pause: tuple[float, float],
    patience: float = 180,
) -> Sent:
    """Kill parts while the campaign leaves; then let it end."""
    chance, killed = random.Random(seed), Counter[str]()
    installation.start(SECOND, "worker")
    for number in range(kills):
        time.sleep(chance.uniform(*pause))
        part = PARTS[number % 4] if kills < 20 else chance.choice(PARTS)
        _kill(installation, part)
        killed[part] += 1
    _until_ended(installation, campaign, patience)
    return _account(installation, campaign, people, killed)


def _kill(installation: Installation, part: str) -> None:
    if part != SECOND:
        installation.kill(part)
        return
    installation.processes[SECOND].kill()
    installation.processes[SECOND].wait()
    installation.start(SECOND, "worker")


def _until_ended(installation: Installation, campaign: str, patience: float) -> None:
    def ended() -> bool:
        state, _ = installation.rows(_STATE, (campaign,))[0]
        if state == "paused":
            # A person looks, and lets it go on: they were refused, or are in doubt.
            installation.clerk("resume", campaign)
        return bool(state == "done")

    try:
        until(ended, "the campaign ends", patience)
    except AssertionError as error:
        states = installation.rows(_STATES, (campaign,))
        state = installation.rows(_STATE, (campaign,))
        log = installation.log.read_text()[-3000:]
        raise AssertionError(f"{error} {state} {states} {log}") from None


def _account(
    installation: Installation,
    campaign: str,
    people: int,
    killed: Counter[str],
) -> Sent:
    times, others = Counter[int](), 0
    for record in installation.taken():
        number = number_of(record["rcpts"])
        times[number] += 1
        others += record["content"].count("@people.example") != record["content"].count(
            f"p{number}@people.example"
        )
    attempts = dict(installation.rows(_ATTEMPTS, (campaign,)))
    sent = {row[0] for row in installation.rows(_SENT, (campaign,))}
    return Sent(
        kills=killed,
        people=people,
        states=dict(installation.rows(_STATES, (campaign,))),
        doubted=installation.rows(_DECIDED, (campaign,))[0][0],
        lost=tuple(sorted(sent - times.keys())),
        doubled=tuple(sorted(n for n, count in times.items() if count > 1)),
        unexplained=tuple(
            sorted(n for n, count in times.items() if count > attempts.get(n, 0))
        ),
        others=others,
    )


def number_of(recipients: list[str]) -> int:
    """The number of the one person that a message went to; 0 where it is not one."""
    if len(recipients) != 1:
        return 0
    name, _, domain = recipients[0].partition("@")
    return int(name[1:]) if domain == "people.example" else 0


def prepared(installation: Installation, people: int) -> str:
    """The id of a campaign to so many people that is being sent."""
    return str(json.loads(installation.clerk("campaign", str(people))))
