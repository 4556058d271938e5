# SPDX-License-Identifier: Apache-2.0
"""The language of templates: fields, conditions, nothing else.

Jinja2 reads it, and only reads it: what it would run is not run. Of its language a
few forms are taken over into values of ours; everything else (calls, attributes,
loops, imports) is refused with its line. So a template written by anybody is safe to
keep and to merge:

    Dear {{ first_name }},
    {% if ward == "North" %}Your bin day is Monday.{% else %}It is Tuesday.{% endif %}
    {{ greeting | default("Kind regards") }}

A field is a column's name in lower case with ``_`` for every other sign. An empty
value is an error, not an empty space, unless ``default`` says what stands there.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from jinja2 import Environment, TemplateSyntaxError, nodes

from undisclosed.errors import UndisclosedError

LONGEST: int = 200_000
"""Characters of a template that are read."""

_DEEPEST = 20
_NO_SIGN = re.compile(r"[^0-9a-z]+")
_ENVIRONMENT = Environment(autoescape=False, keep_trailing_newline=True)  # noqa: S701


class TemplateError(UndisclosedError):
    """A template cannot be used: one sentence, with its line."""

    def __init__(self, sentence: str, line: int) -> None:
        super().__init__(f"Line {line}: {sentence}")
        self.sentence = sentence
        self.line = line


class RowUnfit(UndisclosedError):
    """A row cannot be merged into this template."""


class MissingValue(RowUnfit):
    """A row has no value for a field that the template needs."""

    def __init__(self, name: str, row: int) -> None:
        super().__init__(f'Row {row} has no value for the field "{name}".')
        self.name = name
        self.row = row


@dataclass(frozen=True, slots=True)
class Text:
    """Constant text."""

    text: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Field:
    """A column's value; ``default`` where it is empty; ``transforms`` by name."""

    name: str
    default: str | None = field(default=None, repr=False)
    transforms: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Condition:
    """A question about one row. ``fields`` are the names that it asks about."""

    holds: Callable[[Mapping[str, str]], bool] = field(repr=False)
    fields: frozenset[str]


@dataclass(frozen=True, slots=True)
class Choice:
    """The first branch whose condition holds, else ``otherwise``.

    ``is_block`` says that its tags stand on lines of their own.
    """

    branches: tuple[tuple[Condition, "Nodes"], ...]
    otherwise: "Nodes" = ()


Node = Text | Field | Choice
Nodes = tuple[Node, ...]

TRANSFORMS: Mapping[str, Callable[[str], str]] = {
    "lower": str.lower,
    "upper": str.upper,
    "title": str.title,
    "trim": str.strip,
}
"""What a field's value can be passed through, as in ``{{ town | upper }}``."""


def field_name(column: str) -> str:
    """How a column is called in templates: ``First name`` is ``first_name``."""
    return _NO_SIGN.sub("_", column.strip().lower()).strip("_")


def parse(source: str, fields: Iterable[str]) -> Nodes:
    """A template as values. ``fields`` are the names that a row has.

    Raises TemplateError for anything that is not of the language.
    """
    if len(source) > LONGEST:
        raise TemplateError(f"The text is longer than {LONGEST:,} characters.", 1)
    try:
        tree = _ENVIRONMENT.parse(source)
    except TemplateSyntaxError as error:
        raise TemplateError(_sentence(error.message), error.lineno) from None
    except RecursionError:
        raise TemplateError("The conditions are nested too deep.", 1) from None
    return _Reader(frozenset(fields)).nodes_of(tree.body, 0)


def fields_of(tree: Sequence[Node]) -> frozenset[str]:
    """Every field that a template names, in its conditions, too."""
    names: set[str] = set()
    for node in tree:
        match node:
            case Field():
                names.add(node.name)
            case Choice():
                for condition, branch in node.branches:
                    names |= condition.fields | fields_of(branch)
                names |= fields_of(node.otherwise)
            case Text():
                pass
    return frozenset(names)


def value_of(node: Field, values: Mapping[str, str], row: int) -> str:
    """What stands where the field does. Raises MissingValue."""
    value = values.get(node.name, "").strip()
    if not value:
        if node.default is None:
            raise MissingValue(node.name, row)
        value = node.default
    for name in node.transforms:
        value = TRANSFORMS[name](value)
    return value


def chosen(node: Choice, values: Mapping[str, str]) -> Nodes:
    """The branch that one row takes."""
    for condition, branch in node.branches:
        if condition.holds(values):
            return branch
    return node.otherwise


class _Reader:
    """Takes Jinja2's tree over into ours, as far as it is of the language."""

    def __init__(self, fields: frozenset[str]) -> None:
        self._fields = fields

    def nodes_of(self, body: Iterable[nodes.Node], depth: int) -> Nodes:
        if depth > _DEEPEST:
            raise TemplateError("The conditions are nested too deep.", 1)
        found: list[Node] = []
        for node in body:
            match node:
                case nodes.Output():
                    found += [self._output(one) for one in node.nodes]
                case nodes.If():
                    found.append(self._choice(node, depth))
                case _:
                    raise _unknown(node)
        return tuple(found)

    def _output(self, node: nodes.Expr) -> Node:
        if isinstance(node, nodes.TemplateData):
            return Text(node.data)
        return self._field(node)

    def _field(self, node: nodes.Expr) -> Field:
        match node:
            case nodes.Name():
                return Field(self._known(node))
            case nodes.Filter(name="default", node=nodes.Expr() as inner):
                if len(node.args) != 1 or node.kwargs:
                    raise TemplateError("default needs one text.", node.lineno)
                found = self._field(inner)
                text = self._text(node.args[0])
                return Field(found.name, text, found.transforms)
            case nodes.Filter(node=nodes.Expr() as inner) if node.name in TRANSFORMS:
                if node.args or node.kwargs:
                    sentence = f"{node.name} needs nothing in brackets."
                    raise TemplateError(sentence, node.lineno)
                found = self._field(inner)
                return Field(found.name, found.default, (*found.transforms, node.name))
            case nodes.Filter():
                known = ", ".join(("default", *TRANSFORMS))
                sentence = f'There is no "{node.name}"; there is {known}.'
                raise TemplateError(sentence, node.lineno)
        raise _unknown(node)

    def _known(self, node: nodes.Name) -> str:
        if node.name not in self._fields:
            raise TemplateError(
                f'The list has no column for the field "{node.name}".', node.lineno
            )
        return node.name

    @staticmethod
    def _text(node: nodes.Node) -> str:
        if isinstance(node, nodes.Const) and isinstance(node.value, str | int | float):
            return str(node.value)
        raise TemplateError("Here stands a text in quotes.", node.lineno)

    def _choice(self, node: nodes.If, depth: int) -> Choice:
        branches = [
            (self._condition(one.test), self.nodes_of(one.body, depth + 1))
            for one in (node, *node.elif_)
        ]
        return Choice(tuple(branches), self.nodes_of(node.else_, depth + 1))

    def _condition(self, node: nodes.Node) -> Condition:
        match node:
            case nodes.Name():
                name = self._known(node)
                return Condition(
                    lambda values: bool(values.get(name, "").strip()),
                    frozenset((name,)),
                )
            case nodes.Not():
                inner = self._condition(node.node)
                return Condition(lambda values: not inner.holds(values), inner.fields)
            case nodes.And() | nodes.Or():
                return self._both(node)
            case nodes.Compare():
                return self._comparison(node)
        raise _unknown(node)

    def _both(self, node: nodes.And | nodes.Or) -> Condition:
        left, right = self._condition(node.left), self._condition(node.right)
        fields = left.fields | right.fields
        if isinstance(node, nodes.And):
            return Condition(lambda v: left.holds(v) and right.holds(v), fields)
        return Condition(lambda v: left.holds(v) or right.holds(v), fields)

    def _comparison(self, node: nodes.Compare) -> Condition:
        if not isinstance(node.expr, nodes.Name) or len(node.ops) != 1:
            raise TemplateError("A comparison begins with a field.", node.lineno)
        name, operator, other = self._known(node.expr), node.ops[0].op, node.ops[0].expr
        if operator in ("in", "notin") and isinstance(other, nodes.List | nodes.Tuple):
            texts = frozenset(self._text(one) for one in other.items)
        elif operator in ("eq", "ne"):
            texts = frozenset((self._text(other),))
        else:
            sentence = "Fields are compared with ==, != and in, as texts."
            raise TemplateError(sentence, node.lineno)
        wanted = operator in ("eq", "in")
        return Condition(
            lambda values: (values.get(name, "").strip() in texts) is wanted,
            frozenset((name,)),
        )


def _unknown(node: nodes.Node) -> TemplateError:
    name = type(node).__name__.lower()
    return TemplateError(
        f"Templates have fields and conditions only; this is something else ({name}).",
        node.lineno,
    )


def _sentence(message: str | None) -> str:
    return f"It could not be read: {message or 'a sign is missing'}"
