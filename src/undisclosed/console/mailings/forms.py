# SPDX-License-Identifier: Apache-2.0
"""The forms of mailings."""

from django import forms
from django.utils.translation import gettext_lazy as _

from undisclosed.console.circles.forms import MONTHS
from undisclosed.console.forms import ConsoleForm
from undisclosed.console.templatetags.console import STATE_NAMES
from undisclosed.core.held import HoldState

EVERY_STATE = "every"
WAITS = HoldState.HELD.value
"""What the list shows unasked: what waits for a decision."""


class SeekForm(ConsoleForm):
    """What the list of mailings can be narrowed by."""

    search = forms.CharField(
        label=_("Search by a whole address"),
        required=False,
        max_length=400,
        widget=forms.SearchInput(
            attrs={"autocomplete": "off", "autocapitalize": "none"}
        ),
    )
    state = forms.ChoiceField(
        label=_("State"),
        required=False,
        choices=[
            *((state.value, STATE_NAMES[state]) for state in HoldState),
            (EVERY_STATE, _("Every state")),
        ],
    )

    def clean_state(self) -> str:
        """The state that was asked for; unasked what waits."""
        return str(self.cleaned_data["state"]) or WAITS


class ReleaseForm(ConsoleForm):
    """The reason without which nothing is released unchanged."""

    reason = forms.CharField(
        label=_("Why may these people see each other?"),
        help_text=_("Without any address: it is kept with the mail."),
        max_length=1000,
        widget=forms.Textarea(attrs={"rows": 3}),
    )
    months = forms.TypedChoiceField(
        label=_("Do they know one another?"),
        help_text=_("Then mail among them is not held again for that time: a circle."),
        choices=[(0, _("No, this mail only")), *MONTHS],
        coerce=int,
        empty_value="0",
        required=False,
    )
