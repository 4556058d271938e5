# SPDX-License-Identifier: Apache-2.0
"""The language of templates: fields and conditions, and nothing that could run."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from undisclosed.send.template import (
    Choice,
    Field,
    MissingValue,
    TemplateError,
    Text,
    chosen,
    field_name,
    fields_of,
    parse,
    value_of,
)

FIELDS = ("name", "ward", "vip")


def merged(source, **values):
    """The template's text for one row, without any formatting."""

    def written(tree):
        for node in tree:
            match node:
                case Text():
                    yield node.text
                case Field():
                    yield value_of(node, values, 7)
                case Choice():
                    yield from written(chosen(node, values))

    return "".join(written(parse(source, FIELDS)))


@given(st.text().filter(lambda text: "{" not in text))
def test_text_without_tags_stays_as_it_is(text):
    expected = text.replace("\r\n", "\n").replace("\r", "\n")

    assert merged(text) == expected


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("Dear {{ name }},", "Dear Ann,"),
        ("{{ name | upper }}", "ANN"),
        ("{{ vip | default('no') }}", "no"),
        ("{{ vip | default('no') | upper }}", "NO"),
        ("{% if ward == 'North' %}N{% else %}S{% endif %}", "N"),
        ("{% if ward != 'North' %}N{% else %}S{% endif %}", "S"),
        ("{% if ward in ['East', 'North'] %}yes{% endif %}", "yes"),
        ("{% if ward not in ['East', 'North'] %}yes{% endif %}", ""),
        ("{% if vip %}V{% elif name %}N{% endif %}", "N"),
        ("{% if not vip and (name or vip) %}x{% endif %}", "x"),
        ("{# a comment #}x", "x"),
        ("{% raw %}{{ name }}{% endraw %}", "{{ name }}"),
    ],
)
def test_fields_and_conditions_are_merged(source, expected):
    assert merged(source, name="Ann", ward="North", vip=" ") == expected


@pytest.mark.parametrize(
    ("source", "line", "sentence"),
    [
        ("a\n{{ town }}", 2, 'no column for the field "town"'),
        ("{% for x in name %}{% endfor %}", 1, "fields and conditions only"),
        ("{{ name.upper() }}", 1, "fields and conditions only"),
        ("{{ name.__class__ }}", 1, "fields and conditions only"),
        ("{{ name[0] }}", 1, "fields and conditions only"),
        ("{{ 1 + 1 }}", 1, "fields and conditions only"),
        ("{% include 'x' %}", 1, "fields and conditions only"),
        ("{% set x = 1 %}", 1, "fields and conditions only"),
        ("{% macro x() %}{% endmacro %}", 1, "fields and conditions only"),
        ("{{ name | attr('x') }}", 1, 'There is no "attr"'),
        ("{{ name | upper(1) }}", 1, "nothing in brackets"),
        ("{{ name | default }}", 1, "default needs one text"),
        ("{% if name > 3 %}{% endif %}", 1, "==, != and in"),
        ("{% if 'a' == name %}{% endif %}", 1, "begins with a field"),
        ("{% if name == ward %}{% endif %}", 1, "a text in quotes"),
        ("x\n\n{% if name %}", 3, "could not be read"),
        ("{{ name", 1, "could not be read"),
    ],
)
def test_whatever_else_is_refused_with_its_line(source, line, sentence):
    with pytest.raises(TemplateError) as refused:
        parse(source, FIELDS)

    assert refused.value.line == line
    assert sentence in refused.value.sentence


@given(st.text(st.sampled_from("{}%|.()[]'\"#nameifdlt _=+\n"), max_size=60))
def test_no_source_breaks_the_reading(source):
    try:
        parse(source, FIELDS)
    except TemplateError as error:
        assert error.line >= 1


def test_conditions_nested_too_deep_are_refused():
    source = "{% if name %}" * 30 + "{% endif %}" * 30

    with pytest.raises(TemplateError, match="too deep"):
        parse(source, FIELDS)


@pytest.mark.parametrize("value", ["", "  ", "\t\n"])
def test_a_missing_value_is_an_error_that_names_field_and_row(value):
    with pytest.raises(MissingValue, match='Row 7 has no value for the field "name"'):
        merged("{{ name }}", name=value)


def test_every_field_that_is_named_is_known():
    tree = parse("{{ name }}{% if ward == 'x' %}{{ vip }}{% endif %}", FIELDS)

    assert fields_of(tree) == {"name", "ward", "vip"}


@pytest.mark.parametrize(
    ("column", "name"),
    [("First name", "first_name"), (" E-Mail ", "e_mail"), ("Ref. no.", "ref_no")],
)
def test_a_column_has_one_name_in_templates(column, name):
    assert field_name(column) == name
