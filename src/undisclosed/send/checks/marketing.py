# SPDX-License-Identifier: Apache-2.0
"""Check marketing: service mail sells nothing, marketing can be unsubscribed."""

from collections.abc import Iterator

from undisclosed.core.campaign import CheckFinding, MailKind, Weight
from undisclosed.send.checks.check import Once
from undisclosed.send.checks.places import written
from undisclosed.send.checks.view import CampaignView
from undisclosed.send.checks.words import word_list

NAME = "marketing"


class Marketing:
    """Privacy and Electronic Communications: advertising needs consent."""

    name = NAME
    description = "Find advertising in service mail, and marketing without consent."

    def start(self, view: CampaignView) -> Once:
        """Look at the draft and at the list's legal basis."""
        is_service = view.draft.kind is MailKind.SERVICE
        return Once(tuple(_in_service(view) if is_service else _in_marketing(view)))


def _in_service(view: CampaignView) -> Iterator[CheckFinding]:
    for text in written(view.draft):
        for start in word_list("promotional_words").categories(text.text).values():
            yield CheckFinding(
                NAME,
                Weight.OVERRIDE,
                "This reads like an advertisement, in a mail that people cannot "
                "unsubscribe from.",
                text.at(start),
            )


def _in_marketing(view: CampaignView) -> Iterator[CheckFinding]:
    if not view.can_unsubscribe:
        sentence = "Nobody could unsubscribe: the console has no address of its own."
        yield CheckFinding(NAME, Weight.STOP, sentence, "settings console.url")
    if "consent" not in view.legal_basis.lower():
        sentence = "The list does not say that its people consented to marketing."
        yield CheckFinding(NAME, Weight.OVERRIDE, sentence, "list")
