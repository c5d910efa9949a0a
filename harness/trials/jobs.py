"""Tasks grouped into jobs, each of which one process runs."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Collection

    from harness.seeds import Seed
    from harness.trials.task import Task
    from harness.trials.worker import Job


def jobs_of(tasks: list[Task], workers: int) -> list[Job]:
    """Group tasks into jobs, each of which runs in one process.

    Arms under one condition go together, so that they can share work; seeds are
    split so that every worker has a part.
    """
    jobs = []
    for group in _by_condition(tasks):
        seeds = sorted({seed for task in group for seed in task.seeds})
        parts = min(workers, len(seeds))
        part_of = {seed: position % parts for position, seed in enumerate(seeds)}
        split: list[Job] = [[] for _ in range(parts)]
        for task in group:
            # One pass over a task's seeds, however many parts: a thousand workers have one seed each.
            rows: dict[int, list[int]] = {}
            for row, seed in enumerate(task.seeds):
                rows.setdefault(part_of[seed], []).append(row)
            for part, own in rows.items():
                split[part].append(_of_rows(task, own))
        jobs += split
    # Large conditions (widths, sample sizes) come last by custom: beginning with them balances the workers.
    return jobs[::-1]


def timed_jobs_of(tasks: list[Task]) -> list[Job]:
    """Return a job per seed and condition, for one process alone.

    Arms swap places from seed to seed, so that a drift of the machine's speed cancels in their ratio.
    """
    seeds = sorted({seed for task in tasks for seed in task.seeds})
    groups = _by_condition(tasks)
    turns = [(seed, group if seed.index % 2 == 0 else group[::-1]) for seed in seeds for group in groups]
    return [[part for task in group if (part := only(task, {seed}))] for seed, group in turns]


def _by_condition(tasks: list[Task]) -> list[list[Task]]:
    groups: dict[tuple[Any, ...], list[Task]] = {}
    for task in tasks:
        groups.setdefault(tuple(task.condition.items()), []).append(task)
    return list(groups.values())


def only(task: Task, seeds: Collection[Seed]) -> Task | None:
    """Return a task limited to some of its seeds, None if that leaves none."""
    rows = [row for row, seed in enumerate(task.seeds) if seed in seeds]
    return _of_rows(task, rows) if rows else None


def _of_rows(task: Task, rows: list[int]) -> Task:
    return replace(task, seeds=tuple(task.seeds[row] for row in rows), keys=tuple(task.keys[row] for row in rows))
