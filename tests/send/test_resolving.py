# SPDX-License-Identifier: Apache-2.0
"""The resolver, against a name server that this test is."""

import socket
import threading

import dns.message
import dns.rcode
import dns.rrset
import pytest

from undisclosed.send.checks.view import ResolverAway
from undisclosed.send.resolving import DnsResolver

ZONE = {
    ("council.example.", "TXT"): ['"v=spf1 " "mx -all"', '"other"'],
    ("council.example.", "MX"): ["10 mx.council.example."],
    ("null.example.", "MX"): ["0 ."],
    ("council.example.", "A"): ["192.0.2.1"],
    ("council.example.", "AAAA"): ["2001:db8::1"],
}


def answer(query):
    """The answer to one question."""
    question = query.question[0]
    name, kind = question.name.to_text(), dns.rdatatype.to_text(question.rdtype)
    reply = dns.message.make_response(query)
    if name == "broken.example.":
        reply.set_rcode(dns.rcode.SERVFAIL)
    elif (name, kind) in ZONE:
        reply.answer.append(
            dns.rrset.from_text(name, 60, "IN", kind, *ZONE[name, kind])
        )
    elif not any(name == known for known, _ in ZONE):
        reply.set_rcode(dns.rcode.NXDOMAIN)
    return reply


@pytest.fixture(scope="module")
def resolver():
    """A resolver that asks a server on loopback."""
    server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    server.bind(("127.0.0.1", 0))

    def serve():
        while True:
            data, peer = server.recvfrom(4096)
            if data == b"end":
                return
            server.sendto(answer(dns.message.from_wire(data)).to_wire(), peer)

    thread = threading.Thread(target=serve)
    thread.start()
    host, port = server.getsockname()
    yield DnsResolver([host], port)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as end:
        end.sendto(b"end", (host, port))
    thread.join()
    server.close()


def test_the_strings_of_a_text_record_are_joined(resolver):
    assert set(resolver.texts("council.example")) == {"v=spf1 mx -all", "other"}


def test_exchanges_are_named_and_a_null_one_is_a_dot(resolver):
    assert resolver.exchanges("council.example") == ("mx.council.example.",)
    assert resolver.exchanges("null.example") == (".",)


def test_addresses_are_of_both_kinds(resolver):
    assert set(resolver.addresses("council.example")) == {"192.0.2.1", "2001:db8::1"}


@pytest.mark.parametrize(
    "name", ["nobody.example", "null.example", "a..example", "x" * 64 + ".example"]
)
def test_what_is_not_there_is_an_empty_answer(resolver, name):
    assert resolver.texts(name) == ()


def test_a_server_that_fails_says_nothing_about_the_domain(resolver):
    with pytest.raises(ResolverAway):
        resolver.texts("broken.example")


def test_a_server_that_is_not_there_says_nothing(monkeypatch):
    monkeypatch.setattr("undisclosed.send.resolving.PATIENCE", 0.2)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        silent.bind(("127.0.0.1", 0))
        host, port = silent.getsockname()
        with pytest.raises(ResolverAway):
            DnsResolver([host], port).texts("council.example")
