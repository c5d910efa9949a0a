"""`experiment: estimators`: arms are estimators of scikit-learn's kind, and no Python is written."""

from __future__ import annotations

import numpy as np
import pytest

from harness.errors import TrialError
from harness.seeds import seeds_of
from harness.trials.catalogue import load_all
from harness.trials.estimators import measure
from tests.tiny_project import write_claim

WINE = {"data": "sklearn.datasets.load_wine"}
TREE = "sklearn.tree.DecisionTreeClassifier"
SEEDS = seeds_of("estimators", 0, range(4))

CLAIM = """\
id: {id}
title: A forest beats its trees on wines
statement: A random forest errs less than one tree on Wine.
source: {{document: notes, section: "1"}}
strength: same_setting
does_not_show: anything about other data
experiment: estimators
arms:
  tree: {{estimator: sklearn.tree.DecisionTreeClassifier}}
  forest: {{estimator: sklearn.ensemble.RandomForestClassifier, n_estimators: 20, max_features: sqrt, bootstrap: true}}
settings: {{data: sklearn.datasets.load_wine}}
metrics:
  error_rate: {{unit: fraction, better: lower, bounds: [0, 1]}}
readings:
  as_documented:
    expectations:
      forest_errs_less:
        contrast: {{difference: error_rate, of: {{arm: tree}}, minus: {{arm: forest}}}}
        band: {{at_least: 0.0}}
        because: to be better is to err less
controls:
  one_tree:
    change: {{n_estimators: 1, max_features: null, bootstrap: false}}
    arms: [forest]
    breaks: [forest_errs_less]
    because: one tree that sees all is a tree
profiles:
  smoke: {{seeds: 2}}
  quick: {{seeds: {{first: 6, step: 2, cap: 24}}}}
"""


def test_split_and_estimator_are_drawn_by_the_seed_and_by_nothing_else():
    found = measure("tree", SEEDS, estimator=TREE, **WINE)["error_rate"]

    assert found.shape == (4,)
    assert len(set(found.tolist())) > 1
    np.testing.assert_array_equal(measure("tree", SEEDS[2:], estimator=TREE, **WINE)["error_rate"], found[2:])


def test_scores_are_scikit_learns_by_name_on_what_was_not_fitted():
    from sklearn.datasets import load_wine
    from sklearn.metrics import balanced_accuracy_score
    from sklearn.model_selection import train_test_split
    from sklearn.tree import DecisionTreeClassifier

    scores = ("error_rate", "balanced_accuracy", "fit_seconds")
    found = measure("tree", SEEDS[:1], estimator=TREE, scores=scores, test_share=0.5, max_depth=1, **WINE)

    inputs, targets = load_wine(return_X_y=True)
    split = {"test_size": 0.5, "stratify": targets, "random_state": SEEDS[0].entropy("split") >> 32}
    fitted, left, labels, wanted = train_test_split(inputs, targets, **split)
    stump = DecisionTreeClassifier(max_depth=1, random_state=SEEDS[0].entropy("estimator") >> 32).fit(fitted, labels)
    assert found["error_rate"][0] == pytest.approx(1 - stump.score(left, wanted))
    assert found["fit_seconds"][0] > 0
    assert found["balanced_accuracy"][0] == balanced_accuracy_score(wanted, stump.predict(left))


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"estimator": "sklearn.tree.Tree"}, "estimator: 'sklearn.tree.Tree' cannot be imported: "),
        ({"estimator": "Tree"}, "estimator: 'Tree' cannot be imported: "),
        ({"estimator": TREE, "depth": 3}, "estimator: DecisionTreeClassifier: .*'depth'; settings besides "),
        (
            {"estimator": TREE, "data": "builtins.dict"},
            "data: 'builtins.dict' returned dict; return inputs and targets",
        ),
        ({"estimator": TREE, "scores": ("goodness",)}, "'goodness' is no scorer of scikit-learn's; give "),
    ],
)
def test_what_cannot_be_is_said_in_one_line(given, message):
    with pytest.raises(TrialError, match=message):
        measure("tree", SEEDS[:1], **{**WINE, **given})


def test_a_claim_of_estimators_needs_no_python_and_its_control_breaks_it(tmp_path, run):
    folder = write_claim(tmp_path, claim=CLAIM)
    (folder / "experiment.py").unlink()
    assert load_all(tmp_path / "claims")[1] == []

    record = run(folder)

    assert record.readings["as_documented"].verdict == "VERIFIED"
    assert record.controls["one_tree"].behaves


def test_an_experiment_beside_it_is_one_too_many(tmp_path):
    folder = write_claim(tmp_path, claim=CLAIM)

    (problem,) = load_all(tmp_path / "claims")[1]
    assert (
        problem
        == f"{folder}/claim.yaml:7:1: experiment: stands beside experiment.py; remove one: a claim is measured in one way"
    )
