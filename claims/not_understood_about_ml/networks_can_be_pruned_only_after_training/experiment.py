"""Networks of which most weights are cut away: before training, after it, or in rounds between which they are trained."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Literal, cast

import torch

from fixtures import mnist
from fixtures.perceptrons import perceptron
from fixtures.pruning import Scores, densities, kept, lots, magnitudes, sensitivities
from harness.training import error_rate, supervised, train

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np

    from fixtures.splits import Split
    from harness.seeds import Seeds
    from harness.training import Ensemble, Observer, Recipe

Score = Literal["magnitude", "sensitivity", "lot"]


def examples(seeds: Seeds, *, n_train: int, n_test: int, side: int) -> Split:
    """Return digits shrunk to `side` pixels, centred and of variance one."""
    return mnist.draw(seeds, n_train, n_test, side).standardised()


def scores(networks: Ensemble, seeds: Seeds, split: Split, score: Score) -> Scores:
    """Return what says of each weight how much it is worth keeping: its magnitude, its sensitivity, or a lot drawn.

    The sensitivity is taken over all training examples, where Lee et al. (2019) take it over one batch.
    """
    if score == "magnitude":
        return magnitudes(networks)
    return sensitivities(networks, *split.train) if score == "sensitivity" else lots(networks, seeds)


def survivors(found: Scores, masks: Scores | None, ranking: Literal["largest", "smallest"], density: float) -> Scores:
    """Return masks that keep the share `density` of all weights, by rank; a weight cut before stays cut."""
    ranked = found if ranking == "largest" else {name: -own for name, own in found.items()}
    alive = {name: own.masked_fill(masks[name] == 0, -torch.inf) if masks else own for name, own in ranked.items()}
    return kept(alive, density)


def fit(
    seeds: Seeds,
    split: Split,
    recipe: Recipe,
    *,
    hidden: Sequence[int],
    stages: Sequence[float],
    score: Score,
    ranking: Literal["largest", "smallest"],
    density: float,
    observer: Observer | None = None,
) -> Ensemble:
    """Return one network per seed, trained in stages that each take a share of the recipe's epochs.

    Before every stage but the first weights are cut, by the same share each time, so that `density` of them are left in
    the last: stages (1,) cut nothing, (0, 1) before training and (1, 0) after it.
    """
    inputs = split.train[0].shape[2]
    networks, masks = None, None
    for share, left in zip(stages, (1.0, *densities(density, len(stages) - 1)), strict=True):
        if networks:
            masks = survivors(scores(networks, seeds, split, score), masks, ranking, left)
        networks = train(
            lambda: perceptron(inputs, hidden, 10),
            *split.train,
            seeds,
            recipe=replace(recipe, epochs=round(share * cast("int", recipe.epochs))),
            start=networks.weights if networks else None,
            masks=masks,
            observer=observer,
        )
    return cast("Ensemble", networks)


def score(networks: Ensemble, split: Split) -> dict[str, np.ndarray]:
    """Return the errors on test digits."""
    return {"test_error": error_rate(networks, *split.test)}


measure, prepare_training, prepare_inference = supervised(examples, fit, score)
