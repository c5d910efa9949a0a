"""The three functions of a claim that trains one network per arm: from its examples, its fit and its score."""

from __future__ import annotations

from dataclasses import dataclass
from inspect import Parameter, signature
from typing import TYPE_CHECKING, Any, Protocol

from harness.errors import UsageError
from harness.training.recipe import Recipe

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import numpy as np
    from torch import Tensor

    from harness.seeds import Seed, Seeds
    from harness.training.ensembles import Ensemble


class Split(Protocol):
    """Training and test examples: inputs (n_seeds, n, *shape), and their targets as `train` takes them."""

    @property
    def train(self) -> tuple[Tensor, Tensor]:
        """What is fitted."""

    @property
    def test(self) -> tuple[Tensor, Tensor]:
        """What is held out."""


@dataclass(frozen=True)
class Handed:
    """What each function of a claim is handed of the settings, by name."""

    recipe: Recipe
    examples: dict[str, Any]
    fit: dict[str, Any]
    score: dict[str, Any]


GIVEN = {"examples": 1, "fit": 3, "score": 2}
"""How many arguments of each function are no settings: seeds; seeds, split, recipe; networks, split."""


def handed(parts: Mapping[str, Callable[..., Any]], settings: Mapping[str, Any]) -> Handed:
    """Return the recipe, and for each of the functions `examples`, `fit` and `score` the settings in its signature.

    One that takes `**settings` gets, besides, what neither the recipe nor another function names.

    Raises:
        UsageError: a setting that nobody takes, or one that a function needs and claim.yaml does not give.
    """
    recipe, rest = Recipe.split(settings)
    wanted = {name: list(signature(parts[name]).parameters.values())[skipped:] for name, skipped in GIVEN.items()}
    known = {parameter.name for own in wanted.values() for parameter in own if parameter.kind != Parameter.VAR_KEYWORD}
    others = {name: value for name, value in rest.items() if name not in known}
    takers = [name for name, own in wanted.items() if any(p.kind == Parameter.VAR_KEYWORD for p in own)]
    if others and not takers:
        raise UsageError(
            f"settings: {', '.join(sorted(others))}: neither the recipe nor examples(), fit() and score() take it; "
            "correct the name in claim.yaml, or take it as a keyword"
        )
    found = {name: _own(name, own, settings) | (others if name in takers else {}) for name, own in wanted.items()}
    return Handed(recipe, **found)


def _own(function: str, parameters: list[Parameter], settings: Mapping[str, Any]) -> dict[str, Any]:
    named = [parameter for parameter in parameters if parameter.kind != Parameter.VAR_KEYWORD]
    lacking = [p.name for p in named if p.name not in settings and p.default is Parameter.empty]
    if lacking:
        raise UsageError(f"settings: {', '.join(lacking)}: {function}() takes it, and claim.yaml does not give it")
    return {parameter.name: settings[parameter.name] for parameter in named if parameter.name in settings}


def supervised(
    examples: Callable[..., Split],
    fit: Callable[..., Ensemble],
    score: Callable[..., dict[str, np.ndarray]],
) -> tuple[
    Callable[..., dict[str, np.ndarray]], Callable[..., Callable[[], object]], Callable[..., Callable[[], object]]
]:
    """Return measure, prepare_training and prepare_inference of a claim that trains one network per arm.

    Of the settings that an arm has, `Recipe.split` takes its own; each function is handed those in its signature.

    Args:
        examples: (seeds, **settings) to a `Split`.
        fit: (seeds, split, recipe, **settings) to trained networks, one per seed.
        score: (networks, split, **settings) to {metric: array of shape (n_seeds,)}.
    """
    parts = {"examples": examples, "fit": fit, "score": score}

    def measure(arm: str, seeds: Seeds, **settings: Any) -> dict[str, np.ndarray]:  # noqa: ARG001 - its settings say it
        given = handed(parts, settings)
        split = examples(seeds, **given.examples)
        return score(fit(seeds, split, given.recipe, **given.fit), split, **given.score)

    def prepare_training(arm: str, seed: Seed, **settings: Any) -> Callable[[], object]:  # noqa: ARG001
        given = handed(parts, settings)
        split = examples((seed,), **given.examples)
        return lambda: fit((seed,), split, given.recipe, **given.fit)

    def prepare_inference(arm: str, seed: Seed, **settings: Any) -> Callable[[], object]:  # noqa: ARG001
        given = handed(parts, settings)
        split = examples((seed,), **given.examples)
        networks = fit((seed,), split, given.recipe, **given.fit)
        return lambda: networks.predict(split.test[0])

    return measure, prepare_training, prepare_inference
