"""A/A runs in words: for the terminal, and for the details of a claim's report."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.report import wording

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from harness.store.records.aa import Floor, NoiseRecord, SelfComparison, SelfExpectation

HEAD = ("metric", "at", "seeds", "difference", "interval", "verdict", "noise floor", "in sd over seeds")

WORDS = {"NO_DIFFERENCE_DETECTED": "not told apart", "DIFFERENT": "DIFFERENT", "INVALID": "INVALID"}

BROKEN = "the same arm differs from itself: pairing, seeding or the instrument is broken"


def table(record: NoiseRecord) -> list[str]:
    """Return an A/A run as lines: every comparison, what the claim's expectations make of it, and what that says."""
    first, second = record.streams
    lines = [
        f"{record.id}: arm {record.arm} against itself",
        f"profile {record.profile}; streams of seeds of base {first} and {second}",
        "",
        *_aligned([HEAD, *(_row(row) for row in record.comparisons)]),
        "",
    ]
    for name, row in record.expectations.items():
        lines.append(_expectation(name, row))
    if record.expectations:
        lines.append("")
    lines += [f"trial failed: {error}" for error in record.errors[:5]]
    lines += [f"! {problem}" for row in record.comparisons for problem in row.problems[:3]]
    return [*lines, verdict_words(record), floor_words(record)]


def verdict_words(record: NoiseRecord) -> str:
    """Return what an A/A run says of the arm, in one line."""
    rows = record.comparisons
    if record.verdict == "INVALID":
        return "INVALID: a trial failed, or gave what is no measurement"
    if record.verdict == "DIFFERENT":
        apart = [f"{row.metric} ({_place(row)})" for row in rows if row.verdict == "DIFFERENT"]
        apart += [name for name, row in record.expectations.items() if not row.as_it_must]
        return f"DIFFERENT in {', '.join(apart)}: {BROKEN}"
    constant = sum(row.constant for row in rows)
    same = f", {constant} of them of a metric that has one value in every trial, which says nothing" if constant else ""
    alphas = [record.alpha for _ in rows] + [row.alpha for row in record.expectations.values()]
    rate = f"false alarms to expect, at most: {sum(alphas):.3g}"
    return f"not told apart: all intervals ({len(rows)}) hold zero{same}; {rate}"


def floor_words(record: NoiseRecord) -> str:
    """Return the noise floor in one line: per metric the largest over the arm's points."""
    rows = [(row, row.noise) for row in record.comparisons if row.noise]
    seeds = " and ".join(map(str, record.repeated_seeds))
    head = f"noise floor, seeds {seeds} measured {record.repeats} times again, once in a fresh process"
    if not rows:
        return f"{head}: unknown, since a trial failed"
    if not any(noise.spread or noise.from_evidence for _, noise in rows):
        return f"{head}: bit for bit"
    ordered = sorted(rows, key=lambda found: (found[1].spread, found[1].from_evidence))
    largest = {row.metric: (row, noise) for row, noise in ordered}
    found = (f"{name} {_floor(noise)}{_in_sd(noise)} ({_place(row)})" for name, (row, noise) in largest.items())
    return f"{head}: {', '.join(found)}"


def detail_lines(record: NoiseRecord | None) -> list[str]:
    """Return what a claim's report says of its last A/A run."""
    if record is None:
        return ["A/A run and noise floor: none was made with this code, data and settings; `claims aa ID` makes one"]
    head = f"A/A run of arm {record.arm} (base seed {record.base_seed}, {record.finished[:10]})"
    return [f"{head}: {verdict_words(record)}", f"Of the same arm, {floor_words(record)}"]


def _row(row: SelfComparison) -> tuple[str, ...]:
    verdict = WORDS[row.verdict] + (" (one value)" if row.constant else "")
    metric = f"{row.metric} ({row.unit})"
    if row.n == 0:
        return (metric, _place(row), "-", "-", "-", verdict, "-", "-")
    noise = row.noise
    floor = (_floor(noise), wording.number(noise.in_sd or None)) if noise else ("-", "-")
    return (metric, _place(row), str(row.n), wording.number(row.estimate), wording.span(row), verdict, *floor)


def _place(row: SelfComparison) -> str:
    conditions = [f"{name} {value}" for name, value in row.point.items() if name != "arm"]
    return ", ".join(conditions) or str(row.point["arm"])


def _floor(noise: Floor) -> str:
    if noise.spread:
        return wording.number(noise.spread)
    # Equal among themselves, but not to the trial of the evidence, which was measured earlier and among other seeds.
    return f"bit for bit, but {wording.number(noise.from_evidence)} off" if noise.from_evidence else "bit for bit"


def _in_sd(noise: Floor) -> str:
    return f", {wording.number(noise.in_sd)} of the standard deviation over seeds" if noise.in_sd else ""


def _expectation(name: str, row: SelfExpectation) -> str:
    admits = "its band admits equality" if row.admits_equality else "its band does not admit equality"
    must = "must not be REFUTED" if row.admits_equality else "must not be VERIFIED"
    state = "as it must" if row.as_it_must else "BROKEN"
    return f"with the arm in both places, {name}: {row.verdict} ({state}: {admits}, so it {must}); {row.reason}"


def _aligned(rows: Iterable[tuple[str, ...]]) -> Iterator[str]:
    cells = list(rows)
    widths = [max(len(row[column]) for row in cells) for column in range(len(cells[0]))]
    for row in cells:
        yield "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
