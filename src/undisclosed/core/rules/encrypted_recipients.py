# SPDX-License-Identifier: Apache-2.0
"""Rule encrypted-recipients: what encryption tells each recipient of the others."""

from undisclosed.core.disclosure import Reading
from undisclosed.core.known import Known
from undisclosed.core.policy import Policy
from undisclosed.core.rules.rule import recipients
from undisclosed.core.verdict import Action, Finding

FEWEST_VIEWERS = 2
"""To one viewer outside, encrypted mail is let through and recorded."""


class EncryptedRecipients:
    """Encrypted mail names the keys of more outsiders than the policy allows.

    Key ids are no addresses, so they are counted. One is the author's own, as mail
    programs encrypt for their user, too; and insiders among the viewers have theirs.
    """

    name = "encrypted-recipients"
    description = "Hold encrypted mail that names the keys of many recipients."
    default_action = Action.HOLD

    def check(self, reading: Reading, known: Known, policy: Policy) -> Finding | None:
        """A finding where more outsiders' keys are named than the limit."""
        if len(reading.outside_viewers) < FEWEST_VIEWERS:
            return None
        named = _outsiders_named(reading, policy)
        limit = policy.max_shown_outsiders
        if reading.is_sensitive:
            limit = min(limit, policy.max_shown_outsiders_sensitive)
        if named <= limit:
            return None
        return Finding(
            self.name,
            policy.action(self.name, self.default_action),
            named,
            f"Its encryption names the keys of {recipients(named)} outside to each "
            "of them.",
        )


def _outsiders_named(reading: Reading, policy: Policy) -> int:
    """How many keys of outsiders are named, at the most."""
    content, is_outsider = reading.content, reading.sides.is_outsider
    own_side = {content.author, content.sender} - {None}
    inside = (reading.viewers - reading.outside_viewers) | own_side
    owners = [policy.owner_of(one) for one in content.key_ids]
    of_insiders = [
        one
        for one in owners
        if one is not None and (one in inside or not is_outsider(one))
    ]
    # Insiders whose keys are not listed have theirs among those that nobody knows.
    not_listed = len(inside.difference(owners))
    return max(0, content.recipient_ids - len(of_insiders) - not_listed)
