# SPDX-License-Identifier: Apache-2.0
"""Authentication-Results (RFC 8601): as servers write it, and as attackers would."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from undisclosed.formats.authentication_results import parse_authentication_results

CASES = {
    "RFC 8601, appendix B.3": (
        "example.com; spf=pass smtp.mailfrom=example.net",
        "example.com",
        [("spf", "pass", {"smtp.mailfrom": "example.net"})],
    ),
    "several, folded": (
        " mx.council.example;\r\n\tdkim=pass (good) header.d=a.example"
        " header.i=@a.example"
        ";\r\n dmarc=fail (p=none) header.from=a.example",
        "mx.council.example",
        [
            ("dkim", "pass", {"header.d": "a.example", "header.i": "@a.example"}),
            ("dmarc", "fail", {"header.from": "a.example"}),
        ],
    ),
    "none": ("example.org 1; none", "example.org", []),
    "a version of the method": (
        "mx.example; dkim/1 = pass header.d = a.example",
        "mx.example",
        [("dkim", "pass", {"header.d": "a.example"})],
    ),
    "a name in quotes": ('"mx.example"; spf=none', "mx.example", [("spf", "none", {})]),
    "a semicolon in quotes": (
        'mx.example; spf=pass reason="a; dmarc=pass" smtp.mailfrom=b.example',
        "mx.example",
        [("spf", "pass", {"smtp.mailfrom": "b.example"})],
    ),
    "a result in a comment": (
        "mx.example (; dmarc=pass); dkim=fail (x (y) \\) dkim=pass)",
        "mx.example",
        [("dkim", "fail", {})],
    ),
    "no name, as Exchange Online writes": (
        "spf=pass (sender IP is 192.0.2.1) smtp.mailfrom=a.example;dmarc=pass"
        " action=none header.from=a.example",
        "",
        [
            ("spf", "pass", {"smtp.mailfrom": "a.example"}),
            ("dmarc", "pass", {"header.from": "a.example"}),
        ],
    ),
    "empty": ("", "", []),
    "nothing but signs": (";;==..;", "", []),
}


@pytest.mark.parametrize(("text", "name", "results"), CASES.values(), ids=CASES.keys())
def test_a_field_is_read(text, name, results):
    found = parse_authentication_results(text)

    assert found.authserv_id == name
    assert [
        (one.method, one.result, dict(one.properties)) for one in found.results
    ] == results


@given(st.text(alphabet='ab.=;()"\\ \t\r\n/@1', max_size=80) | st.text())
def test_it_never_raises(text):
    found = parse_authentication_results(text)

    assert found.authserv_id == found.authserv_id.lower()


@given(st.integers(1, 400))
def test_what_is_deeply_nested_ends(depth):
    text = "mx.example; dkim=pass " + "(" * depth + "dmarc=pass" + ")" * depth

    found = parse_authentication_results(text)

    assert [one.method for one in found.results] == ["dkim"]
