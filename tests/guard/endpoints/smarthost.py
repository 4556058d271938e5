# SPDX-License-Identifier: Apache-2.0
"""A guard as a smarthost, and foreign clients of it.

Every client comes over loopback; what loopback itself may do is taken away where
another way in is tried.
"""

import asyncio
import ipaddress
import smtplib
import ssl
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from tests.acceptance.certificates import write_certificate
from tests.guard.endpoints.deciding import Guarded, guarded, run
from tests.transport.smtp.authorities import Authority
from undisclosed.errors import TransientError
from undisclosed.guard.endpoints.access import Access, Auth
from undisclosed.guard.endpoints.settings import (
    SmtpSettings,
)
from undisclosed.guard.endpoints.smtp import NOBODY
from undisclosed.guard.ports import Authenticator
from undisclosed.guard.tenant import Tenant
from undisclosed.transport.smtp.testing import FakeHop

LOOPBACK = (ipaddress.ip_network("127.0.0.0/8"),)
SECRET = "five-blue-otters-sleep-late"
TENANT = Tenant("office", "X-Proof", (SECRET.encode(),), frozenset({"council.example"}))
CLOUD = Access(clients=(), tenant=TENANT, tenant_clients=LOOPBACK)
FOREIGN = Access(clients=(), auth=Auth.ON_LOOPBACK)
TEXT = "Subject: accept\r\n\r\nText\r\n"
SAM, ANN = "sam@council.example", "ann@a.example"


class OneLogin:
    """Knows one login; may be away."""

    is_away = False

    def check(self, login: str, password: str) -> str | None:
        if self.is_away:
            raise TransientError("The tokens are away.")
        return "scanner" if (login, password) == ("scanner", "secret") else None


def client_of(there: Guarded) -> smtplib.SMTP:
    client = smtplib.SMTP("127.0.0.1", there.endpoint.port, "client.test", timeout=20)
    client.ehlo()
    return client


def with_client(
    act: Callable[[smtplib.SMTP], object],
    settings: SmtpSettings,
    authenticator: Authenticator = NOBODY,
    hop: FakeHop | None = None,
) -> Guarded:
    """Let a foreign client act against a guard; what stands around it afterwards."""

    async def scenario() -> Guarded:
        async with guarded(hop, settings, authenticator=authenticator) as there:

            def talk() -> None:
                with client_of(there) as client:
                    act(client)

            await asyncio.to_thread(talk)
            return there

    return run(scenario())


def hands_in(client: smtplib.SMTP) -> None:
    assert client.sendmail(SAM, [ANN], TEXT) == {}


def is_refused(code: int) -> Callable[[smtplib.SMTP], None]:
    def act(client: smtplib.SMTP) -> None:
        with pytest.raises(smtplib.SMTPResponseException) as refused:
            client.sendmail(SAM, [ANN], TEXT)
        assert refused.value.smtp_code == code

    return act


def proved(text: str = TEXT, secret: str = SECRET) -> str:
    return f"X-Proof: {secret}\r\n{text}"


@dataclass(frozen=True)
class Certified:
    """A guard's certificate, an authority, and what a client shows."""

    settings: SmtpSettings
    guard_certificate: Path
    authority: Authority
    folder: Path = field(repr=False)

    def context(self, shown: tuple[Path, Path] | None) -> ssl.SSLContext:
        context = ssl.create_default_context(cafile=str(self.guard_certificate))
        if shown is not None:
            context.load_cert_chain(*shown)
        return context

    def accessed(self, access: Access) -> SmtpSettings:
        return replace(self.settings, access=access)


def certify(folder: Path) -> Certified:
    """Make a certificate for the guard and an authority for its clients."""
    certificate, key = write_certificate(folder)
    authority = Authority(folder)
    settings = SmtpSettings(
        hostname="guard.test",
        tls_certificate=certificate,
        tls_key=key,
        client_ca=authority.file,
    )
    return Certified(settings, certificate, authority, folder)


def secured(
    context: ssl.SSLContext, act: Callable[[smtplib.SMTP], object]
) -> Callable[[smtplib.SMTP], None]:
    def talk(client: smtplib.SMTP) -> None:
        client.starttls(context=context)
        client.ehlo()
        act(client)

    return talk
