# SPDX-License-Identifier: Apache-2.0
"""A held mail becomes a campaign: its recipients a list, the mail a draft.

Nothing is sent and nothing decided: the mail stays held until somebody withdraws it.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from undisclosed.console import acting, pages, wiring
from undisclosed.console.access import Right, account_of, requires
from undisclosed.console.mailings import rights as mailing_rights
from undisclosed.console.mailings.sight import sight_of
from undisclosed.console.observed.entries import passed_of
from undisclosed.console.sentences import in_the_readers_language
from undisclosed.core.address import Address
from undisclosed.core.campaign import MailKind, Row, Sensitivity
from undisclosed.core.policy import Policy
from undisclosed.core.reading import read_content
from undisclosed.send import draft as drafts
from undisclosed.send.from_mail import FromMail, from_mail
from undisclosed.store import campaigns, desk, lists, rights
from undisclosed.store.database import transaction
from undisclosed.store.desk_values import MailingView
from undisclosed.store.lists import FEW, ListFacts
from undisclosed.store.models import Account, Team
from undisclosed.store.rights import teams_with

ADDRESS: Final = "Address"
NAME: Final = "Name"
"""The columns of a list that was made of a mail's recipients; the name as the mail
had it, and no such column where it had none."""

_LONGEST_NAME: Final = 200


@dataclass(frozen=True, slots=True)
class HeldDraft:
    """What a held mailing says, and to whom."""

    hold_id: str
    people: tuple[Address, ...] = field(repr=False)
    mail: FromMail = field(repr=False)


@requires(Right.SEE_ALL, Right.SEE_OWN)
@require_POST
def make(request: HttpRequest, mailing_id: str) -> HttpResponse:
    """Make the campaign and lead to its text."""
    account = account_of(request)
    view = _mailing(account, mailing_id)
    teams = teams_with(account, rights.Right.WRITE_CAMPAIGNS)
    if not teams:
        return pages.say(
            request,
            _("You send in no team"),
            _("A campaign is a team's: ask an administrator to let you send in one."),
            status=409,
            way_on=reverse("mailings:mailing", args=[mailing_id]),
            way_on_text=_("Back to the mail"),
        )
    held = _held(view)
    if held is None:
        raise Http404
    wanted = [team for team in teams if str(team.pk) == request.POST.get("team")]
    made = _made(held, view.subject, (wanted or teams)[0], account, timezone.now())
    messages.success(
        request,
        _("The mail is a draft and its recipients are a list. The mail stays held."),
    )
    for sentence in held.mail.left_out:
        said = in_the_readers_language(sentence)
        messages.warning(request, _("Not taken over: %(what)s.") % {"what": said})
    return redirect("campaigns:write", made)


def _mailing(account: Account, mailing_id: str) -> MailingView:
    view = desk.mailing(mailing_id)
    if view is None:
        raise Http404
    sight = sight_of(view, name_of=acting.name_of, observed=passed_of(view))
    if not mailing_rights.may_see(account, sight):
        raise Http404
    return view


def _held(view: MailingView) -> HeldDraft | None:
    """The mailing as a draft; None where it has no author."""
    spool = wiring.spool()
    holds = [spool.get(batch.hold_id) for batch in view.batches]
    raw = spool.content(holds[0].id)
    content = read_content(raw, Policy())
    author = content.author or holds[0].envelope.mail_from
    if author is None:
        return None
    people = dict.fromkeys(to for hold in holds for to in hold.envelope.rcpt_tos)
    return HeldDraft(holds[0].id, tuple(people), from_mail(raw, view.subject, author))


def _made(
    held: HeldDraft, subject: str, team: Team, account: Account, now: datetime
) -> str:
    by, name = str(account.pk), subject[:_LONGEST_NAME] or _("From a held mail")
    facts = ListFacts(
        name, _("The recipients of a held mail"), Sensitivity.CONFIDENTIAL
    )
    with transaction():
        list_id = lists.create(facts, team=team.pk, owner=account.pk, by=by, now=now)
        lists.import_rows(
            list_id,
            _columns(held),
            _rows(held),
            by=by,
            now=now,
            shared_domains=_shared(held.people),
        )
        campaign_id = campaigns.create(
            name,
            team=team.pk,
            kind=MailKind.SERVICE,
            by=account.pk,
            now=now,
            hold_id=held.hold_id,
        )
        campaigns.change(
            campaign_id,
            by=account.pk,
            now=now,
            text=drafts.to_json(held.mail.draft),
            files=held.mail.draft.attachments,
            list_id=list_id,
        )
    return campaign_id


def _columns(held: HeldDraft) -> tuple[str, ...]:
    named = any(one.person in held.mail.names for one in held.people)
    return (ADDRESS, NAME) if named else (ADDRESS,)


def _rows(held: HeldDraft) -> Iterator[Row]:
    columns = _columns(held)
    for number, address in enumerate(held.people, start=1):
        name = held.mail.names.get(address.person, "")
        values = (address.spelled_out(), name)[: len(columns)]
        yield Row(number, address, dict(zip(columns, values, strict=True)))


def _shared(people: Iterable[Address]) -> frozenset[str]:
    """The domains that enough of them share."""
    counted = Counter(one.person.rpartition("@")[2] for one in people)
    return frozenset(name for name, number in counted.items() if number >= FEW)
