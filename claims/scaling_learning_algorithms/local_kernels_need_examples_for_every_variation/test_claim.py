"""Checks of the instrument: targets by hand, the error of the nearest neighbour in closed form, the search on known curves."""

from __future__ import annotations

import numpy as np
import pytest

from harness.claim_tests import test_control, test_reading
from harness.seeds import seeds_of

SETTINGS = {"accuracy": 0.95, "redraws": 4, "width": 0.5, "cost": 1000.0}


def test_instrument_fields_have_the_colours_of_a_checkerboard(claim):
    line, square = np.array([[0.1], [0.3], [0.6], [0.9]]), np.array([[0.1, 0.1], [0.4, 0.1], [0.4, 0.4], [0.9, 0.4]])

    assert claim.experiment.colours(line, 4).tolist() == [False, True, False, True]
    assert claim.experiment.colours(square, 3).tolist() == [False, True, False, True]


@pytest.mark.parametrize(
    ("target", "fields"),
    [("stripes", 4), ("stripes", 32), ("checkerboard", 2), ("checkerboard", 4), ("checkerboard", 6)],
)
def test_instrument_the_test_grid_shows_all_fields_alike(claim, target, fields):
    """So that a constant guess is right on half of it."""
    axes = [(np.arange(side) + 0.5) / side for side in claim.experiment.SIDES[target]]
    test = np.stack(np.meshgrid(*axes), axis=-1).reshape(-1, len(axes))
    share = claim.experiment.colours(test, fields).mean()

    assert share == 0.5


def test_instrument_a_learner_that_knows_the_period_sees_it_and_nothing_else(claim):
    """Places two fields apart look alike; places less than a field apart are about as far apart as before (chord and arc)."""
    places = np.array([[0.1], [0.1 + 2 / 8], [0.1 + 0.25 / 8]])
    seen = claim.experiment.inputs(places, 8, period_known=True)

    np.testing.assert_allclose(seen[1], seen[0], atol=1e-12)
    assert np.linalg.norm(seen[2] - seen[0]) == pytest.approx(0.25, rel=0.03)
    np.testing.assert_allclose(claim.experiment.inputs(places, 8, period_known=False), 8 * places)


def test_instrument_a_gaussian_of_places_on_the_circle_is_the_periodic_kernel(claim):
    """exp(-2 sin^2(pi t / 2) / (pi w)^2) of a distance of t fields, written out."""
    places = np.linspace(0, 1, 7)[:, None]
    seen = claim.experiment.inputs(places, 8, period_known=True)
    squared = ((seen[:, None] - seen) ** 2).sum(axis=2)
    apart = 8 * (places - places.T)

    np.testing.assert_allclose(squared / 2, 2 * np.sin(np.pi * apart / 2) ** 2 / np.pi**2, atol=1e-12)


def test_instrument_nearest_neighbour_is_wrong_where_it_is_nearer_to_the_other_side(claim):
    """Between the last example before an edge and the first after it, the halfway point decides: lengths by hand."""
    places = np.array([[0.1], [0.44], [0.52], [0.9]])
    predict = claim.experiment.nearest_neighbour(places, claim.experiment.colours(places, 2))
    new = (np.arange(10_000)[:, None] + 0.5) / 10_000

    assert (predict(new) != (new[:, 0] > 0.5)).mean() == pytest.approx(0.5 - 0.48, abs=1e-3)


def test_instrument_nearest_neighbour_takes_ten_examples_an_edge(claim):
    """Of k - 1 edges each is misplaced by 1/(2n) on average: n = 10 (k - 1) for an error of 0.05, over 40 seeds.

    Four redraws of a sum over 15 edges scatter by a tenth; that the first size counts that passes makes it some per cent less.
    """
    needed = claim.experiment.measure(
        "nearest_neighbour",
        seeds_of("instrument", 0, range(40)),
        variations=16,
        target="stripes",
        learner="nearest_neighbour",
        period_known=False,
        **SETTINGS,
    )["examples_needed"]

    assert needed.mean() == pytest.approx(150, rel=1 / 6)


def test_instrument_gaussian_machine_of_one_colour_says_that_colour(claim):
    places = np.array([[0.1], [0.2]])
    predict = claim.experiment.gaussian_machine(places, np.array([True, True]), 0.5, 10.0)

    assert predict(np.zeros((3, 1))).tolist() == [True] * 3


def test_instrument_search_finds_where_a_known_curve_passes(claim):
    """1 - 3/n passes 0.95 at 60, and is no straight line over the logarithm, between 32 and 64; a line is found as it is."""
    assert claim.experiment.passing_size(lambda size: 1 - 3 / size, 0.95) == pytest.approx(60, rel=0.05)
    line = claim.experiment.passing_size(lambda size: 0.5 + 0.1 * np.log(size / 4), 0.75)
    assert line == pytest.approx(4 * np.exp(2.5))


def test_instrument_search_that_finds_nothing_is_refused(claim):
    for always in (0.99, 0.5):
        with pytest.raises(ArithmeticError, match="not passed between 2 and 4096"):
            claim.experiment.passing_size(lambda _, always=always: always, 0.95)
