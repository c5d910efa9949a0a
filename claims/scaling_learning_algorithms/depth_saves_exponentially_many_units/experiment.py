"""A sawtooth of 2^k straight pieces: folded by layers in a row, put together by one layer, or left to training."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch

from fixtures.perceptrons import perceptron
from fixtures.splits import Split
from harness.training import supervised, train

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray
    from torch import Tensor

    from harness.seeds import Seeds
    from harness.training import Ensemble, Observer, Recipe

    Values = NDArray[np.float64]

FINEST = 2**13  # places of the grid; kinks of ten folds lie on it, and so functions that agree on it agree everywhere
VARIANCE = 1 / 12  # of a sawtooth on [0, 1], which takes every value between 0 and 1 equally often
NARROW = 1e-9  # width below which a piece is not told from the rounding of its ends


def sawtooth(x: Tensor, folds: int) -> Tensor:
    """Return the k-fold composition of the tent, 2x up to 1/2 and 2 - 2x from there: 2^k straight pieces on [0, 1]."""
    return 1 - ((x * 2**folds) % 2 - 1).abs()


def examples(seeds: Seeds, *, n_train: int, folds: int) -> Split:
    """Return uniform places to train on, (n_seeds, n_train, 1), with the sawtooth there, and a grid of [0, 1] as test."""
    drawn = np.stack([seed.numpy("places").random((n_train, 1)) for seed in seeds])
    grid = torch.arange(FINEST + 1, dtype=torch.float64)[:, None] / FINEST
    parts = (torch.from_numpy(drawn), grid.expand(len(seeds), -1, -1))
    return Split(*((x, sawtooth(x, folds)) for x in parts))


def in_a_row(folds: int, slopes: Sequence[float]) -> list[Tensor]:
    """Return weights and biases by turns of `folds` layers of two units: x and x - 1/2, from which the next has its x.

    With the slopes 2 and -2 each layer folds [0, 1] onto itself (Telgarsky 2015, sec. 2.1: the mirror map).
    """
    first, second = slopes
    fold = torch.tensor([[first, second - first]])
    biases = torch.tensor([0.0, -0.5])
    return [torch.ones(2, 1), biases, *[fold.expand(2, 2), biases] * (folds - 1), fold, torch.zeros(1)]


def side_by_side(folds: int) -> list[Tensor]:
    """Return weights and biases of one layer of 2^k units, one for each place where the sawtooth starts or turns."""
    units = 2**folds
    turns = torch.tensor([units, *[-2.0 * units, 2.0 * units] * units])[:units]
    return [torch.ones(units, 1), -torch.arange(units) / units, turns[None], torch.zeros(1)]


def fit(
    seeds: Seeds, split: Split, recipe: Recipe, *, start: str, hidden: Sequence[int], folds: int, slopes: Sequence[float],
    spread: float, observer: Observer | None = None,
) -> Ensemble:  # fmt: skip
    """Return one network per seed, from a construction whose numbers are disturbed by `spread`, or "drawn" ones."""
    built = {"in_a_row": in_a_row(folds, slopes), "side_by_side": side_by_side(folds), "drawn": []}[start]
    hidden = [len(bias) for bias in built[1:-1:2]] or hidden
    names = [f"{2 * layer}.{part}" for layer in range(len(built) // 2) for part in ("weight", "bias")]
    draws = [seed.torch("disturbance") for seed in seeds]
    weights = {
        name: torch.stack(
            [own + spread * torch.randn(own.shape, generator=draw, dtype=torch.float64) for draw in draws]
        )
        for name, own in zip(names, built, strict=True)
    }
    return train(
        lambda: perceptron(1, hidden, 1), *split.train, seeds, recipe=recipe, start=weights, observer=observer
    )  # fmt: skip


def pieces(parts: list[Values]) -> int:
    """Return how many straight pieces a network of one input has on [0, 1], for weights and biases by turns.

    Layer by layer [0, 1] is cut where a unit's sum changes its sign, between cuts all sums are straight; at the end
    neighbours of the same slope are one piece.
    """
    cuts = np.array([0.0, 1.0])
    for layer in range(len(parts) // 2 - 1):
        sums = _sums(parts, cuts, layer)
        before, after, width = sums[:-1], sums[1:], np.diff(cuts)[:, None]
        crossed = before * after < 0
        found = (cuts[:-1, None] + width * before / np.where(crossed, before - after, 1))[crossed]
        cuts = np.sort(np.concatenate([cuts, found]))
        cuts = cuts[np.append(np.diff(cuts) > NARROW, True)]
        cuts[0] = 0.0
    slopes = np.diff(_sums(parts, cuts, len(parts) // 2 - 1)[:, 0]) / np.diff(cuts)
    return 1 + int((np.abs(np.diff(slopes)) > 1e-5 * np.abs(slopes).max()).sum())


def _sums(parts: list[Values], x: Values, layer: int) -> Values:
    """Return the sums that a layer's units take at places x, (n, units)."""
    values = x[:, None]
    for number in range(layer + 1):
        values = (np.maximum(values, 0) if number else values) @ parts[2 * number].T + parts[2 * number + 1]
    return values


def score(networks: Ensemble, split: Split) -> dict[str, Values]:
    """Return the error, and how many pieces there are by what one layer could make of them, each (n_seeds,)."""
    missed = ((networks.predict(split.test[0]) - split.test[1]) ** 2).mean((1, 2)) / VARIANCE
    every = [[own[number].double().numpy() for own in networks.weights.values()] for number in range(len(networks))]
    counted = np.array([pieces(parts) for parts in every])
    units, parameters = (sum(own.size for own in parts) for parts in (every[0][1:-1:2], every[0]))
    return {
        "squared_error": missed.numpy(),
        "pieces_over_bound": counted / (units + 1),
        "parameters_saved": (3 * (counted - 1) + 1) / parameters,
    }


measure, prepare_training, prepare_inference = supervised(examples, fit, score)
