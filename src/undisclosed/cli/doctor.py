# SPDX-License-Identifier: Apache-2.0
"""``undisclosed doctor``: is this installation really guarded?

Each check answers in one sentence. The last one is the proof: a mail that would show
people to each other is handed in where users hand in theirs, and must be found held.
It is withdrawn at once and names addresses that cannot exist (RFC 2606).
"""

import argparse
import asyncio
import hashlib
import secrets
import smtplib
import socket
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import Enum
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path

from undisclosed.cli import bypass, options, wiring, wiring_smarthost
from undisclosed.core.address import Address
from undisclosed.core.documents import MASKED
from undisclosed.errors import TransientError, UndisclosedError
from undisclosed.guard import desk
from undisclosed.guard.exemptions import has_effect, reviews
from undisclosed.store import bootstrap, master_key, migrate, presence
from undisclosed.store import bypass as bypass_store
from undisclosed.store import desk as desk_store
from undisclosed.store.settings import HostPort, Settings
from undisclosed.transport.smtp.client import ClientSettings, Timeouts, connect

FOUND, GUARDED = 3, 0
WIDEST_IPV4, WIDEST_IPV6 = 8, 32
PATIENCE = 30.0
"""Seconds that a mail server in between may keep the probe, unless told otherwise."""


class Health(Enum):
    """How one check ended."""

    GOOD = "ok"
    UNSURE = "--"
    BAD = "!!"


@dataclass(frozen=True, slots=True)
class Answer:
    """What one check found, in one sentence."""

    health: Health
    text: str


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command to the command line."""
    parser = commands.add_parser("doctor", help="is this installation really guarded?")
    options.add_settings(parser)
    parser.add_argument(
        "--through",
        metavar="HOST:PORT",
        help="mail server that users hand their mail to (default: the guard itself)",
    )
    parser.add_argument(
        "--sender",
        metavar="ADDRESS",
        help="own address that the probe is sent from (default: holds.notice_from)",
    )
    parser.add_argument(
        "--wait",
        type=float,
        default=PATIENCE,
        metavar="SECONDS",
        help="how long a server in between may keep the probe (default: 30)",
    )
    parser.add_argument(
        "--master-key-backup",
        type=Path,
        metavar="FILE",
        help="backup of the master key: is it the key that is in use?",
    )


def run(args: argparse.Namespace) -> int:
    """Print every answer; 0 where all is well, 3 where something is not."""
    settings = wiring.load(args.settings)
    wiring.configure(settings)
    worst = GUARDED
    for answer in _answers(settings, args):
        print(f"[{answer.health.value}] {answer.text}", flush=True)
        if answer.health is Health.BAD:
            worst = FOUND
    return worst


def _answers(settings: Settings, args: argparse.Namespace) -> Iterator[Answer]:
    where = settings.file or "no undisclosed.toml here, so the defaults; see --settings"
    yield Answer(Health.GOOD, f"The settings can be read ({where}).")
    yield from _policy(settings)
    found = _safely(_database)
    yield found
    yield _safely(lambda: _key_backup(settings, args.master_key_backup))
    yield _safely(_worker)
    yield from _exemptions(settings)
    yield _safely(_bypass)
    yield _safely(lambda: _oldest(settings))
    yield _hop(settings)
    yield _reader()
    yield from _signing(settings)
    if found.health is Health.BAD:
        yield Answer(Health.UNSURE, "No probe was sent: it could not be found again.")
        return
    if settings.guard.is_observing:
        yield Answer(
            Health.UNSURE, "No probe was sent: in mode observe it would leave."
        )
        return
    through = settings.guard.listen
    if args.through:
        host, _, port = args.through.rpartition(":")
        through = HostPort(host.strip("[]"), int(port) if port.isdigit() else 25)
    yield _safely(lambda: _probe(settings, through, args.sender, args.wait))


def _safely(check: Callable[[], Answer]) -> Answer:
    """A check that breaks has answered: that part is not well."""
    try:
        return check()
    except UndisclosedError as error:
        return Answer(Health.BAD, str(error))


def _policy(settings: Settings) -> Iterator[Answer]:
    if settings.guard.is_observing:
        yield Answer(Health.BAD, "Mode observe: mail passes whatever it shows.")
    if not settings.policy.own_domains:
        yield Answer(
            Health.UNSURE,
            "policy.own_domains is empty: each mail's From domain counts as own.",
        )
    wide = [str(network) for network in settings.guard.clients if _is_wide(network)]
    if wide:
        yield Answer(
            Health.BAD, f"guard.clients lets almost everybody in: {', '.join(wide)}."
        )


def _is_wide(network: IPv4Network | IPv6Network) -> bool:
    if network.is_loopback:
        return False
    widest = WIDEST_IPV4 if network.version == 4 else WIDEST_IPV6
    return network.prefixlen < widest


def _database() -> Answer:
    if migrate.is_needed():
        return Answer(
            Health.BAD,
            "The tables are missing or of an earlier release: `undisclosed migrate`.",
        )
    bootstrap.check_key()
    return Answer(Health.GOOD, "The database answers, and the master key fits it.")


def _key_backup(settings: Settings, file: Path | None) -> Answer:
    if file is None:
        return Answer(
            Health.UNSURE,
            "No backup of the master key was tested: without the key held mail is "
            "lost. Test one with --master-key-backup FILE.",
        )
    try:
        kept = master_key.parse(file.read_text("ascii"), str(file))
    except (OSError, UnicodeDecodeError):
        return Answer(Health.BAD, f"{file} cannot be read.")
    if kept != master_key.of(settings):
        return Answer(Health.BAD, f"{file} is not the master key that is in use.")
    mark = hashlib.sha256(kept).hexdigest()[:8]
    return Answer(Health.GOOD, f"The backup of the master key fits ({mark}).")


def _worker() -> Answer:
    count = presence.working()
    if not count:
        return Answer(Health.BAD, "No worker is running: nothing is delivered.")
    return Answer(Health.GOOD, f"Workers running: {count}.")


def _exemptions(settings: Settings) -> Iterator[Answer]:
    rules, now = settings.policy.exemptions, wiring.utc_now()
    due = reviews(rules, now)
    for rule, why in due:
        health = Health.UNSURE if has_effect(rule, now) else Health.BAD
        yield Answer(health, f"The exemption {rule.name!r} ({rule.owner}) {why}.")
    if rules and not due:
        yield Answer(Health.GOOD, f"Exemptions in force: {len(rules)}.")


def _bypass() -> Answer:
    on = bypass_store.active()
    if on is None:
        return Answer(Health.GOOD, "No bypass is on.")
    return Answer(Health.BAD, bypass.sentence(on.ends_at, wiring.utc_now()))


def _oldest(settings: Settings) -> Answer:
    count, oldest = desk_store.waiting(wiring.utc_now())
    if not count:
        return Answer(Health.GOOD, "No held mail waits for a decision.")
    hours = round(oldest / timedelta(hours=1))
    text = f"Held mails that wait: {count:,}, the oldest for {hours:,} hours."
    is_late = oldest >= settings.holds.alarm_after
    return Answer(Health.BAD if is_late else Health.GOOD, text)


def _hop(settings: Settings) -> Answer:
    where = wiring.next_hop(settings)
    try:
        asyncio.run(_reach(wiring_smarthost.client(settings, where)))
    except UndisclosedError as error:
        return Answer(Health.BAD, f"The next hop {where} does not answer. {error}")
    if settings.guard.next_hop is None:
        return Answer(
            Health.UNSURE,
            "guard.next_hop is not set: the post office catches all mail.",
        )
    return Answer(Health.GOOD, f"The next hop {where} answers.")


async def _reach(client: ClientSettings) -> None:
    """Greet the next hop, inside TLS where the settings say so. Raises HopAway."""
    brief = timedelta(seconds=10)
    patience = Timeouts(brief, brief, brief, brief, brief)
    connection = await connect(replace(client, timeouts=patience))
    connection.quit()


def _signing(settings: Settings) -> Iterator[Answer]:
    """The key that private copies are signed with, and what DNS has to say of it."""
    try:
        key = wiring_smarthost.dkim_key(settings)
    except UndisclosedError as error:
        yield Answer(Health.BAD, str(error))
        return
    if key is None or settings.guard.dkim.mode != "sign":
        return
    for domain in sorted(settings.guard.dkim.domains):
        name = f"{settings.guard.dkim.selector}._domainkey.{domain}"
        text = f"Private copies are signed; TXT of {name} must be: {key.record}"
        yield Answer(Health.UNSURE, text)


def _reader() -> Answer:
    """Whether a child process starts, and reads."""
    with wiring.reader() as reader:
        document = reader.read(MASKED, b"name,mail\r\nprobe,probe@probe.invalid\r\n")
    if document.uncertain:
        return Answer(Health.BAD, f"Attachments are not read. {document.uncertain[0]}")
    return Answer(Health.GOOD, "Attached documents are read, in child processes.")


def _probe(
    settings: Settings, through: HostPort, given: str | None, wait: float
) -> Answer:
    """Hand in a mail that must be held, find it among the held, withdraw it."""
    sender = _sender(settings, given)
    token = secrets.token_hex(8)
    people = [
        f"probe{number}@{token}-{number}.invalid"
        for number in range(settings.policy.max_shown_outsiders + 1)
    ]
    began_at = wiring.utc_now() - timedelta(seconds=5)
    try:
        with smtplib.SMTP(through.host, through.port, timeout=60) as client:
            client.sendmail(
                sender.spelled_out(), people, _message(sender, people, token)
            )
    except (OSError, smtplib.SMTPException) as error:
        return Answer(
            Health.BAD, f"{through} did not take the probe: {type(error).__name__}."
        )
    hold_id = _find(token, began_at, wait)
    if hold_id is None:
        return Answer(
            Health.BAD,
            f"Mail handed to {through} DOES NOT pass the guard: a probe that shows "
            f"{len(people)} people to each other was taken and is not held.",
        )
    desk.withdraw(
        wiring.spool(),
        wiring.memory(),
        hold_id,
        settings.policy,
        desk.Actor(name="doctor", addresses=frozenset({sender})),
        wiring.utc_now(),
        name=wiring.keyed_ids(),
    )
    return Answer(
        Health.GOOD,
        f"Mail handed to {through} passes the guard: a probe was held and withdrawn.",
    )


def _sender(settings: Settings, given: str | None) -> Address:
    if given:
        local_part, _, domain = given.rpartition("@")
        return Address(local_part, domain)
    domain = min(settings.policy.own_domains, default=socket.getfqdn())
    return settings.holds.notice_from or Address("postmaster", domain)


def _message(sender: Address, people: list[str], token: str) -> bytes:
    return (
        f"From: {sender.spelled_out()}\r\nTo: {', '.join(people)}\r\n"
        f"Subject: Probe {token}\r\nAuto-Submitted: auto-generated\r\n"
        f"Message-ID: <{token}@{sender.domain}>\r\n\r\n"
        "This mail tests whether the guard holds it. Nobody ever receives it.\r\n"
    ).encode()


def _find(token: str, since: datetime, wait: float) -> str | None:
    """The held mail that holds the token, once it is there."""
    until = time.monotonic() + wait
    while time.monotonic() < until:
        for hold_id in _held_since(since):
            try:
                if token.encode() in wiring.spool().content(hold_id):
                    return hold_id
            except (TransientError, UndisclosedError):
                continue
        time.sleep(0.5)
    return None


def _held_since(since: datetime) -> list[str]:
    # Models can be imported only once Django is configured.
    from undisclosed.store.models import HeldMail  # noqa: PLC0415

    held = HeldMail.objects.filter(received_at__gte=since, state="held")
    return list(held.order_by("-received_at").values_list("id", flat=True)[:50])
