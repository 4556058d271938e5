# SPDX-License-Identifier: Apache-2.0
"""Accounts: who may log in, which addresses are theirs, what they may do."""

import uuid
from typing import ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.db import models

from undisclosed.core.address import Address
from undisclosed.store import crypto
from undisclosed.store.roles import Role


class Accounts(BaseUserManager["Account"]):
    """How accounts are found and made; the log-in address is never a column."""

    def get_by_natural_key(self, username: str | None) -> "Account":
        """The account that logs in with this address, as it is typed.

        Raises Account.DoesNotExist, for what is no address as well.
        """
        return self.get(login_hash=crypto.address_hash_of_text(username or ""))

    def create_account(
        self, login: Address, *, name: str, roles: tuple[Role, ...]
    ) -> "Account":
        """Make an account that owns its log-in address; it has no password yet."""
        account = Account(
            name=name,
            login_hash=crypto.address_hash(login),
            roles=[role.value for role in roles],
        )
        account.login_sealed = crypto.seal_address(login)
        account.set_unusable_password()
        account.save(using=self._db)
        AccountAddress.objects.using(self._db).create(
            account=account,
            address_hash=account.login_hash,
            address_sealed=account.login_sealed,
        )
        return account


class Account(AbstractBaseUser):
    """One person who may log in.

    ``login_hash`` stands for the log-in address in every look-up, ``login`` opens
    the sealed one. Nobody approves their own mail, whatever their roles.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(max_length=200)
    login_hash = models.BinaryField(unique=True)
    login_sealed = models.BinaryField()
    roles = models.JSONField(default=list)
    is_active = models.BooleanField(default=True)
    absent_until = models.DateTimeField(null=True)
    created_at = models.DateTimeField(auto_now_add=True)

    USERNAME_FIELD = "login_hash"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    objects = Accounts()

    def __str__(self) -> str:
        return self.name

    @property
    def login(self) -> Address:
        """The address that this account logs in with."""
        return crypto.open_address(bytes(self.login_sealed))

    def has_role(self, role: Role | str) -> bool:
        """Whether this account may act in that role at all."""
        return self.is_active and str(role) in self.roles

    def address_hashes(self) -> frozenset[bytes]:
        """The keyed hashes of the addresses that are verified as this account's."""
        return frozenset(
            bytes(row) for row in self.addresses.values_list("address_hash", flat=True)
        )


class AccountAddress(models.Model):
    """An address that was verified to be the account's.

    A shared mailbox is an address of several accounts: none of them may approve
    what was sent from it.
    """

    account = models.ForeignKey(
        Account, on_delete=models.CASCADE, related_name="addresses"
    )
    address_hash = models.BinaryField(db_index=True)
    address_sealed = models.BinaryField()

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(
                fields=["account", "address_hash"], name="account_address_once"
            )
        ]

    def __str__(self) -> str:
        return str(crypto.open_address(bytes(self.address_sealed)))


class LoginLink(models.Model):
    """A log-in link that works once. Only the hash of its token is kept."""

    token_hash = models.BinaryField(primary_key=True)
    account = models.ForeignKey(
        Account, on_delete=models.CASCADE, related_name="login_links"
    )
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField(db_index=True)
    used_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"log-in link until {self.expires_at:%Y-%m-%d %H:%M}"
