# SPDX-License-Identifier: Apache-2.0
"""Being away: until a day somebody else in line is asked instead."""

from datetime import datetime, time, timedelta

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods

from undisclosed.console.access import account_of, requires
from undisclosed.console.forms import ConsoleForm
from undisclosed.store import absence as absences

LONGEST = timedelta(days=366)


class AbsenceForm(ConsoleForm):
    """The last day away; empty for whoever is back."""

    until = forms.DateField(
        label=_("Away until and including"),
        help_text=_("Leave it empty when you are back."),
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}),
    )

    def clean_until(self) -> datetime | None:
        """The end of that day, which must be ahead and within a year."""
        day = self.cleaned_data["until"]
        if day is None:
            return None
        end = timezone.make_aware(datetime.combine(day, time.max))
        if not timezone.now() < end <= timezone.now() + LONGEST:
            raise forms.ValidationError(_("Write a day from today on, within a year."))
        return end


@requires()
@require_http_methods(["GET", "HEAD", "POST"])
def absence(request: HttpRequest) -> HttpResponse:
    """Say until when one is away; nobody can say it for another."""
    account = account_of(request)
    form = AbsenceForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        absences.declare(
            str(account.pk),
            form.cleaned_data["until"],
            by=str(account.pk),
            now=timezone.now(),
        )
        return redirect("accounts:absence")
    until = account.absent_until
    is_away = until is not None and until > timezone.now()
    return render(
        request,
        "accounts/absence.html",
        {"form": form, "until": until if is_away else None},
        status=400 if form.errors else 200,
    )
