"""Caps that leave no room for a verdict: bands that no seeds a profile allows could lie inside of, or outside of."""

from __future__ import annotations

from bisect import bisect_left
from operator import mul
from typing import TYPE_CHECKING, Any

from harness.judging import contrasts, points, ranges, student
from harness.judging.confidence_sequence import Student
from harness.specification.kinds import Exact, RankTrend
from harness.specification.models import MOST_SEEDS
from harness.specification.profiles import NO_VERDICT_PROFILE

if TYPE_CHECKING:
    from collections.abc import Iterable

    from harness.judging.confidence_sequence import ConfidenceSequence
    from harness.specification.kinds import Contrast
    from harness.specification.models import Claim, Profile
    from harness.specification.readings import Band, Expectation
    from harness.specification.yaml12 import Location

Problem = tuple["Location", str]


def located(claim: Claim) -> Iterable[tuple[Location, Expectation]]:
    """Return every expectation with where it stands."""
    for reading, body in claim.readings.items():
        for name, expectation in body.expectations.items():
            yield ("readings", reading, "expectations", name), expectation


def settings_of(claim: Claim, profile: Profile) -> dict[str, Any]:
    """Return what every trial of a profile shares: the claim's settings, then the profile's."""
    return {**claim.settings, **profile.settings}


def problems_of(claim: Claim) -> Iterable[Problem]:
    """Check that some profile gives verdicts, and that each that does has room for one under its cap."""
    judging = {name: profile for name, profile in claim.profiles.items() if name != NO_VERDICT_PROFILE}
    if not judging:
        yield ("profiles",), f"only {NO_VERDICT_PROFILE!r}, which gives no verdict; add one that does, such as `quick`"
    alphas = [e.alpha for _, e, sequence in _sampled(claim) if isinstance(sequence, Student)]
    for name, profile in judging.items():
        if any(profile.seeds.cap < student.smallest_n(alpha) for alpha in alphas):
            where: Location = ("profiles", name, "seeds")
            needed = student.smallest_n(min(alphas))
            message = (
                f"cap {profile.seeds.cap} can never decide at alpha {min(alphas):g}; at least {needed} seeds are needed"
            )
            yield where, message
        else:
            yield from _too_few(claim, name, profile)
            yield from _too_coarse(claim, name, profile)


def _sampled(claim: Claim) -> Iterable[tuple[Location, Expectation, ConfidenceSequence]]:
    """Return the expectations that are a sample over seeds, each with what becomes of it."""
    for where, expectation in located(claim):
        if not isinstance(expectation.contrast, Exact):
            yield where, expectation, ranges.sequence_of(expectation.contrast, claim)


def _too_few(claim: Claim, profile_name: str, profile: Profile) -> Iterable[Problem]:
    """Find bands that not even the clearest seeds could lie inside of, or outside of, at the cap: of rates and quantiles."""
    for where, expectation, sequence in _sampled(claim):
        band, bounds = expectation.band, ranges.reachable(expectation.contrast, claim)
        asked = expectation.alpha, (band.low, band.high), bounds
        met, missed = sequence.can_end(profile.seeds.cap, *asked)
        if not (met and missed):
            needed = seeds_needed(sequence, *asked)
            remedy = f"raise the cap to {needed} or more, or move" if needed else "no number of seeds is; move"
            message = (
                f"{band} can never be seen to be {'missed' if met else 'met'}: at alpha {expectation.alpha:g} not even "
                f"{profile.seeds.cap} seeds that all speak for it are enough (profile {profile_name!r}); {remedy} the band"
            )
            yield (*where, "band"), message


def seeds_needed(
    sequence: ConfidenceSequence, alpha: float, band: student.Bounds, bounds: student.Bounds
) -> int | None:
    """Return the fewest seeds that are enough, to a seed or so, None if no profile may have so many."""

    def enough(n: int) -> bool:
        return all(sequence.can_end(n, alpha, band, bounds))

    return bisect_left(range(MOST_SEEDS), 1, key=enough) if enough(MOST_SEEDS) else None


def _too_coarse(claim: Claim, profile_name: str, profile: Profile) -> Iterable[Problem]:
    """Find bands that not even the narrowest interval at the cap can be inside of, or outside of.

    Ratios and log-log slopes are left out: their rounding error depends on what is measured.
    """
    for where, expectation, sequence in _sampled(claim):
        floor = _floor(expectation.contrast, claim, settings_of(claim, profile))
        if floor is None or not isinstance(sequence, Student):
            continue
        reach = floor * student.half_width(profile.seeds.cap, expectation.alpha)
        inside, outside = _room(expectation.band, *ranges.reachable(expectation.contrast, claim))
        room, verb = min((inside, "met"), (outside, "missed"))
        if reach > room:
            message = (
                f"{expectation.band} can never be seen to be {verb}: with this resolution and {profile.seeds.cap} seeds "
                f"(profile {profile_name!r}) the interval reaches {reach:.3g} or more from its middle, and there is "
                f"room for {room:.3g}; raise the cap, or count more examples in a trial (a metric of zeros and ones: `rate`)"
            )
            yield (*where, "band"), message


def _floor(contrast: Contrast, claim: Claim, settings: dict[str, Any]) -> float | None:
    """Return the smallest standard deviation that is believed, None if that is not known in advance."""
    if isinstance(contrast, RankTrend):
        return student.resolution_floor(ranges.tau_step(len(points.sweep_values(contrast, claim))))
    if isinstance(contrast, ranges.Logarithmic):
        return None
    metric, cells = claim.metrics[points.metric_of(contrast)], points.whole_cells(contrast, claim)
    steps = contrasts.steps_of(cells, claim, lambda point: contrasts.step_at(metric, point, claim, settings))
    weights = ranges.weights_of(contrast, claim)
    return None if steps is None else student.resolution_floor(1.0, map(mul, weights, steps))


def _room(band: Band, low: float, high: float) -> tuple[float, float]:
    """Return how far an interval may reach from its middle inside a band, and outside it, within [low, high].

    An interval is clipped to what the contrast can be, so at a bound it needs room on one side only.
    """
    if band.low <= low:
        inside = band.high - low
    elif band.high >= high:
        inside = high - band.low
    else:
        inside = (band.high - band.low) / 2
    return inside, max(band.low - low, high - band.high)
