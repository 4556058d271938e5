# SPDX-License-Identifier: Apache-2.0
"""Who was shown together before is no news: threads through a whole guard."""

import smtplib
from pathlib import Path

from tests.acceptance.installation import Installation, free_port
from tests.acceptance.letters import SENDER, letter, people
from tests.acceptance.running_guard import OWN_DOMAIN, RunningGuard
from tests.acceptance.test_hidden_audiences import SECRETARY, is_held
from undisclosed.core.policy import Policy
from undisclosed.store.models import HeldMail

EIGHT = people(8, "partner")
RESULTS = (
    "Authentication-Results: mx.authority.example;"
    " dmarc=pass header.from=partner-home0.example\r\n"
)


def held(code_and_text: tuple[int, bytes | str]) -> bool:
    code, text = code_and_text
    assert code == 250, text
    return "Held" in (text if isinstance(text, str) else text.decode())


def hand_in(port: int, sender: str, rcpt_tos: tuple[str, ...], content: bytes) -> bool:
    """Hand in one mail; whether it was held."""
    with smtplib.SMTP("127.0.0.1", port, timeout=60) as client:
        client.ehlo()
        client.mail(sender)
        for recipient in rcpt_tos:
            client.rcpt(recipient)
        return held(client.data(content))


def test_a_reply_to_all_of_an_inbound_mail_with_eight_in_cc_passes(
    tmp_path: Path,
) -> None:
    port = free_port()
    feed = {
        "listen": f"127.0.0.1:{port}",
        "authserv_ids": ["mx.authority.example"],
    }
    installation = Installation(tmp_path, **{"guard.feed": feed})
    installation.prepare()
    with installation:
        installation.wait_for(port)
        forged = letter(EIGHT[1:], "forged", sender=EIGHT[0], field="Cc")
        inbound = RESULTS.encode() + forged.replace(b"forged", b"proved")

        hand_in(port, EIGHT[0], (SENDER,), forged)
        before = hand_in(installation.guard_port, SENDER, EIGHT, letter(EIGHT, "one"))
        hand_in(port, EIGHT[0], (SENDER,), inbound)
        installation.stop("guard")  # what was taken is recorded by then
        installation.start("guard")
        installation.wait_for(installation.guard_port)
        after = hand_in(installation.guard_port, SENDER, EIGHT, letter(EIGHT, "two"))
        more = (*EIGHT, *people(6, "stranger"))
        crowd = hand_in(installation.guard_port, SENDER, more, letter(more, "three"))

    assert (before, after, crowd) == (True, False, True)


def test_a_thread_that_grows_one_by_one_is_held_at_the_limit(database: object) -> None:
    everyone = people(9, "guest")
    with RunningGuard() as guard:
        found = [is_held(guard, everyone[:number]) for number in range(2, 9)]

    assert found == [False] * 4 + [True] * 3


def test_what_an_approver_released_is_known_from_then_on(database: object) -> None:
    from undisclosed.console.wiring import keyed_ids, memory, spool
    from undisclosed.guard import desk

    everyone = people(9, "guest")
    with RunningGuard() as guard:
        assert is_held(guard, everyone)
        desk.release(
            spool(),
            memory(),
            HeldMail.objects.get().id,
            guard.policy,
            desk.Actor("kim", roles=frozenset({"supervisor"})),
            guard.clock.now,
            reason="They meet each month",
            name=keyed_ids(),
        )

        again = is_held(guard, everyone, author=SECRETARY)
        joined = is_held(guard, (*everyone, "new@new.example"), author=SECRETARY)

    assert (again, joined) == (False, False)


def test_observed_mail_makes_nobody_known(database: object) -> None:
    everyone = people(9, "guest")
    policy = Policy(own_domains=frozenset({OWN_DOMAIN}))
    with RunningGuard(policy, observe=True) as guard:
        assert not is_held(guard, everyone)
    with RunningGuard(policy) as guard:
        assert is_held(guard, everyone)


def test_the_transactions_of_one_mail_add_up(database: object) -> None:
    """Two people in each: none alone is over a limit, together they are."""
    everyone = people(8, "guest")
    with RunningGuard() as guard:
        found = []
        for first in range(0, 8, 2):
            some = everyone[first : first + 2]
            content = letter(some, f"part {'abcdefgh'[first]}", text="Same")
            head, _, rest = content.partition(b"Message-ID: ")
            one_id = head + b"Message-ID: <one@authority.example>\r\n"
            one_id += rest.partition(b"\r\n")[2]
            found.append(held(guard.send(SENDER, some, one_id)))

    assert found == [False, False, True, True]
