"""The report as Markdown: for a job summary, and for a reader who knows nothing of this project."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from harness._text import in_html
from harness._text import in_markdown as text
from harness.judging.statements import DOES_NOT_HOLD, HOLDS_ONLY_WHEN
from harness.report import wording
from harness.report.coverage_text import SYMBOLS, counts_words, found_words
from harness.report.sections import listed, marks, section, sentence
from harness.report.selection import (
    anchor,
    as_expected,
    good,
    lost_after_holm,
    reused,
    verdict_counts,
    waivers,
)
from harness.report.view import VERDICTS, attention, budget, provenance
from harness.report.wording import minute

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harness.store.records.claim import ClaimRecord
    from harness.store.records.coverage import DocumentCoverage, StatementRecord
    from harness.store.records.run import Run

UNTRUE = (DOES_NOT_HOLD, HOLDS_ONLY_WHEN)

LARGEST = 1_000_000
"""Bytes; GitHub drops a whole job summary above 1 MiB."""

SMALLEST = 100_000
"""Bytes; with less room there is no report."""

INTRODUCTION = """\
Somebody wrote a sentence about machine learning. Is it so? For each such sentence (a *claim*) this run trained real models,
many times over with fresh random draws (*seeds*), and held what came out against a band of values that was fixed beforehand.
Sentences can be wrong: a reading that was expected to be refuted, and is, came out as expected."""

READINGS = """\
A sentence may be taken in more than one way; each way is a *reading* with its own verdict. Each
reading says beforehand which verdict theory or the source lets us expect, and why. A *control* is a change under which an
expectation must fail; it shows that the claim could have failed. *Waived*: it came out otherwise, and somebody answers for
that up to a day."""


def markdown(run: Run, largest: int = LARGEST) -> str:
    """Return the report, what failed first; sections that would make it longer than `largest` bytes are left out."""
    parts = [
        _head(run),
        _attention(run),
        _legend(),
        _untrue(run),
        _overview(run),
        *map(partial(_statements, run.records), run.documents),
    ]
    end = [f"## How sure this is\n\n{text(budget(run))}\n", f"## Provenance\n\n{listed(provenance(run))}\n"]
    size = sum(len(part.encode()) for part in (*parts, *end))
    left_out = 0
    for claim in sorted(run.judged, key=lambda c: (good(c), c.id)):
        # The first of those that are folded has a heading above it.
        heading = AS_EXPECTED if good(claim) and AS_EXPECTED not in parts else ""
        found = section(claim)
        size += len(found.encode())
        if size > largest - 10_000:
            left_out += 1
        else:
            parts += [heading, found]
    if left_out:
        parts.append(f"_{left_out} more claims are described in report.json; this file is kept below 1 MiB._\n")
    return "\n".join(part for part in (*parts, *end) if part)


AS_EXPECTED = "## Claims that came out as expected\n\nEach unfolds.\n"


def _head(run: Run) -> str:
    fine, total = as_expected(run)
    again, trials = reused(run)
    counts = ", ".join(f"{count} {verdict}" for verdict, count in verdict_counts(run).items())
    profile = text(", ".join(sorted({claim.profile for claim in run.judged})) or "-")
    seconds = sum(claim.cost.wall_seconds for claim in run.judged)
    broken = f" **{len(run.problems)} claims could not be run.**" if run.problems else ""
    lost = (
        f" Adjusted for their number, {len(lost_after_holm(run))} verdicts do not stand."
        if lost_after_holm(run)
        else ""
    )
    return f"""# Claims report

**{fine} of {total} readings came out as expected{waivers(run)}** ({counts or "none was run"}).{broken}{lost}
Profile {profile}, base seed {text(run.options.base_seed)}, {len(run.judged)} claims, {trials} trials (reused {again} of {trials}), {seconds:.0f} s, begun {text(minute(run.started))} UTC.

{INTRODUCTION}
"""


def _legend() -> str:
    table = "\n".join(f"| {wording.SYMBOL[verdict]} {verdict} | {meaning} |" for verdict, meaning in VERDICTS.items())
    head = "<details><summary>How to read this</summary>\n\n| verdict | what it says |\n|---|---|"
    return f"{head}\n{table}\n\n{READINGS}\n\n</details>\n"


def _attention(run: Run) -> str:
    """Return what needs attention, nothing if all is as expected."""
    lines = "".join(f"- **{text(line.title)}**: {text(line.text)}\n" for line in attention(run))
    return f"## What needs attention\n\n{lines}" if lines else ""


def _untrue(run: Run) -> str:
    """Return the statements that do not hold as they are written, nothing if there are none."""
    records = run.records
    lines = [_statement(records, s) for document in run.documents for s in document.statements if s.word in UNTRUE]
    return "\n".join(["## Sentences that do not hold", "", *lines, ""]) if lines else ""


def _statements(records: Mapping[str, ClaimRecord], document: DocumentCoverage) -> str:
    """Return a document statement by statement, folded."""
    head = f"<b>{in_html(document.document.title)}</b>, statement by statement: {counts_words(document.counts)}"
    lines = [_statement(records, statement) for statement in document.statements]
    return "\n".join([f"<details><summary>{head}</summary>", "", *lines, "", "</details>", ""])


def _statement(records: Mapping[str, ClaimRecord], statement: StatementRecord) -> str:
    """Return `- ✗ does not hold as written: the sentence (L83; `id`): what was found`."""
    claim = records.get(statement.claim or "")
    found = found_words(statement, claim)
    says = f"[{text(statement.says)}](#{anchor(claim.id)})" if claim else text(statement.says)
    place = "; ".join(filter(None, (statement.place, statement.id)))
    return (
        f"- {SYMBOLS[statement.word]} **{statement.word}**: {says} ({text(place)}){f': {text(found)}' if found else ''}"
    )


def _overview(run: Run) -> str:
    lines = ["## Overview", ""]
    documents = {claim.document.id: claim.document for claim in run.judged}
    for key, document in sorted(documents.items()):
        lines += [
            f"### {text(document.title)}",
            "",
            f"{text(document.summary)} ({text(document.authors)}, {text(document.year)})",
            "",
        ]
        lines += ["| statement | as we found it | readings |", "|---|---|---|"]
        for claim in sorted(run.judged, key=good):
            if claim.document.id == key:
                link = f"[{text(claim.title)}](#{anchor(claim.id)})"
                lines.append(f"| {link} | {sentence(claim)} | {marks(claim)} |")
        lines.append("")
    return "\n".join(lines)
