# SPDX-License-Identifier: Apache-2.0
"""How django-allauth is fitted to accounts that hold no readable address.

Passwords, second factors, passkeys, re-authentication and sessions are allauth's;
who has an account, and that its address is a keyed hash, is ours. Allauth's own table
of addresses stays empty: nobody signs up, and no mail is sent from here.
"""

import base64
from collections.abc import Iterable
from typing import Any, Final

import qrcode
from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.internal.flows.login import get_authentication_records
from allauth.core import context
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.usersessions.adapter import DefaultUserSessionsAdapter
from django.contrib.auth.base_user import AbstractBaseUser
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from qrcode.image.svg import SvgPathImage

from undisclosed.console import pages
from undisclosed.console.accounts import again, openid
from undisclosed.store import crypto, journal

BACKEND: Final = "undisclosed.console.accounts.backend.AddressAndPassword"
_FACTOR: Final = "second factor"
_NOT_SAID: Final = frozenset({"account/messages/logged_in.txt"})


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]
    """Logging in and being asked again."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Never: an administrator makes accounts."""
        return False

    def get_client_ip(self, request: HttpRequest) -> str:
        """The client's address, for counting and for the list of sessions."""
        return str(request.META.get("REMOTE_ADDR") or "0.0.0.0")  # noqa: S104

    def login(self, request: HttpRequest, user: AbstractBaseUser) -> None:
        """Begin the session."""
        user.backend = BACKEND
        super().login(request, user)

    def post_login(
        self, request: HttpRequest, user: AbstractBaseUser, **kwargs: Any
    ) -> HttpResponse:
        """Journal the log-in, with the ways in which they showed who they are."""
        how = sorted({_way(one) for one in get_authentication_records(request, user)})
        journal.write("logged in", actor=str(user.pk), how=how)
        response: HttpResponse = super().post_login(request, user, **kwargs)
        return response

    def is_reauthentication_required(self, *, app: str, **kwargs: Any) -> bool:
        """Whether who is there is asked; pages of ours and of allauth agree on it."""
        return not again.is_recent(context.request)

    def get_reauthentication_methods(self, user: Any) -> list[dict[str, Any]]:
        """Every way to answer, the first by default; last, the organisation's."""
        ways: list[dict[str, Any]] = super().get_reauthentication_methods(user)
        if openid.may_ask(user):
            said = _("Show it to %(server)s") % {"server": openid.name()}
            where = reverse("accounts:again")
            ways.append({"id": "openid", "description": said, "url": where})
        return ways

    def reauthenticate(self, user: AbstractBaseUser, password: str) -> bool:
        """Whether this is the account's password."""
        return user.is_active and user.check_password(password)

    def respond_user_inactive(
        self, request: HttpRequest, user: AbstractBaseUser
    ) -> HttpResponse:
        """An account that is not active goes no further, whatever it came with."""
        sentence = _("This account is not active. Ask an administrator.")
        return pages.say(request, _("You are not logged in"), sentence, status=403)

    def add_message(
        self,
        request: HttpRequest,
        level: int,
        message_template: str | None = None,
        *args: Any,
        **kwargs: Any,
    ) -> None:
        """Say what was done, but for what everybody sees anyway."""
        if message_template not in _NOT_SAID:
            super().add_message(request, level, message_template, *args, **kwargs)

    def send_notification_mail(self, *args: Any, **kwargs: Any) -> None:
        """Nothing: what was done stands in the journal."""


def _way(record: dict[str, Any]) -> str:
    return str(record.get("type") or record.get("method"))


class SecondFactors(DefaultMFAAdapter):  # type: ignore[misc]
    """Secrets are sealed; the picture for an app is part of the page."""

    def encrypt(self, text: str) -> str:
        """A secret as it is kept."""
        sealed = crypto.keys().seal(_FACTOR, text.encode(), _FACTOR)
        return base64.b64encode(sealed).decode()

    def decrypt(self, encrypted_text: str) -> str:
        """The secret again. Raises SealBroken."""
        sealed = base64.b64decode(encrypted_text)
        return crypto.keys().open(_FACTOR, sealed, _FACTOR).decode()

    def get_totp_issuer(self) -> str:
        """What the app shows above the code."""
        return f"Undisclosed ({self._get_site_name()})"

    def build_totp_svg(self, url: str) -> str:
        """The picture as an element of the page: pictures of data: are refused."""
        image = qrcode.make(url, image_factory=SvgPathImage)
        return str(image.to_string(encoding="unicode"))


class Sessions(DefaultUserSessionsAdapter):  # type: ignore[misc]
    """Ending one's own sessions elsewhere."""

    def end_sessions(self, sessions: Iterable[Any]) -> None:
        """End them, and write it down."""
        ended = list(sessions)
        super().end_sessions(ended)
        if ended:
            actor = str(ended[0].user_id)
            journal.write("sessions ended", actor=actor, sessions=len(ended))
