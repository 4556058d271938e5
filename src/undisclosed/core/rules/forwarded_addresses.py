# SPDX-License-Identifier: Apache-2.0
"""Rule forwarded-addresses: the recipients of older mail, carried along."""

from undisclosed.core.disclosure import Reading
from undisclosed.core.known import Known
from undisclosed.core.policy import Policy
from undisclosed.core.rules.channels import channels
from undisclosed.core.rules.rule import addresses
from undisclosed.core.verdict import Action, Finding


class ForwardedAddresses:
    """Forwarded or attached mail shows more outsiders than the policy allows.

    People in the text count along, so that a list cannot be halved between the two;
    where the text alone is over the limit, its own rule has said so.
    """

    name = "forwarded-addresses"
    description = (
        "Hold mail that carries the addresses of older, forwarded or attached mail."
    )
    default_action = Action.HOLD

    def check(self, reading: Reading, known: Known, policy: Policy) -> Finding | None:
        """A finding where forwarded mail newly shows more people than the limit."""
        shown = reading.newly_forwarded
        limit = policy.max_addresses_in_text
        if shown and len(reading.newly_shown_in_body) <= limit:
            shown = reading.newly_shown_in_text
        if len(shown) <= limit:
            return None
        content = reading.content
        where = channels({**content.in_text, **content.in_forwarded}, shown)
        return Finding(
            self.name,
            policy.action(self.name, self.default_action),
            len(shown),
            f"{addresses(len(shown))} would be shown in forwarded or attached mail "
            f"({where}).",
        )
