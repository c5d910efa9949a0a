"""Documents statement by statement, in words: for the terminal, and for every report."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

from harness.judging.statements import DECIDED, HOLDS_ONLY_WHEN
from harness.judging.verdict import VERIFIED
from harness.report.styled import safe
from harness.report.wording import decided_words, in_words

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from harness.judging.statements import Word
    from harness.store.records.claim import ClaimRecord
    from harness.store.records.coverage import DocumentCoverage, StatementRecord

SYMBOLS: dict[Word, str] = {
    "holds": "✓",
    "holds only when": "◐",
    "does not hold as written": "✗",
    "not decided": "?",
    "cannot be judged": "!",
    "not run": "-",
    "not checked": "·",
}

COLOURS: dict[Word, str] = {
    "holds": "green",
    "holds only when": "yellow",
    "does not hold as written": "red",
    "not decided": "yellow",
    "cannot be judged": "bold red",
    "not run": "dim",
    "not checked": "dim",
}


def counts_words(counts: Mapping[Word, int]) -> str:
    """Return `12 hold, 3 do not hold as written, 40 not run`."""
    many = {
        "holds": "hold",
        "holds only when": "hold only when ...",
        "does not hold as written": "do not hold as written",
    }
    return ", ".join(f"{count} {many.get(word, word) if count > 1 else word}" for word, count in counts.items())


def found_words(statement: StatementRecord, claim: ClaimRecord | None) -> str:
    """Return what was found, in one line with estimate and interval, and when it holds or what does; or why nothing was asked."""
    if statement.not_checked:
        return statement.not_checked
    if statement.answer is None or claim is None or statement.word not in DECIDED:
        return ""
    own = [reading for name, reading in claim.readings.items() if name in statement.answer.literal]
    decisive = next((reading for reading in own if reading.verdict != VERIFIED), own[0])
    scopes = _means(statement.answer.only_when, claim) if statement.word == HOLDS_ONLY_WHEN else []
    instead = _means(statement.answer.instead, claim)
    parts = [decided_words(decisive, band=True), *(f"it holds {_when(scope)}" for scope in scopes)]
    return "; ".join([*parts, *(f"what holds: {meaning}" for meaning in instead)])


def _when(scope: str) -> str:
    """Return a scope with a word before it, if it has none of its own."""
    return (
        scope
        if scope.split(maxsplit=1)[0] in ("when", "with", "for", "in", "if", "on", "under", "where")
        else f"so: {scope}"
    )


def _means(names: Sequence[str], claim: ClaimRecord | None) -> list[str]:
    """Return how readings of a claim that are verified take the statement."""
    readings = {name: claim.readings[name] for name in names if claim and name in claim.readings}
    return [(r.means or in_words(name)).rstrip(".") for name, r in readings.items() if r.verdict == VERIFIED]


def lines(documents: Sequence[DocumentCoverage], records: Mapping[str, ClaimRecord], width: int) -> Iterator[str]:
    """Yield documents statement by statement; marks of style as rich reads them.

    Args:
        documents: what is covered.
        records: claim -> its record.
        width: columns of the terminal.
    """
    for document in documents:
        yield f"[bold]{safe(document.document.id)}[/]  [dim]{safe(document.document.title)}[/]"
        yield f"  {len(document.statements)} statements: {safe(counts_words(document.counts))}"
        for statement in document.statements:
            yield from _statement(statement, records.get(statement.claim or ""), width)
        yield ""
    if not documents:
        yield "no document.yaml lists statements; `statements:` in one does, and `answers:` in claim.yaml answers them"


def _statement(statement: StatementRecord, claim: ClaimRecord | None, width: int) -> Iterator[str]:
    by = f"  [dim]{safe(statement.claim)}[/]" if statement.claim else ""
    yield f"  [{COLOURS[statement.word]}]{SYMBOLS[statement.word]}[/] {safe(statement.id)}{by}"
    yield from (f"      {safe(line)}" for line in textwrap.wrap(statement.says, max(20, width - 6)))
    found = found_words(statement, claim)
    told = f"{statement.word}: {found}" if found else statement.word
    yield from (f"      [dim]{safe(line)}[/]" for line in textwrap.wrap(told, max(20, width - 6)))
