# SPDX-License-Identifier: Apache-2.0
"""The people of an installation, as a process of its own: ``clerk.py DEED``.

``prepare`` makes the tables and the first account. ``decide`` sends every second
held mail singly, ``singly ID`` the one to which its test gave this id; ``release ID``
lets it go as it is. ``state``
prints what became of each held mail, by the id that its test gave it.
"""

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


if __name__ == "__main__":
    wiring.configure(wiring.load(None))
    deeds = {
        "prepare": prepare,
        "decide": decide,
        "singly": singly,
        "release": release,
        "state": state,
    }
    deeds[sys.argv[1]](*sys.argv[2:])
