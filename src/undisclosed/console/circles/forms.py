# SPDX-License-Identifier: Apache-2.0
"""The form of a circle."""

from django import forms
from django.utils.translation import gettext_lazy as _

from undisclosed.console.addresses import AddressesField
from undisclosed.console.forms import ConsoleForm

MONTHS = (
    (1, _("One month")),
    (3, _("Three months")),
    (6, _("Six months")),
    (12, _("One year")),
)


class CircleForm(ConsoleForm):
    """Who know one another, why, and for how long."""

    people = AddressesField(label=_("Their addresses"))
    reason = forms.CharField(
        label=_("Why do they know one another?"),
        help_text=_("Without any address: it is shown with the circle."),
        max_length=1000,
        widget=forms.Textarea(attrs={"rows": 2}),
    )
    months = forms.TypedChoiceField(
        label=_("For how long"), choices=MONTHS, coerce=int, initial=3
    )
