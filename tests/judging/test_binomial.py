"""Robbins' mixture: against its definition at fifty digits, and by carrying the chances of every count."""

from __future__ import annotations

import math

import numpy as np
import pytest
from mpmath import mp, mpf
from scipy import integrate
from scipy import stats as scipy_stats

from harness.judging import binomial
from tests.calibration.counts import MOST, decided


def oracle(k, n, p):
    """Return log M_n at 50 digits, from gamma functions."""
    with mp.workdps(50):
        c = mpf(binomial.PRIOR)
        mixed = mp.beta(c + k, c + n - k) / mp.beta(c, c)
        return float(mp.log(mixed) - k * mp.log(mpf(p)) - (n - k) * mp.log(1 - mpf(p)))


@pytest.mark.parametrize("p", [0.5, 0.9, 1e-6])
@pytest.mark.parametrize("n", [1, 2, 13, 32, 1000])
def test_the_evidence_is_that_of_an_independent_computation_at_fifty_digits(n, p):
    found = binomial.log_evidence(n, p)
    assert found.shape == (n + 1,)
    for k in {0, 1, n // 3, n - 1, n}:
        assert found[k] == pytest.approx(oracle(k, n, p), rel=1e-11, abs=1e-11)


def test_the_mixture_is_one_of_rates_drawn_from_the_beta_law():
    law = scipy_stats.beta(binomial.PRIOR, binomial.PRIOR)
    # The law's density is infinite at both ends: over its own quantiles the integral is a plain one.
    mixed, _ = integrate.quad(lambda share: law.ppf(share) ** 5 * (1 - law.ppf(share)) ** 3, 0, 1, limit=200)
    assert math.exp(binomial.log_mixture(8)[5]) == pytest.approx(mixed, rel=1e-6)


def test_before_the_first_seed_nothing_speaks_against_any_rate():
    assert binomial.log_evidence(0, 0.3).tolist() == [0.0]


@pytest.mark.parametrize("p", [0.2, 0.5, 0.97])
def test_under_the_rate_itself_the_evidence_is_a_martingale(p):
    for n in range(20):
        now, after = np.exp(binomial.log_evidence(n, p)), np.exp(binomial.log_evidence(n + 1, p))
        assert p * after[1:] + (1 - p) * after[:-1] == pytest.approx(now, rel=1e-12)


def test_what_is_kept_cannot_be_written_to():
    with pytest.raises(ValueError, match="read-only"):
        binomial.log_mixture(3)[0] = 1.0


@pytest.mark.parametrize("alpha", [0.001, 0.05])
@pytest.mark.parametrize(("n", "p"), [(12, 0.5), (24, 0.5), (40, 0.9), (7, 0.1)])
def test_tails_are_the_counts_that_speak_against_a_rate_from_either_end(n, p, alpha):
    against = [count for count in range(n + 1) if oracle(count, n, p) >= -math.log(alpha)]
    few, many = binomial.tails(n, p, alpha)
    assert [*range(few), *range(n + 1 - many, n + 1)] == against


def test_for_a_fair_coin_twelve_alike_are_the_fewest_that_speak_at_the_usual_error_rate():
    assert [binomial.tails(n, 0.5, 0.001) for n in (11, 12, 13, 16)] == [(0, 0), (1, 1), (1, 1), (1, 1)]


@pytest.mark.parametrize("alpha_looks", [range(6, 25, 2), range(1, MOST + 1)])
@pytest.mark.parametrize("p", [0.02, 0.3, 0.5, 0.7, 0.9, 0.98])
def test_whatever_the_rate_and_the_looks_a_false_verdict_is_rarer_than_alpha(p, alpha_looks):
    # Exactly: the chances of all counts, carried from look to look.
    assert 0 < decided(p, p, alpha_looks).sum() <= 0.001
