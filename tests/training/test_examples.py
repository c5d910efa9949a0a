"""Examples as networks take them: nothing cut off, nothing looked up at a neighbour's, nothing changed on the way."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn.utils import parametrizations, prune

from harness.errors import UsageError
from harness.seeds import seeds_of
from harness.training.initialisation import initial_weights
from harness.training.optimisers import Optimiser
from tests.keywords import train

SEEDS = seeds_of("examples", 0, range(3))


def words_network():
    return nn.Sequential(nn.Embedding(5, 4), nn.Flatten(), nn.Linear(12, 2))


class LookingUp(nn.Module):
    """Looks words up in its own way."""

    def __init__(self):
        super().__init__()
        self.table, self.last = nn.Embedding(5, 4), nn.Linear(12, 2)

    def forward(self, inputs):
        return self.last(self.table(inputs).flatten(1))


def trained(build, inputs, **changes):
    targets = torch.zeros(3, inputs.shape[1], dtype=torch.int64)
    settings = {"optimiser": Optimiser("sgd", 0.1), "steps": 3, "batch_size": inputs.shape[1], **changes}
    return train(build, inputs, targets, SEEDS, **settings)


def words(found, seed=0):
    inputs = torch.randint(5, (3, 20, 3), generator=torch.Generator().manual_seed(0))
    inputs[seed, -1, -1] = found
    return inputs


@pytest.mark.parametrize("strategy", ["stacked", "loop"])
@pytest.mark.parametrize(("found", "seed"), [(5, 0), (-1, 2), (7, 1)])
def test_a_word_without_a_vector_is_not_looked_up_at_a_neighbours(found, seed, strategy):
    with pytest.raises(UsageError, match=f"inputs: word {found}: the network has vectors for 0 to 4"):
        trained(words_network, words(found, seed), strategy=strategy)


def test_nor_by_a_network_that_is_mapped():
    """Mapped, seed 0 would have read seed 1's vector without a word."""
    with pytest.raises((IndexError, RuntimeError), match="index out of range"):
        trained(LookingUp, words(5))
    assert trained(LookingUp, words(4)).strategy == "loop"
    with pytest.raises(UsageError, match="strategy: 'vmap' does not serve this network"):
        trained(LookingUp, words(4), strategy="vmap")


def test_fractions_are_no_words():
    with pytest.raises(UsageError, match="inputs: fractions, but the network looks its inputs up"):
        trained(words_network, words(4) + 0.5)
    whole = trained(words_network, words(4).double())
    assert torch.equal(whole.weights["0.weight"], trained(words_network, words(4)).weights["0.weight"])


def test_a_word_for_padding_begins_at_zero_as_torch_has_it():
    weights = initial_weights(nn.Sequential(nn.Embedding(5, 4, padding_idx=-2)), SEEDS, "uniform")["0.weight"]
    others = initial_weights(nn.Sequential(nn.Embedding(5, 4)), SEEDS, "uniform")["0.weight"]

    assert (weights[:, 3] == 0).all()
    assert torch.equal(weights[:, [0, 1, 2, 4]], others[:, [0, 1, 2, 4]])


class Centred(nn.Module):
    """Takes the mean off its inputs where they lie."""

    def __init__(self):
        super().__init__()
        self.last = nn.Linear(6, 2)

    def forward(self, inputs):
        inputs -= inputs.mean()
        return self.last(inputs)


@pytest.mark.parametrize("strategy", [None, "loop"])
@pytest.mark.parametrize(
    "build", [lambda: nn.Sequential(nn.LeakyReLU(0.5, inplace=True), nn.Linear(6, 2)), Centred], ids=["layer", "module"]
)
def test_a_network_that_changes_its_inputs_in_place_is_refused(build, strategy):
    """In full batches each step would have seen what the one before made of the examples."""
    inputs = torch.randn(3, 20, 6, generator=torch.Generator().manual_seed(0))
    before = inputs.clone()
    with pytest.raises(UsageError, match="changes its inputs in place"):
        trained(build, inputs, strategy=strategy)
    assert torch.equal(inputs, before)


def test_changes_in_place_further_on_are_as_good_as_others():
    inputs = torch.randn(3, 20, 6, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    for strategy in ("stacked", "loop", "vmap"):
        in_place, apart = (
            trained(
                lambda flag=flag: nn.Sequential(nn.Linear(6, 4), nn.LeakyReLU(0.5, inplace=flag), nn.Linear(4, 2)),
                inputs, strategy=strategy, precision="float64",
            )
            for flag in (True, False)
        )  # fmt: skip
        torch.testing.assert_close(in_place.weights["0.weight"], apart.weights["0.weight"], rtol=0, atol=1e-12)


def test_examples_that_are_read_only_are_read_only():
    inputs = np.random.default_rng(0).normal(size=(3, 20, 6)).astype(np.float32)
    kept = inputs.copy()
    ensemble = trained(lambda: nn.Sequential(nn.Linear(6, 2)), inputs)
    ensemble.predict(inputs)

    assert (inputs == kept).all()


@pytest.mark.parametrize(
    "build",
    [
        lambda: nn.Sequential(parametrizations.weight_norm(nn.Linear(6, 2))),
        lambda: nn.Sequential(pruned(nn.Linear(6, 2))),
        lambda: nn.Sequential(Scaled(6, 2)),
    ],
    ids=["parametrised", "pruned", "subclass"],
)
def test_a_parameter_that_layers_of_its_kind_do_not_have_is_not_drawn_as_if_it_were_a_weight(build):
    with pytest.raises(UsageError, match="no rule to initialise this part"):
        trained(build, torch.zeros(3, 8, 6))


class Constant(nn.Module):
    """Has a number of its own that is no parameter."""

    def __init__(self, device):
        super().__init__()
        self.last, self.scale = nn.Linear(6, 2), torch.tensor(2.0, device=device)

    def forward(self, inputs):
        return self.scale * self.last(inputs)


def test_a_tensor_without_numbers_is_named():
    inputs = torch.zeros(3, 8, 6)
    with pytest.raises(UsageError, match="uses a tensor of its own that has no numbers"):
        trained(lambda: Constant(None), inputs)
    assert len(trained(lambda: Constant("cpu"), inputs)) == 3


def pruned(layer):
    return prune.random_unstructured(layer, "weight", amount=0)


class Scaled(nn.Linear):
    """A linear layer with one parameter more."""

    def __init__(self, *sizes):
        super().__init__(*sizes)
        self.scale = nn.Parameter(torch.ones(sizes[1]))

    def forward(self, inputs):
        return self.scale * super().forward(inputs)
