"""Which stored trials are those of today: the same key, and all that they rest on as it was."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.trials.identity import changed_versions
from harness.trials.inputs import NOT_KNOWN, changes

if TYPE_CHECKING:
    from collections.abc import Iterable

    from harness.seeds import Seed
    from harness.store.store import Store
    from harness.trials.plan import Plan
    from harness.trials.rows import Measured
    from harness.trials.task import Task

MOST_NAMED = 3
"""Changes that are named; of more only their number is told."""

UNSEEN = "was started, and what a command reads is not seen: name its files in `inputs:` of claim.yaml to have such trials reused"

SINCE = "since these trials were measured"


def reusable(
    plan: Plan, keys: Iterable[str], store: Store, run: str | None, *, fresh: bool = False
) -> tuple[dict[str, Measured], dict[str, str]]:
    """Return the stored trials that count as measured today, and of the others why they do not: key -> words.

    Args:
        plan: what trials rest on today.
        keys: of the trials that are wanted.
        store: where trials are.
        run: id of the present run, whose own trials it may reuse whatever they started; None for no run.
        fresh: take those of `run` alone.
    """
    found, refused = store.finished(keys, run=run if fresh else None), {}
    reasons: dict[tuple[str | None, bool], str | None] = {}
    for key, trial in found.items():
        case = (trial.inputs, trial.run == run)
        if case not in reasons:
            reasons[case] = stale(plan, trial.inputs, store) or (None if case[1] else unseen(plan, trial.inputs, store))
        reason = reasons[case]
        if reason is not None:
            refused[key] = reason
    return {key: trial for key, trial in found.items() if key not in refused}, refused


def stale(plan: Plan, inputs: str | None, store: Store) -> str | None:
    """Return what changed of what trials rest on, in words; None if all is as it was."""
    known = store.inputs(inputs)
    if known is None:
        return NOT_KNOWN
    found = changes(known, plan.inputs, plan.folder.experiment, plan.folder.project)
    return f"{_listed(found)} {SINCE}" if found else None


def unseen(plan: Plan, inputs: str | None, store: Store) -> str | None:
    """Return that trials started a command whose reading nobody saw or declared; None if they did not."""
    known = store.inputs(inputs)
    return f"`{next(iter(known.commands))}` {UNSEEN}" if known and known.commands and not plan.declared else None


def superseded(plan: Plan, task: Task, seed: Seed, store: Store) -> str | None:
    """Return why a trial has another key than one like it had before, in words; None if there was none, or nobody knows."""
    before = store.predecessor(plan.claim.id, task, seed)
    if before is None:
        return None
    versions = changed_versions(before.environment, plan.environment_of(task.arm))
    found = [f"{name} changed from {then} to {now}" for name, then, now in versions]
    known = store.inputs(before.inputs)
    found += changes(known, plan.inputs, plan.folder.experiment, plan.folder.project) if known else []
    return f"{_listed(list(dict.fromkeys(found)))} {SINCE}" if found else None


def _listed(found: list[str]) -> str:
    shown = found[:MOST_NAMED] + ([f"{len(found) - MOST_NAMED} more"] if len(found) > MOST_NAMED else [])
    return " and ".join(filter(None, (", ".join(shown[:-1]), shown[-1])))


def anew_words(reason: str, number: int) -> str:
    """Return in one line why stored trials are not reused."""
    return f"{reason}: {number} trial{'s are' if number != 1 else ' is'} measured again"
