"""The three functions of a claim, made from its examples, fit and score."""

from __future__ import annotations

import re
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from harness.errors import UsageError
from harness.seeds import seeds_of
from harness.training import supervised
from harness.training.learning_curve import learning_curves, trained
from tests.training.test_recipe import SETTINGS

SEEDS = seeds_of("supervised", 0, range(2))
CALLS = []


class Networks:
    """Stands for networks; they say what they are given, and which split they were trained on."""

    def __init__(self, split, recipe, width):
        self.split, self.recipe, self.width = split, recipe, width

    def predict(self, inputs):
        CALLS.append("predict")
        return inputs * self.width


def examples(seeds, n_train, *, labels="true"):
    CALLS.append(f"examples of {len(seeds)}, {labels}")
    values = torch.arange(float(n_train)).expand(len(seeds), -1)
    return SimpleNamespace(train=(values, values + 1), test=(values + 2, values + 3))


def fit(seeds, split, recipe, *, width, observer=None):
    CALLS.append(f"fit of {len(seeds)}")
    return Networks(split, recipe, width)


def score(networks, split, *, n_train):
    assert networks.split is split
    return {"error": np.full(len(split.train[0]), networks.width / n_train + networks.recipe.batch_size)}


measure, prepare_training, prepare_inference = supervised(examples, fit, score)
GIVEN = {**SETTINGS, "n_train": 10, "labels": "random", "width": 5}


@pytest.fixture(autouse=True)
def _no_calls():
    CALLS.clear()


def test_each_function_is_handed_the_settings_in_its_signature():
    assert measure("arm", SEEDS, **GIVEN)["error"].tolist() == [20.5, 20.5]
    assert CALLS == ["examples of 2, random", "fit of 2"]


def test_what_is_timed_is_the_fit_alone_and_the_prediction_alone():
    train_once, predict_once = (prepare("arm", SEEDS[0], **GIVEN) for prepare in (prepare_training, prepare_inference))
    CALLS.clear()

    train_once()
    assert CALLS == ["fit of 1"]
    assert predict_once().tolist() == [[5 * (value + 2.0) for value in range(10)]]
    assert CALLS == ["fit of 1", "predict"]


def test_a_setting_with_a_default_may_be_left_out():
    measure("arm", SEEDS, **{name: value for name, value in GIVEN.items() if name != "labels"})

    assert CALLS[0] == "examples of 2, true"


@pytest.mark.parametrize("function", [measure, prepare_training, prepare_inference])
def test_a_setting_that_nobody_takes_is_named(function):
    seeds = SEEDS if function is measure else SEEDS[0]
    with pytest.raises(
        UsageError, match=r"settings: depth, with: neither the recipe nor examples\(\), fit\(\) and score"
    ):
        function("arm", seeds, **{**GIVEN, "with": 3, "depth": 2})


def test_a_setting_that_a_function_lacks_is_named():
    with pytest.raises(UsageError, match=re.escape("settings: width: fit() takes it, and claim.yaml does not give it")):
        measure("arm", SEEDS, **{name: value for name, value in GIVEN.items() if name != "width"})


def test_who_takes_any_setting_gets_those_that_nobody_names():
    found = {}

    def takes_all(seeds, split, recipe, *, width, **others):
        found.update(others)
        return Networks(split, recipe, width)

    supervised(examples, takes_all, score)[0]("arm", SEEDS, **{**GIVEN, "depth": 2})

    assert found == {"depth": 2}


def test_learning_curves_look_once_an_epoch_at_the_part_that_is_asked_for(monkeypatch):
    def fit_and_look(seeds, split, recipe, *, width, observer=None):
        for taken in range(observer.every, 1 + recipe.steps_in_all(split.train[0].shape[1]), observer.every):
            observer.see(taken, width)
        return Networks(split, recipe, width)

    looked = []
    monkeypatch.setattr(
        "harness.training.learning_curve.error_rate",
        lambda width, inputs, targets: looked.append(inputs[0, 0].item()) or [0.1 * width],
    )
    experiment = SimpleNamespace(examples=examples, fit=fit_and_look, score=score)
    arms = {"small_one": {**GIVEN, "n_train": 41}, "wide": {**GIVEN, "width": 7}}

    drawn = learning_curves(experiment, SEEDS[0], arms, part="test", title="t").as_plain()

    assert drawn["y"] == "test error (fraction)"
    assert [(line["name"], line["x"], line["y"]) for line in drawn["lines"]] == [
        ("small one", [1.0, 2.0, 3.0], [0.5, 0.5, 0.5]),
        ("wide", [1.0, 2.0, 3.0], [0.7, 0.7, 0.7]),
    ]
    assert set(looked) == {2.0}


def test_pictures_get_one_seeds_examples_and_the_network_trained_on_them():
    experiment = SimpleNamespace(examples=examples, fit=fit, score=score)

    split, networks = trained(experiment, SEEDS[0], GIVEN)

    assert CALLS == ["examples of 1, random", "fit of 1"]
    assert networks.split is split
    assert (networks.width, networks.recipe.batch_size) == (5, SETTINGS["batch_size"])
