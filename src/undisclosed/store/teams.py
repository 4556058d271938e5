# SPDX-License-Identifier: Apache-2.0
"""Teams: made, named, filled with people; every act in the journal with it.

Nobody gives themselves a role or the right to see rows: another administrator does.
Where there is only one administrator there is nobody to ask, and the journal says so.
"""

from collections.abc import Iterable
from datetime import datetime

from django.db import IntegrityError, transaction

from undisclosed.errors import UndisclosedError
from undisclosed.store import journal
from undisclosed.store.models import Account, Membership, Team
from undisclosed.store.roles import Role


class NameTaken(UndisclosedError):
    """There is a team of this name already."""


class OwnMembership(UndisclosedError):
    """Nobody gives themselves a role or a right: another administrator has to."""


class NotAMember(UndisclosedError):
    """This account is not in the team."""


def create(name: str, *, by: Account, now: datetime) -> Team:
    """Make a team, on trial, without anybody in it. Raises NameTaken."""
    try:
        with transaction.atomic():
            team = Team.objects.create(name=name.strip(), created_at=now)
            _write("team made", by, team)
    except IntegrityError:
        raise NameTaken from None
    return team


def end_trial(team: Team, *, by: Account) -> None:
    """Let a team mail others than its own members. Twice is once."""
    with transaction.atomic():
        if Team.objects.filter(pk=team.pk, is_trial=True).update(is_trial=False):
            _write("team's trial ended", by, team)


def put(
    team: Team,
    account: Account,
    roles: Iterable[Role],
    *,
    may_see_rows: bool,
    by: Account,
) -> Membership:
    """Put an account into a team with exactly these roles. Raises OwnMembership."""
    wanted = sorted(set(roles))
    with transaction.atomic():
        old = Membership.objects.select_for_update().filter(team=team, account=account)
        before = old.first()
        alone = _refuse_own(before, account, wanted, may_see_rows, by)
        member, _ = Membership.objects.update_or_create(
            team=team,
            account=account,
            defaults={
                "roles": [role.value for role in wanted],
                "may_see_rows": may_see_rows,
            },
        )
        _write(
            "team member set",
            by,
            team,
            account=str(account.pk),
            roles=[role.value for role in wanted],
            may_see_rows=may_see_rows,
            **({"only_administrator": True} if alone else {}),
        )
    return member


def remove(team: Team, account: Account, *, by: Account) -> None:
    """Take an account out of a team. Raises NotAMember."""
    with transaction.atomic():
        gone, _ = Membership.objects.filter(team=team, account=account).delete()
        if not gone:
            raise NotAMember
        _write("team member removed", by, team, account=str(account.pk))


def _refuse_own(
    before: Membership | None,
    account: Account,
    roles: Iterable[Role],
    may_see_rows: bool,
    by: Account,
) -> bool:
    """Whether this gives somebody more by their own hand, there being nobody else."""
    held = set(before.roles) if before is not None else set()
    had_rows = before is not None and before.may_see_rows
    gains = bool(set(roles) - held) or (may_see_rows and not had_rows)
    if not gains or account.pk != by.pk:
        return False
    others = Account.objects.filter(is_active=True).exclude(pk=by.pk)
    if others.filter(roles__contains=[Role.ADMINISTRATOR.value]).exists():
        raise OwnMembership
    return True


def _write(event: str, by: Account, team: Team, **facts: object) -> None:
    journal.write(event, actor=str(by.pk), team=str(team.pk), **facts)
