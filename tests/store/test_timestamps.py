# SPDX-License-Identifier: Apache-2.0
"""Timestamps are believed where everything about them holds, before a real authority.

``openssl ts`` signs; the test stands between it and us.
"""

import hashlib
import socket
import ssl
import subprocess
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.store.authority import REPLY, RunningAuthority, prepare, running
from undisclosed.errors import UndisclosedError
from undisclosed.store import timestamps
from undisclosed.store.timestamps import (
    Authority,
    AuthorityAway,
    AuthorityUnknown,
    TimestampWrong,
    ask,
)
from undisclosed.store.verifier import NoTimestamp, read_timestamp

DATA = b"a tree head"
DIGEST = hashlib.sha256(DATA).hexdigest()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The files of an authority, made once: keys take time."""
    made = tmp_path_factory.mktemp("authority")
    prepare(made)
    return made


@pytest.fixture
def authority(folder: Path) -> Iterator[RunningAuthority]:
    with running(RunningAuthority(folder)) as serving:
        yield serving


def asked(
    authority: RunningAuthority, root: str = "root", seconds: float = 10
) -> bytes:
    return ask(
        Authority(authority.url, authority.roots(root), timedelta(seconds=seconds)),
        DATA,
    )


def test_an_answer_that_holds_says_a_time(authority: RunningAuthority) -> None:
    response = asked(authority)

    stamp = timestamps.verify(response, DIGEST, authority.roots())
    assert stamp.digest == DIGEST
    assert abs(stamp.at.timestamp() - time.time()) < 60
    assert read_timestamp(response).at == stamp.at


def test_openssl_verifies_what_is_kept(
    authority: RunningAuthority, tmp_path: Path
) -> None:
    kept = tmp_path / "kept.tsr"
    kept.write_bytes(asked(authority))

    command = f"openssl ts -verify -in {kept} -digest {DIGEST} -CAfile root.pem"
    verified = subprocess.run(
        command.split(),
        cwd=authority.folder,
        capture_output=True,
        text=True,
        check=False,
    )

    assert verified.returncode == 0, verified.stderr
    assert "Verification: OK" in verified.stdout


@pytest.mark.parametrize("signer", ["mail", "over"])
def test_a_certificate_that_is_over_or_for_something_else_is_not_believed(
    authority: RunningAuthority, signer: str
) -> None:
    # openssl signs with nothing but a certificate for timestamps, so the good one's
    # key signs, and the other certificate goes in its place.
    good = authority.folder / "good.pem"
    other = authority.folder / f"{signer}.pem"
    if signer == "over":
        time.sleep(1.1)  # its validity ends with the second in which it began
        authority.signer = signer
        assert _der(other) in authority.answer(_query())
    else:
        authority.spoiled = lambda answer: _exchanged(answer, good, other)

    with pytest.raises(TimestampWrong):
        asked(authority)


def _query() -> bytes:
    from rfc3161_client import HashAlgorithm, TimestampRequestBuilder

    builder = TimestampRequestBuilder().data(DATA)
    return builder.hash_algorithm(HashAlgorithm.SHA256).build().as_bytes()


def _der(pem: Path) -> bytes:
    command = ["openssl", "x509", "-in", str(pem), "-outform", "DER"]
    return subprocess.run(command, capture_output=True, check=True).stdout


def _exchanged(answer: bytes, one: Path, other: Path) -> bytes:
    assert _der(one) in answer
    return answer.replace(_der(one), _der(other))


def test_a_root_that_was_not_named_is_not_believed(authority: RunningAuthority) -> None:
    with pytest.raises(TimestampWrong):
        asked(authority, root="stranger")


def test_an_answer_to_an_earlier_question_is_not_believed(
    authority: RunningAuthority,
) -> None:
    earlier = asked(authority)
    authority.spoiled = lambda answer: earlier

    with pytest.raises(TimestampWrong, match="Nonce"):
        asked(authority)


def test_an_answer_about_another_hash_is_not_believed(
    authority: RunningAuthority,
) -> None:
    response = asked(authority)

    with pytest.raises(TimestampWrong):
        timestamps.verify(response, "ab" * 32, authority.roots())


def test_a_refusal_is_no_timestamp(authority: RunningAuthority) -> None:
    authority.digests = "sha512"

    with pytest.raises(TimestampWrong):
        asked(authority)


@pytest.mark.parametrize("at", [0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 0.9, 0.99])
def test_an_answer_that_was_changed_anywhere_is_not_believed(
    authority: RunningAuthority, at: float
) -> None:
    response = bytearray(asked(authority))
    root = authority.roots()
    expected = timestamps.verify(bytes(response), DIGEST, root)
    response[int(len(response) * at)] ^= 0x55

    try:
        found = timestamps.verify(bytes(response), DIGEST, root)
    except TimestampWrong:
        return
    # Only what nothing signs may differ: a certificate that no chain needs.
    assert (found.digest, found.at) == (expected.digest, expected.at)


@pytest.mark.parametrize(
    "garbage",
    [b"", b"\x30", b"\x30\x80\0\0", b"<html>", b"\x30\x03\x02\x01\x00", bytes(500)],
    ids=["nothing", "cut off", "indefinite", "a page", "half an answer", "zeros"],
)
def test_garbage_is_no_timestamp(authority: RunningAuthority, garbage: bytes) -> None:
    authority.spoiled = lambda answer: garbage

    with pytest.raises(TimestampWrong):
        asked(authority)


@given(st.binary(max_size=300))
def test_no_bytes_raise_anything_else(data: bytes) -> None:
    with pytest.raises(NoTimestamp):
        read_timestamp(data)


def test_a_huge_answer_is_not_read_to_its_end(authority: RunningAuthority) -> None:
    authority.spoiled = lambda answer: bytes(timestamps.LONGEST_ANSWER + 1)

    with pytest.raises(AuthorityAway):
        asked(authority)


def test_an_answer_that_drips_is_cut_off(authority: RunningAuthority) -> None:
    def drip(handler) -> bool:
        handler.send_response(200)
        handler.send_header("Content-Type", REPLY)
        handler.end_headers()
        try:
            while True:
                handler.wfile.write(b"x")
                handler.wfile.flush()
                time.sleep(0.05)
        except OSError:
            return True

    authority.handled = drip

    with pytest.raises(AuthorityAway, match="TimeoutError"):
        asked(authority, seconds=0.5)


@pytest.mark.parametrize(
    ("status", "kind"), [(503, REPLY), (302, REPLY), (200, "text/html")]
)
def test_an_answer_that_is_none_means_away(
    authority: RunningAuthority, status: int, kind: str
) -> None:
    def other(handler) -> bool:
        handler.send_response(status)
        handler.send_header("Content-Type", kind)
        handler.send_header("Location", "http://127.0.0.1:9/")
        handler.end_headers()
        return True

    authority.handled = other

    with pytest.raises(AuthorityAway):
        asked(authority)


def test_nobody_there_means_away(folder: Path) -> None:
    with running(RunningAuthority(folder)) as gone:
        pass

    with pytest.raises(AuthorityAway):
        asked(gone)


def test_a_file_without_certificates_is_named(tmp_path: Path) -> None:
    empty = tmp_path / "authority.pem"
    empty.write_text("nothing")

    with pytest.raises(AuthorityUnknown, match=r"authority\.pem"):
        Authority.of("http://127.0.0.1:9/", empty)
    with pytest.raises(UndisclosedError):
        Authority.of("http://127.0.0.1:9/", tmp_path / "missing.pem")


def test_an_authority_behind_tls_answers(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(folder / "127.0.0.1.pem", folder / "127.0.0.1.key")
    with running(RunningAuthority(folder, tls=tls)) as authority:
        with pytest.raises(AuthorityAway, match="SSLCertVerificationError"):
            asked(authority)
        monkeypatch.setenv("SSL_CERT_FILE", str(folder / "root.pem"))

        assert timestamps.verify(asked(authority), DIGEST, authority.roots())


def test_who_never_ends_the_handshake_is_cut_off(authority: RunningAuthority) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        authority.url = f"https://127.0.0.1:{silent.getsockname()[1]}/"

        with pytest.raises(AuthorityAway):
            asked(authority, seconds=0.3)


def test_an_address_that_swallows_everything_leaves_time_for_the_next(
    authority: RunningAuthority, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = socket.getaddrinfo("127.0.0.1", int(authority.url.split(":")[2][:-4]))[:1]
    with (
        socket.create_server(("127.0.0.1", 0), backlog=0) as full,
        socket.socket() as one,
    ):
        one.connect(full.getsockname())  # nobody takes it: no other gets in
        away = socket.getaddrinfo(*full.getsockname()[:2])[:1]
        monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: [*away * 2, *here])

        response = asked(authority, seconds=3)

    assert timestamps.verify(response, DIGEST, authority.roots())
