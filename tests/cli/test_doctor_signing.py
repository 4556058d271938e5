# SPDX-License-Identifier: Apache-2.0
"""``undisclosed doctor`` on the key that private copies are signed with."""

import os
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519

from tests.acceptance.installation import MASTER_KEY, run_command

pytestmark = pytest.mark.timeout(120)


def said(folder: Path, key: bytes | None) -> str:
    """What the doctor says of an installation whose database is away."""
    if key is not None:
        (folder / "dkim.pem").write_bytes(key)
    settings = folder / "undisclosed.toml"
    settings.write_text(
        '[guard]\nlisten = "127.0.0.1:1"\nnext_hop = "127.0.0.1:1"\n'
        '[guard.dkim]\nmode = "sign"\ndomains = ["council.example"]\n'
        'selector = "guard2026"\nkey = "dkim.pem"\n'
        f'[store]\ndata = "{folder}"\n'
        '[policy]\nown_domains = ["council.example"]\n'
    )
    environment = {
        **os.environ,
        "UNDISCLOSED_MASTER_KEY": MASTER_KEY,
        "DATABASE_URL": "postgresql://nobody@127.0.0.1:1/nothing",
    }
    done = run_command("doctor", "--settings", str(settings), environment=environment)
    assert "Traceback" not in done.stderr, done.stderr
    assert done.returncode == 3
    return done.stdout


def test_it_says_what_dns_has_to_hold(tmp_path: Path) -> None:
    key = ed25519.Ed25519PrivateKey.generate()
    pem = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )

    answers = said(tmp_path, pem)

    assert "TXT of guard2026._domainkey.council.example must be: v=DKIM1;" in answers
    assert "PRIVATE" not in answers
    assert "[!!] The next hop 127.0.0.1:1 does not answer." in answers


@pytest.mark.parametrize("key", [None, b"no key"], ids=["missing", "no key"])
def test_a_key_that_is_no_use_is_named(tmp_path: Path, key: bytes | None) -> None:
    answers = said(tmp_path, key)

    expected = "cannot be read" if key is None else "cannot be used"
    assert expected in next(
        line for line in answers.splitlines() if "dkim.pem" in line or "DKIM" in line
    )
