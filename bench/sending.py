# SPDX-License-Identifier: Apache-2.0
"""``python -m bench.sending DEED …``: what ``bench.send`` does in other processes.

``prepare PEOPLE`` makes a list and a campaign that is being sent, with no first
steps; ``work NAME`` sends until it is done, and prints one JSON line about itself.
"""

import asyncio
import json
import sys
import time
from collections.abc import Iterator

from bench.split import peak
from undisclosed.cli import options, wiring, wiring_send
from undisclosed.core.address import Address
from undisclosed.core.campaign import Draft, MailKind, Row, Sensitivity

COLUMNS = ("Email", "Name", "Street", "Day")
AUTHOR = Address("bins", "council.example")
SUBJECT = "Your bin day, {{ name }}"
MARKDOWN = """Dear {{ name }},

from next month on, the bins of **{{ street }}** are collected on **{{ day }}**
instead of Tuesday. Please put them out before six in the morning.

- Paper: every second week
- Glass: every fourth week
- Garden: from March to November

If you need help with carrying your bins, tell us: [our page](https://council.example/bins).

Yours sincerely,
the council's bin team
"""
DAYS = ("Monday", "Wednesday", "Thursday", "Friday")


def person(number: int) -> dict[str, str]:
    """The values of one row."""
    return {
        "Email": f"person{number}@domain{number % 7}.example",
        "Name": f"Person {number}",
        "Street": f"{number % 300} Station Road",
        "Day": DAYS[number % 4],
    }


def people(count: int) -> Iterator[Row]:
    """So many rows of a list."""
    for number in range(1, count + 1):
        values = person(number)
        local_part, _, domain = values["Email"].partition("@")
        yield Row(number, Address(local_part, domain), values)


def prepare(count: int) -> None:
    """A list, and a campaign to it that is being sent."""
    from undisclosed.send.draft import digest_of, from_json, to_json
    from undisclosed.store import campaigns, ledger, lists
    from undisclosed.store.database import transaction
    from undisclosed.store.models import Account, Team
    from undisclosed.store.roles import Role

    now = wiring.utc_now()
    name = f"bench{time.monotonic_ns()}"
    owner = Account.objects.create_account(
        Address(name, "council.example"), name=name, roles=(Role.SENDER,)
    )
    team = Team.objects.create(name=name, is_trial=False, created_at=now)
    facts = lists.ListFacts(name, "bin days", Sensitivity.ORDINARY)
    list_id = lists.create(facts, team=team.pk, owner=owner.pk, by=name, now=now)
    shared = frozenset(f"domain{n}.example" for n in range(7))
    lists.import_rows(
        list_id, COLUMNS, people(count), by=name, now=now, shared_domains=shared
    )
    campaign = campaigns.create(
        name, team=team.pk, kind=MailKind.SERVICE, by=owner.pk, now=now
    )
    text = to_json(Draft(SUBJECT, MARKDOWN, AUTHOR, "The bin team"))
    campaigns.change(campaign, by=owner.pk, now=now, text=text, list_id=list_id)
    digest = digest_of(
        from_json(text), list_id=list_id, list_version=1, recipients=count
    )
    with transaction() as connection:
        ledger.expand(connection, campaign, now)
        connection.run(
            "UPDATE store_campaign SET state = 'sending', step = 0, started_at = %s,"
            " digest = %b WHERE id = %s",
            (now, digest, campaign),
        )
    ledger.analyse()
    print(campaign)


def work(name: str) -> None:
    """Send all that is due, and say how long it took."""
    settings = wiring.load(None)
    sender = wiring_send.sender(settings, wiring.next_hop(settings), name)

    async def send() -> None:
        await sender.send_due(asyncio.Event())

    print("ready", flush=True)
    sys.stdin.readline()
    began, cpu = time.time(), time.process_time()
    if len(sys.argv) > 3:  # any further word: with a profile
        import cProfile
        import pstats

        profile = cProfile.Profile()
        profile.runcall(asyncio.run, send())
        pstats.Stats(profile).sort_stats("tottime").print_stats(30)
    else:
        options.loop_run(send())
    facts = {
        "began": began,
        "ended": time.time(),
        "cpu": time.process_time() - cpu,
        "peak": peak(),
    }
    print(json.dumps(facts), flush=True)


if __name__ == "__main__":
    wiring.configure(wiring.load(None))
    if sys.argv[1] == "prepare":
        prepare(int(sys.argv[2]))
    else:
        work(sys.argv[2])
