# SPDX-License-Identifier: Apache-2.0
"""The pages of held mailings: list, mailing, people, copies, and what is decided."""

import re

import pytest

from tests.console.world import SAM, World, address, message, now, outsiders
from undisclosed.console import wiring
from undisclosed.store import desk, pseudonyms
from undisclosed.store.models import JournalEntry, Role

FRAGMENT = {"HX-Request": "true"}


def words(html: bytes) -> str:
    """The words of a page, in one line."""
    return " ".join(re.sub(r"<[^>]+>", " ", html.decode()).split())


def test_the_case_of_2012_is_one_held_mailing(world: World) -> None:
    mailing = world.replay()
    client = world.client(Role.SUPERVISOR)

    listed = words(client.get("/mailings/").content)
    page = words(client.get(f"/mailings/{mailing}/").content)

    assert listed.count("1,136 people would see others' addresses") == 1
    assert "7 mails" in listed
    assert "118 to 197 other addresses" in page
    assert "disclosures of one person to another 186,382" in page
    assert "Send it so that nobody sees anybody" in page


def test_one_click_sends_everybody_a_private_copy(world: World) -> None:
    mailing = world.replay()
    client = world.client(Role.SUPERVISOR)

    answer = client.post(f"/mailings/{mailing}/send-singly/", follow=True)
    queued = words(answer.content)
    world.deliver()
    sent = words(client.get(f"/mailings/{mailing}/").content)

    assert "1,136 copies: 1,136 queued." in queued
    assert "Being sent singly" in queued
    assert "Nobody is shown to anybody." in queued
    assert "1,136 copies: 1,136 sent." in sent
    assert "Nobody was shown to anybody." in sent


def test_no_copy_shows_anybody_else(world: World) -> None:
    everybody = outsiders(12)
    mailing = world.hold(message(everybody))
    client = world.client(Role.SUPERVISOR)

    client.post(f"/mailings/{mailing}/send-singly/")
    world.deliver()

    copies = [row for row in desk.caught().items if row.mail_from == SAM]
    assert len(copies) == len(everybody)
    for row in copies:
        raw = client.get(f"/post-office/{row.caught_id}/raw").content.decode()
        own = row.rcpt_tos[0].spelled_out()
        assert own in raw
        assert not [other for other in everybody if other != own and other in raw]


def test_no_page_spells_an_address_out_unasked(world: World) -> None:
    everybody = outsiders(9)
    mailing = world.hold(message(everybody))
    client = world.client(Role.SUPERVISOR)
    client.post(f"/mailings/{mailing}/send-singly/")
    world.deliver()

    pages = [
        client.get(path).content.decode()
        for path in (
            "/mailings/",
            f"/mailings/{mailing}/",
            f"/mailings/{mailing}/people/",
            f"/mailings/{mailing}/copies/",
            "/post-office/",
        )
    ]

    for page in pages:
        assert not [each for each in [*everybody, SAM.spelled_out()] if each in page]


def test_asking_for_addresses_is_journalled_with_who_asked(world: World) -> None:
    everybody = outsiders(9)
    mailing = world.hold(message(everybody))
    account = world.account(Role.AUDITOR)
    client = world.client_of(account)

    page = client.post(f"/mailings/{mailing}/people/").content.decode()

    assert all(each in page for each in everybody)
    entry = JournalEntry.objects.get(event="addresses asked")
    assert pseudonyms.account_of(entry.actor) == str(account.pk)
    assert entry.facts == {"mailing": mailing, "page": 1}


def test_a_sender_reads_no_address_in_full(world: World) -> None:
    mailing = world.hold(message(outsiders(9)))
    sam = world.client(Role.SENDER, login=SAM.spelled_out())

    assert sam.get(f"/mailings/{mailing}/people/").status_code == 200
    assert sam.post(f"/mailings/{mailing}/people/").status_code == 403
    assert "addresses asked" not in world.events()


def test_the_picture_has_a_bar_and_a_row_for_each_mail(world: World) -> None:
    mailing = world.replay()
    client = world.client(Role.AUDITOR)

    page = client.get(f"/mailings/{mailing}/").content.decode()

    assert page.count('class="is-seen" x=') == 7
    assert [float(x) for x in re.findall(r'is-seen" x="([\d.]+)"', page)] == sorted(
        float(x) for x in re.findall(r'is-seen" x="([\d.]+)"', page)
    )
    table = words(page[page.index("<tbody>") : page.index("</table>")].encode())
    assert "Mail 1 119 1,017 14,042" in table
    assert "Mail 7 198 938 39,006" in table
    assert "Together 1,136 186,382" in table


def test_a_withdrawn_mail_leaves_nothing(world: World) -> None:
    mailing = world.hold(message(outsiders(9)))
    sam = world.client(Role.SENDER, login=SAM.spelled_out())

    page = words(sam.post(f"/mailings/{mailing}/withdraw/", follow=True).content)
    world.deliver()

    assert "Withdrawn by Olive" in page
    assert "Nobody received it." in page
    assert [row for row in desk.caught().items if row.mail_from == SAM] == []


def test_a_release_needs_a_reason_and_shows_it(world: World) -> None:
    mailing = world.hold(message(outsiders(9)))
    world.account(Role.SUPERVISOR, login="second@council.example", name="Second")
    client = world.client(Role.MANAGER)

    without = client.post(f"/mailings/{mailing}/release/", {"reason": "  "})
    released = client.post(
        f"/mailings/{mailing}/release/", {"reason": "A working group."}, follow=True
    )
    world.deliver()

    assert without.status_code == 400
    assert 'aria-invalid="true"' in without.content.decode()
    assert "Released unchanged by Olive" in words(released.content)
    assert "A working group." in words(released.content)
    [sent] = [row for row in desk.caught().items if row.mail_from == SAM]
    assert len(sent.rcpt_tos) == 9


@pytest.mark.parametrize("act", ["send-singly", "withdraw", "release"])
def test_what_was_decided_is_not_decided_again(world: World, act: str) -> None:
    mailing = world.hold(message(outsiders(9)))
    client = world.client(*Role, login=SAM.spelled_out())
    client.post(f"/mailings/{mailing}/send-singly/")
    world.deliver()

    answer = client.post(f"/mailings/{mailing}/{act}/", {"reason": "Again."})

    assert answer.status_code == 409
    assert "already decided" in words(answer.content)


def test_send_singly_is_not_offered_where_it_would_not_help(world: World) -> None:
    people = outsiders(40)
    body = "These people take part:\n" + "\n".join(people) + "\n"
    mailing = world.hold(message(people[:2], body=body))
    client = world.client(Role.SENDER, login=SAM.spelled_out())

    page = client.get(f"/mailings/{mailing}/").content.decode()
    answer = client.post(f"/mailings/{mailing}/send-singly/")

    view = desk.mailing(mailing)
    assert view is not None and view.batches[0].singly_refused
    assert "It cannot be sent singly" in page
    assert f'action="/mailings/{mailing}/send-singly/"' not in page
    assert answer.status_code == 409
    assert view.state.value == "held"


def test_the_list_is_searched_by_a_whole_address_and_by_state(world: World) -> None:
    one = world.hold(message(outsiders(9), subject="The first"))
    two = world.hold(message([f"p@p{n}.example" for n in range(9)], subject="Another"))
    client = world.client(Role.AUDITOR)

    def found(**query: str) -> set[str]:
        page = client.get("/mailings/", query).content.decode()
        return {mailing for mailing in (one, two) if f"/mailings/{mailing}/" in page}

    assert found() == {one, two}
    assert found(search="p@p3.example") == {two}
    assert found(search=outsiders(1)[0].upper()) == {one}
    assert found(search="nobody@nowhere.example") == set()
    assert found(state="held") == {one, two}
    assert found(state="split") == set()
    assert found(state="every") == {one, two}
    assert found(state="nonsense") == {one, two}


def test_a_search_by_htmx_gets_the_rows_alone(world: World) -> None:
    world.hold(message(outsiders(9)))
    client = world.client(Role.AUDITOR)

    fragment = client.get("/mailings/", headers=FRAGMENT).content.decode()

    assert "<html" not in fragment
    assert fragment.strip().startswith('<section id="mailings"')


def test_progress_is_asked_for_while_copies_wait_and_no_longer(world: World) -> None:
    mailing = world.hold(message(outsiders(9)))
    client = world.client(Role.SUPERVISOR)
    client.post(f"/mailings/{mailing}/send-singly/")

    moving = client.get(f"/mailings/{mailing}/progress/", headers=FRAGMENT)
    world.deliver()
    done = client.get(f"/mailings/{mailing}/progress/", headers=FRAGMENT)
    whole = client.get(f"/mailings/{mailing}/progress/")

    assert 'hx-trigger="every 2s"' in moving.content.decode()
    assert "hx-trigger" not in done.content.decode()
    assert "9 copies: 9 sent." in words(done.content)
    assert whole.status_code == 302


def test_people_and_copies_come_in_pages(world: World) -> None:
    mailing = world.replay()
    client = world.client(Role.SUPERVISOR)
    client.post(f"/mailings/{mailing}/send-singly/")

    for part in ("people", "copies"):
        first = client.get(f"/mailings/{mailing}/{part}/").content.decode()
        last = client.get(f"/mailings/{mailing}/{part}/?page=23").content.decode()
        beyond = client.get(f"/mailings/{mailing}/{part}/?page=99").content.decode()

        assert first.count("<tr>") == 51
        assert 'rel="next"' in first and 'rel="prev"' not in first
        assert last.count("<tr>") == 37
        assert 'rel="next"' not in last and 'rel="prev"' in last
        assert beyond.count("<tr>") <= 1


@pytest.mark.parametrize("page", ["", "0", "-1", "x", "1e9", "99999999999999999999"])
def test_any_page_number_is_answered(world: World, page: str) -> None:
    client = world.client(Role.AUDITOR)

    assert client.get("/mailings/", {"page": page}).status_code == 200
    assert client.get("/post-office/", {"page": page}).status_code == 200


@pytest.mark.parametrize("part", ["", "people/", "copies/", "progress/"])
def test_an_unknown_mailing_is_a_clear_404(world: World, part: str) -> None:
    client = world.client(Role.AUDITOR)

    answer = client.get(f"/mailings/nothing/{part}")

    assert answer.status_code == 404
    assert "There is no such page" in words(answer.content)


def test_a_subject_cannot_put_anything_into_a_page(world: World) -> None:
    subject = "<script>alert(1)</script><img src=x onerror=y>"
    mailing = world.hold(message(outsiders(9), subject=subject))
    client = world.client(Role.AUDITOR)

    for path in ("/mailings/", f"/mailings/{mailing}/"):
        page = client.get(path).content.decode()
        assert "<script>alert" not in page and "<img" not in page


def test_what_is_held_and_what_was_sent_are_told_apart(world: World) -> None:
    client = world.client(Role.SUPERVISOR)
    mailing = world.hold(message(outsiders(9)))
    client.post(f"/mailings/{mailing}/send-singly/")
    again = world.hold(message(outsiders(12)))

    page = words(client.get(f"/mailings/{again}/").content)

    assert again == mailing
    assert "1 of 2 mails is held." in page
    assert "each person would see 11 other addresses" in page
    assert "It is being sent singly, as Olive decided on" in page
    assert "9 copies: 9 queued." in page


def test_mail_that_had_left_before_the_limit_is_said(world: World) -> None:
    checkpoint = world.checkpoint()
    first = message(outsiders(4))
    decision = checkpoint.decide(first)
    checkpoint.settle(decision, True)
    mailing = world.hold(message(outsiders(8)[4:]))
    client = world.client(Role.AUDITOR)

    page = words(client.get(f"/mailings/{mailing}/").content)

    assert "1 earlier mail of this mailing had already left" in page
    assert "1 of 2 mails is held." in page


def test_the_list_shows_what_waits_and_the_rest_by_state(world: World) -> None:
    probe = world.hold(message(outsiders(9), subject="Probe 0123456789abcdef"))
    sam = world.client(Role.SENDER, login=SAM.spelled_out())
    sam.post(f"/mailings/{probe}/withdraw/")
    other = [f"p@p{number}.example" for number in range(9)]
    waits = world.hold(message(other, subject="Rates", body="Wholly different.\n"))
    client = world.client(Role.AUDITOR)

    def found(**query: str) -> set[str]:
        page = client.get("/mailings/", query).content.decode()
        return {each for each in (probe, waits) if f"/mailings/{each}/" in page}

    assert probe != waits
    assert found() == {waits}
    assert found(state="withdrawn") == {probe}
    assert found(state="every") == {probe, waits}
    assert found(search=outsiders(1)[0]) == set()
    assert found(search=outsiders(1)[0], state="every") == {probe}


def test_where_nothing_waits_the_way_to_the_rest_is_shown(world: World) -> None:
    client = world.client(Role.AUDITOR)

    unasked = client.get("/mailings/").content
    sought = client.get("/mailings/", {"search": "p@p1.example"}).content
    elsewhere = client.get("/mailings/", {"state": "split"}).content

    assert "No mail waits for a decision." in words(unasked)
    assert 'href="/mailings/?state=every&amp;search="' in unasked.decode()
    assert "Nothing that waits for a decision matches." in words(sought)
    assert "?state=every&amp;search=p%40p1.example" in sought.decode()
    assert "Nothing matches." in words(elsewhere)


def test_one_mail_and_several_mails_are_counted_in_words(world: World) -> None:
    one = world.hold(message(outsiders(9)))
    seven = world.replay()
    client = world.client(Role.AUDITOR)

    of_one = client.get(f"/mailings/{one}/").content.decode()
    of_seven = client.get(f"/mailings/{seven}/").content.decode()

    assert "<dt>mail</dt><dd>1</dd>" in of_one
    assert "<dt>mails, judged as one</dt><dd>7</dd>" in of_seven


def test_a_copy_is_not_promised_to_hide_colleagues(world: World) -> None:
    mail = message([*outsiders(9), "colleague@council.example"])
    mailing = world.hold(mail)
    client = world.client(Role.SUPERVISOR)

    page = words(client.get(f"/mailings/{mailing}/").content)
    client.post(f"/mailings/{mailing}/send-singly/")
    world.deliver()

    assert "shows no other recipient outside your organisation" in page
    assert "only their own address" not in page
    [row] = desk.caught(search=outsiders(1)[0]).items
    raw = client.get(f"/post-office/{row.caught_id}/raw").content.decode()
    assert "colleague@council.example" in raw
    assert outsiders(2)[1] not in raw


def test_the_sender_does_not_learn_that_memory_knows_the_people(world: World) -> None:
    everybody = outsiders(4)
    people = [address(each) for each in everybody]
    wiring.memory().hide(people, is_sensitive=False, now=now())
    mailing = world.hold(message(everybody))
    sender = world.client(Role.SENDER, login=SAM.spelled_out(), name="Sam")
    approver = world.client(Role.SUPERVISOR)

    told = words(sender.get(f"/mailings/{mailing}/").content)
    page = words(approver.get(f"/mailings/{mailing}/").content)

    assert "Rule hidden-audience" in page
    assert "hidden" not in told
    assert "Rule shown-outsiders" in told
