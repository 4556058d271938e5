# SPDX-License-Identifier: Apache-2.0
"""The form of visible-mail control."""

from django import forms
from django.utils.translation import gettext_lazy as _

from undisclosed.console.addresses import AddressesField
from undisclosed.console.forms import ConsoleForm

MOST_DAYS = 30


class ControlForm(ConsoleForm):
    """A person, by the addresses that they write from; why, and for how long.

    From the page of a mailing its sender is meant, and no address is typed.
    """

    mailing = forms.CharField(required=False, max_length=64, widget=forms.HiddenInput())
    addresses = AddressesField(
        label=_("The addresses that the person writes from"), required=False
    )
    reason = forms.CharField(
        label=_("Why?"),
        help_text=_("Without any address: it is shown with the control."),
        max_length=1000,
        widget=forms.Textarea(attrs={"rows": 2}),
    )
    days = forms.IntegerField(
        label=_("For how many days, at most 30"),
        min_value=1,
        max_value=MOST_DAYS,
        initial=14,
    )
