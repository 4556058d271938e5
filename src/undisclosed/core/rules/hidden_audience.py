# SPDX-License-Identifier: Apache-2.0
"""Rule hidden-audience: people who were kept from one another stay so."""

from undisclosed.core.disclosure import Reading
from undisclosed.core.known import HiddenAudience as Audience
from undisclosed.core.known import Known, People, fewest_of_audience
from undisclosed.core.policy import Policy
from undisclosed.core.rules.channels import channels
from undisclosed.core.rules.rule import addresses, recipients
from undisclosed.core.verdict import Action, Finding


class HiddenAudience:
    """Three people (two, where sensitive) of one hidden audience would be shown.

    They were written to without seeing one another: in Bcc, singly, in a campaign, or
    they stand on a list that is confidential. A correction, a retry, a reply to all
    and a copied old list come here, however few people they show. A circle makes its
    people known all the same, unless the audience is sensitive; a thread does not.

    The sentence is the one of any mail that shows people: it neither says who stands
    in an audience nor how many.
    """

    name = "hidden-audience"
    description = "Hold mail that shows people to each other who were hidden before."
    default_action = Action.HOLD

    def check(self, reading: Reading, known: Known, policy: Policy) -> Finding | None:
        """A finding where too many of one audience would be shown together."""
        audiences = (*known.hidden, *_confidential(reading))
        if not audiences:
            return None
        shown = _shown(reading)
        if not any(_is_shown(one, shown, reading, known) for one in audiences):
            return None
        content = reading.content
        new, _ = reading.strangers.new(shown, ())
        return Finding(
            self.name,
            policy.action(self.name, self.default_action),
            len(new),
            f"{addresses(len(new))} would be shown to "
            f"{recipients(len(reading.outside_viewers))} who may not know them "
            f"({channels({**content.in_forwarded, **content.in_header}, new)}).",
        )


def _shown(reading: Reading) -> People:
    """The outsiders whom the header or old mail in the body shows."""
    content = reading.content
    everybody = (*content.in_header, *content.in_forwarded)
    return frozenset(filter(reading.sides.is_outsider, everybody))


def _is_shown(
    audience: Audience, shown: People, reading: Reading, known: Known
) -> bool:
    """Whether too many of the audience would be new to somebody."""
    fewest = fewest_of_audience(audience.is_sensitive or reading.is_sensitive)
    members = audience.people & shown
    if len(members) < fewest:
        return False
    circles = () if audience.is_sensitive else known.circles
    return len(reading.strangers.new(members, circles)[0]) >= fewest


def _confidential(reading: Reading) -> tuple[Audience, ...]:
    """The lists of the policy that are marked confidential."""
    return tuple(
        Audience(frozenset(one.members), one.is_sensitive)
        for one in reading.lists.values()
        if one.is_confidential
    )
