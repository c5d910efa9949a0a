"""All randomness hangs on base seed, claim, role and index, and on nothing else."""

from __future__ import annotations

import contextlib
import functools
import itertools
import pickle
import random
from dataclasses import replace

import numpy as np
import pytest

from harness.seeds import Seed, seeds_of

SEED = Seed(0, "a_claim", 0)


def draws(seed, role="data"):
    return tuple(seed.numpy(role).random(4))


def test_the_same_seed_and_role_give_the_same_numbers_again():
    assert draws(SEED) == draws(Seed(0, "a_claim", 0))


@pytest.mark.parametrize("other", [Seed(1, "a_claim", 0), Seed(0, "b_claim", 0), Seed(0, "a_claim", 1)])
def test_base_seed_claim_and_index_each_change_every_draw(other):
    assert not set(draws(SEED)) & set(draws(other))


def test_two_roles_never_share_a_stream():
    assert not set(draws(SEED, "data")) & set(draws(SEED, "weights"))


def test_neighbouring_fields_are_kept_apart():
    # Written one after the other, claim "a" with role "1b" would be claim "a1" with role "b".
    assert Seed(1, "a", 2).entropy("1b") != Seed(1, "a1", 2).entropy("b")
    assert Seed(1, "a", 12).entropy("b") != Seed(11, "a", 2).entropy("b")


def test_a_thousand_seeds_have_a_thousand_entropies():
    seeds = [Seed(base, claim, index) for base, claim, index in itertools.product(range(5), "ab", range(50))]
    assert len({seed.entropy(role) for seed in seeds for role in ("data", "weights")}) == 1000


def test_entropy_is_the_documented_hash():
    # By sha256sum; another value would make every stored trial another experiment.
    assert SEED.entropy("data") == 0xC14FF919992D7B7A


def repetitions(seed):
    """Some of every depth down to the third, of a seed and of its neighbours."""
    numbers = (0, 1, 2, 11, 12)
    return [
        functools.reduce(Seed.again, path, own)
        for own in (seed, replace(seed, index=1), replace(seed, index=11), replace(seed, base=1))
        for depth in range(4)
        for path in itertools.product(numbers, repeat=depth)
    ]


def test_repetitions_of_a_seed_draw_apart_from_it_and_from_each_other_at_every_depth():
    every = repetitions(SEED)

    assert len(every) == 4 * (1 + 5 + 25 + 125)
    assert len(set(every)) == len({seed.entropy("data") for seed in every}) == len(every)
    assert SEED.again(0) not in {SEED, SEED.again(0).again(0)}
    assert SEED.again(3) == SEED.again(np.int64(3)), "numbers that are equal draw alike"
    assert SEED.again(True).entropy("data") == SEED.again(1).entropy("data")  # noqa: FBT003 - equal, and so printed


def test_what_is_hashed_tells_repeats_from_roles_and_indices():
    # With one separator for all, these pairs would be one text each.
    assert SEED.again(2).entropy("a") != replace(SEED, index=2).entropy("a\x1f0")
    assert SEED.again(2).entropy("a") != replace(SEED, index=2).entropy("a\x1e0")
    assert replace(SEED, index=1).again(2).entropy("a") != replace(SEED, index=12).entropy("a")


def test_entropy_of_a_repetition_is_the_documented_hash():
    # By printf '0\037a_claim\037data\0370\0363\0364' | sha256sum
    assert SEED.again(3).again(4).entropy("data") == 0x789DAFF5F2FC5FB8


def test_a_repetition_is_pickled_printed_and_ordered_after_its_seed():
    again = SEED.again(3)

    assert pickle.loads(pickle.dumps(again)) == again
    assert (again.base, again.claim, again.index, again.repeats) == (0, "a_claim", 0, (3,))
    assert repr(again) == "Seed(base=0, claim='a_claim', index=0, repeats=(3,))"
    assert sorted([SEED.again(1), replace(SEED, index=1), again.again(0), again, SEED]) == [
        SEED, SEED.again(1), again, again.again(0), replace(SEED, index=1),
    ]  # fmt: skip


def test_a_repetition_is_counted():
    with pytest.raises(TypeError, match="float"):
        SEED.again(1.5)


def test_no_draw_touches_the_global_generator():
    state = np.random.get_state()[1].copy()  # noqa: NPY002 - the global state is what must not move
    draws(SEED)
    assert (np.random.get_state()[1] == state).all()  # noqa: NPY002


def test_streams_of_neighbouring_seeds_are_uncorrelated():
    table = np.array([Seed(0, "a_claim", index).numpy("data").normal(size=2000) for index in range(20)])
    correlations = np.corrcoef(table)[np.triu_indices(20, k=1)]
    # 190 correlations of standard deviation 1/sqrt(2000): the largest is below five of them.
    assert np.abs(correlations).max() < 5 / np.sqrt(2000)


@pytest.mark.parametrize("indices", [range(2, 5), [2, 3, 4]])
def test_seeds_of_a_claim_are_counted_by_index(indices):
    assert seeds_of("a_claim", 7, indices) == (Seed(7, "a_claim", 2), Seed(7, "a_claim", 3), Seed(7, "a_claim", 4))


def test_torch_generators_obey_the_same_rules():
    torch = pytest.importorskip("torch")

    def drawn(seed, role):
        return tuple(torch.rand(4, generator=seed.torch(role)).tolist())

    assert drawn(SEED, "data") == drawn(SEED, "data")
    assert drawn(SEED, "data") != drawn(SEED, "weights")
    assert drawn(SEED, "data") != drawn(Seed(1, "a_claim", 0), "data")


@pytest.mark.parametrize("loaded", ["numpy", "torch"])
def test_global_generators_draw_from_a_role_and_are_as_before_afterwards(loaded):
    module = pytest.importorskip(loaded)

    def drawn():
        return random.random(), np.random.rand(), float(module.rand(1)[0]) if loaded == "torch" else 0.0  # noqa: NPY002

    def within(seed, role):
        with seed.globally(role):
            return drawn()

    before = random.getstate(), np.random.get_state()[1].tolist()  # noqa: NPY002
    first = within(SEED, "library")

    assert within(SEED, "library") == first
    assert not set(within(SEED, "other")) & set(first) - {0.0}
    with contextlib.suppress(LookupError), SEED.globally("library"):
        drawn()
        raise LookupError
    assert (random.getstate(), np.random.get_state()[1].tolist()) == before  # noqa: NPY002


def test_torch_draws_on_as_if_nobody_had_drawn_in_between():
    torch = pytest.importorskip("torch")
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(3)
        expected = torch.rand(2)[1]
        torch.manual_seed(3)
        torch.rand(1)
        with SEED.globally("library"):
            torch.rand(5)
        assert torch.rand(1) == expected
