# SPDX-License-Identifier: Apache-2.0
"""Sends campaigns: one message, one envelope, one recipient, until all are done.

A worker claims rows of the ledger and hands them over (``send.batch``). After a crash
every row says what is known of it: queued, in doubt, or what the next hop said. First
one message leaves, then ten, then all; whatever is unexpected pauses the campaign.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

from undisclosed.core.campaign import CampaignState, DeliveryState, NoSuchStep
from undisclosed.errors import TransientError, UndisclosedError
from undisclosed.send.batch import Batch, Maker, Stopped
from undisclosed.send.connections import Connections
from undisclosed.send.draft import digest_of, from_json
from undisclosed.send.merge import Template, compile_draft
from undisclosed.send.rates import Rates
from undisclosed.send.seeding import Seeding
from undisclosed.send.settings import SendSettings
from undisclosed.send.tokens import Tokens
from undisclosed.store import campaign_findings, campaigns, doubt, ledger, lists
from undisclosed.store.campaigns import Campaign
from undisclosed.store.ledger import Claimed

STEPS = {1: 10, 10: 0}
"""How many may leave before that many were answered: one, then ten, then all (0)."""

MOST_FAILED_OF_TEN = 3
"""Refusals among the first ten that still are no reason to pause."""

WORKER = "worker"
_SOON = timedelta(seconds=30)
"""How often what is delayed, or was given back, is looked for among what is left;
and how long a campaign rests where nobody knows when it can go on.
"""

_LONGEST = 5.0
"""Seconds for which a campaign goes on before others are looked for."""

_LAST = 2**31 - 1
_MOST_MAKERS = 8

Hide = Callable[[Campaign, datetime], None]
"""Tells Memory that the people of a campaign are to stay hidden from each other."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Stepped:
    """What one step did: rows begun, and when there is more to do (None: unknown)."""

    begun: int
    again_at: datetime | None = None


class Sender:
    """One worker's sending. ``by`` names the worker; leases are in its name.

    ``hide`` is called before the first message of a campaign leaves, perhaps more
    than once; ``alive`` before each claim: it gives a sign of life. ``seeding`` says
    when the first message may leave.
    """

    def __init__(  # noqa: PLR0913 (everything that sending needs meets here)
        self,
        connections: Connections,
        tokens: Tokens,
        rates: Rates,
        settings: SendSettings,
        *,
        by: str,
        clock: Callable[[], datetime],
        hide: Hide | None = None,
        alive: Callable[[], None] | None = None,
        seeding: Seeding | None = None,
    ) -> None:
        self._connections = connections
        self._tokens = tokens
        self._rates = rates
        self._settings = settings
        self._by = by
        self._clock = clock
        self._hide = hide
        self._alive = alive
        self._seeding = seeding
        self._hidden: set[str] = set()
        self._places: dict[str, tuple[int, datetime]] = {}
        self._makers: dict[tuple[str, bytes | None], Maker] = {}

    async def send_due(self, stop: asyncio.Event) -> datetime | None:
        """Take every campaign on by turns until nothing is due; when something will be.

        Raises TransientError where the store is away.
        """
        try:
            return await self._send_due(stop)
        finally:
            self._connections.close()

    async def _send_due(self, stop: asyncio.Event) -> datetime | None:
        """A campaign that can do nothing now rests, and is not kept by the others."""
        resting: dict[str, datetime] = {}
        while not stop.is_set():
            now = self._clock()
            due = await asyncio.to_thread(campaigns.due, now)
            resting = {
                one: at for one, at in resting.items() if one in due and at > now
            }
            going = [one for one in due if one not in resting]
            if not going:
                break
            for campaign_id in going:
                if stop.is_set():
                    break
                stepped = await self.step(campaign_id, stop, is_alone=len(going) == 1)
                if not stepped.begun:
                    # It may have been paused and resumed between two looks.
                    again_at = stepped.again_at or self._clock() + _SOON
                    resting[campaign_id] = again_at
        return min(resting.values(), default=None)

    async def step(
        self,
        campaign_id: str,
        stop: asyncio.Event | None = None,
        *,
        is_alone: bool = False,
    ) -> Stepped:
        """Send as much of one campaign as may leave now, a batch at the most.

        Where it is alone, batches follow each other for some seconds. After ``stop``
        no more is begun. What is unexpected pauses the campaign. Raises
        TransientError.
        """
        try:
            return await self._step(campaign_id, stop, is_alone=is_alone)
        except TransientError:
            raise
        except UndisclosedError as error:
            # These sentences name fields and rows, never an address or a value.
            await asyncio.to_thread(self._pause, campaign_id, str(error))
        except Exception as error:
            name = type(error).__name__
            log.error("A campaign was paused: %s", name)
            because = f"Something unexpected happened ({name})."
            await asyncio.to_thread(self._pause, campaign_id, because)
        return Stepped(0)

    async def _step(
        self, campaign_id: str, stop: asyncio.Event | None, *, is_alone: bool
    ) -> Stepped:
        campaign = await asyncio.to_thread(self._ready, campaign_id)
        if campaign is None:
            return Stepped(0)
        if self._seeding is not None and campaign.step == 1:
            maker = await asyncio.to_thread(self._maker, campaign)
            seeds_at = await self._seeding.again_at(campaign, maker)
            if seeds_at is not None:
                return Stepped(0, seeds_at)
        claimed, again_at = await asyncio.to_thread(self._claim, campaign)
        if not claimed:
            if again_at is None:
                return await asyncio.to_thread(self._settle, campaign)
            return Stepped(0, again_at)
        try:
            more = self._following(campaign) if is_alone else None
            begun = await self._send(campaign, claimed, stop, more)
        finally:
            await asyncio.to_thread(ledger.give_back, campaign_id, by=self._by)
            await asyncio.to_thread(self._look, campaign_id)
        if begun and again_at is None:
            return Stepped(begun)
        return Stepped(0, again_at or self._clock() + self._settings.retry_after[0])

    async def _send(
        self,
        campaign: Campaign,
        claimed: Sequence[Claimed],
        stop: asyncio.Event | None,
        more: Callable[[], list[Claimed]] | None,
    ) -> int:
        maker = await asyncio.to_thread(self._maker, campaign)
        batch = Batch(
            campaign,
            claimed,
            maker,
            self._connections,
            self._settings,
            by=self._by,
            clock=self._clock,
            stop=stop,
        )
        return await batch.run(more)

    def _following(self, campaign: Campaign) -> Callable[[], list[Claimed]] | None:
        """What claims the next batch while one leaves; None where a rate or a step
        asks for a look at what became of this one first.
        """
        if campaign.step or campaign.per_minute or not self._rates.is_free:
            return None
        end = time.monotonic() + _LONGEST

        def following() -> list[Claimed]:
            self._look(campaign.id)
            now = self._ready(campaign.id) if time.monotonic() < end else None
            if now is None or now.digest != campaign.digest:
                return []
            return self._claim(now)[0]

        return following

    def _ready(self, campaign_id: str) -> Campaign | None:
        """The campaign where it may be sent now; begun where its time has come."""
        now = self._clock()
        campaign = campaigns.get(campaign_id)
        if campaign.state is CampaignState.SCHEDULED:
            if campaign.not_before is None or campaign.not_before > now:
                return None
            if not self._start(campaign, now):
                return None
            campaign = campaigns.get(campaign_id)
        if campaign.state is not CampaignState.SENDING:
            return None
        if campaign.not_after is not None and now >= campaign.not_after:
            self._pause(campaign_id, "The time in which it may be sent is over.")
            return None
        if self._alive is not None:
            self._alive()
        doubt.settle(campaign_id, campaign.in_doubt, now)
        if self._hide is not None and campaign.step == 1:
            if campaign_id not in self._hidden:
                self._hide(campaign, now)
            self._hidden.add(campaign_id)
        return campaign

    def _start(self, campaign: Campaign, now: datetime) -> bool:
        """Begin it; where it may not begin, it waits, and says why."""
        try:
            campaigns.start(campaign.id, by=WORKER, now=now)
        except NoSuchStep:
            return True  # another worker was first, or somebody stopped it
        except TransientError:
            raise
        except UndisclosedError as error:
            campaigns.explain(campaign.id, str(error), by=WORKER, now=now)
            return False
        return True

    def _claim(self, campaign: Campaign) -> tuple[list[Claimed], datetime | None]:
        """Rows in hand; and when to ask again, where a rate lets fewer leave now."""
        now = self._clock()
        claimed = self._next_rows(campaign, now)
        if not claimed:
            return [], None
        going, late = self._rates.by_domain(claimed, now)
        if late:
            until = now + timedelta(minutes=1)
            ledger.postpone(campaign.id, late, by=self._by, until=until)
        granted, again_at = self._rates.take(
            len(going), campaign.id, campaign.per_minute, now
        )
        if granted == len(going):
            return going, None
        others = going[granted:]
        self._rates.give_back(others, now)
        numbers = [one.number for one in others]
        ledger.postpone(campaign.id, numbers, by=self._by, until=None)
        return going[:granted], again_at

    def _next_rows(self, campaign: Campaign, now: datetime) -> list[Claimed]:
        """Rows from behind those that we had; now and then, and at the end, any.

        What was sent before lies in front of all that is left, and to pass it by costs
        the more the further the campaign is.
        """
        wanted = self._rates.most(self._settings.batch, campaign.per_minute)
        last = self._last(campaign)
        after, since = self._places.get(campaign.id, (0, now))
        if now - since >= _SOON:
            after, since = 0, now

        def claim(limit: int, after: int) -> list[Claimed]:
            return ledger.claim(
                campaign.id,
                by=self._by,
                limit=limit,
                lease=self._settings.lease,
                now=now,
                after=after,
                last=last,
            )

        claimed = claim(wanted, after)
        if after and len(claimed) < wanted:
            claimed += claim(wanted - len(claimed), 0)
            since = now
        if claimed:
            furthest = max(after, *(one.number for one in claimed))
            self._places[campaign.id] = (furthest, since)
        return sorted(claimed, key=lambda one: one.number)

    def _last(self, campaign: Campaign) -> int:
        """Only rows up to this number may leave in this step."""
        if not campaign.step:
            return _LAST
        return ledger.first(campaign.id, campaign.step)[0]

    def _look(self, campaign_id: str) -> bool:
        """After each batch: go a step further, or pause; whether it went further."""
        campaign = campaigns.get(campaign_id)
        if campaign.state is not CampaignState.SENDING:
            return False
        counts = ledger.counts(campaign_id)
        because = _why_paused(campaign, counts, self._settings)
        if because:
            self._pause(campaign_id, because)
            return False
        if not campaign.step:
            return False
        wanted = ledger.first(campaign_id, campaign.step)[1]
        if _tried(campaign, counts) < wanted:
            return False
        after = STEPS[campaign.step]
        campaigns.next_step(campaign_id, campaign.step, after, now=self._clock())
        return True

    def _settle(self, campaign: Campaign) -> Stepped:
        """Nothing could be claimed: done, in doubt, or something is due later."""
        now = self._clock()
        if self._look(campaign.id):
            return Stepped(1)
        step = ledger.left(campaign.id, now, self._last(campaign))
        if step.open and step.in_doubt == step.open:
            if not doubt.is_for_people(campaign.id, campaign.in_doubt):
                return Stepped(0, now + doubt.SETTLED_AFTER)
            because = f"{step.open:,} are in doubt: a person has to decide."
            self._pause(campaign.id, because)
            return Stepped(0)
        left = ledger.left(campaign.id, now)
        if left.open:
            due = max(step.next_at or now + _SOON, now + timedelta(seconds=1))
            return Stepped(0, due)
        total = sum(ledger.counted(campaign.id).values())
        if total == campaign.recipients:
            with suppress(NoSuchStep):  # somebody cancelled it meanwhile
                campaigns.finish(campaign.id, now=now)
        else:
            self._pause(
                campaign.id,
                f"The ledger has {total:,} rows, the approved list "
                f"{campaign.recipients:,} people.",
            )
        return Stepped(0)

    def _pause(self, campaign_id: str, because: str) -> None:
        campaigns.pause(campaign_id, because, by=WORKER, now=self._clock())

    def _maker(self, campaign: Campaign) -> Maker:
        """What makes its messages; approved, it does not change any more."""
        key = (campaign.id, campaign.digest)
        if key not in self._makers:
            while len(self._makers) >= _MOST_MAKERS:
                del self._makers[next(iter(self._makers))]
            self._makers[key] = Maker(
                campaign, self._template(campaign), self._tokens, self._settings
            )
        return self._makers[key]

    def _template(self, campaign: Campaign) -> Template:
        text = campaigns.text_of(campaign.id)
        if text is None or campaign.list_id is None:
            raise Stopped("The campaign has no text or no list.")
        draft = from_json(text, campaigns.files_of(campaign.id))
        digest = digest_of(
            draft,
            list_id=campaign.list_id,
            list_version=campaign.list_version,
            recipients=campaign.recipients,
            findings=[campaign_findings.facts(one) for one in campaign.findings],
        )
        if digest != campaign.digest:
            raise Stopped("It is not what was approved.")
        columns = lists.columns(campaign.list_id)
        return compile_draft(draft, columns, hostname=self._settings.hostname)


def _tried(campaign: Campaign, counts: Mapping[DeliveryState, int]) -> int:
    """How many of a step count as tried: of ten, a few may still be delayed."""
    delayed = counts.get(DeliveryState.DELAYED, 0) if campaign.step > 1 else 0
    return _answered(counts) + min(delayed, MOST_FAILED_OF_TEN)


def _answered(counts: Mapping[DeliveryState, int]) -> int:
    final = (DeliveryState.SENT, DeliveryState.DELIVERED, DeliveryState.FAILED)
    return sum(counts.get(state, 0) for state in final)


def _why_paused(
    campaign: Campaign, counts: Mapping[DeliveryState, int], settings: SendSettings
) -> str:
    """Why a person has to look before more leaves; empty where nobody has to."""
    failed, answered = counts.get(DeliveryState.FAILED, 0), _answered(counts)
    if campaign.step == 1 and failed:
        return "The first message was refused."
    if campaign.step == 10 and failed > MOST_FAILED_OF_TEN:
        return f"{failed} of the first ten messages were refused."
    is_much = failed > settings.fewest_failures
    if is_much and failed > settings.worst_share * answered:
        return f"{failed:,} of {answered:,} messages were refused."
    return ""
