"""A support vector machine, a convolutional network, the machine on its features, and nearest neighbours, on digits in clutter."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache, partial
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from sklearn.neighbors import KNeighborsClassifier
from torch import nn

from fixtures import clutter, mnist
from harness.timing import timed
from harness.training import Ensemble, Recipe, support_vectors, train

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness.seeds import Seed, Seeds
    from harness.training import Observer

    Classifier = Callable[[np.ndarray], np.ndarray]  # images (n, canvas, canvas) to labels (n,)

CLASSES = 10


@dataclass(frozen=True)
class Trial:
    """A seed and the settings of claim.yaml; hashable, so that two arms can share a trained network."""

    seed: Seed
    recipe: Recipe
    scene: str
    pixels: str
    n_train: int
    n_test: int
    test_placements: int
    canvas: int
    fragments: int
    fragment: int
    width: int
    features: str
    n_search: int
    costs: tuple[float, ...]
    kernel_widths: tuple[float, ...]
    neighbours: int

    @classmethod
    def of(cls, seed: Seed, **settings: Any) -> Trial:
        """Return the trial of a seed by the settings of claim.yaml, of which some are the network's recipe."""
        recipe, rest = Recipe.split(settings)
        grid = {name: tuple(rest.pop(name)) for name in ("costs", "kernel_widths")}
        return cls(seed, recipe, **rest, **grid)


class Examples(NamedTuple):
    """Images, float32 in [0, 1] of shape (n, canvas, canvas), and labels (n,), of the two parts of a split.

    Of the test part there are n_test images, or as many scenes of each as `test_placements` says: all of them once, then
    all again.
    """

    images: np.ndarray
    labels: np.ndarray
    test_images: np.ndarray
    test_labels: np.ndarray


@lru_cache(maxsize=2)
def examples_of(trial: Trial) -> Examples:
    """Return the scenes of a trial; test scenes hold nothing of a training digit, nor the other way round."""
    digits = mnist.load()
    parts = mnist.split(digits, trial.seed, trial.n_train, trial.n_test)
    sides = {"train": 1, "test": trial.test_placements}
    drawn = [_scenes(digits.images[part], trial, side, sides[side]) for part, side in zip(parts, sides, strict=True)]
    labels = [
        np.tile(digits.labels[part].astype(np.int64), len(own) // len(part))
        for part, own in zip(parts, drawn, strict=True)
    ]
    scenes = np.concatenate(drawn)
    if trial.pixels == "shuffled":
        scenes = clutter.shuffle_pixels(scenes, trial.seed.numpy("permutation"))
    scaled = np.split(scenes.astype(np.float32) / 255, [trial.n_train])
    return Examples(scaled[0], labels[0], scaled[1], labels[1])


def _scenes(images: np.ndarray, trial: Trial, side: str, placements: int) -> np.ndarray:
    if trial.scene == "uniform":
        return clutter.uniform(images, canvas=trial.canvas)
    return clutter.jittered_clutter(
        images,
        trial.seed.numpy(f"scenes {side}"),
        canvas=trial.canvas,
        fragments={"moved": 0, "fragments": trial.fragments, "clutter": trial.fragments}[trial.scene],
        fragment=trial.fragment,
        placements=placements,
        anywhere=trial.scene != "fragments",
    )


def network(width: int) -> nn.Sequential:
    """Return three stages of convolution, normalisation and pooling; the last pools over all places.

    A unit of the last stage sees 32 x 32 pixels, the whole digit wherever it lies. Normalisation follows Ioffe &
    Szegedy 2015; it replaces the hand-set learning rates of LeNet-7.
    """
    stages: list[nn.Module] = []
    channels = (1, width, 2 * width, 4 * width)
    pools = (nn.MaxPool2d(2), nn.MaxPool2d(2), nn.AdaptiveMaxPool2d(1))
    for before, after, padding, pool in zip(channels[:-1], channels[1:], (2, 2, 0), pools, strict=True):
        # Pooling commutes with the rectifier and nearly with the normalisation; done first, both cost a quarter.
        stages += [nn.Conv2d(before, after, 5, padding=padding), pool, nn.BatchNorm2d(after), nn.ReLU()]
    return nn.Sequential(*stages, nn.Flatten(), nn.Linear(channels[-1], CLASSES))


def train_network(trial: Trial, observer: Observer | None = None) -> Ensemble:
    """Return the network of one trial."""
    examples = examples_of(trial)
    return train(
        partial(network, trial.width),
        examples.images[None, :, None],
        examples.labels[None],
        (trial.seed,),
        recipe=trial.recipe,
        observer=observer,
    )


def trained_network(trial: Trial) -> tuple[Ensemble, float]:
    """Return the network of one trial and its training time."""
    return _trained_once(replace(trial, features="trained"))  # what is done with its features does not change it


@lru_cache(maxsize=64)  # of 0.3 MB each: two arms use a network, and so does the control that leaves it as it is
def _trained_once(trial: Trial) -> tuple[Ensemble, float]:
    return timed(partial(train_network, trial), trial.recipe.device)


def features_of(ensemble: Ensemble, images: np.ndarray) -> np.ndarray:
    """Return what the network hands to its last layer, (n, 4 * width)."""
    last = len(ensemble.module) - 1
    return ensemble.features(images[None, :, None], upto=last)[0].float().numpy()


def pixels_of(images: np.ndarray) -> np.ndarray:
    """Return images as rows, (n, canvas * canvas)."""
    return images.reshape(len(images), -1)


def learner(arm: str, trial: Trial) -> Callable[[], Classifier]:
    """Return the training of an arm, all set up: data drawn, penalty searched, features computed."""
    if arm == "cnn":
        return lambda: classifier_of(train_network(trial))
    rows = _inputs_of(arm, trial)
    examples = examples_of(trial)
    inputs = rows(examples.images)
    if arm == "nearest_neighbours":
        neighbours = KNeighborsClassifier(trial.neighbours, algorithm="brute")
        return lambda: _reading(neighbours.fit(inputs, examples.labels), rows)
    penalty = searched_penalty(inputs, examples.labels, trial)
    return lambda: _reading(support_vectors.fit(inputs, examples.labels, penalty), rows)


def searched_penalty(inputs: np.ndarray, labels: np.ndarray, trial: Trial) -> support_vectors.SvmParameters:
    """Return the cost and width of a machine, the best of a grid on held-out training data."""
    return support_vectors.search(
        inputs,
        labels,
        trial.seed.numpy("search"),
        n_search=trial.n_search,
        costs=trial.costs,
        widths=trial.kernel_widths,
    )


def _reading(machine: Any, rows: Callable[[np.ndarray], np.ndarray]) -> Classifier:
    """Return what a fitted machine says of images, of which it sees `rows`."""
    return lambda images: machine.predict(rows(images))


def _inputs_of(arm: str, trial: Trial) -> Callable[[np.ndarray], np.ndarray]:
    """Return what turns images into the rows that an arm's machine sees."""
    if arm != "svm_on_cnn_features":
        return pixels_of
    untrained = replace(trial, recipe=replace(trial.recipe, epochs=0))
    ensemble, _ = trained_network(untrained if trial.features == "untrained" else trial)
    return partial(features_of, ensemble)


def classifier_of(ensemble: Ensemble) -> Classifier:
    """Return what a network says of images: the class of its largest output."""
    return lambda images: ensemble.predict(images[None, :, None])[0].argmax(-1).numpy()


def measure(arm: str, seeds: Seeds, **settings: Any) -> dict[str, np.ndarray]:
    """Return the test error, and of all but neighbours the seconds of training and per test image, each of shape (n_seeds,).

    Training time leaves out drawing data and searching penalties, and for the machine on features also the training
    of the network: the source counts so.
    """
    rows = [_measure_one(arm, Trial.of(seed, **settings)) for seed in seeds]
    found = dict(zip(("test_error", "training_time", "inference_time"), np.array(rows).T, strict=True))
    return {"test_error": found["test_error"]} if arm == "nearest_neighbours" else found


def _measure_one(arm: str, trial: Trial) -> tuple[float, float, float]:
    if arm == "cnn":
        ensemble, training_time = trained_network(trial)
        classify = classifier_of(ensemble)
    else:
        classify, training_time = timed(learner(arm, trial), trial.recipe.device)
    examples = examples_of(trial)
    said, inference_time = timed(partial(classify, examples.test_images), trial.recipe.device)
    error = float(np.mean(said != examples.test_labels))
    return error, training_time, inference_time / len(said)


def prepare_training(arm: str, seed: Seed, **settings: Any) -> Callable[[], object]:
    """Return a function that trains an arm once."""
    return learner(arm, Trial.of(seed, **settings))


def prepare_inference(arm: str, seed: Seed, **settings: Any) -> Callable[[], object]:
    """Return a function that classifies the test images by an arm trained beforehand."""
    trial = Trial.of(seed, **settings)
    return partial(learner(arm, trial)(), examples_of(trial).test_images[: trial.n_test])
