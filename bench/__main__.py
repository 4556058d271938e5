# SPDX-License-Identifier: Apache-2.0
"""``python -m bench [--quick] [NAME…]``: measure, print, write JSON and a plot.

The figures go to ``bench/results/latest.json`` and ``latest.png``. A missed target
does not fail the run: it is printed, with what bounds it. Only a measurement that
could not be made does.
"""

import argparse
import importlib
import json
import os
import platform
import sys
import time
import traceback
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

from matplotlib.figure import Figure
from rich.console import Console
from rich.table import Table

from bench.row import Row

MODULES = (
    *("verdicts", "accept", "content_filter", "milter", "hold", "scan", "build"),
    "send",
    *("false_alarms", "bounces", "checks", "pii", "lists", "killing", "fuzzing"),
)
LONG = ("million", "shifts")
"""What is measured only where it is named: it takes long, or is no speed."""

RESULTS = Path(__file__).parent / "results"


def measured(names: Sequence[str], *, quick: bool) -> Iterator[Row | str]:
    """Every row as it is ready; the name of a module that could not be measured."""
    for name in names:
        began = time.monotonic()
        print(f"bench.{name} …", file=sys.stderr, flush=True)
        try:
            yield from importlib.import_module(f"bench.{name}").rows(quick=quick)
        except Exception:
            traceback.print_exc()
            yield name
        took = time.monotonic() - began
        print(f"bench.{name}: {took:.0f} s", file=sys.stderr, flush=True)


def number(value: float | None) -> str:
    """A figure with three digits that mean something."""
    if value is None:
        return ""
    if value == 0 or abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.3g}"


def named(value: float | None, name: str) -> str:
    """A figure with whose it is."""
    return f"{number(value)} {name}".strip() if value is not None else ""


def met(row: Row) -> str:
    """Whether the target was met, in a word."""
    return {True: "yes", False: "NO", None: ""}[row.is_met]


def show(rows: Sequence[Row], console: Console) -> None:
    """Print the table, and under it what bounds each row."""
    head = ("row", "ours", "peer", "×", "bound", "×", "target", "met")
    table = Table(*head, show_lines=False, pad_edge=False)
    for row in rows:
        table.add_row(
            row.name,
            f"{number(row.ours)} {row.unit}",
            named(row.peer, row.peer_name),
            number(row.peer_ratio),
            named(row.bound, row.bound_name),
            number(row.bound_ratio),
            row.target,
            met(row),
        )
    console.print(table)
    for row in rows:
        if row.bounded_by:
            console.print(f"{row.name}: bounded by {row.bounded_by}", highlight=False)


def machine() -> dict[str, object]:
    """What the figures were taken on."""
    return {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "system": platform.platform(),
        "load": os.getloadavg()[0],
    }


def write_json(rows: Sequence[Row], *, quick: bool) -> Path:
    """Write every row and the machine; where to."""
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / "latest.json"
    objects = [
        asdict(row) | {"peer_ratio": row.peer_ratio, "bound_ratio": row.bound_ratio}
        for row in rows
    ]
    text = json.dumps({**machine(), "quick": quick, "rows": objects}, indent=1)
    path.write_text(text + "\n", encoding="utf-8")
    return path


def draw(rows: Sequence[Row]) -> Path:
    """Draw the ratios to peer and bound, each on one logarithmic axis; where to."""
    compared = [row for row in rows if row.peer_ratio or row.bound_ratio]
    figure = Figure(figsize=(11, 1.2 + 0.5 * len(compared)))
    axes = figure.subplots()
    for place, row in enumerate(compared):
        for ratio, colour, shift in (
            (row.peer_ratio, "#1d5c87", -0.18),
            (row.bound_ratio, "#b3c7d6", 0.18),
        ):
            if ratio:
                axes.barh(place + shift, ratio, height=0.34, color=colour)
                axes.text(ratio, place + shift, f" {number(ratio)}", va="center")
    axes.set_yticks(range(len(compared)), [row.name for row in compared])
    axes.invert_yaxis()
    axes.set_xscale("log")
    axes.axvline(1, color="#666666", linewidth=1)
    axes.set_xlabel(
        "ours divided by the peer (dark) and by the bound (light); "
        "of times, CPU and memory less is better"
    )
    axes.spines[["top", "right"]].set_visible(False)
    path = RESULTS / "latest.png"
    figure.savefig(path, dpi=110, bbox_inches="tight")
    return path


def main() -> int:
    """Measure what the command line names; 1 where something could not be."""
    parser = argparse.ArgumentParser(prog="bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer rounds, coarser")
    known = (*MODULES, *LONG)
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(known))
    args = parser.parse_args()
    if unknown := set(args.names) - set(known):
        parser.error(f"no such measurement: {', '.join(sorted(unknown))}")
    results = list(measured(args.names or MODULES, quick=args.quick))
    rows = [row for row in results if isinstance(row, Row)]
    show(rows, Console(width=None if sys.stdout.isatty() else 160))
    print(write_json(rows, quick=args.quick))
    print(draw(rows))
    return 1 if len(rows) < len(results) else 0


if __name__ == "__main__":
    sys.exit(main())
