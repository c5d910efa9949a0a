"""Verdicts, controls; checks of the instrument: tangents by a formula, ranks and components by others, what stays in the image."""

from __future__ import annotations

import numpy as np
import pytest

from harness.claim_tests import test_control, test_reading
from harness.seeds import seeds_of

SEEDS = seeds_of("instrument", 0, range(4))
RANGES = {"rotation": 20.0, "shear": 0.25, "scale": 1.25, "shift": 3.0}


def upright():
    import torch

    from fixtures.poses import pose

    return pose(*torch.zeros(6, 1, dtype=torch.float64))


def test_instrument_tangents_are_those_of_the_formula(claim):
    """Of f(p) = exp(-p'p / 2s^2) a move of p by E p gives -f'(p) E p = f(p) p'E p / s^2; to a twentieth."""
    seed = SEEDS[0]
    found = claim.experiment.tangents(claim.experiment.blob(seed, 1.2), upright()).numpy().reshape(32, 32, 6)
    size = seed.numpy("blob").uniform(2.5, 3.5) * 1.2
    rows, columns = np.mgrid[:32, :32] - 15.5
    spot = np.exp(-(rows**2 + columns**2) / (2 * size**2)) / size**2

    moved = [columns**2 / 7, columns * rows / 7, columns, rows * columns / 7, rows**2 / 7, rows]
    for number, factor in enumerate(moved):
        expected = spot * factor
        assert np.abs(found[..., number] - expected).max() < 0.05 * np.abs(expected).max()


@pytest.mark.parametrize(("shape", "directions"), [("letter", 6), ("blob", 5)])
def test_instrument_a_rank_is_that_of_an_elimination(claim, shape, directions):
    """Columns are taken in turn, largest remainder first, less what those before them explain (Gram and Schmidt)."""
    for seed in SEEDS:
        jacobian = claim.experiment.tangents(getattr(claim.experiment, shape)(seed, 1.2), upright())
        left, largest, counted = jacobian.numpy().copy(), np.linalg.norm(jacobian.numpy(), axis=0).max(), 0
        while (lengths := np.linalg.norm(left, axis=0)).max() > 0.02 * largest:
            unit = left[:, lengths.argmax()] / lengths.max()
            left = left - np.outer(unit, unit @ left)
            counted += 1

        assert claim.experiment.rank(jacobian) == counted == directions


@pytest.mark.parametrize("share", [0.5, 0.95])
def test_instrument_components_are_counted_by_eigenvalues_of_the_covariance(claim, share):
    """Of forty poses, whose 40 x 40 inner products have the same eigenvalues but for zeros; one after another."""
    images = claim.experiment.orbit(claim.experiment.letter(SEEDS[1], 1.2), SEEDS[1], "affine", 40, 1.0, RANGES)
    rows = images.numpy().reshape(40, -1)
    eigenvalues = np.linalg.eigvalsh((rows - rows.mean(0)) @ (rows - rows.mean(0)).T)[::-1]
    counted, explained = 0, 0.0
    while explained < share * eigenvalues.sum():
        explained += eigenvalues[counted]
        counted += 1

    assert claim.experiment.dimensions(images, share) == counted
    assert counted > 2


def test_instrument_a_flat_orbit_of_six_parameters_takes_six_components(claim):
    """The tangents themselves with normal weights, all as long as each other: what a flat manifold would give."""
    import torch

    jacobian = torch.linalg.qr(claim.experiment.tangents(claim.experiment.letter(SEEDS[0], 1.2), upright()))[0]
    weights = torch.from_numpy(SEEDS[0].numpy("weights").standard_normal((400, 6)))

    assert claim.experiment.dimensions((weights @ jacobian.T).view(400, 32, 32), 0.95) == 6


def test_instrument_letters_differ_by_seed_and_stay_in_the_image(claim):
    """Of a thousand poses no more than a hundredth of the ink is ever at the border."""
    letters = [claim.experiment.letter(seed, 1.2) for seed in SEEDS]
    poses = claim.experiment.orbit(letters[0], SEEDS[0], "affine", 1000, 1.0, RANGES)
    border = poses.sum((1, 2)) - poses[:, 1:-1, 1:-1].sum((1, 2))

    assert (border / poses.sum((1, 2))).max() < 0.01
    assert len({round(float(own.sum()), 6) for own in letters}) == len(SEEDS)
    assert all(0.9 < float(own.max()) <= 1 for own in letters)
