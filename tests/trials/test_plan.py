"""What is fixed before the first trial, and what is said where it cannot be."""

from __future__ import annotations

import pytest

from harness.errors import TrialError
from harness.trials import provenance
from harness.trials.catalogue import load_claim
from harness.trials.jobs import jobs_of, only
from harness.trials.options import Options
from harness.trials.plan import make_plan, tasks_of
from tests.tiny_project import EXPERIMENT, write_claim

IMPORTING = EXPERIMENT.replace("import numpy as np\n", "import numpy as np\nimport package_that_lacks\n")


def test_code_that_cannot_be_read_is_an_error_of_the_experiment_with_its_line(tmp_path):
    folder = load_claim(write_claim(tmp_path, experiment="import numpy\ndef measure(:\n"))

    with pytest.raises(TrialError, match=r"experiment\.py: cannot be imported: SyntaxError: .*experiment\.py, line 2"):
        make_plan(folder, Options(workers=1))


def test_an_experiment_is_planned_without_being_imported(tmp_path):
    folder = load_claim(write_claim(tmp_path, experiment=IMPORTING))

    plan = make_plan(folder, Options(workers=1))

    assert "package_that_lacks" in plan.code.imports
    with pytest.raises(TrialError, match="No module named 'package_that_lacks'"):
        plan.import_experiment()


def test_a_numeric_package_that_is_not_installed_is_an_error_of_the_experiment(tmp_path, monkeypatch):
    """Its version would be part of every key."""
    monkeypatch.setitem(provenance.NUMERIC_PACKAGES, "package_that_lacks", "package-that-lacks")
    folder = load_claim(write_claim(tmp_path, experiment=IMPORTING))

    with pytest.raises(TrialError, match=r"experiment\.py: cannot be imported: ModuleNotFoundError: No module named"):
        make_plan(folder, Options(workers=1))


@pytest.mark.parametrize("workers", [1, 3, 7, 1000])
def test_every_seed_is_in_one_job_with_all_its_arms_and_jobs_are_alike_in_size(tmp_path, workers):
    plan = make_plan(load_claim(write_claim(tmp_path)), Options(workers=1))
    cold, warm = tasks_of(plan, [(("arm", "cold"),), (("arm", "warm"),)], range(10), lambda _: {})
    lacking = only(warm, set(warm.seeds[4:]))

    jobs = jobs_of([cold, lacking], workers)

    assert sorted(seed.index for job in jobs for seed in job[0].seeds) == list(range(10))
    assert len(jobs) == min(workers, 10)
    assert {len(job[0].seeds) - 10 // len(jobs) for job in jobs} <= {0, 1}
    for job in jobs:
        first, *second = job
        assert [first.arm, *(task.arm for task in second)] == ["cold", "warm"][: len(job)]
        assert [seed for task in second for seed in task.seeds] == [seed for seed in first.seeds if seed.index >= 4]
        assert first.keys == tuple(cold.keys[seed.index] for seed in first.seeds)
        assert [key for task in second for key in task.keys] == [
            warm.keys[s.index] for s in first.seeds if s.index >= 4
        ]
