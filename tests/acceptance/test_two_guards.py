# SPDX-License-Identifier: Apache-2.0
"""One guard behind another: a stamp keeps the second from deciding again."""

import re
from collections.abc import Iterator
from typing import Any

import pytest

from tests.acceptance.installation import Installation, free_port, until
from tests.acceptance.letters import hand_in, letter, people

pytestmark = pytest.mark.timeout(240)


class TwoGuards(Installation):
    """The guard's next hop is a second guard over the same tables."""

    second_port: int

    def prepare_second(self) -> None:
        """Settings for the second guard: it listens behind the first."""
        text = self.settings.read_text()
        text = text.replace(f":{self.guard_port}", f":{self.second_port}", 1)
        text = re.sub(
            r'next_hop = "[^"]*"', f'next_hop = "127.0.0.1:{self.hop_port}"', text
        )
        text = re.sub(r'metrics = "[^"]*"', 'metrics = ""', text)
        (self.folder / "second.toml").write_text(text)

    def start_second(self) -> None:
        second = str(self.folder / "second.toml")
        self.start("second", "guard", "--settings", second)
        self.wait_for(self.second_port)


@pytest.fixture(scope="module")
def guards(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TwoGuards]:
    second = free_port()
    guards = TwoGuards(
        tmp_path_factory.mktemp("two"),
        guard={"next_hop": f"127.0.0.1:{second}", "stamp": "on"},
    )
    guards.second_port = second
    guards.prepare_second()
    guards.prepare()
    with guards:
        guards.start_second()
        yield guards


def _taken(guards: TwoGuards, test_id: str) -> list[dict[str, Any]]:
    mark = f"X-Test-Id: {test_id}\r\n"
    return [taken for taken in guards.taken() if mark in taken["content"]]


def _holds(guards: TwoGuards) -> int:
    return int(guards.rows("SELECT count(*) FROM store_heldmail")[0][0])


def test_a_released_mail_passes_the_second_guard_and_leaves_without_its_stamp(
    guards: TwoGuards,
) -> None:
    everybody = people(9, "released")
    assert hand_in(guards.guard_port, everybody, letter(everybody, "free")).code == 250
    before = _holds(guards)

    guards.clerk("release", "free")

    until(lambda: _taken(guards, "free"), "it arrives")
    (taken,) = _taken(guards, "free")
    assert sorted(taken["rcpts"]) == sorted(everybody)
    assert taken["content"].count("Received: from guard.authority.example") == 1
    assert "Undisclosed-Stamp" not in taken["content"]
    assert _holds(guards) == before


def test_private_copies_pass_the_second_guard(guards: TwoGuards) -> None:
    everybody = people(9, "single")
    assert hand_in(guards.guard_port, everybody, letter(everybody, "one")).code == 250
    before = _holds(guards)

    guards.clerk("singly", "one")

    until(lambda: len(_taken(guards, "one")) >= 9, "every copy arrives")
    copies = _taken(guards, "one")
    assert sorted(copy["rcpts"] for copy in copies) == sorted([p] for p in everybody)
    assert all("Undisclosed-Stamp" not in copy["content"] for copy in copies)
    assert _holds(guards) == before


def test_a_forged_stamp_releases_nothing_and_leaves_with_nothing(
    guards: TwoGuards,
) -> None:
    forged = (
        f"X-Undisclosed-Stamp: v=1; k=release; i=copy.0; x=1900000000; b={'A' * 43}\r\n"
    ).encode()
    many, one = people(9, "forged"), people(1, "forged")

    held = hand_in(guards.second_port, many, forged + letter(many, "many"))
    passed = hand_in(guards.second_port, one, forged + letter(one, "alone"))

    assert "Held" in held.text
    assert passed.code == 250
    assert _taken(guards, "many") == []
    (taken,) = _taken(guards, "alone")
    assert "Undisclosed-Stamp" not in taken["content"]
