# SPDX-License-Identifier: Apache-2.0
"""Writing a campaign: text, list, files; looking at anybody's message; a test."""

from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.forms import ChoiceField
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.http import content_disposition_header
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from undisclosed.console import paging
from undisclosed.console.access import account_of, requires
from undisclosed.console.accounts import again
from undisclosed.console.accounts.again import asked_on_post
from undisclosed.console.campaigns import samples, wiring
from undisclosed.console.campaigns.forms import FileForm, WriteForm
from undisclosed.console.campaigns.opening import REFUSALS, demand, opened, refused
from undisclosed.console.campaigns.rights import may
from undisclosed.console.campaigns.samples import Sight
from undisclosed.core.campaign import Attached, Draft
from undisclosed.send import draft as drafts
from undisclosed.send.merge import compile_draft
from undisclosed.send.template import RowUnfit, TemplateError, field_name
from undisclosed.store import campaign_files, campaign_lists, journal, lists
from undisclosed.store import campaigns as store
from undisclosed.store.campaigns import Campaign
from undisclosed.store.lists import NoSuchList


@requires()
@require_http_methods(["GET", "HEAD", "POST"])
def write(request: HttpRequest, campaign_id: str) -> HttpResponse:
    """The text, the list and the sender of a campaign; a change voids approvals."""
    found, account = opened(request, campaign_id)
    allowed = may(account, found, timezone.now())
    demand(allowed.write)
    chosen = campaign_lists.of_team(found.team)
    form = WriteForm(
        request.POST or None, lists=chosen, initial=_initial(found), label_suffix=""
    )
    if request.method == "POST" and form.is_valid():
        try:
            _keep(found, form, account.pk)
        except TemplateError as error:
            form.add_error("markdown", str(error))
        except REFUSALS as error:
            return refused(request, campaign_id, error)
        else:
            messages.success(request, _("Kept. Run the checks when you are done."))
            return redirect("campaigns:write", campaign_id)
    context = {
        "campaign": found,
        "form": form,
        "files": campaign_files.summaries(campaign_id),
        "file_form": FileForm(auto_id="id_file_%s"),
        "may": allowed,
        "columns": [_in_text(column) for column in _chosen_columns(form)],
        **_preview(found, 1, allowed.masked),
    }
    status = 400 if form.errors else 200
    return render(request, "campaigns/write.html", context, status=status)


@requires()
@require_POST
def keep_file(request: HttpRequest, campaign_id: str) -> HttpResponse:
    """Add a file, or put it in the place of one of the same name and column."""
    found, account = opened(request, campaign_id)
    demand(may(account, found, timezone.now()).write)
    form = FileForm(request.POST, request.FILES)
    if not form.is_valid():
        for error in form.errors.values():
            messages.error(request, " ".join(map(str, error)))
        return redirect("campaigns:write", campaign_id)
    file = form.cleaned_data["file"]
    new = Attached(
        file.name,
        file.content_type or "application/octet-stream",
        file.read(),
        form.cleaned_data["column"],
    )
    others = [
        one
        for one in store.files_of(campaign_id)
        if (one.name, one.column) != (new.name, new.column)
    ]
    return _with_files(request, found, [*others, new])


@requires()
@require_POST
def open_file(request: HttpRequest, campaign_id: str, number: int) -> HttpResponse:
    """A file as recipients get it; one person's own only with the right to see rows.

    That one is asked for again, and journalled, as a row that is shown is.
    """
    found, account = opened(request, campaign_id)
    if not 0 < number <= len(campaign_files.summaries(campaign_id)):
        raise Http404
    file = store.files_of(campaign_id)[number - 1]
    if file.column:
        demand(may(account, found, timezone.now()).see_rows)
        if (first := again.before(request)) is not None:
            return first
        journal.write(
            "file opened", actor=str(account.pk), campaign=campaign_id, file=number
        )
    answer = HttpResponse(file.content, content_type="application/octet-stream")
    answer["Content-Disposition"] = content_disposition_header(
        as_attachment=True, filename=file.name
    )
    return answer


@requires()
@require_POST
def remove_file(request: HttpRequest, campaign_id: str, number: int) -> HttpResponse:
    """Take one file out, by its place."""
    found, account = opened(request, campaign_id)
    demand(may(account, found, timezone.now()).write)
    files = list(store.files_of(campaign_id))
    if 0 < number <= len(files):
        del files[number - 1]
    return _with_files(request, found, files)


@requires()
@require_http_methods(["GET", "HEAD", "POST"])
@asked_on_post
def preview(request: HttpRequest, campaign_id: str) -> HttpResponse:
    """Any row's message. POST shows it with its values, and journals that."""
    found, account = opened(request, campaign_id)
    allowed = may(account, found, timezone.now())
    asks = request.method == "POST"
    if asks and not allowed.see_rows:
        raise PermissionDenied
    number = paging.number_of((request.POST if asks else request.GET).get("row"))
    if asks:
        journal.write(
            "row shown",
            actor=str(account.pk),
            campaign=campaign_id,
            list=found.list_id,
            row=number,
        )
    context = _preview(found, number, allowed.at_most if asks else allowed.masked)
    context |= {"campaign": found, "may_see_rows": allowed.see_rows}
    return render(request, "campaigns/preview.html", context)


@requires()
@require_POST
def live_preview(request: HttpRequest, campaign_id: str) -> HttpResponse:
    """What is being written, as one person would get it: nothing is kept."""
    found, account = opened(request, campaign_id)
    allowed = may(account, found, timezone.now())
    demand(allowed.write)
    form = WriteForm(request.POST, lists=campaign_lists.of_team(found.team))
    context: dict[str, Any] = {"campaign": found, "sample": None, "trouble": ""}
    if form.is_valid():
        row = paging.number_of(request.POST.get("row"))
        context |= _preview_of(found, form.draft(), row, allowed.masked)
    else:
        context["trouble"] = _("Something is missing: see the fields above.")
    return render(request, "campaigns/sample.html", context)


@requires()
@require_POST
@asked_on_post
def test(request: HttpRequest, campaign_id: str) -> HttpResponse:
    """Send one row's message to oneself; masked for who may not read rows."""
    found, account = opened(request, campaign_id)
    now = timezone.now()
    allowed = may(account, found, now)
    demand(allowed.write)
    row = samples.first_row(found, paging.number_of(request.POST.get("row")))
    try:
        if row is None:
            raise store.NotComplete
        mail = samples.test_mail(
            found,
            wiring.template_of(found),
            row,
            account.login,
            now,
            seen=allowed.at_most,
        )
    except (RowUnfit, *samples.UNREADABLE) as error:
        messages.error(request, _why(error))
        return redirect("campaigns:campaign", campaign_id)
    journal.write(
        "test sent",
        actor=str(account.pk),
        campaign=campaign_id,
        list=found.list_id,
        row=row.number,
        values="shown" if allowed.see_rows else "masked",
    )
    wiring.queue([mail], now)
    messages.success(request, _("A test is on its way to your own address."))
    return redirect("campaigns:campaign", campaign_id)


def _keep(found: Campaign, form: WriteForm, by: object) -> None:
    """Keep what was written. Raises TemplateError for what is no template."""
    wanted, draft = form.cleaned_data, form.draft()
    list_id = wanted["recipients"]
    if list_id:
        compile_draft(draft, lists.columns(list_id))
    store.change(
        found.id,
        by=by,
        now=timezone.now(),
        text=drafts.to_json(draft),
        list_id=list_id or None,
        settings={
            name: wanted[name] for name in ("name", "kind", "per_minute", "in_doubt")
        },
    )


def _with_files(
    request: HttpRequest, found: Campaign, files: list[Attached]
) -> HttpResponse:
    by = account_of(request).pk
    try:
        store.change(found.id, by=by, now=timezone.now(), files=files)
    except REFUSALS as error:
        return refused(request, found.id, error)
    return redirect("campaigns:write", found.id)


def _initial(found: Campaign) -> dict[str, Any]:
    """The form as the campaign is."""
    initial: dict[str, Any] = {
        "name": found.name,
        "recipients": found.list_id or "",
        "kind": found.kind.value,
        "per_minute": found.per_minute,
        "in_doubt": found.in_doubt,
    }
    text = store.text_of(found.id)
    if text is not None:
        draft = drafts.from_json(text)
        initial |= {
            "author_name": draft.author_name,
            "author": draft.author.spelled_out(),
            "reply_to": draft.reply_to.spelled_out() if draft.reply_to else "",
            "subject": draft.subject,
            "markdown": draft.markdown,
        }
    return initial


def _in_text(column: str) -> str:
    """How a column's value is written into a text."""
    return f"{{{{ {field_name(column)} }}}}"


def _chosen_columns(form: WriteForm) -> tuple[str, ...]:
    """The columns of the list that the form names, kept or not, if it may be named."""
    wanted, field = form["recipients"].value(), form.fields["recipients"]
    is_known = isinstance(field, ChoiceField) and field.valid_value(wanted)
    return _columns_of(str(wanted)) if wanted and is_known else ()


def _columns(found: Campaign) -> tuple[str, ...]:
    """The columns of its list, where there is one that can be opened."""
    return _columns_of(found.list_id) if found.list_id else ()


def _columns_of(list_id: str) -> tuple[str, ...]:
    try:
        return lists.columns(list_id)
    except NoSuchList:
        return ()


def _preview(found: Campaign, number: int, seen: Sight) -> dict[str, Any]:
    """One row's message of what is kept, or why there is none."""
    try:
        template = wiring.template_of(found)
    except samples.UNREADABLE as error:
        trouble = samples.why_no_template(error)
        is_new = isinstance(error, store.NotComplete)
        return {"sample": None, "trouble": trouble, "is_new": is_new}
    now = timezone.now()
    sample = samples.sample_of(found, template, number, now, seen=seen)
    return {"sample": sample, "trouble": sample.trouble}


def _preview_of(
    found: Campaign, draft: Draft, number: int, seen: Sight
) -> dict[str, Any]:
    """The same of what is not kept; without its attachments."""
    try:
        template = compile_draft(draft, _columns(found))
    except TemplateError as error:
        return {"trouble": str(error)}
    now = timezone.now()
    sample = samples.sample_of(found, template, number, now, seen=seen)
    return {"sample": sample, "trouble": sample.trouble}


def _why(error: Exception) -> str:
    return str(error) if isinstance(error, RowUnfit) else samples.why_no_template(error)
