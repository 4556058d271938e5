# SPDX-License-Identifier: Apache-2.0
"""OpenID Connect: logging in with the organisation's own accounts.

Nobody gets an account by it. Whoever comes for the first time is known by an address
that the organisation's server says is verified (OpenID Connect Core §5.1); from then
on by the subject, which is kept as a keyed hash. Nothing else of what the server tells
is kept.
"""

import time
from typing import Any, Final, NoReturn
from urllib.parse import urlencode

from allauth.account.internal.flows.login import record_authentication
from allauth.core.exceptions import ImmediateHttpResponse
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from allauth.socialaccount.models import SocialAccount
from allauth.socialaccount.providers.base import AuthProcess
from allauth.socialaccount.providers.openid_connect.provider import (
    OpenIDConnectProvider,
)
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext as _

from undisclosed.console import pages, wiring
from undisclosed.store import crypto, journal
from undisclosed.store.models import Account

PROVIDER = "organisation"
"""What the one server is called in addresses of pages."""

_JUST_NOW: Final = 300.0
"""Seconds for which somebody may be on their way back from it."""


class Organisation(OpenIDConnectProvider):  # type: ignore[misc]
    """The organisation's server; what it tells is matched and forgotten."""

    def extract_uid(self, data: dict[str, Any]) -> str:
        """The subject at its issuer, as a keyed hash (OpenID Connect Core §8)."""
        told = f"{self.server_url}\0{super().extract_uid(data)}"
        hashes = crypto.keys().hash_all("openid subject", told.encode())
        newest, *earlier = (one.hex() for one in hashes)
        # The subject is at hand now: what an earlier master key made of it moves on.
        SocialAccount.objects.filter(uid__in=earlier).update(uid=newest)
        return newest

    def extract_extra_data(self, data: dict[str, Any]) -> dict[str, Any]:
        """Nothing."""
        return {}

    def get_auth_params_from_request(
        self, request: HttpRequest, action: str
    ) -> dict[str, Any]:
        """Whoever is logged in is to be asked there, whatever they answered before.

        OpenID Connect Core §3.1.2.1; what a link asks for on its own is not passed on.
        """
        params: dict[str, Any] = self.get_auth_params()
        if request.user.is_authenticated:
            params |= {"prompt": "login", "max_age": "0"}
        return params

    def sociallogin_from_response(self, request: HttpRequest, response: Any) -> Any:
        """The log-in, with when the server says that it asked (ibid. §2)."""
        login = super().sociallogin_from_response(request, response)
        login.asked_at = (response.get("id_token") or {}).get("auth_time")
        return login


class OrganisationLogIn(DefaultSocialAccountAdapter):  # type: ignore[misc]
    """Who may come in by OpenID Connect."""

    def is_open_for_signup(self, request: HttpRequest, sociallogin: Any) -> bool:
        """Never: an administrator makes accounts."""
        return False

    def pre_social_login(self, request: HttpRequest, sociallogin: Any) -> None:
        """Find the account of whoever comes for the first time."""
        told, sociallogin.email_addresses = sociallogin.email_addresses, []
        if sociallogin.state.get("process") == AuthProcess.REDIRECT:
            _answered(request, sociallogin)
            return
        if sociallogin.is_existing:
            return
        for one in told:
            account = _account_of(one.email) if one.verified else None
            if account is not None:
                sociallogin.connect(request, account)
                journal.write("openid connected", actor=str(account.pk))
                return
        _refuse(request, _("There is no account for you here. Ask an administrator."))

    def on_authentication_error(
        self, request: HttpRequest, *_args: Any, **_more: Any
    ) -> None:
        """Say that it failed, without what the server said."""
        _refuse(request, _("Your organisation's server did not say who you are."))


def may_ask(account: object) -> bool:
    """Whether the organisation's server can say that it is still they."""
    return (
        wiring.settings().console.openid is not None
        and isinstance(account, Account)
        and SocialAccount.objects.filter(user=account).exists()
    )


def name() -> str:
    """What the organisation's server is called; "" where there is none."""
    server = wiring.settings().console.openid
    return server.name if server is not None else ""


def way_to_ask(back: str) -> str:
    """The way to the server that asks again, and from there to a page of ours."""
    there = reverse("openid_connect_login", args=[PROVIDER])
    return f"{there}?{urlencode({'process': AuthProcess.REDIRECT, 'next': back})}"


def _answered(request: HttpRequest, sociallogin: Any) -> None:
    """Note that the one who is logged in was asked there just now."""
    if not sociallogin.is_existing or sociallogin.user != request.user:
        return
    asked_at = sociallogin.asked_at
    if asked_at is not None and time.time() - float(asked_at) > _JUST_NOW:
        return  # it let them pass for what they had answered before
    record_authentication(
        request, request.user, "socialaccount", provider=PROVIDER, reauthenticated=True
    )


def _account_of(address: str) -> Account | None:
    login_hash = crypto.address_hash_of_text(address)
    return Account.objects.filter(login_hash=login_hash, is_active=True).first()


def _refuse(request: HttpRequest, sentence: str) -> NoReturn:
    page = pages.say(request, _("You are not logged in"), sentence, status=403)
    raise ImmediateHttpResponse(page)
