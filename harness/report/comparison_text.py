"""A comparison of two runs in words: for the terminal, and as Markdown."""

from __future__ import annotations

from itertools import accumulate
from typing import TYPE_CHECKING

from harness._text import escape_unprintable
from harness._text import in_markdown as text
from harness.report import wording
from harness.retrospect.comparison import (
    DIFFERENT,
    INDEPENDENT,
    NO_DIFFERENCE_DETECTED,
    NOT_COMPARED,
    ONLY_A,
    ONLY_B,
    PAIRED,
    REGRESSION,
    SAME,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from harness.retrospect.comparison import ClaimChange, Comparison, Estimate, EstimateChange, ReadingChange, RunHead

SYMBOL = {SAME: "=", NO_DIFFERENCE_DETECTED: "~", DIFFERENT: "≠", NOT_COMPARED: "-"}

METHODS = {
    PAIRED: "one base seed, so each seed has the same data draw in both runs, and the differences are paired",
    INDEPENDENT: "two base seeds, so seed k of A and seed k of B are independent draws, compared one with the other",
}


def lines(comparison: Comparison) -> list[str]:
    """Return a comparison for the terminal: what the runs are, verdicts that changed, then every estimate."""
    found = [
        *_run_lines("A", comparison.a),
        *_run_lines("B", comparison.b),
        "",
        verdict_words(comparison),
        *_changes(comparison),
        "",
        estimate_words(comparison),
    ]
    for pair in comparison.claims:
        found += ["", _claim_line(pair)]
        for row in pair.estimates:
            found.append(f"  {SYMBOL[row.outcome]} {row.expectation} ({row.unit}): {outcome_words(row)}")
            found += [f"      {side}" for side in _sides(row)]
    found += ["", *_method(comparison)]
    return [escape_unprintable(line) for line in found]


LARGEST_COMMENT = 65_000
"""Characters; GitHub takes a comment of 65,536 at most."""


def as_markdown(comparison: Comparison, largest: int = LARGEST_COMMENT) -> str:
    """Return a comparison as Markdown, for a job summary or a comment; claims without a difference come last, and go first for want of room."""
    found = ["# Comparison of two runs", ""]
    sides = {"A": comparison.a, "B": comparison.b}
    found += [f"- {text('; '.join(_run_lines(which, head)))}" for which, head in sides.items()]
    found += ["", "## Verdicts", "", f"**{text(verdict_words(comparison))}**", ""]
    changes, end = (
        [f"- {text(line.strip())}" for line in _changes(comparison)],
        [text(line) for line in _method(comparison)],
    )
    estimates = ["", "## Estimates", "", f"**{text(estimate_words(comparison))}**", ""]
    room = largest - sum(len(line) + 1 for line in (*found, *estimates, *end)) - 200
    shown = _fitting(changes, room)
    found += [*shown, *_left_out(len(changes) - len(shown), "changes"), *estimates]
    ordered = sorted(comparison.claims, key=lambda pair: not any(row.outcome == DIFFERENT for row in pair.estimates))
    sections = ["\n".join(_markdown_section(pair)) for pair in ordered]
    shown = _fitting(sections, room - sum(len(line) + 1 for line in shown))
    return "\n".join([*found, *shown, *_left_out(len(sections) - len(shown), "claims"), *end]) + "\n"


def _fitting(parts: Sequence[str], room: int) -> list[str]:
    """Return the first of `parts`, as many as there is room for."""
    return [
        part for part, taken in zip(parts, accumulate(len(part) + 1 for part in parts), strict=True) if taken <= room
    ]


def _left_out(count: int, what: str) -> list[str]:
    return [f"_{count} more {what} do not fit here; `claims compare` shows them._", ""] if count else []


def _markdown_section(pair: ClaimChange) -> Iterator[str]:
    """Yield the lines of a claim: a row per expectation."""
    yield from (f"### {text(_claim_line(pair))}", "", "| expectation | A | B | outcome |", "|---|---|---|---|")
    for row in pair.estimates:
        cells = (f"{row.expectation} ({row.unit})", _side(row.a), _side(row.b))
        outcome = f"{SYMBOL[row.outcome]} {outcome_words(row)}"
        yield "| " + " | ".join(text(cell) for cell in (*cells, outcome)) + " |"
    yield ""


def verdict_words(comparison: Comparison) -> str:
    """Return how many verdicts changed, in one line."""
    both = [row for row in comparison.verdicts if not _alone(row)]
    changed = [row for row in both if row.change]
    worse = sum(row.change == REGRESSION for row in changed)
    found = f"{len(changed)} of {len(both)} changed" if changed else f"none of {len(both)} changed"
    found += f", {worse} of them for the worse" if changed else ""
    lost = sum(row.change == ONLY_A for row in comparison.regressions)
    return f"Verdicts of readings: {found}" + (
        f"; {lost} that were as expected in A are not in B at all" if lost else ""
    )


def _alone(row: ReadingChange) -> bool:
    """Whether the claim of a reading is in one of the runs only."""
    return row.change in (ONLY_A, ONLY_B)


def estimate_words(comparison: Comparison) -> str:
    """Return how many estimates came out how, in one line."""
    rows = [row for pair in comparison.claims for row in pair.estimates]
    if not rows:
        return "Estimates: the runs have no claim in common"
    counts = {outcome: sum(row.outcome == outcome for row in rows) for outcome in (DIFFERENT, *SYMBOL)}
    return f"Estimates: {', '.join(f'{count} {outcome}' for outcome, count in counts.items() if count)}"


def _run_lines(which: str, head: RunHead) -> list[str]:
    commit = "no commit known" if head.commit is None else f"commit {head.commit[:10]}"
    commit += " with uncommitted changes" if head.uncommitted_changes else ""
    facts = [
        f"profile {_all(head.profiles)}",
        f"base seed {_all(head.base_seeds)}",
        f"{head.claims} claim{'s' * (head.claims != 1)}",
        f"{_all(head.devices)}, {_all(head.processors)}",
    ]
    begun = wording.minute(head.started)
    return [f"{which}  run {head.id} of {begun}, {commit}", f"   {'; '.join(facts)}"]


def _all(values: Iterable[object]) -> str:
    return ", ".join(map(str, values)) or "-"


def _changes(comparison: Comparison) -> Iterator[str]:
    """Yield the readings that changed, regressions first, then the claims that only one run has."""
    rows = comparison.verdicts
    changed = [row for row in rows if row.change and not _alone(row)]
    for row in sorted(changed, key=lambda row: row.change != REGRESSION):
        yield f"{'!' if row.change == REGRESSION else ' '} {row.claim}, {row.reading}: {change_words(row)}"
        yield f"      A: {row.a.reason}"
        yield f"      B: {row.b.reason}"
        yield from (f"      {band}" for band in row.bands)
    for change in (ONLY_A, ONLY_B):
        alone = [row for row in rows if row.change == change]
        for name in dict.fromkeys(row.claim for row in alone):
            own = [row for row in alone if row.claim == name]
            good = sum((row.a if change == ONLY_A else row.b).as_expected for row in own)
            yield f"  {change}: {name} ({good} of {_readings(len(own))} as expected)"


def _readings(number: int) -> str:
    return f"{number} reading{'s' * (number != 1)}"


def change_words(row: ReadingChange) -> str:
    """Return how a reading changed: `VERIFIED -> REFUTED, expected VERIFIED; regression`."""
    a, b = row.a, row.b
    expected = b.expected or a.expected
    moved = f" (in A: {a.expected})" if a.expected and b.expected and a.expected != b.expected else ""
    waived = ", waived" if b.waived else ""
    verdicts = f"{a.verdict or 'missing'} -> {b.verdict or 'missing'}{waived}"
    # The same verdict: what changed is an expectation behind it, which the reason names.
    flip = f" ({b.reason if row.change == REGRESSION else a.reason})" if a.verdict == b.verdict else ""
    return f"{verdicts}, expected {expected}{moved}; {row.change}{flip}"


def _claim_line(pair: ClaimChange) -> str:
    changed = f" (not the same in both: {', '.join(pair.changed)})" if pair.changed else ""
    return f"{pair.claim}{changed}"


def outcome_words(row: EstimateChange) -> str:
    """Return what is said of an expectation in both runs: `different, B / A 0.8 [0.7, 0.9]`."""
    if row.outcome == NOT_COMPARED:
        return f"{NOT_COMPARED}: {row.reason}"
    seeds = f"{row.n} seed{'s' * (row.n != 1)}"
    if row.outcome == SAME:
        return f"{SAME}, {seeds}"
    of = "B / A" if row.scale == "factor" else "B - A"
    values = f"{of} {wording.number(row.estimate)} {wording.span(row)}"
    return f"{row.outcome}, {values}, {seeds}, error rate {row.alpha:g}"


def _sides(row: EstimateChange) -> list[str]:
    """Return both sides of an expectation, one line each; a single one if they are the same."""
    a, b = _side(row.a), _side(row.b)
    return [f"A and B {a}"] if a == b else [f"A {a}", f"B {b}"]


def _side(side: Estimate | None) -> str:
    if side is None:
        return "missing"
    seeds = f"{side.n} seed{'s' * (side.n != 1)}"
    return f"{wording.number(side.estimate)} {wording.span(side)}, {seeds}, {side.verdict}"


def _method(comparison: Comparison) -> Iterator[str]:
    """Yield how estimates were held against each other, and how often that cries wolf."""
    methods = dict.fromkeys(
        pair.method for pair in comparison.claims if any(row.alpha is not None for row in pair.estimates)
    )
    if not methods:
        return
    yield "How: the confidence sequence of the differences of per-seed values, of logarithms for ratios; different means"
    yield "that it leaves out zero, which happens to equal runs with a chance of at most the error rate beside it."
    yield from (f"Seeds: {METHODS[method]}." for method in methods)
    yield f"False alarms to expect, at most: {comparison.expected_false_alarms:.3g}"
