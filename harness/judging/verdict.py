"""Estimates and bands to verdicts: one rule, applied at every look.

Judging is a pure function of the trials: the same trials give the same verdict,
in whatever order they were measured.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Literal

from harness.judging import contrasts, normality, points, student, ties
from harness.judging.edges import interval_of, on_scale, passable
from harness.specification.kinds import Exact
from harness.specification.models import SeedPlan

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from harness.judging.confidence_sequence import ConfidenceSequence
    from harness.judging.contrasts import ChangeOf, Evidence, PerSeed
    from harness.judging.normality import Shape
    from harness.judging.points import Point
    from harness.specification.kinds import Verdict
    from harness.specification.models import Claim
    from harness.specification.readings import Band, Expectation

VERIFIED: Final = "VERIFIED"
REFUTED: Final = "REFUTED"
INCONCLUSIVE: Final = "INCONCLUSIVE"
INVALID: Final = "INVALID"
NOT_RUN: Final = "NOT_RUN"


@dataclass(frozen=True)
class Look:
    """The interval after n seeds, on the scale of the band."""

    n: int
    low: float
    high: float


@dataclass(frozen=True)
class Judgement:
    """What the trials say of one expectation.

    Attributes:
        verdict: one of the five.
        reason: one sentence why.
        n: seeds that the verdict rests on.
        earlier: how many of them are of earlier replications.
        estimate: mean contrast (geometric mean of ratios), rate, or quantile; nan where there is none.
        low: lower end of the interval.
        high: upper end of the interval.
        sd: standard deviation over seeds, of the logarithm for ratios.
        values: seed index -> contrast (for `exact`: the instance farthest from the band's middle).
        looks: the interval at every look, in order.
        p: smallest error rate at which the evidence would still decide so (an anytime-valid p-value); nan where
            nothing is decided, or nothing is sampled.
        floor: the standard deviation was not taken below this, by the metric's resolution; 0 without one.
        shape: what speaks against the error rate of an interval that takes roughly normal seeds for granted (see
            `normality.shape`); empty where nothing does.
    """

    verdict: Verdict
    reason: str
    n: int = 0
    estimate: float = math.nan
    low: float = -math.inf
    high: float = math.inf
    sd: float = math.nan
    values: Mapping[int, float] = field(default_factory=dict)
    looks: Sequence[Look] = ()
    earlier: int = 0
    p: float = math.nan
    floor: float = 0.0
    shape: Shape | Literal[""] = ""

    @property
    def current(self) -> int:
        """Seeds of this run alone."""
        return self.n - self.earlier


def judge(
    expectation: Expectation,
    claim: Claim,
    evidence: Evidence,
    settings: Mapping[str, Any],
    plan: SeedPlan,
    change_of: ChangeOf = contrasts.unchanged,
    before: Judgement | None = None,
) -> Judgement:
    """Return the judgement of one expectation, under the settings of a plan and a control's change of them.

    The evidence is looked at after each of `plan.looks` seeds, in the order of the
    seeds' indices, and the first look that decides is the last. Seeds with an index
    below zero are of earlier replications (see `series`): every look has them all.
    Looks that did not decide by the same seeds `before` are not computed again.
    """
    if isinstance(expectation.contrast, Exact):
        found = contrasts.instances(expectation.contrast, claim, evidence, settings, change_of)
        return _judge_exact(*found, expectation.band, plan)
    per_seed = contrasts.evaluate(expectation.contrast, claim, evidence, settings, change_of)
    if per_seed.problems:
        return Judgement(INVALID, _first_of(per_seed.problems))
    if not per_seed.values:
        return Judgement(NOT_RUN, "no seed has all the trials that this contrast needs")
    # Groups of rows are of different sizes, and whole at once.
    plan = plan if claim.paired else SeedPlan(first=len(per_seed.values), cap=len(per_seed.values))
    return _judge_sample(per_seed, expectation, plan, before)


def _judge_sample(per_seed: PerSeed, expectation: Expectation, plan: SeedPlan, before: Judgement | None) -> Judgement:
    order = sorted(per_seed.values)
    earlier = sum(seed < 0 for seed in order)
    reached = [earlier + n for n in plan.looks if earlier + n <= len(order)] or [len(order)]
    looks: list[Look] = []
    if before and before.verdict == INCONCLUSIVE and before.earlier == earlier:
        looks = [look for look in before.looks if look.n < reached[-1]]
    for n in reached[len(looks) :]:
        found, floor = interval_of(per_seed, order[:n], expectation.alpha)
        low, high = on_scale(per_seed, found.low), on_scale(per_seed, found.high)
        looks.append(Look(n, low, high))
        tie = per_seed.chance_of_tie(order[:n])
        verdict = judge_interval(found, per_seed.sequence, expectation, low, high, floor, tie)
        if n - earlier < plan.first:
            verdict = NOT_RUN
        if verdict != INCONCLUSIVE:
            break
    return Judgement(
        verdict,
        _reason(verdict, low, high, n - earlier, earlier, expectation.band, plan)
        if tie == 1 or verdict == NOT_RUN
        else _tied(per_seed.steps_away(order), n),
        n,
        on_scale(per_seed, found.estimate),
        low,
        high,
        found.sd,
        {seed: on_scale(per_seed, per_seed.values[seed]) for seed in order[:n]},
        tuple(looks),
        earlier,
        _p(verdict, per_seed, order[:n], expectation.band),
        floor,
        normality.shape(per_seed, order[:n]),
    )


def _p(verdict: str, per_seed: PerSeed, seeds: Sequence[int], band: Band) -> float:
    """Return the smallest error rate at which the interval would still lie where `verdict` says."""
    if verdict not in (VERIFIED, REFUTED):
        return math.nan
    # What is decided has a spread, or a floor under it. Of two edges the nearer counts, inside the band and outside alike.
    values, floor = student.numbers([per_seed.values[seed] for seed in seeds]), per_seed.sd_floor(seeds)
    edges = passable(band, per_seed)
    return max((per_seed.sequence.p(values, edge, floor, upper=upper) for edge, upper in edges), default=0.0)


def judge_interval(
    found: student.Interval,
    sequence: ConfidenceSequence,
    expectation: Expectation,
    low: float,
    high: float,
    floor: float,
    tie: float,
) -> Verdict:
    """Return the verdict of one look.

    Args:
        found: its interval.
        sequence: what the seeds are asked.
        expectation: the band and the error rate.
        low: lower end of the interval, on the scale of the band.
        high: upper end.
        floor: what the spread was not taken below.
        tie: how likely it is at most that seeds with data of their own agree as these do, 1 where they do not.
    """
    if found.n < sequence.fewest(expectation.alpha):
        # The interval is then the metric's bounds: what is possible, not what was found.
        return INCONCLUSIVE
    if floor == 0 and sequence.spread and sequence.constant(found):
        return INVALID
    if tie < 1:
        return INVALID if tie <= ties.TOO_UNLIKELY else INCONCLUSIVE
    return compare_with_band(expectation.band, low, high)


def compare_with_band(band: Band, low: float, high: float) -> Verdict:
    """Return VERIFIED, REFUTED or INCONCLUSIVE for the interval [low, high] held against a band."""
    if math.isnan(low) or math.isnan(high):
        return INVALID
    if band.low <= low and high <= band.high:
        # Without any end an interval lies in no band; with one it may lie in a half-line that shares its infinity.
        return VERIFIED if math.isfinite(low) or math.isfinite(high) else INCONCLUSIVE
    if high < band.low or low > band.high:
        return REFUTED
    return INCONCLUSIVE


def _reason(verdict: str, low: float, high: float, n: int, earlier: int, band: Band, plan: SeedPlan) -> str:
    span = f"[{low:.4g}, {high:.4g}]"
    if verdict == VERIFIED:
        return f"the interval {span} lies inside the band ({band})"
    if verdict == REFUTED:
        return f"the interval {span} lies wholly outside the band ({band})"
    if verdict == INVALID:
        return (
            "the contrast is the same for every seed and the metric declares no resolution; declare it, or use `exact`"
        )
    if verdict == NOT_RUN:
        return f"{n} of the {plan.first} seeds that the first look needs"
    cap = "the cap is reached" if n >= plan.cap else f"{plan.cap - n} more seeds are allowed"
    seeds = f"{n + earlier} seeds, {earlier} of them of earlier replications" if earlier else f"{n} seeds"
    return f"the interval {span} reaches over an edge of the band ({band}) after {seeds}; {cap}"


def _tied(steps: float, n: int) -> str:
    """Return what is said where everything is the same in every seed."""
    far = "" if math.isinf(steps) else f", {steps:.3g} steps of the resolution from a bound or zero"
    return (
        f"all {n} seeds gave the same values{far}: did they draw the same data? measure() must draw from its seeds; "
        "what draws nothing is `exact`"
    )


def _judge_exact(
    found: Sequence[tuple[Point, int, float]], problems: Sequence[str], band: Band, plan: SeedPlan
) -> Judgement:
    """Judge mathematics: it holds if it holds in every instance, and one instance refutes it."""
    if problems:
        return Judgement(INVALID, _first_of(problems))
    if not found:
        return Judgement(NOT_RUN, "no instance was measured")
    worst: dict[int, float] = {}
    for _, seed, value in found:
        worst[seed] = max(worst.get(seed, value), value, key=lambda v: _outside(band, v))
    outside = [item for item in found if _outside(band, item[2]) > 0]
    values = [value for _, _, value in found]
    earlier = sum(seed < 0 for seed in worst)
    summary = (len(worst), sum(values) / len(values), min(values), max(values), math.nan, worst, (), earlier)
    if outside:
        point, seed, value = max(outside, key=lambda item: _outside(band, item[2]))
        example = f"such as {value:.4g} at {points.shown(point)}, seed {seed}"
        reason = f"{len(outside)} of {len(found)} instances lie outside the band ({band}), {example}"
        return Judgement(REFUTED, reason, *summary)
    if len(worst) - earlier < plan.first:
        # Not INCONCLUSIVE: a control that was cut off would then seem to behave.
        return Judgement(
            NOT_RUN, f"{len(worst) - earlier} of {plan.first} seeds measured, all inside the band so far", *summary
        )
    return Judgement(VERIFIED, f"all {len(found)} instances lie inside the band ({band})", *summary)


def _outside(band: Band, value: float) -> float:
    """Return how far a value lies outside a band; negative inside."""
    return max(band.low - value, value - band.high)


def _first_of(problems: Sequence[str]) -> str:
    more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
    return f"{problems[0]}{more}"


def combine(verdicts: Iterable[Verdict]) -> Verdict:
    """Return the verdict of a reading from those of its expectations.

    REFUTED if any is, else INVALID, NOT_RUN or INCONCLUSIVE if any is, else VERIFIED;
    nothing to combine verifies nothing.
    """
    found = set(verdicts)
    for verdict in (REFUTED, INVALID, NOT_RUN, INCONCLUSIVE, VERIFIED):
        if verdict in found:
            return verdict
    return NOT_RUN
