"""Scenes, how the network's error falls below the machine's, and who errs on what."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from harness.pictures import Curves, Images, Line, Matrix
from harness.training.learning_curve import LearningCurve

if TYPE_CHECKING:
    from types import ModuleType

    from harness.seeds import Seed


def illustrate(experiment: ModuleType, seed: Seed, arms: dict[str, dict[str, Any]]) -> list[Curves | Images | Matrix]:
    """Draw what the scenes look like, how the network's test error falls below the machine's, and who errs on what."""
    lines, images, captions = [], [], []
    for scene in ("uniform", "moved", "fragments", "clutter"):
        trial = experiment.Trial.of(seed, scene=scene, **{**arms["cnn"], "test_placements": 1})
        examples = experiment.examples_of(trial)
        images += [*examples.images[:2], *examples.test_images[:2]]
        captions += [f"{scene}, a {label}" for label in (*examples.labels[:2], *examples.test_labels[:2])]
        if scene in ("moved", "fragments"):
            continue
        steps = trial.recipe.steps_in_an_epoch(trial.n_train)
        curve = LearningCurve(examples.test_images[None, :, None], examples.test_labels[None], steps)
        network = experiment.classifier_of(experiment.train_network(trial, curve.observer))
        classifiers = {"network": network, "machine": experiment.learner("gaussian_svm", trial)()}
        said = {name: classify(examples.test_images) for name, classify in classifiers.items()}
        machine = float(np.mean(said["machine"] != examples.test_labels))
        lines += [
            curve.line(f"network, {scene}"),
            Line(f"machine, {scene}", [0, trial.recipe.epochs], [machine, machine]),
        ]
    title = "Test error of the network while it learns; the machine learns in one go"
    curves = Curves(title, "epoch", "test error (fraction)", lines, log="y")
    scenes = Images("Scenes of all four kinds, two to train on and two to be tested on", captions, images)
    # Those of the last scene, the clutter.
    confusions = [_confusions(f"Confusions of the {name} in clutter", examples.test_labels, labels)
                  for name, labels in said.items()]  # fmt: skip
    return [scenes, curves, *confusions]


def _confusions(title: str, labels: np.ndarray, said: np.ndarray) -> Matrix:
    """Return how often each digit was taken for which."""
    counts = np.zeros((10, 10), dtype=np.int64)
    np.add.at(counts, (labels, said), 1)
    digits = [str(digit) for digit in range(10)]
    return Matrix(title, "digit", "taken for", digits, digits, counts)
