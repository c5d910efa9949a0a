"""How a small difference between two inputs grows through a random network, and how much networks of one kind differ."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from fixtures.random_networks import gram_chain

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from harness.seeds import Seeds

    Values = NDArray[np.float64]

BIAS_VARIANCE = {"rectifier": 0.0, "tanh": 0.05}

CRITICAL_VARIANCE = {"rectifier": 2.0, "tanh": 1.76}
"""Of the weights, times fan in: He et al. 2015, eq. 10; Schoenholz et al. 2017, fig. 1, for this variance of the biases."""

CORRELATION = 0.5
"""Of the difference of two inputs with the first of them, in the inputs."""


def rectifier(z: Values, change: Values) -> Values:
    """Return a rectifier's values and how they change, (networks, width, 2)."""
    return np.stack([np.maximum(z, 0), np.where(z > 0, change, 0)], axis=-1)


def tanh(z: Values, change: Values) -> Values:
    """Return the values of tanh and how they change, (networks, width, 2)."""
    value = np.tanh(z)
    return np.stack([value, (1 - value**2) * change], axis=-1)


ACTIVATIONS = {"rectifier": rectifier, "tanh": tanh}


def squares(
    activation: str, relative_variance: float, width: int, depth: int, networks: int, generator: np.random.Generator
) -> tuple[Values, Values]:
    """Return mean squares over the neurons of each layer, of their values and of how those change with the input.

    Both are of shape (depth, networks); the change is that along one direction of the inputs, to first order. Networks
    whose neurons are all silent at some layer pass nothing on, and are left out.
    """
    function = ACTIVATIONS[activation]
    grams = gram_chain(
        np.array([[1.0, CORRELATION], [CORRELATION, 1.0]]),
        [width] * depth,
        lambda z: function(z[..., 0], z[..., 1]),
        weight_variance=relative_variance * CRITICAL_VARIANCE[activation],
        bias_variance=np.diag([BIAS_VARIANCE[activation], 0.0]),
        networks=networks,
        generator=generator,
    )
    values, changes = grams[:, :, 0, 0], grams[:, :, 1, 1]
    alive = changes[-1] > 0
    return values[:, alive], changes[:, alive]


def measure(
    arm: str, seeds: Seeds, *, activation: str, relative_variance: float, width: int, depth: int, networks: int
) -> dict[str, NDArray[np.float64]]:
    """Return the growth of a difference per layer, its distance from none, and the instability, each (n_seeds,).

    Growth is read over the deeper half of the layers, where signals have come to rest, as the mean log over networks.
    """
    growths, spreads = [], []
    for seed in seeds:
        values, changes = squares(activation, relative_variance, width, depth, networks, seed.numpy("networks"))
        growths.append(np.log(changes[-1] / changes[depth // 2 - 1]).mean() / (depth - depth // 2))
        spreads.append(np.log(values[-1]).var(ddof=1))
    growth = np.array(growths)
    return {"log_growth": growth, "distance": np.abs(growth), "instability": np.array(spreads)}
