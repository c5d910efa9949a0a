"""Every claim could have failed: one line of its experiment broken, and its verdict turns.

Each row breaks a claim the way a careless edit would, runs one of its readings at the quick scale with fresh trials,
and asserts that the reading no longer comes out as expected. The unbroken claims are run by `nox -s claims`.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from harness.running.claim_run import Context, run_claim
from harness.trials.catalogue import claim_folders, load_claim
from harness.trials.executor import Processes
from harness.trials.options import Options
from harness.trials.provenance import cores

PROJECT = Path(__file__).parents[1]


@dataclass(frozen=True)
class Sabotage:
    """A line of an experiment, what it is broken into, and the reading that must notice."""

    claim: str
    what: str
    old: str
    new: str
    reading: str


SABOTAGE = [
    Sabotage(
        "gradient_descent_tends_to_max_margin",
        "descends the squared loss whatever is asked",
        '(expit(-margins) if loss == "logistic" else 1 - margins)',
        "(1 - margins)",
        "as_documented",
    ),
    Sabotage(
        "parity_needs_exponentially_many_gaussian_bases",
        "labels by majority instead of parity",
        "return TARGETS[target](corners)",
        "return majority(corners)",
        "as_published",
    ),
    Sabotage(
        "kernel_regression_error_rate",
        "leaves the inputs on a line",
        "return np.eye(dimension)",
        "return np.eye(1, dimension)",
        "as_published",
    ),
    Sabotage(
        "hopfield_network_recalls_stored_patterns",
        "flips the sign of Hebb's rule",
        "couplings = patterns.T @ patterns",
        "couplings = -(patterns.T @ patterns)",
        "as_documented",
    ),
    Sabotage(
        "overparameterization_does_not_hurt_test_error",
        "ignores the width",
        "nn.Linear(SIDE * SIDE, width), nn.ReLU(), nn.Linear(width, CLASSES)",
        "nn.Linear(SIDE * SIDE, 2), nn.ReLU(), nn.Linear(2, CLASSES)",
        "as_documented",
    ),
    Sabotage(
        "random_labels_are_fit",
        "gives the true labels to every arm",
        'known[training] if labels == "true" else random_labels(seeds, n_train)',
        "known[training]",
        "knows_nothing_of_test_data",
    ),
    Sabotage(
        "pretraining_lowers_mnist_error",
        "swaps pre-trained and shuffled weights",
        'return weights if start == "pretrained" else shuffled',
        'return weights if start == "shuffled" else shuffled',
        "features_not_scale",
    ),
    Sabotage(
        "cnn_beats_svm_under_clutter",
        "swaps the network and the machine",
        "_measure_one(arm, ",
        '_measure_one({"cnn": "gaussian_svm", "gaussian_svm": "cnn"}.get(arm, arm), ',
        "ahead_without_clutter_as_published",
    ),
]


def test_every_claim_is_sabotaged():
    assert {row.claim for row in SABOTAGE} == {folder.name for folder in claim_folders(PROJECT / "claims")}


@pytest.mark.slow
@pytest.mark.parametrize("row", SABOTAGE, ids=lambda row: f"{row.claim}: {row.what}")
def test_a_broken_line_turns_the_verdict(row, tmp_path, store):
    folder = copy_of(row, tmp_path)
    options = Options(profile="quick", base_seed=0)
    # On a large machine as on a small one: each process takes a torch, and the tests run side by side.
    executor = Processes(min(cores(), 2))
    try:
        # Timed claims too: here only the verdicts on errors are at stake.
        record = run_claim(folder, Context(options, store, lambda _: executor, "sabotage"), [row.reading])
    finally:
        executor.close()

    reading = record["readings"][row.reading]
    assert not reading["as_expected"], f"{row.what}, and still {reading['verdict']}"
    # The verdict, or the message of an invalid one, must come from the science and not from a crash of the edit.
    assert reading["verdict"] in {"REFUTED", "INCONCLUSIVE"} or record["errors"]
    assert not [error for error in record["errors"] if "SyntaxError" in error or "NameError" in error]


def copy_of(row: Sabotage, target: Path):
    """Copy the claim into a project of its own, with the one line broken."""
    (source,) = (folder for folder in claim_folders(PROJECT / "claims") if folder.name == row.claim)
    shutil.copytree(source, target / "claims" / source.parent.name / source.name)
    shutil.copy(source.parent / "document.yaml", target / "claims" / source.parent.name)
    # The fixtures are the project's own: they are imported from there already.
    path = target / "claims" / source.parent.name / source.name / "experiment.py"
    text = path.read_text()
    assert text.count(row.old) == 1, f"{row.old!r} must stand once in {path.name}; it was edited: choose the line anew"
    path.write_text(text.replace(row.old, row.new))
    found = load_claim(path.parent)
    # What is asked is whether the expectations themselves notice; to measure the controls too would take twice as long.
    return replace(found, claim=found.claim.model_copy(update={"controls": {}}))
