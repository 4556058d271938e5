# SPDX-License-Identifier: Apache-2.0
"""Logging in and out, log-in links, and who has an account."""

import contextlib
from uuid import UUID

from allauth.account.internal.flows.login import perform_password_login
from allauth.account.models import Login
from django.contrib import auth
from django.db import IntegrityError, transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from undisclosed.console import pages, paging, wiring
from undisclosed.console.access import Right, account_of, requires
from undisclosed.console.accounts import again, links, throttle
from undisclosed.console.accounts.forms import EnterForm, InviteForm, LogInForm
from undisclosed.console.accounts.telling import Said, tell
from undisclosed.core.address import Address
from undisclosed.store import crypto, journal, teams
from undisclosed.store.bootstrap import FIRST_LOGIN, login_link
from undisclosed.store.models import Account, AccountAddress, LoginLink, Role
from undisclosed.store.rights import TEAM_RIGHTS

_GET_OR_POST = require_http_methods(["GET", "HEAD", "POST"])


@sensitive_post_parameters("password")
@_GET_OR_POST
def log_in(request: HttpRequest) -> HttpResponse:
    """The log-in form; after too many wrong guesses 429 (RFC 6585 §4)."""
    if request.user.is_authenticated:
        return redirect(_way_back(request))
    form = LogInForm(request.POST or None)
    status = 200
    if request.method == "POST" and form.is_valid():
        done = _try_to_log_in(request, form)
        if isinstance(done, HttpResponse):
            return done
        status = done
    asked = request.POST.get("next", request.GET.get("next", ""))
    return render(
        request,
        "accounts/log_in.html",
        {"form": form, "next": asked, "openid": wiring.settings().console.openid},
        status=status,
    )


def _try_to_log_in(request: HttpRequest, form: LogInForm) -> HttpResponse | int:
    """Check one guess: the way on, or the status with the form's error set."""
    login, client = form.cleaned_data["login"], _client(request)
    if throttle.is_throttled(login, client, timezone.now()):
        form.add_error(None, _("Too many tries. Wait fifteen minutes, then try again."))
        return 429
    account = auth.authenticate(
        request, login=login, password=form.cleaned_data["password"]
    )
    if not isinstance(account, Account):
        throttle.record_failure(login, client)
        form.add_error(None, _("This address and password do not belong together."))
        return 403
    return _go_on(request, account, _way_back(request))


def _go_on(request: HttpRequest, account: Account, way_back: str) -> HttpResponse:
    """Begin a session, once the second factor was shown by whoever has one."""
    login = Login(user=account, redirect_url=way_back)
    response: HttpResponse = perform_password_login(request, {}, login)
    return response


@require_POST
def log_out(request: HttpRequest) -> HttpResponse:
    """End the session."""
    auth.logout(request)
    return redirect("accounts:log_in")


@sensitive_post_parameters("password", "again")
@_GET_OR_POST
def enter(request: HttpRequest, token: str) -> HttpResponse:
    """The page behind a log-in link: a name and a password. GET uses nothing up."""
    try:
        link = links.find(token, timezone.now())
        is_first = link.account.login == FIRST_LOGIN
        form = EnterForm(
            request.POST or None,
            initial={"name": "" if is_first else link.account.name},
            chooses_login=is_first,
        )
        if request.method == "POST" and form.is_valid():
            return _enter(request, link, form)
    except (links.LinkUnknown, links.LinkOver, links.LinkUsed) as error:
        return _no_link(request, error)
    return render(
        request,
        "accounts/enter.html",
        {"form": form, "login": link.account.login.spelled_out()},
    )


def _enter(request: HttpRequest, link: LoginLink, form: EnterForm) -> HttpResponse:
    """Use the link up, keep name and password, begin a session."""
    with transaction.atomic():
        links.use(link, timezone.now())
        account = link.account
        account.name = form.cleaned_data["name"]
        account.set_password(form.cleaned_data["password"])
        if "login" in form.cleaned_data:
            _give_address(account, form.cleaned_data["login"])
        account.save()
        journal.write("log-in link used", actor=str(account.pk))
        if form.cleaned_data.get("team"):
            _first_team(account, form.cleaned_data["team"])
    return _go_on(request, account, reverse("start"))


def _first_team(account: Account, name: str) -> None:
    """Make the first team, with the first account in it; a name is taken once."""
    with contextlib.suppress(teams.NameTaken):
        team = teams.create(name, by=account, now=timezone.now())
        roles = [role for role, allows in TEAM_RIGHTS.items() if allows]
        teams.put(team, account, roles, may_see_rows=True, by=account)


def _give_address(account: Account, address: Address) -> None:
    """Let the first account log in with an address of its own from now on."""
    account.addresses.filter(address_hash=account.login_hash).delete()
    account.login_hash = crypto.address_hash(address)
    account.login_sealed = crypto.seal_address(address)
    AccountAddress.objects.create(
        account=account,
        address_hash=account.login_hash,
        address_sealed=account.login_sealed,
    )


def _no_link(
    request: HttpRequest, error: links.LinkUnknown | links.LinkOver | links.LinkUsed
) -> HttpResponse:
    """A clear page for each way in which a log-in link can be no use."""
    match error:
        case links.LinkUnknown():
            status, heading = 404, _("There is no such link")
            sentence = _("Look whether the link was copied whole.")
        case links.LinkUsed():
            status, heading = 409, _("This link was already used")
            sentence = _("Log in with your address and your password.")
        case links.LinkOver():
            status, heading = 410, _("This link has expired")
            sentence = _("Ask whoever gave it to you for a new one.")
    return pages.say(
        request,
        heading,
        sentence,
        status=status,
        way_on=reverse("accounts:log_in"),
        way_on_text=_("Go to the log-in page"),
    )


@requires(Right.INVITE)
@_GET_OR_POST
@again.asked_on_post
def accounts(request: HttpRequest) -> HttpResponse:
    """Everybody who has an account, and the form that makes a new one."""
    form = InviteForm(request.POST or None)
    token = ""
    if request.method == "POST" and form.is_valid():
        token = _invite(request, form)
    everyone = Account.objects.order_by("name", "pk")
    return render(
        request,
        "accounts/accounts.html",
        {
            "form": form,
            "page": paging.page_of(everyone, request.GET.get("page")),
            "link": _link(request, token),
        },
        status=400 if form.is_bound and not form.is_valid() else 200,
    )


def _invite(request: HttpRequest, form: InviteForm) -> str:
    """Make the account; the token of its first link, or "" with the error set."""
    roles = tuple(Role(role) for role in form.cleaned_data["roles"])
    try:
        with transaction.atomic():
            account = Account.objects.create_account(
                form.cleaned_data["login"], name=form.cleaned_data["name"], roles=roles
            )
            token = login_link(account)
            _journal_link(request, account, "account made", roles=list(roles))
    except IntegrityError:
        form.add_error("login", _("There is an account with this address already."))
        return ""
    return token


@requires(Right.INVITE)
@require_POST
@again.asked_on_post
def new_link(request: HttpRequest, account_id: UUID) -> HttpResponse:
    """A new one-time link for somebody who has lost their password."""
    account = get_object_or_404(Account, pk=account_id)
    with transaction.atomic():
        token = login_link(account)
        _journal_link(request, account, "log-in link made")
        if account.last_login is not None and account != account_of(request):
            tell(account, Said.LINK_MADE, timezone.now())
    return render(
        request,
        "accounts/link.html",
        {"account": account, "link": _link(request, token)},
    )


def _journal_link(
    request: HttpRequest, account: Account, event: str, **facts: object
) -> None:
    """Journal what was done for an account, and by whom."""
    actor = str(account_of(request).pk)
    journal.write(event, actor=actor, account=str(account.pk), **facts)


def _link(request: HttpRequest, token: str) -> str:
    """A link's whole address, to be handed over; "" where there is no token."""
    if not token:
        return ""
    return request.build_absolute_uri(reverse("accounts:enter", args=[token]))


def _client(request: HttpRequest) -> str:
    """The client's IP address, for counting only."""
    return str(request.META.get("REMOTE_ADDR", ""))


def _way_back(request: HttpRequest) -> str:
    """The page that was asked for before the log-in, if it is one of ours."""
    asked = str(request.POST.get("next") or request.GET.get("next") or "")
    if url_has_allowed_host_and_scheme(asked, allowed_hosts={request.get_host()}):
        return asked
    return reverse("start")
