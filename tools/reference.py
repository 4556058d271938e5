# SPDX-License-Identifier: Apache-2.0
"""Fills the generated parts of the documents from the program itself.

A page says ``<!-- generated: NAME -->`` where a part begins and ``<!-- end -->``
where it ends; what stands between is written here. ``python -m tools.reference``
writes, ``--check`` only compares and answers 1 where a page has fallen behind.
"""

import argparse
import re
import sys
from collections.abc import Iterator
from pathlib import Path

from tools.reference_parts import PARTS

ROOT = Path(__file__).resolve().parent.parent
PART = re.compile(
    r"(?P<begin><!-- generated: (?P<name>[\w-]+) -->\n).*?(?P<end><!-- end -->)",
    re.DOTALL,
)


def filled(page: str) -> str:
    """The page with every generated part written anew. KeyError: unknown part."""
    return PART.sub(
        lambda part: f"{part['begin']}{PARTS[part['name']]()}\n{part['end']}", page
    )


def pages() -> Iterator[Path]:
    """Every document that may have generated parts."""
    yield ROOT / "README.md"
    yield from sorted((ROOT / "docs").rglob("*.md"))


def outdated() -> dict[Path, str]:
    """The pages that say something else than the program, with what they should."""
    texts = {path: path.read_text(encoding="utf-8") for path in pages()}
    return {path: new for path, text in texts.items() if (new := filled(text)) != text}


def main() -> int:
    """Write, or with ``--check`` name, the pages that have fallen behind."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--check", action="store_true", help="write nothing")
    args = parser.parse_args()
    behind = outdated()
    for path, text in behind.items():
        name = path.relative_to(ROOT)
        if args.check:
            print(f"{name} has fallen behind: run 'make docs'")
        else:
            path.write_text(text, encoding="utf-8")
            print(f"{name} written")
    return 1 if args.check and behind else 0


if __name__ == "__main__":
    sys.exit(main())
