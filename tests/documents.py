# SPDX-License-Identifier: Apache-2.0
"""The pages of the documents as tests read them: their fenced blocks and commands."""

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from textwrap import dedent

ROOT = Path(__file__).resolve().parent.parent
DOCS = ROOT / "docs"
HOW_TOS = sorted((DOCS / "howto").glob("*.md"))
FIRST = [ROOT / "README.md", DOCS / "tutorial.md"]

COMMAND = re.compile(r"(?:\S*/)?undisclosed\b(?!-)")
"""The program's own name, wherever it lies."""


@dataclass(frozen=True, slots=True)
class Block:
    """A fenced block of a page: its kind ("" for none), its text, its first line."""

    page: Path
    kind: str
    text: str
    line: int

    def __str__(self) -> str:
        return f"{self.page.name}:{self.line}"


def blocks(page: Path, *kinds: str) -> list[Block]:
    """The fenced blocks of a page in their order; of these kinds alone, if named."""
    found, kind, begun, kept = [], None, 0, list[str]()
    for number, line in enumerate(page.read_text("utf-8").splitlines(), start=1):
        if not line.lstrip().startswith("```"):
            kept.append(line)
        elif kind is None:
            kind, begun, kept = line.strip().removeprefix("```"), number, []
        else:
            # A block of a list is indented as its item is.
            text = dedent("".join(f"{each}\n" for each in kept))
            if not kinds or kind in kinds:
                found.append(Block(page, kind, text, begun))
            kind = None
    assert kind is None, f"{page.name}: a block is not closed"
    return found


def lines_to_type(block: Block) -> Iterator[str]:
    """What a reader types: each line of a shell block, what follows $ of a console."""
    text = block.text.replace("\\\n", " ")
    for line in text.splitlines():
        if block.kind == "console":
            if line.startswith("$ "):
                yield line.removeprefix("$ ")
        elif line.strip():
            yield line


def commands(page: Path) -> Iterator[list[str]]:
    """The program's own commands on a page: their arguments, word by word."""
    for block in blocks(page, "sh", "console"):
        for line in lines_to_type(block):
            yield from _commands(line)


def _commands(line: str) -> Iterator[list[str]]:
    lexer = shlex.shlex(line, posix=True, punctuation_chars="|;&<>()")
    lexer.whitespace_split = True
    words: list[str] = []
    for word in (*lexer, ";"):
        if set(word) <= set("|;&<>()"):
            yield from _own(words)
            words = []
        else:
            words.append(word)


def _own(words: list[str]) -> Iterator[list[str]]:
    """The arguments, where these words call the program; also behind exec and env."""
    while words and (words[0] in {"exec", "sudo"} or re.match(r"\w+=", words[0])):
        words = words[1:]
    if words and COMMAND.fullmatch(words[0]):
        yield words[1:]
    for word in words:
        if word.startswith("exec ") and COMMAND.search(word):
            yield from _commands(word)


def types_the_bare_command(page: Path) -> bool:
    """Whether a reader of the page types ``undisclosed`` and nothing before it."""
    return any(
        re.search(r"(?:^|&& |\| |exec )undisclosed ", line)
        for block in blocks(page, "sh", "console")
        for line in lines_to_type(block)
    )
