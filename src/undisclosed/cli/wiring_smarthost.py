# SPDX-License-Identifier: Apache-2.0
"""What the guard is as a smarthost: who may use it, what leaves it, and how.

``cli.wiring`` joins these with the rest.
"""

import ssl
from pathlib import Path

from undisclosed.core.documents import Reader
from undisclosed.errors import UndisclosedError
from undisclosed.formats.dkim import DkimKey, read_key
from undisclosed.guard.deliver import Finish
from undisclosed.guard.endpoints.access import Access, Auth
from undisclosed.guard.ports import Authenticator, Pass
from undisclosed.guard.signing import Signing
from undisclosed.guard.stamp import StampPass, StampWriter
from undisclosed.guard.tenant import Tenant
from undisclosed.store import crypto
from undisclosed.store.settings import HostPort, Settings
from undisclosed.store.tokens import TokenAuthenticator
from undisclosed.store.used import PostgresOnce
from undisclosed.transport.smtp.client import ClientSettings, Tls


def client(settings: Settings, where: HostPort) -> ClientSettings:
    """How the next hop is reached. Raises UndisclosedError.

    The post office of this machine, where there is no next hop, is asked for no TLS.
    """
    guard = settings.guard
    if guard.next_hop is None:
        return ClientSettings(where.host, where.port, guard.hostname)
    return ClientSettings(
        host=where.host,
        port=where.port,
        hostname=guard.hostname,
        tls=_TLS[guard.next_hop_tls],
        tls_context=_verifying(guard.next_hop_ca) if guard.next_hop_ca else None,
    )


_TLS = {"none": Tls.NEVER, "may": Tls.WHEN_OFFERED, "verify": Tls.REQUIRED}


def _verifying(authorities: Path) -> ssl.SSLContext:
    """TLS that believes these authorities alone. Raises UndisclosedError."""
    try:
        return ssl.create_default_context(cafile=str(authorities))
    except (OSError, ssl.SSLError) as error:
        why = error.strerror or "no certificate in it"
        raise UndisclosedError(f"{authorities}: cannot be used: {why}.") from None


def finishes(settings: Settings, reader: Reader | None) -> tuple[Finish, ...]:
    """What a worker does to each copy last. Raises UndisclosedError."""
    done: list[Finish] = []
    if settings.guard.has_stamp:
        newest = _stamp_keys()[0]
        done.append(StampWriter(newest, settings.policy, reader))
    if settings.guard.dkim.mode != "keep":
        done.append(Signing(settings.policy.signatures, dkim_key(settings)))
    return tuple(done)


def passes(settings: Settings) -> tuple[Pass, ...]:
    """Opens the stamps of mail that comes from another guard of this installation."""
    if not settings.guard.has_stamp:
        return ()
    return tuple(StampPass(key, PostgresOnce()) for key in _stamp_keys())


def _stamp_keys() -> tuple[bytes, ...]:
    """The newest stamps; what an earlier one stamped is good until it is over."""
    return crypto.keys().derive_all("stamps")


def dkim_key(settings: Settings) -> DkimKey | None:
    """The key that copies are signed with. Raises UndisclosedError."""
    dkim = settings.guard.dkim
    if dkim.key is None:
        return None
    try:
        pem = dkim.key.read_bytes()
    except OSError as error:
        raise UndisclosedError(
            f"{dkim.key}: cannot be read: {error.strerror}."
        ) from None
    return read_key(pem, min(dkim.domains, default=""), dkim.selector)


def access(settings: Settings) -> Access:
    """Who may hand in mail by SMTP."""
    guard, tenant = settings.guard, settings.guard.access.tenant
    proved = None
    if tenant.field_name:
        proved = Tenant(
            tenant.name,
            tenant.field_name,
            tuple(one.encode() for one in tenant.secrets),
            settings.policy.own_domains,
        )
    return Access(
        clients=guard.clients,
        certificates=guard.access.certificates,
        tenant=proved,
        tenant_clients=tenant.clients,
        tenant_certificates=tenant.certificates,
        auth=Auth(guard.access.auth),
    )


def authenticator() -> Authenticator:
    """Who knows the logins; it is asked only where AUTH is offered."""
    return TokenAuthenticator()
