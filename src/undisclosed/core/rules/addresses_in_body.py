# SPDX-License-Identifier: Apache-2.0
"""Rule addresses-in-body: a list of other people's addresses in the text."""

from undisclosed.core.disclosure import Reading
from undisclosed.core.known import Known
from undisclosed.core.policy import Policy
from undisclosed.core.rules.channels import channels
from undisclosed.core.rules.rule import addresses
from undisclosed.core.verdict import Action, Finding


class AddressesInBody:
    """The body's text shows more outsiders to others than the policy allows."""

    name = "addresses-in-body"
    description = "Hold mail whose text shows many other people's addresses."
    default_action = Action.HOLD

    def check(self, reading: Reading, known: Known, policy: Policy) -> Finding | None:
        """A finding where the text newly shows more people than the limit."""
        shown = reading.newly_shown_in_body
        if len(shown) <= policy.max_addresses_in_text:
            return None
        where = channels(reading.content.in_text, shown)
        return Finding(
            self.name,
            policy.action(self.name, self.default_action),
            len(shown),
            f"{addresses(len(shown))} would be shown in the text ({where}).",
        )
