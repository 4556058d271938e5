# SPDX-License-Identifier: Apache-2.0
"""What two mails have in common that are the same to the people concerned."""

import email.message
import email.policy

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.guard.clearing import TEXT, attached, to_all, with_parts, written
from tests.guard.worlds import POLICY, mail, people
from tests.strategies import hostile_bytes
from undisclosed.core.disclosure import read
from undisclosed.core.mail import Mail
from undisclosed.guard.bound import Bound, bound_of, file_digest, letters_of

ASKED = to_all(3)


def bound(sent: Mail) -> Bound | None:
    return bound_of(sent, read(sent, POLICY))


def built(text: str, html: str, *files: bytes, encoding: str = "base64") -> Mail:
    """The same mail as another program writes it: the standard library's."""
    message = email.message.EmailMessage(policy=email.policy.SMTP)
    message["From"] = "olive@council.example"
    message["To"] = ", ".join(one.spelled_out() for one in people(range(3)))
    message["Subject"] = "Newsletter"
    message.set_content(text, cte=encoding)
    message.add_alternative(html, subtype="html", cte=encoding)
    for content in files:
        message.add_attachment(
            content, maintype="text", subtype="csv", filename="dates.csv"
        )
    return Mail(ASKED.envelope, message.as_bytes())


@given(st.text(), st.sampled_from(["base64", "quoted-printable"]))
def test_a_text_is_the_same_in_every_encoding(text: str, encoding: str) -> None:
    clean = text.encode("utf-8", "ignore").decode()

    one, other = built(clean, "<p>x</p>"), built(clean, "<p>x</p>", encoding=encoding)

    assert bound(one) is not None
    assert bound(one) == bound(other)


@given(st.binary(max_size=200))
def test_a_file_is_the_same_however_it_is_packed(content: bytes) -> None:
    by_library = bound(built(TEXT, "<p>x</p>", content))
    by_hand = bound(with_parts(ASKED, written(), attached(content)))

    assert by_library is not None
    assert by_hand is not None
    assert by_library.files == by_hand.files == (file_digest(content),)


@pytest.mark.parametrize(
    "content",
    [b"a\r\nb\r\n", b"a\nb\n", b"a\nb", b"a\rb"],
    ids=["crlf", "lf", "no-last-line-end", "cr"],
)
def test_line_ends_make_no_other_file(content: bytes) -> None:
    assert file_digest(content) == file_digest(b"a\r\nb")


@pytest.mark.parametrize("content", [b"a\nc", b"ab", b"\na\nb", b"a\n\nb", b""])
def test_anything_else_makes_another_file(content: bytes) -> None:
    assert file_digest(content) != file_digest(b"a\r\nb")


@given(st.text())
def test_letters_are_what_stays_when_a_text_is_wrapped(text: str) -> None:
    wrapped = "\r\n> ".join(text)

    assert letters_of(wrapped) == letters_of(text)
    assert letters_of(letters_of(text)) == letters_of(text) or not text.isascii()


def test_where_a_link_leads_may_stand_in_the_text() -> None:
    """Exchange and Thunderbird write it there, each in its own way."""
    asked = bound(to_all(3, text="See our site.\r\n"))
    sent = bound(to_all(3, text="See our site<https://council.example/x?y=1>.\r\n"))

    assert asked is not None
    assert asked == sent


def test_another_letter_is_another_text() -> None:
    assert letters_of("9 to 5") != letters_of("9 to 6")


ODD = {
    "no author": ASKED.content.replace(b"From: <olive@council.example>\r\n", b""),
    "a broken header": ASKED.content.replace(b"Subject: ", b"\r \nSubject: "),
    "an unknown encoding": with_parts(
        ASKED, written(more="Content-Transfer-Encoding: rot13\r\n")
    ).content,
    "two encodings": with_parts(
        ASKED, written(more="Content-Transfer-Encoding: 7bit\r\n" * 2)
    ).content,
    "no closing delimiter": with_parts(ASKED, written()).content.replace(
        b"--edge--\r\n", b""
    ),
    "text after the last part": with_parts(ASKED, written()).content + b"x" * 300,
    "two boundaries": with_parts(ASKED, written()).content.replace(
        b'boundary="edge"', b'boundary="edge"; boundary="other"'
    ),
    "no boundary": with_parts(ASKED, written()).content.replace(
        b'; boundary="edge"', b""
    ),
    "two charsets": with_parts(
        ASKED, written().replace("utf-8", "utf-8; charset=utf-7")
    ).content,
    "parts after the last": with_parts(ASKED, written()).content
    + b"--edge\r\n\r\nx\r\n--edge--\r\n",
    "more parts than are bound": with_parts(ASKED, *[written()] * 201).content,
    "parts nested too deep": b"".join(
        [
            ASKED.content.partition(b"Subject:")[0],
            *(
                b"Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n" % (n, n)
                for n in range(12)
            ),
            b"\r\nx\r\n",
            *(b"--b%d--\r\n" % n for n in reversed(range(12))),
        ]
    ),
}


@pytest.mark.parametrize("content", ODD.values(), ids=ODD)
def test_a_mail_that_could_be_read_in_two_ways_is_bound_to_nothing(
    content: bytes,
) -> None:
    assert bound(ASKED) is not None
    assert bound(Mail(ASKED.envelope, content)) is None


@given(hostile_bytes)
def test_no_bytes_make_it_raise(content: bytes) -> None:
    sent = Mail(ASKED.envelope, b"From: olive@council.example\r\n" + content)

    found = bound(sent)

    assert found is None or found.sender == "olive@council.example"


@given(st.lists(st.binary(max_size=20), max_size=5))
def test_every_file_counts_once(files: list[bytes]) -> None:
    found = bound(with_parts(mail(people(range(3))), written(), *map(attached, files)))

    assert found is not None
    assert found.files == tuple(sorted(map(file_digest, files)))
    assert len(found.texts) == 1
