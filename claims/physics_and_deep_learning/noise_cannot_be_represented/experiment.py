"""Images and noises: how much of them a code of few numbers keeps, and how sparse they are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import torch
from scipy.stats import ortho_group
from torch import Tensor

from fixtures import mnist
from fixtures.perceptrons import perceptron
from fixtures.sparsity import gini, kurtosis
from harness.training import supervised, train

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from harness.seeds import Seed, Seeds
    from harness.training import Ensemble, Observer, Recipe

    Floats = NDArray[np.float64]

Source = Literal["digits", "resampled", "noise"]
Covariance = Literal["identity", "digits"]


@dataclass(frozen=True)
class Images:
    """Images of every seed as inputs and as targets, (n_seeds, n, pixels) each, to train on and to be tested on."""

    train: tuple[Tensor, Tensor]
    test: tuple[Tensor, Tensor]


def as_they_are(
    seeds: Seeds, *, n_train: int, n_test: int, side: int, source: Source, covariance: Covariance, active: float
) -> tuple[Tensor, Tensor]:
    """Return training and test images: ink of digits, digits' pixels each drawn by itself, or noise.

    Noise is normal, its pixels independent and of variance one, or with the covariance of the digits to train on; each
    pixel is zero unless it is active, which it is with the probability `active`.
    """
    split = mnist.draw(seeds, n_train, n_test, side)
    if source == "digits":
        return split.train[0], split.test[0]
    drawn = []
    for role, number in (("training", n_train), ("test", n_test)):
        pairs = zip(split.train[0], seeds, strict=True)
        if source == "resampled":
            drawn.append(torch.stack([resampled(real, seed, role, number) for real, seed in pairs]))
        else:
            drawn.append(torch.stack([noise(real, seed, role, number, covariance, active) for real, seed in pairs]))
    return drawn[0], drawn[1]


def resampled(real: Tensor, seed: Seed, role: str, number: int) -> Tensor:
    """Return images of which every pixel is drawn from those that stand at its place in `real`, by itself."""
    rows = torch.randint(len(real), (number, real.shape[1]), generator=seed.torch(f"{role} rows"))
    return real.gather(0, rows)


def noise(real: Tensor, seed: Seed, role: str, number: int, covariance: Covariance, active: float) -> Tensor:
    """Return normal noise of independent pixels, or with the covariance of `real`, where it is active."""
    values = torch.randn((number, real.shape[1]), generator=seed.torch(f"{role} noise"))
    if covariance == "digits":
        variances, axes = torch.linalg.eigh(real.T.double().cov())
        values = values @ (axes * variances.clamp(min=0).sqrt() @ axes.T).float()
    return values * (torch.rand(values.shape, generator=seed.torch(f"{role} activity")) < active)


def examples(seeds: Seeds, **settings: Any) -> Images:
    """Return the images less the training set's mean of each pixel, divided by one standard deviation of all of it."""
    parts = as_they_are(seeds, **{name: settings[name] for name in OF_IMAGES})
    centre = parts[0].mean(1, keepdim=True)
    spread = (parts[0] - centre).std((1, 2), keepdim=True)
    train_images, test_images = ((part - centre) / spread for part in parts)
    return Images((train_images, train_images), (test_images, test_images))


def share_told(images: Tensor, told: Tensor) -> Floats:
    """Return the share of the images' variance, about the training set's mean, that is told, (n_seeds,)."""
    left = (images - told).double().square().sum((1, 2))
    return (1 - left / images.double().square().sum((1, 2))).numpy()


def linear_fit(images: Images, code: int) -> Floats:
    """Return the share of test images' variance along the first `code` principal directions of the training images."""
    axes = torch.linalg.svd(images.train[0], full_matrices=False).Vh[:, :code]
    return share_told(images.test[0], images.test[0] @ axes.mT @ axes)


def largest_kurtosis(values: Tensor, seeds: Seeds, bases: int) -> Floats:
    """Return the kurtosis of all values together in the basis where it is largest: that of the pixels or a random one."""
    found = [kurtosis(values)]
    generators = [seed.numpy("bases") for seed in seeds]
    for _ in range(bases):
        turned = np.stack([ortho_group.rvs(values.shape[2], random_state=own) for own in generators])
        found.append(kurtosis(values @ torch.from_numpy(turned).float()))
    return torch.stack(found).amax(0).double().numpy()


def fit(
    seeds: Seeds, split: Images, recipe: Recipe, *, hidden: int, code: int, observer: Observer | None = None
) -> Ensemble:
    """Return one autoencoder per seed, trained to give back its input from a code of `code` numbers."""
    pixels = split.train[0].shape[2]
    return train(
        lambda: perceptron(pixels, [hidden, code, hidden], pixels, activation="tanh"),
        *split.train,
        seeds,
        recipe=recipe,
        observer=observer,
    )


def score(networks: Ensemble, split: Images) -> dict[str, Floats]:
    """Return the share of the variance of test images that networks give back, and how much more of training images."""
    seen, unseen = (share_told(images, networks.predict(images)) for images, _ in (split.train, split.test))
    return {"test_fit": unseen, "memorised": seen - unseen}


OF_IMAGES = ("n_train", "n_test", "side", "source", "covariance", "active")
trained, prepare_training, prepare_inference = supervised(examples, fit, score)


def measure(arm: str, seeds: Seeds, *, measured: Sequence[str], **settings: Any) -> dict[str, Floats]:
    """Return what an arm is `measured` by: "fit" of autoencoders, "linear_fit", "gini", "kurtosis"."""
    values, _ = as_they_are(seeds, **{name: settings[name] for name in OF_IMAGES})
    found: dict[str, Floats] = {}
    if "fit" in measured:
        found |= trained(arm, seeds, **settings)
    if "linear_fit" in measured:
        found["linear_fit"] = linear_fit(examples(seeds, **settings), settings["code"])
    if "gini" in measured:
        found["gini"] = gini(values).double().numpy()
    if "kurtosis" in measured:
        found["kurtosis"] = largest_kurtosis(values, seeds, settings["bases"])
    return found
