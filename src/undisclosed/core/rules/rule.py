# SPDX-License-Identifier: Apache-2.0
"""What every rule is: one question about a mail, answered with a finding or None."""

from typing import Protocol

from undisclosed.core.disclosure import Reading
from undisclosed.core.known import Known
from undisclosed.core.policy import Policy
from undisclosed.core.verdict import Action, Finding


class Rule(Protocol):
    """One question. A rule returns a value and changes nothing.

    ``name`` is what policies and findings call it, ``description`` one sentence for
    documents, ``default_action`` what a finding asks for unless the policy says
    otherwise.
    """

    name: str
    description: str
    default_action: Action

    def check(self, reading: Reading, known: Known, policy: Policy) -> Finding | None:
        """The objection to this mail, or None."""


def people(number: int) -> str:
    """A number of people in words: ``1 person``, ``1,136 people``."""
    return "1 person" if number == 1 else f"{number:,} people"


def recipients(number: int) -> str:
    """A number of viewers in words: ``1 recipient``, ``37 recipients``."""
    return "1 recipient" if number == 1 else f"{number:,} recipients"


def addresses(number: int) -> str:
    """Whose addresses, in words: ``1 person's address``, ``37 people's addresses``."""
    return "1 person's address" if number == 1 else f"{number:,} people's addresses"
