"""The full calibration: `python -m tests.calibration [TABLE ...]` makes the tables of docs/calibration.md again.

One process; the same figures every time. Exit code 1 if an error rate that is promised was not kept.
"""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING

from tests.calibration.cells import Share
from tests.calibration.document import DOCUMENT, rendered, replaced
from tests.calibration.tables import SEED, TABLES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.calibration.cells import Cell
    from tests.calibration.tables import Labels


def main(names: Sequence[str]) -> int:
    """Run the named tables, all by default; print them and write them to the document."""
    unknown = [name for name in names if name not in TABLES]
    if unknown:
        print(f"no table {', '.join(unknown)}; there are {', '.join(TABLES)}", file=sys.stderr)
        return 2
    chosen = {name: table for name, table in TABLES.items() if name in names or not names}
    clock = Clock(sum(table.cost * len(table.rows) for table in chosen.values()))
    broken: list[str] = []
    for name, table in chosen.items():
        rows: dict[Labels, list[str]] = {}
        for labels in table.rows:
            cells = table.cells(name, labels, table.runs, SEED)
            broken += [f"{name}: {' | '.join(labels)}: {cell}" for cell in cells if not kept(cell)]
            rows[labels] = [str(cell) for cell in cells]
            clock.tell(table.cost, f"{name}: {' | '.join(labels)}")
        body = rendered(name, table, rows)
        print(f"\n{name}\n{body}\n", flush=True)
        DOCUMENT.write_text(replaced(DOCUMENT.read_text(), name, body))
    print("\n".join(["promises broken:", *broken]) if broken else "every promise is kept")
    return 1 if broken else 0


def kept(cell: Cell) -> bool:
    """Return whether a cell keeps its promise, if it makes one."""
    return not (isinstance(cell, Share) and cell.promised and cell.exceeds)


class Clock:
    """Tells how far the work is, in proportion to the tables' costs."""

    def __init__(self, total: float) -> None:
        self.started, self.done, self.total = time.monotonic(), 0.0, total

    def tell(self, cost: float, what: str) -> None:
        """Print a line of progress."""
        self.done += cost
        passed = time.monotonic() - self.started
        left = passed * (self.total / self.done - 1)
        print(f"{100 * self.done / self.total:3.0f} %, {passed:4.0f} s, {left:4.0f} s left: {what}", file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
