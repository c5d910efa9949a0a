"""The report as one HTML file that loads nothing: it opens from a disk, offline, on paper and on a telephone."""

from __future__ import annotations

import base64
import hashlib
from functools import lru_cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from harness._text import escape_unprintable
from harness.report import wording
from harness.report.comparison_text import change_words, outcome_words
from harness.report.html import charts
from harness.report.html.claim_section import article_of
from harness.report.selection import (
    anchor,
    as_expected,
    good,
    reused,
    verdict_counts,
    waivers,
)
from harness.report.view import VERDICTS, Line, attention, budget, provenance
from harness.report.wording import in_words, minute
from harness.specification.profiles import NO_VERDICT_PROFILE

if TYPE_CHECKING:
    from jinja2 import Environment

    from harness.retrospect.run_history import Changes, Past
    from harness.store.records.claim import ClaimRecord
    from harness.store.records.run import ErrorBudget, Run

Context = dict[str, Any]

LARGEST = 2 * 2**20
"""Bytes of the page, above which claims that came out as expected are shown in short."""

MOST_WHOLE = 150
"""Claims, above which they are so in any case."""

MEANINGS = {
    "VERIFIED": "hold",
    "REFUTED": "do not hold",
    "INCONCLUSIVE": "are not decided",
    "INVALID": "cannot be judged",
    "NOT_RUN": "were not run",
}


def page(run: Run, past: Past | None = None) -> str:
    """Return the front page and a section for every claim, as HTML.

    Were it larger than 2 MiB, the sections of claims that came out as expected are short ones.

    Args:
        run: the run.
        past: what the store knows of earlier runs (`chronicle`), None if nobody looked.
    """
    # So many are not worth the attempt.
    whole = _page(run, past, brief=False) if len(run.claims) <= MOST_WHOLE else None
    return whole if whole and len(whole.encode()) <= LARGEST else _page(run, past, brief=True)


def _page(run: Run, past: Past | None, *, brief: bool) -> str:
    script = _asset("page.js")
    claims = [article_of(claim, brief=brief and good(claim)) for claim in _sorted(run.judged)]
    documents = _documents(run, claims)
    return render(
        "index.html",
        script=script,
        script_hash=_sha256(script),
        head=_head(run),
        attention=list(attention(run)),
        changes=_changes(past, {claim.id: claim.title for claim in run.judged}),
        documents=documents,
        claims=claims,
        tags=sorted({tag for claim in claims for tag in claim["tags"]}),
        strip_width=charts.STRIP,
        verdicts=VERDICTS,
        budget=budget(run),
        run=provenance(run),
        history=past is not None,
    )


def render(template: str, **context: Any) -> str:
    """Return a template of harness/report/html/templates filled with plain values; every value is shown as text."""
    return _environment().get_template(template).render(**context)


@lru_cache(maxsize=1)
def _environment() -> Environment:
    from jinja2 import Environment, PackageLoader, StrictUndefined
    from markupsafe import Markup

    def shown(value: object) -> object:
        """Return text without what moves a cursor or turns the direction of writing; markup is our own."""
        return (
            value if isinstance(value, Markup) else escape_unprintable(value, "\n") if isinstance(value, str) else value
        )

    made = Environment(
        loader=PackageLoader("harness.report.html"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=shown,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.globals |= {"symbol": wording.SYMBOL, "meanings": MEANINGS, "style": _asset("style.css")}
    made.filters |= {"moves": charts.moves, "path": charts.path}
    return made


@lru_cache(maxsize=4)
def _asset(name: str) -> Any:
    """Return a style sheet or script of this package, to be put into a page as it is."""
    from markupsafe import Markup

    return Markup(files("harness.report.html").joinpath("templates", name).read_text(encoding="utf-8"))  # noqa: S704


def _sha256(script: str) -> str:
    """Return what a page's security policy calls a script by, so that no other runs in it."""
    return base64.b64encode(hashlib.sha256(script.encode()).digest()).decode("ascii")


def _sorted(claims: list[ClaimRecord]) -> list[ClaimRecord]:
    """Return claims with those that came out otherwise than expected first, then document by document."""
    return sorted(claims, key=lambda c: (good(c), c.document.id, c.id))


def _head(run: Run) -> Context:
    fine, total = as_expected(run)
    again, trials = reused(run)
    claims, machine, bound = run.judged, run.machine, run.error_budget
    wall = sum(claim.cost.wall_seconds for claim in claims)
    compute = sum(claim.cost.compute_seconds for claim in claims)
    return {
        "good": fine,
        "total": total,
        "waivers": waivers(run),
        "counts": verdict_counts(run),
        "smoke": run.options.profile == NO_VERDICT_PROFILE,
        "date": minute(run.started) + " UTC",
        "profile": run.options.profile,
        "base_seed": run.options.base_seed,
        "processor": machine.processor,
        "cores": machine.cores,
        "version": machine.packages.get("claims-harness", ""),
        "facts": [
            ("claims", len(claims), f"of {len({c.document.id for c in claims})} documents"),
            ("trials", f"{trials:,}", f"{again:,} reused"),
            ("time of this run", *_duration(wall)),
            ("computing behind it", *_duration(compute)),
            ("false verdicts to expect", f"{bound.expected_false_verdicts:.2g}", _bound_of(bound)),
        ],
    }


def _duration(seconds: float) -> tuple[str, str]:
    if seconds < 90:
        return f"{seconds:.0f}", "s"
    return (f"{seconds / 60:.1f}", "min") if seconds < 5400 else (f"{seconds / 3600:.1f}", "h")


def _changes(past: Past | None, titles: dict[str, str]) -> Context | None:
    """Return what changed since each claim's run before; None if nobody looked, or there was none."""
    if past is None or not past.changes.compared:
        return None
    changes = past.changes
    lines = [
        Line(anchor(row.claim), titles[row.claim], f"{in_words(row.reading)}: {change_words(row)}")
        for row in changes.verdicts
    ]
    lines += [
        Line(anchor(claim), titles[claim], f"{in_words(row.expectation)}: {outcome_words(row)}")
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


def _documents(run: Run, claims: list[Context]) -> list[Context]:
    documents = {claim.document.id: claim.document for claim in run.judged}
    return [
        {
            **dict(documents[key]),
            "anchor": anchor(key),
            "claims": [claim for claim in claims if claim["document"] == key],
        }
        for key in sorted(documents)
    ]


def _bound_of(budget: ErrorBudget) -> str:
    """Return what the number of false verdicts is: a bound, if it holds for all."""
    left = budget.without_bound
    return f"at most; no bound for {left}" if left else "at most"
