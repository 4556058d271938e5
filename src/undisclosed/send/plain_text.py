# SPDX-License-Identifier: Apache-2.0
"""The plain text of Markdown: what a reader without HTML sees (RFC 2046 §5.1.4)."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from markdown_it.token import Token

LINK_BEGINS, LINK_ENDS = "\ue000", "\ue001"
"""Stand around each link: whoever fills fields in has to know."""


def plain_text(tokens: Sequence[Token]) -> str:
    """Paragraphs, lists, headings and tables as text; a link stands behind its words.

    Every block ends with an empty line.
    """
    return _Writer().written(tokens)


@dataclass(slots=True)
class _Writer:
    lines: list[str] = field(default_factory=list)
    indents: list[str] = field(default_factory=list)
    numbers: list[int | None] = field(default_factory=list)
    mark: str = ""
    cells: list[str] = field(default_factory=list)
    is_in_cell: bool = False

    def written(self, tokens: Sequence[Token]) -> str:
        for token in tokens:
            self._block(token)
        return "\n".join(self.lines).strip("\n") + "\n"

    def _block(self, token: Token) -> None:
        match token.type:
            case "inline":
                self._inline(token)
            case "fence" | "code_block":
                self._add(token.content.rstrip("\n"))
                self._space()
            case "hr":
                self._add("-" * 8)
                self._space()
            case "paragraph_close" if not token.hidden:
                self._space()
            case "heading_close" | "table_close":
                self._space()
            case "blockquote_open":
                self.indents.append("> ")
            case "blockquote_close":
                self.indents.pop()
                self._space()
            case _:
                self._list_or_table(token)

    def _list_or_table(self, token: Token) -> None:
        match token.type:
            case "bullet_list_open":
                self.numbers.append(None)
            case "ordered_list_open":
                self.numbers.append(int(token.attrs.get("start") or 1))
            case "bullet_list_close" | "ordered_list_close":
                self.numbers.pop()
                if not self.numbers:
                    self._space()
            case "list_item_open":
                self._item()
            case "list_item_close":
                self.indents.pop()
            case "th_open" | "td_open":
                self.is_in_cell = True
            case "th_close" | "td_close":
                self.is_in_cell = False
            case "tr_close":
                self._add(" | ".join(self.cells))
                self.cells = []

    def _item(self) -> None:
        number = self.numbers[-1]
        self.mark = "- " if number is None else f"{number}. "
        if number is not None:
            self.numbers[-1] = number + 1
        self.indents.append(" " * len(self.mark))

    def _inline(self, token: Token) -> None:
        text = "".join(_inline_texts(token.children or ()))
        if self.is_in_cell:
            self.cells.append(text)
        else:
            self._add(text)

    def _add(self, text: str) -> None:
        indent = "".join(self.indents)
        for line in text.split("\n"):
            start = indent
            if self.mark:
                start, self.mark = indent[: -len(self.mark)] + self.mark, ""
            self.lines.append((start + line).rstrip())

    def _space(self) -> None:
        if self.lines and self.lines[-1]:
            self.lines.append("")


def _inline_texts(tokens: Sequence[Token]) -> list[str]:
    texts: list[str] = []
    links: list[tuple[int, str]] = []
    for token in tokens:
        match token.type:
            case "text" | "code_inline":
                texts.append(token.content)
            case "softbreak" | "hardbreak":
                texts.append("\n")
            case "image":
                texts += _inline_texts(token.children or ())
            case "link_open":
                links.append((len(texts), str(token.attrs.get("href") or "")))
            case "link_close":
                start, href = links.pop()
                texts.append(_behind("".join(texts[start:]), href))
    return texts


def _behind(words: str, href: str) -> str:
    """The link's address, unless its words are that address already."""
    if not href or words in (href, href.removeprefix("mailto:")):
        return ""
    return f" ({LINK_BEGINS}{href}{LINK_ENDS})"
