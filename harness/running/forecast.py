"""What to expect of the next run of a claim: whether it decides, and after how many seeds.

The probability is an assurance (O'Hagan, Stevens & Campbell 2005, "Assurance in clinical
trial design"): a power averaged over what a sample leaves open about mean and spread.
After n values of mean m and standard deviation s, under the Jeffreys prior for normal
values, sigma^2 ~ (n - 1) s^2 / chi2(n - 1) and mu ~ N(m, sigma^2 / n). From each draw of
the two one run is simulated and ended by the judge's own rule (`simulation.decide`). Where no
shape is taken for granted (rates, quantiles) the shares of seeds that take each value, or lie on
each side of the band, are drawn instead, from a Dirichlet law with Jeffreys' half a seed for each.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

from harness.judging import contrasts, edges, student
from harness.judging.bounded import Bounded
from harness.judging.confidence_sequence import STUDENT
from harness.judging.groups import Groups
from harness.judging.simulation import Decisions, Rule, decide
from harness.running.smallest_effect import RUNS, TARGET_POWER, smallest_distance, smallest_step
from harness.seeds import Seed
from harness.specification.kinds import Exact

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from harness.judging.contrasts import PerSeed
    from harness.running.variant import Variant
    from harness.specification.models import SeedPlan
    from harness.specification.readings import Expectation
    from harness.trials.plan import Plan

FEWEST = 2
"""Values without which there is no spread, and so no forecast."""


@dataclass(frozen=True)
class Sample:
    """What is known of a contrast over seeds, on the judged scale (logarithms for a ratio).

    Attributes:
        n: number of values.
        mean: their mean.
        sd: their standard deviation, never below the contrast's floor.
    """

    n: int
    mean: float
    sd: float


@dataclass(frozen=True)
class Forecast:
    """What to expect of one expectation.

    Attributes:
        n: values that the forecast rests on.
        probability: that the expectation is decided within the cap, or need not be because another one refutes
            its reading; nan where there is no forecast.
        needed: seeds that each simulated run takes, the cap where it is not decided, shape (runs,).
        effect: distance of the mean contrast to the nearest edge that counts, in standard deviations; nan without
            a sample.
        sd: standard deviation over seeds on the judged scale; nan without a sample.
        rule: what decides; None without a sample.
        log: whether the judged scale is that of logarithms.
        estimate: what the values say of the mean, rate or quantile, on the judged scale; nan without a sample.
        reason: why there is no forecast; empty where there is one.
    """

    n: int
    probability: float
    needed: NDArray[np.int64] = field(repr=False)
    effect: float = math.nan
    sd: float = math.nan
    rule: Rule | None = None
    log: bool = False
    estimate: float = math.nan
    reason: str = ""

    @property
    def underpowered(self) -> bool:
        """Whether a decision is less likely than a plan should have it."""
        return self.probability < TARGET_POWER

    @property
    def seeds(self) -> float:
        """Mean number of seeds until the decision, or until the cap without one."""
        return float(self.needed.mean())

    def smallest_effect(self) -> float:
        """Return the distance from the band's edge that is told from it with probability `TARGET_POWER`, given the spread.

        In the contrast's unit; for a ratio it is a factor; nan without a sample.
        """
        if self.rule is None:
            return math.nan
        if isinstance(self.rule.sequence, Groups):
            # The other group is as large as it is, and adds an error of its own.
            return math.nan
        # Rounded, so that expectations of one design share the search.
        floor = round(self.rule.sd_floor / self.sd, 2) if self.rule.sd_floor else 0.0
        looks, alpha, sequence = tuple(self.rule.looks), self.rule.alpha, self.rule.sequence
        if isinstance(sequence, Bounded):
            # Of a rate alone is it known how its values spread at another distance.
            edge, upward = self._nearest()
            return smallest_step(looks, alpha, edge, upward=upward) if sequence.binary else math.nan
        distance = self.sd * smallest_distance(looks, alpha, floor, sequence)
        return math.exp(distance) if self.log else distance

    def _nearest(self) -> tuple[float, bool]:
        """Return the band's edge next to the estimate, and whether the estimate is not below it."""
        edges = [] if self.rule is None else [edge for edge in (self.rule.low, self.rule.high) if math.isfinite(edge)]
        edge = min(edges, key=lambda edge: abs(edge - self.estimate))
        return edge, self.estimate >= edge


def forecasts_of(plan: Plan, variant: Variant) -> dict[str, Forecast]:
    """Return a forecast of every expectation, made from the evidence that a variant holds.

    A refuted expectation closes its reading, as in a run: the reading's other members need no more seeds then.
    """
    found: dict[str, Forecast] = {}
    for group in variant.groups:
        alone = {name: _alone(plan, variant, name) for name in group}
        # After so many seeds some member is refuted; more than any run has where none is.
        closed = np.min([np.where(d.sign < 0, d.n, plan.seeds.cap + 1) for _, d in alone.values()], axis=0)
        for name, (forecast, decisions) in alone.items():
            settled = (decisions.sign != 0) | (closed <= plan.seeds.cap)
            probability = math.nan if forecast.reason else float(settled.mean())
            found[name] = replace(forecast, probability=probability, needed=np.minimum(decisions.n, closed))
    return found


def _alone(plan: Plan, variant: Variant, name: str) -> tuple[Forecast, Decisions]:
    """Return the forecast of an expectation as if it were the only one, and its simulated runs."""
    expectation = variant.expectations[name]
    if isinstance(expectation.contrast, Exact):
        return _exact(plan, variant, expectation, expectation.contrast)
    per_seed = contrasts.evaluate(expectation.contrast, plan.claim, variant.evidence, plan.settings, variant.change_of)
    # Not of the base seed: the same trials give the same forecast.
    generator = Seed(0, plan.claim.id, 0).numpy(f"forecast of {name} under {variant.name}")
    if not per_seed.sequence.normal:
        return _counted(plan, expectation, per_seed, generator)
    sample = sample_of(per_seed)
    if isinstance(sample, str):
        return _none(len(per_seed.values), plan.seeds, sample)
    rule = _rule(plan, expectation, per_seed)
    decisions = simulate(sample, rule, generator)
    effect = abs(edges.margin(sample.mean, per_seed, expectation.band)) / sample.sd
    shown = (effect, sample.sd, rule, per_seed.log, sample.mean)
    return Forecast(sample.n, math.nan, decisions.n, *shown), decisions


def _rule(plan: Plan, expectation: Expectation, per_seed: PerSeed) -> Rule:
    """Return what decides an expectation, on the scale on which its contrast is judged."""
    low, high = edges.edges_of(expectation.band, per_seed)
    floor = per_seed.sd_floor(list(per_seed.values))
    return Rule(plan.seeds.looks, low, high, expectation.alpha, floor, per_seed.bounds, per_seed.sequence)


def _counted(
    plan: Plan, expectation: Expectation, per_seed: PerSeed, generator: np.random.Generator
) -> tuple[Forecast, Decisions]:
    """Return the forecast of a rate, or of a quantile, of which only the side of the band that a seed lies on counts."""
    values, rule = student.numbers(list(per_seed.values.values())), _rule(plan, expectation, per_seed)
    if values.size < FEWEST:
        return _none(values.size, plan.seeds, _too_few(values.size))
    if isinstance(rule.sequence, Bounded):
        support = np.union1d(values, [rule.sequence.low, rule.sequence.high])
        places, simulated = values, rule
    else:
        support = np.array([-1.0, 0.0, 1.0])[[rule.low > rule.bounds[0], True, rule.high < rule.bounds[1]]]
        places = np.subtract(values > rule.high, values < rule.low, dtype=np.float64)
        low, high = (-0.5 if -1.0 in support else -math.inf), (0.5 if 1.0 in support else math.inf)
        simulated = replace(rule, low=low, high=high, bounds=student.UNBOUNDED)
    decisions = decide(draw_shares(support, places, RUNS, rule.looks[-1], generator), simulated)
    sd, estimate = student.moments(values)[1], rule.sequence.estimate(values)
    # In standard deviations there is no effect of a rate: its spread is another at another distance.
    spread = 0.0 if isinstance(rule.sequence, Bounded) else sd
    effect = abs(edges.margin(estimate, per_seed, expectation.band)) / spread if spread else math.nan
    return Forecast(values.size, math.nan, decisions.n, effect, sd, rule, per_seed.log, estimate), decisions


def sample_of(per_seed: PerSeed) -> Sample | str:
    """Return what the values of a contrast say of its mean and spread, or why they say nothing."""
    if per_seed.problems:
        return per_seed.problems[0]
    if len(per_seed.values) < FEWEST:
        return _too_few(len(per_seed.values))
    # Of the interval only mean and spread are read; they do not depend on alpha.
    found = student.interval(list(per_seed.values.values()), alpha=0.5)
    if not (math.isfinite(found.estimate) and math.isfinite(found.sd)):
        return "the values are too large for a spread"
    floor = per_seed.sd_floor(list(per_seed.values))
    if floor == 0 and STUDENT.constant(found):
        return "the contrast is the same for every seed and the metric declares no resolution"
    return Sample(found.n, found.estimate, max(found.sd, floor))


def _too_few(n: int) -> str:
    return f"{n} seeds have all the trials that this contrast needs; {FEWEST} give a spread"


def simulate(sample: Sample, rule: Rule, generator: np.random.Generator, runs: int = RUNS) -> Decisions:
    """Return how `runs` further runs end, given what is known of mean and spread."""
    return decide(draw(sample, runs, rule.looks[-1], generator), rule)


def draw(sample: Sample, runs: int, seeds: int, generator: np.random.Generator) -> NDArray[np.float64]:
    """Return the values of further runs, shape (runs, seeds): each run with its own mean and spread."""
    free = sample.n - 1
    sigma = sample.sd * np.sqrt(free / generator.chisquare(free, runs))
    centre = sample.mean + sigma / math.sqrt(sample.n) * generator.standard_normal(runs)
    return np.asarray(centre[:, None] + sigma[:, None] * generator.standard_normal((runs, seeds)))


def draw_shares(
    support: NDArray[np.float64], seen: NDArray[np.float64], runs: int, seeds: int, generator: np.random.Generator
) -> NDArray[np.float64]:
    """Return values of further runs, shape (runs, seeds): each run with its own share of seeds for each value.

    The shares follow a Dirichlet law whose weights are half a seed for each value of `support`, and those that were seen.
    """
    weights = 0.5 + (seen[:, None] == support).sum(axis=0)
    upto = np.cumsum(generator.dirichlet(weights, runs), axis=1)
    picks = generator.random((runs, seeds))
    # The last share takes what rounding leaves.
    return np.asarray(support[(picks[:, :, None] >= upto[:, None, :-1]).sum(axis=2)])


def _exact(plan: Plan, variant: Variant, expectation: Expectation, contrast: Exact) -> tuple[Forecast, Decisions]:
    """Return the forecast of mathematics: no sample, so the first look decides, and as every instance so far did."""
    found, problems = contrasts.instances(contrast, plan.claim, variant.evidence, plan.settings, variant.change_of)
    seeds = len({seed for _, seed, _ in found})
    if problems:
        return _none(seeds, plan.seeds, problems[0])
    refuted = any(not expectation.band.low <= value <= expectation.band.high for _, _, value in found)
    n = np.full(RUNS, plan.seeds.first)
    return Forecast(seeds, math.nan, n), Decisions(np.full(RUNS, -1 if refuted else 1, dtype=np.int8), n)


def _none(n: int, plan: SeedPlan, reason: str) -> tuple[Forecast, Decisions]:
    """Return the lack of a forecast; where costs are counted, what is not known takes all seeds."""
    needed = np.full(RUNS, plan.cap)
    return Forecast(n, math.nan, needed, reason=reason), Decisions(np.zeros(RUNS, dtype=np.int8), needed)
