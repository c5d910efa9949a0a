"""A run with the records of its claims, as reports and questions read it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness.running.error_budget import add_budget
from harness.running.exit_code import exit_code

if TYPE_CHECKING:
    from harness.store.store import Store

Run = dict[str, Any]


def run_of(store: Store, run_id: str) -> Run | None:
    """Return a run with the records of its claims, None if it has none."""
    from harness.store.schema import SCHEMA_VERSION

    claims = store.records(run_id)
    if not claims:
        return None
    head = {"schema_version": SCHEMA_VERSION, **store.run(run_id), "exit_code": exit_code(claims)}
    return {**head, "error_budget": add_budget(claims), "claims": claims}


def stored_run(store: Store, run_id: str) -> Run | None:
    """Return a run that others may have written or edited, as `run_of` does.

    Raises:
        UsageError: its options, its machine or the record of a claim is not what it should be.
    """
    from harness.store.soundness import check_head

    run = run_of(store, run_id)
    if run is not None:
        check_head(run, f"{store.path}: run {run_id}")
    return run
