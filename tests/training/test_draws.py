"""Draws by counting: the words against a hand-written mix, their laws against the uniform and the normal, and independence."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy import stats

from harness.seeds import seeds_of
from harness.training.draws import AHEAD, Draws, Streams, mix

SEEDS = seeds_of("draws", 0, range(4))
WORD = 0xFFFFFFFF


def mixed(word: int) -> int:
    """Wellons's lowbias32, in whole numbers of Python."""
    word ^= word >> 16
    word = word * 0x7FEB352D & WORD
    word ^= word >> 15
    word = word * 0x846CA68B & WORD
    return word ^ word >> 16


def by_hand(seed, call: int, place: int) -> int:
    """The word of a seed at a call and a place."""
    entropy = seed.entropy("role")
    return mixed(mixed(place + (entropy >> 32) & WORD) ^ mixed(call + (entropy & WORD) & WORD))


def unsigned(words: torch.Tensor) -> np.ndarray:
    return words.numpy().view(np.uint32)


def test_words_are_the_mix_of_key_call_and_place():
    """Beyond the calls whose keys are made at once, and at more places than a vector of a processor holds."""
    draws = Draws.of(SEEDS, "role")
    for call in range(2 * AHEAD + 2):
        words = unsigned(draws.words(7, 5))
        if call in (0, 1, AHEAD - 1, AHEAD, 2 * AHEAD + 1):
            expected = [
                [[by_hand(seed, call, 5 * row + own) for own in range(5)] for row in range(7)] for seed in SEEDS
            ]
            assert words.tolist() == expected


def test_each_bit_that_turns_turns_every_other_half_of_the_time():
    """The avalanche of the mix, 20,000 words: within 5 standard errors, and the bias of .5 % that is the function's own."""
    words = torch.randint(-(2**31), 2**31, (20_000,), generator=torch.Generator().manual_seed(0)).int()
    for bit in range(32):
        turned = words ^ (1 << bit if bit < 31 else -(2**31))
        changed = unsigned(mix(words.clone(), torch.empty_like(words)) ^ mix(turned, torch.empty_like(words)))
        shares = (changed[:, None] >> np.arange(32, dtype=np.uint32) & 1).mean(0)
        assert np.abs(shares - 0.5).max() < 2.5 / 20_000**0.5 + 0.005


def test_a_seed_draws_the_same_beside_others_and_alone():
    beside, alone = Draws.of(SEEDS, "role"), Draws.of(SEEDS[2:3], "role")
    for shape in ((3, 4), (2,), (3, 4)):
        assert torch.equal(beside.words(*shape)[2:3], alone.words(*shape))


def test_a_place_has_the_same_word_in_a_smaller_batch():
    assert torch.equal(Draws.of(SEEDS, "role").words(9, 4)[:, :5], Draws.of(SEEDS, "role").words(5, 4))


def test_layers_roles_and_seeds_have_words_of_their_own():
    streams = Streams(SEEDS, torch.device("cpu"))
    drawn = [streams.of(name).words(50) for name in ("1", "3")] + [Draws.of(SEEDS, "role").words(50)]
    every = np.concatenate([unsigned(words).ravel().copy() for words in drawn])

    assert len(np.unique(every)) == len(every) == 3 * 4 * 50


def test_every_bit_is_one_half_of_the_time_and_no_two_agree():
    """2,000,000 words: shares and correlations of 32 bits within 5 standard errors."""
    words = unsigned(Draws.of(SEEDS, "bits").words(500_000)).reshape(-1)
    bits = (words[:, None] >> np.arange(32, dtype=np.uint32) & 1).astype(np.float32) - 0.5
    errors = bits.T @ bits / len(bits) * 4 - np.eye(32)

    assert np.abs(bits.mean(0)).max() * 2 < 5 / len(bits) ** 0.5
    assert np.abs(errors).max() < 5 / len(bits) ** 0.5


def neighbours():
    """Uniform numbers and their neighbours: by place, call, seed, and both ways diagonally."""
    draws = Draws.of(SEEDS, "neighbours")
    numbers = np.stack([draws.uniform(250, 20, dtype=torch.float64).numpy() for _ in range(100)])
    return {
        "place": (numbers[..., :-1], numbers[..., 1:]),
        "example": (numbers[:, :, :-1], numbers[:, :, 1:]),
        "call": (numbers[:-1], numbers[1:]),
        "seed": (numbers[:, :-1], numbers[:, 1:]),
        "place and call": (numbers[:-1, ..., 1:], numbers[1:, ..., :-1]),
    }


@pytest.mark.parametrize("which", ["place", "example", "call", "seed", "place and call"])
def test_neighbours_are_independent(which):
    """Pairs fall into the cells of a grid as often as chance says (chi square), so that no dependence of pairs is left."""
    one, other = (side.ravel() for side in neighbours()[which])
    counts = np.histogram2d(one, other, bins=32, range=[[0, 1], [0, 1]])[0]

    assert stats.chisquare(counts.ravel()).pvalue > 1e-4


def test_uniform_numbers_are_uniform_and_below_one():
    numbers = Draws.of(SEEDS, "uniform").uniform(250_000)

    assert numbers.dtype == torch.float32
    assert 0 <= numbers.min() < numbers.max() < 1
    assert stats.kstest(numbers.double().flatten().numpy(), "uniform").pvalue > 1e-4
    assert torch.equal(Draws.of(SEEDS, "uniform").uniform(250_000, dtype=torch.float64), numbers.double())


def test_normal_numbers_are_normal():
    numbers = Draws.of(SEEDS, "normal").normal(250_000, dtype=torch.float64)

    assert stats.kstest(numbers.flatten().numpy(), "norm").pvalue > 1e-4
    assert numbers.abs().max() < 5.8


@pytest.mark.parametrize("probability", [0.1, 0.5, 0.9])
def test_coins_fall_as_often_as_they_should(probability):
    ones = Draws.of(SEEDS, "coins").coins(torch.empty(4, 1000, 100), probability)

    assert set(ones.unique().tolist()) == {0.0, 1.0}
    assert stats.binomtest(int(ones.sum()), ones.numel(), probability).pvalue > 1e-4


def test_coins_of_no_and_of_almost_certain_probability():
    draws, likeness = Draws.of(SEEDS, "coins"), torch.empty(4, 100, dtype=torch.bfloat16)

    assert draws.coins(likeness, 0.0).sum() == 0
    assert draws.coins(likeness, 1 - 1e-12).mean() == 1
    assert draws.coins(likeness, 0.5).dtype == torch.bfloat16


def test_streams_hold_what_a_recorded_step_counts():
    streams = Streams(SEEDS, torch.device("meta"))
    own, other = streams.of("1"), streams.of("2")

    assert [id(tensor) for tensor in streams.state()] == [id(tensor) for tensor in own.state() + other.state()]
    before = [tensor._version for tensor in own.state()]
    own.words(3)
    assert [tensor._version for tensor in own.state()] > before, "off the CPU each call is counted on the device"


def test_what_is_counted_on_a_device_is_what_is_made_ahead_on_a_cpu():
    ahead = Draws.of(SEEDS, "role")
    expected = [ahead.words(6).clone() for _ in range(3)]
    counting = Draws.of(SEEDS, "role")
    counting._counted = True

    assert all(torch.equal(counting.words(6), words) for words in expected)
    assert counting.state()[0].flatten().tolist() == [3] * 4
