# SPDX-License-Identifier: Apache-2.0
"""The policy: what may stand in it, and how it is refused."""

from datetime import timedelta

import pytest

from tests.core.making import address
from undisclosed.core.policy import Policy, PolicyError, policy_from
from undisclosed.core.verdict import Action
from undisclosed.formats.configuration import parse_toml


def policy(text: str) -> Policy:
    """The policy of a file with this text."""
    return policy_from(parse_toml(text).table("policy"))


def test_no_policy_is_the_default_policy() -> None:
    assert policy("") == Policy()


def test_every_setting_is_read() -> None:
    found = policy(
        """
        [policy]
        own_domains = ["Council.Example", "köln.example"]
        outsiders = ["pupils.council.example", "Kim@council.example"]
        max_shown_outsiders = 0
        max_shown_outsiders_sensitive = 1
        max_addresses_in_text = 2
        max_shown = 3
        mailing_window_days = 0.5
        [policy.teams]
        housing = ["ann@council.example", "Bob <bob@council.example>"]
        [policy.actions]
        recall = "hold"
        unreadable = "accept"
        [[policy.lists]]
        address = "all@council.example"
        members = ["cem@c.example"]
        sensitive = true
        [[policy.lists]]
        address = "staff@council.example"
        """
    )

    assert found.own_domains == {"council.example", "xn--kln-sna.example"}
    assert found.outsiders == {"pupils.council.example", "kim@council.example"}
    assert found.max_shown_outsiders == 0
    assert found.max_shown_outsiders_sensitive == 1
    assert found.max_addresses_in_text == 2
    assert found.max_shown == 3
    assert found.mailing_window == timedelta(hours=12)
    assert found.teams["housing"] == {
        address("ann@council.example"),
        address("bob@council.example"),
    }
    assert found.lists[address("all@council.example")].is_sensitive
    assert found.lists[address("all@council.example")].members == (
        address("cem@c.example"),
    )
    assert found.lists[address("staff@council.example")].members == ()
    assert found.action("recall", Action.REJECT) is Action.HOLD
    assert found.action("unreadable", Action.HOLD) is Action.ACCEPT
    assert found.action("shown-outsiders", Action.HOLD) is Action.HOLD


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        (
            "max_show_outsiders = 3",
            2,
            'There is no setting "policy.max_show_outsiders". Did you mean '
            '"max_shown_outsiders"?',
        ),
        (
            'own_domains = ["a.example",\n"gmail.com"]',
            3,
            '"policy.own_domains" must not hold a mail provider (gmail.com): its '
            "users are strangers.",
        ),
        (
            'own_domains = ["co.uk"]',
            2,
            '"policy.own_domains" must not hold a public suffix (co.uk): it has many '
            "owners.",
        ),
        (
            'own_domains = ["ann@a.example"]',
            2,
            '"policy.own_domains" must be domains, as in ["council.example"].',
        ),
        (
            'outsiders = ["kim@", "x"]',
            2,
            '"policy.outsiders" must be addresses or domains, as in '
            '["pupils.school.example"].',
        ),
        ("max_shown = 0", 2, '"policy.max_shown" must be a whole number, 1 or more.'),
        (
            "mailing_window_days = 400",
            2,
            '"policy.mailing_window_days" must be at most 366 days.',
        ),
        (
            "[policy.teams]\nhousing = ['ann@a.example', 'bob']",
            3,
            '"policy.teams.housing" must be a list of addresses.',
        ),
        ("[policy.keys]\nbob = ['01']", 3, '"policy.keys.bob" must be one address.'),
        (
            "[policy.keys]\n'a@a.example' = ['a key']",
            3,
            '"policy.keys.a…@a.example" must be key ids, serial numbers or key '
            "identifiers in hexadecimal digits.",
        ),
        (
            "[policy.keys]\n'a@a.example' = ['01']\n'b@b.example' = ['0x01']",
            4,
            '"policy.keys.b…@b.example" has a key of another.',
        ),
        (
            "[policy.actions]\nrecal = 'hold'",
            3,
            'There is no setting "policy.actions.recal". Did you mean "recall"?',
        ),
        (
            "[policy.actions]\n\nrecall = 'holt'",
            4,
            '"policy.actions.recall" must be one of "accept", "split", "hold", '
            '"reject".',
        ),
        (
            "[[policy.lists]]\nadress = 'x'",
            3,
            'There is no setting "policy.lists.adress". Did you mean "address"?',
        ),
        ("[[policy.lists]]", 2, '"policy.lists.address" must be one address.'),
        (
            "[[policy.lists]]\naddress = 'a@a.example'\n"
            "[[policy.lists]]\naddress = 'A@a.example'",
            5,
            '"policy.lists.address" stands here a second time.',
        ),
        (
            "[[policy.lists]]\naddress = 'a@a.example'\nsensitive = 1",
            4,
            '"policy.lists.sensitive" must be true or false.',
        ),
    ],
)
def test_what_cannot_be_used_is_refused_with_its_line(
    text: str, line: int, message: str
) -> None:
    with pytest.raises(PolicyError) as caught:
        policy(f"[policy]\n{text}")

    assert caught.value.message == message
    assert caught.value.line == line
    assert caught.value.key.startswith("policy.")


def test_a_university_may_own_its_domain() -> None:
    assert policy('[policy]\nown_domains = ["uva.nl"]').own_domains == {"uva.nl"}
