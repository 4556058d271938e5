# SPDX-License-Identifier: Apache-2.0
"""The forms of the post office."""

from django import forms
from django.utils.translation import gettext_lazy as _

from undisclosed.console.forms import ConsoleForm


class SeekForm(ConsoleForm):
    """Whose mail is looked for."""

    search = forms.CharField(
        label=_("Search by a recipient's whole address"),
        required=False,
        max_length=400,
        widget=forms.SearchInput(
            attrs={"autocomplete": "off", "autocapitalize": "none"}
        ),
    )
