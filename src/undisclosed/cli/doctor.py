# SPDX-License-Identifier: Apache-2.0
"""``undisclosed doctor``: is this installation really guarded?

Each check answers in one sentence, and says what to do where it did not end well.
The last one is the proof: a mail that would show people to each other is handed in
where users hand in theirs, and must be found held.
"""

import argparse
import asyncio
import hashlib
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path

from undisclosed.cli import bypass, options, wiring, wiring_smarthost
from undisclosed.cli.doctor_answers import (
    Answer,
    Health,
    bad,
    good,
    legend,
    lines_of,
    unsure,
)
from undisclosed.cli.doctor_probe import probe
from undisclosed.cli.wording import what_to_do
from undisclosed.core.documents import MASKED
from undisclosed.errors import UndisclosedError
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
    seen = set()
    for answer in _answers(settings, args):
        print("\n".join(lines_of(answer)), flush=True)
        seen.add(answer.health)
    if explained := list(legend(seen)):
        print("", *explained, sep="\n")
    return FOUND if Health.BAD in seen else GUARDED


def _answers(settings: Settings, args: argparse.Namespace) -> Iterator[Answer]:
    where = settings.file or "no undisclosed.toml here, so the defaults; see --settings"
    yield good(f"The settings can be read ({where}).")
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
        yield unsure(
            "No probe was sent: it could not be found again.",
            to_do="Mend the database first, then run this again.",
        )
    elif settings.guard.is_observing:
        yield unsure(
            "No probe was sent: in mode observe it would leave.",
            to_do="Run this again once the guard acts on its verdicts.",
        )
    else:
        through = _place(args.through) if args.through else settings.guard.listen
        yield _safely(lambda: probe(settings, through, args.sender, args.wait))


def _place(text: str) -> HostPort:
    host, _, port = text.rpartition(":")
    return HostPort(host.strip("[]"), int(port) if port.isdigit() else 25)


def _safely(check: Callable[[], Answer]) -> Answer:
    """A check that breaks has answered: that part is not well."""
    try:
        return check()
    except UndisclosedError as error:
        to_do = what_to_do(error) or "Mend this first, then run this again."
        return bad(str(error), to_do=to_do)


def _policy(settings: Settings) -> Iterator[Answer]:
    if settings.guard.is_observing:
        yield bad(
            "Mode observe: mail passes whatever it shows.",
            to_do='Take mode = "observe" out of [guard] after the first weeks.',
        )
    if not settings.policy.own_domains:
        yield unsure(
            "policy.own_domains is empty: each mail's From domain counts as own.",
            to_do="Name your domains in own_domains of [policy].",
        )
    wide = [str(network) for network in settings.guard.clients if _is_wide(network)]
    if wide:
        yield bad(
            f"guard.clients lets almost everybody in: {', '.join(wide)}.",
            to_do="Name only the hosts that hand in mail.",
        )


def _is_wide(network: IPv4Network | IPv6Network) -> bool:
    if network.is_loopback:
        return False
    widest = WIDEST_IPV4 if network.version == 4 else WIDEST_IPV6
    return network.prefixlen < widest


def _database() -> Answer:
    if migrate.is_needed():
        return bad(
            "The tables are missing or of an earlier release.",
            to_do="Run `undisclosed migrate`.",
        )
    bootstrap.check_key()
    return good("The database answers, and the master key fits it.")


def _key_backup(settings: Settings, file: Path | None) -> Answer:
    if file is None:
        return unsure(
            "No backup of the master key was tested: without the key held mail is "
            "lost.",
            to_do="Test one with --master-key-backup FILE.",
        )
    try:
        kept = master_key.parse(file.read_text("ascii"), str(file))
    except (OSError, UnicodeDecodeError):
        return bad(f"{file} cannot be read.", to_do="Name a file that you may read.")
    if kept != master_key.of(settings):
        return bad(
            f"{file} is not the master key that is in use.",
            to_do="Copy the key that is, and test the copy.",
        )
    mark = hashlib.sha256(kept).hexdigest()[:8]
    return good(f"The backup of the master key fits ({mark}).")


def _worker() -> Answer:
    count = presence.working()
    if not count:
        return bad(
            "No worker is running: nothing is delivered.",
            to_do="Start `undisclosed worker`, or everything by `undisclosed run`.",
        )
    return good(f"Workers running: {count}.")


def _exemptions(settings: Settings) -> Iterator[Answer]:
    rules, now = settings.policy.exemptions, wiring.utc_now()
    due = reviews(rules, now)
    for rule, why in due:
        answer = unsure if has_effect(rule, now) else bad
        yield answer(
            f"The exemption {rule.name!r} ({rule.owner}) {why}.",
            to_do="Ask its owner, then write a new `until` or take it out.",
        )
    if rules and not due:
        yield good(f"Exemptions in force: {len(rules)}.")


def _bypass() -> Answer:
    on = bypass_store.active()
    if on is None:
        return good("No bypass is on.")
    return bad(
        bypass.sentence(on.ends_at, wiring.utc_now()),
        to_do="Lead mail through the guard again, then `undisclosed bypass end`.",
    )


def _oldest(settings: Settings) -> Answer:
    count, oldest = desk_store.waiting(wiring.utc_now())
    if not count:
        return good("No held mail waits for a decision.")
    hours = round(oldest / timedelta(hours=1))
    text = f"Held mails that wait: {count:,}, the oldest for {hours:,} hours."
    if oldest < settings.holds.alarm_after:
        return good(text)
    return bad(text, to_do="Decide about them: `undisclosed held list`.")


def _hop(settings: Settings) -> Answer:
    where = wiring.next_hop(settings)
    try:
        asyncio.run(_reach(wiring_smarthost.client(settings, where)))
    except UndisclosedError as error:
        return bad(
            f"The next hop {where} does not answer. {error}",
            to_do="Start the mail server there, or mend guard.next_hop.",
        )
    if settings.guard.next_hop is None:
        return unsure(
            "guard.next_hop is not set: the post office catches all mail.",
            to_do="Set it once mail is to leave.",
        )
    return good(f"The next hop {where} answers.")


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
        yield bad(str(error), to_do="Mend guard.dkim.key: nothing is signed without.")
        return
    if key is None or settings.guard.dkim.mode != "sign":
        return
    for domain in sorted(settings.guard.dkim.domains):
        name = f"{settings.guard.dkim.selector}._domainkey.{domain}"
        yield unsure(
            f"Private copies are signed; TXT of {name} must be: {key.record}",
            to_do=f"Compare it with `dig +short TXT {name}`.",
        )


def _reader() -> Answer:
    """Whether a child process starts, and reads."""
    with wiring.reader() as reader:
        document = reader.read(MASKED, b"name,mail\r\nprobe,probe@probe.invalid\r\n")
    if document.uncertain:
        return bad(
            f"Attachments are not read. {document.uncertain[0]}",
            to_do="Let the guard start child processes, with guard.reader.memory each.",
        )
    return good("Attached documents are read, in child processes.")
