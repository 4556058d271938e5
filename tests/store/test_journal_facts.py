# SPDX-License-Identifier: Apache-2.0
"""What may stand in the journal is one table, which every place that writes is held to.

The source is walked: what a call, or the function around it, can write has to stand in
the table, and what stands there has to be written somewhere.
"""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import undisclosed
from tests.postgres import TestDatabase
from undisclosed.core.campaign import CampaignEvent
from undisclosed.core.held import HoldEvent
from undisclosed.store import forgetting, journal, journal_facts, pseudonyms
from undisclosed.store.database import database as stored
from undisclosed.store.journal_facts import EVENTS, Kind
from undisclosed.store.models import JournalEntry, PeopleEpoch

SOURCE = Path(undisclosed.__file__).parent
KNOWN_FACTS = {name for facts in EVENTS.values() for name in facts}
ACCOUNT = "12345678-1234-4234-8234-123456789abc"
NO_FACTS = {"actor", "at", "event", "by", "now", "connection"}
PASSED_ON = {"facts", "told", "values"}
"""What dicts of facts are called, and what wrappers hand on under a name."""


def modules() -> Iterator[tuple[str, ast.Module]]:
    for file in sorted(SOURCE.rglob("*.py")):
        text = file.read_text("utf-8")
        if "journal" in text:
            yield file.relative_to(SOURCE).as_posix(), ast.parse(text)


def is_journal(call: ast.Call) -> bool:
    """Whether a call writes to the journal, by itself or through the guard's port."""
    return ast.unparse(call.func) in (
        "journal.write",
        "journal.write_with",
        "self._journal",
    )


def calls(tree: ast.AST) -> Iterator[ast.Call]:
    return (one for one in ast.walk(tree) if isinstance(one, ast.Call))


def functions(tree: ast.Module) -> list[ast.FunctionDef | ast.AsyncFunctionDef]:
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef)
    return [one for one in ast.walk(tree) if isinstance(one, kinds)]


def writers(tree: ast.Module) -> set[str]:
    """The functions of a module that hand an event on to the journal."""
    found: set[str] = set()
    while True:
        more = {
            one.name
            for one in functions(tree)
            if any(is_journal(c) or _name(c) in found for c in calls(one))
            and {"event", "**facts", "facts"} & _parameters(one)
        }
        if more <= found:
            return found
        found |= more


def _parameters(function: ast.FunctionDef | ast.AsyncFunctionDef) -> set[str]:
    given = function.args
    names = {one.arg for one in (*given.args, *given.kwonlyargs)}
    return names | ({f"**{given.kwarg.arg}"} if given.kwarg else set())


def _name(call: ast.Call) -> str:
    match call.func:
        case ast.Name(name):
            return name
        case ast.Attribute(ast.Name("self"), name):
            return name
    return ""


def strings(tree: ast.AST, tables: dict[str, str]) -> Iterator[str]:
    """The texts that an expression may be: constants, and names of constants."""
    for one in ast.walk(tree):
        match one:
            case ast.Constant(str() as text):
                yield text
            case ast.Name(name) if name in tables:
                yield tables[name]


def outcomes(tree: ast.expr) -> ast.expr:
    """An expression without the question that chooses between two texts."""
    match tree:
        case ast.IfExp(_, one, other):
            return ast.Tuple([one, other])
    return tree


def constants(tree: ast.Module) -> dict[str, str]:
    found = {}
    for one in tree.body:
        match one:
            case ast.AnnAssign(ast.Name(name), _, ast.Constant(str() as text)):
                found[name] = text
    return found


def written() -> Iterator[tuple[str, set[str], set[str]]]:
    """Of each module, the events that it may write and the facts."""
    for path, tree in modules():
        through, tables = writers(tree), constants(tree)
        events: set[str] = set()
        facts: set[str] = set()
        for function in functions(tree):
            mine = [c for c in calls(function) if is_journal(c) or _name(c) in through]
            if not mine:
                continue
            for call in mine:
                events |= set(_events_of(call, function, tables))
                facts |= {k.arg for k in call.keywords if k.arg} - NO_FACTS
            facts |= set(_facts_in(function))
        yield path, events, facts


def _events_of(
    call: ast.Call,
    function: ast.FunctionDef | ast.AsyncFunctionDef,
    tables: dict[str, str],
) -> Iterator[str]:
    for argument in call.args[:2]:
        match argument:
            case ast.Constant() | ast.Name() | ast.IfExp():
                yield from strings(outcomes(argument), tables)
    if any(isinstance(one, ast.Name) and one.id == "event" for one in call.args[:2]):
        for one in ast.walk(function):
            match one:
                case ast.Assign([ast.Name("event")], value):
                    yield from strings(outcomes(value), tables)


def _facts_in(function: ast.FunctionDef | ast.AsyncFunctionDef) -> Iterator[str]:
    """The names in dicts of facts, however they are put together."""
    for one in ast.walk(function):
        match one:
            case (
                ast.Assign([ast.Name(name)], ast.Dict() as value)
                | ast.AnnAssign(ast.Name(name), _, ast.Dict() as value)
                | ast.AugAssign(ast.Name(name), _, ast.Dict() as value)
            ) if name in PASSED_ON:
                yield from _keys(value)
            case ast.Assign([ast.Subscript(ast.Name(name), ast.Constant(str() as k))]):
                if name in PASSED_ON:
                    yield k
            case ast.Return(ast.Dict() as value):
                yield from _keys(value)
        if isinstance(one, ast.Call) and is_journal(one):
            for argument in one.args:
                if isinstance(argument, ast.Dict):
                    yield from _keys(argument)


def _keys(value: ast.Dict) -> Iterator[str]:
    for key in value.keys:
        if isinstance(key, ast.Constant):
            yield str(key.value)


WRITTEN = list(written())


@pytest.mark.parametrize(
    ("path", "events", "facts"), WRITTEN, ids=[path for path, _, _ in WRITTEN]
)
def test_what_is_written_stands_in_the_table(
    path: str, events: set[str], facts: set[str]
) -> None:
    assert events <= EVENTS.keys()
    assert facts <= KNOWN_FACTS


def test_what_stands_in_the_table_is_written_somewhere() -> None:
    text = "\n".join(file.read_text("utf-8") for file in SOURCE.rglob("*.py"))
    table = Path(journal_facts.__file__).read_text("utf-8")
    elsewhere = text.replace(table, "")
    made = {one.value for one in HoldEvent}
    made |= {f"campaign {one.value}" for one in CampaignEvent}

    missing = [
        event for event in EVENTS if event not in made and f'"{event}"' not in elsewhere
    ]

    assert missing == []
    assert made <= EVENTS.keys()


def test_the_walk_finds_what_it_looks_for() -> None:
    found = {path: (events, facts) for path, events, facts in WRITTEN}

    assert "list exported" in found["console/lists/reading.py"][0]
    assert {"first", "last", "why"} <= found["console/lists/reading.py"][1]
    assert "observed" in found["guard/checkpoint.py"][0]
    assert "reason" in found["console/api/views.py"][1]
    assert sum(len(events) for events, _ in found.values()) > 60


def entry(event: str) -> JournalEntry:
    return JournalEntry.objects.get(event=event)


def test_peoples_own_words_cannot_be_read_in_an_entry_and_can_be_opened(
    database: TestDatabase,
) -> None:
    journal.write("bypass started", actor="command line", reason="Ann Ash asked")

    said = entry("bypass started").facts["reason"]
    assert "Ann" not in said
    assert pseudonyms.words_of(said) == "Ann Ash asked"


def test_words_go_with_the_key_of_their_epoch(database: TestDatabase) -> None:
    journal.write("bypass started", actor="command line", reason="Ann Ash asked")
    said = entry("bypass started").facts["reason"]
    epoch = PeopleEpoch.objects.get()

    forgetting.forget(epoch.number, by="test", now=epoch.ends_at)

    assert pseudonyms.words_of(said) == ""
    assert entry("bypass started").facts["reason"] == said


def test_a_sentence_of_the_program_is_readable_and_a_persons_is_not(
    database: TestDatabase,
) -> None:
    journal.write("campaign pause", actor="returns", because="2 of 5 complained.")
    journal.write("campaign pause", actor=ACCOUNT, because="Ann Ash is on it")

    program, person = JournalEntry.objects.order_by("id")
    assert program.facts["because"] == "2 of 5 complained."
    assert "Ann" not in person.facts["because"]
    assert person.actor.startswith("person:")


def test_a_team_is_no_person_and_a_person_in_any_other_fact_is_one(
    database: TestDatabase,
) -> None:
    journal.write("team member set", team=ACCOUNT, account=ACCOUNT)
    journal.write("row shown", row=1, team=ACCOUNT, list=ACCOUNT)

    team = entry("team member set").facts
    other = entry("row shown").facts
    assert team["team"] == ACCOUNT
    assert team["account"].startswith("person:")
    assert other["team"].startswith("person:"), "the table names no team there"
    assert other["list"].startswith("person:")


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text() | st.just(ACCOUNT),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner),
    max_leaves=6,
)
EVENT_AND_FACT = st.sampled_from(
    sorted((event, name) for event, facts in EVENTS.items() for name in facts)
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(event_and_fact=EVENT_AND_FACT, value=ANYTHING | st.emails())
def test_whatever_is_written_no_address_and_no_account_is_left(
    database: TestDatabase, event_and_fact: tuple[str, str], value: object
) -> None:
    event, name = event_and_fact
    kind = journal_facts.kind_of(event, name)
    with stored() as connection:
        facts = {name: value}
        journal.write_with(connection, event, facts, actor=ACCOUNT)
        row = connection.one(
            "SELECT actor, facts::text FROM store_journalentry ORDER BY id DESC LIMIT 1"
        )

    assert row is not None
    assert "@" not in row[1]
    assert ACCOUNT not in row[0]
    assert kind is Kind.TEAM or ACCOUNT not in row[1]
