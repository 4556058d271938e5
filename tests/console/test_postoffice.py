# SPDX-License-Identifier: Apache-2.0
"""The post office: list, message and bytes; nothing of a message is ever rendered."""

from tests.console.test_mailings import words
from tests.console.world import World, address, now
from undisclosed.console.postoffice.display import linked
from undisclosed.core.mail import Envelope, Mail, Recipient
from undisclosed.store import desk
from undisclosed.store.caught import PostgresCatcher
from undisclosed.store.models import Role

HTML = (
    b"From: Sam <sam@council.example>\r\n"
    b"To: Ann <ann@a.example>\r\n"
    b"Subject: =?utf-8?q?R=C3=A9union?=\r\n"
    b"X-Odd: \xff\xfe <script>alert(2)</script>\r\n"
    b"MIME-Version: 1.0\r\n"
    b"Content-Type: text/html; charset=utf-8\r\n"
    b"\r\n"
    b"<p>Dear <b>Ann</b>,</p><script>alert(1)</script>"
    b"<img src=https://tracker.example/x.gif><p>see you.</p>\r\n"
)


def caught(content: bytes = HTML, *recipients: str) -> str:
    """Catch one mail; its id."""
    to = tuple(Recipient(address(each)) for each in recipients or ("ann@a.example",))
    mail = Mail(Envelope(address("sam@council.example"), to), content)
    PostgresCatcher().keep([mail], caught_at=now())
    return desk.caught().items[0].caught_id


def test_a_message_is_shown_as_text(world: World) -> None:
    mail_id = caught()

    page = world.client(Role.AUDITOR).get(f"/post-office/{mail_id}/").content.decode()

    text = words(page.encode())
    assert "Réunion" in text
    assert "see you." in text
    assert "ann@a.example" in text
    assert "<script>alert" not in page
    assert "<b>Ann" not in page
    assert "<img" not in page


def test_the_raw_bytes_are_exactly_those_that_were_caught(world: World) -> None:
    mail_id = caught()

    answer = world.client(Role.AUDITOR).get(f"/post-office/{mail_id}/raw")

    assert answer.content == HTML
    assert answer["Content-Type"] == "text/plain; charset=utf-8"
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["Content-Disposition"].startswith("inline;")


def test_reading_a_message_is_journalled(world: World) -> None:
    mail_id = caught()
    client = world.client(Role.AUDITOR)

    client.get("/post-office/")
    client.get(f"/post-office/{mail_id}/")
    client.get(f"/post-office/{mail_id}/raw")

    assert world.events()[-2:] == ["caught mail read", "caught mail taken raw"]


def test_the_list_is_searched_by_a_recipients_whole_address(world: World) -> None:
    ann, bob = caught(HTML, "ann@a.example"), caught(HTML, "bob@b.example")
    client = world.client(Role.AUDITOR)

    def found(search: str) -> set[str]:
        page = client.get("/post-office/", {"search": search}).content.decode()
        return {each for each in (ann, bob) if each in page}

    assert found("") == {ann, bob}
    assert found("Bob@b.example") == {bob}
    assert found("bob@") == set()


def test_mail_that_is_no_mail_is_shown_all_the_same(world: World) -> None:
    client = world.client(Role.AUDITOR)

    for content in (b"", b"\x00\xff\xfe", b"no header at all", b":\r\n:\r\n\r\n"):
        mail_id = caught(content)
        assert client.get(f"/post-office/{mail_id}/").status_code == 200
        assert client.get(f"/post-office/{mail_id}/raw").content == content


def test_only_links_of_our_own_lead_anywhere(world: World) -> None:
    own = "http://127.0.0.1:8025"
    pieces = linked(f"See {own}/links/abc.d-e/ or https://other.example/.", own=own)

    assert pieces == (
        ("See ", ""),
        (f"{own}/links/abc.d-e/", "/links/abc.d-e/"),
        (" or https://other.example/.", ""),
    )


def test_an_unknown_message_is_a_clear_404(world: World) -> None:
    client = world.client(Role.AUDITOR)

    assert client.get("/post-office/nothing/").status_code == 404
    assert client.get("/post-office/nothing/raw").status_code == 404
