"""Deep networks trained from pre-trained and from random weights, each at its best learning rate."""

from __future__ import annotations

from functools import lru_cache, partial
from typing import TYPE_CHECKING, Any

from fixtures import mnist
from fixtures.contrastive_divergence import ContrastiveDivergence
from fixtures.curvature import loss_of
from fixtures.perceptrons import perceptron
from fixtures.pretraining import anew, shuffled, unrolled
from harness.training import error_rate, search, supervised, train

if TYPE_CHECKING:
    import numpy as np

    from fixtures.perceptrons import Activation
    from fixtures.pretraining import Weights
    from fixtures.splits import Split
    from harness.seeds import Seeds
    from harness.training import Ensemble, Observer, Recipe

CLASSES = 10

PREFIX = "pretraining_"  # of the settings of contrastive divergence


@lru_cache(maxsize=1)  # arms and their pre-training share the digits of their seeds
def examples(seeds: Seeds, *, n_train: int, n_test: int, side: int) -> Split:
    """Return digits of so many pixels a side, ink between 0 and 1, as Boltzmann machines take it."""
    return mnist.draw(seeds, n_train, n_test, side)


@lru_cache(maxsize=2)  # both depths
def pretrained(
    seeds: Seeds,
    n_train: int,
    n_test: int,
    side: int,
    hidden: tuple[int, ...],
    rule: ContrastiveDivergence,
    device: str,
) -> Weights:
    """Return the weights of hidden layers that saw the images of the training set, without their labels, and no others."""
    inputs, _ = examples(seeds, n_train=n_train, n_test=n_test, side=side).train
    return unrolled(rule.train_stack(inputs.to(device), hidden, seeds))


def start_of(seeds: Seeds, *, start: str, hidden: tuple[int, ...], device: str, **others: Any) -> Weights | None:
    """Return what hidden layers start from: "pretrained" or "shuffled" weights, or None for "random" ones.

    Raises:
        ValueError: another start.
    """
    if start not in ("random", "pretrained", "shuffled"):
        raise ValueError(f"start is {start!r}; give 'random', 'pretrained' or 'shuffled'")
    if start == "random":
        return None
    sizes = {name: others.pop(name) for name in ("n_train", "n_test", "side")}
    rule = ContrastiveDivergence(**{name.removeprefix(PREFIX): value for name, value in others.items()})
    weights = pretrained(seeds, **sizes, hidden=hidden, rule=rule, device=device)
    return weights if start == "pretrained" else shuffled(weights, seeds)


def fit(
    seeds: Seeds, split: Split, recipe: Recipe, *, start: str, n_train: int, n_test: int, side: int, depth: int,
    width: int, activation: Activation, observer: Observer | None = None, **divergence: Any,
) -> Ensemble:  # fmt: skip
    """Return the networks of an arm, at the best of its learning rates where there are several; outputs begin at random."""
    hidden = (width,) * depth
    sizes = {"n_train": n_train, "n_test": n_test, "side": side}
    first = start_of(seeds, start=start, hidden=hidden, device=recipe.device, **sizes, **divergence)
    build = partial(perceptron, side**2, hidden, CLASSES, activation=activation)
    if recipe.rates:
        return search(build, *split.train, seeds, recipe=recipe, start=first)[0]
    return train(build, *split.train, seeds, recipe=recipe, start=first, observer=observer)


def score(networks: Ensemble, split: Split) -> dict[str, np.ndarray]:
    """Return the errors on training and test digits, and the loss on the former."""
    return {
        "train_loss": loss_of(networks, *split.train, "cross_entropy").cpu().numpy(),
        "train_error": error_rate(networks, *split.train),
        "test_error": error_rate(networks, *split.test),
    }


measure, prepare_fit, prepare_inference = supervised(examples, fit, score)
prepare_training = anew(prepare_fit, pretrained)
