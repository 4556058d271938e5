# SPDX-License-Identifier: Apache-2.0
"""Settings are read with the line of every key, and refused with it."""

import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from undisclosed.formats.configuration import ConfigurationError, Table, parse_toml
from undisclosed.formats.configuration_lines import Path, lines_of

DOCUMENT = '''# A comment with [brackets] and key = "value".
name = "one"
"quoted key".'literal key'."\\u0041bc" = 1

[policy]   # a table
own_domains = [
  "a.example", # ] "
  "b.example",
]
text = """
[not.a.table]
x = 1 \\""" """
other = \'\'\'
it's = 'quoted'\'\'\'
at = 2026-01-05 09:00:00
[policy.actions]
recall = "hold"

[[policy.lists]]
address = "x"
members = [ { a = 1, b.c = [1, [2]] },
  { d = {} } ]
[[policy.lists]]
[policy.lists.sub]
z = -1.5e6
[[policy.lists.deep]]
y = true
[[policy.lists.deep]]
y = false
[ a . b ]
c=1
'''


@pytest.mark.parametrize(
    ("path", "line"),
    [
        (("name",), 2),
        (("quoted key", "literal key", "Abc"), 3),
        (("policy",), 5),
        (("policy", "own_domains"), 6),
        (("policy", "own_domains", 0), 7),
        (("policy", "own_domains", 1), 8),
        (("policy", "text"), 10),
        (("policy", "other"), 13),
        (("policy", "at"), 15),
        (("policy", "actions", "recall"), 17),
        (("policy", "lists"), 19),
        (("policy", "lists", 0), 19),
        (("policy", "lists", 0, "members", 0, "b", "c", 1, 0), 21),
        (("policy", "lists", 0, "members", 1, "d"), 22),
        (("policy", "lists", 1), 23),
        (("policy", "lists", 1, "sub", "z"), 25),
        (("policy", "lists", 1, "deep", 1, "y"), 29),
        (("a", "b", "c"), 31),
    ],
    ids=str,
)
def test_every_key_has_its_line(path: Path, line: int) -> None:
    assert lines_of(DOCUMENT)[path] == line
    assert parse_toml(DOCUMENT).line_of(*path) == line


def paths(value: object, path: Path = ()) -> set[Path]:
    """The path of everything that a document holds."""
    below = {path} - {()}
    if isinstance(value, dict):
        for key, one in value.items():
            below |= paths(one, (*path, key))
    elif isinstance(value, list):
        for index, one in enumerate(value):
            below |= paths(one, (*path, index))
    return below


keys = st.text(st.characters(codec="utf-8", exclude_categories=["Cc"]), max_size=6)
values = st.recursive(
    st.integers(-9, 9) | st.booleans() | keys,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=3)
    ),
    max_leaves=8,
)
gaps = st.sampled_from(["", " ", "\n", "# ] } \" '\n", " \n\n "])


def quoted(text: str) -> str:
    """A TOML basic string."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def written(value: object, gap: str) -> str:
    """A value in TOML, with a gap wherever one may stand."""
    match value:
        case bool():
            return str(value).lower()
        case int():
            return str(value)
        case str():
            return quoted(value)
        case list():
            return (
                "["
                + gap
                + "".join(written(v, gap) + gap + "," + gap for v in value)
                + "]"
            )
        case dict():
            pairs = (f"{quoted(k)} = {written(v, gap)}" for k, v in value.items())
            return "{" + ", ".join(pairs) + "}"
    raise AssertionError


@given(st.dictionaries(keys, values, max_size=4), gaps)
def test_whatever_is_read_has_a_line(document: dict[str, object], gap: str) -> None:
    text = "\n".join(f"{quoted(k)} = {written(v, gap)}" for k, v in document.items())
    try:
        read = tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return  # a gap of several lines inside an inline table

    lines = lines_of(text)

    assert paths(read) == lines.keys()
    assert all(1 <= line <= text.count("\n") + 1 for line in lines.values())


@given(st.text(alphabet=list("[]{}=.,\"'#\n ab1\\"), max_size=40))
def test_any_text_is_read_or_refused_with_a_line(text: str) -> None:
    try:
        table = parse_toml(text)
    except ConfigurationError as error:
        assert 1 <= error.line <= text.count("\n") + 1
        assert error.message.endswith(".")
    else:
        assert paths(table.values) <= table.lines.keys()


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("a = 1\nb = \n", 2),
        ("a = 1\na = 2", 2),
        ("\n\n[x", 3),
        ('a = """\n\n', 1),
        ("a = 1\r\nb", 2),
        ("a = " + "[" * 3000, 1),
    ],
)
def test_what_is_no_toml_is_refused_with_its_line(text: str, line: int) -> None:
    with pytest.raises(ConfigurationError) as caught:
        parse_toml(text)

    assert caught.value.line == line


def test_no_error_repeats_what_the_file_says() -> None:
    with pytest.raises(ConfigurationError) as caught:
        parse_toml('x = "ann@a.example" "bob@b.example"')
    with pytest.raises(ConfigurationError) as unknown:
        parse_toml('"ann@a.example" = 1').refuse_unknown(())

    assert "ann@" not in str(caught.value)
    assert "ann@" not in str(unknown.value) + unknown.value.key


def test_an_unknown_key_is_refused_with_its_line_and_the_nearest_name() -> None:
    table = parse_toml("[guard]\n\nlissen = 1\n").table("guard")

    with pytest.raises(ConfigurationError) as caught:
        table.refuse_unknown(("listen", "next_hop"))

    assert caught.value.line == 3
    assert caught.value.key == "guard.lissen"
    assert caught.value.message == (
        'There is no setting "guard.lissen". Did you mean "listen"?'
    )


def test_a_name_like_no_other_is_refused_without_a_guess() -> None:
    with pytest.raises(ConfigurationError) as caught:
        parse_toml("zzz = 1").refuse_unknown(("listen",))

    assert caught.value.message == 'There is no setting "zzz".'


VALUES: Table = parse_toml(
    'text = "x"\ntexts = ["a", "b"]\nnumber = 7\nfraction = 1.5\nflag = true\n'
    "mixed = [1]\n[table]\nkey = 1\n[[tables]]\na = 1\n[[tables]]\na = 2\n"
)


def test_values_are_read_as_what_they_are() -> None:
    assert VALUES.text("text") == "x"
    assert VALUES.texts("texts") == ("a", "b")
    assert VALUES.integer("number", 0, maximum=7) == 7
    assert VALUES.number("fraction", 0) == 1.5
    assert VALUES.number("number", 0) == 7.0
    assert VALUES.boolean("flag", False) is True
    assert VALUES.table("table").integer("key", 0) == 1
    assert [one.integer("a", 0) for one in VALUES.tables("tables")] == [1, 2]


def test_missing_values_have_their_defaults() -> None:
    assert VALUES.text("no", "default") == "default"
    assert VALUES.texts("no", ("a",)) == ("a",)
    assert VALUES.integer("no", 3) == 3
    assert VALUES.number("no", 0.5) == 0.5
    assert VALUES.boolean("no", True) is True
    assert VALUES.table("no").values == {}
    assert VALUES.tables("no") == ()
    assert VALUES.table("no").line_of("deeper") == 1


@pytest.mark.parametrize(
    ("read", "message"),
    [
        (lambda: VALUES.text("number"), '"number" must be a text in quotes.'),
        (lambda: VALUES.texts("text"), '"text" must be a list of texts in quotes.'),
        (lambda: VALUES.texts("mixed"), '"mixed" must be a list of texts in quotes.'),
        (
            lambda: VALUES.integer("flag", 0),
            '"flag" must be a whole number, 0 or more.',
        ),
        (
            lambda: VALUES.integer("number", 0, minimum=8),
            '"number" must be a whole number, 8 or more.',
        ),
        (
            lambda: VALUES.integer("number", 0, maximum=6),
            '"number" must be a whole number, 0 to 6.',
        ),
        (lambda: VALUES.number("text", 0), '"text" must be a number, 0 or more.'),
        (
            lambda: VALUES.number("fraction", 0, minimum=2),
            '"fraction" must be a number, 2 or more.',
        ),
        (lambda: VALUES.boolean("number", True), '"number" must be true or false.'),
        (lambda: VALUES.table("number"), '"number" must be a table: [number].'),
        (
            lambda: VALUES.tables("table"),
            '"table" must be an array of tables: [[table]].',
        ),
        (
            lambda: VALUES.table("table").text("key"),
            '"table.key" must be a text in quotes.',
        ),
    ],
)
def test_a_value_of_another_kind_is_refused(read: object, message: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        read()  # type: ignore[operator]

    assert caught.value.message == message
