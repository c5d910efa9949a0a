"""Moments of what random rectifier networks put out, by the law of their Gram matrices: no weight is drawn, nor an output.

Given the activations of the last hidden layer the outputs are Gaussian, and so moments of an output are means over networks
of moments of Gaussians: E z^4 = 3 E q^2 for the mean square q of these activations (see fixtures.random_networks).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from fixtures.random_networks import gram, gram_chain, preactivations

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from harness.seeds import Seed, Seeds

    Values = NDArray[np.float64]

INPUTS, COORDINATES = 4, 10

WEIGHT_VARIANCE = 2.0  # times fan in, so that mean squares stay as they are (He et al. 2015)

PAIRINGS = (((0, 1), (2, 3)), ((0, 2), (1, 3)), ((0, 3), (1, 2)))
"""Of four inputs, as in Isserlis' theorem."""


def inputs(seed: Seed) -> Values:
    """Return the inner products of four random inputs of mean square one, over the number of coordinates, (4, 4).

    No coordinate is negative, as no pixel is: inputs at right angles would have no coupling that could fade.
    """
    drawn = np.abs(seed.numpy("inputs").standard_normal((INPUTS, COORDINATES)))
    drawn /= np.linalg.norm(drawn, axis=1, keepdims=True)
    return drawn @ drawn.T


def neurons(weights: str, threshold: float, generator: np.random.Generator) -> Callable[[Values], Values]:
    """Return what becomes of preactivations (networks, width, k): rectified beyond a threshold, after their weights.

    "gaussian" leaves the weights as they are; "cauchy" divides all weights into a neuron by the size of a Gaussian number,
    which makes a Cauchy law in many dimensions; "common" multiplies all weights of a layer by the size of one such number.
    """

    def activation(z: Values) -> Values:
        each, all_of_them = (np.abs(generator.standard_normal(shape)) for shape in ((*z.shape[:2], 1), (len(z), 1, 1)))
        factor = {"gaussian": 1.0, "cauchy": 1 / each, "common": all_of_them}[weights]
        return np.maximum(factor * z - threshold, 0)

    return activation


def last_activations(
    grams: Values,
    width: int,
    depth: int,
    activation: Callable[[Values], Values],
    networks: int,
    generator: np.random.Generator,
) -> Values:
    """Return the activations of the last of `depth` hidden layers, (networks, width, 4)."""
    settings = {"weight_variance": WEIGHT_VARIANCE, "bias_variance": 0.0, "networks": networks}
    before = gram_chain(grams, [width] * (depth - 1), activation, generator=generator, **settings)
    below = before[-1] if depth > 1 else np.broadcast_to(grams, (networks, *grams.shape))
    return activation(preactivations(WEIGHT_VARIANCE * below, width, generator))


def moments(activations: Values, depth: int) -> dict[str, float]:
    """Return the metrics of one seed from the last activations of its networks, (networks, width, 4)."""
    grams, width = gram(activations), activations.shape[1]
    square, means = grams[:, 0, 0], grams.mean(0)
    kurtosis = (square**2).mean() / square.mean() ** 2
    joint = sum(((grams[:, *one] - means[one]) * grams[:, *other]).mean() for one, other in PAIRINGS)
    alone = sum(means[one] * means[other] for one, other in PAIRINGS)
    alive = activations[square > 0, :, 0] ** 2
    return {
        "excess_kurtosis": kurtosis - 1,
        "log_kurtosis_over_law": np.log(kurtosis) / (5 * depth / width),
        "triple_coupling": ((square - square.mean()) ** 3).mean() / square.mean() ** 3,
        "four_input_coupling": joint / alone,
        "largest_share": (alive.max(1) / alive.sum(1)).mean(),
        "zero_fraction": (activations == 0).mean(),
    }


def measure(
    arm: str, seeds: Seeds, *, width: int, depth: int, networks: int, weights: str, threshold: float
) -> dict[str, NDArray[np.float64]]:
    """Return what each seed's networks, at its four inputs, put out on average; each metric (n_seeds,)."""
    rows = []
    for seed in seeds:
        generator = seed.numpy("networks")
        activation = neurons(weights, threshold, seed.numpy("neurons"))
        activations = last_activations(inputs(seed), width, depth, activation, networks, generator)
        rows.append(moments(activations, depth))
    return {metric: np.array([row[metric] for row in rows]) for metric in rows[0]}
