"""An experiment that has yet to be written."""

from __future__ import annotations

import pytest

from harness.errors import TrialError
from harness.experiment import load_experiment

HEAD = "def measure(arm, seeds, **settings):\n"


@pytest.mark.parametrize(
    "body",
    [
        '    raise NotImplementedError("write measure()")\n',
        "    raise NotImplementedError\n",
        '    """Return it."""\n    raise NotImplementedError\n',
        "    ...\n    raise NotImplementedError\n",
    ],
)
def test_a_measure_that_has_yet_to_be_written_is_told_by_its_line(tmp_path, body):
    path = tmp_path / "experiment.py"
    path.write_text(HEAD + body)

    with pytest.raises(TrialError) as error:
        load_experiment(path, tmp_path)

    line = len((HEAD + body).splitlines())
    assert str(error.value) == f"{path}:{line}: write measure(); what stands there only raises NotImplementedError"


@pytest.mark.parametrize(
    "body",
    [
        "    if arm == 'net':\n        raise NotImplementedError\n    return {}\n",
        "    check(arm)\n    x = 1\n    raise NotImplementedError\n",
        "    raise ValueError('too cold')\n",
    ],
)
def test_a_measure_that_does_something_is_called(tmp_path, body):
    path = tmp_path / "experiment.py"
    path.write_text(HEAD + body)

    assert callable(load_experiment(path, tmp_path).measure)
