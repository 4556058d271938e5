# SPDX-License-Identifier: Apache-2.0
"""The destination fields: To, Cc, Bcc and the Resent- ones (RFC 5322 §3.6.3, §3.6.6).

Bcc and Resent-Bcc should never leave their author's system; where they did, they are
removed. Every such field counts, however often it stands there.
"""

from undisclosed.core.mailboxes import mailboxes
from undisclosed.core.shown.channel import FieldChannel, Role, usual_spelling

_NAMES = ("to", "cc", "bcc", "resent-to", "resent-cc", "resent-bcc")

CHANNELS = {
    name: FieldChannel(
        usual_spelling(name),
        mailboxes,
        Role.DESTINATION,
        is_removable=name.endswith("bcc"),
    )
    for name in _NAMES
}
