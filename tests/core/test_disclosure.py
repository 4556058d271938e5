# SPDX-License-Identifier: Apache-2.0
"""Who would newly be shown whom: properties of the graph, then tables."""

import dataclasses
import pickle
from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.core.making import POLICY, SAM, address, content, people, reading_of
from undisclosed.core.address import Address
from undisclosed.core.disclosure import Reading, read
from undisclosed.core.mail import Envelope, Mail
from undisclosed.core.organisations import organisation_of
from undisclosed.core.policy import DistributionList, Policy

DOMAINS = (
    "a.example",
    "mail.a.example",
    "b.example",
    "gmail.com",
    "student.cam.ac.uk",
    "council.example",
    "pupils.council.example",
)
SCHOOL = dataclasses.replace(POLICY, outsiders=frozenset({"pupils.council.example"}))

someone = st.builds(Address, st.sampled_from("abcdef"), st.sampled_from(DOMAINS))
everybody = st.frozensets(someone, max_size=25)


def edges(reading: Reading) -> set[tuple[Address, Address]]:
    """The graph edge by edge, as it must never be counted in earnest."""
    return {
        (viewer, shown)
        for viewer in reading.viewers
        for shown in reading.shown
        if viewer != shown
    }


def new_edges(reading: Reading, shown: Iterable[Address]) -> set[tuple[Address, ...]]:
    """The new pairs, each asked by itself whether the two know one another."""
    authors = {reading.content.author, reading.content.sender}
    sides = reading.sides

    def are_colleagues(one: Address, other: Address) -> bool:
        organisation = sides.organisation(one)
        is_known = organisation is not None and not reading.is_sensitive
        return is_known and organisation == sides.organisation(other)

    return {
        (viewer, person)
        for viewer in reading.viewers
        for person in shown
        if viewer != person
        and not are_colleagues(viewer, person)
        and sides.is_outsider(viewer)
        and sides.is_outsider(person)
        and viewer not in authors
        and person not in authors
    }


@given(everybody, everybody, everybody, everybody)
def test_counting_by_sets_counts_every_edge(
    viewers: frozenset[Address],
    to: frozenset[Address],
    text: frozenset[Address],
    forwarded: frozenset[Address],
) -> None:
    reading = reading_of(
        viewers, content(to, text=text, forwarded=forwarded), policy=SCHOOL
    )

    new = new_edges(reading, to)
    assert reading.disclosures == len(edges(reading))
    assert reading.new_disclosures_in_header == len(new)
    assert reading.new_disclosures == len(new_edges(reading, reading.shown))
    assert reading.newly_shown == {shown for _, shown in new}
    in_text = new_edges(reading, text - to)
    assert reading.newly_shown_in_body == {shown for _, shown in in_text}


@given(everybody, everybody, st.data())
def test_hiding_a_recipient_never_discloses_more(
    viewers: frozenset[Address], to: frozenset[Address], data: st.DataObject
) -> None:
    hidden = data.draw(st.frozensets(st.sampled_from(sorted(to)))) if to else to

    before = reading_of(viewers, content(to), policy=SCHOOL)
    after = reading_of(viewers, content(to - hidden), policy=SCHOOL)

    assert after.disclosures <= before.disclosures
    assert after.new_disclosures <= before.new_disclosures
    assert after.newly_shown <= before.newly_shown


@given(everybody, everybody, someone)
def test_adding_a_viewer_never_lowers_what_is_disclosed(
    viewers: frozenset[Address], to: frozenset[Address], viewer: Address
) -> None:
    before = reading_of(viewers, content(to), policy=SCHOOL)
    after = reading_of(viewers | {viewer}, content(to), policy=SCHOOL)

    assert after.disclosures >= before.disclosures
    assert after.new_disclosures >= before.new_disclosures
    assert after.newly_shown >= before.newly_shown


@given(everybody, everybody)
def test_a_sensitive_list_never_makes_less_of_a_disclosure(
    viewers: frozenset[Address], to: frozenset[Address]
) -> None:
    members = DistributionList(tuple(sorted(to)), is_sensitive=True)
    lists = {address("list@council.example"): members}
    sensitive = dataclasses.replace(SCHOOL, lists=lists)

    usual = reading_of(viewers, content(to), policy=SCHOOL)
    touched = reading_of(viewers, content(to), policy=sensitive)

    assert touched.newly_shown >= usual.newly_shown
    assert touched.new_disclosures >= usual.new_disclosures


def test_thirty_seven_people_in_to_are_1332_disclosures() -> None:
    audience = people(37)

    reading = reading_of(audience, content(audience))

    assert len(reading.viewers) == len(reading.shown) == 37
    assert reading.disclosures == reading.new_disclosures == 1332
    assert reading.newly_shown == set(audience)


def test_the_author_is_neither_shown_nor_a_viewer_who_learns_anything() -> None:
    author = address("ann at gmail.com")

    reading = reading_of([author, *people(1)], content(people(1), author=author))

    assert reading.newly_shown == frozenset()
    assert author in reading.outside_viewers


@pytest.mark.parametrize(
    ("one", "other", "is_new"),
    [
        ("ann@a.example", "bob@b.example", True),
        ("ann@a.example", "bob@a.example", False),
        ("ann@a.example", "bob@mail.a.example", False),
        ("ann at x.co.uk", "bob at y.co.uk", True),
        ("ann at gmail.com", "bob at gmail.com", True),
        ("ann at yahoo.co.uk", "bob at yahoo.co.uk", True),
        ("ann at student.cam.ac.uk", "bob at cam.ac.uk", True),
        ("ann at mit.edu", "bob at mit.edu", True),
        ("ann at uni-koeln.de", "bob at smail.uni-koeln.de", True),
        ("ann@council.example", "bob@b.example", False),
        ("ann@news.council.example", "bob@b.example", False),
        ("ann@council.example", "bob@council.example", False),
        ("ann@notcouncil.example", "bob@b.example", True),
        ("kim@pupils.council.example", "lee@pupils.council.example", True),
        ("kim@pupils.council.example", "bob@b.example", True),
        ("kim@pupils.council.example", "ann@council.example", False),
        ("ann@[192.0.2.1]", "bob@[192.0.2.2]", True),
    ],
)
def test_what_two_people_know_of_one_another(
    one: str, other: str, is_new: bool
) -> None:
    both = [address(one), address(other)]

    reading = reading_of(both, content(both), policy=SCHOOL)

    assert (reading.new_disclosures > 0) is is_new
    assert (reading.newly_shown == set(both)) is is_new


def test_a_declared_outsider_may_be_one_address() -> None:
    policy = dataclasses.replace(
        POLICY, outsiders=frozenset({"kim@council.example", "lee@council.example"})
    )
    both = [address("Kim@council.example"), address("lee@council.example")]

    reading = reading_of(both, content(both), policy=policy)

    assert reading.newly_shown == set(both)


@pytest.mark.parametrize(
    ("author", "colleague", "is_colleague"),
    [
        ("sam@council.example", "ann@council.example", True),
        ("sam@council.example", "ann@mail.council.example", True),
        ("sam@mail.council.example", "ann@council.example", False),
        ("sam at gmail.com", "ann at gmail.com", False),
        ("sam at uva.nl", "ann at uva.nl", True),
        ("sam at co.uk", "ann at x.co.uk", False),
        ("sam@localhost", "ann@localhost", False),
    ],
)
def test_without_own_domains_the_from_domain_counts(
    author: str, colleague: str, is_colleague: bool
) -> None:
    shown = content([address(colleague)], author=address(author))

    reading = reading_of(people(1), shown, policy=Policy())

    assert reading.sides.is_outsider(address(colleague)) is not is_colleague


def test_without_from_the_envelope_sender_counts() -> None:
    shown = content([address("ann@council.example")], author=None)

    with_sender = read(Mail(Envelope(SAM, ()), b""), Policy(), content=shown)
    with_nobody = read(Mail(Envelope(None, ()), b""), Policy(), content=shown)

    assert with_sender.outsiders_shown == frozenset()
    assert with_nobody.outsiders_shown == {address("ann@council.example")}


MEMBERS = people(143)
STAFF = address("staff@council.example")
EVERYONE = address("everyone@council.example")


def lists(*, is_sensitive: bool = False) -> Policy:
    """A policy with a list of 143 people, and a list that holds this list."""
    return dataclasses.replace(
        POLICY,
        lists={
            EVERYONE: DistributionList((STAFF, SAM, EVERYONE)),
            STAFF: DistributionList(tuple(MEMBERS), is_sensitive=is_sensitive),
            address("empty@council.example"): DistributionList(()),
        },
    )


@pytest.mark.parametrize("named", [STAFF, EVERYONE], ids=["list", "list-in-list"])
def test_a_distribution_list_stands_for_its_members(named: Address) -> None:
    reading = reading_of([named], content([named]), policy=lists())

    assert reading.viewers - {SAM} == set(MEMBERS)
    assert reading.newly_shown == set(MEMBERS)
    assert reading.new_disclosures == 143 * 142
    assert reading.content.in_header[MEMBERS[0]] == ("To",)


def test_a_reading_and_a_policy_can_be_handed_to_another_process() -> None:
    reading = reading_of(MEMBERS, content([STAFF]), policy=lists())

    again = pickle.loads(pickle.dumps((reading, lists())))  # noqa: S301

    assert again == (reading, lists())
    assert again[0].sides.is_outsider(MEMBERS[0])


def test_a_list_without_members_stands_for_itself() -> None:
    empty = address("empty@council.example")

    reading = reading_of([empty], content([empty]), policy=lists())

    assert reading.viewers == reading.shown == {empty}


def test_a_member_named_twice_has_both_channels() -> None:
    shown = dataclasses.replace(
        content([STAFF]), in_header={STAFF: ("To",), MEMBERS[0]: ("Cc",)}
    )

    reading = reading_of([STAFF], shown, policy=lists())

    assert reading.content.in_header[MEMBERS[0]] == ("To", "Cc")


@pytest.mark.parametrize(
    ("viewers", "shown", "is_sensitive"),
    [
        ([STAFF], [], True),
        (people(1, 500), [STAFF], True),
        (MEMBERS[:1], MEMBERS[1:2], True),
        (MEMBERS[:1], people(1, 500), False),
        ([SAM], [address("ann@council.example")], False),
        ([address("empty@council.example")], [], False),
    ],
    ids=["to the list", "named", "two members", "one", "insiders", "another list"],
)
def test_a_sensitive_list_is_touched(
    viewers: list[Address], shown: list[Address], is_sensitive: bool
) -> None:
    reading = reading_of(viewers, content(shown), policy=lists(is_sensitive=True))

    assert reading.is_sensitive is is_sensitive


def test_colleagues_on_a_sensitive_list_are_strangers() -> None:
    both = [address("ann@a.example"), address("bob@a.example")]
    policy = dataclasses.replace(
        POLICY, lists={STAFF: DistributionList(tuple(both), is_sensitive=True)}
    )

    assert reading_of(both, content(both)).newly_shown == frozenset()
    assert reading_of(both, content(both), policy=policy).newly_shown == set(both)


def test_people_whom_the_header_shows_are_not_counted_again_in_the_text() -> None:
    audience = people(3)

    reading = reading_of(
        audience, content(audience, text=audience, forwarded=people(4))
    )

    assert reading.newly_shown_in_body == frozenset()
    assert reading.newly_forwarded == reading.newly_shown_in_text == set(people(1, 3))
    assert reading.new_disclosures == 3 * 2 + 3


@pytest.mark.parametrize(
    ("domain", "organisation"),
    [
        ("a.example", "a.example"),
        ("mail.a.example", "a.example"),
        ("council.gov.uk", "council.gov.uk"),
        ("www.city.kobe.jp", "city.kobe.jp"),
        ("a.b.kobe.jp", "a.b.kobe.jp"),
        ("x.ck", "x.ck"),
        ("me.github.io", "me.github.io"),
        ("gmail.com", None),
        ("mail.yahoo.fr", None),
        ("cam.ac.uk", None),
        ("x.univ-lille.fr", None),
        ("universe.fr", "universe.fr"),
        ("", None),
        ("localhost", "localhost"),
    ],
)
def test_the_organisation_of_a_domain(domain: str, organisation: str | None) -> None:
    assert organisation_of(domain) == organisation
