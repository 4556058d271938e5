# SPDX-License-Identifier: Apache-2.0
"""When two mails are batches of one mailing."""

import dataclasses
import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.core.making import POLICY, SAM, address, envelope, message, people
from undisclosed.core.address import Address
from undisclosed.core.disclosure import read
from undisclosed.core.mail import Mail, Recipient
from undisclosed.core.mailing import (
    SIMILARITY,
    SKETCH_SIZE,
    Wave,
    digest_of,
    shingles,
    similarity,
    sketch,
    subject_of,
    wave_of,
)
from undisclosed.core.policy import Policy

SURVEY = (
    "Dear resident, last year you told us that you were the victim of a crime in the "
    "borough. We would like to hear how we did. Please take ten minutes to answer the "
    "questions on our website; your answers are confidential. Reply to this mail if "
    "you would rather talk to one of us. Kind regards, Sam Carter, Survey Team"
)
BINS = (
    "Dear resident, the bins in your street are emptied on another day from Monday "
    "on because of the works on the bridge. Put them out before seven in the morning. "
    "The new calendar is on our website, and the depot can post you a copy. Reply to "
    "this mail if your bin was missed. Kind regards, Sam Carter, Waste Team"
)
words = st.lists(st.sampled_from(SURVEY.split() + BINS.split()), max_size=60)


def sketched(subject: str, text: str) -> tuple[int, ...]:
    """The sketch of a mail as a store makes it."""
    return sketch(
        int.from_bytes(hashlib.sha256(piece).digest()[:8])
        for piece in shingles(subject, text)
    )


def alike(one: tuple[str, str], other: tuple[str, str]) -> float:
    """The similarity of two mails, each a subject and a text."""
    return similarity(sketched(*one), sketched(*other))


@pytest.mark.parametrize(
    "other",
    [
        ("Survey (batch 2 of 7)", SURVEY),
        ("Re: Survey (batch 1 of 7)", SURVEY),
        ("FW: SURVEY (BATCH 17 OF 70)", SURVEY.upper()),
        ("Survey (batch 1 of 7)", SURVEY.replace("Sam Carter", "Ann Smith")),
        ("Survey (batch 1 of 7)", SURVEY.replace(" ", "\r\n")),
        ("Survey (batch 1 of 7)", SURVEY + "\r\nSent from my phone"),
        ("Recall: Survey (batch 1 of 7)", SURVEY),
    ],
    ids=["number", "reply", "case", "name", "folding", "footer", "recall"],
)
def test_the_same_text_with_a_small_change_is_one_mailing(
    other: tuple[str, str],
) -> None:
    assert alike(("Survey (batch 1 of 7)", SURVEY), other) >= SIMILARITY


def test_two_texts_of_one_sender_are_two_mailings() -> None:
    assert alike(("News", SURVEY), ("News", BINS)) < 0.5


def test_a_long_footer_does_not_make_two_texts_one() -> None:
    footer = " ".join(f"notice{n} of confidentiality" for n in range(60))

    assert alike(("News", SURVEY + footer), ("News", BINS + footer)) < SIMILARITY


@pytest.mark.parametrize(
    ("one", "other", "is_one"),
    [
        (("", ""), ("", ""), True),
        (("Minutes", ""), ("Minutes", ""), True),
        (("Minutes 3", ""), ("Re: minutes 12", ""), True),
        (("Minutes", ""), ("Invoice", ""), False),
        (("", ""), ("Minutes", "see attached"), False),
        (("Minutes", "See attached."), ("Minutes", "see attached"), True),
        (("Minutes", "See attached."), ("Invoice", "Please pay."), False),
        (("お知らせ", "会議は月曜日です"), ("お知らせ", "会議は月曜日です"), True),
        (("お知らせ", "会議は月曜日です"), ("請求書", "お支払いください"), False),
    ],
)
def test_short_texts(
    one: tuple[str, str], other: tuple[str, str], is_one: bool
) -> None:
    assert (alike(one, other) >= SIMILARITY) is is_one


def test_one_changed_sign_in_a_script_without_blanks_is_little() -> None:
    text = "市役所からのお知らせです。来週の月曜日に道路工事を行います。"

    assert alike(("通知", text), ("通知", text.replace("月", "火"))) >= SIMILARITY


@given(words, words)
def test_similarity_is_symmetric_and_between_nothing_and_one(
    one: list[str], other: list[str]
) -> None:
    a, b = sketched("", " ".join(one)), sketched("", " ".join(other))

    assert 0 <= similarity(a, b) == similarity(b, a) <= 1
    assert similarity(a, a) == 1


@given(words, words)
def test_the_similarity_of_short_texts_is_their_jaccard_index(
    one: list[str], other: list[str]
) -> None:
    a, b = shingles("", " ".join(one)), shingles("", " ".join(other))
    hashed = {piece: number for number, piece in enumerate(a | b)}

    found = similarity(sketch(hashed[p] for p in a), sketch(hashed[p] for p in b))

    if len(a | b) <= SKETCH_SIZE:
        assert found == (len(a & b) / len(a | b) if a | b else 1.0)


@given(st.sets(st.integers(0, 2**64 - 1), max_size=400))
def test_a_sketch_keeps_the_smallest_hashes(hashed: set[int]) -> None:
    assert sketch(hashed) == tuple(sorted(hashed))[:SKETCH_SIZE]


@given(st.text(), st.text())
def test_any_text_has_shingles(subject: str, text: str) -> None:
    assert isinstance(shingles(subject, text), frozenset)


@given(st.text(st.characters(max_codepoint=127)))
def test_a_text_has_the_same_shingles_beside_a_sign_that_is_no_word(text: str) -> None:
    assert shingles("", text) == shingles("", f"{text} \N{SNOWMAN}")


@pytest.mark.parametrize("length", [3, 8, 40, 60])
def test_the_first_words_count_however_long_they_are(length: int) -> None:
    letters = str.maketrans("0123456789", "abcdefghij")
    words = [f"{n:0{length}}".translate(letters) for n in range(999)]
    words += ["middle", *(f"{n:0{length}}z".translate(letters) for n in range(999))]

    found = shingles("", " ".join(words))

    assert {one for one in found if b" " not in one} == {
        word.encode() for word in words[:1024]
    }


def test_a_long_text_has_a_bounded_number_of_shingles() -> None:
    words = (f"{chr(97 + n % 26) * (n % 50)}{chr(97 + n % 23)}" for n in range(50_000))
    text = " ".join(words)

    assert len(shingles("s" * 100_000, text)) <= 2 * 1024


@pytest.mark.parametrize(
    ("subject", "compared"),
    [
        ("News", "news"),
        ("  Re: Fwd:  NEWS ", "news"),
        ("AW: WG: Antw: News", "news"),
        ("Re[2]: News", "news"),
        ("Recall: News", "news"),
        ("Rückruf: Re: News", "news"),
        ("返信: お知らせ", "お知らせ"),
        ("Recall of the blue toaster", "recall of the blue toaster"),
        ("Regarding: bins", "regarding: bins"),
        ("", ""),
    ],
)
def test_subjects_are_compared_without_their_prefixes(
    subject: str, compared: str
) -> None:
    assert subject_of(subject) == compared


def wave(
    viewers: list[Address], to: list[Address], policy: Policy = POLICY, **kwargs: str
) -> Wave | None:
    """The wave of a real message."""
    mail = Mail(envelope(viewers), message(to=to, **kwargs))  # type: ignore[arg-type]
    return wave_of(read(mail, policy), mail, policy)


@pytest.mark.parametrize(
    ("viewers", "to", "is_kept", "adds_up"),
    [
        (people(1), people(1), False, False),
        (people(2), people(1), False, False),
        (people(2), people(2), True, False),
        (people(3), people(3), True, True),
        (people(1), people(9), True, True),
        (people(9), [], True, False),
        (people(1), [], False, False),
        ([SAM], people(9), False, False),
    ],
    ids=[
        "one",
        "one shown",
        "two",
        "three",
        "one of nine",
        "hidden",
        "one hidden",
        "an insider",
    ],
)
def test_only_mail_that_shows_people_is_kept(
    viewers: list[Address], to: list[Address], is_kept: bool, adds_up: bool
) -> None:
    found = wave(viewers, to)

    assert (found is not None) is is_kept
    assert (found is not None and found.adds_up) is adds_up


def test_a_wave_says_what_memory_has_to_keep() -> None:
    audience = people(4)

    found = wave([*audience[:3], SAM], audience, subject="Re: Bins", text="Out!\r\n")

    assert found is not None
    assert found.sender == SAM.person
    assert found.people == found.audience == set(audience)
    assert found.disclosures == 9
    assert found.subject == "bins"
    assert found.recalls is None
    assert b"bins out" in found.shingles


def test_a_team_adds_up_together() -> None:
    teams = {"bins": frozenset(people(1)), "housing": frozenset({SAM})}
    policy = dataclasses.replace(POLICY, teams=teams)

    found = wave(people(3), people(3), policy)

    assert found is not None
    assert found.sender == "housing"


def test_mail_of_nobody_adds_up_under_no_name() -> None:
    content = message(to=people(3)).partition(b"\r\n")[2]
    mail = Mail(envelope(people(3), None), content)

    found = wave_of(read(mail, POLICY), mail, POLICY)

    assert found is not None
    assert found.sender == ""


@pytest.mark.parametrize(
    ("subject", "recalls"),
    [
        ("Recall: News", "news"),
        ("Re: Recall: News", "news"),
        ("Intrekken: Nieuws", "nieuws"),
        ("Rückruf: Neuigkeiten", "neuigkeiten"),
        ("撤回: お知らせ", "お知らせ"),
        ("Recall of toasters", None),
        ("Rappel : réunion", None),
    ],
)
def test_a_recall_names_the_subject_that_it_takes_back(
    subject: str, recalls: str | None
) -> None:
    found = wave(people(2), people(2), subject=subject)

    assert found is not None
    assert found.recalls == recalls


def test_a_recall_is_kept_even_if_it_shows_nobody() -> None:
    found = wave(people(2), [], subject="Recall: News")

    assert found is not None
    assert found.audience == set(people(2))


def test_a_recall_among_insiders_is_not_kept() -> None:
    assert wave([SAM], [], subject="Recall: News") is None


def test_a_known_digest_is_not_counted_again() -> None:
    mail = Mail(envelope(people(2)), message(to=people(2)))

    found = wave_of(read(mail, POLICY), mail, POLICY, digest=b"known")

    assert found is not None
    assert found.digest == b"known"


@given(st.permutations(people(5)))
def test_a_retry_has_the_same_digest_in_any_order(order: list[Address]) -> None:
    first = Mail(envelope(people(5)), b"content")

    assert digest_of(Mail(envelope(order), b"content")) == digest_of(first)


def test_another_recipient_sender_or_byte_has_another_digest() -> None:
    mail = Mail(envelope(people(2)), b"content")
    others = [
        Mail(envelope(people(3)), b"content"),
        Mail(envelope(people(2), None), b"content"),
        Mail(envelope(people(2)), b"contents"),
        Mail(envelope([address("p@x.example")]), b"content"),
    ]

    digests = {digest_of(one) for one in [mail, *others]}

    assert len(digests) == 5


def test_parameters_do_not_make_another_mail() -> None:
    mail = Mail(envelope(people(1)), b"content")
    recipient = Recipient(people(1)[0], ("NOTIFY=NEVER",))
    again = dataclasses.replace(
        mail, envelope=dataclasses.replace(mail.envelope, recipients=(recipient,))
    )

    assert digest_of(again) == digest_of(mail)
