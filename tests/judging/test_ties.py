"""Seeds that gave the same values: when that is a coincidence, and when they drew the same data."""

from __future__ import annotations

import math

import numpy as np
import pytest

from harness.judging import student, ties
from harness.judging.confidence_sequence import STUDENT
from harness.judging.verdict import INCONCLUSIVE, INVALID, REFUTED, VERIFIED, judge, judge_interval
from harness.specification.models import SeedPlan
from tests.specimen import claim, claim_with, evidence_of, point

NET = {"arm": "net", "width": 4, "scene": "plain"}
SVM = {**NET, "arm": "svm"}
PLAN = SeedPlan(first=6, step=2, cap=24)
FRACTION = {"unit": "fraction", "better": "lower", "bounds": [0, 1]}


def binomial(count, of):
    """Return the probability of `count` events where so many are expected, exactly."""
    rate = count / of
    return math.comb(of, count) * rate**count * (1 - rate) ** (of - count)


@pytest.mark.parametrize("of", [2, 3, 5, 10, 100, 999])
def test_no_count_of_events_is_likelier_than_the_bound_says(of):
    for count in range(1, of // 2 + 1):
        exact = binomial(count, of)
        assert exact <= ties.likeliest(count) <= 1.6 * exact


def test_where_nothing_is_left_to_count_every_tie_is_fair():
    assert ties.likeliest(0) == 1
    assert ties.likeliest(math.inf) == 0
    assert ties.likeliest(1e-12) == 1


@pytest.mark.parametrize(
    ("value", "bounds", "resolution", "count"),
    [
        (0.0, (0, 1), 0.01, 0),
        (1.0, (0, 1), 0.01, 0),
        (0.03, (0, 1), 0.01, 3),
        (0.97, (0, 1), 0.01, 3),
        (0.97, (0, None), 0.01, 97),
        (-0.02, (-1, 1), 0.01, 2),
        (0.0, (-1, 1), 0.01, 0),
        (0.4, (None, None), 0.1, 4),
        (0.4, (None, None), None, math.inf),
        (1.0, (0, 1), None, 0),
        (0.0, (0, 1), None, 0),
        (-1.0, (-1, 1), None, 0),
        (1e6 * (1 + 1e-15), (0, 1e6), None, 0),
        (1.0 - 1e-16, (0, 1), None, 0),
    ],
)
def test_steps_are_counted_from_the_nearest_bound_or_zero(value, bounds, resolution, count):
    assert ties.steps(value, bounds, resolution) == pytest.approx(count)


def test_a_tie_grows_less_likely_with_every_seed_and_only_a_tie_does():
    same = [[0.02, 0.5]] * 6
    assert ties.chance(same, 2) == pytest.approx(ties.likeliest(2) ** 5)
    assert ties.chance(same[:1], 2) == 1
    assert ties.chance([*same, [0.02, 0.500001]], 2) == 1
    assert ties.chance([*same, [0.02]], 2) == 1
    assert ties.chance([*same, [0.02, 0.5 * (1 + 1e-15)]], 2) < ties.chance(same, 2)


@pytest.mark.parametrize(
    ("values", "tie"),
    [((1e6, 1e6 * (1 + 1e-15)), True), ((1e-20, 2e-20), False), ((0.0, 1e-15), False), ((-1e6, -1e6), True)],
)
def test_values_are_the_same_up_to_rounding_whatever_their_size(values, tie):
    assert (ties.chance([[value] for value in values], 2) < 1) == tie


def judged(values, metrics=None, form=None, contrast=None, others=None, plan=PLAN, settings=None):
    spec = claim_with(contrast or {"mean": "error", "at": NET}, form or {"at_most": 0.9}, **(metrics or {}))
    evidence = evidence_of({point(): values, point("svm"): values[::-1]}, "error")
    for trials in evidence.values():
        for seed, trial in trials.items():
            trial.update({name: own[seed] for name, own in (others or {}).items()})
    return judge(spec.expectations["e"], spec, evidence, settings or {"n_test": 100}, plan)


@pytest.mark.parametrize(
    ("errors", "found"),
    [
        # One error in a hundred, six times: that happens. More seeds will tell.
        (1, INCONCLUSIVE), (2, INCONCLUSIVE), (4, INCONCLUSIVE), (5, INVALID), (12, INVALID), (50, INVALID), (88, INVALID), (99, INCONCLUSIVE), (0, VERIFIED),
    ],
)  # fmt: skip
def test_six_equal_counts_are_undecided_while_they_may_be_chance(errors, found):
    judgement = judged([errors / 100] * 6, form={"at_most": 0.99} if errors < 90 else {"at_most": 0.999})
    assert (judgement.verdict, judgement.n) == (found, 6)


@pytest.mark.parametrize(("errors", "n"), [(1, 12), (2, 10), (3, 8)])
def test_equal_counts_of_more_seeds_are_none_of_chance(errors, n):
    last = judged([errors / 100] * 24)
    assert (last.verdict, last.n) == (INVALID, 24 if n > 24 else last.n)
    chances = {k: ties.likeliest(errors) ** (k - 1) for k in PLAN.looks}
    assert last.n == min(k for k, chance in chances.items() if chance <= ties.TOO_UNLIKELY)
    assert judged([errors / 100] * (last.n - 2)).verdict == INCONCLUSIVE


@pytest.mark.parametrize(
    ("tie", "found"),
    [
        (ties.TOO_UNLIKELY, INVALID),
        (math.nextafter(ties.TOO_UNLIKELY, 1), INCONCLUSIVE),
        (0.0, INVALID),
        (1.0, VERIFIED),
    ],
)
def test_a_tie_is_chance_until_it_happens_no_more_than_once_in_a_thousand(tie, found):
    expectation = claim_with({"mean": "error", "at": NET}, {"at_most": 0.9}).expectations["e"]
    interval = student.interval([0.1, 0.12, 0.11, 0.1, 0.12, 0.11], expectation.alpha)
    assert judge_interval(interval, STUDENT, expectation, interval.low, interval.high, 0.0, tie) == found


def test_a_tie_says_so_and_what_to_do():
    assert judged([0.02] * 6).reason == (
        "all 6 seeds gave the same values, 2 steps of the resolution from a bound or zero: did they draw the same data? "
        "measure() must draw from its seeds; what draws nothing is `exact`"
    )


def test_one_other_value_ends_the_tie():
    assert judged([0.12] * 5 + [0.13]).verdict == VERIFIED


def test_another_metric_shows_that_the_seeds_differ():
    losses = {"loss": [0.1, 0.2, 0.3, 0.4, 0.5, 0.6]}
    assert judged([0.12] * 6, others=losses).verdict == VERIFIED
    assert judged([0.12] * 6, others={"loss": [0.7] * 6}).verdict == INVALID


def test_durations_show_nothing_of_what_was_drawn():
    metrics = {"metrics": {"error": {**FRACTION, "resolution": 0.01}, "time": {"unit": "second", "better": "lower"}}}
    assert judged([0.12] * 6, metrics, others={"time": [0.1, 0.2, 0.3, 0.4, 0.5, 0.6]}).verdict == INVALID


def test_differences_of_zero_are_no_tie_where_their_parts_differ():
    values = [0.10, 0.12, 0.14, 0.14, 0.12, 0.10]
    contrast = {"difference": "error", "of": SVM, "minus": NET}
    assert set(judged(values, contrast=contrast).values.values()) == {0.0}
    assert judged(values, contrast=contrast).verdict == VERIFIED
    assert judged([0.12] * 6, contrast=contrast).verdict == INVALID


def test_a_part_on_its_bound_says_nothing_and_the_other_all():
    spec = claim_with({"difference": "error", "of": SVM, "minus": NET}, {"at_most": 0.9})
    evidence = evidence_of({point(): [0.0] * 6, point("svm"): [0.3] * 6}, "error")
    assert judge(spec.expectations["e"], spec, evidence, {"n_test": 100}, PLAN).verdict == INVALID


def test_what_is_constant_beside_what_varies_is_no_tie():
    spec = claim_with({"difference": "error", "of": SVM, "minus": NET}, {"at_most": 0.9})
    evidence = evidence_of({point("svm"): [0.5] * 6, point(): [0.10, 0.12, 0.11, 0.10, 0.12, 0.11]}, "error")
    assert judge(spec.expectations["e"], spec, evidence, {"n_test": 100}, PLAN).verdict == VERIFIED


def test_a_row_does_not_depend_on_the_order_of_the_metrics():
    assert (
        ties.row([{"b": 1.0, "a": 2.0, "t": 3.0}], {"t"})
        == ties.row([{"t": 4.0, "a": 2.0, "b": 1.0}], {"t"})
        == [2.0, 1.0]
    )


@pytest.mark.parametrize("bound", [0.0, 1.0])
def test_what_lies_on_its_bound_in_every_seed_is_judged(bound):
    assert judged([bound] * 6, form={"at_most": 0.5}).verdict == (VERIFIED if bound == 0 else REFUTED)


def test_trends_that_agree_are_no_tie_where_the_curves_differ():
    def trend(curves):
        spec = claim_with(
            {"rank_trend": "loss", "over": "width", "at": {"arm": "net", "scene": "plain"}}, {"at_most": 0}
        )
        rows = {point(width=width): [curve[i] for curve in curves] for i, width in enumerate((1, 2, 4))}
        return judge(spec.expectations["e"], spec, evidence_of(rows, "loss"), {"n_test": 100}, PLAN).verdict

    falling = [(3.0 + seed, 2.0, 1.0 - seed) for seed in range(6)]
    assert trend(falling) == VERIFIED
    assert trend([falling[0]] * 6) == INVALID


def test_earlier_nights_count_as_seeds():
    spec = claim_with({"mean": "error", "at": NET}, {"at_most": 0.9})
    evidence = {point(): {seed: {"error": 0.02} for seed in range(-6, 6)}}
    assert judge(spec.expectations["e"], spec, evidence, {"n_test": 100}, PLAN).verdict == INVALID


def ends(generator, runs, rate, of, looks=PLAN.looks):
    """Return the share of runs of honest seeds, each a count of errors among `of` test examples, that are called invalid."""
    spec = claim(
        metrics={"error": {**FRACTION, "resolution": 1 / of}},
        readings={"r": {"expectations": {"e": {"contrast": {"mean": "error", "at": NET}, "band": {"at_most": 0.99}, "because": "any"}}}},
        controls={},
        timings={},
    )  # fmt: skip
    counts = generator.binomial(of, rate, (runs, looks[-1]))
    # Judging is slow, and only what begins with a tie can end as one.
    tied = counts[(counts[:, : looks[0]] == counts[:, :1]).all(axis=1)]
    found = [judge(spec.expectations["e"], spec, evidence_of({point(): (row / of).tolist()}), {}, PLAN) for row in tied]
    return sum(one.verdict == INVALID for one in found) / runs


@pytest.mark.parametrize(
    ("rate", "of"), [(0.005, 100), (0.01, 100), (0.02, 100), (0.05, 100), (0.5, 100), (0.1, 10), (0.5, 10), (0.002, 1000), (0.5, 2), (0.3, 4)]
)  # fmt: skip
def test_honest_coarse_metrics_are_called_invalid_less_than_once_in_a_thousand(rate, of):
    assert ends(np.random.default_rng(17), 50_000, rate, of) < 0.001
