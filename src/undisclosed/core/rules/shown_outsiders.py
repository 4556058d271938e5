# SPDX-License-Identifier: Apache-2.0
"""Rule shown-outsiders: outsiders whom the header newly shows to one another."""

from undisclosed.core.disclosure import Reading
from undisclosed.core.known import Known
from undisclosed.core.policy import Policy
from undisclosed.core.rules.channels import channels
from undisclosed.core.rules.rule import addresses, people, recipients
from undisclosed.core.verdict import Action, Finding


class ShownOutsiders:
    """More outsiders would be shown to one another than the policy allows.

    A batch of a mailing counts with the batches before it, and whoever joins a thread
    with those who joined it before: a thread cannot grow without end.
    """

    name = "shown-outsiders"
    description = "Hold mail that newly shows many outsiders' addresses to each other."
    default_action = Action.HOLD

    def check(self, reading: Reading, known: Known, policy: Policy) -> Finding | None:
        """A finding where more people than the limit are newly shown."""
        limit = policy.max_shown_outsiders
        if reading.is_sensitive:
            limit = min(limit, policy.max_shown_outsiders_sensitive)
        shown, waves = len(reading.newly_shown) + known.joined, 1
        if known.mailing is not None and known.mailing.people > shown:
            shown, waves = known.mailing.people, known.mailing.waves
        if not reading.newly_shown or shown <= limit:
            return None
        action = policy.action(self.name, self.default_action)
        return Finding(self.name, action, shown, _sentence(reading, shown, waves))


def _sentence(reading: Reading, shown: int, waves: int) -> str:
    where = channels(reading.content.in_header, reading.newly_shown)
    mails = f" in {waves:,} mails" if waves > 1 else ""
    if shown > 1 and reading.newly_shown <= reading.outside_viewers:
        return f"{people(shown)}{mails} would see each other's addresses ({where})."
    return (
        f"{addresses(shown)}{mails} would be shown to "
        f"{recipients(len(reading.outside_viewers))} ({where})."
    )
