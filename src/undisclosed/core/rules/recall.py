# SPDX-License-Identifier: Apache-2.0
"""Rule recall: the attempt to take back delivered mail, which repeats it."""

from undisclosed.core.disclosure import Reading
from undisclosed.core.known import Known
from undisclosed.core.policy import Policy
from undisclosed.core.rules.rule import people
from undisclosed.core.verdict import Action, Finding


class Recall:
    """A recall with recipients outside.

    It is Outlook's recall object, or its subject has the prefix of a recall and
    names a mail of the same sender to the same people. A prefix without such a mail
    is judged as any mail: the recall of a product must pass.
    """

    name = "recall"
    description = "Reject recalls to outsiders: a recall delivers the list again."
    default_action = Action.REJECT

    def check(self, reading: Reading, known: Known, policy: Policy) -> Finding | None:
        """A finding where a recall would go to anybody outside."""
        outside = len(reading.outside_viewers)
        if not outside or not (reading.content.recall or known.recalled):
            return None
        return Finding(
            self.name,
            policy.action(self.name, self.default_action),
            outside,
            f"A recall takes nothing back: it would be delivered to {people(outside)} "
            "outside, with the addresses that it shows.",
        )
