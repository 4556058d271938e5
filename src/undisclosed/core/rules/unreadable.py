# SPDX-License-Identifier: Apache-2.0
"""Rule unreadable: what cannot be read cannot be judged."""

from undisclosed.core.disclosure import Reading
from undisclosed.core.known import Known
from undisclosed.core.policy import Policy
from undisclosed.core.rules.rule import people
from undisclosed.core.verdict import Action, Finding, Verdict

FEWEST_VIEWERS = 2
"""One outside viewer alone cannot be shown another viewer."""


class Unreadable:
    """Two or more people outside would get a mail that was not read whole.

    One is enough where it is the header that was not.
    """

    name = "unreadable"
    description = "Hold mail to several outsiders that is ambiguous or over a limit."
    default_action = Action.HOLD

    def check(self, reading: Reading, known: Known, policy: Policy) -> Finding | None:
        """A finding that names the first thing that could not be read."""
        outside = len(reading.outside_viewers)
        uncertain = reading.content.uncertain
        # Fields that were not read may name everybody else who gets a copy of this
        # mail in a transaction of their own.
        is_header = len(uncertain) > len(reading.content.body_uncertain)
        if not uncertain or outside < (1 if is_header else FEWEST_VIEWERS):
            return None
        return Finding(
            self.name,
            policy.action(self.name, self.default_action),
            outside,
            f"This mail to {people(outside)} outside could not be read whole: "
            f"{uncertain[0]}",
        )


def broken_twice(viewers: int) -> Verdict:
    """The verdict on bytes whose judgement failed twice, for so many recipients.

    Nothing was read, so every recipient counts as an outsider, and no policy can
    ask for less. To one recipient alone the mail is let through: it cannot show
    that one to anybody.
    """
    action = Action.HOLD if viewers >= FEWEST_VIEWERS else Action.ACCEPT
    text = f"The judging of this mail to {people(viewers)} failed twice."
    return Verdict(action, (Finding(Unreadable.name, action, viewers, text),))
