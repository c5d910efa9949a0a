"""Trials with known truths for every kind of contrast, and the real path from trials to verdicts.

No shortcut anywhere: trials are handed to `verdict.judge` as the runner does, which makes contrasts, intervals and
verdicts of them, run by run.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.stats import binom, norm

from harness.judging import contrasts, student
from harness.judging.simulation import Decisions
from harness.judging.verdict import INCONCLUSIVE, REFUTED, VERIFIED, judge
from harness.specification.models import SeedPlan
from tests.calibration.laws import STEP
from tests.specimen import claim_with, point

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from numpy.random import Generator
    from numpy.typing import NDArray

    from harness.judging.contrasts import Evidence
    from harness.judging.points import Point
    from harness.specification.models import Claim

    Trials = Mapping[Point, NDArray[np.float64]]
    """Point -> the metric of every run and seed, shape (runs, seeds)."""

PLAN = SeedPlan(first=6, step=2, cap=32)
"""Looks at 6, 8, ..., 32 seeds: what most claims declare, up to the largest cap."""

N_TEST = round(1 / STEP)
WIDTHS = (1, 2, 4)
SIGNS = {VERIFIED: 1, REFUTED: -1, INCONCLUSIVE: 0}

NET, SVM = point("net"), point("svm")
NET_CLUTTER, SVM_CLUTTER = point("net", scene="clutter"), point("svm", scene="clutter")
SWEEP = tuple(point("net", width) for width in WIDTHS)
_OF, _TO = {"arm": "svm", "width": 4, "scene": "plain"}, {"arm": "net", "width": 4, "scene": "plain"}
_OVER = {"over": "width", "at": {"arm": "net", "scene": "plain"}}

CONTRASTS: dict[str, Callable[[str], dict[str, Any]]] = {
    "mean": lambda metric: {"mean": metric, "at": _TO},
    "difference": lambda metric: {"difference": metric, "of": _OF, "minus": _TO},
    "ratio": lambda metric: {"ratio": metric, "of": _OF, "to": _TO},
    "interaction": lambda metric: {
        "interaction": metric,
        "of": {"arm": "svm", "width": 4},
        "minus": {"arm": "net", "width": 4},
        "here": {"scene": "clutter"},
        "there": {"scene": "plain"},
    },
    "slope": lambda metric: {"slope": metric, **_OVER},
    "loglog_slope": lambda metric: {"loglog_slope": metric, **_OVER},
    "rank_trend": lambda metric: {"rank_trend": metric, **_OVER},
}
"""Every kind of contrast that is a sample over seeds."""

MADE_OF_VALUES = tuple(kind for kind in CONTRASTS if kind != "rank_trend")
"""Kinds whose contrast can be given any distribution."""


def trials_of(kind: str, values: NDArray[np.float64], generator: Generator) -> Trials:
    """Return trials of `loss` whose contrast is `values`, shape (runs, seeds).

    What the seed's draw of data does to all its trials alike is large, and must cancel, since contrasts are paired.
    """
    shared, other = generator.normal(0, 3, (2, *values.shape))
    exponents = [shared + values * math.log(width) for width in WIDTHS]
    return {
        "mean": lambda: {NET: values},
        "difference": lambda: {SVM: shared + values, NET: shared},
        "ratio": lambda: {SVM: np.exp(shared + values), NET: np.exp(shared)},
        "interaction": lambda: {SVM_CLUTTER: shared + values, NET_CLUTTER: shared, SVM: other, NET: other},
        "slope": lambda: {where: shared + values * width for where, width in zip(SWEEP, WIDTHS, strict=True)},
        "loglog_slope": lambda: {where: np.exp(power) for where, power in zip(SWEEP, exponents, strict=True)},
    }[kind]()


@dataclass(frozen=True)
class Truth:
    """A world whose contrast is known.

    Attributes:
        kind: kind of contrast.
        trials: generator and number of runs -> trials.
        mean: the contrast's expected value, on the scale on which it is judged.
        width: width of a band that an interval fits into well before the cap, on that scale.
        metric: the metric that the trials are of.
    """

    kind: str
    trials: Callable[[Generator, int], Trials]
    mean: float
    width: float
    metric: str = "loss"

    def edge(self, *, above: float = 0.0) -> float:
        """Return the truth (plus `above`) on the scale of the band."""
        return math.exp(self.mean + above) if self.kind == "ratio" else self.mean + above

    def band(self, form: str) -> dict[str, Any]:
        """Return the band of a form with the truth on its edge; of two edges the lower."""
        return {form: [self.edge(), self.edge(above=self.width)] if form == "between" else self.edge()}

    def claim(self, form: str, alpha: float) -> Claim:
        """Return a claim with one expectation, `e`, of this contrast."""
        return claim_with(CONTRASTS[self.kind](self.metric), self.band(form), expectation={"alpha": alpha})


def normal_truth(kind: str) -> Truth:
    """Return a world in which the contrast is normal over seeds; Kendall's tau of exchangeable values is 0 on average."""
    if kind == "rank_trend":
        return tau_truth(0.0)
    return Truth(kind, lambda g, runs: trials_of(kind, g.normal(size=(runs, PLAN.cap)), g), 0.0, 3.0)


def tau_truth(rise: float) -> Truth:
    """Return a world in which the loss rises by `rise` standard deviations per doubling of the width.

    Two normal values that differ by d on average are in order with chance Phi(d / sqrt(2)).
    """

    def trials(generator, runs):
        return {where: rise * place + generator.normal(size=(runs, PLAN.cap)) for place, where in enumerate(SWEEP)}

    apart = [j - i for i, j in combinations(range(len(WIDTHS)), 2)]
    mean = float(np.mean([2 * norm.cdf(rise * d / math.sqrt(2)) - 1 for d in apart]))
    return Truth("rank_trend", trials, mean, 1.5)


RATES = {SVM_CLUTTER: 0.4, NET_CLUTTER: 0.25, SVM: 0.3, NET: 0.2, SWEEP[0]: 0.3, SWEEP[1]: 0.25}
"""True error rates; the widest net of the sweep is the net of the comparisons."""


def error_truth(kind: str) -> Truth:
    """Return a world in which the trials are error rates on 200 test examples, between 0 and 1, and of many ties."""
    needed = {
        "mean": (NET,),
        "difference": (SVM, NET),
        "ratio": (SVM, NET),
        "interaction": (SVM_CLUTTER, NET_CLUTTER, SVM, NET),
    }.get(kind, SWEEP)

    def trials(generator, runs):
        return {where: generator.binomial(N_TEST, RATES[where], (runs, PLAN.cap)) / N_TEST for where in needed}

    if kind == "rank_trend":
        mean, width = _tau_of_rates([RATES[where] for where in needed]), 1.5
    else:
        weights = _weights(kind)
        moments = [_moments(RATES[where], log=kind in ("ratio", "loglog_slope")) for where in needed]
        mean = sum(w * m for w, (m, _) in zip(weights, moments, strict=True))
        width = 3 * math.sqrt(sum(w * w * v for w, (_, v) in zip(weights, moments, strict=True)))
    return Truth(kind, trials, mean, width, "error")


def _weights(kind: str) -> list[float]:
    return {
        "mean": [1.0],
        "difference": [1.0, -1.0],
        "ratio": [1.0, -1.0],
        "interaction": [1.0, -1.0, -1.0, 1.0],
        "slope": student.slope_weights(WIDTHS),
        "loglog_slope": student.slope_weights(np.log(WIDTHS)),
    }[kind]


def _moments(rate: float, *, log: bool) -> tuple[float, float]:
    """Return mean and variance of an error rate on N_TEST examples, or of its logarithm with half a step for zero."""
    counts = np.arange(N_TEST + 1)
    chances = binom.pmf(counts, N_TEST, rate)
    values = np.log(np.maximum(counts, 0.5) / N_TEST) if log else counts / N_TEST
    mean = float(chances @ values)
    return mean, float(chances @ (values - mean) ** 2)


def _tau_of_rates(rates: list[float]) -> float:
    """Return the expected tau of error rates: chance of each pair to rise, less its chance to fall; ties count 0."""
    counts = np.arange(N_TEST + 1)
    pairs = [
        (binom.pmf(counts, N_TEST, a), binom.cdf(counts - 1, N_TEST, b), binom.sf(counts, N_TEST, b))
        for a, b in combinations(rates, 2)
    ]
    return float(np.mean([first @ (above - below) for first, below, above in pairs]))


def evidence(trials: Trials, metric: str) -> Iterator[Evidence]:
    """Yield the evidence of one run after the other, as `judge` reads it."""
    rows = {where: array.tolist() for where, array in trials.items()}
    # Another metric differs from seed to seed: what is simulated are seeds that draw data of their own, however coarse the first.
    for run in range(len(next(iter(rows.values())))):
        yield {
            where: {seed: {metric: v, "seed": seed} for seed, v in enumerate(table[run])}
            for where, table in rows.items()
        }


def tried(claim: Claim, trials: Trials, metric: str, plan: SeedPlan = PLAN) -> Decisions:
    """Return how `verdict.judge` ends each run.

    Raises:
        KeyError: a run ends in a verdict that sound trials never get.
    """
    found = [judge(claim.expectations["e"], claim, one, {"n_test": N_TEST}, plan) for one in evidence(trials, metric)]
    return Decisions(
        np.array([SIGNS[judgement.verdict] for judgement in found], dtype=np.int8), np.array([j.n for j in found])
    )


def contrasted(claim: Claim, trials: Trials, metric: str) -> list[contrasts.PerSeed]:
    """Return the per-seed contrasts of each run."""
    contrast = claim.expectations["e"].contrast
    return [contrasts.evaluate(contrast, claim, one, {"n_test": N_TEST}) for one in evidence(trials, metric)]
