"""A claim about results that lie there: small tables, and the claim that reads them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np

from tests.tiny_project import DOCUMENT, edited

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

CLAIM = """\
id: ours_errs_less
title: Ours errs less
statement: Ours errs less than theirs on the same seeds.
source: {document: notes, section: "1"}
strength: same_setting
does_not_show: anything about other data
results: {files: runs.csv, arm: system}
arms:
  ours: {}
  theirs: {}
metrics:
  error: {unit: fraction, better: lower, bounds: [0, 1]}
readings:
  as_documented:
    expectations:
      errs_less:
        contrast: {difference: error, of: {arm: theirs}, minus: {arm: ours}}
        band: {at_least: 0.02}
        because: two in a hundred would be noticed
controls:
  permuted_labels:
    change: {shuffle: true}
    breaks: [errs_less]
    because: labels that are drawn by lot tell nothing
profiles:
  smoke: {seeds: 2}
  quick: {seeds: all}
"""


def table(ours: Mapping[int, float], theirs: Mapping[int, float], head: str = "system,seed,error") -> str:
    """Return a CSV of two systems, one row a seed."""
    rows = [
        f"{name},{seed},{value}" for name, own in (("ours", ours), ("theirs", theirs)) for seed, value in own.items()
    ]
    return "\n".join([head, *rows]) + "\n"


def seeds_of_two_systems(missing: Iterable[tuple[str, int]] = (), n: int = 12) -> str:
    """Return a CSV as a paper's authors leave it: seeds with much in common, some of one system or the other missing."""
    draws = np.random.default_rng(5)
    common, gain, own = draws.normal(0.3, 0.05, n), draws.normal(0.06, 0.008, n), draws.normal(0, 0.004, n)
    ours, theirs = (
        {seed: round(float(value), 4) for seed, value in enumerate(values) if (name, seed) not in set(missing)}
        for name, values in (("ours", common + own), ("theirs", common + gain))
    )
    return table(ours, theirs)


def convergence_counts(folder: Path) -> None:
    """Write epochs to a target quality as benchmarks have them, a file a run: a reference of 20 runs, a submission of 6."""
    draws = np.random.default_rng(7)
    folder.mkdir(parents=True)
    for name, mean, runs in (("reference", 41.0, 20), ("submission", 42.0, 6)):
        for run, value in enumerate(draws.normal(mean, 1.2, runs)):
            text = json.dumps({"status": "success", "eval": {"epochs": round(float(value))}})
            (folder / f"{name}_run{run}.json").write_text(text)


COUNTS = {
    "runs.csv, arm: system}": '"runs/{system}_run{run}.json", arm: system, pairing: none, metrics: {epochs: eval.epochs}}',
    "  ours: {}\n  theirs: {}\n": "  reference: {}\n  submission: {}\n",
    "error: {unit: fraction, better: lower, bounds: [0, 1]}": "epochs: {unit: epoch, better: lower, resolution: 1}",
    "{difference: error, of: {arm: theirs}, minus: {arm: ours}}": "{ratio: epochs, of: {arm: submission}, to: {arm: reference}}",
    "{at_least: 0.02}": "{at_most: 1.2}",
    "change: {shuffle: true}": "change: {shift: 20}\n    arms: [submission]",
}
"""What makes the claim one about convergence counts, for `replace`."""


def write(root: Path, content: str | None = None, replace: Mapping[str, str] | None = None) -> Path:
    """Write the claim below `root`, and its table; return the claim's folder; `replace` edits claim.yaml."""
    folder = root / "claims" / "notes" / "ours_errs_less"
    folder.mkdir(parents=True, exist_ok=True)
    (folder.parent / "document.yaml").write_text(DOCUMENT)
    (folder / "claim.yaml").write_text(edited(CLAIM, replace))
    (folder / "test_claim.py").write_text("from harness.claim_tests import test_control, test_reading\n")
    (root / "runs.csv").write_text(seeds_of_two_systems() if content is None else content)
    return folder
