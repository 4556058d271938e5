# SPDX-License-Identifier: Apache-2.0
"""What the journal can be narrowed by."""

from collections.abc import Iterable
from typing import Any, Final

from django import forms
from django.utils.translation import gettext_lazy as _

from undisclosed.console.forms import ConsoleForm
from undisclosed.store.journal_reading import SUBJECT

PARTS: Final = (
    "guard",
    "worker",
    "sweep",
    "retention",
    "verification",
    "api",
    "link",
    "run",
    "command line",
)
"""Actors that are no person, as they stand in the journal."""


class SeekForm(ConsoleForm):
    """An event, an actor, a day, a subject: each narrows what the others found."""

    event = forms.ChoiceField(label=_("What was done"), required=False)
    who = forms.ChoiceField(label=_("Who did it"), required=False)
    day = forms.DateField(
        label=_("Day (UTC)"),
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}),
    )
    subject = forms.RegexField(
        SUBJECT,
        label=_("About"),
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "off", "autocapitalize": "none"}),
        error_messages={
            "invalid": _("Write the id of a mailing, a campaign, a list or an account.")
        },
    )

    def __init__(
        self,
        *args: Any,
        events: Iterable[str],
        people: Iterable[tuple[str, str]],
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        _choose(self.fields["event"], [(one, one) for one in events])
        parts = [(one, one) for one in PARTS]
        _choose(self.fields["who"], [*people, *parts])


def _choose(field: forms.Field, choices: list[tuple[str, str]]) -> None:
    assert isinstance(field, forms.ChoiceField)  # noqa: S101 (for types)
    field.choices = [("", _("Everything")), *choices]
