# SPDX-License-Identifier: Apache-2.0
"""A real time-stamping authority: ``openssl ts`` behind HTTP on this machine.

``spoiled`` gets each answer before it is sent, and may send something else.
"""

import ssl
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from cryptography import x509

REPLY = "application/timestamp-reply"

_CONFIGURATION = """
[tsa]
default_tsa = one
[one]
serial = {folder}/serial
signer_cert = {folder}/{signer}.pem
certs = {folder}/root.pem
signer_key = {folder}/{signer}.key
signer_digest = sha256
default_policy = 1.2.3.4.1
other_policies = 1.2.3.4.2
digests = {digests}
accuracy = secs:1
ordering = no
tsa_name = no
ess_cert_id_chain = no
ess_cert_id_alg = sha256
"""
_STAMPING = "critical,timeStamping"


def _openssl(folder: Path, *words: str) -> None:
    subprocess.run(["openssl", *words], cwd=folder, check=True, capture_output=True)


def _certified(
    folder: Path, name: str, purpose: str, days: tuple[str, ...] = ("-days", "5")
) -> None:
    (folder / "extensions").write_text(
        f"extendedKeyUsage={purpose}\nkeyUsage=critical,digitalSignature\n"
    )
    subject = ("-subj", f"/CN={name}.example")
    request = ("req", "-newkey", "rsa:2048", "-nodes", "-keyout", f"{name}.key")
    _openssl(folder, *request, "-out", f"{name}.csr", *subject)
    signed = ("x509", "-req", "-in", f"{name}.csr", "-CA", "root.pem")
    files = ("-CAkey", "root.key", "-CAcreateserial", "-out", f"{name}.pem")
    _openssl(folder, *signed, *files, "-extfile", "extensions", *days)


def _root(folder: Path, name: str) -> None:
    made = ("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "10")
    files = ("-keyout", f"{name}.key", "-out", f"{name}.pem")
    use = ("-addext", "keyUsage=critical,keyCertSign")
    _openssl(folder, *made, *files, "-subj", f"/CN={name}.example", *use)


def prepare(folder: Path) -> None:
    """Make the roots and the certificates that sign: one good, others not."""
    _root(folder, "root")
    _root(folder, "stranger")
    _certified(folder, "good", _STAMPING)
    _certified(folder, "127.0.0.1", "serverAuth\nsubjectAltName=IP:127.0.0.1")
    _certified(folder, "mail", "critical,emailProtection")
    _certified(folder, "over", _STAMPING, ("-days", "0"))
    (folder / "serial").write_text("01\n")


@dataclass(slots=True)
class RunningAuthority:
    """One that answers; ``asked`` counts the questions."""

    folder: Path
    url: str = ""
    signer: str = "good"
    digests: str = "sha256"
    spoiled: Callable[[bytes], bytes] = bytes
    handled: Callable[[Any], bool] = field(default=lambda handler: False)
    asked: int = 0
    tls: ssl.SSLContext | None = None

    def roots(self, name: str = "root") -> tuple[x509.Certificate, ...]:
        """The certificate that a chain may end with."""
        pem = (self.folder / f"{name}.pem").read_bytes()
        return tuple(x509.load_pem_x509_certificates(pem))

    def answer(self, query: bytes) -> bytes:
        """What ``openssl ts`` answers."""
        text = _CONFIGURATION.format(
            folder=self.folder, signer=self.signer, digests=self.digests
        )
        (self.folder / "tsa.cnf").write_text(text)
        (self.folder / "query").write_bytes(query)
        command = "openssl ts -reply -config tsa.cnf -queryfile query -out answer"
        subprocess.run(
            command.split(), cwd=self.folder, check=False, capture_output=True
        )
        return self.spoiled((self.folder / "answer").read_bytes())


@contextmanager
def running(authority: RunningAuthority) -> Iterator[RunningAuthority]:
    """Serve it on a free port of this machine."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            authority.asked += 1
            query = self.rfile.read(int(self.headers["Content-Length"]))
            if authority.handled(self):
                return
            answer = authority.answer(query)
            self.send_response(200)
            self.send_header("Content-Type", REPLY)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    if authority.tls is not None:
        server.socket = authority.tls.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    scheme = "http" if authority.tls is None else "https"
    authority.url = f"{scheme}://127.0.0.1:{server.server_port}/tsa"
    try:
        yield authority
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
