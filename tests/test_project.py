# SPDX-License-Identifier: Apache-2.0
"""What holds for every file of the project, whatever it does."""

import ast
import importlib
import re
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parent.parent
SOURCE = ROOT / "src" / "undisclosed"
TREES = ("src", "tests", "bench", "tools", "docs", "examples", "fuzz")
SKIPPED_FOLDERS = {"__pycache__", "undisclosed.egg-info", "results"}
TEXT = {".py", ".sh", ".md", ".html", ".txt", ".css", ".js", ".toml", ".eml", ".json"}
LOCKS = ("requirements.lock", "requirements-dev.lock")

ADDRESS = re.compile(
    r"[\w.!#$%&'*+/=?^`{|}~-]+@((?:[\w-]+\.)+[a-z]{2,})(?![\w.(-])", re.I
)
# RFC 2606 §2; "exam" is an example that a fold has torn.
RESERVED = re.compile(r"(?:^|\.)(?:example|exam|test|invalid|localhost)$", re.I)
EXAMPLE_DOMAIN = re.compile(r"(?:^|\.)example\.(?:com|net|org)$", re.I)  # RFC 2606 §3


def files(*suffixes: str) -> Iterator[Path]:
    """Every file of the project with one of these suffixes."""
    for tree in TREES:
        for path in sorted((ROOT / tree).rglob("*")):
            if SKIPPED_FOLDERS.isdisjoint(path.parts) and path.suffix in suffixes:
                yield path
    yield from (path for path in sorted(ROOT.glob("*.*")) if path.suffix in suffixes)


def python_files() -> list[Path]:
    """Every Python file of the project."""
    return list(files(".py"))


def named(path: Path) -> str:
    """A path as people write it."""
    return str(path.relative_to(ROOT))


def requirements(lock: str) -> dict[str, list[str]]:
    """Each pinned requirement of a lock with its hashes."""
    text = (ROOT / lock).read_text(encoding="utf-8")
    entries = re.split(r"\n(?=\S)", text.strip())
    return {
        entry.split(" ")[0]: re.findall(r"--hash=(\w+:\w+)", entry) for entry in entries
    }


def names_of_email(tree: ast.AST) -> set[str]:
    """What is imported of the packages ``email`` and ``mailbox``."""
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names if _reads_mail(alias.name)}
        elif isinstance(node, ast.ImportFrom) and _reads_mail(node.module or ""):
            names |= {alias.name for alias in node.names}
    return names


def _reads_mail(module: str) -> bool:
    return module.split(".", maxsplit=1)[0] in {"email", "mailbox"}


def called(tree: ast.AST) -> Iterator[str]:
    """The last part of the name of everything that is called."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            if isinstance(node.func, ast.Name):
                yield node.func.id
            elif isinstance(node.func, ast.Attribute):
                yield node.func.attr


MAY_BE_POSSESSIVE = re.compile(r"\)(?:[*+?]|\{\d*,?\d*\})\+|\(\?>")


def texts(node: ast.AST) -> Iterator[str]:
    """Every text of a program; an f-string whole, with an x for what is put in."""
    match node:
        case ast.JoinedStr(values=values):
            yield "".join(
                str(one.value) if isinstance(one, ast.Constant) else "x"
                for one in values
            )
        case ast.Constant(value=str(text)):
            yield text
        case ast.Constant(value=bytes(octets)):
            yield octets.decode("latin-1")
        case _:
            for child in ast.iter_child_nodes(node):
                yield from texts(child)


def possessive_groups(text: str) -> int:
    """How many groups a regular expression takes without ever giving back.

    Before Python 3.11.5 such a group that fails in its middle leaves the place where
    it failed, so that the match goes on from there. A single class is not touched.
    """
    if not MAY_BE_POSSESSIVE.search(text):
        return 0
    try:
        parsed = importlib.import_module("re._parser").parse(text)
    except re.error:
        return 0  # no regular expression
    return sum(1 for _ in _possessive(parsed))


def _possessive(parsed: Any) -> Iterator[None]:
    single = {"LITERAL", "NOT_LITERAL", "IN", "ANY", "CATEGORY"}
    for kind, given in parsed:
        if str(kind) == "POSSESSIVE_REPEAT":
            body = given[2]
            if len(body) != 1 or str(body[0][0]) not in single:
                yield
        elif str(kind) == "ATOMIC_GROUP":
            yield
        yield from _below(given)


def _below(given: Any) -> Iterator[None]:
    if hasattr(given, "data"):
        yield from _possessive(given)
    elif isinstance(given, tuple | list):
        for each in given:
            yield from _below(each)


@pytest.mark.parametrize(
    ("expression", "count"),
    [
        ("(?:ab?c)++d", 1),
        (r"a(?:\r?\n[ \t][^\r\n]*+)*+", 1),
        ("(x(?:ab){2,3}+)*", 1),
        ("(?>ab)c", 1),
        ("[a-z]*+@(?:[a-z]++[.])*", 0),
        (r"a\)*+b", 0),
        ("(?:a)*+", 0),
        (":/?#[]@!$&'()*+,;=", 0),
    ],
)
def test_groups_that_never_give_back_are_found(expression: str, count: int) -> None:
    assert possessive_groups(expression) == count


@pytest.mark.parametrize("path", python_files(), ids=named)
def test_no_regular_expression_trusts_a_group_that_never_gives_back(path: Path) -> None:
    if path == Path(__file__).resolve():
        return
    tree = ast.parse(path.read_text(encoding="utf-8"))

    assert [text for text in texts(tree) if possessive_groups(text)] == []


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_names_no_host(lock: str) -> None:
    text = (ROOT / lock).read_text(encoding="utf-8")

    assert re.findall(r"https?://|--index|find-links", text) == []


@pytest.mark.parametrize("lock", LOCKS)
def test_everything_in_a_lock_is_pinned_and_has_hashes(lock: str) -> None:
    pinned = requirements(lock)

    assert pinned
    assert [name for name, hashes in pinned.items() if "==" not in name] == []
    assert [name for name, hashes in pinned.items() if not hashes] == []


def test_the_tests_run_with_the_versions_that_run_in_production() -> None:
    production, tests = (set(requirements(lock)) for lock in LOCKS)

    assert production <= tests


def test_the_lock_brings_what_builds_the_project() -> None:
    assert any(name.startswith("setuptools==") for name in requirements(LOCKS[0]))


@pytest.mark.parametrize("path", list(files(".py", ".sh")), ids=named)
def test_a_program_file_says_its_licence(path: Path) -> None:
    head = path.read_text(encoding="utf-8").split("\n")[:2]

    assert "# SPDX-License-Identifier: Apache-2.0" in head


@pytest.mark.parametrize("path", python_files(), ids=named)
def test_a_file_has_at_most_600_lines(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 600


def test_no_file_is_a_drawer_for_everything() -> None:
    drawers = {"utils", "util", "helpers", "helper", "manager", "services", "misc"}

    assert [named(path) for path in python_files() if path.stem in drawers] == []


@pytest.mark.parametrize(
    "path", [path for path in python_files() if SOURCE in path.parents], ids=named
)
def test_the_program_does_not_ask_the_standard_library_to_read_mail(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    allowed = {"format_datetime"}  # that one only writes a date
    if path.name == "odd_returns.py":
        allowed.add("message_from_bytes")  # flufl.bounce takes nothing else
    if path.name == "from_mail.py":
        # A draft wants one reading, as mail readers have it; nothing is decided by it.
        allowed |= {"message_from_bytes", "Message", "getaddresses"}

    assert names_of_email(tree) <= allowed


@pytest.mark.parametrize(
    "path",
    [
        path
        for path in python_files()
        if {SOURCE / "core", SOURCE / "formats"} & set(path.parents)
    ],
    ids=named,
)
def test_the_core_asks_neither_for_the_time_nor_for_a_terminal(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))

    asked = {"now", "utcnow", "today", "open", "print", "input", "urandom"}
    assert asked.isdisjoint(called(tree))


def test_no_address_in_the_project_could_be_somebodys() -> None:
    found = [
        f"{named(path)}: …@{match[1]}"
        for path in files(*TEXT)
        for match in ADDRESS.finditer(
            path.read_text(encoding="utf-8", errors="replace")
        )
        if not RESERVED.search(match[1]) and not EXAMPLE_DOMAIN.search(match[1])
    ]

    assert found == []


def test_the_project_speaks_only_of_itself() -> None:
    # The folder that this checkout lies in, and the home of whoever runs the test.
    folders = (ROOT.parent, Path.home())
    here = [f"{folder}/" for folder in folders if len(folder.parts) > 1]
    assert here
    foreign = re.compile("|".join(map(re.escape, here)))
    this = Path(__file__).resolve()
    found = [
        f"{named(path)}: {match[0]}"
        for path in files(*TEXT, ".lock")
        if path != this
        for match in foreign.finditer(
            path.read_text(encoding="utf-8", errors="replace")
        )
    ]

    assert found == []


def test_what_is_installed_has_every_file_of_the_source(tmp_path: Path) -> None:
    copy = tmp_path / "project"
    ignored = shutil.ignore_patterns("__pycache__", "*.egg-info")
    shutil.copytree(ROOT / "src", copy / "src", ignore=ignored)
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, copy)

    options = ["-q", "--no-deps", "--no-index", "--no-build-isolation", "-w"]
    subprocess.run(
        [sys.executable, "-m", "pip", "wheel", *options, str(tmp_path), str(copy)],
        check=True,
    )

    wheel = zipfile.ZipFile(next(tmp_path.glob("*.whl")))
    in_source = {
        str(path.relative_to(ROOT / "src"))
        for path in SOURCE.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert in_source - set(wheel.namelist()) == set()
