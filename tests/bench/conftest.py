"""The bench: every row times ours and its rivals in turn, round after round, and says whether it reaches what it must.

Run by `nox -s bench`, never with the tests: its modules are named bench_*.py. What it finds goes to
reports/bench/rows.json and into docs/performance.md, between the marks that name a table.
"""

from __future__ import annotations

import json
import statistics
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.bench.document import write

if TYPE_CHECKING:
    from collections.abc import Callable

PROJECT = Path(__file__).parents[2]
FOUND = PROJECT / "reports" / "bench" / "rows.json"


@dataclass
class Row:
    """What the bench found of one row.

    Attributes:
        table: the table it belongs to.
        name: what was done.
        ours: median of our times, ms.
        rivals: rival -> median of its times, ms.
        ratios: rival -> median over rounds of its time over ours.
        must: rival or note -> the least that the ratio or the number may be.
        most: note, or OURS -> the most that the number may be.
        notes: further numbers, by name.
    """

    table: str
    name: str
    ours: float
    rivals: dict[str, float] = field(default_factory=dict)
    ratios: dict[str, float] = field(default_factory=dict)
    must: dict[str, float] = field(default_factory=dict)
    most: dict[str, float] = field(default_factory=dict)
    notes: dict[str, float] = field(default_factory=dict)

    def reached(self) -> dict[str, bool]:
        """Return for each thing that must be reached, in words, whether it is."""
        numbers = {**self.notes, **self.ratios, OURS: self.ours}
        least = {f"{bound:g} x {name}" if name in self.ratios else f"at least {bound:g} {name}": numbers[name] >= bound
                 for name, bound in self.must.items()}  # fmt: skip
        return least | {f"at most {bound:g} {name}": numbers[name] <= bound for name, bound in self.most.items()}


OURS = "ms"
"""What a bound on our own time is called."""


SETTLE = 1.0
"""Seconds before each contestant: threads of NumPy's and JAX's spin on after their work is done, and would take a core
from whoever comes next (after scikit-learn, 60 steps of 784-100-10 took us 290 to 340 ms instead of 200 to 240)."""


ROWS = pytest.StashKey[list[Row]]()


def pytest_configure(config: pytest.Config) -> None:
    config.stash[ROWS] = []


@pytest.fixture
def contest(benchmark, request):
    """Time ours against rivals, interleaved: before each round of ours every rival has one."""

    def run(
        table: str,
        name: str,
        ours: Callable[[], object],
        rivals: dict[str, Callable[[], object]] | None = None,
        *,
        must: dict[str, float] | None = None,
        most: dict[str, float] | None = None,
        rounds: int = 7,
        warm: bool = True,
        settle: float = SETTLE,
    ) -> Row:
        times: dict[str, list[float]] = {rival: [] for rival in rivals or {}}

        def others() -> None:
            for rival, work in (rivals or {}).items():
                time.sleep(settle)
                start = time.perf_counter()
                work()
                times[rival].append(time.perf_counter() - start)
            time.sleep(settle if rivals else 0.0)

        benchmark.pedantic(ours, setup=others, rounds=rounds, warmup_rounds=int(warm))
        own = benchmark.stats.stats.data
        # The first of a rival's times belongs to the warm-up round.
        ratios = {
            rival: statistics.median(theirs / mine for theirs, mine in zip(taken[int(warm) :], own, strict=True))
            for rival, taken in times.items()
        }
        medians = {rival: 1e3 * statistics.median(taken[int(warm) :]) for rival, taken in times.items()}
        row = Row(table, name, 1e3 * statistics.median(own), medians, ratios, must or {}, most or {})
        benchmark.group = table
        benchmark.extra_info.update(asdict(row))
        request.config.stash[ROWS].append(row)
        return row

    return run


TRAINED = {"perceptrons", "perceptrons against JAX", "convolutions"}

MEANS = {"plain loop": 2.5, "JAX jit+vmap": 1.0, "JAX with compiling": 3.0}
"""What the geometric means of the ratios must reach over all rows that have the rival."""


def means(rows: list[Row]) -> list[Row]:
    """Return a row of geometric means for each precision of the networks that were trained, if all of them were."""
    found = []
    trained = [row for row in rows if row.table in TRAINED]
    for precision in ("bfloat16", "float32") if {row.table for row in trained} == TRAINED else ():
        own = [row for row in trained if row.name.endswith(precision)]
        ratios = {r: statistics.geometric_mean(row.ratios[r] for row in own if r in row.ratios) for r in MEANS}
        medians = {r: statistics.geometric_mean(row.rivals[r] for row in own if r in row.rivals) for r in MEANS}
        ours = statistics.geometric_mean(row.ours for row in own)
        must = MEANS if precision == "bfloat16" else {}
        found.append(Row("geometric means", f"all networks, {precision}", ours, medians, ratios, must))
    return found


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Keep what was found and write it into the document."""
    rows = session.config.stash[ROWS]
    rows += means(rows)
    if rows:
        FOUND.parent.mkdir(parents=True, exist_ok=True)
        FOUND.write_text(json.dumps([asdict(row) for row in rows], indent=1))
        write(rows)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say of each row what it must reach and whether it does."""
    for row in terminalreporter.config.stash[ROWS]:
        ratios = ", ".join(f"{ratio:.2f} x {rival}" for rival, ratio in row.ratios.items())
        reached = ", ".join(f"{'reaches' if good else 'MISSES'} {what}" for what, good in row.reached().items())
        terminalreporter.write_line(f"{row.table} | {row.name}: {row.ours:.4g} ms; {ratios}; {reached or 'no bound'}")
