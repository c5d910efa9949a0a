"""Size and data of the cheapest model by L = E + A/N^alpha + B/D^beta, for training alone and with inference."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.optimize import brentq

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from harness.seeds import Seed, Seeds

TRAINING = 6  # FLOP for each parameter and training token: forward and backward (Kaplan et al. 2020)
INFERENCE = 2  # FLOP for each parameter and served token: forward

DOUBLING = 2.0  # of compute, over which the exponent of the best size is read; any factor gives the same


@dataclass(frozen=True)
class Law:
    """The part of the loss that size and data remove: a / N^alpha + b / D^beta; E moves no optimum."""

    alpha: float
    beta: float
    a: float
    b: float

    def excess(self, size: float, tokens: float) -> float:
        """Return the loss above E, in nats."""
        return self.a / size**self.alpha + self.b / tokens**self.beta

    def training_optimum(self, compute: float) -> tuple[float, float]:
        """Return size and tokens of least loss with 6 N D = `compute` FLOP (Hoffmann et al. 2022, eq. 4)."""
        total = self.alpha + self.beta
        factor = (self.alpha * self.a / (self.beta * self.b)) ** (1 / total)
        size = factor * (compute / TRAINING) ** (self.beta / total)
        return size, compute / TRAINING / size

    def cheapest(self, excess: float, served: float, growth: float) -> tuple[float, float]:
        """Return size and tokens of least compute 6 N D + 2 T N^growth at a given loss above E.

        With u = a / N^alpha the loss fixes b / D^beta = excess - u. Setting the derivative of the compute with respect to u
        to zero gives beta (excess - u) (1 + growth T N^(growth - 1) / (3 D)) = alpha u, whose left side falls.

        Args:
            excess: loss above E, in nats.
            served: T, tokens of inference.
            growth: 1 where a served token costs 2 N FLOP, 0 where it costs the same at any size.
        """

        def place(share: float) -> tuple[float, float]:
            size_part, data_part = share * excess, (1 - share) * excess
            return (self.a / size_part) ** (1 / self.alpha), (self.b / data_part) ** (1 / self.beta)

        def slope(share: float) -> float:
            size, tokens = place(share)
            inference = growth * INFERENCE * served * size ** (growth - 1) / (TRAINING * tokens)
            return self.beta * (1 - share) * (1 + inference) - self.alpha * share

        return place(brentq(slope, 1e-6, 1 - 1e-6, xtol=1e-14))


def drawn(law: Law, seed: Seed, exponent_error: float, a_error: float, b_error: float) -> Law:
    """Return the law with coefficients drawn independently around its own: exponents normal, factors log-normal."""
    generator = seed.numpy("coefficients")
    alpha, beta = generator.normal([law.alpha, law.beta], exponent_error)
    a, b = np.exp(generator.normal(np.log([law.a, law.b]), [a_error, b_error]))
    return Law(alpha, beta, a, b)


def at_optimum(law: Law, compute: float, served: float, growth: float) -> dict[str, float]:
    """Return the metrics of one law."""
    size, tokens = law.training_optimum(compute)
    larger, _ = law.training_optimum(DOUBLING * compute)
    best_size, best_tokens = law.cheapest(law.excess(size, tokens), served, growth)
    return {
        "tokens_per_parameter": best_tokens / best_size,
        "size_exponent": float(np.log(larger / size) / np.log(DOUBLING)),
        "size_over_training_optimum": best_size / size,
        "tokens_over_training_optimum": best_tokens / tokens,
    }


def measure(
    arm: str,
    seeds: Seeds,
    *,
    compute: float,
    inference_tokens: float,
    alpha: float,
    beta: float,
    a: float,
    b: float,
    errors: str,
    inference_growth: float,
    **standard_errors: float,
) -> dict[str, NDArray[np.float64]]:
    """Return the best size and data by a law, shape (n_seeds,); seeds draw its coefficients where `errors` is "drawn".

    Raises:
        ValueError: `errors` is neither "none" nor "drawn".
    """
    if errors not in ("none", "drawn"):
        raise ValueError(f"errors is {errors!r}; give 'none' or 'drawn'")
    law = Law(alpha, beta, a, b)
    laws = [law if errors == "none" else drawn(law, seed, **standard_errors) for seed in seeds]
    rows = [at_optimum(each, compute, inference_tokens, inference_growth) for each in laws]
    return {name: np.array([row[name] for row in rows]) for name in rows[0]}
