# SPDX-License-Identifier: Apache-2.0
"""Would this mail show people to each other who should not be? Start reading here.

``disclosure.read`` says who would see whom, Memory says what is ``Known`` (who knows
whom already, who must not), the ``Policy`` says how much is too much. Each rule
(``core.rules``) answers one question with a finding or None.
"""

from collections.abc import Iterable

from undisclosed.core.authorship import is_ours
from undisclosed.core.disclosure import Reading
from undisclosed.core.known import Clearance, Known
from undisclosed.core.policy import Policy
from undisclosed.core.rules import ALL_RULES, Rule
from undisclosed.core.verdict import SEVERITY, Action, Verdict


def judge(
    reading: Reading, known: Known, policy: Policy, rules: Iterable[Rule] = ALL_RULES
) -> Verdict:
    """The strongest objection of any rule decides; no objection accepts.

    Fields that must not travel (a Bcc left in) are part of the verdict whatever the
    action: the relay cuts them out on accept, the split from every copy.
    """
    reading = reading.with_known(known)
    findings = []
    for rule in rules:
        finding = rule.check(reading, known, policy)
        if finding is not None:
            findings.append(finding)
    actions = (finding.action for finding in findings)
    action = max(actions, key=SEVERITY.index, default=Action.ACCEPT)
    if not is_ours(reading.content.author, policy):
        action = min(action, policy.authored_elsewhere, key=SEVERITY.index)
    if action is Action.HOLD and known.clearance is not None:
        action = _CLEARED[known.clearance]
    return Verdict(action, tuple(findings), reading.content.removals)


_CLEARED = {Clearance.SEND_SINGLY: Action.SPLIT, Clearance.RELEASE: Action.ACCEPT}
"""What is done instead of a hold, where that was decided before the mail came."""
