# SPDX-License-Identifier: Apache-2.0
"""OpenID Connect: logging in with the organisation's own accounts.

Nobody gets an account by it. Whoever comes for the first time is known by an address
that the organisation's server says is verified (OpenID Connect Core §5.1); from then
on by the subject, which is kept as a keyed hash. Nothing else of what the server tells
is kept.
"""

from typing import Any, NoReturn

from allauth.core.exceptions import ImmediateHttpResponse
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from allauth.socialaccount.providers.openid_connect.provider import (
    OpenIDConnectProvider,
)
from django.http import HttpRequest
from django.utils.translation import gettext as _

from undisclosed.console import pages
from undisclosed.store import crypto, journal
from undisclosed.store.models import Account

PROVIDER = "organisation"
"""What the one server is called in addresses of pages."""


class Organisation(OpenIDConnectProvider):  # type: ignore[misc]
    """The organisation's server; what it tells is matched and forgotten."""

    def extract_uid(self, data: dict[str, Any]) -> str:
        """The subject at its issuer, as a keyed hash (OpenID Connect Core §8)."""
        told = f"{self.server_url}\0{super().extract_uid(data)}"
        return crypto.keys().hash("openid subject", told.encode()).hex()

    def extract_extra_data(self, data: dict[str, Any]) -> dict[str, Any]:
        """Nothing."""
        return {}


class OrganisationLogIn(DefaultSocialAccountAdapter):  # type: ignore[misc]
    """Who may come in by OpenID Connect."""

    def is_open_for_signup(self, request: HttpRequest, sociallogin: Any) -> bool:
        """Never: an administrator makes accounts."""
        return False

    def pre_social_login(self, request: HttpRequest, sociallogin: Any) -> None:
        """Find the account of whoever comes for the first time."""
        told, sociallogin.email_addresses = sociallogin.email_addresses, []
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


def _account_of(address: str) -> Account | None:
    login_hash = crypto.address_hash_of_text(address)
    return Account.objects.filter(login_hash=login_hash, is_active=True).first()


def _refuse(request: HttpRequest, sentence: str) -> NoReturn:
    page = pages.say(request, _("You are not logged in"), sentence, status=403)
    raise ImmediateHttpResponse(page)
