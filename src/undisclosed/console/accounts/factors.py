# SPDX-License-Identifier: Apache-2.0
"""Second factors: who needs one, asking before they change, each change journalled."""

from collections.abc import Callable
from typing import Any, Final

from allauth.account.internal.flows.login import get_authentication_records
from allauth.mfa import signals
from allauth.mfa.models import Authenticator
from allauth.mfa.utils import is_mfa_enabled
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _

from undisclosed.console import pages, wiring
from undisclosed.console.accounts import again
from undisclosed.store import journal
from undisclosed.store.models import Account
from undisclosed.store.rights import decides_over_others

_KINDS: Final = (Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN)
_PAGES: Final = "mfa_"
_UNASKED: Final = frozenset(
    {
        "mfa_index",
        "mfa_authenticate",
        "mfa_reauthenticate",
        "mfa_reauthenticate_webauthn",
        "mfa_login_webauthn",
        "mfa_signup_webauthn",
    }
)
"""Pages of factors which change and show none, or which are the question itself."""

_WITHOUT_LOG_IN: Final = frozenset({"api", "links", "unsubscribe"})
_ON_THE_WAY: Final = frozenset(
    {
        "account_login",
        "account_logout",
        "account_reauthenticate",
        "accounts:again",
        "accounts:enter",
        "accounts:log_in",
        "accounts:log_out",
        "health",
        "openid_connect_callback",
        "openid_connect_login",
    }
)
"""What whoever still lacks a factor may open, beside the pages that set one up."""


class FactorPages:
    """Asks before factors change, and leads whoever needs one to set it up."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """The answer of the view."""
        return self.get_response(request)

    def process_view(
        self, request: HttpRequest, _view: object, _args: object, _kwargs: object
    ) -> HttpResponseBase | None:
        """What comes before the view, if anything."""
        match, account = request.resolver_match, request.user
        if match is None or not isinstance(account, Account):
            return None
        if match.view_name.startswith(_PAGES):
            is_asked = match.view_name not in _UNASKED
            return again.before(request) if is_asked else None
        if match.view_name in _ON_THE_WAY or _WITHOUT_LOG_IN & set(match.namespaces):
            return None
        return _to_set_up(request) if lacks_factor(request, account) else None


def lacks_factor(request: HttpRequest, account: Account) -> bool:
    """Whether the settings demand a second factor which this session's owner lacks.

    Whoever came by OpenID Connect is their organisation's server's to ask.
    """
    match wiring.settings().console.second_factor:
        case "all":
            is_needed = True
        case "approvers":
            is_needed = decides_over_others(account)
        case _:
            is_needed = False
    if not is_needed or has_factor(account):
        return False
    records = get_authentication_records(request, account)
    return not any(one["method"] == "socialaccount" for one in records)


def has_factor(account: Account) -> bool:
    """Whether the account has an app, a passkey or a security key."""
    return bool(is_mfa_enabled(account, _KINDS))


def _to_set_up(request: HttpRequest) -> HttpResponse:
    where = reverse("mfa_index")
    if request.headers.get("HX-Request"):
        return HttpResponse(status=204, headers={"HX-Redirect": where})
    if request.method in ("GET", "HEAD"):
        return redirect(where)
    return pages.say(
        request,
        _("Set up a second step first"),
        _("Nothing was done. Your account needs a passkey or an app."),
        status=403,
        way_on=where,
        way_on_text=_("Set it up"),
    )


def connect() -> None:
    """Listen to what allauth says; called once per process."""
    signals.authenticator_added.connect(_added, dispatch_uid="journal added")
    signals.authenticator_removed.connect(_removed, dispatch_uid="journal removed")
    signals.authenticator_reset.connect(_made_anew, dispatch_uid="journal reset")
    signals.authentication_failed.connect(_failed, dispatch_uid="journal failed")


def _added(*, user: Any, authenticator: Any, **_more: object) -> None:
    _write("second factor added", user, authenticator)


def _removed(*, user: Any, authenticator: Any, **_more: object) -> None:
    _write("second factor removed", user, authenticator)


def _made_anew(*, user: Any, authenticator: Any, **_more: object) -> None:
    _write("second factor made anew", user, authenticator)


def _failed(*, user: Any, authenticator: Any, **_more: object) -> None:
    _write("second factor failed", user, authenticator)


def _write(event: str, user: Any, authenticator: Any) -> None:
    journal.write(event, actor=str(user.pk), kind=str(authenticator.type))
