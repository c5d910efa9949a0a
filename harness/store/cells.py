"""What the cells of a stored trial hold as JSON, held against what they should hold: others may have written them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from harness.errors import UsageError
from harness.specification.models import MOST_SEEDS
from harness.trials.provenance import canonical

if TYPE_CHECKING:
    from harness.trials.task import Metrics


MOST_NAMED = 16
"""Seeds of one call that are named one by one."""


def object_of(text: Any, where: str) -> dict[str, Any]:
    """Return the object that a cell holds as JSON.

    Raises:
        UsageError: it holds none, or a number that is none; `where` begins the message.
    """

    def refuse(constant: str) -> None:
        raise UsageError(f"{where}: holds {constant}, which is no number")

    try:
        found = json.loads(text, parse_constant=refuse)
    except (TypeError, ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise UsageError(f"{where}: {str(text)[:60]!r} is no object in JSON")
    return found


def metrics_of(text: Any, where: str) -> Metrics:
    """Return what a trial measured: metric -> number, or a list of them; nothing for a failed one.

    Raises:
        UsageError: it is something else.
    """
    found = object_of(text, where)
    if not all(map(_is_measured, found.values())):
        raise UsageError(f"{where}: {str(text)[:60]!r}, where a trial has numbers")
    return found


def names_of(text: Any, where: str) -> dict[str, str]:
    """Return the versions and the like under which a trial was measured.

    Raises:
        UsageError: it is something else than names with text.
    """
    found = object_of(text, where)
    if not all(isinstance(value, str) for value in found.values()):
        raise UsageError(f"{where}: {str(text)[:60]!r}, where a trial has names with text")
    return found


def batch_text(seeds: list[int]) -> str:
    """Return the indices of the seeds of one call as a cell holds them: many by first, last and step, for each of their trials names them all."""
    step = seeds[1] - seeds[0] if len(seeds) > MOST_NAMED else 0
    if step > 0 and list(range(seeds[0], seeds[-1] + 1, step)) == seeds:
        return canonical({"first": seeds[0], "last": seeds[-1], "step": step})
    return canonical(seeds)


def batch_seeds_of(text: Any, seed: int, where: str) -> list[int]:
    """Return the indices of the seeds that were measured in one call, that of the trial among them.

    Raises:
        UsageError: it is something else.
    """
    found = object_of(f'{{"seeds": {text}}}', where).get("seeds")
    if isinstance(found, dict):
        ends = [found.get(name) for name in ("first", "last", "step")]
        whole = all(type(end) is int and 0 <= end < MOST_SEEDS for end in ends) and found["step"] > 0
        found = list(range(found["first"], found["last"] + 1, found["step"])) if whole else None
    if (
        not isinstance(found, list)
        or not all(type(index) is int and index >= 0 for index in found)
        or seed not in found
    ):
        raise UsageError(f"{where}: {str(text)[:60]!r}, where a trial has indices of seeds")
    return found


def _is_measured(value: Any) -> bool:
    """Whether a metric's value is a number, or a list of them."""
    values = value if isinstance(value, list) else [value]
    return bool(values) and all(isinstance(v, int | float) and not isinstance(v, bool) for v in values)
