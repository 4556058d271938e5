# SPDX-License-Identifier: Apache-2.0
"""One table of mails, every way into the guard: the same mail, the same verdict."""

from collections.abc import Callable
from dataclasses import dataclass, field

import pytest

from tests.acceptance.endpoints import ENDPOINTS, Seen
from tests.guard.worlds import OLIVE, POLICY, World, mail, people, person
from undisclosed.core.address import Address
from undisclosed.core.mail import Mail
from undisclosed.core.policy import DistributionList, Policy
from undisclosed.core.verdict import Action

STAFF = Address("all-staff", "council.example")
CLINIC = Address("clinic", "council.example")
OWN = POLICY.own_domains
COLLEAGUES = tuple(Address(f"c{n}", "council.example") for n in range(12))
BODY = "\r\n".join(one.spelled_out() for one in people(range(100, 140)))
REQUEST = "\r\n".join(
    (
        "BEGIN:VCALENDAR",
        "METHOD:REQUEST",
        "BEGIN:VEVENT",
        *(f"ATTENDEE:mailto:{one.spelled_out()}" for one in people(range(40))),
        "END:VEVENT",
        "END:VCALENDAR",
        "",
    )
)
FORWARDED = "\r\n".join(
    (
        "---------- Forwarded message ----------",
        "From: eve@news.example",
        f"To: {', '.join(one.spelled_out() for one in people(range(40)))}",
        "Subject: News",
        "",
        "Text",
        "",
    )
)


@dataclass(frozen=True)
class Row:
    """A mail, the policy that it is judged by, and what must come of it."""

    name: str
    action: Action
    mail: Mail
    rules: frozenset[str] = frozenset()
    policy: Policy = POLICY
    earlier: tuple[Mail, ...] = ()
    not_for: frozenset[str] = field(default=frozenset())


def held(name: str, of: Mail, *rules: str, **more: object) -> Row:
    return Row(name, Action.HOLD, of, frozenset(rules), **more)


def passed(name: str, of: Mail, **more: object) -> Row:
    return Row(name, Action.ACCEPT, of, **more)


def policy(**changes: object) -> Policy:
    return Policy(own_domains=OWN, **changes)


def batch(number: int) -> Mail:
    """One of several batches of a mailing that are small each."""
    first = number * 4
    return mail(people(range(first, first + 4)), text="The same words in all.\r\n" * 9)


SHOWN = "shown-outsiders"
NEEDS_MEMORY = frozenset({"HTTP"})
"""Who asks for advice is not told what only Memory knows, but is judged on sending."""

ROWS = [
    passed("to one outsider", mail(people([1]))),
    passed("to nobody outside", mail(COLLEAGUES)),
    passed("to five outsiders, who are not too many", mail(people(range(5)))),
    held("to six outsiders", mail(people(range(6))), SHOWN),
    held("six in Cc", mail(people(range(6)), field_name="Cc"), SHOWN),
    held("a field spelt badly", mail(people(range(6)), field_name="To "), SHOWN),
    passed(
        "nine who stand nowhere, as Bcc has it",
        mail([OLIVE], viewers=people(range(9))),
    ),
    passed(
        "a Bcc that was left in is removed and nobody sees it",
        mail(people([1]), more="Bcc: <hidden@b.example>\r\n"),
    ),
    held(
        "six in a group with semicolons and an encoded name",
        mail(
            [OLIVE],
            viewers=people(range(6)),
            more="Cc: =?utf-8?q?B=C3=BCro?=: "
            + "; ".join(one.spelled_out() for one in people(range(6)))
            + ";\r\n",
        ),
        SHOWN,
    ),
    held(
        "forty addresses in the text",
        mail(people([1]), text=BODY + "\r\n"),
        "addresses-in-body",
    ),
    held(
        "forty in an encoded text",
        mail(
            people([1]),
            more="Content-Transfer-Encoding: quoted-printable\r\n",
            text=BODY.replace("@", "=40") + "\r\n",
        ),
        "addresses-in-body",
    ),
    held(
        "forty in a forwarded header",
        mail(people([1]), text=FORWARDED),
        "forwarded-addresses",
    ),
    held(
        "an invitation that names forty",
        mail(
            people([1]),
            more="Content-Type: text/calendar; method=REQUEST\r\n",
            text=REQUEST,
        ),
        "addresses-in-body",
    ),
    Row(
        "Outlook's recall, going outside",
        Action.REJECT,
        mail(people(range(3)), more="X-Message-Class: IPM.Outlook.Recall\r\n"),
        frozenset({"recall"}),
    ),
    passed("a product is recalled", mail(people([1]), subject="Recall: our kettles")),
    Row(
        "the policy has lists sent singly",
        Action.SPLIT,
        mail(people(range(6))),
        frozenset({SHOWN}),
        policy=policy(actions={SHOWN: Action.SPLIT}),
    ),
    Row(
        "the policy refuses lists",
        Action.REJECT,
        mail(people(range(6))),
        frozenset({SHOWN}),
        policy=policy(actions={SHOWN: Action.REJECT}),
    ),
    held(
        "two of a sensitive list, and one more",
        mail([CLINIC], viewers=[CLINIC]),
        SHOWN,
        policy=policy(
            lists={CLINIC: DistributionList(people(range(3)), is_sensitive=True)}
        ),
    ),
    passed(
        "the null sender",
        mail(people([1]), mail_from=None, author=STAFF, subject="Undeliverable"),
    ),
    held(
        "a third batch of a mailing whose batches are small",
        batch(2),
        SHOWN,
        earlier=(batch(0),),
        not_for=NEEDS_MEMORY,
    ),
    held(
        "a recipient on many lines",
        mail(tuple(person(n) for n in range(60)), text="Text\r\n.\r\n..\r\n"),
        SHOWN,
    ),
]


@pytest.mark.parametrize("name", ENDPOINTS)
@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_the_same_mail_has_the_same_verdict(row: Row, name: str) -> None:
    endpoint: Callable[[World, Mail], Seen] = ENDPOINTS[name]
    world = World(policy=row.policy)
    for before in row.earlier:
        world.take(before)
    if name in row.not_for:
        assert endpoint(world, row.mail).action is Action.ACCEPT
        return

    seen = endpoint(world, row.mail)

    assert seen.action is row.action
    if seen.rules:
        assert seen.rules == row.rules


def test_the_table_has_every_action_and_every_way_in() -> None:
    assert {row.action for row in ROWS} == set(Action)
    assert len({row.name for row in ROWS}) == len(ROWS)
    assert set(ENDPOINTS) == {"SMTP", "sendmail pipe", "milter", "HTTP"}
