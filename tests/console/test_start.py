# SPDX-License-Identifier: Apache-2.0
"""The first page, and the replay that it offers."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest
from django.test import Client, override_settings

from tests.console.test_mailings import words
from tests.console.world import World, observing
from undisclosed.console import wiring
from undisclosed.console.start import replay
from undisclosed.store.models import JournalEntry, Role
from undisclosed.store.settings import HostPort


@contextmanager
def an_smtp_server(first_reply: bytes) -> Iterator[tuple[int, list[bytes]]]:
    """A port that greets, and answers 250 to everything; what it was told."""
    told: list[bytes] = []
    answers = {b"DATA": b"354 Go on\r\n", b"QUIT": b"221 2.0.0 Bye\r\n"}

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(first_reply)
        in_data = False
        while line := await reader.readline():
            told.append(line)
            if in_data:
                in_data = line != b".\r\n"
                if not in_data:
                    writer.write(b"250 2.0.0 Held\r\n")
                continue
            in_data = line.upper().startswith(b"DATA")
            writer.write(answers.get(line[:4].upper(), b"250 2.0.0 Fine\r\n"))
        writer.close()

    loop = asyncio.new_event_loop()
    server = loop.run_until_complete(asyncio.start_server(serve, "127.0.0.1", 0))
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    try:
        yield server.sockets[0].getsockname()[1], told
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        server.close()
        loop.run_until_complete(asyncio.sleep(0))
        loop.close()


@contextmanager
def guard_at(port: int, *, next_hop: HostPort | None = None) -> Iterator[None]:
    """The settings with a guard that listens there."""
    given = wiring.settings()
    listen = HostPort("127.0.0.1", port)
    guard = replace(given.guard, listen=listen, next_hop=next_hop)
    with override_settings(UNDISCLOSED=replace(given, guard=guard)):
        yield


def test_the_first_page_says_where_mail_flows_and_offers_the_replay(
    world: World,
) -> None:
    page = words(world.client(*Role).get("/").content)

    assert "The guard takes mail by SMTP at 127.0.0.1:10025." in page
    assert "Nothing leaves." in page
    assert "Replay the Metropolitan Police case of 2012" in page
    assert "1,136 people in seven batches" in page


def test_with_a_next_hop_nothing_is_replayed(world: World) -> None:
    client = world.client(*Role)

    with guard_at(1, next_hop=HostPort("mail.council.example", 25)):
        page = words(client.get("/").content)
        answer = client.post("/replay/")

    assert "The next hop is mail.council.example:25." in page
    assert "Replay" not in page
    assert answer.status_code == 409
    assert "replay started" not in world.events()


def test_the_replay_is_seven_real_mails_to_the_guard(world: World) -> None:
    client = world.client(*Role)

    with an_smtp_server(b"220 guard ESMTP\r\n") as (port, told), guard_at(port):
        answer = client.post("/replay/")

    recipients = [line for line in told if line.upper().startswith(b"RCPT")]
    assert answer.status_code == 302
    assert sum(line.upper().startswith(b"MAIL") for line in told) == 7
    assert len(recipients) == len(set(recipients)) == 1136


def test_whoever_starts_the_replay_is_its_sender(world: World) -> None:
    client = world.client(*Role)
    with an_smtp_server(b"220 guard ESMTP\r\n") as (port, _), guard_at(port):
        client.post("/replay/")
        client.post("/replay/")
    mailing = world.replay()

    page = words(client.get(f"/mailings/{mailing}/").content)

    assert "Withdraw it" in page
    assert JournalEntry.objects.filter(event="replay started").count() == 2


@pytest.mark.parametrize("greeting", [b"421 4.3.2 Too busy\r\n", b"554 5.7.1 No\r\n"])
def test_a_guard_that_refuses_is_said_in_a_sentence(
    world: World, greeting: bytes
) -> None:
    client = world.client(*Role)

    with an_smtp_server(greeting) as (port, _), guard_at(port):
        answer = client.post("/replay/")

    assert answer.status_code == 503
    assert "The replay stopped" in words(answer.content)


def test_a_guard_that_is_away_is_said_in_a_sentence(world: World) -> None:
    client = world.client(*Role)

    with guard_at(1):
        answer = client.post("/replay/")

    assert answer.status_code == 503
    assert "The guard cannot be reached." in words(answer.content)


@pytest.mark.parametrize("role", Role)
def test_the_replay_is_for_approvers(world: World, role: Role) -> None:
    client = world.client(role)

    with guard_at(1):
        status = client.post("/replay/").status_code

    assert status == (503 if role in {Role.SUPERVISOR, Role.MANAGER} else 403)


def test_the_replays_sender_is_under_a_reserved_domain() -> None:
    assert replay.SENDER.endswith(".example")


def test_health_is_one_word(world: World) -> None:
    answer = Client().get("/healthz")

    assert (answer.status_code, answer.content) == (200, b"ok\n")


def test_while_the_guard_observes_the_first_page_does_not_say_that_mail_is_held(
    world: World,
) -> None:
    client = world.client(*Role)

    with observing():
        page = words(client.get("/").content)

    assert "Nobody you write to sees who else you write to" not in page
    assert "is held until you say" not in page
    assert "still passes as it was written" in page
    assert "Go to the observed mail" in page


def test_a_replay_while_the_guard_observes_leads_to_what_was_observed(
    world: World,
) -> None:
    client = world.client(*Role)

    server = an_smtp_server(b"220 guard ESMTP\r\n")
    with server as (port, _), guard_at(port), observing():
        answer = client.post("/replay/")
    with guard_at(1), observing():
        stopped = words(client.post("/replay/").content)

    assert answer["Location"] == "/observed/"
    assert "What had been taken by then has passed." in stopped
