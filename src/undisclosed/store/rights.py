# SPDX-License-Identifier: Apache-2.0
"""Who may do what: rights by role, over everything and in each team.

An account has roles of its own, for held mail and the installation, and in each of its
teams others, for lists and campaigns. Two of its own count in every team: a data
protection officer reads and decides there, an auditor reads. Rows of a list are seen
only by a right of its own, which stands beside the roles and comes with none of them.
Nobody approves their own, whatever these tables say: the tables of the store see to it.
"""

from enum import StrEnum
from typing import TYPE_CHECKING, Final, Union
from uuid import UUID

from undisclosed.store.roles import APPROVING, Role

if TYPE_CHECKING:
    from undisclosed.store.models import Account, Membership, Team

TeamId = Union["Team", UUID, str]
"""A team, or its id."""


class Right(StrEnum):
    """One thing that a role allows."""

    # Held mail and the installation: by the account's own roles.
    SEE_OWN = "see own mailings"  # sent from a verified address of one's own
    DECIDE_OWN = "decide own mailings"  # send singly and withdraw these
    SEE_ALL = "see all mailings"
    ASK_ADDRESSES = "ask for addresses"  # read them in full, journalled
    SEND_SINGLY = "send singly"  # for others
    RELEASE = "release"  # others' mail unchanged, with a reason
    DECLARE = "declare"  # circles, and who is under visible-mail control
    SEE_POST_OFFICE = "see the post office"  # caught mail, with its content
    REPLAY = "replay"  # start the replay of a case
    INVITE = "invite"  # make accounts, log-in links and teams
    READ_JOURNAL = "read journal"  # and verify and download it
    NAME_PEOPLE = "name people"  # read names instead of the journal's pseudonyms
    # Lists and campaigns: by the roles in their team.
    SEE_LISTS = "see lists"  # what they are for, counts and masked rows
    CHANGE_LISTS = "change lists"  # make, import, suppress
    SEE_ROWS = "see rows"  # unmasked, one at a time, and exported; each journalled
    DESTROY_LISTS = "destroy lists"
    SEE_CAMPAIGNS = "see campaigns"
    WRITE_CAMPAIGNS = "write campaigns"  # draft, check, override, submit
    APPROVE_CAMPAIGNS = "approve campaigns"  # in the roles of approving_roles
    STEER_CAMPAIGNS = "steer campaigns"  # schedule, start, pause, resume, cancel


_APPROVER: Final = frozenset(
    {
        Right.SEE_ALL,
        Right.ASK_ADDRESSES,
        Right.SEND_SINGLY,
        Right.RELEASE,
        Right.DECLARE,
        Right.SEE_POST_OFFICE,
        Right.REPLAY,
    }
)
_READER: Final = frozenset(
    {
        Right.SEE_ALL,
        Right.ASK_ADDRESSES,
        Right.SEE_POST_OFFICE,
        Right.READ_JOURNAL,
        Right.NAME_PEOPLE,
    }
)

RIGHTS: Final[dict[Role, frozenset[Right]]] = {
    Role.SENDER: frozenset({Right.SEE_OWN, Right.DECIDE_OWN}),
    Role.SUPERVISOR: _APPROVER,
    Role.MANAGER: _APPROVER,
    Role.COMMUNICATIONS: frozenset(),
    Role.DPO: _READER,
    Role.AUDITOR: _READER,
    Role.ADMINISTRATOR: frozenset({Right.INVITE, Right.READ_JOURNAL}),
}
"""What a role of the account itself allows; all its roles together."""

DECIDING: Final = frozenset(
    {
        Right.ASK_ADDRESSES,
        Right.RELEASE,
        Right.DECLARE,
        Right.INVITE,
        Right.SEE_ROWS,
        Right.DESTROY_LISTS,
        Right.APPROVE_CAMPAIGNS,
    }
)
"""Rights over what is others': whoever has one may be made to need a second factor."""

_READS: Final = frozenset({Right.SEE_LISTS, Right.SEE_CAMPAIGNS})

TEAM_RIGHTS: Final[dict[Role, frozenset[Right]]] = {
    Role.SENDER: _READS
    | {Right.CHANGE_LISTS, Right.WRITE_CAMPAIGNS, Right.STEER_CAMPAIGNS},
    Role.SUPERVISOR: _READS
    | {Right.APPROVE_CAMPAIGNS, Right.STEER_CAMPAIGNS, Right.DESTROY_LISTS},
    Role.MANAGER: _READS
    | {Right.APPROVE_CAMPAIGNS, Right.STEER_CAMPAIGNS, Right.DESTROY_LISTS},
    Role.COMMUNICATIONS: frozenset({Right.SEE_CAMPAIGNS, Right.APPROVE_CAMPAIGNS}),
    Role.DPO: _READS | {Right.APPROVE_CAMPAIGNS, Right.DESTROY_LISTS},
    Role.AUDITOR: _READS,
    Role.ADMINISTRATOR: frozenset(),
}
"""What a role in a team allows there; none of them shows a list's rows."""

IN_EVERY_TEAM: Final = frozenset({Role.DPO, Role.AUDITOR})
"""The account's own roles that count in every team."""


def rights_of(account: object) -> frozenset[Right]:
    """The rights over held mail and the installation; none without a log-in."""
    from undisclosed.store.models import Account  # noqa: PLC0415 (after Django)

    if not isinstance(account, Account):
        return frozenset()
    held = [RIGHTS[role] for role in Role if account.has_role(role)]
    return frozenset().union(*held)


def may(account: object, right: Right, team: TeamId | None = None) -> bool:
    """Whether an account may do this; in this team, where the right is a team's.

    Without a team, a team's right is one that the account has in every team.
    """
    return right in rights_of(account) or right in rights_in(account, team)


def rights_in(account: object, team: TeamId | None) -> frozenset[Right]:
    """Every right over the lists and campaigns of a team."""
    from undisclosed.store.models import Account  # noqa: PLC0415

    if not isinstance(account, Account) or not account.is_active:
        return frozenset()
    member = _membership(account, team)
    rights = frozenset().union(
        *(TEAM_RIGHTS[role] for role in _roles_in(account, member))
    )
    if member is not None and member.may_see_rows:
        rights |= {Right.SEE_ROWS}
    return rights


def rights_anywhere(account: object) -> frozenset[Right]:
    """Every right that an account has, in one of its teams at least."""
    from undisclosed.store.models import Account  # noqa: PLC0415

    if not isinstance(account, Account) or not account.is_active:
        return frozenset()
    members = list(account.memberships.all())
    held = (
        TEAM_RIGHTS[role]
        for one in (None, *members)
        for role in _roles_in(account, one)
    )
    rows = {Right.SEE_ROWS} if any(one.may_see_rows for one in members) else set()
    return rights_of(account).union(rows, *held)


def decides_over_others(account: object) -> bool:
    """Whether an account approves, administers, or reads addresses, anywhere."""
    return not DECIDING.isdisjoint(rights_anywhere(account))


def roles_in(account: "Account", team: TeamId | None) -> frozenset[Role]:
    """The roles in which the account may act in a team."""
    if not account.is_active:
        return frozenset()
    return _roles_in(account, _membership(account, team))


def approving_roles(account: "Account", team: TeamId) -> frozenset[Role]:
    """The roles in which it may approve campaigns of a team, but for its own."""
    return roles_in(account, team) & APPROVING


def teams_with(account: object, right: Right) -> list["Team"]:
    """The teams in which an account has a right, by name."""
    from undisclosed.store.models import Account, Team  # noqa: PLC0415

    if not isinstance(account, Account):
        return []
    everywhere = right in rights_in(account, None)
    mine = {one.team_id: one for one in account.memberships.all()}
    return [
        team
        for team in Team.objects.order_by("name")
        if everywhere or _allows(account, mine.get(team.pk), right)
    ]


def _allows(account: "Account", member: "Membership | None", right: Right) -> bool:
    if member is None or not account.is_active:
        return False
    if right is Right.SEE_ROWS:
        return member.may_see_rows
    return any(right in TEAM_RIGHTS[role] for role in _roles_in(account, member))


def _roles_in(account: "Account", member: "Membership | None") -> frozenset[Role]:
    everywhere = {role for role in IN_EVERY_TEAM if account.has_role(role)}
    here = {Role(role) for role in member.roles} if member is not None else set()
    return frozenset(everywhere | here)


def _membership(account: "Account", team: TeamId | None) -> "Membership | None":
    if team is None:
        return None
    key = team if isinstance(team, UUID | str) else team.pk
    return account.memberships.filter(team_id=key).first()
