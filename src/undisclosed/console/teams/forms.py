# SPDX-License-Identifier: Apache-2.0
"""The forms of teams."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from undisclosed.console.forms import ConsoleForm
from undisclosed.store.models import Account, Role, Team

ROLES_IN_A_TEAM = {
    Role.SENDER: _("Sender: imports lists, writes campaigns, has them sent"),
    Role.SUPERVISOR: _("Supervisor: approves campaigns, stops them, destroys lists"),
    Role.MANAGER: _("Manager: approves campaigns, stops them, destroys lists"),
    Role.COMMUNICATIONS: _("Communications: approves the wording of campaigns"),
    Role.DPO: _("Data protection officer: approves campaigns to sensitive lists"),
    Role.AUDITOR: _("Auditor: reads lists' facts and campaigns, changes nothing"),
}
"""Each role that somebody may have in a team, as somebody who gives it reads it."""


class TeamForm(ConsoleForm):
    """A new team."""

    name = forms.CharField(label=_("Name"), max_length=200)


class RolesForm(ConsoleForm):
    """What somebody may do in a team."""

    roles = forms.MultipleChoiceField(
        label=_("Roles in this team"),
        choices=[(role.value, name) for role, name in ROLES_IN_A_TEAM.items()],
        widget=forms.CheckboxSelectMultiple,
    )
    may_see_rows = forms.BooleanField(
        label=_("May read the rows of the team's lists and export them"),
        help_text=_("Everybody else sees counts and masked rows. Each look is kept."),
        required=False,
    )


class MemberForm(RolesForm):
    """Somebody who joins a team."""

    account = forms.ModelChoiceField(
        label=_("Who"), queryset=Account.objects.none(), empty_label=None
    )
    field_order = ("account", "roles", "may_see_rows")

    def __init__(self, *args: Any, team: Team, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choice = self.fields["account"]
        assert isinstance(choice, forms.ModelChoiceField)  # noqa: S101 (for types)
        choice.queryset = (
            Account.objects.filter(is_active=True)
            .exclude(memberships__team=team)
            .order_by("name", "pk")
        )
