"""Verdicts, controls, timings; checks of the instrument: what is standardised, by what, and what the first layer does."""

from __future__ import annotations

import pytest

from harness.claim_tests import test_control, test_inference_time, test_reading, test_training_time
from harness.seeds import seeds_of

SEEDS = seeds_of("instrument", 0, range(2))
SIZES = {"n_train": 400, "n_test": 100}


def test_instrument_each_pixel_has_mean_0_and_variance_1_over_the_training_set(claim):
    """But for those that are blank in all of it, which are 0 in training and test."""
    import torch

    raw, split = (claim.experiment.examples(SEEDS, inputs=inputs, **SIZES) for inputs in ("raw", "standardized"))
    inked = raw.train[0].amax(1) > 0

    assert 0 < inked.sum() < inked.numel()
    assert split.train[0].mean(1).abs().max() < 1e-5
    torch.testing.assert_close(split.train[0].var(1), inked.float(), atol=1e-4, rtol=0)
    assert not split.test[0].movedim(2, 1)[~inked].any()


def test_instrument_test_digits_are_scaled_by_what_the_training_set_says(claim):
    import torch

    raw, split = (claim.experiment.examples(SEEDS, inputs=inputs, **SIZES) for inputs in ("raw", "standardized"))
    centre, spread = raw.train[0].mean(1, keepdim=True), raw.train[0].std(1, keepdim=True)

    torch.testing.assert_close(split.test[0] * spread, (raw.test[0] - centre) * (spread > 0), atol=1e-2, rtol=1e-5)


def test_instrument_raw_pixels_are_whole_numbers_up_to_255(claim):
    import torch

    ink = claim.experiment.examples(SEEDS, inputs="raw", **SIZES).train[0]

    torch.testing.assert_close(ink, ink.round(), atol=1e-4, rtol=0)
    assert (ink.min().item(), ink.max().item()) == pytest.approx((0, 255))


def test_instrument_first_layer_standardizes_its_batch(claim):
    """Given all of a training set at once it makes of raw pixels what standardising makes, by the biased deviation."""
    import torch

    raw, split = (claim.experiment.examples(SEEDS, inputs=inputs, **SIZES) for inputs in ("raw", "standardized"))
    first = claim.experiment.network(4, normalized=True)[0]

    found = first.train()(raw.train[0][0])

    torch.testing.assert_close(found, split.train[0][0] * (400 / 399) ** 0.5, atol=1e-2, rtol=1e-3)


def test_instrument_only_the_layer_in_front_differs(claim):
    """Normalising adds no parameter, so that all arms begin with the same weights."""
    plain, normalized = (claim.experiment.network(100, normalized=flag) for flag in (False, True))

    assert [p.shape for p in plain.parameters()] == [p.shape for p in normalized.parameters()]
    assert sum(p.numel() for p in plain.parameters()) == 79_510
