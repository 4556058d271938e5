# SPDX-License-Identifier: Apache-2.0
"""A world for the pages: the real guard over the database, and a hop that catches."""

import asyncio
import hashlib
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from django.test import Client, override_settings

from tests.postgres import TestDatabase
from undisclosed.console import wiring
from undisclosed.console.accounts.adapter import BACKEND
from undisclosed.console.observed import entries
from undisclosed.console.start import replay
from undisclosed.core.address import Address
from undisclosed.core.mail import Envelope, Mail, Recipient
from undisclosed.guard.checkpoint import Checkpoint, CheckpointSettings
from undisclosed.guard.deliver import deliver_due
from undisclosed.guard.notices import Notices, NoticeSettings, person_ref
from undisclosed.store import journal
from undisclosed.store.caught import PostgresCatcher
from undisclosed.store.models import Account, JournalEntry, Role
from undisclosed.transport.smtp.client import HopReply

SAM = Address("sam", "council.example")


def now() -> datetime:
    """The time."""
    return datetime.now(UTC)


def address(text: str) -> Address:
    """An address of a test, as written."""
    local_part, _, domain = text.partition("@")
    return Address(local_part, domain)


def message(
    recipients: Iterable[str],
    *,
    sender: Address = SAM,
    subject: str = "Direct payments: your new rates",
    body: str = "Dear all,\n\nplease find the new rates on our site.\n",
) -> Mail:
    """A mail with everybody in To."""
    to = tuple(recipients)
    content = (
        f"From: Sam <{sender.spelled_out()}>\n"
        f"To: {', '.join(to)}\n"
        f"Subject: {subject}\n"
        f"Message-ID: <{_number(to, subject, body)}@council.example>\n"
        "Date: Fri, 30 Jan 2026 10:00:00 +0000\n"
        "\n"
        f"{body}"
    )
    envelope = Envelope(sender, tuple(Recipient(address(each)) for each in to))
    return Mail(envelope, content.replace("\n", "\r\n").encode())


def _number(*parts: object) -> str:
    """Another mail has another Message-ID."""
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:12]


def outsiders(number: int) -> list[str]:
    """Invented people, each at a domain of their own."""
    return [each for each, _ in zip(replay.people(), range(number), strict=False)]


@contextmanager
def observing() -> Iterator[None]:
    """The settings with a guard that only observes."""
    given = wiring.settings()
    guard = replace(given.guard, mode="observe")
    with override_settings(UNDISCLOSED=replace(given, guard=guard)):
        yield


def _journal(event: str, **facts: object) -> None:
    journal.write(event, actor="guard", **facts)


class CatchingHop:
    """A next hop that keeps everything, as the post office does."""

    def __init__(self) -> None:
        self.catcher = PostgresCatcher()

    async def send(self, envelope: Envelope, content: bytes) -> HopReply:
        """Take the mail."""
        mail = Mail(envelope, content)
        await asyncio.to_thread(self.catcher.keep, [mail], caught_at=now())
        return HopReply(250, "2.0.0 Caught")


@dataclass
class World:
    """The guard, its store and the people who log in."""

    database: TestDatabase

    def __post_init__(self) -> None:
        """The database is empty: nothing that was in it is remembered."""
        entries.forget()

    def checkpoint(self, *, observe: bool = False) -> Checkpoint:
        """The guard as it runs in production."""
        author = Address("postmaster", "council.example")
        url = "http://testserver"
        settings = NoticeSettings(
            author=author,
            link_page=f"{url}/links/{{token}}/",
            mailing_page=f"{url}/mailings/{{mailing_id}}/",
        )
        notices = Notices(settings, wiring.link_signer().sign, wiring.keyed_ids())
        return Checkpoint(
            wiring.policy(),
            wiring.memory(),
            wiring.spool(),
            now,
            name=wiring.keyed_ids(),
            notices=notices,
            journal=_journal,
            settings=CheckpointSettings(observe=observe),
        )

    def hold(self, *mails: Mail) -> str:
        """Hand mails to the guard, which holds them; the id of the last mailing."""
        checkpoint = self.checkpoint()
        hold_id = ""
        for mail in mails:
            decision = checkpoint.decide(mail)
            assert decision.action.value == "hold"
            hold_id = checkpoint.hold(mail, decision)
        return wiring.spool().get(hold_id).mailing_id

    def observe(self, *mails: Mail) -> str:
        """Hand mails to an observing guard; the id of the last one's mailing."""
        checkpoint, mailing_id = self.checkpoint(observe=True), ""
        for mail in mails:
            decision = checkpoint.decide(mail)
            assert decision.action.value == "accept"
            checkpoint.settle(decision, True)
            mailing_id = decision.mailing_id
        entries.forget()
        return mailing_id

    def replay(self) -> str:
        """The Metropolitan Police case, held; its mailing."""
        return self.hold(
            *(
                Mail(
                    Envelope(
                        address(batch.mail_from),
                        tuple(Recipient(address(each)) for each in batch.rcpt_tos),
                    ),
                    batch.content,
                )
                for batch in replay.metropolitan_police(now())
            )
        )

    def deliver(self, rounds: int = 100) -> None:
        """Let a worker deliver what is due to the catching hop."""

        async def all_of_it() -> None:
            hop = CatchingHop()
            for _ in range(rounds):
                done = await deliver_due(
                    wiring.spool(), hop, "worker", now, name=wiring.keyed_ids()
                )
                if not done:
                    return

        # In a thread: a browser test has an event loop of its own in this one.
        with ThreadPoolExecutor(1) as worker:
            worker.submit(asyncio.run, all_of_it()).result()

    def account(
        self, *roles: Role, login: str = "olive@council.example", name: str = "Olive"
    ) -> Account:
        """An account with these roles."""
        return Account.objects.create_account(address(login), name=name, roles=roles)

    def client_of(self, account: Account) -> Client:
        """A browser in which the account is logged in."""
        client = Client(enforce_csrf_checks=False)
        client.force_login(account, backend=BACKEND)
        return client

    def client(
        self, *roles: Role, login: str = "olive@council.example", name: str = "Olive"
    ) -> Client:
        """A browser in which somebody with these roles is logged in."""
        return self.client_of(self.account(*roles, login=login, name=name))

    def link(self, mailing_id: str, *, sender: Address = SAM) -> str:
        """The token of a notice's link, good for a day."""
        person = person_ref(wiring.keyed_ids(), sender)
        end = datetime.fromtimestamp(now().timestamp() + 86_400, UTC)
        return wiring.link_signer().sign(mailing_id, person, end)

    def events(self) -> list[str]:
        """What the journal says, in order."""
        return list(JournalEntry.objects.order_by("id").values_list("event", flat=True))
