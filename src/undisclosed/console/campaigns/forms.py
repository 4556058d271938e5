# SPDX-License-Identifier: Apache-2.0
"""The forms of campaigns."""

from collections.abc import Iterable
from typing import Any, Final

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _now_translated
from django.utils.translation import gettext_lazy as _

from undisclosed.console.forms import ConsoleForm
from undisclosed.core.address import Address, parse_addr_spec
from undisclosed.core.campaign import Draft, MailKind
from undisclosed.store.campaign_lists import ListSummary
from undisclosed.store.models import Team

MOST_TEXT: Final = 200_000
MOST_FILE: Final = 20 * 1024 * 1024

KINDS: Final = (
    (MailKind.SERVICE.value, _("Service mail: people need it, nobody unsubscribes")),
    (MailKind.MARKETING.value, _("Marketing: everybody can unsubscribe")),
)
IN_DOUBT: Final = (
    ("ask", _("Stop and ask a person")),
    ("resend", _("Send it again, with the same Message-ID")),
    ("sent", _("Take it as sent")),
)


class AddressField(forms.CharField):
    """One address; the form's value is an Address, or None where it may be empty."""

    def __init__(self, **kwargs: Any) -> None:
        attrs = {"autocapitalize": "none", "spellcheck": "false"}
        super().__init__(max_length=320, widget=forms.TextInput(attrs=attrs), **kwargs)

    def clean(self, value: Any) -> Address | None:
        """The address, or a sentence that says that it is none."""
        text = super().clean(value).strip()
        if not text:
            return None
        address = parse_addr_spec(text)
        if address is None or not address.domain:
            raise ValidationError(_now_translated("This is no address."))
        return address


class NewForm(ConsoleForm):
    """A campaign before anything of it is written."""

    name = forms.CharField(
        label=_("What is it called?"),
        help_text=_("For your team only: recipients never see it."),
        max_length=200,
    )
    team = forms.ChoiceField(label=_("Team"))
    kind = forms.ChoiceField(label=_("Kind"), choices=KINDS)

    def __init__(self, *args: Any, teams: Iterable[Team], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["team"]
        assert isinstance(field, forms.ChoiceField)  # noqa: S101
        field.choices = [(str(team.pk), team.name) for team in teams]


class WriteForm(ConsoleForm):
    """What a campaign says, to whom, and from whom."""

    name = forms.CharField(label=_("Name, for your team only"), max_length=200)
    recipients = forms.ChoiceField(label=_("List of recipients"), required=False)
    kind = forms.ChoiceField(label=_("Kind"), choices=KINDS)
    author_name = forms.CharField(
        label=_("From: the name that people see"), required=False, max_length=200
    )
    author = AddressField(label=_("From: the address"))
    reply_to = AddressField(
        label=_("Answers go to"),
        help_text=_("One box that somebody reads. Empty: the address above."),
        required=False,
    )
    subject = forms.CharField(label=_("Subject"), max_length=900)
    markdown = forms.CharField(
        label=_("Text"),
        help_text=_(
            "Markdown, with fields as in {{ first_name }} and conditions as in "
            "{% if ward %}."
        ),
        max_length=MOST_TEXT,
        strip=False,
        widget=forms.Textarea(attrs={"rows": 16}),
    )
    per_minute = forms.IntegerField(
        label=_("At most so many in a minute"),
        help_text=_("0: as fast as the installation allows."),
        min_value=0,
        max_value=1_000_000,
        initial=0,
    )
    in_doubt = forms.ChoiceField(
        label=_("Where a crash leaves it unknown whether a message left"),
        choices=IN_DOUBT,
    )

    def __init__(self, *args: Any, lists: Iterable[ListSummary], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["recipients"]
        assert isinstance(field, forms.ChoiceField)  # noqa: S101
        field.choices = [
            ("", _("None yet")),
            *((one.id, f"{one.name} ({one.mailed:,})") for one in lists),
        ]

    def draft(self) -> Draft:
        """What was written, without attachments."""
        wanted = self.cleaned_data
        return Draft(
            subject=wanted["subject"],
            markdown=wanted["markdown"].replace("\r\n", "\n"),
            author=wanted["author"],
            author_name=wanted["author_name"],
            reply_to=wanted["reply_to"],
            kind=MailKind(wanted["kind"]),
        )


class FileForm(ConsoleForm):
    """A file for everybody, or one person's own."""

    file = forms.FileField(label=_("File"), max_length=200)
    column = forms.CharField(
        label=_("Column that names each person's own file"),
        help_text=_("Empty: everybody gets this file."),
        required=False,
        max_length=200,
    )

    def clean_file(self) -> Any:
        """The file, where it is not too large."""
        file = self.cleaned_data["file"]
        if file.size > MOST_FILE:
            raise ValidationError(_now_translated("At most 20 MiB."))
        return file


class ReasonForm(ConsoleForm):
    """Why: for an override and for a refusal."""

    reason = forms.CharField(
        label=_("Why?"),
        help_text=_("Without any address. It is kept with the campaign."),
        max_length=1000,
        widget=forms.Textarea(attrs={"rows": 2}),
    )


class ApproveForm(ConsoleForm):
    """Consent in a role to exactly what was on the page."""

    digest = forms.RegexField(r"^[0-9a-f]{64}$", widget=forms.HiddenInput())
    role = forms.CharField(max_length=20, widget=forms.HiddenInput())
    has_seen = forms.BooleanField(
        label=_("I have looked at the message, the findings and the number of people.")
    )


class RefuseForm(ReasonForm):
    """Refusal in a role of exactly what was on the page."""

    digest = forms.RegexField(r"^[0-9a-f]{64}$", widget=forms.HiddenInput())
    role = forms.CharField(max_length=20, widget=forms.HiddenInput())


class DelegateForm(ConsoleForm):
    """Handing a decision on."""

    digest = forms.RegexField(r"^[0-9a-f]{64}$", widget=forms.HiddenInput())
    role = forms.CharField(max_length=20, widget=forms.HiddenInput())
    to = forms.ChoiceField(label=_("Who decides instead of you?"))

    def __init__(
        self, *args: Any, people: Iterable[tuple[str, str]], **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["to"]
        assert isinstance(field, forms.ChoiceField)  # noqa: S101
        field.choices = list(people)


class ScheduleForm(ConsoleForm):
    """When it may leave, in the organisation's time zone."""

    not_before = forms.DateTimeField(
        label=_("Not before"),
        widget=forms.DateTimeInput(
            attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"
        ),
    )
    not_after = forms.DateTimeField(
        label=_("Not after"),
        help_text=_("What has not left by then waits for a person. May stay empty."),
        required=False,
        widget=forms.DateTimeInput(
            attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"
        ),
    )

    def clean(self) -> dict[str, Any]:
        """The end comes after the beginning."""
        wanted = super().clean() or self.cleaned_data
        begin, end = wanted.get("not_before"), wanted.get("not_after")
        if begin and end and end <= begin:
            self.add_error("not_after", _now_translated("It ends before it begins."))
        return wanted
