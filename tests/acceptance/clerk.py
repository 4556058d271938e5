# SPDX-License-Identifier: Apache-2.0
"""The people of an installation, as a process of its own: ``clerk.py DEED``.

``prepare`` makes the tables and the first account. ``decide`` sends every second
held mail singly, ``singly ID`` the one to which its test gave this id; ``release ID``
lets it go as it is. ``state``
prints what became of each held mail, by the id that its test gave it. ``campaign N``
makes a campaign to N people, which resends what is in doubt, begins it and prints its
id; ``resume ID`` decides what is in doubt, and lets a paused one go on. ``office
ROLES`` makes the team Bins with accounts that have these roles in it (JSON: by name).
"""

import contextlib
import json
import re
import sys

from undisclosed.cli import wiring

TOKEN = re.compile(rb"^X-Test-Id: (\S+)", re.MULTILINE)


def prepare() -> None:
    """Make the tables and the first account."""
    from undisclosed.store.bootstrap import first_account
    from undisclosed.store.migrate import migrate

    migrate()
    first_account()


def decide() -> None:
    """Send every second held mail singly; what is away is left for the next time."""
    from undisclosed.errors import TransientError
    from undisclosed.store.models import HeldMail

    for hold_id in HeldMail.objects.filter(state="held").values_list("id", flat=True):
        if int(hold_id, 16) % 2:
            continue
        try:
            _send_singly(hold_id)
        except TransientError:
            sys.exit(75)


def singly(test_id: str) -> None:
    """Send the held mail of this id singly."""
    from undisclosed.store.models import HeldMail

    for hold_id in HeldMail.objects.filter(state="held").values_list("id", flat=True):
        if _is(hold_id, test_id):
            _send_singly(hold_id)


def release(test_id: str) -> None:
    """Let the held mail of this id go unchanged, as an approver does."""
    from undisclosed.guard import desk
    from undisclosed.store.models import HeldMail

    for hold_id in HeldMail.objects.filter(state="held").values_list("id", flat=True):
        if _is(hold_id, test_id):
            desk.release(
                wiring.spool(),
                wiring.memory(),
                hold_id,
                wiring.load(None).policy,
                desk.Actor(name="approver", roles=frozenset({"supervisor"})),
                wiring.utc_now(),
                reason="They know one another.",
                name=wiring.keyed_ids(),
            )


def _is(hold_id: str, test_id: str) -> bool:
    return f"\nX-Test-Id: {test_id}\r".encode() in wiring.spool().content(hold_id)


def _send_singly(hold_id: str) -> None:
    from undisclosed.guard import desk

    sender = wiring.spool().get(hold_id).envelope.mail_from
    desk.send_singly(
        wiring.spool(),
        wiring.memory(),
        hold_id,
        wiring.load(None).policy,
        desk.Actor(name="clerk", addresses=frozenset({sender})),
        wiring.utc_now(),
        name=wiring.keyed_ids(),
    )


def state() -> None:
    """Print one JSON object: held mails by id, and how many copies still wait."""
    from undisclosed.errors import UndisclosedError
    from undisclosed.store.models import HeldMail, OutgoingMail

    held = {}
    for mail in HeldMail.objects.all():
        try:
            content = wiring.spool().content(mail.id)
            found = TOKEN.search(content)
            test_id = found[1].decode() if found else ""
        except UndisclosedError:
            test_id = ""
        copies = OutgoingMail.objects.filter(hold_id=mail.id)
        held[mail.id] = {
            "test_id": test_id,
            "state": mail.state,
            "copies": [list(row) for row in copies.values_list("kind", "state")],
        }
    waiting = OutgoingMail.objects.filter(state__in=("queued", "delayed")).count()
    print(json.dumps({"held": held, "waiting": waiting}))


def office(roles: str) -> None:
    """Make a team, and its people by name."""
    from undisclosed.core.address import Address
    from undisclosed.store.models import Account, Membership, Team

    team = Team.objects.create(name="Bins", is_trial=False, created_at=wiring.utc_now())
    for name, held in json.loads(roles).items():
        account = Account.objects.create_account(
            Address(name, "council.example"), name=name.title(), roles=()
        )
        Membership.objects.create(team=team, account=account, roles=list(held))


def campaign(count: str) -> None:
    """Begin to send a campaign to so many people."""
    from undisclosed.core.address import Address
    from undisclosed.core.campaign import Draft, MailKind, Row, Sensitivity
    from undisclosed.send.draft import digest_of, from_json, to_json
    from undisclosed.store import campaigns, lists
    from undisclosed.store.models import Account, Team

    now, by = wiring.utc_now(), Account.objects.get().pk
    team = Team.objects.create(name="Bins", is_trial=False, created_at=now).pk
    facts = lists.ListFacts("North", "bin days", Sensitivity.ORDINARY)
    key = lists.create(facts, team=team, owner=by, by="clerk", now=now)
    people = [Address(f"p{n}", "people.example") for n in range(1, int(count) + 1)]
    columns = ("Email", "Name")
    rows = (
        Row(n, one, dict(zip(columns, (one.spelled_out(), f"P{n}"), strict=True)))
        for n, one in enumerate(people, 1)
    )
    lists.import_rows(key, columns, rows, by="clerk", now=now)
    made = campaigns.create("Bins", team=team, kind=MailKind.SERVICE, by=by, now=now)
    author = Address("bins", "authority.example")
    text = to_json(Draft("Bins, {{ name }}", "Dear {{ name }}: Monday.", author))
    settings = {"in_doubt": "resend"}
    campaigns.change(made, by=by, now=now, text=text, list_id=key, settings=settings)
    found = campaigns.get(made)
    digest = digest_of(
        from_json(text), list_id=key, list_version=1, recipients=found.recipients
    )
    campaigns.checked(made, digest, (), by=by, now=now)
    campaigns.submit(made, digest, (), by=by, now=now)
    campaigns.start(made, by=by, now=now)
    print(json.dumps(made))


def resume(campaign_id: str) -> None:
    """Let a paused campaign go on, as a person does: what is in doubt leaves again."""
    from undisclosed.core.campaign import NoSuchStep
    from undisclosed.store import campaigns, doubt

    with contextlib.suppress(NoSuchStep):
        doubt.decide(campaign_id, resend=True, by="clerk", now=wiring.utc_now())
        campaigns.resume(campaign_id, by="clerk", now=wiring.utc_now())


if __name__ == "__main__":
    wiring.configure(wiring.load(None))
    deeds = {
        "prepare": prepare,
        "decide": decide,
        "singly": singly,
        "release": release,
        "state": state,
        "office": office,
        "campaign": campaign,
        "resume": resume,
    }
    deeds[sys.argv[1]](*sys.argv[2:])
