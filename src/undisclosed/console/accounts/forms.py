# SPDX-License-Identifier: Apache-2.0
"""The forms of accounts."""

from typing import Any

from django import forms
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from undisclosed.console.forms import ConsoleForm
from undisclosed.core.address import Address, parse_addr_spec
from undisclosed.store.models import Role

ROLES_EXPLAINED = {
    Role.SENDER: _(
        "Sender: reads their own held mail, sends it singly or withdraws it"
    ),
    Role.SUPERVISOR: _(
        "Supervisor: reads all held mail, sends it singly or releases it, declares "
        "circles and visible-mail control"
    ),
    Role.MANAGER: _("Manager: the same rights as a supervisor"),
    Role.COMMUNICATIONS: _("Communications: no rights outside a team"),
    Role.DPO: _(
        "Data protection officer: reads all held mail and the journal; in every team "
        "reads, approves campaigns and destroys lists"
    ),
    Role.AUDITOR: _(
        "Auditor: reads all held mail, the journal and every team's work, changes "
        "nothing"
    ),
    Role.ADMINISTRATOR: _(
        "Administrator: makes accounts, log-in links and teams, reads the journal "
        "without names, sees no mail"
    ),
}
"""Each role with what it allows, as somebody who gives it reads it."""


class LogInForm(ConsoleForm):
    """An address and a password."""

    login = forms.CharField(
        label=_("Your address"),
        max_length=320,
        widget=forms.TextInput(
            attrs={
                "autocomplete": "username",
                "inputmode": "email",
                "autocapitalize": "none",
                "spellcheck": "false",
            }
        ),
    )
    password = forms.CharField(
        label=_("Password"),
        max_length=1000,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )


class AddressField(forms.CharField):
    """One address; the form's value is an Address."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(max_length=320, **kwargs)

    def clean(self, value: Any) -> Address:
        """The address, or the sentence that says it is none."""
        address = parse_addr_spec(super().clean(value))
        if address is None or not address.domain:
            raise ValidationError(
                _("Write one whole address, like ann@council.example.")
            )
        return address


class EnterForm(ConsoleForm):
    """What a log-in link asks for: a name and a password, twice.

    Only the first account of an installation chooses its address, and may make a team;
    any other one's address was verified by whoever made the account.
    """

    name = forms.CharField(
        label=_("Your name"),
        max_length=200,
        help_text=_("It stands beside what you decide."),
        widget=forms.TextInput(attrs={"autocomplete": "name"}),
    )
    login = AddressField(
        label=_("Your address"),
        help_text=_("You log in with it, and held mail sent from it is yours."),
        widget=forms.TextInput(
            attrs={
                "autocomplete": "username",
                "inputmode": "email",
                "autocapitalize": "none",
                "spellcheck": "false",
            }
        ),
    )
    team = forms.CharField(
        label=_("Your first team"),
        max_length=200,
        required=False,
        help_text=_(
            "Lists and campaigns belong to a team. You are in it with every role; "
            "bring others in, since nobody approves their own."
        ),
    )
    password = forms.CharField(
        label=_("Password"),
        max_length=1000,
        strip=False,
        help_text=_("Twelve characters or more."),
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )
    again = forms.CharField(
        label=_("The password again"),
        max_length=1000,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )

    def __init__(self, *args: Any, chooses_login: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not chooses_login:
            del self.fields["login"]
            del self.fields["team"]

    def clean_password(self) -> str:
        """The password, when it is none of the usual ones."""
        password = str(self.cleaned_data["password"])
        validate_password(password)
        return password

    def clean(self) -> dict[str, Any]:
        """Both passwords must be the same, whatever else is wrong with the first."""
        cleaned = super().clean() or self.cleaned_data
        password, again = self["password"].data, cleaned.get("again")
        if password and again and password != again:
            self.add_error("again", _("The two passwords differ."))
        return cleaned


class AccountRolesForm(ConsoleForm):
    """What an account may do outside of teams: nothing, where no role is chosen."""

    roles = forms.MultipleChoiceField(
        label=_("What they may do outside of teams"),
        choices=[(role.value, name) for role, name in ROLES_EXPLAINED.items()],
        widget=forms.CheckboxSelectMultiple,
        required=False,
    )


class InviteForm(ConsoleForm):
    """A new account: whose it is, and what they may do."""

    name = forms.CharField(label=_("Name"), max_length=200)
    login = AddressField(
        label=_("Address"),
        help_text=_("They log in with it, and held mail sent from it is theirs."),
        widget=forms.TextInput(attrs={"inputmode": "email", "autocapitalize": "none"}),
    )
    roles = forms.MultipleChoiceField(
        label=_("Roles"),
        choices=[(role.value, name) for role, name in ROLES_EXPLAINED.items()],
        widget=forms.CheckboxSelectMultiple,
    )
