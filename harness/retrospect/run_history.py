"""What became of the claims of a run, run by run: their verdicts, estimates and costs, and what changed since the last."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness.retrospect.compare import compare, expectations_of, same_clock
from harness.retrospect.difference import DIFFERENT, difference

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from harness.running.record import Record
    from harness.store.store import Store

Run = dict[str, Any]
Chronicle = dict[str, Any]

MOST_RUNS = 30
"""Runs of a claim that are looked back at."""

SHOWN = ("verdict", "estimate", "low", "high", "n", "band", "unit", "exact")


def chronicle_of(store: Store, run: Run) -> Chronicle:
    """Return the past of every claim of a run, under the same profile and on the same device, as plain values.

    `changes` holds the run against each claim's run before; `claims` has their runs, the earliest first.
    """
    past = {
        claim["id"]: store.past_records(claim["id"], claim["profile"], claim["device"], run["started"], MOST_RUNS)
        for claim in run["claims"]
        if "problem" not in claim
    }
    return {
        "changes": _changes(past.values()),
        # The run itself is among them, unless its store was changed meanwhile.
        "claims": [{"id": name, "runs": list(_entries(runs))} for name, runs in past.items() if runs],
    }


def _changes(past: Iterable[list[tuple[Run, Record]]]) -> Record:
    """Return what changed since each claim's run before: readings whose verdict did, and how many estimates did what."""
    pairs = [(runs[-2], runs[-1]) for runs in past if len(runs) > 1]
    found = [_compared(*pair) for pair in pairs]
    estimates = [
        {**row, "claim": pair["claim"]} for one in found for pair in one["claims"] for row in pair["estimates"]
    ]
    outcomes = [row["outcome"] for row in estimates]
    return {
        "compared": len(pairs),
        "new": [runs[-1][1]["id"] for runs in past if len(runs) == 1],
        "before": sorted({before["started"] for (before, _), _ in pairs}),
        "verdicts": [row for one in found for row in one["verdicts"] if row["change"]],
        "estimates": [row for row in estimates if row["outcome"] == DIFFERENT],
        "outcomes": {outcome: outcomes.count(outcome) for outcome in dict.fromkeys(outcomes)},
    }


def _compared(before: tuple[Run, Record], now: tuple[Run, Record]) -> Record:
    """Return the comparison of one claim's record with that of its run before."""
    a, b = ({**run, "claims": [record]} for run, record in (before, now))
    return compare(a, b)


def _entries(runs: list[tuple[Run, Record]]) -> Iterator[Record]:
    """Yield what each run said of a claim, and what was another than in the run before it."""
    before: tuple[Run, Record] | None = None
    for run, record in runs:
        expectations = expectations_of(record)
        yield {
            "run": run["id"],
            "started": run["started"],
            "commit": run["machine"].get("commit"),
            "base_seed": record["base_seed"],
            "code": record["code"]["digest"],
            "compute_seconds": record["cost"]["compute_seconds"],
            "readings": {
                name: {"verdict": reading["verdict"], "as_expected": reading["as_expected"]}
                for name, reading in record["readings"].items()
            },
            "expectations": {name: {key: e[key] for key in SHOWN} for name, e in expectations.items()},
            "steps": [] if before is None else _steps(before[1], record),
            "code_changed": before is not None and before[1]["code"]["digest"] != record["code"]["digest"],
        }
        before = run, record


def _steps(before: Record, record: Record) -> list[str]:
    """Return the expectations whose values differ from those of the run before by more than chance."""
    first, second = expectations_of(before), expectations_of(record)
    comparable = same_clock(before, record)
    return [
        name
        for name in second
        if name in first and difference(first[name], second[name], comparable=comparable)["outcome"] == DIFFERENT
    ]
