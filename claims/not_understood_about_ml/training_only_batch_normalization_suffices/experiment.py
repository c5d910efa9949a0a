"""Networks of random weights of which only some are trained: the scales and shifts of normalisation, as many others, or all."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Literal

import torch
from torch import Tensor, nn

from fixtures import mnist
from fixtures.perceptrons import perceptron
from harness.training import error_rate, search, supervised

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np

    from fixtures.splits import Split
    from harness.seeds import Seeds
    from harness.training import Ensemble, Recipe

Trained = Literal["all", "normalization", "random", "output"]


@lru_cache(maxsize=1)  # all arms of a seed have the same digits
def examples(seeds: Seeds, *, n_train: int, n_test: int, side: int) -> Split:
    """Return digits shrunk to `side` pixels, centred and of variance one."""
    return mnist.draw(seeds, n_train, n_test, side).standardised()


def network(inputs: int, width: int, depth: int) -> nn.Sequential:
    """Return layers of rectifiers, each with batch normalisation before it."""
    return perceptron(inputs, [width] * depth, 10, normalization="before")


def fit(
    seeds: Seeds, split: Split, recipe: Recipe, *, width: int, depth: int, trained: Trained, times: int
) -> Ensemble:
    """Return one network per seed, of which what is `trained` is, at its rate of least training loss."""
    inputs = split.train[0].shape[2]
    fixed = frozen(network(inputs, width, depth), trained, seeds, times)
    networks, _ = search(lambda: network(inputs, width, depth), *split.train, seeds, recipe=recipe, frozen=fixed)
    return networks


def frozen(module: nn.Sequential, trained: Trained, seeds: Seeds, times: int) -> dict[str, Tensor]:
    """Return which entries of which parameters stay as they are drawn, truth values (n_seeds, *shape).

    Args:
        module: the network.
        trained: "all"; "normalization", the scales and shifts; "random", of the matrices `times` as many entries as there
            are scales and shifts, each seed its own; or "output", the layer that is read out.
        seeds: the role "trained" of each is drawn from.
        times: of "random" alone.
    """
    parameters = dict(module.named_parameters())
    stays = {name: torch.ones((len(seeds), *own.shape), dtype=torch.bool) for name, own in parameters.items()}
    if trained == "random":
        count = times * sum(parameters[name].numel() for name in normalization(module))
        return stays | all_but(count, {name: own for name, own in stays.items() if own.ndim == 3}, seeds)
    moving = {
        "all": list(parameters),
        "normalization": normalization(module),
        "output": [f"{len(module) - 1}.weight", f"{len(module) - 1}.bias"],
    }[trained]
    return {name: own for name, own in stays.items() if name not in moving}


def normalization(module: nn.Sequential) -> list[str]:
    """Return the names of the scales and shifts."""
    layers = [name for name, layer in module.named_children() if isinstance(layer, nn.BatchNorm1d)]
    return [f"{name}.{part}" for name in layers for part in ("weight", "bias")]


def all_but(count: int, matrices: Mapping[str, Tensor], seeds: Seeds) -> dict[str, Tensor]:
    """Return truth values in the shapes of the matrices, (n_seeds, *shape), false for so many entries drawn of them all."""
    sizes = [own[0].numel() for own in matrices.values()]
    stays = torch.ones((len(seeds), sum(sizes)), dtype=torch.bool)
    for number, seed in enumerate(seeds):
        stays[number, torch.randperm(sum(sizes), generator=seed.torch("trained"))[:count]] = False
    parts = zip(matrices.items(), stays.split(sizes, 1), strict=True)
    return {name: own.view_as(like) for (name, like), own in parts}


def score(networks: Ensemble, split: Split) -> dict[str, np.ndarray]:
    """Return the errors on the digits trained on and on others, (n_seeds,)."""
    return {"train_error": error_rate(networks, *split.train), "test_error": error_rate(networks, *split.test)}


measure, prepare_training, prepare_inference = supervised(examples, fit, score)
