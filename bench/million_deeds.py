# SPDX-License-Identifier: Apache-2.0
"""``python -m bench.million_deeds DEED …``: what ``bench.million`` does elsewhere.

Each deed is a process of its own, so that its memory and its CPU time are its own. It
prints one line of JSON: seconds, CPU seconds, megabytes at the highest, and what it
made. ``ask PATH…`` opens pages and says what the database read for each.
"""

import asyncio
import json
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from bench.split import peak
from undisclosed.cli import options, wiring, wiring_send
from undisclosed.core.address import Address
from undisclosed.core.campaign import Draft, MailKind, Sensitivity

AUTHOR = Address("bins", "council.example")
SUBJECT = "Your bin day, {{ name }}"
MARKDOWN = """Dear {{ name }},

from next month on, the bins of **{{ street }}** are collected on **{{ day }}**
instead of Tuesday. Please put them out before six in the morning.

- Paper: every second week
- Glass: every fourth week
- Garden: from March to November

If you need help with carrying your bins, tell us: [our page](https://council.example/bins).
Your reference is {{ reference }}.

Yours sincerely,
the council's bin team
"""
APPROVERS = ("supervisor", "manager", "communications")
SUPPRESSED = 1_000
"""One in so many people of the list is not mailed, and stands in the ledger as such."""

_READ = (
    "SELECT coalesce(sum(coalesce(idx_tup_fetch, 0) + seq_tup_read), 0)::bigint"
    " FROM pg_stat_user_tables"
)


@contextmanager
def measured() -> Iterator[dict[str, Any]]:
    """Seconds, CPU seconds of this process, its memory at the highest (MB)."""
    said: dict[str, Any] = {}
    began, cpu = time.perf_counter(), time.process_time()
    yield said
    said["seconds"] = time.perf_counter() - began
    said["cpu"] = time.process_time() - cpu
    said["peak"] = peak()


class _Told:
    """Counts how often progress was told, and whether it only ever grew."""

    def __init__(self) -> None:
        self.times, self.last, self.is_growing = 0, 0, True

    def __call__(self, done: int) -> None:
        self.is_growing &= done >= self.last
        self.times, self.last = self.times + 1, done


def import_file(file: str) -> dict[str, Any]:
    """People and a team, and a list out of a file, as the command imports it."""
    from undisclosed.send import recipients
    from undisclosed.send.tables import open_table
    from undisclosed.store import lists

    now = wiring.utc_now()
    team, owner = _people()
    facts = lists.ListFacts("All households", "bin days", Sensitivity.ORDINARY)
    made = lists.create(facts, team=team, owner=owner, by="bench", now=now)
    told = _Told()
    with measured() as said:
        table = open_table(Path(file))
        checked = recipients.check(
            table, own_domains=("council.example",), progress=told
        )
        if not checked.is_importable:
            raise RuntimeError("the file has a problem")
        told.last = 0
        lists.import_rows(
            made,
            checked.columns.names,
            recipients.rows(table, checked.columns),
            by="bench",
            now=now,
            shared_domains=checked.shared_domains,
            progress=told,
        )
    return {**said, "list": made, "told": told.times, "rows": checked.rows}


def _people() -> tuple[object, object]:
    """A sender and three approvers in one team; the team and the sender."""
    from undisclosed.store.models import Account, Membership, Role, Team

    now = wiring.utc_now()
    team = Team.objects.create(name="Bins", is_trial=False, created_at=now)
    for name in ("sender", *APPROVERS):
        login = Address(name, "council.example")
        one = Account.objects.create_account(login, name=name, roles=())
        Membership.objects.create(
            team=team,
            account=one,
            roles=[Role(name).value],
            may_see_rows=name == "sender",
        )
    return team.pk, _account("sender").pk


def _account(name: str) -> Any:
    from undisclosed.store.models import Account

    return Account.objects.get(name=name)


def draft(list_id: str) -> dict[str, Any]:
    """A campaign to the list, with its text."""
    from undisclosed.send.draft import to_json
    from undisclosed.store import campaigns
    from undisclosed.store.models import Team

    by, now = _account("sender").pk, wiring.utc_now()
    team = Team.objects.get(name="Bins").pk
    made = campaigns.create("Bins", team=team, kind=MailKind.SERVICE, by=by, now=now)
    text = to_json(Draft(SUBJECT, MARKDOWN, AUTHOR, "The bin team"))
    with measured() as said:
        campaigns.change(made, by=by, now=now, text=text, list_id=list_id)
    return {**said, "campaign": made}


def check(campaign: str) -> dict[str, Any]:
    """Every check over every row."""
    from undisclosed.console.campaigns import wiring as pages
    from undisclosed.store import campaigns

    told = _Told()
    with measured() as said:
        by, now = _account("sender").pk, wiring.utc_now()
        pages.check(campaign, by=by, now=now, progress=told)
    findings = campaigns.get(campaign).findings
    return {
        **said,
        "told": told.times,
        "is_growing": told.is_growing,
        "findings": [f"{one.weight.value}: {one.check}" for one in findings],
    }


def approve(campaign: str) -> dict[str, Any]:
    """Answer for the findings, submit, and consent in every role, each another."""
    from undisclosed.console.campaigns import wiring as pages
    from undisclosed.core.campaign import Weight
    from undisclosed.send import approval
    from undisclosed.store import campaigns

    by, now = _account("sender").pk, wiring.utc_now()
    asked = {
        one.check
        for one in campaigns.get(campaign).findings
        if one.weight is Weight.OVERRIDE
    }
    with measured() as said:
        for name in asked:
            campaigns.override(campaign, name, "looked at", by=by, now=now)
        settings = (pages.approval_policy(), pages.sides(), pages.asking())
        approval.submit(campaign, *settings, by=by, now=now)
        digest = campaigns.get(campaign).digest or b""
        for role in APPROVERS:
            account = _account(role).pk
            approval.approve(campaign, digest, role, settings[2], by=account, now=now)
    return said


def hide(campaign: str) -> dict[str, Any]:
    """Memory learns of everybody on the list."""
    from undisclosed.store import campaigns

    settings = wiring.load(None)
    with measured() as said:
        wiring_send._hide(settings.policy, campaigns.get(campaign), wiring.utc_now())
    return said


def suppress(list_id: str) -> dict[str, Any]:
    """One in a thousand of the list is not mailed, by a copy of its own hash."""
    from undisclosed.store import crypto
    from undisclosed.store.database import database

    sealed = crypto.seal_address(Address("somebody", "recipient.invalid"))
    query = (
        "INSERT INTO store_suppression"
        " (address_hash, address_sealed, reason, kinds, at, by)"
        " SELECT address_hash, %b, 'asked', '', now(), 'bench' FROM store_listrow"
        " WHERE list_id = %s AND number %% %s = 0"
    )
    with measured() as said, database() as connection:
        values = (sealed, list_id, SUPPRESSED)
        said["suppressed"] = connection.run(query, values).rowcount
        connection.run("ANALYZE store_suppression")
    return said


def start(campaign: str) -> dict[str, Any]:
    """The ledger of everybody, and the campaign begins."""
    from undisclosed.store import campaigns

    with measured() as said:
        by, now = _account("sender").pk, wiring.utc_now()
        campaigns.start(campaign, by=by, now=now)
    return said


def work(campaign: str, name: str) -> dict[str, Any]:
    """Send with others until the campaign has ended, as a worker does."""
    from undisclosed.core.campaign import CampaignState
    from undisclosed.store import campaigns

    settings = wiring.load(None)
    sender = wiring_send.sender(settings, wiring.next_hop(settings), name)
    over = (CampaignState.DONE, CampaignState.CANCELLED, CampaignState.PAUSED)

    async def send() -> None:
        while (await asyncio.to_thread(campaigns.get, campaign)).state not in over:
            await sender.send_due(asyncio.Event())
            await asyncio.sleep(0.2)

    with measured() as said:
        options.loop_run(send())
    return said


def prove(campaign: str, file: str) -> dict[str, Any]:
    """The proof of every message, into a file."""
    from undisclosed.send import proof

    with measured() as said, Path(file).open("wb") as out:
        by = _account("sender").pk
        out.writelines(proof.lines(campaign, by=by, now=wiring.utc_now()))
    return {**said, "octets": Path(file).stat().st_size}


def ask(*paths: str) -> dict[str, Any]:
    """Open pages as the sender: milliseconds to the first byte, rows that were read.

    Each is opened a few times, and the quickest counts: the machine is shared.
    """
    from django.test import Client

    from undisclosed.console.accounts.adapter import BACKEND

    url = urlsplit(wiring.load(None).console.url)
    client = Client(headers={"Host": url.netloc})
    client.force_login(_account("sender"), backend=BACKEND)
    return {path: _opened(client, path) for path in paths}


def _opened(client: Any, path: str) -> dict[str, Any]:
    times, said = [], {}
    headers = {"HX-Request": "true"} if "progress" in path else {}
    for _ in range(5):
        before, cpu = _rows_read(), time.process_time()
        began = time.perf_counter()
        answer = client.get(path, headers=headers)
        first = next(iter(answer.streaming_content if answer.streaming else [answer]))
        times.append((time.perf_counter() - began) * 1000)
        said = {
            "status": answer.status_code,
            "cpu": (time.process_time() - cpu) * 1000,
            "octets": len(getattr(first, "content", first)),
            "read": _rows_read() - before,
        }
    return {**said, "first_byte": min(times)}


def _rows_read() -> int:
    """Rows that the database has read since it was made, by whatever query."""
    from undisclosed.store.database import database

    with database() as connection:
        connection.run("SELECT pg_stat_force_next_flush()")
        row = connection.one(_READ)
    return int(row[0]) if row else 0


DEEDS: dict[str, Callable[..., dict[str, Any]]] = {
    "import": import_file,
    "draft": draft,
    "check": check,
    "approve": approve,
    "hide": hide,
    "suppress": suppress,
    "start": start,
    "work": work,
    "prove": prove,
    "ask": ask,
}


if __name__ == "__main__":
    wiring.configure(wiring.load(None))
    print(json.dumps(DEEDS[sys.argv[1]](*sys.argv[2:])))
