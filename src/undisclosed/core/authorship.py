# SPDX-License-Identifier: Apache-2.0
"""Who wrote a mail: the organisation itself, or somebody elsewhere.

Mail of a mailing list or a forwarding mailbox (``.forward``) passes through the
organisation and was written by others. It is judged as any mail, never edited, and
nobody is written to about it: its envelope sender is a stranger, or an address that
leads back to one (a list's bounces, a rewritten sender).
"""

from undisclosed.core.address import Address
from undisclosed.core.policy import Policy


def is_ours(author: Address | None, policy: Policy) -> bool:
    """Whether the first From is in an own domain.

    So is every mail where no own domains are configured, and one without a From.
    """
    if author is None or not policy.own_domains:
        return True
    domain = author.person.rpartition("@")[2]
    return any(
        domain == own or domain.endswith(f".{own}") for own in policy.own_domains
    )
