"""The history page: every claim's verdicts, estimates and costs, run by run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness.report import wording
from harness.report.html import charts
from harness.report.html.axes import scale_over
from harness.report.html.page import render
from harness.report.selection import anchor, judged
from harness.report.wording import in_words, minute

if TYPE_CHECKING:
    from harness.running.record import Record
    from harness.running.results import Run

Context = dict[str, Any]

LEFT, RIGHT, TOP, BOTTOM = 44, charts.WIDE - 8, 10, 100
"""Where the axes of a chart lie."""


def timeline(run: Run, past: Record) -> str:
    """Return the history page of a run, as HTML.

    Args:
        run: the run, as report.json holds it.
        past: what `chronicle` says of its claims.
    """
    titles = {claim["id"]: claim["title"] for claim in judged(run)}
    claims = [_claim(found, titles[found["id"]]) for found in past["claims"]]
    return render("history.html", claims=claims, runs=max((len(found["runs"]) for found in past["claims"]), default=0))


def _claim(found: Record, title: str) -> Context:
    runs = found["runs"]
    last = runs[-1]
    return {
        "anchor": anchor(found["id"]),
        "title": title,
        "first": runs[0]["started"][:10],
        "last": last["started"][:10],
        "readings": [(in_words(name), [_cell(entry, name) for entry in runs]) for name in last["readings"]],
        "charts": [_chart(name, runs) for name in last["expectations"]],
        "cost": _cost(runs),
    }


def _cell(entry: Record, reading: str) -> Context:
    """Return a run's verdict on a reading as a cell of the strip; an empty one where it had no such reading."""
    own = entry["readings"].get(reading, {"verdict": "NOT_RUN", "as_expected": True})
    when = f"{minute(entry['started'])}, base seed {entry['base_seed']}"
    return {**own, "symbol": wording.SYMBOL[own["verdict"]], "words": f"{when}: {own['verdict']}"}


def _chart(name: str, runs: list[Record]) -> Context:
    """Return an expectation's estimates and intervals over the runs, with the band of the last and what changed where."""
    shown = [(number, entry, entry["expectations"].get(name)) for number, entry in enumerate(runs)]
    known = [(number, entry, e) for number, entry, e in shown if e and e["estimate"] is not None]
    last = runs[-1]["expectations"][name]
    values = [v for _, _, e in known for v in (e["estimate"], e["low"], e["high"]) if v is not None]
    edges = [edge for edge in (last["band"]["low"], last["band"]["high"]) if edge is not None]
    up = scale_over([*values, *edges], BOTTOM, TOP, log=last["unit"] == "ratio")
    across = scale_over([0, max(len(runs) - 1, 1)], LEFT, RIGHT)
    bottom, top = charts.band(last, up)
    return {
        "name": in_words(name),
        "unit": last["unit"],
        "band": [top, round(bottom - top, 1)],
        "ticks": up.ticks(3),
        "bars": [(across(n), *charts.bar(e["low"], e["high"], up), e["verdict"]) for n, _, e in known],
        "dots": [(across(n), up(e["estimate"])) for n, _, e in known],
        "steps": [across(n - 0.5) for n, entry, _ in known if name in entry["steps"]],
        "code": [across(n - 0.5) for n, entry, _ in known if entry["code_changed"]],
        "rows": [
            (
                minute(entry["started"]),
                entry["base_seed"],
                wording.number(e["estimate"]),
                wording.span(e),
                e["n"],
                e["verdict"],
            )
            for _, entry, e in known
        ],
        "words": _words(known, name),
    }


def _words(known: list[tuple[int, Record, Record]], name: str) -> str:
    """Return what a chart shows, in words."""
    steps = sum(name in entry["steps"] for _, entry, _ in known)
    return f"{len(known)} runs; {steps or 'no'} step change{'s' * (steps != 1)}"


def _cost(runs: list[Record]) -> Context:
    points = [(number, entry["compute_seconds"]) for number, entry in enumerate(runs, start=1)]
    return charts.line_chart("Cost", "run", "seconds of computing", [{"name": "", "points": points}], log="")
