"""Verdicts, controls, timings; checks of the instrument: what the noises are, what a code can keep, what is scaled how."""

from __future__ import annotations

import numpy as np
import pytest

from harness.claim_tests import test_control, test_inference_time, test_reading, test_training_time
from harness.seeds import seeds_of

SEEDS = seeds_of("instrument", 0, range(2))
SIZES = {"n_train": 1000, "n_test": 500, "side": 10}


@pytest.fixture
def images(claim):
    """Return a function of an arm's settings that gives its training and test images as they are."""

    def drawn(source="noise", covariance="identity", active=1.0, **sizes):
        settings = {**SIZES, **sizes, "source": source, "covariance": covariance, "active": active}
        return claim.experiment.as_they_are(SEEDS, **settings)

    return drawn


def test_instrument_white_noise_is_independent_and_of_variance_one(images):
    """Entries of 1,000 images' covariance lie within six standard errors; training and test images are other ones."""
    train, test = images()

    for own in train.double():
        assert np.abs(own.T.cov().numpy() - np.eye(100)).max() < 6 * (2 / 1000) ** 0.5
    assert not np.isin(test[0, 0].numpy(), train[0].numpy()).any()
    assert not (train[0] == train[1]).any()


def test_instrument_correlated_noise_has_the_covariance_of_the_digits(images):
    """Of 3,000 images no entry is further off than six standard errors of the largest variance."""
    (digits, _), (_, noise) = images("digits"), images(covariance="digits", n_test=3000)

    for real, own in zip(digits.double(), noise.double(), strict=True):
        expected, found = real.T.cov(), own.T.cov()
        assert (found - expected).abs().max() < 6 * (2 / 3000) ** 0.5 * expected.diag().max()
        assert np.corrcoef(found.flatten(), expected.flatten())[0, 1] > 0.98


def test_instrument_three_pixels_in_a_hundred_are_active(images):
    for part in images(active=0.03):
        share = (part != 0).double().mean((1, 2))
        assert (share - 0.03).abs().max() < 5 * (0.03 * 0.97 / part[0].numel()) ** 0.5


def test_instrument_resampled_pixels_keep_their_place_and_lose_each_other(images):
    """Means of pixels stay, within six standard errors; correlations, of which digits have strong ones, go."""
    (digits, _), (train, _) = images("digits"), images("resampled")

    for real, own in zip(digits.double(), train.double(), strict=True):
        assert ((own.mean(0) - real.mean(0)).abs() <= 6 * real.std(0) / 1000**0.5).all()
        inked = real.std(0) > 0.05
        between = [np.corrcoef(part[:, inked].T) - np.eye(int(inked.sum())) for part in (real, own)]
        assert np.abs(between[0]).max() > 0.5
        assert np.abs(between[1]).max() < 0.25


def test_instrument_ten_directions_keep_all_of_what_has_ten_and_a_tenth_of_white_noise(claim, images):
    import torch

    train, test = images()
    flat = torch.cat([torch.eye(10), torch.zeros(10, 90)], 1)
    ten = claim.experiment.Images((train @ flat.T @ flat,) * 2, (test @ flat.T @ flat,) * 2)
    white = claim.experiment.Images((train, train), (test, test))

    np.testing.assert_allclose(claim.experiment.linear_fit(ten, 10), 1, atol=1e-6)
    np.testing.assert_allclose(claim.experiment.linear_fit(white, 10), 0.1, atol=0.01)


def test_instrument_share_told_is_one_of_all_and_none_of_the_mean(claim, images):
    train, test = images()

    assert (claim.experiment.share_told(test, test) == 1).all()
    assert (claim.experiment.share_told(test, 0 * test) == 0).all()
    np.testing.assert_allclose(claim.experiment.share_told(train, train / 2), 0.75, atol=1e-6)


def test_instrument_images_are_centred_and_scaled_by_what_the_training_set_says(claim):
    settings = {**SIZES, "source": "digits", "covariance": "identity", "active": 1.0}
    split = claim.experiment.examples(SEEDS, **settings)
    (train, target), (test, _) = split.train, split.test

    assert train is target
    np.testing.assert_allclose(train.mean(1), 0, atol=1e-5)
    np.testing.assert_allclose(train.std((1, 2)), 1, atol=1e-5)
    assert test.mean(1).abs().max() > 1e-3


def test_instrument_sparse_pixels_are_seen_in_the_pixel_basis_and_in_no_random_one(claim, images):
    """3 / active = 100 in the pixels' own basis; a random one mixes a hundred pixels and is normal again."""
    import torch

    sparse, _ = images(active=0.03)
    turned = torch.linalg.qr(torch.randn(100, 100, generator=SEEDS[0].torch("turn"))).Q

    assert (claim.experiment.largest_kurtosis(sparse, SEEDS, 1) > 80).all()
    assert (claim.experiment.largest_kurtosis(sparse @ turned, SEEDS, 1) < 10).all()
