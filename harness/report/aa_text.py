"""A/A runs in words: for the terminal, and for the details of a claim's report."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness.report import wording

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

HEAD = ("metric", "at", "seeds", "difference", "interval", "verdict", "noise floor", "in sd over seeds")

WORDS = {"NOT_TOLD_APART": "not told apart", "DIFFERENT": "DIFFERENT", "INVALID": "INVALID"}

BROKEN = "the same arm differs from itself: pairing, seeding or the instrument is broken"


def table(record: dict[str, Any]) -> list[str]:
    """Return an A/A run as lines: every comparison, what the claim's expectations make of it, and what that says."""
    first, second = record["streams"]
    lines = [
        f"{record['id']}: arm {record['arm']} against itself",
        f"profile {record['profile']}; streams of seeds of base {first} and {second}",
        "",
        *_aligned([HEAD, *(_row(row) for row in record["comparisons"])]),
        "",
    ]
    for name, row in record["expectations"].items():
        lines.append(_expectation(name, row))
    if record["expectations"]:
        lines.append("")
    lines += [f"trial failed: {error}" for error in record["errors"][:5]]
    lines += [f"! {problem}" for row in record["comparisons"] for problem in row.get("problems", [])[:3]]
    return [*lines, verdict_words(record), floor_words(record)]


def verdict_words(record: dict[str, Any]) -> str:
    """Return what an A/A run says of the arm, in one line."""
    rows = record["comparisons"]
    if record["verdict"] == "INVALID":
        return "INVALID: a trial failed, or gave what is no measurement"
    if record["verdict"] == "DIFFERENT":
        apart = [f"{row['metric']} ({_place(row)})" for row in rows if row["verdict"] == "DIFFERENT"]
        apart += [name for name, row in record["expectations"].items() if not row["as_it_must"]]
        return f"DIFFERENT in {', '.join(apart)}: {BROKEN}"
    constant = sum(row["constant"] for row in rows)
    same = f", {constant} of them of a metric that has one value in every trial, which says nothing" if constant else ""
    alphas = [record["alpha"] for _ in rows] + [row["alpha"] for row in record["expectations"].values()]
    rate = f"false alarms to expect, at most: {sum(alphas):.3g}"
    return f"not told apart: all intervals ({len(rows)}) hold zero{same}; {rate}"


def floor_words(record: dict[str, Any]) -> str:
    """Return the noise floor in one line: per metric the largest over the arm's points."""
    rows = [row for row in record["comparisons"] if "noise" in row]
    seeds = " and ".join(map(str, record["repeated_seeds"]))
    head = f"noise floor, seeds {seeds} measured {record['repeats']} times again, once in a fresh process"
    if not rows:
        return f"{head}: unknown, since a trial failed"
    if not any(row["noise"]["spread"] or row["noise"]["from_evidence"] for row in rows):
        return f"{head}: bit for bit"
    largest = {}
    for row in sorted(rows, key=lambda row: (row["noise"]["spread"], row["noise"]["from_evidence"])):
        largest[row["metric"]] = row
    found = (f"{name} {_floor(row)}{_in_sd(row)} ({_place(row)})" for name, row in largest.items())
    return f"{head}: {', '.join(found)}"


def detail_lines(record: dict[str, Any] | None) -> list[str]:
    """Return what a claim's report says of its last A/A run."""
    if record is None:
        return ["A/A run and noise floor: none was made with this code, data and settings; `claims aa ID` makes one"]
    head = f"A/A run of arm {record['arm']} (base seed {record['base_seed']}, {record['finished'][:10]})"
    return [f"{head}: {verdict_words(record)}", f"Of the same arm, {floor_words(record)}"]


def _row(row: dict[str, Any]) -> tuple[str, ...]:
    verdict = WORDS[row["verdict"]] + (" (one value)" if row["constant"] else "")
    metric = f"{row['metric']} ({row['unit']})"
    if "n" not in row:
        return (metric, _place(row), "-", "-", "-", verdict, "-", "-")
    noise = row.get("noise")
    floor = (_floor(row), wording.number(noise["in_sd"] or None)) if noise else ("-", "-")
    return (metric, _place(row), str(row["n"]), wording.number(row["estimate"]), wording.span(row), verdict, *floor)


def _place(row: dict[str, Any]) -> str:
    conditions = [f"{name} {value}" for name, value in row["point"].items() if name != "arm"]
    return ", ".join(conditions) or row["point"]["arm"]


def _floor(row: dict[str, Any]) -> str:
    noise = row["noise"]
    if noise["spread"]:
        return wording.number(noise["spread"])
    # Equal among themselves, but not to the trial of the evidence, which was measured earlier and among other seeds.
    return f"bit for bit, but {wording.number(noise['from_evidence'])} off" if noise["from_evidence"] else "bit for bit"


def _in_sd(row: dict[str, Any]) -> str:
    part = row["noise"]["in_sd"]
    return f", {wording.number(part)} of the standard deviation over seeds" if part else ""


def _expectation(name: str, row: dict[str, Any]) -> str:
    admits = "its band admits equality" if row["admits_equality"] else "its band does not admit equality"
    must = "must not be REFUTED" if row["admits_equality"] else "must not be VERIFIED"
    state = "as it must" if row["as_it_must"] else "BROKEN"
    return f"with the arm in both places, {name}: {row['verdict']} ({state}: {admits}, so it {must}); {row['reason']}"


def _aligned(rows: Iterable[tuple[str, ...]]) -> Iterator[str]:
    cells = list(rows)
    widths = [max(len(row[column]) for row in cells) for column in range(len(cells[0]))]
    for row in cells:
        yield "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
