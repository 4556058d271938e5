# SPDX-License-Identifier: Apache-2.0
"""The pipe of a user who may open the store: judged in the user's own process.

A module of its own, since the store takes a second to import: whoever hands mail on
to the guard does not wait for it.
"""

from undisclosed.cli import wiring
from undisclosed.core.mail import Mail
from undisclosed.guard.endpoints.sendmail import SendmailEndpoint
from undisclosed.guard.metrics import GuardMetrics
from undisclosed.guard.origin import Origin
from undisclosed.store.settings import Settings
from undisclosed.transport.smtp.limits import Limits
from undisclosed.transport.smtp.replies import Reply


def hand_in(settings: Settings, mail: Mail, origin: Origin, limits: Limits) -> Reply:
    """What becomes of the mail. Raises UndisclosedError where there is no store yet.

    While the store is away, mail to one outsider passes as it does through the guard.
    """
    wiring.configure(settings)
    endpoint = SendmailEndpoint(
        wiring.checkpoint(settings, GuardMetrics()),
        lambda: wiring.hop(settings),
        wiring.utc_now,
        hostname=settings.guard.hostname,
        limits=limits,
    )
    return endpoint.hand_in(mail, origin)
