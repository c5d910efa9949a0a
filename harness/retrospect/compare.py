"""Two runs held against each other: which verdicts changed, and which estimates differ by more than chance."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness.errors import UsageError
from harness.retrospect.difference import ONLY_A, ONLY_B, difference
from harness.running import waiver
from harness.trials.identity import Identity

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from harness.running.record import Record

Run = dict[str, Any]
Comparison = dict[str, Any]

SCHEMA_VERSION = 1
"""Version of the comparison; it changes when a field is renamed, removed or changes its meaning."""

REGRESSION = "regression"
IMPROVEMENT = "as expected again"
OTHER = "changed"

PAIRED = "paired"
INDEPENDENT = "independent"

_CIRCUMSTANCES = ("profile", "base_seed", "device", "seeds")
"""Fields of a claim's record in which two runs may differ besides what makes their trials comparable."""


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
    found = [name.replace("_", " ") for name in _CIRCUMSTANCES if a[name] != b[name]]
    return list(dict.fromkeys([*found, *Identity.of_record(a).differences(Identity.of_record(b))]))


def _shown(expectation: Record) -> Record:
    return {name: expectation[name] for name in ("verdict", "estimate", "low", "high", "n")}
