"""What checks of claims say, in words: for the terminal, and for the details of a claim's report."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness._text import one_line
from harness.running.proof.mutants import score_words, survivor_words, survivors

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.running.proof.check import Check
    from harness.store.records.proof import MutantsRecord

HOLDS, FAILS, NOTHING = "✓", "✗", "–"

MOST_TOLD = 10
"""Versions that a report names."""


def check_lines(check: Check) -> Iterator[str]:
    """Yield a line for a check, and one for each thing that does not hold."""
    symbol = (HOLDS if check.passed else FAILS) if check.applies else NOTHING
    said = check.holds if check.passed else one_line(check.failures[0])
    yield f"  {symbol} {check.name:<14} {said}  ({check.seconds:.1f} s)"
    yield from (f"    {'':<14} {one_line(line)}" for line in check.failures[1:])


def mutant_lines(record: MutantsRecord) -> Iterator[str]:
    """Yield what noticed broken versions, then each that nothing noticed, by its line, and those that are equal."""
    yield from _by(record)
    yield from (f"{FAILS} {one_line(survivor_words(row))}" for row in survivors(record))
    for row in record.versions:
        if row.equal is not None:
            yield f"{NOTHING} {one_line(row.change)}: equal, because {one_line(row.equal)}"


def _by(record: MutantsRecord) -> Iterator[str]:
    """Yield what noticed how many; nothing where nothing did."""
    by = ", ".join(f"{number} by {WHO.get(kind, kind)}" for kind, number in sorted(record.by.items()))
    if by:
        yield f"noticed {by}"


WHO = {
    "does not run": "not running",
    "instrument test": "tests of the instrument",
    "reading": "readings",
    "control": "controls",
}


def detail_lines(record: MutantsRecord | None) -> Iterator[str]:
    """Yield what a report says of broken versions; nothing where none were tried."""
    if record is None:
        return
    yield ": ".join([score_words(record), *_by(record)])
    left = survivors(record)
    yield from (survivor_words(row) for row in left[:MOST_TOLD])
    if len(left) > MOST_TOLD:
        yield f"and {len(left) - MOST_TOLD} more"
