# SPDX-License-Identifier: Apache-2.0
"""What the documents tell readers to type and to write works as it stands there."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.acceptance.installation import SINK, free_port, greets, run_command, until
from tests.documents import (
    DOCS,
    FIRST,
    HOW_TOS,
    Block,
    blocks,
    commands,
    types_the_bare_command,
)
from undisclosed.cli import build_parser
from undisclosed.store.settings import load

PAGES = [*FIRST, *HOW_TOS, *sorted((DOCS / "reference").glob("*.md"))]
SECRETS = {
    f"UNDISCLOSED_{name}": "a-secret-of-thirty-two-characters"
    for name in (
        "TENANT_SECRET",
        "OPENID_SECRET",
        "RETURNS_PASSWORD",
        "SEEDS_PASSWORD",
    )
}
NOTE = (
    "The command is written as `undisclosed`: in a checkout it is "
    "`.venv/bin/undisclosed`, and [Operate it](operate.md#install) installs it for "
    "everybody."
)
POSTCONF = shutil.which("postconf", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
MAIN_CF = re.compile(r"[a-z][a-z0-9_]* *=")
MASTER_CF = re.compile(r"\S+\s+(?:inet|unix)\s|\s+-o ")


def every(*kinds: str) -> list[Block]:
    """The blocks of these kinds on all pages."""
    return [block for page in PAGES for block in blocks(page, *kinds)]


def of_postfix() -> list[Block]:
    """The blocks that stand in one of Postfix' two files."""
    pages = [page for page in HOW_TOS if "main.cf" in page.read_text("utf-8")]
    return [
        block
        for page in pages
        for block in blocks(page, "")
        if all(
            MAIN_CF.match(line) or MASTER_CF.match(line)
            for line in block.text.splitlines()
            if line.strip()
        )
    ]


@pytest.mark.parametrize("block", every("toml"), ids=str)
def test_settings_that_are_shown_are_read(block: Block, tmp_path: Path) -> None:
    file = tmp_path / "undisclosed.toml"
    file.write_text(block.text, "utf-8")

    assert load(file, SECRETS).file == file


@pytest.mark.parametrize(
    ("page", "arguments"),
    [(page, given) for page in PAGES for given in commands(page)],
    ids=lambda value: value.name if isinstance(value, Path) else " ".join(value)[:60],
)
def test_a_command_that_is_shown_is_one(page: Path, arguments: list[str]) -> None:
    if arguments[0] == "sendmail":
        arguments = [word for word in arguments if word != "$@"]

    assert build_parser().parse_args(arguments).command == arguments[0]


def test_commands_are_found_in_every_manner_in_which_they_are_written() -> None:
    found = {given[0] for page in PAGES for given in commands(page)}

    assert {"check", "run", "doctor", "sendmail", "policy", "journal"} <= found


@pytest.mark.parametrize("block", every("sh"), ids=str)
def test_shell_that_is_shown_is_shell(block: Block) -> None:
    done = subprocess.run(
        ["sh", "-n"], input=block.text, capture_output=True, text=True, check=False
    )

    assert done.stderr == ""


@pytest.mark.parametrize("block", every("json"), ids=str)
def test_json_that_is_shown_is_json(block: Block) -> None:
    assert json.loads(block.text)


@pytest.mark.parametrize("page", HOW_TOS, ids=lambda page: page.stem)
def test_a_page_says_how_the_command_is_called(page: Path) -> None:
    is_needed = types_the_bare_command(page) and page.stem != "operate"

    assert (NOTE in page.read_text("utf-8").split("\n")[4:6]) == is_needed


@pytest.mark.parametrize("page", HOW_TOS, ids=lambda page: page.stem)
def test_a_command_stands_in_a_block_that_says_it_is_one(page: Path) -> None:
    untold = [
        str(block)
        for block in blocks(page, "")
        if re.search(r"^(?:\$ )?undisclosed [a-z]+ ", block.text, re.MULTILINE)
    ]

    assert untold == []


@pytest.mark.skipif(
    POSTCONF is None, reason="postfix is missing (Debian: apt-get install postfix)"
)
@pytest.mark.parametrize("block", of_postfix(), ids=str)
def test_what_postfix_is_told_postfix_knows(block: Block, tmp_path: Path) -> None:
    is_main = MAIN_CF.match(block.text) is not None
    service = "" if block.text[:1].strip() else "smtp inet n - n - - smtpd\n"
    # Services that stand in master.cf have parameters of their own.
    named = re.findall(r"^(\w+)_destination_recipient_limit", block.text, re.M)
    services = "".join(f"{name} unix - - n - - smtp\n" for name in named)
    texts = {
        "main.cf": "compatibility_level = 3.6\n" + (block.text if is_main else ""),
        "master.cf": services + ("" if is_main else service + block.text),
    }
    for name, text in texts.items():
        (tmp_path / name).write_text(text)
    asked = ["-n"] if is_main else ["-P"]

    assert POSTCONF is not None
    done = subprocess.run(
        [POSTCONF, "-c", str(tmp_path), *asked],
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0
    assert done.stderr == ""
    assert len(done.stdout.splitlines()) > is_main


def test_the_tutorial_s_program_hands_in_a_mail_that_is_held(tmp_path: Path) -> None:
    (block,) = blocks(DOCS / "tutorial.md", "python")
    port = free_port()
    program = block.text.replace("10025", str(port))
    taken = tmp_path / "taken.jsonl"

    with subprocess.Popen([sys.executable, str(SINK), str(port), str(taken)]) as sink:
        until(lambda: greets(port), "it serves")
        subprocess.run([sys.executable, "-c", program], check=True)
        sink.kill()

    (mail,) = map(json.loads, taken.read_text().splitlines())
    assert len(mail["rcpts"]) == 6
    held = tmp_path / "hours.eml"
    content = block.text.partition('b"""')[2].partition('"""')[0]
    held.write_text(content.replace("\\r\n", "\r\n"), "ascii", newline="")
    done = run_command("check", str(held), environment=dict(os.environ))
    assert done.returncode == 3
    assert done.stdout.startswith("HOLD  shown-outsiders: 6 people ")
