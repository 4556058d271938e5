# SPDX-License-Identifier: Apache-2.0
"""The real messages that verdicts and scans are measured with, where they are."""

from collections.abc import Iterator
from pathlib import Path

from undisclosed.transport.mailbox import Message, read_path

REALMAIL = Path(__file__).parents[2] / "shared" / "corpora" / "realmail"


class NoCorpus(Exception):
    """The corpus realmail is not beside the checkout, so this cannot be measured."""


def mailboxes() -> list[Path]:
    """The mailboxes of the corpus. Raises NoCorpus where there are none."""
    found = sorted(REALMAIL.glob("*.mbox.gz"))
    if not found:
        raise NoCorpus("there is no mailbox in ../shared/corpora/realmail")
    return found


def messages(*, every: int = 1) -> Iterator[Message]:
    """Every n-th message of all mailboxes."""
    number = 0
    for path in mailboxes():
        for item in read_path(path):
            if isinstance(item, Message):
                if number % every == 0:
                    yield item
                number += 1
