"""What is called in the place of a claim's experiment.py where claim.yaml names results: measure() reads a seed's row.

It is part of its trials' keys as any experiment is, and therefore imports little.
"""

from __future__ import annotations

import json
import math
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from harness.errors import DataError, TrialError
from harness.seeds import Seed
from harness.specification.placeholders import filled
from harness.specification.results import UNPAIRED
from harness.trials.command_output import reduced
from harness.trials.result_files import Row, Rows, as_text, read_rows

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from harness.seeds import Seeds

Cell = dict[str, Any]
"""Column -> the value that rows of an arm under a condition have there."""


def measure(
    arm: str, seeds: Seeds, project: Path, sha256: str, /, *, results: Mapping[str, Any], **settings: Any
) -> dict[str, list[float]]:
    """Return {metric: one number per seed}: of seed k the row with the k-th of those keys that all cells have.

    Args:
        arm: name of the arm.
        seeds: their indices count keys; of arms that are not paired, rows.
        project: folder that holds `claims/`.
        sha256: of the files, as the run was planned with them.
        results: as `harness.trials.result_cells.setting_of` returns it.
        settings: what columns hold, and what is done to rows: `shuffle` and `shift`.

    Raises:
        TrialError: the files are not those that the run was planned with, or a row has no number for a metric.
    """
    try:
        table = read_rows(results["files"], project)
    except DataError as error:
        raise TrialError(f"results: {error}") from None
    if table.sha256 != sha256:
        raise TrialError(f"results: {results['files']} changed since the run was planned; run again")
    rows = rows_of(table, results, arm, settings, seeds[0].claim)
    return {
        name: [
            number_of(rows[seed.index], filled(column, {**settings, "arm": arm})) + settings.get("shift", 0.0)
            for seed in seeds
        ]
        for name, column in results["metrics"][arm].items()
    }


def group_size(settings: Mapping[str, Any], arm: str, project: Path) -> int:
    """Return how many rows an arm has that no others are paired with."""
    results = settings["results"]
    return len(rows_of(read_rows(results["files"], project), results, arm, settings))


def number_of(row: Row, column: str) -> float:
    """Return the number in a column of a row.

    Raises:
        TrialError: there is none.
    """
    try:
        return reduced([row.values], column, "last")
    except ValueError as error:
        raise TrialError(f"{row.place}: {error}") from None


def cell_of(results: Mapping[str, Any], arm: str, settings: Mapping[str, Any]) -> Cell:
    """Return what the rows of an arm have in their columns: every setting but those that are for something else."""
    own = {name: value for name, value in settings.items() if name not in results["aside"]}
    by_name = not results["arms"][arm] and "arm" not in results["aside"]
    return {results["arm"]: arm, **own} if by_name else own


def rows_of(
    table: Rows, results: Mapping[str, Any], arm: str, settings: Mapping[str, Any], claim: str = ""
) -> list[Row]:
    """Return the rows of an arm in the order of seeds; with `shuffle: true` under permuted labels.

    Of pairs every other one, drawn at random, is left as it is, or of k arms every k-th: the labels go round. So no
    permutation is the sentence itself. Arms that are not paired share out all their rows by lot.
    """
    arms = list(results["arms"])
    cells = [cell_of(results, other, _as_arm(results, arm, other, settings)) for other in arms]
    mine, shuffled = arms.index(arm), settings.get("shuffle", False)
    if results["pairing"] == UNPAIRED:
        groups = [table.where(cell) for cell in (cells if shuffled else cells[mine : mine + 1])]
        if not shuffled:
            return groups[0]
        pool = [row for group in groups for row in group]
        before = sum(map(len, groups[:mine]))
        return [pool[at] for at in _order(claim, len(pool))[before : before + len(groups[mine])]]
    keys = complete(table, results)
    if not shuffled:
        by_key = _by_key(table, results["pairing"], cells[mine])
        return [by_key[key] for key in keys]
    every = [_by_key(table, results["pairing"], cell) for cell in cells]
    turns = _order(claim, len(keys))
    return [every[(mine + turn) % len(arms)][key] for key, turn in zip(keys, turns, strict=True)]


def _as_arm(results: Mapping[str, Any], arm: str, other: str, settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return settings with another arm's own in the place of an arm's."""
    if arm == other:
        return dict(settings)
    own = results["arms"][arm]
    return {**{name: value for name, value in settings.items() if name not in own}, **results["arms"][other]}


def _order(claim: str, n: int) -> list[int]:
    return [int(at) for at in Seed(0, claim, 0).numpy("shuffle").permutation(n)]


def complete(table: Rows, results: Mapping[str, Any]) -> list[str]:
    """Return the keys that have a row in every cell, numbers by size and then words by letters."""
    return _complete(table, results["pairing"], json.dumps(results["cells"]))


@lru_cache(maxsize=64)
def _complete(table: Rows, pairing: str, cells: str) -> list[str]:
    keys = [set(_by_key(table, pairing, cell)) for cell in json.loads(cells)]
    return sorted(set.intersection(*keys), key=in_order)


def in_order(key: str) -> tuple[float, str]:
    """Return by what keys are sorted."""
    try:
        return float(key), key
    except ValueError:
        return math.inf, key


def _by_key(table: Rows, pairing: str, cell: Cell) -> dict[str, Row]:
    return {as_text(row.values.get(pairing)): row for row in table.where(cell)}
