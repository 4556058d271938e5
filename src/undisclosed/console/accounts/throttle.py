# SPDX-License-Identifier: Apache-2.0
"""Slowing down whoever guesses passwords, counted in the journal.

The journal is shared by every process of the console and outlives them, so
that neither a restart nor a second process gives more guesses. It holds no
address: an account and a client stand in it as keyed hashes.
"""

from datetime import datetime, timedelta
from typing import Final

from django.db.models import Q

from undisclosed.store import crypto, journal
from undisclosed.store.models import JournalEntry

WINDOW: Final = timedelta(minutes=15)
GUESSES_PER_LOGIN: Final = 5
GUESSES_PER_CLIENT: Final = 50
FAILED: Final = "log-in failed"


def is_throttled(login: str, client: str, now: datetime) -> bool:
    """Whether another try with this log-in or from this client has to wait."""
    tries = JournalEntry.objects.filter(event=FAILED, at__gt=now - WINDOW)
    counted = tries.filter(
        Q(facts__login=_hash(login)) | Q(facts__client=_hash(client))
    ).values_list("facts", flat=True)
    latest = list(counted.order_by("-at")[: GUESSES_PER_LOGIN + GUESSES_PER_CLIENT])
    of_login = sum(1 for facts in latest if facts["login"] == _hash(login))
    of_client = sum(1 for facts in latest if facts["client"] == _hash(client))
    return of_login >= GUESSES_PER_LOGIN or of_client >= GUESSES_PER_CLIENT


def record_failure(login: str, client: str) -> None:
    """Journal one wrong guess."""
    journal.write(FAILED, login=_hash(login), client=_hash(client))


def _hash(text: str) -> str:
    """What stands for a log-in or a client: its first 64 bits, keyed."""
    written = text.strip().lower().encode("utf-8", "surrogatepass")
    return crypto.keys().hash("throttle", written)[:8].hex()
