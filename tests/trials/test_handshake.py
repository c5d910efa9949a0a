"""A process elsewhere has what a run was planned with, or refuses and says what it has not."""

from __future__ import annotations

import shutil
from dataclasses import replace

import pytest

from harness.trials import handshake
from harness.trials.catalogue import load_claim
from harness.trials.executor import Processes
from harness.trials.handshake import refusal_of
from harness.trials.options import Options
from harness.trials.plan import make_plan, tasks_of
from harness.trials.provenance import code_of
from harness.trials.remote import Remote, moved, travelling
from tests.tiny_project import write_claim, write_data

POINT = (("arm", "warm"),)


@pytest.fixture
def home(tmp_path):
    folder = tmp_path / "home"
    write_claim(folder, replace=write_data(folder))
    return folder


@pytest.fixture
def there(home, tmp_path):
    """A copy of the project, as it arrives on a node."""
    return shutil.copytree(home, tmp_path / "there")


def planned(home):
    plan = make_plan(load_claim(home / "claims/notes/warm_exceeds_cold"), Options())
    (task,) = tasks_of(plan, [POINT], [0, 1], lambda _: {})
    return travelling(task)


def why(task, there):
    outcomes = refusal_of(moved(task, there))
    assert {(outcome.refused, outcome.error) for outcome in outcomes} <= {(True, outcomes[0].error if outcomes else "")}
    assert len(outcomes) in (0, 2), "one for every seed, or none"
    return outcomes[0].error if outcomes else None


def test_a_copy_is_the_same(home, there):
    assert why(planned(home), there) is None


def test_other_code_is_refused_by_the_names_of_its_files_and_its_words_alone_are_no_other_code(home, there):
    task, file = planned(home), there / "claims/notes/warm_exceeds_cold/experiment.py"
    file.write_text("# a comment\n" + file.read_text())
    assert why(task, there) is None

    file.write_text(file.read_text().replace("normal(centre, spread)", "normal(spread, centre)"))
    handshake._code_here.cache_clear()
    assert why(task, there) == "code differs there: claims/notes/warm_exceeds_cold/experiment.py"


def test_code_that_is_not_there_is_refused(home, there):
    shutil.rmtree(there / "claims")

    assert "code cannot be read there: FileNotFoundError" in why(planned(home), there)


@pytest.mark.parametrize(
    ("name", "version", "words"),
    [
        ("python", "3.0", "python is 3."),
        ("numpy", "0.1", "there, the run was planned with 0.1"),
        ("no-such-package", "1.0", "no-such-package is missing there, the run was planned with 1.0"),
    ],
)
def test_other_versions_are_refused(home, there, name, version, words):
    task = planned(home)

    assert words in why(replace(task, environment={**task.environment, name: version}), there)


@pytest.mark.parametrize("name", ["device", "precision"])
def test_what_a_run_chooses_is_no_version(home, there, name):
    task = planned(home)

    assert why(replace(task, environment={**task.environment, name: "another"}), there) is None


def test_other_data_are_refused(home, there):
    task = replace(planned(home), data=(("numbers", "b" * 64),))

    assert (
        why(task, there) == f"data: numbers is numbers of sha256 {'a' * 12} there, the run was planned with {'b' * 12}"
    )


def test_data_that_are_not_there_are_refused_in_their_own_words(home, there):
    task = planned(home)
    write_data(there, "raise DataError('numbers: set CLAIMS_DATA_DIR')")
    # The module of the data is code, too; here it is the data alone that are asked for.
    assert why(replace(task, code=replace(task.code, parts=code_there(there, task))), there) == (
        "data: numbers: numbers: set CLAIMS_DATA_DIR"
    )


def code_there(there, task):
    return code_of(there / task.experiment, there).parts


def test_a_worker_measures_nothing_where_something_differs(home, there):
    task = planned(home)
    executor = Processes(1)
    try:
        ((_, fine),) = executor.run([[moved(task, there)]])
        ((_, other),) = executor.run([[moved(replace(task, data=(("numbers", "b" * 64),)), there)]])
    finally:
        executor.close()

    assert [outcome.error for outcome in fine] == [None, None]
    assert fine[0].metrics["level"] > 0
    assert [(outcome.refused, outcome.metrics) for outcome in other] == [(True, {}), (True, {})]


def test_what_measures_on_a_node_names_files_where_the_user_has_them(home, there, monkeypatch):
    experiment = home / "claims/notes/warm_exceeds_cold/experiment.py"
    text = experiment.read_text().replace("    return {", "    raise ValueError(arm)\n    return {", 1)
    for folder in (home, there):
        (folder / experiment.relative_to(home)).write_text(text)
    monkeypatch.chdir(there)
    remote = Remote(str(home))
    try:
        outcomes = remote.measure(planned(home))
    finally:
        remote._pool.close()

    assert outcomes[0].error.startswith(f"{experiment}:")
    assert "ValueError: warm" in outcomes[0].error
    assert str(there) not in outcomes[0].trace
