"""A claim about results that lie there: the files are looked at, and claim.yaml written around their columns."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from harness.cli.new_command import better_of, finite, name_of, quoted
from harness.errors import DataError, UsageError

if TYPE_CHECKING:
    from pathlib import Path

    from harness.trials.result_files import Rows

ARMS = ("arm", "system", "model", "method", "algorithm", "agent", "variant", "team", "division")
"""Columns that name what is compared."""

KEYS = ("seed", "run", "run_id", "trial", "repeat", "fold", "split", "sample_id", "sample", "id", "instance")
"""Columns whose values rows of different arms may share."""

MOST_ARMS = 12
"""Values of a column that are taken for arms."""


def words_of(project: Path, pattern: str) -> dict[str, str]:
    """Look at results; return what their claim.yaml says of them, by the template's names.

    Raises:
        UsageError: they cannot be read, or hold no number, or nothing that could be compared.
    """
    from pydantic import ValidationError

    from harness.specification.results import Results
    from harness.trials.result_files import read_rows

    try:
        table = read_rows(Results(files=pattern).files, project)
    except (DataError, ValidationError, ValueError) as error:
        text = (
            str(error.errors()[0]["msg"]).removeprefix("Value error, ") if isinstance(error, ValidationError) else error
        )
        raise UsageError(f"--results: {pattern}: {text}") from None
    column = _column(table, ARMS)
    metrics = [name for name in _numbers(table) if name not in (*ARMS, *KEYS)]
    names = table.values(column) if column else metrics
    if not metrics or not 2 <= len(names) <= MOST_ARMS:
        raise UsageError(
            f"--results: {pattern}: holds {len(metrics)} columns of numbers and {len(names)} arms; name what is compared in a "
            f"column {ARMS[0]!r}, two values or more, or give each its own column of numbers"
        )
    return _words(table, pattern, column, names, metrics if column else ["value"])


def _words(table: Rows, pattern: str, column: str, names: list[str], metrics: list[str]) -> dict[str, str]:
    key = _key(table, column)
    arms = dict(zip(map(name_of, names), names, strict=True))
    columns = {name_of(metric): metric for metric in metrics} if column else {"value": "{arm}"}
    parts = [f"files: {json.dumps(pattern)}", f"pairing: {quoted(key)}"] + (
        [f"arm: {quoted(column)}"] if column else []
    )
    others = {metric: found for metric, found in columns.items() if metric != found}
    # An arm that is no name in YAML says in a setting what its rows hold, or which column is its own.
    plain = all(arm == name for arm, name in arms.items())
    own = {arm: "{}" if plain else json.dumps({column or "column": name}) for arm, name in arms.items()}
    if not column and not plain:
        others = {"value": "{column}"}
    parts += [f"metrics: {json.dumps(others)}"] if others else []
    metric = next((one for one in columns if better_of(one) != "neither"), next(iter(columns)))
    first, second, *_ = arms
    return {
        "results": f"{{{', '.join(parts)}}}",
        "arms": "\n".join(f"  {arm}: {settings}" for arm, settings in own.items()),
        "metrics": "\n".join(f"  {one}: {{unit: as given, better: {better_of(one)}}}" for one in columns),
        "metric": metric,
        "first": first,
        "second": second,
        "expectation": f"{metric[:60]}_differs_as_claimed",
        "side": "at_most" if better_of(metric) == "lower" else "at_least",
    }


def _column(table: Rows, known: tuple[str, ...]) -> str:
    """Return the first column of a known name that the rows have; empty without one."""
    return next((name for name in known if table.values(name)), "")


def _key(table: Rows, column: str) -> str:
    """Return the column that pairs rows: one whose values stand once for each arm, and for several arms; else `none`."""
    groups = [table.where({column: name}) for name in table.values(column)] if column else [table.rows]
    for key in KEYS:
        values = [[str(row.values.get(key)) for row in group] for group in groups]
        once = all(len(set(own)) == len(own) for own in values)
        if table.values(key) and once and set.intersection(*map(set, values)):
            return key
    return "none"


def _numbers(table: Rows) -> list[str]:
    """Return the columns, paths of keys in JSON, that hold a number in the first row."""
    first: Any = table.rows[0].values if table.rows else {}
    return [name for name, _ in finite(first)]
