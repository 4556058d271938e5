# SPDX-License-Identifier: Apache-2.0
"""The post office: caught mail as a list, as a message, and as raw bytes.

Nothing of a message is ever rendered: HTML is shown as the text a reader would
see, and the bytes are given as plain text.
"""

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from undisclosed.console import paging, wiring
from undisclosed.console.access import Right, account_of, requires
from undisclosed.console.postoffice.display import fields_of, linked, text_of
from undisclosed.console.postoffice.forms import SeekForm
from undisclosed.store import desk, journal
from undisclosed.store.desk import CaughtView


@requires(Right.SEE_POST_OFFICE)
@require_safe
def caught(request: HttpRequest) -> HttpResponse:
    """The list of caught mail, latest first."""
    form = SeekForm(request.GET)
    search = form.cleaned_data["search"] if form.is_valid() else ""
    page = desk.caught(search=search, page=paging.number_of(request.GET.get("page")))
    is_fragment = bool(request.headers.get("HX-Request"))
    return render(
        request,
        "postoffice/rows.html" if is_fragment else "postoffice/list.html",
        {"form": form, "page": page, "is_searching": bool(search)},
    )


@requires(Right.SEE_POST_OFFICE)
@require_safe
def message(request: HttpRequest, mail_id: str) -> HttpResponse:
    """One message: envelope, header and text; reading it is journalled."""
    mail = _mail(request, mail_id, "caught mail read")
    return render(
        request,
        "postoffice/message.html",
        {
            "mail": mail,
            "mail_id": mail_id,
            "mail_from": mail.mail_from.spelled_out() if mail.mail_from else "",
            "rcpt_tos": [address.spelled_out() for address in mail.rcpt_tos],
            "fields": fields_of(mail.content),
            "text": linked(text_of(mail.content), own=wiring.settings().console.url),
        },
    )


@requires(Right.SEE_POST_OFFICE)
@require_safe
def raw(request: HttpRequest, mail_id: str) -> HttpResponse:
    """The message's bytes, exactly as they were caught, as plain text."""
    mail = _mail(request, mail_id, "caught mail taken raw")
    response = HttpResponse(mail.content, content_type="text/plain; charset=utf-8")
    response["Content-Disposition"] = f'inline; filename="{mail_id}.eml.txt"'
    return response


def _mail(request: HttpRequest, mail_id: str, event: str) -> CaughtView:
    """The mail, and a journal entry that it was opened. Raises Http404."""
    mail = desk.caught_mail(mail_id)
    if mail is None:
        raise Http404
    journal.write(event, actor=str(account_of(request).pk), mail=mail_id)
    return mail
