# SPDX-License-Identifier: Apache-2.0
"""In → guard → back in, and signed last: real Postfix, real OpenDKIM, as documented."""

import tomllib
from collections.abc import Iterator
from typing import Any

import pytest

from tests.acceptance.installation import Installation, free_port, greets, until
from tests.acceptance.letters import hand_in, letter, people
from tests.integration import opendkim, postfix
from tests.integration.opendkim import OpenDkim, blocks
from tests.integration.postfix import Postfix

pytestmark = [
    pytest.mark.skipif(postfix.missing() is not None, reason=str(postfix.missing())),
    pytest.mark.skipif(opendkim.missing() is not None, reason=str(opendkim.missing())),
    pytest.mark.timeout(240),
]

DOMAIN = "authority.example"


class SigningPostfix(Postfix):
    """Postfix as the how-to for DKIM has it; ``signer`` is OpenDKIM's port."""

    signer = 0

    def documented(self, guard: int, back: int) -> tuple[str, str]:
        """What this how-to adds to main.cf and master.cf, with these ports."""
        main, master = (
            text.replace(":10025", f":{guard}")
            .replace(":10026", f":{back}")
            .replace(":8891", f":{self.signer}")
            for _, text in blocks()[2:4]
        )
        return f"{main}\n", f"{master}\n"


@pytest.fixture(scope="module")
def signer() -> Iterator[OpenDkim]:
    with OpenDkim(DOMAIN) as signer:
        yield signer


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """A guard with the how-to's settings, before Postfix."""
    back = free_port()
    documented = tomllib.loads(blocks()[5][1])
    settings = {
        "guard": {"next_hop": f"127.0.0.1:{back}"},
        "guard.dkim": documented["guard"]["dkim"],
    }
    installation = Installation(tmp_path_factory.mktemp("signing"), **settings)
    installation.back = back
    installation.prepare()
    with installation:
        yield installation


@pytest.fixture(scope="module")
def signing(installation: Installation, signer: OpenDkim) -> Iterator[Postfix]:
    SigningPostfix.signer = signer.port
    ports = installation.guard_port, installation.hop_port, installation.back
    with SigningPostfix(*ports) as running:
        yield running


def _taken(installation: Installation, test_id: str) -> list[dict[str, Any]]:
    mark = f"X-Test-Id: {test_id}\r\n"
    return [taken for taken in installation.taken() if mark in taken["content"]]


def test_the_documented_settings_are_the_guards(installation: Installation) -> None:
    documented = tomllib.loads(blocks()[5][1])

    assert documented["guard"]["listen"] == "127.0.0.1:10025"
    assert documented["guard"]["next_hop"] == "127.0.0.1:10026"
    assert documented["guard"]["dkim"] == {"mode": "drop"}


def test_the_documented_commands_tell_postfix(signing: Postfix) -> None:
    words = [command.split() for command in blocks()[4][1].split("&&")]

    done = [signing.command(*command) for command in words]

    assert [one.args[0].rpartition("/")[2] for one in done] == ["postfix", "postfix"]
    assert [one.returncode for one in done] == [0, 0], done[0].stderr
    until(lambda: greets(signing.front), "Postfix serves again")


def test_ordinary_mail_is_signed_behind_the_guard(
    installation: Installation, signing: Postfix, signer: OpenDkim
) -> None:
    assert hand_in(signing.front, people(1), letter(people(1), "plain")).code == 250

    until(lambda: _taken(installation, "plain"), "it arrives")
    (taken,) = _taken(installation, "plain")
    assert taken["content"].count("DKIM-Signature:") == 1
    assert signer.verifies(taken["content"].encode())


@pytest.mark.parametrize("signed_before", [False, True], ids=["unsigned", "signed"])
def test_private_copies_carry_a_signature_that_holds(
    installation: Installation,
    signing: Postfix,
    signer: OpenDkim,
    signed_before: bool,
) -> None:
    test_id = f"survey-{signed_before}"
    everybody = people(9, test_id)
    # Postfix breaks lines of more than 998 characters after they were signed.
    content = letter(everybody, test_id, text=f"The survey {test_id} begins.")
    if signed_before:
        # A device that signs by itself: the guard gets it with its signature.
        content = _signed_by_a_device(content)

    assert hand_in(signing.front, everybody, content).code == 250
    until(signing.is_empty, "nothing waits")
    assert _taken(installation, test_id) == []
    installation.clerk("singly", test_id)

    until(lambda: len(_taken(installation, test_id)) >= 9, "every copy arrives")
    for copy in _taken(installation, test_id):
        assert len(copy["rcpts"]) == 1
        assert copy["content"].count("DKIM-Signature:") == 1
        assert signer.verifies(copy["content"].encode())


def _signed_by_a_device(content: bytes) -> bytes:
    """A signature over To, which every private copy breaks."""
    field = (
        "DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed; d=device.example;\r\n"
        " s=one; h=From:To:Subject; bh=AAAA; b=AAAA\r\n"
    )
    return field.encode() + content


def test_while_the_signer_is_away_nothing_leaves_unsigned(
    installation: Installation, signing: Postfix, signer: OpenDkim
) -> None:
    signer.__exit__()
    try:
        assert hand_in(signing.front, people(1), letter(people(1), "late")).code == 250
        until(lambda: "status=deferred" in signing.log(), "it is tried")
        assert _taken(installation, "late") == []
    finally:
        signing.command("postsuper", "-d", "ALL")
