"""Two runs held against each other: which verdicts changed, and which estimates differ by more than chance.

Estimates are compared by their per-seed values: seed k of one run with seed k of the other. Under one base seed that is
the same data draw twice, and the differences are paired; under two they are independent draws. Either way the
differences are one number per seed, and their interval is the harness's own confidence sequence (see `stats`), which
holds however many seeds each run took before it stopped. Equally distributed values have differences that are
symmetric, so that a skew which would break the promise for one run alone hardly does here.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from harness.errors import UsageError
from harness.judging import verdict
from harness.judging.bounded import Bounded
from harness.judging.confidence_sequence import STUDENT, ConfidenceSequence
from harness.judging.contrasts import PerSeed
from harness.judging.quantile import Quantile
from harness.judging.student import ROUNDING
from harness.running import waiver
from harness.trials.provenance import canonical

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from harness.running.record import Record

Run = dict[str, Any]
Comparison = dict[str, Any]

SCHEMA_VERSION = 1
"""Version of the comparison; it changes when a field is renamed, removed or changes its meaning."""

SAME = "same to the last digit"
DIFFERENT = "different"
NOT_TOLD_APART = "not told apart"
NOT_COMPARED = "not compared"

REGRESSION = "regression"
IMPROVEMENT = "as expected again"
OTHER = "changed"
ONLY_A = "only in A"
ONLY_B = "only in B"

LARGEST = 1e150
"""The square of a larger number is none."""

PAIRED = "paired"
INDEPENDENT = "independent"

_CIRCUMSTANCES = ("profile", "base_seed", "device", "precision", "arms", "conditions", "settings", "seeds", "data")
"""Fields of a claim's record in which two runs may differ besides code and environment."""


def compare(a: Run, b: Run, *, mixed: bool = False) -> Comparison:
    """Return what changed from run A to run B, as plain values.

    Args:
        a: a run as report.json holds it.
        b: another.
        mixed: compare claims although they were run under other profiles or on other devices.

    Raises:
        UsageError: a claim of both was run under another profile or on another device, and that is not `mixed`.
    """
    first, second = ({claim["id"]: claim for claim in run["claims"]} for run in (a, b))
    both = [name for name in first if name in second and _judged(first[name]) and _judged(second[name])]
    if not mixed:
        _refuse_mixture([(first[name], second[name]) for name in both])
    verdicts = [row for name in {**first, **second} for row in _verdicts(first.get(name), second.get(name))]
    pairs = [_pair(first[name], second[name]) for name in both]
    rows = [row for pair in pairs for row in pair["estimates"]]
    return {
        "schema_version": SCHEMA_VERSION,
        "a": _head(a),
        "b": _head(b),
        "verdicts": verdicts,
        "regressions": [row for row in verdicts if _lost(row)],
        "claims": pairs,
        "expected_false_alarms": float(sum(row["alpha"] for row in rows if row["alpha"] is not None)),
    }


def _judged(claim: Record) -> bool:
    return "problem" not in claim


def _refuse_mixture(pairs: Iterable[tuple[Record, Record]]) -> None:
    for a, b in pairs:
        for name in ("profile", "device"):
            if a[name] != b[name]:
                raise UsageError(
                    f"{a['id']}: {name} {a[name]} in A, {b[name]} in B; such runs measured different things; "
                    "--mixed compares them all the same"
                )


def _head(run: Run) -> Record:
    claims = [claim for claim in run["claims"] if _judged(claim)]
    machine = run["machine"]
    return {
        "id": run["id"],
        "started": run["started"],
        "commit": machine.get("commit"),
        "uncommitted_changes": machine.get("uncommitted_changes"),
        "profiles": sorted({claim["profile"] for claim in claims}),
        "base_seeds": sorted({claim["base_seed"] for claim in claims}),
        "devices": sorted({claim["device"] for claim in claims}),
        "processor": machine.get("processor"),
        "claims": len(run["claims"]),
    }


def _verdicts(a: Record | None, b: Record | None) -> Iterator[Record]:
    """Yield one row for each reading of a claim that either run has."""
    claim = a or b or {}
    missing = ONLY_B if a is None else ONLY_A if b is None else None
    of_a, of_b = ({} if side is None else side.get("readings", {}) for side in (a, b))
    for name in {**of_a, **of_b}:
        one, other = of_a.get(name), of_b.get(name)
        yield {
            "claim": claim["id"],
            "reading": name,
            "change": missing or _change(one, other),
            "a": _outcome(one, a),
            "b": _outcome(other, b),
            "bands": _bands(one, other) if one and other else [],
        }


def _change(a: Record | None, b: Record | None) -> str | None:
    """Return how a reading of a claim that both runs have changed, None if it did not.

    What was as expected and is missing is a regression, too: a reading that is no longer looked at holds nothing up. One
    that a waiver covers is none.
    """
    was, is_now = (bool(side and side["as_expected"]) for side in (a, b))
    if was and not is_now and not (b and waiver.covers(b)):
        return REGRESSION
    if a is None or b is None:
        return ONLY_B if a is None else ONLY_A
    if is_now and not was:
        return IMPROVEMENT
    return None if a["verdict"] == b["verdict"] and was == is_now else OTHER


def _lost(row: Record) -> bool:
    """Whether a reading that was as expected in A is not in B, be it that the whole claim is missing there."""
    return bool(row["change"] == REGRESSION or (row["change"] == ONLY_A and row["a"]["as_expected"]))


def _outcome(reading: Record | None, claim: Record | None) -> Record:
    """Return the verdict of a reading in one run, and why; without one, why there is none."""
    if reading is not None:
        return {
            "verdict": reading["verdict"],
            "expected": reading["expected"],
            "as_expected": reading["as_expected"],
            "waived": waiver.covers(reading),
            "reason": reading["reason"],
        }
    reason = "the claim is not in this run" if claim is None else "the claim has no such reading in this run"
    if claim is not None and not _judged(claim):
        reason = f"the claim could not be run: {claim['problem']['lines'][0]}"
    return {"verdict": None, "expected": None, "as_expected": False, "waived": False, "reason": reason}


def _bands(a: Record, b: Record) -> list[str]:
    """Return the expectations of a reading whose bands were moved, or that only one run has, in words."""
    one, other = a["expectations"], b["expectations"]
    moved = [
        f"{name}: the band was {one[name]['band']['text']}, is {other[name]['band']['text']}"
        for name in one
        if name in other and one[name]["band"] != other[name]["band"]
    ]
    only = [
        f"{name} is {ONLY_A if name in one else ONLY_B}"
        for name in {**one, **other}
        if (name in one) != (name in other)
    ]
    return moved + only


def same_clock(a: Record, b: Record) -> bool:
    """Whether all durations of two records of a claim were measured by one clock, and which that was is known."""
    first, second = a.get("clocks", []), b.get("clocks", [])
    return len(first) == 1 and bool(first == second)


def _pair(a: Record, b: Record) -> Record:
    """Return what a claim of both runs changed in its circumstances and estimates."""
    one, other = (expectations_of(side) for side in (a, b))
    method = PAIRED if a["base_seed"] == b["base_seed"] else INDEPENDENT
    estimates = []
    for name in {**one, **other}:
        sides = one.get(name), other.get(name)
        shown = {which: None if side is None else _shown(side) for which, side in zip("ab", sides, strict=True)}
        either = sides[0] or sides[1] or {}
        found = difference(*sides, comparable=same_clock(a, b) and a["device"] == b["device"])
        estimates.append({"expectation": name, "unit": either["unit"], **shown, **found})
    return {"claim": a["id"], "changed": _changed(a, b), "method": method, "estimates": estimates}


def expectations_of(claim: Record) -> dict[str, Record]:
    """Return the expectations of all readings of a claim's record, by name."""
    return {name: e for reading in claim["readings"].values() for name, e in reading["expectations"].items()}


def _changed(a: Record, b: Record) -> list[str]:
    """Return what besides the values is not the same in both runs, in words."""
    found = ["code"] if a["code"]["digest"] != b["code"]["digest"] else []
    found += [name.replace("_", " ") for name in _CIRCUMSTANCES if canonical(a[name]) != canonical(b[name])]
    names = {**a["environment"], **b["environment"]}
    # Device and precision stand in the environment, too.
    versions = [name for name in names if name not in _CIRCUMSTANCES]
    return found + [name for name in versions if a["environment"].get(name) != b["environment"].get(name)]


def _shown(expectation: Record) -> Record:
    return {name: expectation[name] for name in ("verdict", "estimate", "low", "high", "n")}


def difference(a: Record | None, b: Record | None, *, comparable: bool) -> Record:
    """Return whether an expectation's values differ, with the interval of B minus A (B divided by A for a ratio).

    Args:
        a: the expectation's record in run A.
        b: its record in run B.
        comparable: whether durations of the two runs are by the same clock and of the same device.
    """
    if a is None or b is None:
        return _nothing(ONLY_B if a is None else ONLY_A)
    if (a["contrast"], a["unit"], a["exact"]) != (b["contrast"], b["unit"], b["exact"]):
        return _nothing("the contrast is another")
    values = _common(a["values"], b["values"])
    if not values:
        return _nothing("no seed has a value in both")
    if any(one is None or other is None for one, other in values.values()):
        return _nothing("a value is no finite number")
    if max(abs(value) for pair in values.values() for value in pair) > LARGEST:
        return _nothing("a value is too large for a spread", len(values))
    if all(one == other for one, other in values.values()):
        return {**_nothing(""), "outcome": SAME, "n": len(values)}
    if a["exact"]:
        largest = max(abs(other - one) for one, other in values.values())
        return _nothing(f"instances are no sample; the largest change is {largest:.3g}", len(values))
    # A record of an earlier version knows a duration by its unit alone.
    if not comparable and a.get("duration", a["unit"] == "second"):
        return _nothing("durations by different clocks (processor, governor, cores or device)", len(values))
    return _interval(values, a, b)


def _nothing(reason: str, n: int = 0) -> Record:
    empty = dict.fromkeys(("alpha", "estimate", "low", "high"))
    return {"outcome": NOT_COMPARED, "reason": reason, "n": n, "scale": None, **empty}


def _common(a: Mapping[str, float | None], b: Mapping[str, float | None]) -> dict[int, tuple[Any, Any]]:
    """Return seed index -> value in A and in B, for the seeds of both."""
    return {int(seed): (a[seed], b[seed]) for seed in a if seed in b}


def _interval(values: dict[int, tuple[float, float]], a: Record, b: Record) -> Record:
    log = a["unit"] == "ratio"
    if log and min(min(pair) for pair in values.values()) <= 0:
        return _nothing("a ratio is not positive", len(values))
    alpha = min(a["alpha"], b["alpha"])
    sequence = _sequence(a)
    if len(values) < sequence.fewest(alpha):
        return _nothing(f"{len(values)} seeds say nothing at error rate {alpha:g}", len(values))
    judged = {seed: tuple(map(math.log, pair)) if log else pair for seed, pair in values.items()}
    resolution = min(math.hypot(a.get("sd_floor", 0.0), b.get("sd_floor", 0.0)), LARGEST)
    # Rounding in float64 alone must not tell runs apart; of a logarithm it is that of the number it was taken of.
    size = max(abs(value) for pair in judged.values() for value in pair)
    rounding = ROUNDING * (max(1.0, size) if log else size)
    differences = {seed: other - one for seed, (one, other) in judged.items()}
    per_seed = PerSeed(differences, dict.fromkeys(differences, max(resolution, rounding)), log=log, sequence=sequence)
    found, _ = verdict.interval_of(per_seed, sorted(differences), alpha)
    holds_zero = found.low <= 0.0 <= found.high
    if not (holds_zero or resolution) and sequence.spread and found.sd <= rounding:
        return _nothing("the difference is the same for every seed, and no resolution of the metric is known", found.n)
    low, estimate, high = (_finite(verdict.on_scale(per_seed, v)) for v in (found.low, found.estimate, found.high))
    return {
        "outcome": NOT_TOLD_APART if holds_zero else DIFFERENT,
        "reason": "",
        "n": found.n,
        "scale": "factor" if log else "difference",
        "alpha": alpha,
        "estimate": estimate,
        "low": low,
        "high": high,
    }


def _sequence(expectation: Record) -> ConfidenceSequence:
    """Return what to ask the differences of an expectation's values: the mean, or the median where it is of a quantile."""
    own = expectation.get("sequence") or {"kind": "student"}
    if own["kind"] == "bounded":
        width = own["high"] - own["low"]
        return Bounded(-width, width)
    return Quantile(0.5) if own["kind"] == "quantile" else STUDENT


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
