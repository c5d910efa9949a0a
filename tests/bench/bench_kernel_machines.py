"""Support vector machines with a Gaussian kernel: our block computation against libsvm's own kernel values."""

from __future__ import annotations

import pytest
from sklearn.svm import SVC

from fixtures import clutter, mnist
from harness.seeds import Seed
from harness.training import support_vectors
from harness.trials.worker import one_thread

TRAINING, TEST, COST = 2000, 1000, 10.0


@pytest.mark.parametrize("part", ["fitting", "predicting"])
def bench_kernel_machines(contest, part):
    digits, seed = mnist.load(), Seed(0, "bench", 0)
    chosen = mnist.split(digits, seed, TRAINING, TEST)
    inputs, test = (
        (clutter.jittered_clutter(digits.images[rows], seed.numpy(str(side)), canvas=32, fragments=5, fragment=6) / 255)
        .astype("float32")
        .reshape(len(rows), -1)
        for side, rows in enumerate(chosen)
    )
    labels = digits.labels[chosen[0]]
    gamma = 1 / (inputs.shape[1] * inputs.var())
    penalty = support_vectors.SvmParameters(COST, gamma)
    ours, theirs = support_vectors.fit(inputs, labels, penalty), SVC(C=COST, gamma=gamma).fit(inputs, labels)
    with one_thread():
        contest(
            "kernel machines",
            f"{part}, {TRAINING} digits in clutter, {TEST} to classify, one thread",
            {
                "fitting": lambda: support_vectors.fit(inputs, labels, penalty),
                "predicting": lambda: ours.predict(test),
            }[part],
            {
                "scikit-learn": {
                    "fitting": lambda: SVC(C=COST, gamma=gamma, cache_size=500).fit(inputs, labels),
                    "predicting": lambda: theirs.predict(test),
                }[part]
            },
            must={"scikit-learn": 1.0},
            rounds=3,
        )
