# SPDX-License-Identifier: Apache-2.0
"""The proof of a campaign holds as it is, and after no change."""

import dataclasses
import json
import subprocess
import sys
import zipfile
import zlib
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as limits
from hypothesis import strategies as st

from tests.store.campaigns import NOW, account, drafted
from undisclosed.core.address import Address
from undisclosed.core.campaign import Attached, DeliveryState, Draft
from undisclosed.send import proof, proof_verifier
from undisclosed.send.draft import digest_of, to_json
from undisclosed.send.proof_verifier import NoProof, verify
from undisclosed.store import campaigns, ledger, sealing
from undisclosed.store.campaigns import NotComplete
from undisclosed.store.ledger import Marked

DRAFT = Draft("Bins, {{ name }}", "Dear {{ name }}: ü.", Address("t", "c.test"))


@pytest.fixture
def campaign(database):
    """A campaign to three people that two approved, and that was sent."""
    made = drafted(3, to_json(DRAFT))
    found = campaigns.get(made)
    digest = digest_of(
        DRAFT, list_id=found.list_id, list_version=1, recipients=found.recipients
    )
    campaigns.checked(made, digest, (), by=found.created_by, now=NOW)
    campaigns.submit(
        made, digest, ("supervisor", "manager"), by=found.created_by, now=NOW
    )
    for role in ("supervisor", "manager"):
        campaigns.approve(made, digest, role, by=account(role).pk, now=NOW)
    campaigns.start(made, by=found.created_by, now=NOW)
    lease = timedelta(minutes=1)
    rows = ledger.claim(made, by="one", limit=9, lease=lease, now=NOW)
    ledger.begin(made, [one.number for one in rows], by="one", now=NOW)
    sent, failed = DeliveryState.SENT, DeliveryState.FAILED
    ledger.mark(
        made,
        [
            Marked(1, sent, 250, "2.0.0", "2.0.0 queued as 1"),
            Marked(2, sent, 250, "2.0.0", "2.0.0 queued as 2"),
            Marked(3, failed, 550, "5.1.1", "<p3@a.example>: nobody of this name"),
        ],
        NOW,
    )
    campaigns.finish(made, now=NOW)
    return made


def made(campaign):
    lines = list(proof.lines(campaign, by="auditor", now=NOW))
    return [json.loads(line) for line in lines]


def test_a_proof_holds_and_counts_every_row(campaign):
    found = verify(made(campaign))

    assert found.faults == []
    assert found.states == {"sent": 2, "failed": 1}


def test_a_proof_names_nobody(campaign):
    text = b"".join(proof.lines(campaign, by="auditor", now=NOW))

    assert b"a.example" not in text
    assert b"nobody of this name" not in text


@pytest.mark.parametrize(
    "reply",
    [
        "550 5.1.1 User unknown: bob.smith",
        "550 <bob.smith> no such user",
        "bob.smith＠b.example",
        "bob.smith=40b.example",
        '"bob.smith"@b.example',
    ],
)
@pytest.mark.parametrize("column", ["reply", "status"])
def test_no_reply_names_anybody_in_a_proof(campaign, reply, column):
    told = {"reply": "", "status": "5.1.1"} | {column: reply[:1000]}
    row = next(iter(ledger.rows(campaign)))

    record = proof._record(dataclasses.replace(row, **told))

    assert "bob" not in json.dumps(record)
    assert record["status"] == ("5.1.1" if column == "reply" else "")


OWN = (
    Attached("Ann Miller.pdf", "application/pdf", b"one", "Name"),
    Attached("Bob Smith.pdf", "application/pdf", b"two", "Name"),
)


def test_one_person_s_own_file_has_no_name_in_a_proof(database):
    made = drafted(3, to_json(DRAFT))
    found = campaigns.get(made)
    files = (*OWN, Attached("map.pdf", "application/pdf", b"map"))
    campaigns.change(made, by=found.created_by, now=NOW, files=files)
    digest = digest_of(
        dataclasses.replace(DRAFT, attachments=files),
        list_id=found.list_id,
        list_version=1,
        recipients=found.recipients,
    )
    campaigns.checked(made, digest, (), by=found.created_by, now=NOW)
    campaigns.submit(made, digest, (), by=found.created_by, now=NOW)

    written = b"".join(proof.lines(made, by="auditor", now=NOW)).decode()

    assert "map.pdf" in written
    assert "Miller" not in written and "Smith" not in written
    assert verify(map(json.loads, written.splitlines())).faults == []


def test_who_gets_which_file_is_what_was_approved():
    ann, bob = OWN
    swapped = (
        dataclasses.replace(ann, name=bob.name),
        dataclasses.replace(bob, name=ann.name),
    )
    facts = {"list_id": "1", "list_version": 1, "recipients": 2}

    digests = {
        digest_of(dataclasses.replace(DRAFT, attachments=files), **facts)
        for files in (OWN, OWN[::-1], swapped)
    }

    assert len(digests) == 2


def test_the_verifier_is_one_file_that_needs_nothing_else(campaign, tmp_path):
    file, alone = tmp_path / "proof.jsonl", tmp_path / "verifier.py"
    file.write_bytes(b"".join(proof.lines(campaign, by="auditor", now=NOW)))
    with open(proof_verifier.__file__, encoding="utf-8") as source:
        alone.write_text(source.read(), encoding="utf-8")
    journal = tmp_path / "journal.jsonl"
    sealing.seal(NOW)
    journal.write_text("".join(json.dumps(r) + "\n" for r in sealing.records(NOW)))

    def run(*arguments):
        command = [sys.executable, "-I", str(alone), *map(str, arguments)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        return done.returncode, done.stdout

    assert run(file) == (0, f"Campaign {campaign}: 1 failed, 2 sent.\n" + HOLDS)
    assert run(file, "--journal", journal)[0] == 0
    journal.write_text('{"kind": "other"}\n')
    code, out = run(file, "--journal", journal)
    assert (code, "The journal knows no such proof" in out) == (3, True)
    file.write_text("no proof")
    assert run(file)[0] == 65


HOLDS = "Everything holds.\n"


def remove_row(records):
    del records[2]


def turn_failure_into_success(records):
    records[3]["state"] = "sent"


def swap_rows(records):
    records[1], records[2] = records[2], records[1]


def double_row(records):
    records.insert(2, records[1])


def cut_off(records):
    del records[-1]


def add_behind(records):
    records.append({"row": 4, "state": "sent"})


def change_text(records):
    records[0]["content"]["draft"] += " "


def change_count(records):
    records[0]["content"]["people"] = 4


def forget_approval(records):
    del records[0]["approvals"][0]


def approve_twice(records):
    first, second = records[0]["approvals"]
    second["account"] = first["account"]


def approve_own(records):
    records[0]["approvals"][0]["account"] = records[0]["made_by"]


def change_approver(records):
    records[0]["approvals"][0]["account"] = "0" * 36


def add_row(records):
    records.insert(4, {**records[3], "row": 4})


def edit_status(records):
    records[1]["status"] = "2.1.5"


@pytest.mark.parametrize(
    "change",
    [
        remove_row,
        turn_failure_into_success,
        swap_rows,
        double_row,
        cut_off,
        add_behind,
        change_text,
        change_count,
        forget_approval,
        approve_twice,
        approve_own,
        change_approver,
        add_row,
        edit_status,
    ],
    ids=lambda one: one.__name__,
)
def test_a_proof_that_was_changed_does_not_hold(campaign, change):
    records = made(campaign)

    change(records)

    assert verify(records).faults


def chained_anew(records):
    """The same lines with a hash that fits them, as a forger would write it."""
    head, states = proof_verifier.FIRST, {}
    for one in records[:-1]:
        head = proof_verifier.chained(head, one)
        if "row" in one:
            states[one["state"]] = states.get(one["state"], 0) + 1
    return [*records[:-1], {"head": head.hex(), "states": states}]


def test_a_proof_that_was_made_anew_is_not_in_the_journal(campaign):
    records = made(campaign)
    head = records[-1]["head"]
    turn_failure_into_success(records)

    forged = chained_anew(records)

    assert verify(forged).faults == []
    assert verify(forged, [head]).faults
    assert verify(records, [head]).faults


@pytest.fixture
def bundle(campaign, tmp_path):
    """A campaign's proof as it is downloaded."""
    file = tmp_path / "proof.zip"
    file.write_bytes(b"".join(proof.bundle(campaign, by="auditor", now=NOW)))
    return file


def test_a_bundle_has_the_proof_and_what_verifies_it_alone(bundle, tmp_path):
    with zipfile.ZipFile(bundle) as archive:
        assert archive.testzip() is None
        assert archive.namelist() == ["README.txt", proof.VERIFIER, "proof.jsonl"]
        archive.extractall(tmp_path / "out")
    alone = tmp_path / "out" / proof.VERIFIER

    for file in (tmp_path / "out" / "proof.jsonl", bundle):
        command = [sys.executable, "-I", str(alone), str(file)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert (done.returncode, HOLDS in done.stdout) == (0, True)


@pytest.mark.parametrize("kept", [0.2, 0.6, 0.9, 0.99])
def test_a_bundle_that_was_cut_off_is_never_taken_for_whole(bundle, capsys, kept):
    whole = bundle.read_bytes()
    bundle.write_bytes(whole[: int(len(whole) * kept)])

    assert proof_verifier.main([str(bundle)]) != 0
    assert "Everything holds" not in capsys.readouterr().out


@given(place=st.floats(0, 1), octet=st.integers(1, 255))
@limits(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_octet_of_a_bundle_can_be_changed_unnoticed(bundle, tmp_path, place, octet):
    whole = bytearray(bundle.read_bytes())
    whole[int(place * (len(whole) - 1))] ^= octet
    changed = tmp_path / "changed.zip"
    changed.write_bytes(whole)

    # What is neither the proof nor its place in the ZIP may differ: the README, times.
    is_same = _proof_of(changed) == _proof_of(bundle)
    assert is_same or proof_verifier.main([str(changed)]) != 0


def _proof_of(file):
    try:
        with zipfile.ZipFile(file) as archive:
            return archive.read("proof.jsonl")
    except (
        zipfile.BadZipFile,
        KeyError,
        zlib.error,
        ValueError,
        OSError,
        RuntimeError,
    ):
        return b""


def test_what_is_no_proof_is_said_so():
    with pytest.raises(NoProof):
        verify([{"format": "other"}])


def test_a_campaign_that_was_never_submitted_has_no_proof(database):
    draft = drafted(1, to_json(DRAFT))

    with pytest.raises(NotComplete):
        list(proof.lines(draft, by="auditor", now=NOW))
