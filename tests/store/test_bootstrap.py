# SPDX-License-Identifier: Apache-2.0
"""The first steps: tables by several at once, one first account, one link."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import django.db
import psycopg
import pytest
from django.core.management import call_command
from django.test.utils import override_settings

from tests.guard.spool_contract import NOW
from undisclosed.core.address import Address
from undisclosed.store import bootstrap, crypto
from undisclosed.store.crypto import Keys
from undisclosed.store.migrate import migrate
from undisclosed.store.models import Account, AccountAddress, LoginLink, Role

OLIVE = Address("Olive", "council.example")


def at_once(work, count=4):
    def run(_):
        try:
            return work()
        finally:
            django.db.connections.close_all()

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(run, range(count)))


def test_the_models_are_what_the_migrations_make(database):
    call_command("makemigrations", check=True, dry_run=True, verbosity=0)


def test_several_processes_may_migrate_at_once(database):
    at_once(migrate)

    with psycopg.connect(database.url) as connection:
        (count,) = connection.execute(
            "SELECT count(*) FROM django_migrations WHERE app = 'store'"
        ).fetchone()
    assert count >= 2


def test_there_is_one_first_account_with_every_role(database):
    made = [account for account in at_once(bootstrap.first_account) if account]

    assert len(made) == 1
    assert set(made[0].roles) == {role.value for role in Role}
    assert made[0].has_role(Role.AUDITOR)
    assert bootstrap.first_account() is None
    assert bootstrap.unused_account() == made[0]


def test_an_account_is_found_by_its_address_however_it_is_spelt(database):
    account = bootstrap.first_account(OLIVE, name="Olive")

    found = Account.objects.get_by_natural_key(" OLIVE@Council.example")

    assert found == account
    assert found.login.spelled_out() == "Olive@council.example"
    assert found.address_hashes() == {crypto.address_hash(OLIVE)}
    with pytest.raises(Account.DoesNotExist):
        Account.objects.get_by_natural_key("sam@council.example")
    with pytest.raises(Account.DoesNotExist):
        Account.objects.get_by_natural_key(None)


def test_what_prints_of_an_account_is_its_name(database):
    account = bootstrap.first_account(OLIVE, name="Olive O.")

    assert str(account) == "Olive O."
    assert str(AccountAddress.objects.get()) == "O…@council.example"
    assert not account.has_usable_password()


def test_an_account_that_was_ended_has_no_role(database):
    account = bootstrap.first_account(OLIVE)
    account.is_active = False

    assert not account.has_role(Role.SENDER)


def test_a_log_in_link_is_kept_as_a_hash_and_ends_the_earlier_one(database):
    account = bootstrap.first_account(OLIVE)

    first, second = (bootstrap.login_link(account, NOW) for _ in range(2))

    link = LoginLink.objects.get()
    assert first != second
    assert bytes(link.token_hash) == crypto.keys().hash("log-in link", second.encode())
    assert link.expires_at == NOW + timedelta(days=1)
    assert second not in str(link)


def test_once_somebody_logged_in_no_link_is_offered(database):
    account = bootstrap.first_account(OLIVE)
    account.last_login = NOW
    account.save()

    assert bootstrap.unused_account() is None


def test_an_exchanged_master_key_is_noticed(database):
    bootstrap.check_key()
    bootstrap.first_account(OLIVE)
    bootstrap.check_key()

    with (
        override_settings(UNDISCLOSED_KEYS=Keys(b"o" * 32)),
        pytest.raises(bootstrap.AnotherMasterKey),
    ):
        bootstrap.check_key()
