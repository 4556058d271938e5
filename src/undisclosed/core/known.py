# SPDX-License-Identifier: Apache-2.0
"""What Memory answered for one mail, as values (design: Known).

Memory keeps keyed hashes only. It is asked with addresses and answers with
counts and with those of the asked addresses that it knows.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class MailingSoFar:
    """The mailing that this mail belongs to, this mail included.

    ``people`` is the number of distinct outsiders newly shown over all its mail
    (the union), ``disclosures`` the sum over its mail, ``waves`` how many mails.
    """

    id: str
    people: int
    disclosures: int
    waves: int


@dataclass(frozen=True, slots=True)
class Known:
    """What is known beyond the mail itself. Nothing at all by default.

    ``recalled``: a mail in Memory of the same sender has the subject that this
    recall names and shares its audience.
    """

    mailing: MailingSoFar | None = None
    recalled: bool = False


NOTHING_KNOWN = Known()
