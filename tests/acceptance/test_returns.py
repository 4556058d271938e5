# SPDX-License-Identifier: Apache-2.0
"""Reports come back to the return paths that really travelled, while a worker runs."""

import smtplib
from pathlib import Path

import pytest

from tests.acceptance.campaigning import prepared
from tests.acceptance.installation import Installation, free_port, greets, until
from tests.send.test_returns import dsn

DOMAIN = "bounces.authority.example"
PEOPLE = 3


def hand_in(port: int, recipient: str, content: bytes) -> tuple[int, int | None]:
    """Hand in a report as an MTA does; the replies to RCPT and to the final dot."""
    with smtplib.SMTP("127.0.0.1", port, timeout=60) as client:
        client.ehlo()
        client.mail("")
        code, _ = client.rcpt(recipient)
        return code, client.data(content)[0] if code == 250 else None


@pytest.mark.timeout(300)
def test_a_report_to_a_return_path_that_travelled_is_taken(tmp_path: Path) -> None:
    port = free_port()
    installation = Installation(
        tmp_path,
        **{
            "send": {"return_domain": DOMAIN},
            "send.returns": {"listen": f"127.0.0.1:{port}"},
            "worker": {"metrics": ""},
        },
    )
    installation.prepare()
    with installation:
        campaign = prepared(installation, PEOPLE)
        until(lambda: len(installation.taken()) == PEOPLE, "all were sent", 120)
        until(lambda: greets(port), "the listener answers", 60)
        paths = {one["rcpts"][0]: one["sender"] for one in installation.taken()}
        (first, path), *_ = sorted(paths.items())

        taken = hand_in(port, path, dsn(1))
        stranger = hand_in(port, f"b-{26 * 'a'}@{DOMAIN}", dsn(1))

        states = dict(
            installation.rows(
                "SELECT number, state FROM store_delivery WHERE campaign_id = %s",
                (campaign,),
            )
        )
        suppressed = installation.rows("SELECT reason FROM store_suppression")
        log = installation.log.read_text()

    assert len(set(paths.values())) == PEOPLE
    assert all(
        one.endswith(f"@{DOMAIN}") and first not in one for one in paths.values()
    )
    assert taken == (250, 250)
    assert stranger == (550, None)
    assert sorted(states.values()) == ["failed", "sent", "sent"]
    assert suppressed == [("failed",)]
    assert path.partition("@")[0] not in log
