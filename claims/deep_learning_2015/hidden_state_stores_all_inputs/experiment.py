"""What a recurrent network's last state still holds of the inputs that came before: bits told, and shares of variance."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import torch
from scipy.linalg import solve_discrete_lyapunov
from scipy.stats import ortho_group
from torch import Tensor, nn

from harness.training import LastStep, supervised, train

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from harness.seeds import Seed, Seeds
    from harness.training import Ensemble, Observer, Recipe

    Floats = NDArray[np.float64]

CELLS = {"rnn": nn.RNN, "lstm": nn.LSTM}


@dataclass(frozen=True)
class Sequences:
    """Bits of -1 and 1 as inputs, (n_seeds, n, lag + 1, 1), and the same as targets, (n_seeds, n, lag + 1)."""

    train: tuple[Tensor, Tensor]
    test: tuple[Tensor, Tensor]


def examples(seeds: Seeds, *, n_train: int, n_test: int, lag: int) -> Sequences:
    """Return sequences of independent bits, so that nothing but the memory of a bit tells what it was."""
    parts = []
    for role, number in (("training", n_train), ("test", n_test)):
        bits = torch.stack([torch.randint(2, (number, lag + 1), generator=seed.torch(role)) for seed in seeds])
        parts.append((2.0 * bits[..., None] - 1.0, 2.0 * bits - 1.0))
    return Sequences(*parts)


def fit(
    seeds: Seeds,
    split: Sequences,
    recipe: Recipe,
    *,
    cell: Literal["rnn", "lstm"],
    units: int,
    forget_bias: float,
    observer: Observer | None = None,
) -> Ensemble:
    """Return one network per seed, which reads a sequence and tells all of it from its last hidden state."""
    told = split.train[1].shape[2]

    def build() -> nn.Sequential:
        return nn.Sequential(LastStep(CELLS[cell](1, units, batch_first=True)), nn.Linear(units, told))

    start = None
    if cell == "lstm":
        start = train(build, *split.train, seeds, recipe=replace(recipe, epochs=0)).weights
        # The second of torch's four gates: input, forget, cell, output.
        start["0.recurrent.bias_ih_l0"][:, units : 2 * units] += forget_bias
    return train(build, *split.train, seeds, recipe=recipe, start=start, observer=observer)


def score(networks: Ensemble, split: Sequences) -> dict[str, Floats]:
    """Return how well the inputs are told, by the one that is told worst: 1 if always, 0 by guessing."""
    inputs, bits = split.test
    right = (networks.predict(inputs) > 0) == (bits > 0)
    return {"recalled": 2.0 * right.double().mean(1).amin(1).numpy() - 1.0}


def reservoir(seed: Seed, units: int, contraction: float) -> tuple[Floats, Floats]:
    """Return W and v of the linear state x(t) = W x(t-1) + v u(t): a random rotation times `contraction`, a unit vector."""
    generator = seed.numpy("reservoir")
    v = generator.standard_normal(units)
    return contraction * ortho_group.rvs(units, random_state=generator), v / np.linalg.norm(v)


def memory(w: Floats, v: Floats, lags: int) -> Floats:
    """Return which share of an input's variance the best linear read-out of the state tells, 0 to `lags` - 1 steps later.

    Of independent inputs of variance one, the state's covariance is C = W C W' + v v', that of state and input k steps ago
    is W^k v, and so the share is (W^k v)' C^-1 (W^k v) (Jaeger 2001, Short term memory in echo state networks).
    """
    inverse = np.linalg.inv(solve_discrete_lyapunov(w, np.outer(v, v)))
    traces = [v]
    for _ in range(lags - 1):
        traces.append(w @ traces[-1])
    return np.einsum("ki,ij,kj->k", traces, inverse, traces)


def linear_memory(seeds: Seeds, *, units: int, lag: int, contraction: float, lags: int) -> dict[str, Floats]:
    """Return the least share that is told of the inputs up to `lag` steps ago, and the sum over `lags` lags per unit."""
    shares = np.array([memory(*reservoir(seed, units, contraction), lags) for seed in seeds])
    return {"recalled": shares[:, : lag + 1].min(1), "capacity_over_units": shares.sum(1) / units}


trained, prepare_training, prepare_inference = supervised(examples, fit, score)


def measure(arm: str, seeds: Seeds, **settings: Any) -> dict[str, Floats]:
    """Return per seed how well the last `lag` + 1 inputs are told, and of a linear state its capacity per unit."""
    if settings["cell"] == "linear":
        return linear_memory(seeds, **{name: settings[name] for name in ("units", "lag", "contraction", "lags")})
    return trained(arm, seeds, **settings)
