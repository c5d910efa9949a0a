"""What holds for every claim in claims/, by the same code: one folder, one claim, and no shared list."""

from __future__ import annotations

import inspect
import re
from functools import lru_cache
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from harness.judging.contrasts import step_at
from harness.running.variant import main_variant
from harness.trials.catalogue import claim_folders, load_claim
from harness.trials.experiment import Task, load_experiment, run_task
from harness.trials.options import Options
from harness.trials.plan import make_plan, only, tasks_of
from harness.trials.worker import one_thread

if TYPE_CHECKING:
    from harness.specification.kinds import Value
    from harness.specification.models import Claim

PROJECT = Path(__file__).parents[1]
FOLDERS = claim_folders(PROJECT / "claims")
per_claim = pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)

TOLERANCE = 1e-4
"""Relative; float32 sums in another order differ by some 1e-6, and training amplifies that."""

EXAMPLES = 2
"""Test examples that may change sides when sums are rounded otherwise."""


@lru_cache(maxsize=64)
def plan_of(folder: Path, base_seed: int = 0):
    """Plan a claim at the smoke scale."""
    return make_plan(load_claim(folder), Options(profile="smoke", base_seed=base_seed, device="cpu"))


def tasks(folder: Path, seeds: list[int], base_seed: int = 0) -> list[Task]:
    """Return one task per arm, each at the first point that an expectation reads of it."""
    plan = plan_of(folder, base_seed)
    variant = main_variant(plan.claim)
    found = tasks_of(plan, variant.points(list(variant.expectations), plan.claim), seeds, variant.change_of)
    return list({task.arm: task for task in reversed(found)}.values())


def measured(task: Task) -> dict[str, np.ndarray]:
    """Run a task; its metrics as arrays with a row per seed."""
    with one_thread():
        outcomes = run_task(task)
    assert [outcome.error for outcome in outcomes] == [None] * len(task.seeds)
    return {name: np.array([outcome.metrics[name] for outcome in outcomes]) for name in task.metrics}


def untimed(folder: Path) -> dict[str, float]:
    """Return the absolute tolerance of every metric that is no duration."""
    plan = plan_of(folder)
    metrics = {name: metric for name, metric in plan.claim.metrics.items() if metric.unit != "second"}
    points = [(("arm", arm), *condition) for arm in plan.claim.arms for condition in conditions_of(plan.claim)]
    return {
        name: EXAMPLES * max(step_at(metric, point, plan.claim, plan.settings) or 0.0 for point in points) + 1e-9
        for name, metric in metrics.items()
    }


def conditions_of(claim: Claim) -> list[tuple[tuple[str, Value], ...]]:
    """Return every condition, by name."""
    names = sorted(claim.conditions)
    return [tuple(zip(names, row, strict=True)) for row in product(*(claim.conditions[n].values for n in names))]


@pytest.mark.slow
@per_claim
def test_a_seed_does_not_notice_its_neighbours(folder):
    for task in tasks(folder, [0, 1]):
        together = measured(task)
        for row, seed in enumerate(task.seeds):
            alone = measured(only(task, [seed]))
            for name, absolute in untimed(folder).items():
                np.testing.assert_allclose(
                    alone[name][0], together[name][row], rtol=TOLERANCE, atol=absolute, err_msg=f"{task.arm} {name}"
                )


@pytest.mark.slow
@per_claim
def test_the_same_seed_gives_bitwise_the_same_numbers(folder):
    for task in tasks(folder, [0, 1]):
        first, second = measured(task), measured(task)
        for name in untimed(folder):
            assert first[name].tolist() == second[name].tolist()


@pytest.mark.slow
@per_claim
def test_the_base_seed_changes_the_draw(folder):
    """Some metric of some arm differs; all would be equal only if the seed were ignored."""
    pairs = zip(tasks(folder, [0, 1]), tasks(folder, [0, 1], base_seed=1), strict=True)
    values = [(measured(old), measured(new)) for old, new in pairs]
    differs = any(not np.array_equal(old[name], new[name]) for old, new in values for name in untimed(folder))
    exact_only = all("exact" in type(e.contrast).model_fields for e in load_claim(folder).claim.expectations.values())
    assert differs or exact_only


@per_claim
def test_folder_has_its_three_files_and_an_editor_schema(folder):
    assert {"claim.yaml", "experiment.py", "test_claim.py"} <= {path.name for path in folder.iterdir()}
    first_line = (folder / "claim.yaml").read_text().splitlines()[0]
    assert first_line == "# yaml-language-server: $schema=../../claim.schema.json"


@per_claim
def test_test_module_judges_every_reading_and_every_control(folder):
    text = (folder / "test_claim.py").read_text()
    (names,) = re.findall(r"^from harness\.claim_tests import (.*)$", text, re.MULTILINE)
    assert {"test_reading", "test_control"} <= set(names.split(", "))


@per_claim
def test_claim_has_a_control_and_every_profile(folder):
    claim = load_claim(folder).claim
    assert claim.controls, "a claim that nothing could break shows nothing"
    assert {"smoke", "quick", "paper"} <= claim.profiles.keys()


@per_claim
def test_claim_that_trains_is_timed(folder):
    claim = load_claim(folder).claim
    if claim.precision is None:
        pytest.skip("trains no network")
    assert claim.timings.training
    assert claim.timings.inference


@pytest.mark.slow
@per_claim
def test_declared_timings_run(folder):
    plan = plan_of(folder)
    experiment = load_experiment(plan.folder.experiment, plan.folder.project)
    by_arm = {task.arm: task for task in tasks(folder, [0])}
    for what in ("training", "inference"):
        for arm in getattr(plan.claim.timings, what):
            task = by_arm[arm]
            with one_thread():
                getattr(experiment, f"prepare_{what}")(arm, task.seeds[0], **task.settings)()


@per_claim
def test_numbers_stand_in_the_yaml(folder):
    """No default in what is given settings: a disputable number has one place. An observer, None by default, is none."""
    experiment = load_experiment(folder / "experiment.py", PROJECT)
    functions = [getattr(experiment, name, None) for name in ("measure", "examples", "fit", "score")]
    parameters = [own for one in functions if one for own in inspect.signature(one).parameters.values()]
    assert not [own.name for own in parameters if own.default not in (inspect.Parameter.empty, None)]


def test_the_index_names_every_claim():
    """`claims index` writes it."""
    text = (PROJECT / "claims/README.md").read_text()
    assert [folder.name for folder in FOLDERS if f"/{folder.name}/claim.yaml)" not in text] == []
