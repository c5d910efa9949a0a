"""Rates, medians and differences of rates on trial, beside the mean: rows of the tables of docs/calibration.md."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
from scipy.optimize import brentq
from scipy.stats import norm, shapiro

from harness.judging import binomial, normality, student
from harness.judging.bounded import Bounded
from harness.judging.confidence_sequence import STUDENT, ConfidenceSequence
from harness.judging.quantile import Quantile
from harness.judging.simulation import Decisions, Rule, decide
from tests.calibration.cells import Average, Figure, Share
from tests.calibration.laws import BREAKING, KEEPING, NORMAL, Law
from tests.calibration.shapes import alike, coefficients, marked

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.random import Generator
    from numpy.typing import NDArray

    from tests.calibration.cells import Cell

ALPHA = 0.001
LOOKS = range(6, 25, 2)
"""Looks at 6, 8, ..., 24 seeds: what most claims declare."""
RATE = Bounded(0.0, 1.0, binary=True)
MEDIAN = Quantile(0.5)
ASKED: dict[str, ConfidenceSequence] = {"mean": STUDENT, "rate": RATE, "median": MEDIAN}


# ---- worlds ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class World:
    """A law of the contrast with all that may be asked of it.

    Attributes:
        law: the law, with its mean.
        median: its median; None where nobody asks for it.
    """

    law: Law
    median: float | None = None

    def truth(self, asked: str) -> float:
        """Return what is asked for."""
        return self.law.mean if asked != "median" or self.median is None else self.median


def two_valued(rate: float) -> World:
    """Return zeros and ones, of a metric that declares a resolution of 0.01."""
    law = Law(
        lambda g, size: (g.random(size) < rate).astype(float), rate, math.sqrt(rate * (1 - rate)), 0.01, (0.0, 1.0)
    )
    return World(law)


def two_clusters(share: float) -> World:
    """Return normal values with a spread of 0.1 about 1, in a share of the seeds, and about -1."""

    def draw(generator: Generator, size: tuple[int, int]) -> NDArray[np.float64]:
        return generator.normal(0, 0.1, size) + np.where(generator.random(size) < share, 1.0, -1.0)

    mean = 2 * share - 1
    law = Law(draw, mean, math.sqrt(0.01 + 1 - mean**2))
    return World(law, _median(lambda x: share * norm.cdf(x, 1, 0.1) + (1 - share) * norm.cdf(x, -1, 0.1)))


def _median(distribution: Callable[[float], float]) -> float:
    return float(brentq(lambda x: distribution(x) - 0.5, -100, 100, xtol=1e-12))


LOG_NORMAL = Law(
    lambda g, size: np.exp(g.normal(size=size)), math.exp(0.5), math.sqrt((math.e - 1) * math.e), bounds=(0.0, math.inf)
)

WORLDS = {
    "normal": World(NORMAL, 0.0),
    "zeros and ones, 0.9": two_valued(0.9),
    "zeros and ones, 0.7": two_valued(0.7),
    "zeros and ones, 0.5": two_valued(0.5),
    "two clusters, 47 %": two_clusters(0.47),
    "two clusters, 80 %": two_clusters(0.8),
    "two clusters, 90 %": two_clusters(0.9),
    "exponential": World(BREAKING["exponential"], math.log(2)),
    "log-normal": World(LOG_NORMAL, 1.0),
    "one seed in ten far off": World(
        BREAKING["one seed in ten far off"], _median(lambda x: 0.9 * norm.cdf(x) + 0.1 * norm.cdf(x, 30))
    ),
}


def asked_of(world: str) -> list[str]:
    """Return what is asked of a world."""
    return ["mean", "median"] if WORLDS[world].median is not None else ["mean", "rate"]


def on_the_edge(name: str, asked: str, runs: int, generator: Generator) -> Sequence[Cell]:
    """False verdicts with the truth on the edge of `at_least`; of a mean, how many runs are marked, and falsely decided without a mark."""
    world, sequence = WORLDS[name], ASKED[asked]
    values = world.law.draw(generator, (runs, LOOKS[-1]))
    rule = Rule(LOOKS, world.truth(asked), math.inf, ALPHA, world.law.floor, world.law.bounds, sequence)
    found = decide(values, rule)
    promised = asked != "mean" or name == "normal"
    cells: list[Cell] = [Share(int((found.sign == sign).sum()), runs, ALPHA, promised) for sign in (1, -1)]
    if asked != "mean":
        return [*cells, Figure("-"), Figure("-")]
    told = _told(values, found, world)
    return [*cells, Share(int(told.sum()), runs), Share(int((~told & (found.sign != 0)).sum()), runs)]


def _told(values: NDArray[np.float64], found: Decisions, world: World) -> NDArray[np.bool_]:
    """Return whether the report of each run says something of the shape of its seeds."""
    return marked(values, found, world.law.floor) | (alike(values, found) if world.law.step else False)


# ---- the marks ---------------------------------------------------------------------------------------------------

SIZES = (6, 8, 12, 16, 24, 32)
SHAPES = {
    "normal": NORMAL,
    "normal, rounded to 1/200, in [0, 1]": KEEPING["normal, rounded to 1/200, in [0, 1]"],
    "uniform": KEEPING["uniform"],
    "Student t, 3 degrees of freedom": KEEPING["Student t, 3 degrees of freedom"],
    **{name: WORLDS[name].law for name in list(WORLDS)[4:]},
}
TESTS: dict[str, Callable[[NDArray[np.float64], float], NDArray[np.bool_]]] = {
    "bimodality": lambda values, floor: coefficients(values, floor) > normality.limit(values.shape[1]),
    "Shapiro-Wilk": lambda values, _: np.array([shapiro(row).pvalue < 0.01 for row in values]),
}
EFFECTS = (0, 0.5, 1, 1.5, 2, 3, 5, 10)


def seen(law: Law, test: str, runs: int, generator: Generator) -> Sequence[Cell]:
    """The share of samples that a test marks, by their size."""
    promised = law is NORMAL and test == "bimodality"
    found = (TESTS[test](law.draw(generator, (runs, n)), law.floor) for n in SIZES)
    return [Share(int(marks.sum()), runs, 0.01 if promised else None, promised) for marks in found]


def at_best(runs: int, generator: Generator) -> Sequence[Cell]:
    """The same of the most powerful test of exponential against normal seeds that knows neither place nor scale."""
    cells: list[Cell] = []
    for n in SIZES:
        limit = _least_gap(n)
        values = generator.exponential(size=(runs, n))
        cells.append(Share(int((_gaps(values) < limit).sum()), runs))
    return cells


def _gaps(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the distance of the mean from the smallest value, in standard deviations (Uthoff 1970)."""
    return (values.mean(axis=1) - values.min(axis=1)) / values.std(axis=1, ddof=1)


@lru_cache
def _least_gap(n: int) -> float:
    return float(np.quantile(_gaps(np.random.default_rng([5, n]).standard_normal((200_000, n))), 0.01))


def chance_met(share: float) -> Sequence[Cell]:
    """The chance that both clusters are among the seeds: no test marks more."""
    return [Figure(f"{100 * (1 - share**n - (1 - share) ** n):.1f} %") for n in SIZES]


def marked_at_the_end(looks: Sequence[int], runs: int, generator: Generator) -> Sequence[Cell]:
    """Normal runs that are marked when they end, by the distance of the truth from the edge."""
    cells: list[Cell] = []
    for effect in EFFECTS:
        values = generator.standard_normal((runs, looks[-1]))
        found = decide(values, Rule(looks, -effect, math.inf, ALPHA))
        cells.append(Share(int(marked(values, found).sum()), runs, 0.01, promised=True))
    return cells


# ---- rates, exactly ----------------------------------------------------------------------------------------------

PRIORS = (0.1, 0.25, 0.5, 1.0, 2.0)
PAIRS = ((1.0, 0.5), (1.0, 0.7), (1.0, 0.9), (0.99, 0.9), (0.98, 0.9), (0.95, 0.5), (0.9, 0.5), (0.9, 0.7), (0.8, 0.5))
"""A true rate, and the edge that it is to be told from."""
MOST = 400
EVERY_TWO = range(6, MOST + 1, 2)


def decided(rate: float, edge: float, looks: Sequence[int], prior: float = binomial.PRIOR) -> NDArray[np.float64]:
    """Return the chance that a run of the rate sequence ends at each look, verified or refuted, without simulation."""
    chances, ended = np.ones(1), []
    for n in range(1, looks[-1] + 1):
        chances = np.append(chances * (1 - rate), 0) + np.append(0, chances * rate)
        if n not in looks:
            continue
        ends = _log_evidence(n, edge, prior) >= -math.log(ALPHA)
        ended.append(float(chances[ends].sum()))
        chances = np.where(ends, 0, chances)
    return np.array(ended)


@lru_cache(maxsize=4096)
def _log_evidence(n: int, edge: float, prior: float) -> NDArray[np.float64]:
    """Return log M_n of every count, with another prior than the harness's own if asked."""
    mixed = [math.lgamma(prior + k) + math.lgamma(prior + n - k) for k in range(n + 1)]
    whole = math.lgamma(2 * prior + n) + 2 * math.lgamma(prior) - math.lgamma(2 * prior)
    k = np.arange(n + 1)
    return np.array(mixed) - whole - k * math.log(edge) - (n - k) * math.log1p(-edge)


def seeds_by_prior(rate: float, edge: float, _runs: int, _generator: Generator) -> Sequence[Cell]:
    """Mean seeds until a rate is told from an edge, by the prior."""
    return [Figure(f"{_mean_seeds(decided(rate, edge, EVERY_TWO, prior)):.1f}") for prior in PRIORS]


def _mean_seeds(ended: NDArray[np.float64]) -> float:
    return float(ended @ EVERY_TWO + (1 - ended.sum()) * MOST)


def exact_errors(edge: float, _runs: int, _generator: Generator) -> Sequence[Cell]:
    """The chance of a false verdict on a rate on the edge, by the looks."""
    looks = (LOOKS, range(1, 25), range(1, MOST + 1))
    return [Figure(f"{100 * decided(edge, edge, which).sum():.4f} %") for which in looks]


# ---- differences of rates ----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Pair:
    """Two arms that succeed or fail, seed by seed.

    Attributes:
        both: chance that both succeed.
        first: chance that the first alone does.
        second: chance that the second alone does.
    """

    both: float
    first: float
    second: float

    def draw(self, generator: Generator, size: tuple[int, int]) -> NDArray[np.float64]:
        """Return which arms succeeded: shape (2, *size)."""
        picks = generator.random(size)
        first = picks < self.both + self.first
        second = (picks < self.both) | (
            (picks >= self.both + self.first) & (picks < self.both + self.first + self.second)
        )
        return np.array([first, second], dtype=float)


PAIRS_OF_ARMS = {
    "1.0 and 0.0": Pair(0.0, 1.0, 0.0),
    "1.0 and 0.5": Pair(0.5, 0.5, 0.0),
    "0.9 and 0.1, independent": Pair(0.09, 0.81, 0.01),
    "0.9 and 0.5, independent": Pair(0.45, 0.45, 0.05),
    "0.9 and 0.5, nested": Pair(0.5, 0.4, 0.0),
    "0.5 and 0.5, independent": Pair(0.25, 0.25, 0.25),
    "0.9 and 0.9, independent": Pair(0.81, 0.09, 0.09),
    "0.5 and 0.5, never both": Pair(0.0, 0.5, 0.5),
}
UP_TO = range(6, 97, 2)


def told_apart(arms: Pair, construction: str, runs: int, generator: Generator) -> Sequence[Cell]:
    """Seeds until the first arm is told from the second, and how often; for equal rates both verdicts are false."""
    values = arms.draw(generator, (runs, UP_TO[-1]))
    found = CONSTRUCTIONS[construction](values)
    equal = arms.first == arms.second
    shares = [Share(int((found.sign == sign).sum()), runs, ALPHA if equal else None, equal) for sign in (1, -1)]
    return [Average.of(found.n), *shares]


def _by_bets(values: NDArray[np.float64]) -> Decisions:
    return decide(values[0] - values[1], Rule(UP_TO, 0.0, math.inf, ALPHA, sequence=Bounded(-1.0, 1.0)))


def _by_union(values: NDArray[np.float64]) -> Decisions:
    """Each rate has an interval at half the error rate; the arms differ once the two no longer meet."""
    sign = np.zeros(values.shape[1], dtype=np.int8)
    at = np.full(values.shape[1], UP_TO[-1])
    for n in UP_TO:
        (low, high), (low2, high2) = (RATE.ends(side[:, :n], ALPHA / 2) for side in values)
        now = np.subtract(low > high2, high < low2, dtype=np.int8)
        new = (sign == 0) & (now != 0)
        sign[new], at[new] = now[new], n
    return Decisions(sign, at)


CONSTRUCTIONS = {"bets on the paired difference": _by_bets, "two rates at alpha / 2": _by_union}


# ---- medians -----------------------------------------------------------------------------------------------------

QUESTIONS: dict[str, ConfidenceSequence] = {"mean": STUDENT, "median": MEDIAN, "0.75-quantile": Quantile(0.75)}
FAR = range(6, 65, 2)


def seeds_by_effect(question: str, effects: Sequence[float], runs: int, generator: Generator) -> Sequence[Cell]:
    """Mean seeds until normal contrasts are told from an edge that lies `effects` below what is asked for, up to 64."""
    sequence, cells = QUESTIONS[question], []
    shift = norm.ppf(sequence.q) if isinstance(sequence, Quantile) else 0.0
    for effect in effects:
        values = generator.standard_normal((runs, FAR[-1])) - shift + effect
        cells.append(Average.of(decide(values, Rule(FAR, 0.0, math.inf, ALPHA, sequence=sequence)).n))
    return cells


def fewest(question: str, _runs: int, _generator: Generator) -> Sequence[Cell]:
    """The seeds without which an interval has no lower end, or no upper, by alpha."""
    sequence, found = QUESTIONS[question], []
    for alpha in (0.001, 0.01, 0.05):
        ends = [_first(sequence, alpha, band) for band in ((0.0, math.inf), (-math.inf, 0.0))]
        found.append(Figure(" / ".join(map(str, dict.fromkeys(ends)))))
    return found


def _first(sequence: ConfidenceSequence, alpha: float, band: tuple[float, float]) -> int:
    """Return after how many seeds an interval can lie inside a half-line."""
    return next(n for n in range(1, MOST) if sequence.can_end(n, alpha, band, student.UNBOUNDED)[0])
