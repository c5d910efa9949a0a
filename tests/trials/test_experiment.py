"""An experiment that has yet to be written."""

from __future__ import annotations

import sys

import pytest

from harness.errors import TrialError
from harness.seeds import seeds_of
from harness.trials.experiment import load_experiment, run_task
from harness.trials.task import Task

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


SAYING = [sys.executable, "-c", "import sys; [print('line', i, file=sys.stderr) for i in range(9)]; sys.exit(3)"]

FAILING = {
    "captured": (
        "subprocess.run(SAYING, check=True, capture_output=True, text=True)",
        "stderr ends: line 4 / line 5 /",
    ),
    "as bytes": ("subprocess.run(SAYING, check=True, capture_output=True)", "line 7 / line 8"),
    "with its output": ("subprocess.check_output(SAYING, stderr=subprocess.STDOUT)", "output ends: line 4 /"),
    "as the cause": (
        "\n    try: subprocess.run(SAYING, check=True, capture_output=True)\n    except subprocess.CalledProcessError as error: raise ValueError('no training') from error",
        "ValueError: no training; the command's stderr ends: line 4",
    ),
    "not captured": (
        "subprocess.run(SAYING, check=True, stderr=subprocess.DEVNULL)",
        "its stderr was not captured: subprocess.run(..., check=True, capture_output=True",
    ),
    "silent": ("subprocess.run([sys.executable, '-c', 'exit(3)'], check=True, capture_output=True)", "said nothing"),
}


@pytest.mark.parametrize("kind", FAILING)
def test_a_command_that_fails_is_quoted(experiment, kind):
    call, words = FAILING[kind]
    path = experiment(f"    import subprocess, sys\n    SAYING = {SAYING!r}\n    {call}\n")
    (outcome,) = run_task(Task(path, path.parent, "a", {}, seeds_of("c", 0, [0]), {}, ("level",)))

    assert words in outcome.error
    assert "\n" not in outcome.error
    assert len(outcome.error) < 2000


def test_of_a_command_that_says_much_the_end_is_quoted(experiment):
    script = "import sys; print('x' * 100000 + '\\x1b[31mthe end', file=sys.stderr); sys.exit(1)"
    path = experiment(
        f"    import subprocess, sys\n    subprocess.run([sys.executable, '-c', {script!r}], check=True, capture_output=True)\n"
    )
    (outcome,) = run_task(Task(path, path.parent, "a", {}, seeds_of("c", 0, [0]), {}, ("level",)))

    assert outcome.error.endswith("\ufffd[31mthe end")


def test_an_exception_that_is_its_own_cause_is_told_once(experiment):
    path = experiment("    a, b = ValueError('a'), ValueError('b')\n    a.__cause__, b.__cause__ = b, a\n    raise a\n")
    (outcome,) = run_task(Task(path, path.parent, "a", {}, seeds_of("c", 0, [0]), {}, ("level",)))

    assert outcome.error.endswith("ValueError: a")
