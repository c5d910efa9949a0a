"""What is called in the place of experiment.py where claim.yaml says `experiment: estimators`: arms are estimators of scikit-learn's kind.

It is part of its trials' keys as any experiment is, and therefore imports little.
"""

from __future__ import annotations

import time
from importlib import import_module
from typing import TYPE_CHECKING, Any

import numpy as np

from harness.errors import TrialError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.seeds import Seed, Seeds

ERROR_RATE, FIT_SECONDS = "error_rate", "fit_seconds"
"""Metrics besides those that scikit-learn scores by name."""


def measure(
    arm: str,  # noqa: ARG001 - its estimator says it all
    seeds: Seeds,
    *,
    estimator: str,
    data: str,
    test_share: float = 0.25,
    scores: Sequence[str] = (ERROR_RATE,),
    **parameters: Any,
) -> dict[str, np.ndarray]:
    """Return what an estimator scores on a part of the data that it was not fitted to, (n_seeds,) each.

    A seed draws the split, stratified for classifiers, and all that the estimator draws, by `random_state` if it has one and by
    the global generators.

    Args:
        arm: name of the arm.
        seeds: the seeds.
        estimator: import path of a class, such as sklearn.tree.DecisionTreeClassifier.
        data: import path of a function that returns inputs (n, n_features) and targets (n,), or an object with `data` and `target`.
        test_share: part of the examples that the estimator is scored on.
        scores: what is returned: error_rate, fit_seconds, or names of scikit-learn's scorers.
        parameters: of the estimator.

    Raises:
        TrialError: something of that name cannot be imported, or takes no such parameter, or there is no such scorer.
    """
    inputs, targets = _examples(data)
    rows = [
        _scored(seed, _named("estimator", estimator), inputs, targets, test_share, scores, parameters) for seed in seeds
    ]
    return {name: np.array([row[name] for row in rows]) for name in scores}


def _named(field: str, path: str) -> Any:
    module, _, name = path.rpartition(".")
    try:
        return getattr(import_module(module), name)
    except (ImportError, AttributeError, ValueError) as error:
        raise TrialError(
            f"{field}: {path!r} cannot be imported: {error}; give the path of a class or function"
        ) from error


def _examples(data: str) -> tuple[np.ndarray, np.ndarray]:
    found = _named("data", data)()
    pair = found if isinstance(found, tuple) else (getattr(found, "data", None), getattr(found, "target", None))
    if len(pair) != 2 or any(part is None for part in pair):
        raise TrialError(
            f"data: {data!r} returned {type(found).__name__}; return inputs and targets, or `data` and `target`"
        )
    return np.asarray(pair[0]), np.asarray(pair[1])


def _scored(
    seed: Seed,
    build: Any,
    inputs: np.ndarray,
    targets: np.ndarray,
    test_share: float,
    scores: Sequence[str],
    parameters: dict[str, Any],
) -> dict[str, float]:
    from sklearn.base import is_classifier
    from sklearn.model_selection import train_test_split

    state = seed.entropy("estimator") >> 32  # scikit-learn takes 32 bits
    with seed.globally("estimator"):
        own = _built(build, parameters, state)
        split = {"test_size": test_share, "random_state": seed.entropy("split") >> 32}
        stratify = targets if is_classifier(own) else None
        fitted, left, labels, wanted = train_test_split(inputs, targets, stratify=stratify, **split)
        start = time.perf_counter()
        own.fit(fitted, labels)
        seconds = time.perf_counter() - start
        return {name: seconds if name == FIT_SECONDS else _score(name, own, left, wanted) for name in scores}


def _built(build: Any, parameters: dict[str, Any], state: int) -> Any:
    try:
        own = build(**parameters)
    except TypeError as error:
        raise TrialError(
            f"estimator: {build.__name__}: {error}; settings besides the experiment's own are its parameters"
        ) from error
    drawing = "random_state" in own.get_params() and "random_state" not in parameters
    return own.set_params(random_state=state) if drawing else own


def _score(name: str, fitted: Any, inputs: np.ndarray, targets: np.ndarray) -> float:
    from sklearn.metrics import get_scorer

    try:
        score = get_scorer("accuracy" if name == ERROR_RATE else name)
    except ValueError:
        raise TrialError(
            f"{name!r} is no scorer of scikit-learn's; give error_rate, fit_seconds, accuracy, r2, ..."
        ) from None
    value = float(score(fitted, inputs, targets))
    return 1.0 - value if name == ERROR_RATE else value
