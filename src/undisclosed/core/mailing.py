# SPDX-License-Identifier: Apache-2.0
"""A mailing: near-identical mail of one sender or team, judged as one.

Small batches add up: seven mails of 163 people are one disclosure of 1,136. Two
mails are near-identical when the pieces (shingles) of their subjects and texts
are. The store hashes the pieces with a key and keeps a sketch of fixed size, so
that it can compare mails without keeping what they say.
"""

import hashlib
import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from itertools import chain, pairwise

from undisclosed.core.address import Address
from undisclosed.core.disclosure import Reading
from undisclosed.core.known import Known, People, fewest_of_audience
from undisclosed.core.mail import Mail
from undisclosed.core.policy import Policy
from undisclosed.core.reading import Content
from undisclosed.core.recall import recalled_subject
from undisclosed.core.strangers import Strangers, still_new
from undisclosed.core.threads import hidden_by, thread_of

SIMILARITY = 0.8
"""Two mails of one sender whose shingles are this similar are one mailing."""

SKETCH_SIZE = 128
"""Hashes in a sketch. The estimate's standard error is at most 4.5 %."""

MOST_WORDS = 1024
"""Words of a text that are compared; what follows makes no other mailing of it."""

MOST_CHARACTERS = 65_536
"""Characters of subject and text that are looked at."""

_FEWEST_TO_RESERVE = 2
_FEWEST_TO_ADD_UP = 3
_LONGEST_MESSAGE_ID = 998  # RFC 5322 §2.1.1: a line has no more


NO_STRANGERS = Strangers(frozenset())
"""Nobody gets the mail."""


@dataclass(frozen=True, slots=True)
class Wave:
    """What one mail contributes to a mailing, before anything is hashed.

    ``digest`` is SHA-256 over envelope and content: the same mail again (a client's
    retry) has the same one, and is not a second wave. ``sender`` is who the mailing
    belongs to: the From address, or the name of its team. ``people`` are the
    outsiders newly shown. ``adds_up`` says whether it can join a mailing (three or
    more outsiders shown). ``shingles`` are the pieces of subject and text that
    similarity is counted over; none where it cannot join. ``subject`` is the
    normalised subject; ``recalls`` the subject that a recall names, else None;
    ``audience`` every outsider among viewers and shown (asked for by a recall).

    ``message_id`` is the same for the several transactions that a mail server makes of
    one mail; empty without one. ``authors`` are all addresses that it is sent in the
    name of. ``thread`` are the outsiders whom it shows to each other, ``hidden`` those
    whom it hides (two or more, or nobody), ``carried`` the people in its text whom
    Memory is asked about. ``strangers`` says who does not know whom without asking.
    ``is_observed``: nothing of it makes anybody known to anybody.
    """

    digest: bytes = field(repr=False)
    sender: str = field(repr=False)
    people: frozenset[Address] = field(repr=False)
    audience: frozenset[Address] = field(repr=False)
    disclosures: int
    adds_up: bool
    shingles: frozenset[bytes] = field(repr=False)
    subject: str = field(repr=False)
    recalls: str | None = field(repr=False, default=None)
    message_id: str = field(repr=False, default="")
    authors: People = field(repr=False, default=frozenset())
    thread: People = field(repr=False, default=frozenset())
    hidden: People = field(repr=False, default=frozenset())
    carried: People = field(repr=False, default=frozenset())
    strangers: Strangers = field(repr=False, compare=False, default=NO_STRANGERS)
    is_observed: bool = False

    @property
    def asked(self) -> People:
        """Everybody whom Memory is asked about."""
        return self.audience | self.carried

    def with_known(self, known: Known) -> "Wave":
        """The same wave after Memory was asked: who knows whom no longer counts."""
        people, pairs = still_new(self.people, self.disclosures, known, self.strangers)
        is_batch = self.adds_up and len(people) >= _FEWEST_TO_ADD_UP
        return replace(self, people=people, disclosures=pairs, adds_up=is_batch)


def wave_of(
    reading: Reading, mail: Mail, policy: Policy, *, digest: bytes | None = None
) -> Wave | None:
    """What Memory has to keep of this mail; None where it has nothing to keep.

    Mail needs a place in Memory that newly shows two or more outsiders in its header,
    or hides two or more, or carries as many in old mail or in its text as a rule would
    object to; and a recall with outside recipients. ``digest`` where it is known.
    """
    content = reading.content
    people = reading.newly_shown
    has_recall = content.recall or _names_a_recall(content.subject)
    is_recall = has_recall and bool(reading.outside_viewers)
    hidden, carried = hidden_by(reading, policy), _carried(reading, policy)
    is_shown = len(people) >= _FEWEST_TO_RESERVE
    if not (is_shown or is_recall or hidden or carried):
        return None
    subject = subject_of(content.subject)
    is_batch = adds_up(reading)
    return Wave(
        digest=digest if digest is not None else digest_of(mail),
        sender=_sender_of(reading, mail, policy),
        people=people,
        audience=reading.outside_viewers | reading.outsiders_shown,
        disclosures=reading.new_disclosures_in_header,
        adds_up=is_batch,
        # Nothing is compared with what cannot be a batch: its text is not looked at.
        shingles=shingles(content.subject, content.visible_text)
        if is_batch
        else frozenset(),
        subject=subject,
        recalls=subject if is_recall else None,
        message_id=_message_id_of(content),
        authors=_authors_of(content, mail),
        thread=thread_of(reading) if is_shown else frozenset(),
        hidden=hidden,
        carried=carried,
        strangers=reading.strangers,
    )


def _carried(reading: Reading, policy: Policy) -> People:
    """The people in the text and in old mail, where a rule may object to them."""
    fewest = fewest_of_audience(reading.is_sensitive)
    in_text = reading.newly_shown_in_text
    is_much = len(in_text) > policy.max_addresses_in_text
    if is_much or len(reading.newly_forwarded) >= fewest:
        return in_text
    return frozenset()


def _message_id_of(content: Content) -> str:
    """The Message-ID (RFC 5322 §3.6.4) without brackets and blanks."""
    for name, body, *_ in content.header.cuts:
        if name.strip().lower() == b"message-id":
            text = "".join(body.decode("latin-1").split())
            return text.strip("<>")[:_LONGEST_MESSAGE_ID]
    return ""


def _authors_of(content: Content, mail: Mail) -> People:
    named = (content.author, content.sender, mail.envelope.mail_from)
    return frozenset(one for one in named if one is not None)


def adds_up(reading: Reading) -> bool:
    """Whether this mail can be a batch of a mailing.

    It newly shows three or more outsiders. Mail to one viewer never adds up: a
    hundred invoices are no mailing. Who stands in a destination field is a viewer
    here, too: some mail servers make a transaction for each recipient.
    """
    if len(reading.newly_shown) < _FEWEST_TO_ADD_UP:
        return False
    return len(reading.viewers.union(reading.content.destinations)) > 1


def digest_of(mail: Mail) -> bytes:
    """SHA-256 over envelope and content, the recipients in any order."""
    sender = mail.envelope.mail_from
    hashed = hashlib.sha256()
    for person in (sender, *sorted(set(mail.envelope.rcpt_tos))):
        hashed.update((person.person if person else "").encode("utf-8", "replace"))
        hashed.update(b"\0")
    hashed.update(mail.content)
    return hashed.digest()


def _sender_of(reading: Reading, mail: Mail, policy: Policy) -> str:
    content = reading.content
    author = content.author or content.sender or mail.envelope.mail_from
    if author is None:
        return ""
    for team, members in policy.teams.items():
        if author in members:
            return team
    return author.person


_REPLY_WORDS = (
    "re",
    "fw",
    "fwd",
    "aw",
    "wg",
    "antw",
    "antwoord",
    "betr",
    "doorst",
    "tr",
    "réf",
    "rv",
    "res",
    "enc",
    "i",
    "r",
    "rif",
    "sv",
    "vs",
    "vb",
    "vl",
    "ynt",
    "ilt",
    "odp",
    "pd",
    "ang",
    "atb",
    "πρθ",
    "απ",
    "返信",
    "转发",
    "回复",
    "答复",
    "転送",
)


_REPLY = re.compile(
    rf"(?:\s*(?:{'|'.join(map(re.escape, _REPLY_WORDS))})"
    r"\s*(?:\[\d+\]|\(\d+\))?\s*[:\uff1a])+",
    re.IGNORECASE,
)
_REMINDER = "rappel"
"""Outlook's French word for a recall, and everybody's for a reminder."""

# Scripts without blanks between words: each sign counts as a word.
_SIGNS = "\u0e00-\u0e7f\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af"
_WORD = re.compile(rf"[{_SIGNS}]|[^\W\d_{_SIGNS}]+|\d+")
_WORD_OF_ASCII = re.compile(r"[a-z]+|[0-9]+")  # what _WORD finds there, but quicker
_USUAL_LENGTH = 8
"""Characters of a word and the blank behind it, in most languages fewer."""


def subject_of(subject: str) -> str:
    """A subject as it is compared: small letters, without Re:, Fwd: and Recall:."""
    subject = _without_reply_prefix(subject[:MOST_CHARACTERS])
    recalled = recalled_subject(subject)
    if recalled is not None:
        subject = _without_reply_prefix(recalled)
    return " ".join(_folded(subject).split())


def _without_reply_prefix(subject: str) -> str:
    prefix = _REPLY.match(subject)
    return subject[prefix.end() :] if prefix else subject


def _names_a_recall(subject: str) -> bool:
    """Whether the subject has the prefix of a recall, and none of a reminder."""
    plain = _without_reply_prefix(subject[:MOST_CHARACTERS])
    is_reminder = plain.lstrip().lower().startswith(_REMINDER)
    return not is_reminder and recalled_subject(plain) is not None


def _folded(text: str) -> str:
    if not text.isascii():
        text = unicodedata.normalize("NFKC", text)
    return text.casefold()


def shingles(subject: str, text: str) -> frozenset[bytes]:
    """The pieces that similarity is counted over: words and pairs of words.

    Every number counts as the same word, so that the number of a batch makes no
    difference. Single words stand beside pairs because in a short text one changed
    name would otherwise change too many pieces.
    """
    words = _words(f"{subject_of(subject)}\n{_folded(text[:MOST_CHARACTERS])}")
    pairs = set(pairwise(words))
    # Letters and digits can always be encoded: no surrogate is one of them.
    return frozenset(map(str.encode, chain(set(words), map(" ".join, pairs))))


def _words(folded: str) -> list[str]:
    """The first words of a text in small letters, numbers as ``0``."""
    word = _WORD_OF_ASCII if folded.isascii() else _WORD
    end = _USUAL_LENGTH * MOST_WORDS
    words = word.findall(folded, 0, end)
    # The last word may be cut off where the search ended: it must not count.
    while len(words) <= MOST_WORDS and end < len(folded):
        end *= _USUAL_LENGTH
        words = word.findall(folded, 0, end)
    del words[MOST_WORDS:]
    counted = {one: "0" if one[0].isdigit() else one for one in set(words)}
    return [counted[one] for one in words]


def sketch(hashed: Iterable[int]) -> tuple[int, ...]:
    """The smallest 128 of the hashed shingles, ascending (a bottom-k sketch)."""
    # Sorting all is quicker than keeping the smallest: texts have some hundred.
    return tuple(sorted(set(hashed))[:SKETCH_SIZE])


def similarity(a: tuple[int, ...], b: tuple[int, ...]) -> float:
    """How much of two texts is the same, 0 to 1: the Jaccard index of their shingles.

    Exact where both have at most 128 shingles, an estimate above. Two empty texts
    are the same text.
    """
    union = sketch((*a, *b))
    if not union:
        return 1.0
    both = set(a) & set(b)
    return sum(1 for hashed in union if hashed in both) / len(union)
