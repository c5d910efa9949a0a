"""A network trained on digits some of which have a wrong label, and what it calls those digits, epoch by epoch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from fixtures import mnist
from fixtures.labels import noisy
from fixtures.perceptrons import perceptron
from harness.training import Observer, Recipe, error_rate, supervised, train

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import torch

    from harness.seeds import Seed, Seeds
    from harness.training import Ensemble

Labels = Literal["noisy", "true"]


@dataclass(frozen=True)
class Digits:
    """Digits of every seed, each to train on with two labels.

    Attributes:
        train: ink (n_seeds, n_train, pixels), and the labels to train on, (n_seeds, n_train).
        test: the same of the digits to be tested on, with their true labels.
        true: what the digits to train on are.
        drawn: what the noise makes of it, whether it is trained on or not.
    """

    train: tuple[torch.Tensor, torch.Tensor]
    test: tuple[torch.Tensor, torch.Tensor]
    true: torch.Tensor
    drawn: torch.Tensor


def examples(seeds: Seeds, *, n_train: int, n_test: int, side: int, labels: Labels, label_noise: float) -> Digits:
    """Return digits with "true" labels to train on or "noisy" ones, a share `label_noise` of which is drawn anew."""
    split = mnist.draw(seeds, n_train, n_test, side).standardised()
    ink, true = split.train
    drawn = noisy(true, label_noise, 10, seeds)
    return Digits((ink, {"noisy": drawn, "true": true}[labels]), split.test, true, drawn)


def fit(
    seeds: Seeds, split: Digits, recipe: Recipe, *, hidden: Sequence[int], observer: Observer | None = None
) -> Ensemble:
    """Return one trained network per seed."""
    inputs = split.train[0].shape[2]
    return train(lambda: perceptron(inputs, hidden, 10), *split.train, seeds, recipe=recipe, observer=observer)


def score(networks: Ensemble, split: Digits) -> dict[str, np.ndarray]:
    """Return what the networks call the digits that the noise mislabels, and their errors, each (n_seeds,)."""
    said, wrong = networks.predict(split.train[0]).argmax(2), split.drawn != split.true
    return {
        "true_label_share": share(said == split.true, wrong),
        "noisy_label_share": share(said == split.drawn, wrong),
        "train_error": error_rate(networks, *split.train),
        "test_error": error_rate(networks, *split.test),
    }


def share(true: torch.Tensor, among: torch.Tensor) -> np.ndarray:
    """Return of how many of those `among` it is true, as a fraction, (n_seeds,)."""
    return ((true & among).sum(1) / among.sum(1)).numpy()


def measure(
    arm: str,
    seeds: Seeds,
    *,
    epoch: Sequence[int],
    n_train: int,
    n_test: int,
    side: int,
    labels: Labels,
    label_noise: float,
    hidden: Sequence[int],
    **training: Any,
) -> dict[str, np.ndarray]:
    """Return the metrics after each of the epochs, (n_seeds, n_epochs) each."""
    recipe, _ = Recipe.split(training)
    split = examples(seeds, n_train=n_train, n_test=n_test, side=side, labels=labels, label_noise=label_noise)
    updates, looks = recipe.steps_in_an_epoch(n_train), {}

    def see(steps: int, networks: Ensemble) -> None:
        if steps // updates in epoch:
            looks[steps // updates] = score(networks, split)

    fit(seeds, split, recipe, hidden=hidden, observer=Observer(updates, see))
    return {name: np.stack([looks[number][name] for number in epoch], 1) for name in looks[epoch[0]]}


_, _training, _inference = supervised(examples, fit, score)


def prepare_training(arm: str, seed: Seed, *, epoch: Sequence[int], **settings: Any) -> Callable[[], object]:
    """Return one training, to be timed; it is as long whenever it is looked at."""
    return _training(arm, seed, **settings)


def prepare_inference(arm: str, seed: Seed, *, epoch: Sequence[int], **settings: Any) -> Callable[[], object]:
    """Return one inference, of the test digits, to be timed."""
    return _inference(arm, seed, **settings)
