"""docs/performance.md and docs/gpu.md: the tables of the bench between marks, the words around them by hand."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from importlib.metadata import version
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

from harness.trials.provenance import machine

if TYPE_CHECKING:
    from tests.bench.conftest import Row

PROJECT = Path(__file__).parents[2]
DOCUMENT = PROJECT / "docs" / "performance.md"
OF_GPU = PROJECT / "docs" / "gpu.md"


def write(rows: list[Row]) -> None:
    """Put the tables of `rows` into their documents; tables that were not run stay as they are."""
    for table, own in groupby(sorted(rows, key=lambda row: row.table), key=lambda row: row.table):
        document = OF_GPU if table.endswith("on a GPU") else DOCUMENT
        document.write_text(replaced(document.read_text(), table, rendered(list(own))))


def replaced(text: str, table: str, body: str) -> str:
    """Return the document with the lines between a table's marks exchanged.

    Raises:
        ValueError: the document has no marks for the table.
    """
    pattern = re.compile(rf"(<!-- bench: {re.escape(table)} -->\n).*?(<!-- end -->)", re.DOTALL)
    if not pattern.search(text):
        raise ValueError(f"no line `<!-- bench: {table} -->` before a line `<!-- end -->`")
    return pattern.sub(lambda found: f"{found[1]}{body}\n{found[2]}", text)


def rendered(rows: list[Row]) -> str:
    """Return a table: a line per row, what it must reach and whether it does; below it machine, versions and date."""
    rivals = list(dict.fromkeys(rival for row in rows for rival in row.rivals))
    notes = list(dict.fromkeys(note for row in rows for note in row.notes))
    head = ["", "ours (ms)", *(f"{rival} (ms)" for rival in rivals), *notes, "must reach", "reached"]
    lines = [head, ["---", *["---:"] * (len(head) - 3), "---", "---"], *(_cells(row, rivals, notes) for row in rows)]
    found = machine(PROJECT)
    packages = {**found["packages"], **({"jax": version("jax")} if any("JAX" in rival for rival in rivals) else {})}
    versions = ", ".join(f"{name} {version}" for name, version in packages.items())
    devices = ", ".join([found["processor"], f"{found['cores']} cores", *found["gpus"]])
    where = f"{devices}; Python {found['python']}, {versions}"
    return "\n".join(
        [
            *("| " + " | ".join(line) + " |" for line in lines),
            "",
            f"Measured on {datetime.now(UTC):%Y-%m-%d}: {where}.",
        ]
    )


def _cells(row: Row, rivals: list[str], notes: list[str]) -> list[str]:
    theirs = [f"{row.rivals[r]:.4g} ({row.ratios[r]:.2f} x)" if r in row.rivals else "" for r in rivals]
    found = row.reached()
    reached = ["yes" if good else "**no**" for good in found.values()]
    further = [f"{row.notes[note]:.3g}" if note in row.notes else "" for note in notes]
    return [row.name, f"{row.ours:.4g}", *theirs, *further, "; ".join(found), "; ".join(reached)]
