"""`train` by keywords, for tests that vary one of them: those that a recipe holds are made one."""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING, Any

from harness.training import training_run
from harness.training.recipe import Recipe

if TYPE_CHECKING:
    from harness.training.ensembles import Ensemble

OF_RECIPE = {field.name for field in fields(Recipe)}


def train(build: Any, inputs: Any, targets: Any, seeds: Any, **settings: Any) -> Ensemble:
    """Train by a recipe of the keywords that one has, and by the others."""
    recipe = Recipe(**{name: value for name, value in settings.items() if name in OF_RECIPE})
    others = {name: value for name, value in settings.items() if name not in OF_RECIPE}
    return training_run.train(build, inputs, targets, seeds, recipe=recipe, **others)
