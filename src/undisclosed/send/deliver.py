# SPDX-License-Identifier: Apache-2.0
"""Sends campaigns: one message, one envelope, one recipient, until all are done.

A worker claims rows of the ledger and hands them over (``send.batch``). After a crash
every row says what is known of it: queued, in doubt, or what the next hop said. First
one message leaves, then ten, then all; whatever is unexpected pauses the campaign.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from undisclosed.core.campaign import CampaignState, DeliveryState
from undisclosed.send.batch import Batch, Maker, Stopped
from undisclosed.send.connections import Connections
from undisclosed.send.draft import from_json
from undisclosed.send.merge import Template, compile_draft
from undisclosed.send.rates import Rates
from undisclosed.send.settings import SendSettings
from undisclosed.send.template import RowUnfit, TemplateError
from undisclosed.send.tokens import Tokens
from undisclosed.send.wire_check import SomebodyElse
from undisclosed.store import campaigns, ledger, lists
from undisclosed.store.campaigns import Campaign
from undisclosed.store.ledger import Claimed

STEPS = {1: 10, 10: 0}
"""How many may leave before that many were answered: one, then ten, then all (0)."""

MOST_FAILED_OF_TEN = 3
"""Refusals among the first ten that still are no reason to pause."""

WORKER = "worker"
_SOON = timedelta(seconds=30)
_DOUBT = {"resend": DeliveryState.QUEUED, "sent": DeliveryState.SENT}


@dataclass(frozen=True, slots=True)
class Stepped:
    """What one step did: rows begun, and when there is more to do (None: unknown)."""

    begun: int
    again_at: datetime | None = None


class Sender:
    """One worker's sending. ``by`` names the worker; leases are in its name."""

    def __init__(
        self,
        connections: Connections,
        tokens: Tokens,
        rates: Rates,
        settings: SendSettings,
        *,
        by: str,
        clock: Callable[[], datetime],
    ) -> None:
        self._connections = connections
        self._tokens = tokens
        self._rates = rates
        self._settings = settings
        self._by = by
        self._clock = clock
        self._makers: dict[tuple[str, bytes | None], Maker] = {}

    async def send_due(self, stop: asyncio.Event) -> datetime | None:
        """Take every campaign on until nothing is due; when something will be.

        Raises TransientError where the store is away.
        """
        earliest: datetime | None = None
        for campaign_id in await asyncio.to_thread(campaigns.due, self._clock()):
            stepped = Stepped(1)
            while stepped.begun and not stop.is_set():
                stepped = await self.step(campaign_id)
            if stepped.again_at is not None:
                earliest = min(earliest or stepped.again_at, stepped.again_at)
        return earliest

    async def step(self, campaign_id: str) -> Stepped:
        """Send as much of one campaign as may leave now, a batch at the most."""
        campaign = await asyncio.to_thread(self._ready, campaign_id)
        if campaign is None:
            return Stepped(0)
        claimed, again_at = await asyncio.to_thread(self._claim, campaign)
        if not claimed:
            if again_at is None:
                again_at = await asyncio.to_thread(self._settle, campaign)
            return Stepped(0, again_at)
        try:
            return await self._send(campaign, claimed)
        finally:
            await asyncio.to_thread(ledger.give_back, campaign_id, by=self._by)
            await asyncio.to_thread(self._look, campaign_id)

    async def _send(self, campaign: Campaign, claimed: Sequence[Claimed]) -> Stepped:
        try:
            maker = await asyncio.to_thread(self._maker, campaign)
            batch = Batch(
                campaign,
                claimed,
                maker,
                self._connections,
                self._settings,
                by=self._by,
                clock=self._clock,
            )
            begun = await batch.run()
            wait = self._settings.retry_after[0]
            return Stepped(begun, None if begun else self._clock() + wait)
        except (SomebodyElse, Stopped, RowUnfit, TemplateError) as error:
            # These sentences name fields and rows, never an address or a value.
            await asyncio.to_thread(self._pause, campaign.id, str(error))
            return Stepped(0)

    def _ready(self, campaign_id: str) -> Campaign | None:
        """The campaign where it may be sent now; begun where its time has come."""
        now = self._clock()
        campaign = campaigns.get(campaign_id)
        if campaign.state is CampaignState.SCHEDULED:
            if campaign.not_before is None or campaign.not_before > now:
                return None
            campaigns.start(campaign_id, by=WORKER, now=now)
            campaign = campaigns.get(campaign_id)
        if campaign.state is not CampaignState.SENDING:
            return None
        if campaign.not_after is not None and now >= campaign.not_after:
            self._pause(campaign_id, "The time in which it may be sent is over.")
            return None
        if campaign.in_doubt in _DOUBT:
            after = _DOUBT[campaign.in_doubt]
            ledger.settle_doubt(campaign_id, after, now, reason=campaign.in_doubt)
        return campaign

    def _claim(self, campaign: Campaign) -> tuple[list[Claimed], datetime | None]:
        now = self._clock()
        wanted = min(self._settings.batch, _most(campaign))
        if wanted <= 0:
            return [], None
        granted, again_at = self._rates.take(
            wanted, campaign.id, campaign.per_minute, now
        )
        if not granted:
            return [], again_at
        lease = self._settings.lease
        claimed = ledger.claim(
            campaign.id, by=self._by, limit=granted, lease=lease, now=now
        )
        going, late = self._rates.by_domain(claimed, now)
        if late:
            until = now + timedelta(minutes=1)
            ledger.postpone(campaign.id, late, by=self._by, until=until)
        return going, None

    def _look(self, campaign_id: str) -> None:
        """After each batch: go a step further, or pause."""
        campaign = campaigns.get(campaign_id)
        if campaign.state is not CampaignState.SENDING:
            return
        counts = ledger.counts(campaign_id)
        because = _why_paused(campaign, counts, self._settings)
        if because:
            self._pause(campaign_id, because)
        elif campaign.step and _answered(counts) >= min(
            campaign.step, campaign.recipients - counts.get(DeliveryState.SUPPRESSED, 0)
        ):
            campaigns.next_step(campaign_id, campaign.step, STEPS[campaign.step])

    def _settle(self, campaign: Campaign) -> datetime | None:
        """Nothing could be claimed: done, in doubt, or something is due later."""
        now = self._clock()
        left = ledger.left(campaign.id, now)
        if left.open and left.in_doubt == left.open:
            because = f"{left.open:,} are in doubt: a person has to decide."
            self._pause(campaign.id, because)
            return None
        if left.open:
            return max(left.next_at or now + _SOON, now + timedelta(seconds=1))
        total = sum(ledger.counted(campaign.id).values())
        if total == campaign.recipients:
            campaigns.finish(campaign.id, now=now)
        else:
            self._pause(
                campaign.id,
                f"The ledger has {total:,} rows, the approved list "
                f"{campaign.recipients:,} people.",
            )
        return None

    def _pause(self, campaign_id: str, because: str) -> None:
        campaigns.pause(campaign_id, because, by=WORKER, now=self._clock())

    def _maker(self, campaign: Campaign) -> Maker:
        """What makes its messages; approved, it does not change any more."""
        key = (campaign.id, campaign.digest)
        if key not in self._makers:
            self._makers.clear()
            self._makers[key] = Maker(
                campaign, self._template(campaign), self._tokens, self._settings
            )
        return self._makers[key]

    def _template(self, campaign: Campaign) -> Template:
        text = campaigns.text_of(campaign.id)
        if text is None or campaign.list_id is None:
            raise Stopped("The campaign has no text or no list.")
        draft = from_json(text, campaigns.files_of(campaign.id))
        columns = lists.columns(campaign.list_id)
        return compile_draft(draft, columns, hostname=self._settings.hostname)


def _most(campaign: Campaign) -> int:
    """How many more may be begun in this step."""
    if not campaign.step:
        return campaign.recipients
    counts = ledger.counts(campaign.id)
    untouched = counts.get(DeliveryState.QUEUED, 0)
    untouched += counts.get(DeliveryState.SUPPRESSED, 0)
    return campaign.step - (campaign.recipients - untouched)


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
