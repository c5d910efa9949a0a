"""A claim about results, planned: which cells its trials read, how many seeds there are, and what is left out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness.data import DataRecord
from harness.judging.caps import settings_of
from harness.judging.points import points_of
from harness.specification.placeholders import names_in
from harness.specification.results import CHANGES
from harness.trials.result_files import Rows, as_text, read_rows
from harness.trials.results import cell_of, complete, in_order

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from harness.specification.models import Claim, Profile
    from harness.specification.results import Results
    from harness.trials.results import Cell

MOST_LISTED = 10
"""Incomplete keys that are named; of more only their number is told."""


def planned(claim: Claim, profile: Profile, project: Path) -> tuple[dict[str, Any], DataRecord]:
    """Return the setting `results` of a profile's trials, and what a report says of the rows.

    Raises:
        DataError: they cannot be read.
    """
    assert claim.results is not None
    table = read_rows(claim.results.files, project)
    setting = setting_of(claim, profile)
    return setting, record_of(claim, table, setting)


def setting_of(claim: Claim, profile: Profile) -> dict[str, Any]:
    """Return the setting `results` of all trials of a profile, as plain values: what measure() needs to find rows."""
    results = claim.results
    assert results is not None
    found = {
        **results.model_dump(include={"files", "pairing", "arm"}),
        "metrics": {arm: {name: results.column(name) for name in claim.metrics_of(arm)} for arm in claim.arms},
        "arms": claim.arms,
        "aside": sorted(_aside(claim, results)),
    }
    cells = [cell_of(found, arm, settings) for arm, settings in reads_of(claim, profile)]
    return {**found, "cells": [cell for number, cell in enumerate(cells) if cell not in cells[:number]]}


def _aside(claim: Claim, results: Results) -> set[str]:
    """Return the settings that name no column: those that are filled in, read as resolutions, or done to rows."""
    named = {name for metric in claim.metrics for name in names_in(results.column(metric))}
    counts = {str(metric.resolution).removeprefix("1/") for metric in claim.metrics.values()}
    return {*named, *counts, *CHANGES, "results", "device", "precision"}


def reads_of(claim: Claim, profile: Profile) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the arm and the settings of everything that a claim reads, its controls included; some more than once."""
    shared = settings_of(claim, profile)
    read = [point for expectation in claim.expectations.values() for point in points_of(expectation.contrast, claim)]
    for point in dict.fromkeys(read):
        condition = dict(point)
        mine = str(condition.pop("arm"))
        yield mine, {**shared, **claim.arms[mine], **condition}
        for control in claim.controls.values():
            for arm in claim.arms if control.change.get("shuffle") else [mine]:
                change = control.change if arm in (control.arms or claim.arms) else {}
                yield arm, {**shared, **claim.arms[arm], **condition, **change}


def seeds_of(table: Rows, results: Mapping[str, Any], *, paired: bool) -> int:
    """Return how many seeds there are: complete keys, or rows of the smallest group."""
    return len(complete(table, results)) if paired else min(len(table.where(cell)) for cell in results["cells"])


def record_of(claim: Claim, table: Rows, results: Mapping[str, Any]) -> DataRecord:
    """Return what a report says of the rows that a claim reads, with those that are left out."""
    parts = [f"{table.files} file{'s' * (table.files > 1)}"]
    if claim.paired:
        lacking, kept = _incomplete(table, results), len(complete(table, results))
        parts.append(f"{kept} of {kept + len(lacking)} values of {results['pairing']} have a row everywhere")
        shown = [f"{key} (no {what})" for key, what in list(lacking.items())[:MOST_LISTED]]
        more = [f"{len(lacking) - MOST_LISTED} more"] if len(lacking) > MOST_LISTED else []
        parts += [f"left out: {', '.join([*shown, *more])}"] if lacking else []
    else:
        sizes = [f"{cell_words(cell)}: {len(table.where(cell))}" for cell in results["cells"]]
        parts.append(f"rows of {'; '.join(sizes)}")
    return DataRecord(results["files"], table.sha256, len(table.rows), "; ".join(parts))


def _incomplete(table: Rows, results: Mapping[str, Any]) -> dict[str, str]:
    """Return the keys that some cell has no row for, each with the first such cell."""
    every = {
        cell_words(cell): {as_text(row.values.get(results["pairing"])) for row in table.where(cell)}
        for cell in results["cells"]
    }
    keys = sorted(set().union(*every.values()), key=in_order)
    first = {key: next((words for words, own in every.items() if key not in own), None) for key in keys}
    return {key: words for key, words in first.items() if words is not None}


def cell_words(cell: Cell) -> str:
    """Return `system=ours, width=16`; of a cell without columns that all rows are meant."""
    return ", ".join(f"{name}={as_text(value)}" for name, value in cell.items()) or "all rows"
