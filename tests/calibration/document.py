"""docs/calibration.md: tables between markers, which are replaced; the words around them are written by hand."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from tests.calibration.tables import SEED, TABLES

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tests.calibration.tables import Labels, Table

DOCUMENT = Path(__file__).parents[2] / "docs" / "calibration.md"


def rendered(name: str, table: Table, rows: Mapping[Labels, Sequence[str]]) -> str:
    """Return a table as Markdown, with a line that says what was run."""
    lines = [table.columns, ["---"] * len(table.columns), *([*labels, *cells] for labels, cells in rows.items())]
    return "\n".join([caption(name, table), "", *("| " + " | ".join(line) + " |" for line in lines)])


def caption(name: str, table: Table) -> str:
    """Return what was run for a table."""
    if not table.runs:
        return f"*`{table.path}`; nothing is simulated.*"
    return (
        f'*`{table.path}`, {table.runs:,} runs per row; generators `default_rng([{SEED}, crc32("{name}|<labels>")])`.*'
    )


def replaced(text: str, name: str, body: str) -> str:
    """Return the document with another body between the markers of a table.

    Raises:
        ValueError: it has no such markers, or more than one pair.
    """
    result, count = _markers(name).subn(lambda _: f"<!-- table {name} -->\n{body}\n<!-- end -->", text)
    if count != 1:
        raise ValueError(f"{DOCUMENT}: {count} pairs of markers <!-- table {name} --> ... <!-- end -->, not one")
    return result


def body_of(text: str, name: str) -> str:
    """Return what stands between the markers of a table; empty if there are none."""
    found = _markers(name).search(text)
    return found[1] if found else ""


def rows_of(text: str, name: str) -> dict[Labels, list[str]]:
    """Return the rows of a table as the document shows them, by their labels."""
    width = len(next(iter(TABLES[name].rows)))
    lines = [line for line in body_of(text, name).splitlines() if line.startswith("| ")][2:]
    cells = [line.strip("| ").split(" | ") for line in lines]
    return {tuple(row[:width]): row[width:] for row in cells}


def _markers(name: str) -> re.Pattern[str]:
    return re.compile(rf"<!-- table {re.escape(name)} -->\n(.*?)\n?<!-- end -->", re.DOTALL)
