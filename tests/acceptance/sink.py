# SPDX-License-Identifier: Apache-2.0
"""A next hop as a process of its own, made to be killed: ``sink.py PORT FILE [NAME]``.

A mail stands in FILE, one JSON object a line, on the disk, before its 250 is sent.
It shares no code with the product. Recipients that begin with NAME are refused; where
NAME begins with a dot, what follows it is refused when the content has come.
"""

import contextlib
import json
import os
import re
import socket
import sys
import threading

OFFERS = (
    b"250-sink.test\r\n250-PIPELINING\r\n250-8BITMIME\r\n250-DSN\r\n250 SMTPUTF8\r\n"
)
_WRITING = threading.Lock()


def serve(client: socket.socket, file: int) -> None:
    """One client, until it goes away."""
    with contextlib.suppress(ConnectionError):
        _converse(client, file)


def _converse(client: socket.socket, file: int) -> None:
    stream = client.makefile("rb")
    client.sendall(b"220 sink.test\r\n")
    sender, recipients = "", list[str]()
    for line in stream:
        verb = line[:4].upper().strip()
        answer = b"250 2.0.0 OK\r\n"
        if verb == b"EHLO":
            answer = OFFERS
        elif verb in (b"MAIL", b"RSET"):
            sender, recipients = _address_in(line), []
        elif verb == b"RCPT":
            recipient = _address_in(line)
            answer = _answer_to(recipient)
            if answer.startswith(b"250"):
                recipients.append(recipient)
        elif verb == b"DATA":
            client.sendall(b"354 Go on\r\n")
            content = _content(stream)
            if content is None:
                return
            if any(_begins(one, ".") for one in recipients):
                answer = b"550 5.1.1 Nobody of this name\r\n"
            else:
                _write(file, sender, recipients, content)
        elif verb == b"QUIT":
            client.sendall(b"221 2.0.0 Bye\r\n")
            return
        client.sendall(answer)


def _address_in(line: bytes) -> str:
    found = re.search(rb"<([^>]*)>", line)
    return found[1].decode() if found else ""


def _answer_to(recipient: str) -> bytes:
    if _begins(recipient, ""):
        return b"550 5.1.1 <%s> Nobody of this name\r\n" % recipient.encode()
    return b"250 2.1.5 OK\r\n"


def _begins(recipient: str, mark: str) -> bool:
    """Whether a recipient begins with a NAME that has this mark before it."""
    names = [name for name in sys.argv[3:] if name.startswith(".") is bool(mark)]
    return any(recipient.startswith(name.removeprefix(mark)) for name in names)


def _content(stream: "socket.SocketIO") -> bytes | None:
    lines = []
    for line in stream:
        if line == b".\r\n":
            return b"".join(lines)
        lines.append(line[1:] if line.startswith(b".") else line)
    return None  # the client went away before the final dot: nothing was taken


def _write(file: int, sender: str, recipients: list[str], content: bytes) -> None:
    text = content.decode("utf-8", "replace")
    record = {"sender": sender, "rcpts": recipients, "content": text}
    with _WRITING:
        os.write(file, json.dumps(record).encode() + b"\n")
        os.fsync(file)


def main(port: int, path: str) -> None:
    """Listen on loopback until somebody kills us."""
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    with socket.create_server(("127.0.0.1", port)) as server:
        while True:
            client, _ = server.accept()
            threading.Thread(target=serve, args=(client, file), daemon=True).start()


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2])
