"""A run with the records of its claims, as reports and questions read it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.running.exit_code import exit_code

if TYPE_CHECKING:
    from harness.store.records.run import Run
    from harness.store.store import Store


def run_of(store: Store, run_id: str) -> Run | None:
    """Return a run with the records of its claims, None if it has none.

    Raises:
        UsageError: its options, its machine or the record of a claim is not what it should be.
    """
    # Late: the models take longer to import than most commands take.
    from harness.running.error_budget import adjust
    from harness.store.records.run import Run

    found = store.records(run_id)
    if not found:
        return None
    claims, budget = adjust(found)
    head = dict(store.run(run_id))
    return Run(**head, exit_code=exit_code(claims), error_budget=budget, claims=claims)
