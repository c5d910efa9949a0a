"""Batches: every epoch shows each seed all its examples once, in that seed's order, however they are gathered."""

from __future__ import annotations

import pytest
import torch

from harness.seeds import seeds_of
from harness.training.minibatches import Batches

SEEDS = seeds_of("batches", 0, range(3))


def numbered(n=10, shape=(2,)):
    """Return inputs that say whose they are, (3, n, *shape), and targets that say which."""
    own = torch.arange(3)[:, None] * 1000 + torch.arange(n)
    return own.view(3, n, *(1,) * len(shape)).expand(3, n, *shape).contiguous().float(), torch.arange(n).expand(3, n)


def written_out(n, size, steps):
    """Return the examples of each step and seed by the definition: a permutation per epoch, cut into pieces."""
    rows = []
    for seed in SEEDS:
        generator, pieces = seed.torch("batches"), []
        while len(pieces) < steps:
            pieces += torch.randperm(n, generator=generator).split(size)
        rows.append(pieces[:steps])
    return [torch.stack(step) for step in zip(*rows, strict=True)]


@pytest.mark.parametrize(("size", "steps"), [(3, 11), (5, 4), (4, 1), (3, 0)])
def test_orders_are_permutations_drawn_epoch_by_epoch(size, steps):
    inputs, targets = numbered()
    found = [(batch.clone(), answers.clone()) for batch, answers in Batches(inputs, targets, SEEDS, size, steps)]

    assert len(found) == steps
    for (batch, answers), expected in zip(found, written_out(10, size, steps), strict=True):
        assert torch.equal(answers, expected)
        assert torch.equal(batch, (expected + 1000 * torch.arange(3)[:, None])[..., None].expand(-1, -1, 2).float())


@pytest.mark.parametrize("size", [10, 64])
def test_whole_batches_are_the_examples_as_they_are(size):
    inputs, targets = numbered()

    for batch, answers in Batches(inputs, targets, SEEDS, size, 3):
        assert torch.equal(batch, inputs)
        assert torch.equal(answers, targets)


def test_shared_examples_are_not_copied_for_every_seed():
    inputs, targets = (values[:1].expand(3, *values.shape[1:]) for values in numbered())
    made = Batches(inputs, targets, SEEDS, 3, 4)

    assert made._inputs._values.data_ptr() == inputs.data_ptr()
    for (batch, answers), expected in zip(made, written_out(10, 3, 4), strict=True):
        assert torch.equal(answers, expected)
        assert torch.equal(batch[..., 0], expected.float())


def test_images_come_with_their_channels_innermost():
    inputs = torch.randn(1, 10, 3, 4, 5)
    targets = torch.zeros(1, 10)
    plain, laid_out = (Batches(inputs, targets, SEEDS[:1], 4, 5, channels_last=layout) for layout in (False, True))

    for (first, _), (second, _) in zip(plain, laid_out, strict=True):
        assert torch.equal(first, second)
        assert second[0].is_contiguous(memory_format=torch.channels_last)
