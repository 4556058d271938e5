# SPDX-License-Identifier: Apache-2.0
"""The generated parts of the documents: one function each, listed in PARTS."""

import argparse
import importlib
import inspect
import pkgutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from enum import Enum
from pathlib import Path
from typing import TypeVar

import undisclosed
from undisclosed.cli import COMMANDS, build_parser
from undisclosed.console.api.openapi import ANSWERS
from undisclosed.console.api.schema import OBJECTS, Property
from undisclosed.console.site import site_settings
from undisclosed.core.list_upload import UPLOAD_TRANSITIONS
from undisclosed.core.verdict import Verdict
from undisclosed.errors import TransientError, UndisclosedError
from undisclosed.formats.configuration import parse_toml
from undisclosed.guard import states
from undisclosed.guard.replies import OUTCOMES, REPLIES, TROUBLE, reply_to
from undisclosed.send.checks import ALL_CHECKS
from undisclosed.send.checks.identifiers import KINDS
from undisclosed.store.crypto import Keys
from undisclosed.store.framework import configure
from undisclosed.store.journal_facts import EVENTS
from undisclosed.store.settings import ENVIRONMENT, SETTINGS, load
from undisclosed.store.settings_table import Setting
from undisclosed.transport.milter.responses import Outcome
from undisclosed.transport.smtp.replies import Reply

EXAMPLES = Path(__file__).resolve().parents[1] / "examples" / "settings.toml"

State = TypeVar("State", bound=Enum)
Event = TypeVar("Event", bound=Enum)


def table(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    """A Markdown table."""
    lines = [head, tuple("---" for _ in head), *rows]
    return "\n".join("| " + " | ".join(_cell(c) for c in row) + " |" for row in lines)


def _cell(text: str) -> str:
    return " ".join(text.replace("|", "\\|").split())


def subparsers(
    parser: argparse.ArgumentParser,
) -> Mapping[str, argparse.ArgumentParser]:
    """The parsers of a parser's commands by name; empty where it has none."""
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            found: dict[str, argparse.ArgumentParser] = action.choices
            return found
    return {}


def arguments(parser: argparse.ArgumentParser) -> list[tuple[str, ...]]:
    """What a command takes: its name as written, and the help."""
    rows: list[tuple[str, ...]] = []
    for action in parser._actions:
        skipped = (argparse._SubParsersAction, argparse._HelpAction)
        if isinstance(action, skipped) or action.help == argparse.SUPPRESS:
            continue
        value = action.metavar or action.dest.upper()
        shown = str(value if isinstance(value, str) else value[0])
        if action.choices and not action.metavar:
            shown = ", ".join(str(choice) for choice in action.choices)
        if action.option_strings:
            shown = ", ".join(action.option_strings) + (
                "" if action.nargs == 0 else f" {shown}"
            )
        elif action.nargs in ("*", "+"):
            shown += " …"
        text = (action.help or "").replace("%(default)s", str(action.default))
        rows.append((f"`{shown}`", text))
    return rows


def one_command(
    name: str, parser: argparse.ArgumentParser, depth: int
) -> Iterator[str]:
    """A command's section, and those of the commands below it."""
    yield f"{'#' * depth} {name}\n"
    description = parser.description or COMMANDS.get(name, "")
    if description:
        yield f"{description.strip()}\n"
    if parser.epilog:
        yield f"{parser.epilog.strip()}\n"
    if rows := arguments(parser):
        yield table(("argument", "meaning"), rows) + "\n"
    for below, below_parser in subparsers(parser).items():
        yield from one_command(f"{name} {below}", below_parser, depth + 1)


def commands() -> str:
    """Every command with its arguments."""
    parts: list[str] = []
    for name, parser in subparsers(build_parser()).items():
        parts += one_command(name, parser, 2)
    return "\n".join(parts).rstrip()


def toml(value: object) -> str:
    """A default as it would stand in the file of settings."""
    match value:
        case str():
            return f'"{value}"'
        case tuple():
            return "[" + ", ".join(toml(one) for one in value) + "]"
        case int():
            return f"{value:_}"
    return str(value)


def settings() -> str:
    """Every setting, by section, with its default, or an example where it has none."""
    sections = dict.fromkeys(setting.section for setting in SETTINGS)
    examples = parse_toml(EXAMPLES.read_text("utf-8"))
    parts = []
    for section in sections:
        shown = examples
        for name in section.split("."):
            shown = shown.table(name)
        rows = [
            (
                f"`{one.key}`",
                one.kind.value,
                f"`{toml(one.default)}`",
                _with_example(one, shown.values.get(one.key)),
            )
            for one in SETTINGS
            if one.section == section
        ]
        parts.append(f"## [{section}]\n")
        parts.append(table(("setting", "kind", "default", "meaning"), rows) + "\n")
    return "\n".join(parts).rstrip()


def _with_example(setting: Setting, example: object) -> str:
    """What a setting does, and how it is written where its default does not show it."""
    if setting.default not in ("", ()) or example is None:
        return setting.description
    value = tuple(example) if isinstance(example, list) else example
    return f"{setting.description} For example `{toml(value)}`."


def environment() -> str:
    """What the environment may say."""
    rows = [
        (", ".join(f"`{name}`" for name in names.split(", ")), meaning)
        for names, meaning in ENVIRONMENT
    ]
    return table(("variable", "meaning"), rows)


def modules() -> Iterator[str]:
    """The dotted name of every module of the program, migrations left out."""
    for module in pkgutil.walk_packages(undisclosed.__path__, "undisclosed."):
        if ".migrations" not in module.name and not module.name.endswith("__main__"):
            yield module.name


def error_classes() -> list[type[UndisclosedError]]:
    """Every error of the program, by name."""
    loaded = load(None, {})
    site = site_settings(loaded.console.url)
    configure(loaded, site, url="postgresql:///nothing", keys=Keys(bytes(32)))
    found: set[type[UndisclosedError]] = set()
    for name in modules():
        for _, value in inspect.getmembers(importlib.import_module(name)):
            if inspect.isclass(value) and issubclass(value, UndisclosedError):
                found.add(value)
    return sorted(found, key=lambda error: (error.__name__, error.__module__))


def errors() -> str:
    """Every error: its sentence, where it is at home, whether to try again."""
    rows = [
        (
            f"`{error.__name__}`",
            (inspect.getdoc(error) or "").split("\n\n")[0],
            f"`{error.__module__.removeprefix('undisclosed.')}`",
            "yes" if issubclass(error, TransientError) else "no",
        )
        for error in error_classes()
    ]
    return table(("error", "sentence", "of", "trying again may succeed"), rows)


def diagram(transitions: Mapping[State, Mapping[Event, State]]) -> str:
    """A table of states as a Mermaid diagram."""
    lines = ["```mermaid", "stateDiagram-v2"]
    lines += [f'    state "{state.value}" as {state.name}' for state in transitions]
    lines.append(f"    [*] --> {next(iter(transitions)).name}")
    for state, row in transitions.items():
        lines += [
            f"    {state.name} --> {after.name}: {event.value}"
            for event, after in row.items()
        ]
        if not row:
            lines.append(f"    {state.name} --> [*]")
    return "\n".join([*lines, "```"])


def hold_states() -> str:
    """The life of a held mail."""
    return diagram(states.HOLD_TRANSITIONS)


def copy_states() -> str:
    """The life of a copy that leaves."""
    return diagram(states.COPY_TRANSITIONS)


def upload_states() -> str:
    """The life of a file on its way into a list."""
    return diagram(UPLOAD_TRANSITIONS)


def replies() -> str:
    """What a client hears of each action."""
    rows: list[tuple[str, ...]] = [
        (action.value, f"`{wire(reply_to(Verdict(action)))}`", OUTCOMES[action].value)
        for action in REPLIES
    ]
    trouble = ("", f"`{wire(TROUBLE)}`", Outcome.TEMPFAIL.value)
    return table(("verdict", "reply by SMTP", "answer as a milter"), [*rows, trouble])


def wire(reply: Reply) -> str:
    """A reply of one line as it stands on the wire."""
    return f"{reply.code} {reply.lines[0]}"


def http_api() -> str:
    """Every object of the HTTP API, and every status that it answers with."""
    parts = []
    for name, properties in OBJECTS.items():
        rows = [
            (
                f"`{one.name}`",
                _value_of(one),
                "yes" if one.is_required else "no",
                one.description,
            )
            for one in properties
        ]
        parts.append(f"### {name}\n")
        parts.append(
            table(("property", "value", "always there", "meaning"), rows) + "\n"
        )
    answers = [(str(code), f"`{name}`", meaning) for code, name, meaning in ANSWERS]
    parts.append("### Answers\n")
    parts.append(table(("status", "object", "meaning"), answers))
    return "\n".join(parts)


def _value_of(one: Property) -> str:
    """What a property may be: its words where they are counted, else its kind."""
    return ", ".join(f"`{word}`" for word in one.words) or one.kind.value


def checks() -> str:
    """Every check of a campaign, and the question that it asks."""
    rows = [(f"`{one.name}`", one.description) for one in ALL_CHECKS]
    return table(("check", "what it does"), rows)


def kinds() -> str:
    """Every kind of confidential data, and when it is believed."""
    words: dict[str, set[str]] = {}
    for kind in KINDS:
        believed = (
            "with a label before it" if kind.needs_label else "wherever it stands"
        )
        words.setdefault(kind.words, set()).add(believed)
    rows = [(name, ", or ".join(sorted(when))) for name, when in words.items()]
    return table(("data", "is believed"), rows)


def journal() -> str:
    """Every event of the journal and what it says."""
    rows = [
        (
            f"`{event}`",
            "; ".join(f"`{name}`: {kind.value}" for name, kind in facts.items())
            or "nothing more",
        )
        for event, facts in EVENTS.items()
    ]
    return table(("event", "facts"), rows)


PARTS: dict[str, Callable[[], str]] = {
    "checks": checks,
    "kinds": kinds,
    "commands": commands,
    "environment": environment,
    "errors": errors,
    "journal": journal,
    "hold-states": hold_states,
    "http-api": http_api,
    "copy-states": copy_states,
    "upload-states": upload_states,
    "replies": replies,
    "settings": settings,
}
"""Every generated part by the name that pages call it by."""
