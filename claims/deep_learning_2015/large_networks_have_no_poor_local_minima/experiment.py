"""Networks of one hidden layer trained from many starts, and how alike they end."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Literal

import torch

from fixtures import mnist
from fixtures.curvature import loss_of
from fixtures.perceptrons import perceptron
from fixtures.splits import Split
from harness.training import supervised, train

if TYPE_CHECKING:
    import numpy as np

    from harness.seeds import Seeds
    from harness.training import Ensemble, Recipe

Task = Literal["exclusive_or", "digits"]

CLASSES = {"exclusive_or": 2, "digits": 10}

STUCK = 0.1
"""More of the loss of guessing than this is left where a restart is stuck."""


def examples(seeds: Seeds, *, task: Task, n_train: int, side: int, restarts: int) -> Split:
    """Return the examples of every seed as often as it has restarts, (n_seeds * restarts, n, numbers); none is held out."""
    if task == "exclusive_or":
        inputs = torch.tensor([[-1.0, -1.0], [-1.0, 1.0], [1.0, -1.0], [1.0, 1.0]])
        own = inputs.expand(len(seeds), 4, 2), (inputs.prod(1) < 0).long().expand(len(seeds), 4)
    else:
        own = mnist.draw(seeds, n_train, 0, side).standardised().train
    part = own[0].repeat_interleave(restarts, 0), own[1].repeat_interleave(restarts, 0)
    return Split(part, part)


def fit(seeds: Seeds, split: Split, recipe: Recipe, *, task: Task, width: int, restarts: int) -> Ensemble:
    """Return one network per seed and restart, those of a seed in a row."""
    starts = tuple(seed.again(number) for seed in seeds for number in range(restarts))
    inputs = split.train[0].shape[2]
    return train(lambda: perceptron(inputs, [width], CLASSES[task]), *split.train, starts, recipe=recipe)


def final_losses(networks: Ensemble, split: Split, task: Task, restarts: int) -> torch.Tensor:
    """Return what is left of the loss of guessing, ln(classes), (n_seeds, restarts)."""
    return loss_of(networks, *split.train, "cross_entropy").view(-1, restarts) / math.log(CLASSES[task])


def score(networks: Ensemble, split: Split, *, task: Task, restarts: int) -> dict[str, np.ndarray]:
    """Return the share of a seed's restarts that are stuck, their worst end and the spread of all, (n_seeds,) each."""
    left = final_losses(networks, split, task, restarts)
    return {
        "stuck_share": (left > STUCK).double().mean(1).numpy(),
        "worst_loss": left.amax(1).numpy(),
        "spread": left.std(1).numpy(),
    }


measure, prepare_training, prepare_inference = supervised(examples, fit, score)
