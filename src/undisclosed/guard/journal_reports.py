# SPDX-License-Identifier: Apache-2.0
"""Journal reports that our own servers send to the feed, told from all others.

A stranger can write a mail that looks like a report, with a mail in it that says it
was authenticated; a copy of it comes to the feed like any inbound mail. So a report
is opened only where it proves that a journal rule of ours sent it: it came from a
server that sends nothing but reports, and without a sender, as reports travel; or to
an address that only the rule knows.
"""

from collections.abc import Collection
from dataclasses import dataclass, field

from undisclosed.core.address import Address
from undisclosed.core.mail import Mail
from undisclosed.core.reported import reported
from undisclosed.guard.origin import Origin
from undisclosed.transport.smtp.settings import Network, is_listed


@dataclass(frozen=True, slots=True)
class JournalRules:
    """What a report of ours proves. Where both are set, both are asked for.

    ``clients``: the servers that send reports and no other mail; where only they are
    set, a report has a null reverse-path (RFC 5321 §4.5.5), since such a server may
    relay a stranger's mail as well. ``addresses``: what our journal rules send to; they
    are secrets. Without either nothing is opened.
    """

    clients: tuple[Network, ...] = ()
    addresses: Collection[Address] = field(default=frozenset(), repr=False)

    def opened(self, mail: Mail, origin: Origin) -> Mail | None:
        """The mail that a report of ours wraps; None for every other mail."""
        return reported(mail.content) if self._is_ours(mail, origin) else None

    def _is_ours(self, mail: Mail, origin: Origin) -> bool:
        if self.clients and not is_listed(origin.client, self.clients):
            return False
        if not self.addresses:
            return bool(self.clients) and mail.envelope.mail_from is None
        recipients = [one.address for one in mail.envelope.recipients]
        return bool(recipients) and all(one in self.addresses for one in recipients)
