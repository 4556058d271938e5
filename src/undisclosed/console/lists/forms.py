# SPDX-License-Identifier: Apache-2.0
"""The forms of lists and of suppressions."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any, Final

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from undisclosed.console.addresses import AddressesField
from undisclosed.console.forms import ConsoleForm
from undisclosed.core.campaign import MailKind, Sensitivity
from undisclosed.store.models import Account, Team
from undisclosed.store.suppressions import Lifted, Reason

SENSITIVITIES = (
    (Sensitivity.ORDINARY.value, _("Ordinary")),
    (
        Sensitivity.CONFIDENTIAL.value,
        _("Confidential: that somebody stands on it is nobody's business"),
    ),
    (
        Sensitivity.SPECIAL.value,
        _("Special category: it tells of health, belief, origin, sex life, politics"),
    ),
)
BASES = (
    "Public task (GDPR Art. 6(1)(e))",
    "Legal obligation (GDPR Art. 6(1)(c))",
    "Contract (GDPR Art. 6(1)(b))",
    "Consent (GDPR Art. 6(1)(a))",
    "Legitimate interests (GDPR Art. 6(1)(f))",
    "Vital interests (GDPR Art. 6(1)(d))",
)
WHY = (
    ("check", _("I check that the list is right")),
    ("answer", _("I look for one person, to answer them")),
    ("request", _("A person asked what we hold about them")),
    ("reach", _("These people are phoned or written to")),
    ("move", _("The list moves to another system")),
    ("incident", _("An incident is looked into")),
)
"""Why rows are read: chosen and not written, since the journal keeps it for ever."""

REASONS = (
    (Reason.ASKED.value, _("The person asked us")),
    (Reason.SAFETY.value, _("A message there would endanger the person")),
    (Reason.FAILED.value, _("The address does not exist")),
    (Reason.COMPLAINT.value, _("The person complained")),
)
ALL_TEAMS = "all"
LIFTED = (
    (Lifted.ASKED.value, _("The person wants to be mailed")),
    (Lifted.REACHABLE.value, _("The address works again")),
    (Lifted.MISTAKE.value, _("It was a mistake")),
)
"""Why somebody is mailed again."""


KEPT_FOR: Final = timedelta(days=90)
"""How long a list is kept where nobody says otherwise."""


class ListForm(ConsoleForm):
    """What is written about a list when it is made."""

    team = forms.ChoiceField(label=_("Team"))
    name = forms.CharField(label=_("Name"), max_length=200)
    purpose = forms.CharField(
        label=_("What is it for?"),
        help_text=_("One sentence: approvers read it before anything is sent."),
        max_length=1000,
        widget=forms.Textarea(attrs={"rows": 2}),
    )
    sensitivity = forms.ChoiceField(
        label=_("How sensitive is it?"), choices=SENSITIVITIES
    )
    legal_basis = forms.ChoiceField(
        label=_("Legal basis"), choices=[(one, one) for one in BASES]
    )
    owner = forms.ChoiceField(
        label=_("Owner"), help_text=_("Who answers for it, and is asked about it.")
    )
    keep_until = forms.DateField(
        label=_("Keep until"),
        help_text=_("After this day the list is destroyed with every row of it."),
        initial=lambda: timezone.localdate() + KEPT_FOR,
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
    )

    def __init__(
        self, *args: Any, teams: Sequence[Team], me: Account, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.fields["team"].choices = [(str(one.pk), one.name) for one in teams]  # type: ignore[attr-defined]
        people = Account.objects.filter(memberships__team__in=teams, is_active=True)
        owners = {str(me.pk): me.name} | {
            str(one.pk): one.name for one in people.order_by("name").distinct()
        }
        self.fields["owner"].choices = list(owners.items())  # type: ignore[attr-defined]
        self.fields["owner"].initial = str(me.pk)


class ChoicesForm(ConsoleForm):
    """Which sheet of a workbook, and which column holds the addresses."""

    sheet = forms.CharField(
        label=_("Sheet"),
        help_text=_("Of a workbook. Without a name the first visible one is read."),
        max_length=200,
        required=False,
    )
    address_column = forms.CharField(
        label=_("Column of the addresses"),
        help_text=_("Its name in the first row, where several hold addresses."),
        max_length=200,
        required=False,
    )


class UploadForm(ChoicesForm):
    """A file, or rows that are pasted."""

    file = forms.FileField(
        label=_("File"),
        help_text=_("CSV, XLSX, ODS, XLS. The first row names the columns."),
        required=False,
    )
    pasted = forms.CharField(
        label=_("Or paste rows"),
        help_text=_("As a spreadsheet copies them, the row of names first."),
        max_length=2_000_000,
        required=False,
        widget=forms.Textarea(attrs={"rows": 4, "spellcheck": "false"}),
        strip=False,
    )
    field_order = ("file", "pasted", "sheet", "address_column")

    def clean(self) -> dict[str, Any]:
        """One of the two, and not both."""
        given = super().clean() or {}
        both = (bool(given.get("file")), bool(given.get("pasted", "").strip()))
        if not self.errors and sum(both) != 1:
            self.add_error("file", _("Choose a file or paste rows."))
        return given


class WhyForm(ConsoleForm):
    """Why rows are read or taken out."""

    why = forms.ChoiceField(label=_("Why?"), choices=WHY)


class LettersForm(ConsoleForm):
    """Whose text the letters have."""

    campaign = forms.ChoiceField(label=_("Text of the campaign"))

    def __init__(
        self, *args: Any, campaigns: Sequence[tuple[str, str]], **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.fields["campaign"].choices = campaigns  # type: ignore[attr-defined]


class SeekForm(ConsoleForm):
    """Looks for one address among the suppressions."""

    address = forms.CharField(
        label=_("Find a whole address"), max_length=320, required=False
    )


class LiftForm(ConsoleForm):
    """Why somebody is mailed again."""

    because = forms.ChoiceField(label=_("Why?"), choices=LIFTED)


class SuppressForm(ConsoleForm):
    """Who is not to be mailed, why, and by whom."""

    addresses = AddressesField(label=_("Addresses"))
    reason = forms.ChoiceField(label=_("Why?"), choices=REASONS)
    team = forms.ChoiceField(label=_("Who does not mail them"))
    only = forms.ChoiceField(
        label=_("Which mail"),
        choices=(("", _("Every mail")), (MailKind.MARKETING.value, _("Marketing"))),
        required=False,
    )

    def __init__(self, *args: Any, teams: Sequence[Team], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        of = [(str(one.pk), one.name) for one in teams]
        self.fields["team"].choices = [*of, (ALL_TEAMS, _("All teams"))]  # type: ignore[attr-defined]
