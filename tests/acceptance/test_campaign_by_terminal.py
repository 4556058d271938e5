# SPDX-License-Identifier: Apache-2.0
"""A campaign by terminal alone: each step is a process of its own, as people type it.

From two files and a list to the proof of what was sent, over a real worker and the
post office's hop.
"""

import json
import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.acceptance.installation import Installation, run_command, until

ROLES = {
    "sam": ("sender",),
    "mary": ("supervisor",),
    "max": ("manager",),
    "cora": ("communications",),
}
PEOPLE = "Email,First name,Ward\n" + "".join(
    f"p{number}@people.example,P{number},{('North', 'South')[number % 2]}\n"
    for number in range(1, 8)
)
TEXT = (
    "Dear {{ first_name }},\n\n"
    '{% if ward == "North" %}your day is Monday.{% else %}it is Friday.{% endif %}\n'
)
Said = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.mark.timeout(900)
def test_a_campaign_goes_from_two_files_to_its_proof(tmp_path: Path) -> None:
    installation = Installation(tmp_path, worker={"metrics": ""})
    installation.prepare()
    with installation:
        installation.clerk("office", json.dumps(ROLES))
        _walk(installation, tmp_path)


def _walk(installation: Installation, folder: Path) -> None:
    def said(*command: str, by: str = "sam", code: int = 0) -> str:
        who = () if by == "" else ("--as", f"{by}@council.example")
        done = run_command(
            *command, *who, environment=installation.environment, folder=folder
        )
        assert "Traceback" not in done.stderr, done.stderr
        assert done.returncode == code, (command, done.stdout, done.stderr)
        return done.stdout + done.stderr

    (folder / "people.csv").write_text(PEOPLE, encoding="utf-8")
    (folder / "text.md").write_text(TEXT, encoding="utf-8")
    (folder / "dates.csv").write_text("Ward,Day\n", encoding="utf-8")
    made = _drafted(said)
    digest = _submitted(said, made)
    _refused_and_changed(said, made, digest, folder)
    digest = _submitted(said, made)
    for name, roles in list(ROLES.items())[1:]:
        said(
            "campaign", "approve", made, "--role", roles[0], "--digest", digest, by=name
        )
    _sent(installation, said, made)
    _proven(installation, said, made, folder)


def _drafted(said: Said) -> str:
    imported = ("list", "import", "people.csv", "--team", "Bins", "--name", "North")
    what = ("--purpose", "Tells people their day.", "--keep-until", "2090-01-01")
    dry = said(*imported, *what)
    assert "dry run" in dry.lower()
    chosen = _id_in(said(*imported, *what, "--no-dry-run"))
    text = ("--name", "Bins", "--team", "Bins", "--list", chosen, "--subject", "Bins")
    author = ("--from", "bins@authority.example", "--attach", "dates.csv")
    made = _id_in(said("campaign", "new", "text.md", *text, *author))
    seen = said("campaign", "preview", made)
    assert seen.count("Subject:") == 1
    assert "P1" not in seen
    assert "nothing was sent" in said("campaign", "test", made)
    return made


def _submitted(said: Said, made: str) -> str:
    found = said("campaign", "check", made)
    assert " stop  " not in found, found
    for check in dict.fromkeys(re.findall(r"override  ([\w-]+):", found)):
        said("campaign", "override", made, check, "--reason", "It is right.")
    shown = said("campaign", "submit", made)
    assert ": submitted, " in shown
    (digest,) = re.findall(r"Digest ([0-9a-f]{16})", shown)
    return str(digest)


def _refused_and_changed(said: Said, made: str, digest: str, folder: Path) -> None:
    decision = ("--role", "manager", "--digest", digest)
    said("campaign", "approve", made, *decision, by="sam", code=77)
    said("campaign", "approve", made, *decision, by="max")
    reason = ("--role", "supervisor", "--digest", digest, "--reason", "Wrong day.")
    said("campaign", "reject", made, *reason, by="mary")
    (folder / "text.md").write_text(TEXT.replace("Monday", "Tuesday"), "utf-8")
    said("campaign", "change", made, "--text", "text.md")
    changed = said("campaign", "diff", made)
    assert '+ {% if ward == "North" %}your day is Tuesday.' in changed


def _sent(installation: Installation, said: Said, made: str) -> None:
    dry = said("campaign", "start", made)
    assert "nothing was sent" in dry
    assert ": approved, " in said("campaign", "show", made, by="")
    said("campaign", "start", made, "--no-dry-run")
    followed = said("campaign", "show", made, "--follow", by="")
    assert "7 of 7 messages sent." in followed
    until(lambda: ": done, " in said("campaign", "show", made, by=""), "it is done", 60)
    taken = [one for one in installation.taken() if "people.example" in str(one)]
    assert len(taken) == 7
    assert all(len(one["rcpts"]) == 1 for one in taken)
    assert all(one["content"].count("@people.example") == 1 for one in taken)
    said("campaign", "cancel", made, code=77)


def _proven(installation: Installation, said: Said, made: str, folder: Path) -> None:
    said("campaign", "proof", made, "-o", "proof.zip")
    (folder / "verifier.py").write_text(said("campaign", "proof-verifier", by=""))
    said("journal", "export", "journal.jsonl", by="")
    verify = ("campaign", "verify-proof", "proof.zip")
    found = said(*verify, "--journal", "journal.jsonl", by="")
    assert "7 sent.\nEverything holds." in found
    whole = (folder / "proof.zip").read_bytes()
    (folder / "proof.zip").write_bytes(whole[:-60])
    said(*verify, by="", code=65)


def _id_in(text: str) -> str:
    (found,) = re.findall(r"\b[0-9a-f]{32}\b", text)
    return str(found)
