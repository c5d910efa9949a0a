"""docs/writing-a-claim.md: its examples are claims that run."""

from __future__ import annotations

import random
import re

import numpy as np
import pytest
import torch
import yaml
from torch import nn

from harness.cli.new import start_claim, start_project
from harness.errors import UsageError
from harness.judging import student
from harness.seeds import Seed, seeds_of
from harness.training.optimisers import Optimiser
from harness.trials.catalogue import load_claim
from harness.trials.data_sets import record_of
from harness.trials.experiment import load_experiment
from harness.trials.options import Options
from harness.trials.plan import make_plan, tasks_of
from tests.keywords import train
from tests.outside import PROJECT

PAGE = (PROJECT / "docs/writing-a-claim.md").read_text()

BLOCKS = re.findall(r"^```python\n(# experiment\.py.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)

EXAMPLES = {"given": BLOCKS[0], "library": BLOCKS[1], "repetitions": BLOCKS[2]}

ROWS = "run,old,new\n" + "".join(f"{number},0.{30 + number % 3},0.{10 + number % 4}\n" for number in range(24))

SETTINGS = {"n_train": 500, "n_test": 500}


@pytest.fixture(params=EXAMPLES)
def folder(request, tmp_path):
    """The claim that `claims new` begins, with an example's experiment."""
    start_project(tmp_path)
    claim = start_claim(tmp_path, "notes/new_errs_less")
    (claim / "experiment.py").write_text(EXAMPLES[request.param])
    (claim / "runs.csv").write_text(ROWS)
    return claim


def experiment(folder):
    return load_experiment(folder / "experiment.py", folder.parents[2])


def test_each_example_is_a_claim_that_is_verified_and_could_have_failed(folder, run):
    record = run(folder)

    assert record.readings["as_documented"].verdict == "VERIFIED"
    assert record.controls["the_same_way_twice"].behaves
    # Each seed once, however often it was repeated within.
    assert record.expectations["new_way_errs_less"].n == 6


def test_in_each_example_a_seed_is_what_it_is_alone_and_differs_from_others(folder):
    measure, seeds = experiment(folder).measure, seeds_of("new_errs_less", 0, range(5))

    together = measure("new_way", seeds, method="new", **SETTINGS)["error"]
    alone = [measure("new_way", (seed,), method="new", **SETTINGS)["error"][0] for seed in seeds]

    assert list(together) == alone
    assert len(set(alone)) > 1


@pytest.mark.usefixtures("global_generators")
def test_no_example_leaves_a_trace_in_a_global_generator(folder):
    random.seed(1)
    np.random.seed(1)  # noqa: NPY002 - what the example must leave alone
    before = random.getstate(), np.random.get_state()[1].tolist()  # noqa: NPY002

    experiment(folder).measure("old_way", seeds_of("new_errs_less", 0, range(3)), method="old", **SETTINGS)

    assert (random.getstate(), np.random.get_state()[1].tolist()) == before  # noqa: NPY002


def keys_of(folder):
    plan = make_plan(load_claim(folder), Options(workers=1))
    (task,) = tasks_of(plan, [(("arm", "new_way"),)], range(6), lambda _: {})
    return set(task.keys)


def test_the_example_of_a_data_set_is_one_that_a_claim_can_declare(tmp_path):
    (module,) = re.findall(r"^```python\n# fixtures/abalone\.py\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    (tmp_path / "fixtures").mkdir()
    (tmp_path / "fixtures/abalone.py").write_text(module)
    (tmp_path / "fixtures/abalone.csv").write_text("sex,rings\nM,15\nF,9\n")

    found = record_of("abalone", tmp_path)

    assert (found.name, found.size, len(found.sha256)) == ("abalone", 2, 64)


@pytest.mark.parametrize("folder", ["given"], indirect=True)
def test_runs_that_are_given_keep_their_numbers_and_one_that_lacks_fails(folder):
    path, seeds = folder / "runs.csv", seeds_of("new_errs_less", 0, range(6))
    whole = experiment(folder).measure("new_way", seeds, method="new", **SETTINGS)["error"]
    before = keys_of(folder)
    path.write_text(ROWS.replace("2,0.32,0.12\n", "", 1))

    found = experiment(folder)

    assert not before & keys_of(folder), "a file beside the experiment is part of every key"
    for seed, value in zip(seeds, whole, strict=True):
        if seed.index == 2:
            with pytest.raises(KeyError):
                found.measure("new_way", (seed,), method="new", **SETTINGS)
        else:
            assert found.measure("new_way", (seed,), method="new", **SETTINGS)["error"][0] == value


def test_alpha_stands_where_the_page_says(tmp_path):
    (expectation,) = re.findall(r"^```yaml\n# an expectation\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    start_project(tmp_path)
    claim = start_claim(tmp_path, "notes/new_errs_less")
    text = (claim / "claim.yaml").read_text()
    begin, end = text.index("        # One number per seed, made"), text.index("# A control changes settings")
    lines = "".join(f"        {line}\n" for line in expectation.splitlines())
    (claim / "claim.yaml").write_text(f"{text[:begin]}{lines}\n{text[end:]}")

    found = load_claim(claim).claim.readings["as_documented"].expectations["new_way_errs_less"]

    assert found.alpha == yaml.safe_load(expectation)["alpha"] == 0.01


def test_the_seeds_that_an_error_rate_needs_are_those_of_the_page():
    (words,) = re.findall(r"\((0\.05: 3 seeds[^)]*)\)", PAGE)
    pairs = re.findall(r"(0\.\d+): (\d+)", words)

    assert len(pairs) == 4
    assert [(rate, student.smallest_n(float(rate))) for rate, _ in pairs] == [(rate, int(n)) for rate, n in pairs]


def test_the_guard_says_what_the_page_quotes():
    assert "the network draws from torch's global generator" in PAGE
    with pytest.raises(UsageError, match="the network draws from torch's global generator"):
        train(
            Drawing,
            torch.ones(1, 2, 3),
            torch.zeros(1, 2, dtype=torch.int64),
            (Seed(0, "c", 0),),
            optimiser=Optimiser("sgd", 0.1),
            batch_size=2,
            steps=1,
        )


class Drawing(nn.Linear):
    def __init__(self):
        super().__init__(3, 2)

    def forward(self, inputs):
        return nn.functional.dropout(super().forward(inputs))


def test_the_network_of_the_page_trains_and_is_scored():
    (example,) = re.findall(
        r"^```python\n# a network per arm: experiment\.py\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL
    )
    module: dict = {}
    exec(example, module)
    settings = {
        "method": "sgd", "learning_rate": 0.1, "momentum": 0.9, "weight_decay": 0.0, "schedule": "cosine",
        "batch_size": 50, "epochs": 4, "initialiser": "he", "loss": "cross_entropy", "device": "cpu",
        "precision": "float32", "n_train": 300, "n_test": 200, "width": 16,
    }  # fmt: skip

    found = module["measure"]("arm", seeds_of("c", 0, range(2)), **settings)

    assert found["train_error"].shape == found["test_error"].shape == (2,)
    assert (found["train_error"] < 0.3).all()
    assert (found["test_error"] < 0.5).all()
    assert callable(module["prepare_training"]("arm", Seed(0, "c", 0), **settings))
