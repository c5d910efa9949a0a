"""A stored trial measured again: what it was, whether today's code can repeat it, and whether every bit returns."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from harness.errors import ClaimsError, UsageError
from harness.judging.points import durations_of
from harness.running.reuse import stale
from harness.seeds import seeds_of
from harness.trials.catalogue import find
from harness.trials.executor import Inline
from harness.trials.experiment import Task
from harness.trials.occupancy import occupied, waiting
from harness.trials.options import Options
from harness.trials.plan import keys_of, make_plan
from harness.trials.provenance import processor

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from harness.running.record import Record
    from harness.store.store import Store
    from harness.trials.experiment import Outcome
    from harness.trials.plan import Plan
    from harness.trials.rows import PastTrial

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
    run: dict[str, Any] | None
    record: Record | None

    @property
    def commit(self) -> str | None:
        """The commit that measured it, None if nobody noted one."""
        commit = self.run["machine"].get("commit") if self.run else None
        return commit if isinstance(commit, str) else None


@dataclass(frozen=True)
class Prospect:
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
    record = next((record for record in store.records(trial.run) if record["id"] == trial.claim), None)
    return Finding(trial, run, None if record is None or "problem" in record else record)


def prospect_of(finding: Finding, root: Path, store: Store | None = None) -> Prospect:
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
        return Prospect(None, None, str(error).replace("--claims-device: ", "").splitlines())
    task = task_of(trial, plan)
    changed = stale(plan, trial.inputs, store) if store else None
    return Prospect(plan, task, _obstacles(finding, plan, task) or ([changed] if changed else []))


def task_of(trial: PastTrial, plan: Plan) -> Task:
    """Return the call that measured a trial: the same settings, and the same seeds in one call as far as is known."""
    # JSON knows no tuples; an experiment may cache by its settings, and a list is no key of a cache.
    settings = {name: tuple(v) if name in plan.together else v for name, v in trial.settings.items()}
    seeds = seeds_of(trial.claim, trial.seed.base, trial.company or [trial.seed.index])
    folder, metrics = plan.folder, tuple(plan.claim.metrics)
    length = plan.together_length
    return Task(folder.experiment, folder.project, trial.arm, trial.condition, seeds, settings, metrics, length)


def _obstacles(finding: Finding, plan: Plan, task: Task) -> list[str]:
    """Return which parts of a trial's key are others today, one line each; none if the key is the same."""
    trial, record = finding.trial, finding.record
    if keys_of(plan, task, [trial.seed]) == [trial.key]:
        return []
    names = {**trial.environment, **plan.environment}
    environments = [(name, trial.environment.get(name), plan.environment.get(name)) for name in names]
    found = [
        f"{name} was {then or 'no part of it'}, is {now or 'none'}" for name, then, now in environments if then != now
    ]
    if record is not None and record["code"]["digest"] != plan.code.digest:
        found.append(f"code: another digest of {', '.join(plan.code.modules)}")
    if record is not None and [part["sha256"] for part in record["data"]] != [part.sha256 for part in plan.data]:
        found.append("data: another checksum, or another data set")
    if trial.metrics and not set(plan.claim.metrics) - durations_of(plan.claim) <= trial.metrics.keys():
        found.append("metrics: the claim declares others")
    unknown = "code, data or metrics: another key, and no record of its run tells which of them changed"
    return found or [unknown if record is None else "another key, though code, data and environment are the same"]


def repeat(prospect: Prospect, trial: PastTrial, say: Callable[[str], None]) -> Outcome:
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
    durations = durations_of(plan.claim)
    return [
        Compared(name, trial.metrics.get(name), outcome.metrics.get(name), name in durations)
        for name in {**trial.metrics, **outcome.metrics}
    ]


def repeated(trial: PastTrial, outcome: Outcome, plan: Plan) -> bool:
    """Whether a trial came out as it had: every metric bit for bit, or the same failure."""
    return trial.error == outcome.error and all(row.equal for row in compared(trial, outcome, plan))


def _bits(value: float | list[float] | None) -> list[str]:
    """Return numbers as text that differs if a bit of them does: -0.0 equals 0.0, and is another number."""
    return [float(number).hex() for number in _listed(value)]


def _listed(value: float | list[float] | None) -> list[float]:
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
        "seed": trial.seed.index,
        "base_seed": trial.seed.base,
    }


def listing(trials: list[PastTrial]) -> Iterator[str]:
    """Yield the latest trials as a table: the beginning of each key, and what it names."""
    yield f"{'key':<{SHORT}}  {'status':<8}  {'seed':>4}  {'base seed':>9}  claim, arm, condition"
    for trial in trials:
        status = "failed" if trial.error else "finished"
        what = ", ".join(filter(None, (trial.claim, trial.arm, _pairs(trial.condition))))
        yield f"{trial.key[:SHORT]}  {status:<8}  {trial.seed.index:>4}  {trial.seed.base:>9}  {what}"


def lines(finding: Finding, prospect: Prospect, options: str = "") -> Iterator[str]:
    """Yield what a trial was, and the command that repeats it, with `options` added."""
    trial, run = finding.trial, finding.run
    machine = run["machine"] if run else {}
    yield f"trial        {trial.key}"
    yield f"claim        {trial.claim}"
    yield f"arm          {trial.arm}"
    yield f"condition    {_pairs(trial.condition) or 'none'}"
    yield f"settings     {_pairs(trial.settings)}"
    yield f"seed         {trial.seed.index} of base seed {trial.seed.base}"
    yield f"company      {_company(trial)}"
    yield f"measured     {trial.finished} by run {trial.run}, {_commit(finding)}"
    yield f"environment  {_pairs(trial.environment)}"
    yield f"machine      {_processor(finding) or 'not known'}, Python {machine.get('python', 'not known')}"
    yield f"outcome      {trial.error or _pairs(trial.metrics)}"
    yield ""
    if prospect.obstacles:
        yield "today it would be another trial:"
        yield from (f"  {obstacle}" for obstacle in prospect.obstacles)
    yield "to repeat it:"
    if prospect.obstacles:
        yield f"  git checkout {finding.commit}" if finding.commit else "  (go back to its code: no commit was noted)"
    yield f"  claims repro {trial.key[:SHORT]} --run{options}"


def _company(trial: PastTrial) -> str:
    if trial.company is None:
        return "not known (measured by an earlier version): alone, its last bits may differ"
    if len(trial.company) == 1:
        return "none: it was measured alone"
    return f"seeds {', '.join(map(str, trial.company))}, measured in one call"


def _commit(finding: Finding) -> str:
    if finding.commit is None or finding.run is None:
        return "commit not known"
    dirty = finding.run["machine"].get("uncommitted_changes")
    return f"commit {finding.commit}" + (" with uncommitted changes" if dirty else "")


def _pairs(values: dict[str, Any]) -> str:
    return ", ".join(f"{name} {value}" for name, value in values.items())


def result_lines(finding: Finding, outcome: Outcome, plan: Plan) -> Iterator[str]:
    """Yield what came of a repetition: every metric then and now, and whether all are the same."""
    trial = finding.trial
    if trial.error or outcome.error:
        yield f"  then: {trial.error or 'it was finished'}"
        yield f"  now:  {outcome.error or 'it was finished'}"
    for row in compared(trial, outcome, plan):
        yield from _row_lines(row)
    if repeated(trial, outcome, plan):
        yield "repeated bit for bit" if trial.error is None else "it failed again, and alike"
        return
    yield "NOT repeated: it came out otherwise"
    if trial.company is None:
        yield "  the seeds that it was measured with in one call are not known; their sums round otherwise than its own"
    then = _processor(finding)
    if then != processor():
        yield f"  it was measured on {then or 'a machine that is not known'}; this is {processor()}"


def _processor(finding: Finding) -> str | None:
    """Return the processor that measured a trial, as the trial has it; of earlier versions its run's, None if not known."""
    if finding.trial.clock:
        return str(finding.trial.clock.get("processor"))
    return finding.run["machine"].get("processor") if finding.run else None


def _row_lines(row: Compared) -> Iterator[str]:
    if row.duration:
        yield f"  {row.name}: {row.then if row.then is not None else 'not kept'} then, {row.now} now; a duration, not compared"
        return
    if row.equal:
        yield f"  {row.name}: {row.now}, the same"
        return
    then, now = _listed(row.then), _listed(row.now)
    if len(then) != len(now):
        yield f"  {row.name}: {row.then} then, {row.now} now"
        return
    for position, (one, other) in enumerate(zip(then, now, strict=True)):
        if one.hex() != other.hex():
            place = f"{row.name}[{position}]" if len(then) > 1 else row.name
            yield f"  {place}: {one!r} then, {other!r} now, a difference of {other - one:.3g}"
