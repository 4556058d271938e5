# SPDX-License-Identifier: Apache-2.0
"""Markdown becomes HTML and text; the places of fields and conditions are kept."""

import pytest

from undisclosed.send.markdown import Fork, Place, html_of, text_of
from undisclosed.send.template import TemplateError, parse

FIELDS = ("name", "ref", "ward")


def shape(pieces):
    """The pieces as one text: fields as «name», conditions as [branch|branch]."""
    written = ""
    for piece in pieces:
        match piece:
            case str():
                written += piece
            case Place():
                written += f"«{piece.node.name}:{piece.where.value}»"
            case Fork():
                branches = [shape(branch) for _, branch in piece.branches]
                written += f"[{'|'.join((*branches, shape(piece.otherwise)))}]"
    return written


def html(source):
    return shape(html_of(parse(source, FIELDS)))


def text(source):
    return shape(text_of(parse(source, FIELDS)))


@pytest.mark.parametrize(
    ("source", "as_html", "as_text"),
    [
        ("Dear **{{ name }}**,", "<p>Dear <strong>«name:text»</strong>,</p>\n",
         "Dear «name:text»,\n"),
        ("# {{ name }}", "<h1>«name:text»</h1>\n", "«name:text»\n"),
        ("[page](https://c.example/{{ ref }})",
         '<p><a href="https://c.example/«ref:link»">page</a></p>\n',
         "page (https://c.example/«ref:link»)\n"),
        ("[page]({{ ref }}) for {{ name }}",
         '<p><a href="«ref:whole link»">page</a> for «name:text»</p>\n',
         "page («ref:whole link») for «name:text»\n"),
        ("<https://c.example/>",
         '<p><a href="https://c.example/">https://c.example/</a></p>\n',
         "https://c.example/\n"),
        ("- a\n- {{ name }}\n  1. b", "<ul>\n<li>a</li>\n<li>«name:text»\n<ol>\n"
         "<li>b</li>\n</ol>\n</li>\n</ul>\n", "- a\n- «name:text»\n  1. b\n"),
        ("> quoted\n> twice", "<blockquote>\n<p>quoted\ntwice</p>\n</blockquote>\n",
         "> quoted\n> twice\n"),
        ("a {% if ward %}b {{ name }}{% else %}c{% endif %} d",
         "<p>a [b «name:text»|c] d</p>\n", "a [b «name:text»|c] d\n"),
        ("a\n\n{% if ward %}\nb\n\n- c\n{% elif name %}\nd\n{% endif %}\ne",
         "<p>a</p>\n[<p>b</p>\n<ul>\n<li>c</li>\n</ul>\n|<p>d</p>\n|]<p>e</p>\n",
         "a\n\n[b\n\n- c\n\n|d\n\n|]e\n"),
        ("<b>no HTML</b>", "<p>&lt;b&gt;no HTML&lt;/b&gt;</p>\n", "<b>no HTML</b>\n"),
        ("Qf is a word", "<p>Qf is a word</p>\n", "Qf is a word\n"),
    ],
)  # fmt: skip
def test_a_text_is_rendered_in_both_forms(source, as_html, as_text):
    assert html(source) == as_html
    assert text(source) == as_text


def test_a_table_is_rendered_in_both_forms():
    source = "| a | b |\n|---|---|\n| {{ name }} | 2 |"

    assert "<td>«name:text»</td>" in html(source)
    assert text(source) == "a | b\n«name:text» | 2\n"


@pytest.mark.parametrize(
    "source",
    [
        "**a {% if ward %} b** c {% endif %}",
        "[page](https://c.example/{% if ward %}a{% endif %})",
        "- a {% if ward %}\n\nb\n\n{% endif %}\n- c",
    ],
)
def test_a_condition_across_formatting_is_refused(source):
    with pytest.raises(TemplateError, match="condition"):
        html(source)
