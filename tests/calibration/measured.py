"""Writes tests/data/measured_contrasts.json from a store: `python -m tests.calibration.measured STORE`.

The per-seed contrasts of every expectation about a mean, over all base seeds whose trials (of the code as it stands) are in
the store. Give it a copy of a store that is in use: opening may migrate it.
"""

from __future__ import annotations

import json
import math
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.judging import contrasts, points, ranges
from harness.running.variant import main_variant
from harness.specification.kinds import Exact
from harness.store.store import Store
from harness.trials.catalogue import load_all
from harness.trials.options import Options
from harness.trials.plan import make_plan, tasks_of
from tests.calibration.laws import MEASURED

if TYPE_CHECKING:
    from harness.judging.contrasts import PerSeed
    from harness.running.variant import Variant
    from harness.trials.plan import Plan

BASE_SEEDS = range(32)
DIGITS = 9
"""Significant digits that are kept."""


def stored(plan: Plan, store: Store) -> Variant:
    """Return the claim with every trial of the plan's base seed that the store has."""
    variant = main_variant(plan.claim)
    points = variant.points(list(variant.expectations), plan.claim)
    for task in tasks_of(plan, points, range(plan.seeds.cap), variant.change_of):
        found = store.finished(task.keys)
        for seed, key in zip(task.seeds, task.keys, strict=True):
            if key in found:
                variant.reuse(plan, task, seed, *found[key][:4])
    return variant


def entries(plan: Plan, store: Store) -> list[dict[str, Any]]:
    """Return one entry per sampled contrast of a claim; a contrast that two expectations share comes once."""
    variants = {base: stored(replace(plan, base_seed=base), store) for base in BASE_SEEDS}
    found, seen = [], []
    for name, expectation in plan.claim.expectations.items():
        if isinstance(expectation.contrast, Exact) or expectation.contrast in seen:
            continue
        if not ranges.sequence_of(expectation.contrast, plan.claim).normal:
            # Neither a rate nor a median takes a shape for granted.
            continue
        seen.append(expectation.contrast)
        per_base = {
            base: contrasts.evaluate(expectation.contrast, plan.claim, variant.evidence, plan.settings)
            for base, variant in variants.items()
        }
        per_base = {base: per_seed for base, per_seed in per_base.items() if per_seed.values}
        if per_base:
            found.append({"claim": plan.claim.id, "expectation": name, **_entry(expectation.contrast, per_base)})
    return found


def _entry(contrast: ranges.Sampled, per_base: dict[int, PerSeed]) -> dict[str, Any]:
    first = next(iter(per_base.values()))
    return {
        "kind": points.kind_of(contrast),
        "log": first.log,
        "bounds": [end if math.isfinite(end) else None for end in first.bounds],
        "values": {str(base): [_short(v) for _, v in sorted(p.values.items())] for base, p in per_base.items()},
        "rounding": {
            str(base): [_short(v) for _, v in sorted(p.rounding.items())] for base, p in per_base.items() if p.rounding
        },
    }


def _short(value: float) -> float:
    return float(f"{value:.{DIGITS}g}")


def write(path: Path) -> None:
    """Write the file from the store at `path`.

    Raises:
        ValueError: the store has no trial of the code as it stands.
    """
    folders, problems = load_all(Path("claims").resolve())
    if problems:
        raise ValueError("\n".join(problems))
    store = Store(path)
    found = [entry for folder in folders for entry in entries(make_plan(folder, Options()), store)]
    store.close()
    if not found:
        raise ValueError(f"{path}: no trial of the code as it stands; its claims have changed since")
    about = (
        "Per-seed contrasts of the claims' sampled expectations by base seed, profile quick, on the scale on which they "
        "are judged (natural logarithms for ratios); rounding: standard deviation of each value's rounding error. "
        "Made by: python -m tests.calibration.measured STORE"
    )
    rows = ",\n".join(json.dumps(entry, separators=(",", ":")) for entry in found)
    MEASURED.parent.mkdir(exist_ok=True)
    MEASURED.write_text(f'{{"about":{json.dumps(about)},\n"contrasts":[\n{rows}\n]}}\n')


if __name__ == "__main__":
    write(Path(sys.argv[1]))
