# SPDX-License-Identifier: Apache-2.0
"""Slowing down whoever guesses passwords, counted in the journal.

The journal is shared by every process of the console and outlives them, so
that neither a restart nor a second process gives more guesses. It holds no
address: an account and a client stand in it as keyed hashes of its epoch, so that
guesses are counted anew when an epoch of ninety days begins.
"""

from datetime import datetime, timedelta
from typing import Final

from django.db.models import Q
from django.utils import timezone

from undisclosed.store import journal, pseudonyms
from undisclosed.store.database import database
from undisclosed.store.models import JournalEntry

WINDOW: Final = timedelta(minutes=15)
GUESSES_PER_LOGIN: Final = 5
GUESSES_PER_CLIENT: Final = 50
FAILED: Final = "log-in failed"


def is_throttled(login: str, client: str, now: datetime) -> bool:
    """Whether another try with this log-in or from this client has to wait."""
    tries = JournalEntry.objects.filter(event=FAILED, at__gt=now - WINDOW)
    by_login, by_client = _hashes(login, client, now)
    counted = tries.filter(
        Q(facts__login=by_login) | Q(facts__client=by_client)
    ).values_list("facts", flat=True)
    latest = list(counted.order_by("-at")[: GUESSES_PER_LOGIN + GUESSES_PER_CLIENT])
    of_login = sum(1 for facts in latest if facts["login"] == by_login)
    of_client = sum(1 for facts in latest if facts["client"] == by_client)
    return of_login >= GUESSES_PER_LOGIN or of_client >= GUESSES_PER_CLIENT


def record_failure(login: str, client: str) -> None:
    """Journal one wrong guess."""
    by_login, by_client = _hashes(login, client, timezone.now())
    journal.write(FAILED, login=by_login, client=by_client)


def _hashes(login: str, client: str, now: datetime) -> tuple[str, str]:
    """What stands for a log-in and a client, under the key of the journal's epoch."""
    with database() as connection:
        by_login, by_client = (
            pseudonyms.hashed(connection, "throttle", _bytes(text), now)
            for text in (login, client)
        )
    return by_login, by_client


def _bytes(text: str) -> bytes:
    return text.strip().lower().encode("utf-8", "surrogatepass")
