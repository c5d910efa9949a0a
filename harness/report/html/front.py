"""The front page: what came out, what needs attention, which sentences do not hold, and where all the rest stands."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness.judging.statements import DOES_NOT_HOLD, HOLDS_ONLY_WHEN
from harness.report.comparison_text import change_words, outcome_words
from harness.report.coverage_text import counts_words
from harness.report.html.document_page import statement_of, tally
from harness.report.html.page import render, script_of
from harness.report.place_text import machines
from harness.report.selection import as_expected, documents, found, good, reused, verdict_counts, waivers
from harness.report.view import VERDICTS, Line, attention, budget, provenance
from harness.report.wording import in_words, minute
from harness.specification.profiles import NO_VERDICT_PROFILE

if TYPE_CHECKING:
    from harness.retrospect.run_history import Changes, Past
    from harness.store.records.claim import ClaimRecord
    from harness.store.records.run import ErrorBudget, Run

Context = dict[str, Any]

UNFOLDED = 12
"""Claims of a run that are listed unfolded; sentences that do not hold, too."""


def front_page(run: Run, past: Past | None = None) -> str:
    """Return the front page, as HTML.

    Args:
        run: the run.
        past: what the store knows of earlier runs, None if nobody looked.
    """
    script, digest = script_of("page.js")
    rows = [_row(claim) for claim in sorted(run.judged, key=lambda c: (good(c), c.document.id, c.id))]
    return render(
        "index.html",
        script=script,
        script_hash=digest,
        head=_head(run),
        attention=list(attention(run)),
        changes=_changes(past, {claim.id: claim.title for claim in run.judged}),
        untrue=_untrue(run),
        unfolded=UNFOLDED,
        documents=_documents(run, rows),
        claims=rows,
        tags=sorted({tag for row in rows for tag in row["tags"]}),
        verdicts=VERDICTS,
        budget=budget(run),
        run=provenance(run),
        history=past is not None,
        version=run.machine.packages.get("claims-harness", ""),
    )


def _row(claim: ClaimRecord) -> Context:
    """Return a claim as one line, with what the filter looks at."""
    head, rest = found(claim)
    tags = [claim.strength, *claim.tags]
    unexpected = [] if good(claim) else ["unexpected"]
    words = " ".join((claim.id, claim.title, claim.statement, claim.document.title, *tags))
    return {
        "id": claim.id,
        "title": claim.title,
        "document": claim.document.id,
        "marks": [(r.verdict, in_words(name), r.as_expected or r.waived) for name, r in claim.readings.items()],
        "found": f"{head[:1].upper()}{head[1:]}{rest}.",
        "tags": tags,
        "search": " ".join(words.lower().split()),
        "verdicts": " ".join([*dict.fromkeys(r.verdict for r in claim.readings.values()), *unexpected]),
    }


def _untrue(run: Run) -> list[Context]:
    """Return the statements that do not hold as they are written, those that hold nowhere first."""
    records = run.records
    statements = [s for document in run.documents for s in document.statements]
    return [
        statement_of(s, records.get(s.claim or ""))
        for word in (DOES_NOT_HOLD, HOLDS_ONLY_WHEN)
        for s in statements
        if s.word == word
    ]


def _documents(run: Run, rows: list[Context]) -> list[Context]:
    """Return the documents with claims or statements, each with its tally and its claims."""
    return [
        {
            **dict(head),
            "claims": [row for row in rows if row["document"] == name],
            "tally": tally(covered),
            "counts": counts_words(covered.counts) if covered else "",
        }
        for name, (head, covered) in documents(run).items()
    ]


def _head(run: Run) -> Context:
    fine, total = as_expected(run)
    again, trials = reused(run)
    claims, bound = run.judged, run.error_budget
    return {
        "good": fine,
        "total": total,
        "waivers": waivers(run),
        "counts": verdict_counts(run),
        "smoke": run.options.profile == NO_VERDICT_PROFILE,
        "date": minute(run.started) + " UTC",
        "profile": run.options.profile,
        "base_seed": run.options.base_seed,
        "machines": machines(found for claim in claims for found in claim.places),
        "facts": [
            ("claims", len(claims), f"of {len({claim.document.id for claim in claims})} documents"),
            ("trials", f"{trials:,}", f"{again:,} reused"),
            ("time of this run", *_duration(sum(claim.cost.wall_seconds for claim in claims))),
            ("computing behind it", *_duration(sum(claim.cost.compute_seconds for claim in claims))),
            ("false verdicts to expect", f"{bound.expected_false_verdicts:.2g}", _bound_of(bound)),
        ],
    }


def _duration(seconds: float) -> tuple[str, str]:
    if seconds < 90:
        return f"{seconds:.0f}", "s"
    return (f"{seconds / 60:.1f}", "min") if seconds < 5400 else (f"{seconds / 3600:.1f}", "h")


def _bound_of(budget: ErrorBudget) -> str:
    """Return what the number of false verdicts is: a bound, if it holds for all."""
    return f"at most; no bound for {budget.without_bound}" if budget.without_bound else "at most"


def _changes(past: Past | None, titles: dict[str, str]) -> Context | None:
    """Return what changed since each claim's run before; None if nobody looked, or there was none."""
    if past is None or not past.changes.compared:
        return None
    changes = past.changes
    lines = [
        Line(row.claim, titles[row.claim], f"{in_words(row.reading)}: {change_words(row)}") for row in changes.verdicts
    ]
    lines += [
        Line(claim, titles[claim], f"{in_words(row.expectation)}: {outcome_words(row)}")
        for claim, row in changes.estimates
    ]
    return {"words": _changes_in_short(changes), "lines": lines}


def _changes_in_short(changes: Changes) -> str:
    before = [minute(started) for started in changes.before]
    since = before[0] if len(before) == 1 else f"{before[0]} to {before[-1]}"
    verdicts = f"{len(changes.verdicts) or 'no'} verdict{'s' * (len(changes.verdicts) != 1)} changed"
    estimates = ", ".join(f"{count} {outcome}" for outcome, count in changes.outcomes.items())
    new = f" {len(changes.new)} claims had no run before." if changes.new else ""
    return f"Against each claim's run before ({since} UTC): {verdicts}; of the estimates {estimates}.{new}"
