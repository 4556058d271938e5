# SPDX-License-Identifier: Apache-2.0
"""Reading the journal, how far it is sealed, verifying and downloading it."""

import inspect
import json
from collections.abc import Iterator
from datetime import date
from typing import Any, Final, cast

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.dateparse import parse_date
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from undisclosed.console import paging, wiring
from undisclosed.console.access import Right, account_of, requires, rights_of
from undisclosed.console.accounts.again import asked_on_post
from undisclosed.console.journal.forms import PARTS, SeekForm
from undisclosed.console.journal.names import Names, pseudonyms_of
from undisclosed.store import journal, sealing, verifier, verifying
from undisclosed.store import journal_reading as reading
from undisclosed.store.journal_reading import Asked, Found
from undisclosed.store.models import Account
from undisclosed.store.timestamps import AuthorityUnknown

_DAYS_AT_ONCE: Final = 31
_LARGEST_ID: Final = 2**63 - 1


@requires(Right.READ_JOURNAL)
@require_safe
def entries(request: HttpRequest) -> HttpResponse:
    """Entries, newest first, narrowed by what was asked for."""
    account = account_of(request)
    may_name = Right.NAME_PEOPLE in rights_of(account)
    form = SeekForm(
        request.GET, events=reading.events(), people=_people() if may_name else ()
    )
    found = Found(())
    if form.is_valid():
        found = reading.page(_asked(request, account, form), paging.PER_PAGE)
    names = Names(found.entries, may_name=may_name)
    return render(
        request,
        "journal/list.html",
        {
            "form": form,
            "entries": [names.tell(entry) for entry in found.entries],
            "older": _way(request, "before", found.entries[-1].id)
            if found.has_older and found.entries
            else "",
            "newer": _way(request, "after", found.entries[0].id)
            if found.has_newer and found.entries
            else "",
            "chain": reading.chain(1),
            "most_unsealed": reading.MOST_UNSEALED,
            "verified": reading.newest(verifying.VERIFIED),
            "is_wanted": verifying.is_wanted(),
            "may_name": may_name,
        },
        status=200 if form.is_valid() else 400,
    )


@requires(Right.READ_JOURNAL)
@require_safe
def days(request: HttpRequest) -> HttpResponse:
    """The seals of days that are over, newest first."""
    before = _day(request.GET.get("before"))
    found = reading.chain(_DAYS_AT_ONCE + 1, before).days
    shown = found[:_DAYS_AT_ONCE]
    older = shown[-1].day.isoformat() if len(found) > len(shown) else ""
    return render(request, "journal/days.html", {"days": shown, "older": older})


@requires(Right.READ_JOURNAL)
@require_POST
def verify(request: HttpRequest) -> HttpResponse:
    """Verify it: now where it is short, else a worker does."""
    by = str(account_of(request).pk)
    try:
        verifying.ask(wiring.settings(), by=by, now=timezone.now())
    except AuthorityUnknown:
        messages.error(
            request,
            _(
                "It was not verified: the file that journal.timestamp_ca names cannot "
                "be read, or holds no certificate. Ask whoever runs this installation."
            ),
        )
    return redirect("journal:list")


@requires(Right.READ_JOURNAL)
@require_POST
@asked_on_post
def download(request: HttpRequest) -> HttpResponse:
    """All of it, as the stand-alone verifier takes it; journalled before it begins."""
    journal.write("journal exported", actor=str(account_of(request).pk))
    name = f"journal-{timezone.now():%Y-%m-%d}.jsonl"
    answer = StreamingHttpResponse(
        _lines(),
        content_type="application/jsonl",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )
    # It is one to Django's handlers, though not to its types.
    return cast(HttpResponse, answer)


@requires(Right.READ_JOURNAL)
@require_safe
def stand_alone(request: HttpRequest) -> HttpResponse:
    """The verifier: one file of plain Python."""
    return HttpResponse(
        inspect.getsource(verifier),
        content_type="text/x-python; charset=utf-8",
        headers={"Content-Disposition": 'attachment; filename="verifier.py"'},
    )


def _lines() -> Iterator[str]:
    for record in sealing.records(timezone.now()):
        yield json.dumps(record, ensure_ascii=False, separators=(",", ":")) + "\n"


def _asked(request: HttpRequest, account: Account, form: SeekForm) -> Asked:
    wanted = form.cleaned_data
    before, after = _id(request.GET.get("before")), _id(request.GET.get("after"))
    return Asked(
        event=wanted["event"],
        actors=_actors(account, wanted["who"]),
        day=wanted["day"],
        subject=wanted["subject"],
        before=before,
        after=0 if before else after,
    )


def _actors(account: Account, who: str) -> tuple[str, ...] | None:
    """How whoever was asked for stands in the journal; of a person, that is noted."""
    if not who:
        return None
    if who in PARTS:
        return (who,)
    journal.write("pseudonym read", actor=str(account.pk), account=who)
    return pseudonyms_of(who)


def _people() -> list[tuple[str, str]]:
    rows = Account.objects.order_by("name", "pk").values_list("pk", "name")
    return [(str(key), name) for key, name in rows]


def _way(request: HttpRequest, name: str, number: int) -> str:
    """The query of this page, from another entry on."""
    query: Any = request.GET.copy()
    query.pop("before", None)
    query.pop("after", None)
    query[name] = str(number)
    return str(query.urlencode())


def _id(asked: str | None) -> int:
    if not asked or not asked.isascii() or not asked.isdigit():
        return 0
    return min(int(asked[:20]), _LARGEST_ID)


def _day(asked: str | None) -> date | None:
    try:
        return parse_date(asked or "")
    except ValueError:
        return None
