# SPDX-License-Identifier: Apache-2.0
"""The Metropolitan Police case of 2012 as seven real messages, with invented people.

In January 2012 a survey of crime victims went out in batches, everybody of a
batch in Cc: 1,136 people, each shown 118 to 197 others. The sizes of the
batches add up to what was reported; the people here are made of plants and
colours, each at a domain of their own under the reserved top-level domains
(RFC 2606 §2), so that nobody shares an organisation.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import islice, product
from typing import Final

BATCHES: Final = (119, 163, 164, 164, 164, 164, 198)
SENDER: Final = "survey@police.example"
SUBJECT: Final = "Your experience of reporting a crime: a short survey"

_FIRST: Final = (
    "alder amber ash aspen azure basil beryl briar cedar clover coral elder "
    "fern hazel heather indigo iris ivory ivy jade juniper laurel lilac linden "
    "marigold myrtle olive poppy rowan rush saffron sage"
).split()
_LAST: Final = (
    "acre bank beck bourne bridge brook cliff combe croft dale dell dyke "
    "field firth ford garth gate glen grove heath hill holt hurst lake lane "
    "marsh mead mere mill moor nook pond ridge shore stone vale"
).split()

_TEXT: Final = """\
Dear customer,

You recently reported a crime to us. We would like to know how we did.
Our survey has nine questions and takes about five minutes.

Please answer by replying to this message before the end of next month.
Your answers help us to improve how we look after people who report crime.

Kind regards,
The survey team
"""


@dataclass(frozen=True, slots=True)
class Batch:
    """One message of the case: whom it goes to, and its bytes."""

    mail_from: str = field(repr=False)
    rcpt_tos: tuple[str, ...] = field(repr=False)
    content: bytes = field(repr=False)


def people() -> Iterator[str]:
    """Invented addresses, each at a domain of its own, 1,152 of them."""
    for number, (last, first) in enumerate(product(_LAST, _FIRST)):
        top = ("example", "test")[number % 2]
        yield f"{first}@{first}-{last}.{top}"


def metropolitan_police(now: datetime, *, sender: str = SENDER) -> Iterator[Batch]:
    """The seven messages, dated a minute apart and ending at ``now``."""
    everyone = people()
    for number, size in enumerate(BATCHES):
        shown = tuple(islice(everyone, size))
        sent_at = now - timedelta(minutes=len(BATCHES) - 1 - number)
        yield Batch(sender, shown, _content(sender, shown, sent_at))


def _content(sender: str, shown: tuple[str, ...], sent_at: datetime) -> bytes:
    """One message with everybody in Cc (RFC 5322), CRLF at every line's end."""
    domain = sender.rpartition("@")[2]
    lines = [
        f"Date: {_date(sent_at)}",
        f"From: Survey team <{sender}>",
        f"To: Survey team <{sender}>",
        "Cc: " + ",\n ".join(shown),
        f"Subject: {SUBJECT}",
        f"Message-ID: <survey-{sent_at:%Y%m%d%H%M%S}@{domain}>",
        "MIME-Version: 1.0",
        'Content-Type: text/plain; charset="us-ascii"',
        "Content-Transfer-Encoding: 7bit",
        "",
        _TEXT,
    ]
    return "\n".join(lines).replace("\n", "\r\n").encode("ascii")


def _date(at: datetime) -> str:
    """A date as RFC 5322 §3.3 writes it, whatever the locale."""
    day = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")[at.weekday()]
    month = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split()[at.month - 1]
    return f"{day}, {at.day:02} {month} {at:%Y %H:%M:%S} {at:%z}"
