# SPDX-License-Identifier: Apache-2.0
"""A file on its way into a list: received, its problems shown, imported."""

from collections.abc import Iterable

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt, csrf_protect
from django.views.decorators.http import require_POST, require_safe

from undisclosed.console import pages, wiring
from undisclosed.console.access import account_of, requires
from undisclosed.console.lists.forms import ChoicesForm, UploadForm
from undisclosed.console.lists.hiding import hide
from undisclosed.console.lists.opening import opened
from undisclosed.console.lists.reading import attachment
from undisclosed.console.lists.receiving import MemoryUpload
from undisclosed.core.list_upload import NoSuchUploadStep, UploadState
from undisclosed.send import importing
from undisclosed.send.exporting import problems_csv
from undisclosed.store import uploads
from undisclosed.store.models import Account, RecipientList
from undisclosed.store.rights import Right
from undisclosed.store.uploads import NoSuchUpload, Upload

SHOWN = 20
"""Problems on the page; the file has all of them."""


# The file is read after it is known who sends it: only then is the token looked for.
@csrf_exempt
@requires()
@require_POST
def receive(request: HttpRequest, list_id: str) -> HttpResponse:
    """Take a file or pasted rows, and check them: at once where they are few."""
    found = opened(account_of(request), list_id, Right.CHANGE_LISTS)
    request.upload_handlers = [MemoryUpload(request)]
    return _received(request, found)


@csrf_protect
def _received(request: HttpRequest, found: RecipientList) -> HttpResponse:
    form = UploadForm(request.POST, request.FILES)
    handler = request.upload_handlers[0]
    if isinstance(handler, MemoryUpload) and handler.was_too_large:
        form.add_error("file", _("The file is too large."))
    if not form.is_valid():
        shown = {"form": form, "list": found}
        return render(request, "lists/receive.html", shown, status=400)
    given = form.cleaned_data
    file = given["file"]
    pieces: Iterable[bytes] = (
        file.chunks() if file else [given["pasted"].encode("utf-8", "replace")]
    )
    upload_id = uploads.keep(
        found.pk,
        pieces,
        choices=_choices(form),
        by=str(account_of(request).pk),
        now=timezone.now(),
    )
    return _on(upload_id)


@requires()
@require_safe
def upload(request: HttpRequest, upload_id: str) -> HttpResponse:
    """What was found in a file, and what may be done with it."""
    found, kept = _opened(account_of(request), upload_id)
    checked = importing.found_of(kept)
    first = checked.checked.problems[:SHOWN] if checked.checked else []
    return render(
        request,
        "lists/upload.html",
        {
            "list": found,
            "upload": kept,
            "found": checked,
            "checked": checked.checked,
            "problems": first,
            "choices_form": ChoicesForm(initial=dict(kept.choices)),
            "state": kept.state.name.lower(),
            "share": _share(kept),
        },
    )


@requires()
@require_safe
def progress(request: HttpRequest, upload_id: str) -> HttpResponse:
    """How far it is: the fragment that the page asks for again and again."""
    found, kept = _opened(account_of(request), upload_id)
    if not kept.is_working:
        # The page has something else to show now.
        return HttpResponse(status=204, headers={"HX-Refresh": "true"})
    shown = {"list": found, "upload": kept, "share": _share(kept)}
    return render(request, "lists/progress.html", shown)


@requires()
@require_safe
def problems(request: HttpRequest, upload_id: str) -> HttpResponse:
    """Every problem that was kept, as CSV."""
    _found, kept = _opened(account_of(request), upload_id)
    checked = importing.found_of(kept).checked
    if checked is None:
        raise Http404
    return attachment(problems_csv(checked.problems), "text/csv", "problems.csv")


@requires()
@require_POST
def confirm(request: HttpRequest, upload_id: str) -> HttpResponse:
    """Import what was checked."""
    account = account_of(request)
    _found, kept = _opened(account, upload_id)
    if not importing.found_of(kept).is_importable:
        return _not_now(request)
    try:
        uploads.confirm(upload_id, by=str(account.pk), now=timezone.now())
    except (NoSuchUpload, NoSuchUploadStep):
        return _not_now(request)
    return _on(upload_id)


@requires()
@require_POST
def choose(request: HttpRequest, upload_id: str) -> HttpResponse:
    """Check it again with another sheet, or another column of addresses."""
    _opened(account_of(request), upload_id)
    form = ChoicesForm(request.POST)
    try:
        if form.is_valid():
            uploads.choose(upload_id, _choices(form))
    except (NoSuchUpload, NoSuchUploadStep):
        return _not_now(request)
    return _on(upload_id)


@requires()
@require_POST
def discard(request: HttpRequest, upload_id: str) -> HttpResponse:
    """Forget the file; the list stays as it is."""
    account = account_of(request)
    found, _kept = _opened(account, upload_id)
    uploads.discard(upload_id, by=str(account.pk), now=timezone.now())
    return redirect("lists:one", found.pk)


def _on(upload_id: str) -> HttpResponse:
    """To the file's page; what is small is worked on before it is shown."""
    if uploads.get(upload_id).size <= importing.SMALL:
        importing.take(
            upload_id,
            own_domains=wiring.policy().own_domains,
            now=timezone.now,
            hide=hide,
        )
    return redirect("lists:upload", upload_id)


def _opened(account: Account, upload_id: str) -> tuple[RecipientList, Upload]:
    """The file and its list, for who may change the list. Raises Http404."""
    try:
        kept = uploads.get(upload_id)
    except NoSuchUpload:
        raise Http404 from None
    return opened(account, kept.list_id, Right.CHANGE_LISTS), kept


def _choices(form: ChoicesForm) -> dict[str, str]:
    return {name: form.cleaned_data[name] for name in ("sheet", "address_column")}


def _share(kept: Upload) -> float:
    """How much of an import is done, of a hundred; 0 where it is not known."""
    if kept.state is not UploadState.CONFIRMED or not kept.people:
        return 0.0
    return round(min(100.0, 100 * kept.done / kept.people), 1)


def _not_now(request: HttpRequest) -> HttpResponse:
    return pages.say(
        request,
        _("This cannot be done with the file now"),
        _("Somebody was quicker, or a problem stands against it."),
        status=409,
    )
