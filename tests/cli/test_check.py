# SPDX-License-Identifier: Apache-2.0
"""``undisclosed check``: its words, its JSON, its exit codes."""

import io
import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.scan.archive import mbox, people, written
from undisclosed.cli import main

THIRTY_SEVEN = written(people(0, 37))
ALONE = written(people(0, 1))


@pytest.fixture
def newsletter(tmp_path: Path) -> str:
    path = tmp_path / "newsletter.eml"
    path.write_bytes(THIRTY_SEVEN)
    return str(path)


@pytest.fixture
def letter(tmp_path: Path) -> str:
    path = tmp_path / "letter.eml"
    path.write_bytes(ALONE)
    return str(path)


def test_a_newsletter_to_all_is_said_in_one_sentence(
    newsletter: str, capsys: pytest.CaptureFixture[str]
) -> None:
    code = main(["check", newsletter])

    said = capsys.readouterr().out.splitlines()
    assert code == 3
    assert said[0] == (
        "HOLD  shown-outsiders: 37 people would see each other's addresses (To),"
        " 1,332 disclosures."
    )


def test_json_has_exactly_the_documented_shape(
    newsletter: str, capsys: pytest.CaptureFixture[str]
) -> None:
    code = main(["check", "--json", newsletter])

    found = json.loads(capsys.readouterr().out)
    assert code == 3
    assert len(found.pop("shown")) == 37
    assert found == {
        "file": newsletter,
        "action": "hold",
        "viewers": 37,
        "disclosures": 1332,
        "new_disclosures": 1332,
        "uncertain": [],
        "findings": [
            {
                "rule": "shown-outsiders",
                "action": "hold",
                "people": 37,
                "text": "37 people would see each other's addresses (To).",
            }
        ],
    }


def test_json_spells_each_address_out_with_its_channels(
    letter: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["check", "--json", letter]) == 0

    found = json.loads(capsys.readouterr().out)
    assert found["shown"] == [{"address": "person0@place0.example", "channels": ["To"]}]


def test_words_spell_no_address_out_unless_asked(
    newsletter: str, capsys: pytest.CaptureFixture[str]
) -> None:
    main(["check", newsletter])
    shortened = capsys.readouterr().out
    main(["check", "--show-addresses", newsletter])
    whole = capsys.readouterr().out

    assert "person0@" not in shortened
    assert "p…@place0.example" in shortened
    assert whole.count("person") == 37


def test_given_recipients_are_the_viewers(
    newsletter: str, capsys: pytest.CaptureFixture[str]
) -> None:
    options = ["--rcpt", "person0@place0.example", "--rcpt", "a@council.example"]

    code = main(["check", "--json", *options, newsletter])

    found = json.loads(capsys.readouterr().out)
    assert found["viewers"] == 2
    assert found["new_disclosures"] == 36
    assert code == 3


def test_several_messages_are_told_apart_by_their_names(
    newsletter: str, letter: str, capsys: pytest.CaptureFixture[str]
) -> None:
    code = main(["check", letter, newsletter])

    said = capsys.readouterr().out.splitlines()
    assert code == 3
    assert said[0] == f"{letter}:"
    assert said[1].startswith("ACCEPT  nothing found: 1 viewer, 0 disclosures")
    assert said[2] == f"{newsletter}:"


def test_an_mbox_is_checked_message_by_message(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "two.mbox"
    path.write_bytes(mbox([ALONE, THIRTY_SEVEN]))

    main(["check", "--json", str(path)])

    found = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [one["file"] for one in found] == [f"{path}:1", f"{path}:2"]
    assert [one["action"] for one in found] == ["accept", "hold"]


def test_standard_input_is_read(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(THIRTY_SEVEN)))

    assert main(["check", "-"]) == 3
    assert capsys.readouterr().out.startswith("HOLD  shown-outsiders: 37 people")


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (None, "cannot be read: no such file or directory."),
        (b"", "is empty."),
        (bytes(range(256)) * 9, "is binary: no message and no mbox."),
        (b"no header at all\n", "is a text without any header field"),
    ],
    ids=["missing", "empty", "binary", "text"],
)
def test_what_cannot_be_read_is_named_and_the_rest_is_printed(
    newsletter: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    data: bytes | None,
    reason: str,
) -> None:
    bad = tmp_path / "bad.eml"
    if data is not None:
        bad.write_bytes(data)

    code = main(["check", "--json", str(bad), newsletter])

    said = capsys.readouterr()
    assert code == 65
    assert f"bad.eml: {reason}" in said.err
    assert json.loads(said.out)["action"] == "hold"


def test_a_folder_is_not_checked_but_scanned(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["check", str(tmp_path)]) == 65
    assert 'is a folder; use "undisclosed scan" for it' in capsys.readouterr().err


@pytest.mark.parametrize(
    "arguments",
    [[], ["--rcpt", "nobody", "x.eml"], ["--surely", "x.eml"]],
    ids=["no message", "no address", "no option"],
)
def test_wrong_usage_ends_with_2(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["check", *arguments])

    assert ended.value.code == 2


def test_a_policy_decides_who_belongs_to_the_organisation(
    tmp_path: Path, newsletter: str, capsys: pytest.CaptureFixture[str]
) -> None:
    domains = ", ".join(f'"place{n}.example"' for n in range(37))
    policy = tmp_path / "guard.toml"
    policy.write_text(f"[policy]\nown_domains = [{domains}]\n")

    assert main(["check", "--policy", str(policy), newsletter]) == 0


def test_a_wrong_policy_is_said_with_its_line(
    tmp_path: Path, newsletter: str, capsys: pytest.CaptureFixture[str]
) -> None:
    policy = tmp_path / "guard.toml"
    policy.write_text("[policy]\nmax_shown_outsidres = 3\n")

    assert main(["check", "--policy", str(policy), newsletter]) == 78
    assert "guard.toml:2:" in capsys.readouterr().err


def test_control_characters_of_a_message_do_not_reach_the_terminal(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "evil.eml"
    path.write_bytes(
        b"From: a@own.example\nTo: "
        + ", ".join(f"\x1b[31mp{n}@x{n}\x1b[2J.example" for n in range(9)).encode()
        + b"\n\nHello.\n"
    )

    main(["check", "--show-addresses", str(path)])

    assert "\x1b" not in capsys.readouterr().out


def test_a_closed_pipe_is_no_traceback(newsletter: str) -> None:
    command = f"{sys.executable} -m undisclosed check {newsletter} | true"

    done = subprocess.run(
        ["bash", "-c", command], capture_output=True, text=True, check=False
    )

    assert "Traceback" not in done.stderr
