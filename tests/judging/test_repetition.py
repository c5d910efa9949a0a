"""Replications that say again what another said, and replications that merely look alike."""

from __future__ import annotations

import itertools
from collections import Counter
from fractions import Fraction

import numpy as np
import pytest

from harness.judging import repetition
from harness.judging.repetition import chance, chance_in_order, repeats
from tests.tiny_project import write_claim

HEAD = "import numpy as np\n\n\ndef measure(arm, seeds, *, centre, spread):\n"

ROWS = (
    HEAD
    + """
    rows = np.random.default_rng(7).normal(0.06, 0.05, size=(99, 2))
    column = int(centre > 0)
    return {"level": centre + np.array([rows[ROW, column] for seed in seeds]) - 0.06}
"""
)
"""A table that lies there already, as it would in a file."""


def replication(*rows):
    return {index: {("level",): row} for index, row in enumerate(rows)}


@pytest.mark.parametrize(("m", "n"), [(2, 2), (2, 3), (3, 3), (3, 4)])
@pytest.mark.parametrize("values", [2, 3, 9])
def test_chances_are_those_of_all_orders(m, n, values):
    """Against every order of the pooled numbers, one by one."""
    rng = np.random.default_rng([m, n, values])
    earlier = rng.integers(values, size=n).tolist()
    for later in (earlier[:m], rng.permutation(earlier)[:m].tolist()):
        orders = list(itertools.permutations(range(m + n)))
        pooled = later + earlier
        splits = [([pooled[i] for i in o[:m]], [pooled[i] for i in o[m:]]) for o in orders]
        in_order = sum(a == b[:m] for a, b in splits)
        within = sum(set(a) <= set(b) for a, b in splits)
        assert chance_in_order(later, earlier) == pytest.approx(float(Fraction(in_order, len(orders))))
        assert chance(later, earlier) == pytest.approx(float(Fraction(within, len(orders))))


def test_six_distinct_seeds_in_order_are_a_repetition_and_three_are_not_yet():
    assert chance_in_order(range(6), range(6)) == pytest.approx(1 / 10395)
    numbers = np.random.default_rng(0).normal(size=12).tolist()
    assert repeats(replication(*numbers[:6]), replication(*numbers[:6]))
    assert repeats(replication(*numbers[:4]), replication(*numbers))
    assert not repeats(replication(*numbers[:3]), replication(*numbers[:3]))
    assert not repeats(replication(*numbers[:6]), replication(*numbers[6:]))
    assert not repeats(replication(*numbers[:5], 0.0), replication(*numbers[:6]))


def test_a_shuffled_night_is_a_repetition_if_it_is_long_enough():
    numbers = np.random.default_rng(0).normal(size=24).tolist()
    assert repeats(replication(*numbers[::-1]), replication(*numbers))
    assert not repeats(replication(*numbers[5::-1]), replication(*numbers[:6]))


def test_what_agrees_by_chance_proves_nothing():
    assert not repeats(replication(*[1.0] * 12), replication(*[1.0] * 12))
    assert not repeats(replication(*[0.0] * 11, 1.0), replication(*[0.0] * 11, 1.0))
    assert not repeats(replication(), replication(1.0))
    assert not repeats({0: {"a": 1.0}}, {0: {"b": 1.0}})


@pytest.mark.parametrize("values", [1, 2, 3, 5, 20])
def test_independent_nights_are_kept(values):
    """Coarse numbers, with every chance to agree: dropped no more often than promised."""
    rng = np.random.default_rng(values)
    replications = rng.integers(values, size=(4000, 2, 6)).astype(float)

    dropped = Counter(repeats(replication(*a), replication(*b)) for a, b in replications.tolist())[True]

    assert dropped <= 4000 * repetition.CHANCE * 2


def expectation(record):
    return record.readings["as_documented"].expectations["warm_exceeds_cold"]


def replications_of(run, folder, count=3):
    return [run(folder, run_id=f"{base}", base_seed=base, accumulate=True) for base in range(count)]


def test_rows_of_a_file_count_once_whatever_base_seed_asks_for_them(tmp_path, run):
    folder = write_claim(tmp_path, gap=0.53, experiment=ROWS.replace("ROW", "seed.index"))
    first, *_, last = replications_of(run, folder)

    assert expectation(last).n == expectation(first).n == 12
    assert (expectation(last).low, expectation(last).verdict) == (expectation(first).low, "INCONCLUSIVE")
    assert last.series.replications == 1
    assert last.series.earlier_trials == 0
    assert last.series.repeated == [
        f"base seed {one}: its numbers are those of base seed {other} again: the same evidence, which counts once"
        for one, other in ((1, 2), (0, 1))
    ]


def test_rows_that_each_base_seed_draws_anew_all_count(tmp_path, run):
    folder = write_claim(tmp_path, gap=0.53, experiment=ROWS.replace("ROW", "12 * seed.base + seed.index"))

    *_, last = replications_of(run, folder)

    assert last.series.replications == 3
    assert last.series.repeated == []
    assert expectation(last).earlier == 24


def test_external_evidence_is_the_same_trial_under_every_base_seed(tmp_path, run):
    replace = {"arms:\n": "evidence: external\narms:\n"}
    folder = write_claim(tmp_path, gap=0.53, experiment=ROWS.replace("ROW", "seed.index"), replace=replace)
    first, second, _ = replications_of(run, folder)

    assert first.trials.measured > 0
    assert second.trials.measured == 0
    assert expectation(second).values == expectation(first).values
    assert second.series is None
