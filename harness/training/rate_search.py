"""Learning rates chosen by training loss: every seed trained at every rate of a grid, in one call."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from harness.errors import UsageError
from harness.training.examples import as_targets
from harness.training.losses import losses
from harness.training.optimisers import Optimiser
from harness.training.training_run import train

if TYPE_CHECKING:
    import numpy as np

    from harness.seeds import Seeds
    from harness.training.ensembles import Ensemble
    from harness.training.recipe import Recipe
    from harness.training.training_run import Build


def search(
    build: Build,
    inputs: Tensor | np.ndarray,
    targets: Tensor | np.ndarray,
    seeds: Seeds,
    *,
    recipe: Recipe,
    start: Mapping[str, Tensor] | None = None,
    masks: Mapping[str, Tensor] | None = None,
    frozen: Collection[str] | Mapping[str, Tensor] = (),
) -> tuple[Ensemble, Tensor]:
    """Train every seed at each of `recipe.rates`, and return its network of least training loss.

    The loss is the mean over all training examples once training is over, without dropout and by running statistics; one
    that is not a number counts as infinite. Of equal ones the rate that stands first is taken. All rates of a seed have
    the same initial weights, batches and dropout, so that nothing but the rate is chosen.

    Args:
        build: as `train` takes it, and so are the others.
        inputs: (n_seeds, n, *shape).
        targets: (n_seeds, n) or (n_seeds, n, *out).
        seeds: one per network that comes back.
        recipe: with `rates`.
        start: initial values by name, (n_seeds, *shape).
        masks: zeros and ones by name, (n_seeds, *shape).
        frozen: names of parameters that keep their initial values, or entries of some by name, (n_seeds, *shape).

    Returns:
        The networks, one per seed, and the rate of each, float64 (n_seeds,).

    Raises:
        UsageError: a recipe without rates, and for whatever `train` refuses.
    """
    rates, optimiser = recipe.rates, recipe.optimiser
    if not (rates and isinstance(optimiser, Optimiser)):
        raise UsageError("search: learning_rate: one rate leaves nothing to choose: give a list, or call `train`")
    number = len(rates)
    first, pruned = _all_repeated(start or {}, number), _all_repeated(masks or {}, number)
    frozen = _all_repeated(frozen, number) if isinstance(frozen, Mapping) else frozen
    inputs, targets = _repeated(inputs, number), _repeated(targets, number)
    optimisers = [replace(optimiser, learning_rate=rate) for rate in rates for _ in seeds]
    every = replace(recipe, optimiser=optimisers, rates=())
    tried = train(build, inputs, targets, seeds * number, recipe=every, start=first, masks=pruned, frozen=frozen)
    outputs = tried.predict(inputs)
    found = losses(
        recipe.loss, outputs, as_targets(targets, recipe.loss, outputs.dtype, str(outputs.device), "search: ")
    )
    best = found.nan_to_num(math.inf, posinf=math.inf).view(number, len(seeds)).argmin(0).cpu()
    rows = best * len(seeds) + torch.arange(len(seeds))
    weights = {name: own[rows.to(own.device)] for name, own in tried.weights.items()}
    steps = tuple(tried.steps[row] for row in rows.tolist())
    return replace(tried, weights=weights, steps=steps), torch.tensor(rates, dtype=torch.float64)[best]


def _all_repeated(given: Mapping[str, Tensor], times: int) -> dict[str, Tensor]:
    return {name: _repeated(own, times) for name, own in given.items()}


def _repeated(values: Tensor | np.ndarray, times: int) -> Tensor:
    """Return what seeds have, (n_seeds, ...), once for each rate."""
    return torch.cat([torch.as_tensor(values)] * times)
