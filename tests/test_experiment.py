"""An experiment that has yet to be written."""

from __future__ import annotations

import pytest

from harness.errors import TrialError
from harness.experiment import load_experiment

HEAD = "def measure(arm, seeds, **settings):\n"


@pytest.fixture
def experiment(tmp_path):
    """Write an experiment whose measure() has the given body; return its path."""

    def write(body):
        path = tmp_path / "experiment.py"
        path.write_text(HEAD + body)
        return path

    return write


@pytest.mark.parametrize(
    ("body", "line"),
    [
        ('    raise NotImplementedError("write measure()")\n', 2),
        ("    raise NotImplementedError\n", 2),
        ('    """Return it."""\n    raise NotImplementedError\n', 3),
        ("    ...\n    raise NotImplementedError\n", 3),
    ],
)
def test_a_measure_that_has_yet_to_be_written_is_told_by_its_line(experiment, body, line):
    path = experiment(body)

    with pytest.raises(TrialError) as error:
        load_experiment(path, path.parent)

    assert str(error.value) == f"{path}:{line}: write measure(); what stands there only raises NotImplementedError"


BODIES = {
    "branch": "    if arm == 'net':\n        raise NotImplementedError\n    return {}\n",
    "work": "    check(arm)\n    x = 1\n    raise NotImplementedError\n",
    "error": "    raise ValueError('too cold')\n",
}


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
def test_a_measure_that_does_something_is_called(experiment, body):
    path = experiment(body)

    assert callable(load_experiment(path, path.parent).measure)
