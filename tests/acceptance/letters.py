# SPDX-License-Identifier: Apache-2.0
"""Mail for tests of whole processes: what is written, and how it is handed in."""

import smtplib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

SENDER = "survey@authority.example"


def people(count: int, name: str = "p") -> tuple[str, ...]:
    """So many outsiders, each of an organisation of their own."""
    return tuple(f"{name}{n}@{name}-home{n}.example" for n in range(count))


def letter(
    shown: Sequence[str],
    subject: str = "News",
    *,
    sender: str = SENDER,
    field: str = "To",
    text: str = "",
) -> bytes:
    """A mail that shows these people, with ``subject`` as its id for the clerk.

    Its text is its own unless it is given.
    """
    words = text or " ".join(f"{subject}-word{n}" for n in range(60))
    return (
        f"From: {sender}\r\n{field}: {', '.join(shown)}\r\nSubject: {subject}\r\n"
        f"X-Test-Id: {subject}\r\n"
        f"Message-ID: <{abs(hash((subject, *shown)))}@authority.example>\r\n"
        f"\r\n{words}\r\n"
    ).encode()


@dataclass(frozen=True, slots=True)
class Answers:
    """What a mail server said: to MAIL, to each RCPT, to the content."""

    mail: int
    rcpts: tuple[int, ...]
    code: int
    text: str

    @property
    def is_held(self) -> bool:
        """Whether the guard took the mail and holds it."""
        return self.code == 250 and "Held" in self.text

    @property
    def is_passed(self) -> bool:
        """Whether the mail was taken to be delivered as it is."""
        return self.code == 250 and "Held" not in self.text


def hand_in(
    port: int,
    to: Sequence[str],
    content: bytes,
    *,
    sender: str = SENDER,
    tls: Any = None,
) -> Answers:
    """Hand in one mail on loopback, as a mail program does, whatever is answered.

    ``code`` is the reply that ended it: to the content, or to what was refused.
    """
    with smtplib.SMTP("127.0.0.1", port, timeout=60) as client:
        if tls is not None:
            client.starttls(context=tls)
        client.ehlo()
        code, text = client.mail(sender)
        mail, rcpts = code, []
        if code == 250:
            for person in to:
                answer, text = client.rcpt(person)
                rcpts.append(answer)
            code = max(rcpts)
        if 250 in rcpts:
            code, text = client.data(content)
        return Answers(mail, tuple(rcpts), code, text.decode())
