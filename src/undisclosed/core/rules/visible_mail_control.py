# SPDX-License-Identifier: Apache-2.0
"""Rule visible-mail-control: somebody whose mail an approver looks at for a while."""

from undisclosed.core.disclosure import Reading
from undisclosed.core.known import Known
from undisclosed.core.policy import Policy
from undisclosed.core.rules.channels import channels
from undisclosed.core.rules.rule import people
from undisclosed.core.verdict import Action, Finding

FEWEST = 2
"""Outsiders who would see one another."""


class VisibleMailControl:
    """The author disclosed before, and an approver wants to see what follows.

    Any mail is held that shows two outsiders of different organisations to each
    other, whatever circles and threads say. The control ends by itself.
    """

    name = "visible-mail-control"
    description = "Hold mail visible to outsiders of a person under control."
    default_action = Action.HOLD

    def check(self, reading: Reading, known: Known, policy: Policy) -> Finding | None:
        """A finding where the author is controlled and outsiders would see others."""
        if not known.is_controlled:
            return None
        shown, _ = reading.strangers.new(reading.outsiders_shown, ())
        if len(shown) < FEWEST:
            return None
        where = channels(reading.content.in_header, shown)
        return Finding(
            self.name,
            policy.action(self.name, self.default_action),
            len(shown),
            f"An approver looks at this sender's mail to several people first: "
            f"{people(len(shown))} would be shown ({where}).",
        )
