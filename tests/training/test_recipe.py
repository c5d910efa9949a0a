"""Recipes: what a claim's settings say of training, by their names and without defaults."""

from __future__ import annotations

import re

import pytest

from harness.errors import UsageError
from harness.training import Gaussian, Optimiser, Recipe

SETTINGS = {
    "method": "sgd",
    "learning_rate": 0.1,
    "momentum": 0.9,
    "weight_decay": 0.01,
    "schedule": "cosine",
    "batch_size": 20,
    "epochs": 3,
    "initialiser": "he",
    "loss": "squared_error",
    "device": "cpu",
    "precision": "float64",
}

GAUSSIAN = {"initialiser": "gaussian", "weight_variance": 1.76, "bias_variance": 0.05}


def test_settings_are_read_by_their_names_and_what_is_none_of_a_recipe_is_left():
    recipe, rest = Recipe.split({**SETTINGS, "width": 4, "labels": "true"})

    optimiser = Optimiser("sgd", 0.1, momentum=0.9, weight_decay=0.01, schedule="cosine")
    assert recipe == Recipe(
        optimiser, 20, epochs=3, initialiser="he", loss="squared_error", device="cpu", precision="float64"
    )
    assert rest == {"width": 4, "labels": "true"}


@pytest.mark.parametrize("name", SETTINGS)
def test_no_setting_has_a_default(name):
    settings = {key: value for key, value in SETTINGS.items() if key != name}
    missing = "epochs or steps" if name == "epochs" else name
    if name == "method":  # without one, nobody knows whether there is a momentum to be left out
        settings.pop("momentum")

    with pytest.raises(UsageError, match=rf"^settings: {missing}: a recipe of training has no defaults"):
        Recipe.split(settings)


def test_all_that_is_missing_is_said_at_once():
    with pytest.raises(UsageError, match="settings: schedule, batch_size, precision: "):
        Recipe.split({key: v for key, v in SETTINGS.items() if key not in ("schedule", "batch_size", "precision")})


def test_steps_stand_in_for_epochs_and_adam_needs_no_momentum():
    settings = {key: value for key, value in SETTINGS.items() if key not in ("epochs", "momentum")}
    recipe, rest = Recipe.split({**settings, "method": "adam", "steps": 7})

    assert (recipe.epochs, recipe.steps, rest) == (None, 7, {})
    assert recipe.steps_in_all(1000) == 7


def test_gaussian_weights_take_two_variances_and_layers_may_have_factors():
    recipe, rest = Recipe.split({**SETTINGS, **GAUSSIAN, "layer_factors": [5, 1.0]})

    assert recipe.initialiser == Gaussian(1.76, 0.05)
    assert (recipe.layer_factors, rest) == ((5, 1.0), {})
    assert hash(recipe)
    assert Recipe.split(SETTINGS)[0].layer_factors == ()
    with pytest.raises(
        UsageError, match="settings: weight_variance, bias_variance: a recipe of training has no defaults"
    ):
        Recipe.split({**SETTINGS, "initialiser": "gaussian"})


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"steps": 7}, "epochs: 3, steps: 7: give exactly one of them"),
        ({"epochs": -1}, "epochs: -1, steps: None: a number below zero"),
        ({"batch_size": 0}, "batch_size: 0: give at least one example per step"),
        ({"loss": "hinge"}, "loss: 'hinge': take one of ('cross_entropy', 'squared_error')"),
        ({"precision": "float16"}, "precision: 'float16': take one of "),
        ({"weight_variance": 2.0}, "weight_variance: of the initialiser 'gaussian' alone; leave it out"),
        ({**GAUSSIAN, "bias_variance": -1}, "initialiser: bias_variance: -1: give a number from zero up"),
        ({**GAUSSIAN, "weight_variance": "2"}, "initialiser: weight_variance: '2': give a number from zero up"),
        ({"layer_factors": 2.0}, "layer_factors: 2.0: give a list of numbers"),
        ({"layer_factors": [1, "2"]}, "layer_factors: [1, '2']: give a list of numbers"),
        ({"method": "adam"}, "optimiser: momentum: 0.9: 'adam' has its own"),
    ],
)
def test_values_that_fit_no_recipe_are_refused(changes, message):
    with pytest.raises(UsageError, match=re.escape(message)):
        Recipe.split({**SETTINGS, **changes})


def test_the_last_batch_of_an_epoch_may_be_smaller():
    recipe, _ = Recipe.split(SETTINGS)

    assert recipe.steps_in_an_epoch(41) == 3
    assert recipe.steps_in_all(41) == 9


def test_a_list_of_learning_rates_is_a_grid():
    recipe, rest = Recipe.split({**SETTINGS, "learning_rate": [0.1, 1]})

    assert (recipe.rates, recipe.optimiser.learning_rate, rest) == ((0.1, 1), 0.1, {})
    assert Recipe.split(SETTINGS)[0].rates == ()


@pytest.mark.parametrize(("rates", "message"), [([0.1], "two rates"), ([0.1, 0.1], "each once"), ([0.1, -1], "-1")])
def test_a_grid_of_rates_has_several_that_are_rates(rates, message):
    with pytest.raises(UsageError, match=message):
        Recipe.split({**SETTINGS, "learning_rate": rates})
