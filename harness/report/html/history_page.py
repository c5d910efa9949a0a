"""The history page: every claim's verdicts, estimates and costs, run by run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness.judging.verdict import NOT_RUN
from harness.report import wording
from harness.report.html import charts
from harness.report.html.axes import scale_over
from harness.report.html.page import render
from harness.report.selection import anchor
from harness.report.wording import in_words, minute

if TYPE_CHECKING:
    from harness.retrospect.run_history import Entry, Past
    from harness.store.records.expectation import ExpectationRecord
    from harness.store.records.run import Run

Context = dict[str, Any]

LEFT, RIGHT, TOP, BOTTOM = 44, charts.WIDE - 8, 10, 100
"""Where the axes of a chart lie."""


def timeline(run: Run, past: Past) -> str:
    """Return the history page of a run, as HTML."""
    titles = {claim.id: claim.title for claim in run.judged}
    claims = [_claim(name, titles[name], entries) for name, entries in past.claims.items()]
    return render("history.html", claims=claims, runs=max(map(len, past.claims.values()), default=0))


def _claim(name: str, title: str, entries: list[Entry]) -> Context:
    first, last = entries[0], entries[-1]
    return {
        "id": name,
        "anchor": anchor(name),
        "title": title,
        "first": first.head.started[:10],
        "last": last.head.started[:10],
        "readings": [(in_words(r), [_cell(entry, r) for entry in entries]) for r in last.record.readings],
        "charts": [_chart(e, entries) for e in last.record.expectations],
        "cost": _cost(entries),
    }


def _cell(entry: Entry, reading: str) -> Context:
    """Return a run's verdict on a reading as a cell of the strip; an empty one where it had no such reading."""
    own = entry.record.readings.get(reading)
    verdict = own.verdict if own else NOT_RUN
    return {
        "verdict": verdict,
        "as_expected": own is None or own.as_expected,
        "symbol": wording.SYMBOL[verdict],
        "words": f"{minute(entry.head.started)}, base seed {entry.record.base_seed}: {verdict}",
    }


def _chart(name: str, entries: list[Entry]) -> Context:
    """Return an expectation's estimates and intervals over the runs, with the band of the last and what changed where."""
    shown = [(number, entry, entry.record.expectations.get(name)) for number, entry in enumerate(entries)]
    known = [(number, entry, e, e.estimate) for number, entry, e in shown if e and e.estimate is not None]
    last = entries[-1].record.expectations[name]
    values = [v for _, _, e, _ in known for v in (e.estimate, e.low, e.high) if v is not None]
    edges = [edge for edge in (last.band.low, last.band.high) if edge is not None]
    up = scale_over([*values, *edges], BOTTOM, TOP, log=last.unit == "ratio")
    across = scale_over([0, max(len(entries) - 1, 1)], LEFT, RIGHT)
    bottom, top = charts.band(last, up)
    steps = sum(name in entry.steps for _, entry, _, _ in known)
    return {
        "name": in_words(name),
        "unit": last.unit,
        "band": [top, round(bottom - top, 1)],
        "ticks": up.ticks(3),
        "bars": [(across(n), *charts.bar(e.low, e.high, up), e.verdict) for n, _, e, _ in known],
        "dots": [(across(n), up(estimate)) for n, _, _, estimate in known],
        "steps": [across(n - 0.5) for n, entry, _, _ in known if name in entry.steps],
        "code": [across(n - 0.5) for n, entry, _, _ in known if entry.code_changed],
        "rows": [_row(entry, e) for _, entry, e, _ in known],
        "words": f"{len(known)} runs; {steps or 'no'} step change{'s' * (steps != 1)}",
    }


def _row(entry: Entry, e: ExpectationRecord) -> tuple[str | int, ...]:
    """Return a run's estimate as a row of the table below the chart."""
    head = minute(entry.head.started), entry.record.base_seed
    return *head, wording.number(e.estimate), wording.span(e), e.n, e.verdict


def _cost(entries: list[Entry]) -> Context:
    seconds = [entry.record.cost.compute_seconds for entry in entries]
    points = [(float(number), value) for number, value in enumerate(seconds, start=1)]
    return charts.line_chart("Cost", "run", "seconds of computing", [charts.Series("", points)], log="")
