"""What the claims of a run share: options, store, processes, time, and who is told."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from harness.running.time_budget import Budget

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness.running.drawing import Drawing
    from harness.running.progress import Step
    from harness.store.store import Store
    from harness.trials.executor import Executor
    from harness.trials.options import Options


def _silent(_line: str) -> None:
    """Tell nobody."""


def _unwatched(_step: Step) -> None:
    """Tell nobody."""


@dataclass(frozen=True)
class Context:
    """What the claims of a run share.

    Attributes:
        options: what the user chose.
        store: where trials are kept.
        executor: number of processes -> where trials run.
        run: id of the run.
        say: is told one line per finished batch.
        budget: the time that the run may take.
        watch: is told before a batch and after every part of it.
        drawing: the pictures of the claim at hand, drawn beside its trials; None draws nothing.
        told: why it waits, as the user knows by now.
        log: is told the last lines that the commands of trials wrote.
    """

    options: Options
    store: Store
    executor: Callable[[int], Executor]
    run: str
    say: Callable[[str], None] = _silent
    budget: Budget = field(default_factory=Budget)
    watch: Callable[[Step], None] = _unwatched
    drawing: Drawing | None = None
    told: set[str] = field(default_factory=set)
    log: Callable[[str], None] = _silent
