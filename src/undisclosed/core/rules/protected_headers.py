# SPDX-License-Identifier: Apache-2.0
"""Rule protected-headers: a list of people that a signature covers."""

from undisclosed.core.disclosure import Reading
from undisclosed.core.known import Known
from undisclosed.core.policy import Policy
from undisclosed.core.rules.channels import channels
from undisclosed.core.rules.rule import addresses
from undisclosed.core.verdict import Action, Finding


class ProtectedHeaders:
    """Protected header fields newly show more outsiders than the policy allows.

    Mail readers show them instead of the outer fields, and a signature covers them:
    a private copy would show them, too.
    """

    name = "protected-headers"
    description = "Hold mail whose protected header fields show many other people."
    default_action = Action.HOLD

    def check(self, reading: Reading, known: Known, policy: Policy) -> Finding | None:
        """A finding where protected fields show more people than the limit."""
        protected = reading.content.in_protected
        shown = reading.newly_shown.intersection(protected)
        limit = policy.max_shown_outsiders
        if reading.is_sensitive:
            limit = min(limit, policy.max_shown_outsiders_sensitive)
        if len(shown) <= limit:
            return None
        return Finding(
            self.name,
            policy.action(self.name, self.default_action),
            len(shown),
            f"{addresses(len(shown))} would be shown by fields that its signature or "
            f"encryption protects ({channels(protected, shown)}): they cannot be "
            "changed for each recipient.",
        )
