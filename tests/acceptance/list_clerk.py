# SPDX-License-Identifier: Apache-2.0
"""``python -m tests.acceptance.list_clerk DEED``: a person at the page of a list.

``keep FILE`` makes a list and uploads a file for it, ``confirm`` wants it imported,
``read`` prints how many rows there are, and the first and the last person's name.
"""

import os
import sys
from pathlib import Path

from undisclosed.cli import wiring


def main(deed: str, *words: str) -> None:
    """Do it over the installation that the environment names."""
    wiring.configure(wiring.load(Path(os.environ["UNDISCLOSED_SETTINGS"])))
    from undisclosed.core.address import Address
    from undisclosed.core.campaign import Sensitivity
    from undisclosed.store import lists, uploads
    from undisclosed.store.models import (
        Account,
        RecipientList,
        Role,
        Team,
    )

    now = wiring.utc_now()
    if deed == "keep":
        login = Address("sam", "authority.example")
        owner = Account.objects.create_account(login, name="Sam", roles=(Role.SENDER,))
        team = Team.objects.create(name="Bins", created_at=now)
        facts = lists.ListFacts("All", "bin days", Sensitivity.CONFIDENTIAL)
        made = lists.create(facts, team=team.pk, owner=owner.pk, by="test", now=now)
        pieces = [Path(words[0]).read_bytes()]
        uploads.keep(made, pieces, choices={}, by="test", now=now)
        return
    list_id = RecipientList.objects.get().pk
    if deed == "confirm":
        found = uploads.latest(list_id)
        uploads.confirm(found.id if found else "", by="test", now=now)
        return
    names = [row.values["Name"] for row in lists.rows(list_id)]
    print(len(names), len(set(names)), names[0], names[-1])


if __name__ == "__main__":
    main(*sys.argv[1:])
