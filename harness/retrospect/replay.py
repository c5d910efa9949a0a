"""A stored trial measured again: what it was, whether today's code can repeat it, and whether every bit returns."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from harness.errors import ClaimsError, UsageError
from harness.judging.points import wall_clock_metrics
from harness.running.reuse import stale
from harness.seeds import seeds_of
from harness.store.records.claim import ClaimRecord
from harness.trials.catalogue import find
from harness.trials.executor import Inline
from harness.trials.identity import changed_versions
from harness.trials.occupancy import occupied, waiting
from harness.trials.options import Options
from harness.trials.plan import keys_of, make_plan
from harness.trials.task import Task

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from harness.store.records.run import Head
    from harness.store.store import Store
    from harness.trials.plan import Plan
    from harness.trials.rows import PastTrial
    from harness.trials.task import Outcome

SHORT = 12
"""Digits of a key that are shown: enough to name a trial among millions."""

LATEST = 20
"""Trials that are listed."""


@dataclass(frozen=True)
class Finding:
    """A trial, and what is known of it.

    Attributes:
        trial: as it is stored.
        run: the run that measured it, None if the store does not know it.
        record: what that run says of the claim, None if it left no record.
    """

    trial: PastTrial
    run: Head | None
    record: ClaimRecord | None

    @property
    def commit(self) -> str | None:
        """The commit that measured it, None if nobody noted one."""
        return self.run.machine.commit if self.run else None


@dataclass(frozen=True)
class Repeatability:
    """Whether a trial can be repeated today.

    Attributes:
        plan: what its claim's trials depend on today; None where the claim cannot be planned at all.
        task: the call that repeats it; None likewise.
        obstacles: why its key is another today, one line each; without any it can be repeated.
    """

    plan: Plan | None
    task: Task | None
    obstacles: list[str]


def find_trial(store: Store, prefix: str) -> Finding:
    """Return the trial whose key begins with `prefix`.

    Raises:
        UsageError: there is none, or more than one.
    """
    found = store.past(prefix, 2)
    if not found:
        raise UsageError(
            f"{prefix!r}: no trial in {store.path} has a key that begins so; `claims repro` lists the latest"
        )
    if len(found) > 1:
        shown = " and ".join(trial.key[: max(SHORT, len(prefix) + 4)] for trial in found)
        raise UsageError(f"{prefix!r}: several keys begin so, such as {shown}; give more digits")
    (trial,) = found
    run = store.run(trial.run) if store.knows_run(trial.run) else None
    own = (one for one in store.records(trial.run) if isinstance(one, ClaimRecord) and one.id == trial.claim)
    return Finding(trial, run, next(own, None))


def prospect_of(finding: Finding, root: Path, store: Store | None = None) -> Repeatability:
    """Return whether a trial can be repeated by the claim in `root` as it is today; nothing is measured.

    What it rests on besides its key is looked at if the `store` that says so is given.
    """
    trial = finding.trial
    try:
        folder = find(root, trial.claim)
        # Which profile it is does not matter: a task has the trial's own settings.
        chosen = Options(
            next(iter(folder.claim.profiles)), trial.seed.base, device=trial.environment.get("device", "cpu")
        )
        plan = make_plan(folder, chosen)
    except ClaimsError as error:
        return Repeatability(None, None, str(error).replace("--claims-device: ", "").splitlines())
    task = task_of(trial, plan)
    changed = stale(plan, trial.inputs, store) if store else None
    return Repeatability(plan, task, _obstacles(finding, plan, task) or ([changed] if changed else []))


def task_of(trial: PastTrial, plan: Plan) -> Task:
    """Return the call that measured a trial: the same settings, and the same seeds in one call."""
    # JSON knows no tuples; an experiment may cache by its settings, and a list is no key of a cache.
    settings = {name: tuple(v) if name in plan.together else v for name, v in trial.settings.items()}
    seeds = seeds_of(trial.claim, trial.seed.base, trial.batch_seeds)
    folder, metrics = plan.folder, plan.claim.metrics_of(trial.arm)
    length = plan.together_length
    return Task(folder.experiment, folder.project, trial.arm, trial.condition, seeds, settings, metrics, length)


def _obstacles(finding: Finding, plan: Plan, task: Task) -> list[str]:
    """Return which parts of a trial's key are others today, one line each; none if the key is the same."""
    trial, record = finding.trial, finding.record
    if keys_of(plan, task, [trial.seed]) == [trial.key]:
        return []
    versions = changed_versions(trial.environment, plan.environment)
    found = [f"{name} changed from {then} to {now}" for name, then, now in versions]
    parts = record.identity.differences(plan.identity) if record is not None else []
    if "code" in parts:
        found.append(f"code: another digest of {', '.join(plan.code.modules)}")
    if "data" in parts:
        found.append("data: another checksum, or another data set")
    if (
        trial.metrics
        and not set(plan.claim.metrics_of(trial.arm)) - wall_clock_metrics(plan.claim) <= trial.metrics.keys()
    ):
        found.append("metrics: the claim declares others")
    unknown = "code, data or metrics: another key, and no record of its run tells which of them changed"
    return found or [unknown if record is None else "another key, though code, data and environment are the same"]


def repeat(prospect: Repeatability, trial: PastTrial, say: Callable[[str], None]) -> Outcome:
    """Measure a trial again, here and on one thread, in the company it had; nothing is stored.

    Args:
        prospect: whether and how it can be repeated.
        trial: as it is stored.
        say: is told why nothing happens while another run measures durations.

    Raises:
        UsageError: it cannot be repeated today.
    """
    if prospect.task is None or prospect.obstacles:
        raise UsageError("\n".join([f"{trial.key[:SHORT]}: cannot be repeated today:", *prospect.obstacles]))
    words = f"{trial.key[:SHORT]}: another run needs the machine for itself; waiting"
    with occupied(alone=False, patient=waiting(say, words)):
        ((task, outcomes),) = Inline().run([[prospect.task]])
    return dict(zip(task.seeds, outcomes, strict=True))[trial.seed]


@dataclass(frozen=True)
class Compared:
    """One metric then and now.

    Attributes:
        name: of the metric.
        then: as it is stored, None where it is not.
        now: as it was measured again, None where it was not.
        duration: whether it is a duration, which no one expects to repeat.
    """

    name: str
    then: float | list[float] | None
    now: float | list[float] | None
    duration: bool

    @property
    def equal(self) -> bool:
        """Whether it is the same bit for bit, or need not be."""
        return self.duration or _bits(self.then) == _bits(self.now)


def compared(trial: PastTrial, outcome: Outcome, plan: Plan) -> list[Compared]:
    """Return every metric then and now."""
    durations = wall_clock_metrics(plan.claim)
    return [
        Compared(name, trial.metrics.get(name), outcome.metrics.get(name), name in durations)
        for name in {**trial.metrics, **outcome.metrics}
    ]


def repeated(trial: PastTrial, outcome: Outcome, plan: Plan) -> bool:
    """Whether a trial came out as it had: every metric bit for bit, or the same failure."""
    return trial.error == outcome.error and all(row.equal for row in compared(trial, outcome, plan))


def _bits(value: float | list[float] | None) -> list[str]:
    """Return numbers as text that differs if a bit of them does: -0.0 equals 0.0, and is another number."""
    return [float(number).hex() for number in listed(value)]


def listed(value: float | list[float] | None) -> list[float]:
    """Return the numbers of a metric, one or several or none."""
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def as_plain(trial: PastTrial) -> dict[str, Any]:
    """Return a trial as plain values."""
    facts = asdict(trial)
    return {
        "key": facts.pop("key"),
        "claim": trial.claim,
        **facts,
        "place": trial.place.model_dump() if trial.place else None,
        "seed": trial.seed.index,
        "base_seed": trial.seed.base,
    }
