"""What is fixed before the first trial, and the tasks that follow from it."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from harness.errors import TrialError, UsageError
from harness.judging.caps import settings_of
from harness.judging.points import wall_clock_metrics
from harness.seeds import Seed
from harness.specification.models import DEVICE, EXTERNAL
from harness.specification.parsing import suggestion
from harness.trials.data_sets import OF_RESULTS, record_of
from harness.trials.experiment import Task, load_experiment
from harness.trials.identity import Identity
from harness.trials.inputs import Inputs, declared
from harness.trials.options import resolve_device
from harness.trials.place import keeps_time
from harness.trials.provenance import code_of, environment
from harness.trials.result_cells import planned
from harness.trials.results import group_size
from harness.trials.signature import not_found

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from harness.data import DataRecord
    from harness.judging.points import Point
    from harness.specification.models import Claim, SeedPlan
    from harness.trials.catalogue import ClaimFolder
    from harness.trials.options import Options
    from harness.trials.provenance import Code
    from harness.trials.rows import Measured


@dataclass(frozen=True)
class Plan:
    """All that is fixed before the first trial.

    Attributes:
        folder: the claim and where it lies.
        profile: name of the profile.
        seeds: how many seeds, and when to look.
        settings: what all trials share.
        base_seed: base seed of the run.
        device: cpu or cuda.
        code: digest of the experiment and its imports.
        data: data sets that the trials read.
        environment: device, precision and versions, part of every key.
        declared: file that the claim declares as an input -> SHA-256.
    """

    folder: ClaimFolder
    profile: str
    seeds: SeedPlan
    settings: dict[str, Any]
    base_seed: int
    device: str
    code: Code
    data: list[DataRecord]
    environment: dict[str, str]
    declared: dict[str, str] = field(default_factory=dict)

    @property
    def claim(self) -> Claim:
        """The specification."""
        return self.folder.claim

    @property
    def inputs(self) -> Inputs:
        """What trials rest on as far as it is known beforehand: code, data, declared files."""
        data = {record.name: record.sha256 for record in self.data}
        return Inputs(code=self.code.parts, data=data, declared=self.declared)

    def import_experiment(self) -> None:
        """Import experiment.py: one that cannot be is one problem of its claim, and no failure of every trial.

        Raises:
            TrialError: it cannot be imported, or has no measure(); or the claim's command is not found.
        """
        if lacking := not_found(self.folder):
            raise TrialError("\n".join(lacking))
        load_experiment(self.folder.experiment, self.folder.project)

    @property
    def data_declared(self) -> tuple[tuple[str, str], ...]:
        """Each data set by the name that the claim declares, with the SHA-256 of its content; then that of its results."""
        names = [*self.claim.data, *([OF_RESULTS] if self.claim.results else [])]
        return tuple((name, record.sha256) for name, record in zip(names, self.data, strict=True))

    @property
    def identity(self) -> Identity:
        """What its trials have in common with all that can be compared with them."""
        conditions = {name: list(condition.values) for name, condition in self.claim.conditions.items()}
        data = [record.sha256 for record in self.data]
        settings = (self.settings, self.claim.arms, conditions)
        return Identity(self.code.digest, data, self.environment, *settings, self.declared)

    def environment_of(self, arm: str) -> dict[str, str]:
        """The environment of an arm's trials: where a run is no matter to one that stays on the processor."""
        device = self.environment.get(DEVICE)
        return {**self.environment, DEVICE: self.claim.device_of(arm, device)} if device else self.environment

    @property
    def together(self) -> dict[str, tuple[Any, ...]]:
        """The conditions that one call of measure() gets whole."""
        return {name: tuple(c.values) for name, c in self.claim.conditions.items() if c.together}

    @property
    def together_length(self) -> int | None:
        """How many values of a metric one call yields per seed, None for a single one."""
        return math.prod(len(values) for values in self.together.values()) if self.together else None


def make_plan(folder: ClaimFolder, options: Options) -> Plan:
    """Fix everything that does not depend on a measurement; of the project's code only data sets are asked what they are.

    Raises:
        UsageError: no such profile or device.
        TrialError: the experiment's code cannot be read, or imports what is not installed.
        DataError: a data file is not what it should be.
    """
    claim = folder.claim
    if options.profile not in claim.profiles:
        raise UsageError(
            f"{folder.path / 'claim.yaml'}: no profile {options.profile!r}; {suggestion(options.profile, claim.profiles)}"
        )
    profile = claim.profiles[options.profile]
    # A claim without torch has nothing to put on a GPU.
    device = resolve_device(options.device, options.slots) if claim.precision else "cpu"
    data = [record_of(name, folder.project) for name in claim.data]
    code, around = _code_and_versions(folder, device)
    settings = settings_of(claim, profile)
    if claim.command:
        settings["command"] = claim.command.model_dump(mode="json")
    if claim.results:
        settings["results"], record = planned(claim, profile, folder.project)
        data.append(record)
    named = {
        path: digest for files in declared(claim.inputs, folder.project).values() for path, digest in files.items()
    }
    # What lies there already is the same whatever base seed asks for it.
    base_seed = 0 if claim.evidence == EXTERNAL else options.base_seed
    return Plan(folder, options.profile, profile.seeds, settings, base_seed, device, code, data, around, named)


def _code_and_versions(folder: ClaimFolder, device: str) -> tuple[Code, dict[str, str]]:
    precision = folder.claim.precision
    try:
        code = code_of(folder.experiment, folder.project, folder=folder.path)
        # Seeds can make torch generators, so every experiment seems to import torch; without a precision none trains with it.
        packages = [name for name in code.packages if precision or name != "torch"]
        return code, environment(packages, device, precision)
    except (ImportError, OSError, SyntaxError, ValueError) as error:
        # Importing it says best what is wrong, and where.
        load_experiment(folder.experiment, folder.project)
        raise TrialError(f"{folder.experiment}: its code cannot be planned: {error}") from error


def settings_for(plan: Plan, arm: str, condition: Mapping[str, Any], change: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings of a trial; of two that name the same setting the later wins.

    Order: the claim's and the profile's settings, the arm's, the condition, a control's change. A command is one of them,
    the arm's own, with where its metrics stand; and so is what estimators are scored by.
    """
    claim = plan.claim
    own = {name: value for name, value in claim.arms[arm].items() if name != DEVICE}
    found = {**plan.settings, **own, **condition, **plan.together, **change}
    if claim.experiment:
        return {**found, "scores": list(claim.metrics_of(arm))}
    return {**found, "command": claim.command.of(arm, claim.metrics_of(arm))} if claim.command else found


def placement(plan: Plan, arm: str) -> dict[str, Any]:
    """Return the keywords that say where and how precisely to train an arm; none without torch."""
    claim = plan.claim
    return {DEVICE: claim.device_of(arm, plan.device), "precision": claim.precision} if claim.precision else {}


def tasks_of(
    plan: Plan, points: Iterable[Point], seeds: Iterable[int], change_of: Callable[[str], Mapping[str, Any]]
) -> list[Task]:
    """Return one task per arm and condition, with the keys of its trials; `change_of` an arm is a control's change.

    Of a command each seed is a task of its own: it shares no work with others, and fails or is kept by itself. Of groups
    of rows every one is measured, however many others have.
    """
    claim, folder, wanted = plan.claim, plan.folder, list(seeds)
    cells = dict.fromkeys(
        tuple((name, value) for name, value in point if name not in plan.together) for point in points
    )
    tasks = []
    for cell in cells:
        condition = dict(cell)
        arm = str(condition.pop("arm"))
        settings, metrics = settings_for(plan, arm, condition, change_of(arm)), claim.metrics_of(arm)
        identity = replace(plan.identity, environment=plan.environment_of(arm))
        everything = {**settings, **placement(plan, arm)}
        indices = wanted if claim.paired else range(group_size(settings, arm, folder.project))
        everyone = tuple(Seed(plan.base_seed, claim.id, index) for index in indices)
        batches = [(seed,) for seed in everyone] if claim.command else [everyone]
        limits = (claim.limits.seconds, claim.limits.gigabytes)
        shape = (metrics, plan.together_length)
        for batch in batches:
            keys = tuple(identity.key(seed, arm, settings, metrics) for seed in batch)
            call = (folder.experiment, folder.project, arm, condition, batch, everything)
            tasks.append(Task(*call, *shape, keys, *limits, **_planned(plan)))
    return tasks


def plan_of_pictures(plan: Plan) -> Plan:
    """Return the plan of what is drawn, whose code is that of pictures.py, too."""
    folder = plan.folder
    return replace(plan, code=code_of(folder.experiment, folder.project, folder.pictures, folder.path))


def illustration_task(plan: Plan) -> Task:
    """Return the call of illustrate(experiment, seed, arms): the first seed, and of each arm what its trials share."""
    claim, folder = plan.claim, plan.folder
    seeds = (Seed(plan.base_seed, claim.id, 0),)
    settings = {arm: {**plan.settings, **own, **placement(plan, arm)} for arm, own in claim.arms.items()}
    limits = (claim.limits.seconds, claim.limits.gigabytes)
    call = (folder.experiment, folder.project, "")
    return Task(*call, {}, seeds, settings, (), None, (), *limits, pictures=folder.pictures, **_planned(plan))


def _planned(plan: Plan) -> dict[str, Any]:
    """Return what a call is planned with besides its settings, as keywords of a task."""
    return {
        "code": plan.code,
        "data": plan.data_declared,
        "environment": plan.environment,
        "folder": plan.folder.path,
    }


def keys_of(plan: Plan, task: Task, seeds: Iterable[Seed]) -> list[str]:
    """Return the keys that trials of `task` with these seeds have, whatever their base seeds."""
    return [stored_key(plan, task.arm, task.settings, seed) for seed in seeds]


def stored_key(plan: Plan, arm: str, settings: Mapping[str, Any], seed: Seed) -> str:
    """Return the key that a trial has whose call got `settings`, as the store holds them, placement included."""
    own = {name: value for name, value in settings.items() if name not in placement(plan, arm)}
    identity = replace(plan.identity, environment=plan.environment_of(arm))
    return identity.key(seed, arm, own, plan.claim.metrics_of(arm))


def lasting(plan: Plan, task: Task, stored: Measured) -> Measured:
    """Return a stored trial of a task without durations by another clock, or in company: none here compares with them."""
    durations = wall_clock_metrics(plan.claim)
    if not durations or keeps_time(stored.place, task.device):
        return stored
    return stored._replace(metrics={name: own for name, own in stored.metrics.items() if name not in durations})


def fingerprint(plan: Plan) -> str:
    """Return the SHA-256 of all that a trial depends on besides arm and seed."""
    return plan.identity.fingerprint()


def points_of_task(plan: Plan, task: Task) -> list[Point]:
    """Return the points that a task's metrics belong to, one per value measured together."""
    names = sorted(plan.claim.conditions)
    rows: list[dict[str, Any]] = [dict(task.condition)]
    for name, values in plan.together.items():
        rows = [{**row, name: value} for row in rows for value in values]
    return [(("arm", task.arm), *((name, row[name]) for name in names)) for row in rows]
