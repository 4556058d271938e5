# SPDX-License-Identifier: Apache-2.0
"""A list's rows: masked for all, in full and exported with a right, journalled."""

from collections.abc import Iterable
from itertools import islice
from typing import cast

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_http_methods, require_POST

from undisclosed.console import paging
from undisclosed.console.access import account_of, requires
from undisclosed.console.accounts.again import asked_on_post
from undisclosed.console.lists.forms import WhyForm
from undisclosed.console.lists.opening import opened
from undisclosed.core.campaign import Row
from undisclosed.send.exporting import rows_csv
from undisclosed.store import journal
from undisclosed.store import lists as store
from undisclosed.store.models import Account, RecipientList
from undisclosed.store.rights import Right, may

MOST_NUMBER = 2**31 - 1


@requires()
@require_http_methods(["GET", "HEAD", "POST"])
@asked_on_post
def rows(request: HttpRequest, list_id: str) -> HttpResponse:
    """Some rows, masked; POST shows them in full, says why and journals it."""
    account = account_of(request)
    found = opened(account, list_id, Right.SEE_LISTS)
    may_see = may(account, Right.SEE_ROWS, found.team_id)
    asks = request.method == "POST"
    if asks and not may_see:
        raise PermissionDenied
    after = _number((request.POST if asks else request.GET).get("after"))
    page = _page(found, after)
    shown, form = page[: paging.PER_PAGE], WhyForm(request.POST if asks else None)
    is_open = asks and form.is_valid() and bool(shown)
    if is_open:
        first, last = shown[0].number, shown[-1].number
        why = form.cleaned_data["why"]
        _write("list rows shown", account, found, first=first, last=last, why=why)
    names = store.columns(list_id) if found.data_key else ()
    return render(
        request,
        "lists/rows.html",
        {
            "list": found,
            "columns": names,
            "rows": [
                (row.number, row.way, [seen.values[name] for name in names])
                for row in shown
                for seen in (row if is_open else store.masked(row),)
            ],
            "form": form,
            "after": after,
            "next": shown[-1].number if len(page) > len(shown) else 0,
            "may_see": may_see,
            "is_open": is_open,
        },
        status=400 if asks and not form.is_valid() else 200,
    )


@requires()
@require_POST
@asked_on_post
def export(request: HttpRequest, list_id: str) -> HttpResponse:
    """The whole list as CSV, journalled before its first byte leaves."""
    account = account_of(request)
    found = opened(account, list_id, Right.SEE_ROWS)
    why = why_of(request)
    names = store.columns(list_id)
    _write("list exported", account, found, rows=found.rows, why=why)
    return attachment(rows_csv(names, store.rows(list_id)), "text/csv", "list.csv")


def why_of(request: HttpRequest) -> str:
    """Why rows are taken out. Raises PermissionDenied where it is not said."""
    form = WhyForm(request.POST)
    if not form.is_valid():
        raise PermissionDenied
    return str(form.cleaned_data["why"])


def attachment(content: Iterable[str] | bytes, kind: str, name: str) -> HttpResponse:
    """A file to be saved, which nobody between us keeps a copy of (RFC 9111)."""
    kind = f"{kind}; charset=utf-8" if kind.startswith("text/") else kind
    made = HttpResponse if isinstance(content, bytes) else StreamingHttpResponse
    response = cast(HttpResponse, made(content, content_type=kind))
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    response["Cache-Control"] = "no-store"
    return response


def _page(found: RecipientList, after: int) -> list[Row]:
    """One row more than a page has, so that its end is known."""
    if found.data_key is None:
        return []
    return list(islice(store.rows(found.pk, after=after), paging.PER_PAGE + 1))


def _number(asked: str | None) -> int:
    if not asked or not asked.isascii() or not asked.isdigit():
        return 0
    return min(int(asked[:10]), MOST_NUMBER)


def _write(event: str, account: Account, found: RecipientList, **facts: object) -> None:
    journal.write(event, actor=str(account.pk), list=found.pk, **facts)
