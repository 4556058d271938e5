# SPDX-License-Identifier: Apache-2.0
"""What the guard writes to people: a hold's notice, a reminder, a mail given back.

A notice says one sentence and has one link. It goes to the envelope sender in
an own domain only, names nobody else, and never answers the null sender or
another program (RFC 3834 §2). What is quoted to a sender is their own: the
subject that they wrote.
"""

import html
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from undisclosed.core.address import Address
from undisclosed.core.held import Hold, Outgoing, OutgoingKind
from undisclosed.core.mail import Envelope, Recipient
from undisclosed.core.private import Edit, Patch
from undisclosed.formats.letter import Letter, write_around, write_letter
from undisclosed.guard.ports import KeyedId
from undisclosed.guard.schedule import KEEP_TRYING

Sign = Callable[[str, str, datetime], str]
"""Makes the token of a link of mailing, person and end: ``LinkSigner.sign``."""


@dataclass(frozen=True, slots=True)
class NoticeSettings:
    """How our own mail looks. ``hostname`` is ASCII: ids and reports carry it.

    ``link_page`` is the address of the page behind a notice's link, with ``{token}``
    where its token belongs; ``mailing_page`` that of a mailing, with ``{mailing_id}``.
    """

    author: Address
    hostname: str = "localhost"
    author_name: str = "Undisclosed"
    link_page: str = "http://127.0.0.1:8000/links/{token}/"
    mailing_page: str = "http://127.0.0.1:8000/mailings/{mailing_id}/"
    link_lifetime: timedelta = timedelta(days=14)


@dataclass(frozen=True, slots=True)
class Facts:
    """What a notice says of a mail.

    ``gone``: how many earlier mails of its mailing have left as they were written.
    """

    mailing_id: str
    viewers: int
    disclosures: int
    singly_refused: str | None
    first_finding: str
    subject: str = field(default="", repr=False)
    gone: int = 0


def sentence(viewers: int, disclosures: int) -> str:
    """How many people would have seen how many others' addresses."""
    people = "1 person" if viewers == 1 else f"{viewers:,} people"
    others = -(-disclosures // max(viewers, 1))
    whose = "1 other's address" if others == 1 else f"{others:,} others' addresses"
    return f"{people} would have seen {whose}."


class Notices:
    """Writes our own mail, each with an id that is the same when written again."""

    __slots__ = ("_name", "_settings", "_sign")

    def __init__(self, settings: NoticeSettings, sign: Sign, name: KeyedId) -> None:
        self._settings = settings
        self._sign = sign
        self._name = name

    @property
    def settings(self) -> NoticeSettings:
        """How our own mail looks."""
        return self._settings

    def of_hold(self, facts: Facts, sender: Address, now: datetime) -> Outgoing:
        """The notice of a held mailing to its sender: one as long as any of it waits.

        Told again, once it was decided and is held anew, it is another message.
        """
        identifier = self._name("notice", facts.mailing_id, sender.person)
        link = self._link(facts.mailing_id, sender, now)
        said = _said(facts)
        choice = "Withdraw" if facts.singly_refused else "Send singly · Withdraw"
        subject = without_others(facts.subject, sender)
        quoted = f"Your mail “{subject}” is held." if subject else "Your mail is held."
        more = [quoted, _who_has(facts.gone)]
        if facts.singly_refused:
            more.append(facts.singly_refused)
        letter = self._letter(
            f"{identifier}.{now:%Y%m%d%H%M%S}",
            sender,
            f"Held: {subject}" if subject else "Your mail is held",
            _plain(said, choice, link, more),
            now,
            _html(said, choice, link, more),
        )
        return self._own_mail(identifier, OutgoingKind.NOTICE, letter, sender)

    def of_split(
        self, facts: Facts, sender: Address, now: datetime, undo: timedelta
    ) -> Outgoing:
        """The notice of a mailing that a rule sends singly, one per mailing.

        It says until when that can be undone.
        """
        identifier = self._name("split notice", facts.mailing_id, sender.person)
        link = self._link(facts.mailing_id, sender, now)
        subject = without_others(facts.subject, sender)
        quoted = f"Your mail “{subject}”" if subject else "Your mail"
        more = [f"{quoted} leaves in {_span(undo)}, one private copy for each person."]
        said, choice = _said(facts), "Withdraw · Send now"
        letter = self._letter(
            identifier,
            sender,
            f"Sent singly: {subject}" if subject else "Your mail is sent singly",
            _plain(said, choice, link, more),
            now,
            _html(said, choice, link, more),
        )
        return self._own_mail(identifier, OutgoingKind.NOTICE, letter, sender)

    def of_waiting(self, hold: Hold, to: Address, now: datetime) -> Outgoing:
        """The reminder that held mail waits: one per mailing and step, nobody named."""
        number = str(hold.escalations)
        identifier = self._name("waiting", hold.mailing_id, number, to.person)
        page = self._settings.mailing_page.format(mailing_id=hold.mailing_id)
        first = hold.findings[0].text if hold.findings else ""
        said = _said(
            Facts(hold.mailing_id, hold.viewers, hold.disclosures, None, first)
        )
        more = [f"A held mail has waited {_hours(now - hold.received_at)}."]
        if hold.is_ownerless or hold.envelope.mail_from is None:
            more.append("It has no sender who could decide: the desk owns it.")
        else:
            more.append("Without a decision it goes back to its sender.")
        letter = self._letter(
            identifier,
            to,
            "A held mail waits for a decision",
            _plain(said, "Decide", page, more),
            now,
            _html(said, "Decide", page, more),
        )
        return self._own_mail(identifier, OutgoingKind.NOTICE, letter, to)

    def of_return(
        self, hold: Hold, sender: Address, content: bytes, now: datetime
    ) -> Outgoing:
        """The held mail on its way back: our words, and the mail itself attached.

        It is laid around the held content as a patch, so that the content is kept
        once; the content's own bytes do not change.
        """
        identifier = self._name("return", hold.id)
        letter = self._letter(
            identifier,
            sender,
            "Your held mail comes back",
            "Your mail was held, and nobody decided about it in "
            f"{_hours(now - hold.received_at)}.\n"
            "Nobody has received it. It is attached.\n",
            now,
        )
        is_8bit = not content.isascii()
        before, behind = write_around(letter, _boundary(identifier, content), is_8bit)
        end = len(content)
        patch = Patch((Edit(0, 0, before), Edit(end, end, behind)))
        return Outgoing(
            id=identifier,
            hold_id=hold.id,
            kind=OutgoingKind.RETURN,
            envelope=envelope_to(sender, letter, is_8bit),
            patch=patch,
            expires_at=now + KEEP_TRYING,
        )

    def _letter(
        self,
        identifier: str,
        to: Address,
        subject: str,
        plain: str,
        now: datetime,
        as_html: str | None = None,
    ) -> Letter:
        return Letter(
            author_name=self._settings.author_name,
            author=self._settings.author.spelled_out(),
            to=to.spelled_out(),
            subject=subject,
            written_at=now,
            message_id=f"{identifier}@{self._settings.hostname}",
            plain=plain,
            html=as_html,
        )

    def _own_mail(
        self, identifier: str, kind: OutgoingKind, letter: Letter, to: Address
    ) -> Outgoing:
        content = write_letter(letter, f"=_{identifier}")
        envelope = envelope_to(to, letter, False)
        return Outgoing(
            identifier,
            None,
            kind,
            envelope,
            content=content,
            expires_at=letter.written_at + KEEP_TRYING,
        )

    def _link(self, mailing_id: str, person: Address, now: datetime) -> str:
        expires_at = now + self._settings.link_lifetime
        token = self._sign(mailing_id, person_ref(self._name, person), expires_at)
        return self._settings.link_page.format(token=token)


def without_others(text: str, mine: Address | None = None) -> str:
    """The text with every word gone that names another address than this one.

    A subject, the next hop's reply or a reason may name a third person, and is
    quoted.
    """
    person = mine.person if mine else "\n"
    return " ".join(
        "…" if _is_address(word) and person not in word.lower() else word
        for word in text.split()
    )


def _is_address(word: str) -> bool:
    return "@" in word or "\N{FULLWIDTH COMMERCIAL AT}" in word


def person_ref(name: KeyedId, person: Address) -> str:
    """How a link refers to a person: a keyed id, never the address."""
    return name("person", person.person)


def envelope_to(to: Address, letter: Letter, is_8bit: bool) -> Envelope:
    """From the null sender (RFC 5321 §4.5.5): nothing may answer our own mail."""
    parameters = ("SMTPUTF8",) if letter.is_international else ()
    if is_8bit or letter.is_international:
        parameters = ("BODY=8BITMIME", *parameters)
    return Envelope(None, (Recipient(to),), parameters)


def _said(facts: Facts) -> str:
    if facts.disclosures:
        return sentence(facts.viewers, facts.disclosures)
    return facts.first_finding or "The guard could not judge this mail."


def _who_has(gone: int) -> str:
    """Who has received the mailing already: the mails that left before it was held."""
    if not gone:
        return "Nobody has received it."
    if gone == 1:
        return "One earlier mail of the same mailing has already left."
    return f"{gone:,} earlier mails of the same mailing have already left."


def _span(of_time: timedelta) -> str:
    seconds = round(of_time.total_seconds())
    if seconds < 120:
        return "1 second" if seconds == 1 else f"{seconds} seconds"
    return f"{round(seconds / 60)} minutes"


def _plain(said: str, choice: str, link: str, more: list[str]) -> str:
    return "\n".join((said, "", f"{choice}:", link, "", *more, ""))


def _html(said: str, choice: str, link: str, more: list[str]) -> str:
    rest = "".join(f"<p>{html.escape(line)}</p>\n" for line in more)
    return (
        "<!DOCTYPE html>\n<html lang='en'><head><meta charset='utf-8'>"
        "<title>Held</title></head>\n<body style='font:1.1em/1.5 sans-serif'>\n"
        f"<p><strong>{html.escape(said)}</strong></p>\n"
        f"<p><a href='{html.escape(link)}'>{html.escape(choice)}</a></p>\n"
        f"{rest}</body></html>\n"
    )


def _hours(waited: timedelta) -> str:
    hours = max(round(waited / timedelta(hours=1)), 1)
    if hours > 48:
        return f"{round(hours / 24)} days"
    return "1 hour" if hours == 1 else f"{hours} hours"


def _boundary(identifier: str, content: bytes) -> str:
    """A boundary that no line of the content can be taken for (RFC 2046 §5.1.1)."""
    boundary, number = f"=_{identifier}", 0
    while boundary.encode() in content:
        number += 1
        boundary = f"=_{identifier}_{number}"
    return boundary
