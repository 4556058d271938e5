# SPDX-License-Identifier: Apache-2.0
"""Who logs in: an account's address, found by its keyed hash, and a password."""

from typing import Any
from uuid import UUID

from django.contrib.auth.backends import BaseBackend
from django.http import HttpRequest

from undisclosed.store.models import Account


class AddressAndPassword(BaseBackend):
    """Django's password hashers over accounts that hold no readable address."""

    def authenticate(
        self,
        request: HttpRequest | None,
        login: str | None = None,
        password: str | None = None,
        **kwargs: Any,
    ) -> Account | None:
        """The account, or None; an unknown log-in takes as long as a known one."""
        if login is None or password is None:
            return None
        try:
            account = Account.objects.get_by_natural_key(login)
        except Account.DoesNotExist:
            Account().set_password(password)
            return None
        is_right = account.check_password(password)
        return account if is_right and account.is_active else None

    def get_user(self, user_id: UUID) -> Account | None:
        """The account of a session, while it is active."""
        return Account.objects.filter(pk=user_id, is_active=True).first()
