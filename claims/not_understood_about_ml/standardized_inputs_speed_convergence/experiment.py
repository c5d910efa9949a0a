"""A small network trained for a short while on pixels as they are, standardised, or normalised by its own first layer."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import torch
from torch import nn

from fixtures import mnist
from fixtures.splits import Split
from harness.training import error_rate, supervised, train

if TYPE_CHECKING:
    import numpy as np

    from harness.seeds import Seeds
    from harness.training import Ensemble, Observer, Recipe

PIXELS = 784
WHITE = 255.0  # the largest value of a pixel; `mnist.draw` gives shares of it


def examples(seeds: Seeds, *, n_train: int, n_test: int, inputs: str) -> Split:
    """Return digits whose inputs are "raw" pixels from 0 to 255, or "standardized" pixel by pixel.

    Raises:
        ValueError: `inputs` is neither.
    """
    if inputs not in ("raw", "standardized"):
        raise ValueError(f"inputs is {inputs!r}; give 'raw' or 'standardized'")
    raw = pixels(seeds, n_train, n_test)
    return raw if inputs == "raw" else standardized(raw)


@lru_cache(maxsize=1)  # all arms and rates of a seed have the same digits
def pixels(seeds: Seeds, n_train: int, n_test: int) -> Split:
    """Return digits with pixels from 0, blank, to 255."""
    split = mnist.draw(seeds, n_train, n_test)
    return Split(*((WHITE * ink, labels) for ink, labels in (split.train, split.test)))


def standardized(split: Split) -> Split:
    """Return each pixel less its mean over the training set, divided by its standard deviation there.

    A pixel that is blank in all of a training set has none, and is 0 wherever it is met.
    """
    ink, _ = split.train
    centre, spread = ink.mean(1, keepdim=True), ink.std(1, keepdim=True)
    scale = torch.where(spread > 0, 1 / spread, 0)
    return Split(*(((own - centre) * scale, labels) for own, labels in (split.train, split.test)))


def network(width: int, *, normalized: bool) -> nn.Sequential:
    """Return one hidden layer of rectifiers; its inputs are normalised batch by batch where `normalized` says so."""
    first = [nn.BatchNorm1d(PIXELS, affine=False)] if normalized else []
    return nn.Sequential(*first, nn.Linear(PIXELS, width), nn.ReLU(), nn.Linear(width, 10))


def fit(
    seeds: Seeds, split: Split, recipe: Recipe, *, width: int, normalized: bool, observer: Observer | None = None
) -> Ensemble:
    """Return one trained network per seed."""
    return train(lambda: network(width, normalized=normalized), *split.train, seeds, recipe=recipe, observer=observer)


def score(networks: Ensemble, split: Split) -> dict[str, np.ndarray]:
    """Return the errors on the digits trained on and on others."""
    return {"train_error": error_rate(networks, *split.train), "test_error": error_rate(networks, *split.test)}


measure, prepare_training, prepare_inference = supervised(examples, fit, score)
