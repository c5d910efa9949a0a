"""The geometry of the report's pictures: numbers of a record to places in an SVG. The templates draw them."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, NamedTuple

from harness.judging.points import metric_of
from harness.report import wording
from harness.report.html.axes import Scale, scale_over
from harness.report.wording import in_words
from harness.store.records.beside import CurvesRecord, MatrixRecord

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from harness.specification.kinds import Value
    from harness.store.records.beside import Illustration, PointRecord
    from harness.store.records.claim import ClaimRecord
    from harness.store.records.expectation import ControlRecord, ExpectationRecord

Picture = dict[str, Any]


class Series(NamedTuple):
    """A curve: its name, its points, and the seeds that they are means of."""

    name: str
    points: list[tuple[float, float]]
    seeds: Sequence[tuple[float, float]] = ()


STRIP = 200
"""Width of an expectation's strip on the front page."""

WIDE = 330
"""Width of every other picture, so that a narrow screen holds it."""

MOST_SERIES = 8
MOST_LOOKS = 6

LOG_FROM = 30.0
"""Values that span more than this factor are drawn on a logarithmic axis."""


def strip(e: ExpectationRecord) -> Picture:
    """Return an expectation on a scale of its own: a single edge of the band in the middle, a band around it."""
    edges = [edge for edge in (e.band.low, e.band.high) if edge is not None]
    values = [v for v in (e.estimate, e.low, e.high, e.reported) if v is not None]
    log = e.unit == "ratio" and min([*edges, *values], default=0.0) > 0
    places = [math.log(v) if log else v for v in (*edges, *values)]
    centre = sum(places[: len(edges)]) / len(edges) if edges else (places or [0.0])[0]
    half = 1.1 * max((abs(place - centre) for place in places), default=0.0) or 0.1 * abs(centre) or 0.1
    low, high = centre - half, centre + half
    scale = Scale(math.exp(low), math.exp(high), 4, STRIP - 4, log) if log else Scale(low, high, 4, STRIP - 4)
    return {"band": band(e, scale), **_marks(e, scale), "words": _strip_words(e)}


def _strip_words(e: ExpectationRecord) -> str:
    found = f"estimate {wording.number(e.estimate)}, interval {wording.span(e)}, band {e.band.text}"
    return found + (f", the source says {wording.number(e.reported)}" if e.reported is not None else "")


def band(e: ExpectationRecord, scale: Scale) -> list[float]:
    """Return where the band begins and ends; an open side reaches to the end of the axis."""
    low, high = e.band.low, e.band.high
    return [scale.start if low is None else scale(low), scale.end if high is None else scale(high)]


def _marks(e: ExpectationRecord, scale: Scale) -> Picture:
    """Return the places of estimate, interval and reported figure, None for what is not known."""
    return {
        "estimate": None if e.estimate is None else scale(e.estimate),
        "reported": None if e.reported is None else scale(e.reported),
        "interval": None if e.estimate is None or e.exact else bar(e.low, e.high, scale),
    }


def bar(low: float | None, high: float | None, scale: Scale) -> list[float]:
    """Return where an interval begins and ends; an end that is not known lies at that of the axis."""
    return [scale.start if low is None else scale(low), scale.end if high is None else scale(high)]


def panel(name: str, e: ExpectationRecord, controls: Mapping[str, ControlRecord]) -> Picture:
    """Return an expectation in full: every seed, the interval at every look, and its controls on the same scale.

    Args:
        name: of the expectation.
        e: its record.
        controls: the claim's controls; those that must break this expectation are drawn.
    """
    broken = {control: c.expectations[name] for control, c in controls.items() if name in c.expectations}
    last = [v for one in (e, *broken.values()) for v in (one.estimate, one.low, one.high)]
    fixed = [e.band.low, e.band.high, e.reported]
    seen = [value for one in (e, *broken.values()) for value in one.values.values()]
    scale = scale_over(_known([*last, *fixed, *seen]), 8, WIDE - 8, log=e.unit == "ratio")
    rows = [_row("as claimed", e, scale, 15)]
    for control, found in broken.items():
        rows.append(_row(f"control: {in_words(control)}", found, scale, rows[-1]["bottom"] + 14))
    bottom = rows[-1]["bottom"] + 4
    reported = None if e.reported is None else scale(e.reported)
    return {
        "width": WIDE,
        "height": bottom + 20,
        "band": band(e, scale),
        "reported": reported,
        "rows": rows,
        "axis": bottom,
        "ticks": scale.ticks(5),
        "words": _strip_words(e),
    }


def _row(label: str, e: ExpectationRecord, scale: Scale, top: float) -> Picture:
    """Return one row of a panel: label, dots of the seeds, and below them the interval at each look, the last thick."""
    dots = [(scale(value), top + 9 + 5 * (number % 2)) for number, value in enumerate(_known(e.values.values()))]
    y = top + 22
    looks = []
    for look in _thinned([look for look in e.looks if look.n < e.n], MOST_LOOKS):
        looks.append({"n": look.n, "y": y, "interval": bar(look.low, look.high, scale)})
        y += 7
    return {
        "label": label,
        "y": top + 1,
        "dots": dots,
        "looks": looks,
        "final": y + 2,
        "bottom": y + 8,
        "verdict": e.verdict,
        **_marks(e, scale),
    }


def _thinned(found: list[Any], most: int) -> list[Any]:
    """Return at most `most` of some things, the first and the last among them."""
    if len(found) <= most:
        return found
    return [found[round(number * (len(found) - 1) / (most - 1))] for number in range(most)]


def _known(values: Iterable[float | None]) -> list[float]:
    return [value for value in values if value is not None]


def phenomena(claim: ClaimRecord) -> list[Picture]:
    """Return what the trials look like: each metric that a verdict reads, over a numeric condition or by arm."""
    points = [point for point in claim.points if point.control is None]
    over = _numeric_condition(claim.conditions)
    found = []
    for metric in _metrics_read(claim):
        own = [point for point in points if any(v is not None for v in point.values.get(metric, {}).values())]
        if own:
            found.append(_over(metric, over, own) if over else _by_arm(metric, own))
    return found


def _metrics_read(claim: ClaimRecord) -> list[str]:
    """Return the metrics that expectations read, in their order, durations last."""
    expectations = [e for reading in claim.readings.values() for e in reading.expectations.values()]
    ordered = sorted(expectations, key=lambda e: e.duration)
    return list(dict.fromkeys(metric_of(e.contrast) for e in ordered))


def _numeric_condition(conditions: Mapping[str, Sequence[Any]]) -> str | None:
    """Return the condition that makes a horizontal axis: numbers, at least three of them, the more the better."""
    numeric = [
        name
        for name, values in conditions.items()
        if len(values) >= 3 and all(isinstance(v, int | float) and not isinstance(v, bool) for v in values)
    ]
    return max(numeric, key=lambda name: len(conditions[name]), default=None)


def _over(metric: str, over: str, points: list[PointRecord]) -> Picture:
    """Return a metric over a numeric condition: a series for each arm under each other condition."""
    series: dict[str, dict[float, list[float]]] = {}
    for point in points:
        rows = series.setdefault(_name({k: v for k, v in point.point.items() if k != over}), {})
        rows.setdefault(float(point.point[over]), []).extend(_known(point.values[metric].values()))
    shown = [
        Series(
            name,
            [(x, _mean(values)) for x, values in sorted(rows.items())],
            [(x, value) for x, values in sorted(rows.items()) for value in values],
        )
        for name, rows in series.items()
    ]
    return line_chart(f"{in_words(metric)} over {in_words(over)}", in_words(over), in_words(metric), shown)


def line_chart(title: str, x: str, y: str, series: list[Series], log: str | None = None) -> Picture:
    """Return curves in their places.

    Args:
        title: what is shown.
        x: words of the horizontal axis.
        y: words of the vertical axis.
        series: at most 8 are drawn.
        log: axes that are logarithmic ("", "x", "y", "xy"), None to choose by the values.
    """
    left_out, series = series[MOST_SERIES:], series[:MOST_SERIES]
    everything = [place for one in series for place in (*one.points, *one.seeds)]
    horizontal, vertical = [a for a, _ in everything], [b for _, b in everything]
    log_x, log_y = (_spans(horizontal), _spans(vertical)) if log is None else ("x" in log, "y" in log)
    across, up = scale_over(horizontal, 44, WIDE - 8, log=log_x), scale_over(vertical, 170, 22, log=log_y)
    drawn = [
        {
            "name": one.name,
            "points": [(across(a), up(b)) for a, b in one.points],
            "dots": [(across(a), up(b)) for a, b in one.seeds],
            "values": one.points,
        }
        for one in series
    ]
    return {
        "kind": "lines", "title": title, "width": WIDE, "height": 208, "x": x, "y": y, "series": drawn,
        "x_ticks": across.ticks(5), "y_ticks": up.ticks(5), "left": 44, "right": WIDE - 8, "top": 22, "bottom": 170,
        "log": " and ".join(w for w, given in (("horizontal", across.log), ("vertical", up.log)) if given),
        "left_out": len(left_out), "table": _table(series),
    }  # fmt: skip


def _table(series: list[Series]) -> Picture:
    """Return the table twin of curves: a row for each of at most twelve places, a column for each curve."""
    places = sorted({x for one in series for x, _ in one.points})
    rows = []
    for x in _thinned(places, 12):
        rows.append((wording.number(x), [wording.number(dict(one.points).get(x)) for one in series]))
    return {"names": [one.name for one in series], "rows": rows}


def _by_arm(metric: str, points: list[PointRecord]) -> Picture:
    """Return a metric with a row for each arm under each condition: every seed a dot, the mean a line."""
    values = {_name(point.point): _known(point.values[metric].values()) for point in points}
    everything = [value for own in values.values() for value in own]
    scale = scale_over(everything, 8, WIDE - 8, log=_spans(everything))
    rows = []
    for number, (name, own) in enumerate(values.items()):
        top = 14 + 30 * number
        dots = [(scale(value), top + 8 + 5 * (place % 2)) for place, value in enumerate(own)]
        rows.append(
            {
                "label": name,
                "y": top,
                "dots": dots,
                "mean": scale(_mean(own)),
                "value": wording.number(_mean(own)),
                "n": len(own),
            }
        )
    bottom = 14 + 30 * len(rows)
    return {
        "kind": "rows", "title": f"{in_words(metric)} by arm", "width": WIDE, "height": bottom + 20, "rows": rows,
        "axis": bottom, "ticks": scale.ticks(5), "log": "horizontal" if scale.log else "",
    }  # fmt: skip


def _name(point: Mapping[str, Value]) -> str:
    """Return arm and conditions in words: `cnn, scene clutter`."""
    conditions = [f"{in_words(name)} {value}" for name, value in point.items() if name != "arm"]
    return ", ".join([in_words(point["arm"]), *conditions])


def _mean(values: Sequence[float]) -> float:
    return math.fsum(values) / len(values)


def _spans(values: Sequence[float]) -> bool:
    """Whether values are positive and span so much that only a logarithmic axis shows them."""
    return bool(values) and min(values) > 0 and max(values) / min(values) > LOG_FROM


def illustration(drawn: Illustration) -> Picture:
    """Return a picture that an experiment drew of one seed, in its places."""
    if isinstance(drawn, MatrixRecord):
        return dict(drawn) | {"rows": [{"name": row.name, "cells": _shaded(row.counts)} for row in drawn.rows]}
    if not isinstance(drawn, CurvesRecord):
        return dict(drawn)
    series = [Series(line.name, list(zip(line.x, line.y, strict=True))) for line in drawn.lines]
    return line_chart(drawn.title, drawn.x, drawn.y, series, drawn.log)


def _shaded(counts: Sequence[int]) -> list[tuple[int, int]]:
    """Return each count with its shade, 0 to 9: its share of the row, where anything at all is seen."""
    total = sum(counts)
    return [(count, math.ceil(9 * count / total) if total else 0) for count in counts]


def moves(places: Iterable[Sequence[float]]) -> str:
    """Return the path of dots: at every place, to a whole number, a stroke of no length; equal places once."""
    return "".join(f"M{x} {y}h0" for x, y in dict.fromkeys((round(x), round(y)) for x, y in places))


def path(places: Iterable[Sequence[float]]) -> str:
    """Return the path that joins places."""
    return "M" + " ".join(f"{x:g} {y:g}" for x, y in places)
