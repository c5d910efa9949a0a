"""What claim.yaml gives measure() is what it takes, as far as reading tells."""

from __future__ import annotations

import pytest

from harness.trials.catalogue import load_claim
from harness.trials.signature import misfits
from tests.tiny_project import EXPERIMENT, write_claim


def found(tmp_path, signature, **claim):
    experiment = f"import numpy as np\n\n\n{signature}\n    return 1\n"
    folder = load_claim(write_claim(tmp_path, experiment=experiment, **claim))
    where = f"{folder.experiment}:4:1: measure(): "
    lines = misfits(folder)
    assert all(line.startswith(where) for line in lines)
    return [line.removeprefix(where) for line in lines]


def test_a_claim_that_fits_says_nothing(tmp_path):
    assert misfits(load_claim(write_claim(tmp_path, experiment=EXPERIMENT))) == []


@pytest.mark.parametrize(
    "signature",
    [
        "def measure(arm, seeds, *, centre, spread):",
        "def measure(arm, seeds, spread, centre):",
        "def measure(arm, seeds, *, centre, spread, more=3):",
        "def measure(arm, seeds, spread, centre, more=3):",
        "def measure(arm, seeds, **settings):",
        "def measure(arm, seeds, *, centre, **settings):",
        "measure = 1\ndef other(arm):",
        "@cached\ndef measure(arm, seeds):",
        "def measure(arm, seeds):\n    return 1\n\n\ndef measure(arm, seeds, *, centre, spread):",
        "def measure(",
    ],
)
def test_what_it_takes_and_what_reading_does_not_tell(tmp_path, signature):
    folder = load_claim(write_claim(tmp_path, experiment=f"{signature}\n    return 1\n"))

    assert misfits(folder) == []


def test_what_is_given_and_not_taken_and_what_is_taken_and_not_given(tmp_path):
    lines = found(tmp_path, "def measure(arm, seeds, *, center, spread):")

    assert "takes no 'centre', which claim.yaml gives arm 'warm'; take it, or take it out" in lines
    assert "needs 'center', which claim.yaml does not give arm 'warm'; give it there, or under settings" in lines
    assert (
        "takes no 'centre', which claim.yaml gives arm 'cold' under control 'same_centre'; take it, or take it out"
        in lines
    )
    assert len(lines) == len(set(lines))
    assert not [line for line in lines if "'spread'" in line]


def test_it_is_a_problem_of_the_check(tmp_path, claims):
    folder = write_claim(tmp_path, experiment="def measure(arm, seeds, *, centre):\n    return 1\n")
    code, out, _ = claims("check")

    assert code == 2
    assert f"{folder}/experiment.py:1:1: measure(): takes no 'spread', which claim.yaml gives arm 'cold'" in out
    assert out.endswith("0 claims are sound, 4 problems\n")
