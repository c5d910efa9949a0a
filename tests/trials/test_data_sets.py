"""Data sets that claims declare: known without training, part of every key, and the same where trials are measured."""

from __future__ import annotations

import subprocess
import sys

import pytest

from harness.errors import DataError, SpecError
from harness.trials.catalogue import load_claim
from harness.trials.data_sets import record_of
from harness.trials.experiment import run_task
from harness.trials.options import Options
from harness.trials.plan import make_plan, tasks_of
from tests.outside import PROJECT
from tests.tiny_project import write_claim, write_data

OTHER = "return DataRecord('numbers', 'b' * 64, 10, 'nowhere')"


def keys(folder):
    return [key for task in first_tasks(folder) for key in task.keys]


def first_tasks(folder):
    plan = make_plan(load_claim(folder), Options(workers=1))
    return tasks_of(plan, [(("arm", "warm"),)], [0], lambda _: {})


def test_the_content_is_part_of_every_key(tmp_path):
    plain = keys(write_claim(tmp_path))
    one, again = (keys(write_claim(tmp_path, replace=write_data(tmp_path))) for _ in range(2))
    other = keys(write_claim(tmp_path / "x", replace=write_data(tmp_path / "x", OTHER)))

    assert one == again
    assert len({*plain, *one, *other}) == 3


def test_a_trial_is_measured_on_no_other_data_than_it_was_planned_with(tmp_path):
    """What the process itself would load is asked, not what it was told: here another content than the plan's."""
    (task,) = first_tasks(write_claim(tmp_path, replace=write_data(tmp_path)))
    assert run_task(task)[0].error is None
    write_data(tmp_path, OTHER)

    (outcome,) = run_task(task)

    assert outcome.metrics == {}
    assert (
        "this process loads numbers of sha256 bbbbbbbbbbbb, and the run was planned with aaaaaaaaaaaa" in outcome.error
    )


def test_an_unknown_data_set_is_named_with_its_line_and_a_remedy(tmp_path):
    write_data(tmp_path)
    folder = write_claim(tmp_path, replace={"arms:\n": "data: [numbers, number]\narms:\n"})

    with pytest.raises(SpecError) as error:
        load_claim(folder)

    (problem,) = error.value.problems
    assert problem.startswith(f"{folder}/claim.yaml:7:17: data[1]: 'number' is no data set of this project")
    assert "did you mean 'numbers'?; a data set NAME is described by fixtures/NAME.py" in problem


def test_a_module_without_record_is_no_data_set(tmp_path):
    folder = write_claim(tmp_path, replace=write_data(tmp_path))
    (tmp_path / "fixtures/numbers.py").write_text("def load(): ...\n")

    with pytest.raises(SpecError, match=r"data\[0\]: .*numbers\.py has no function record\(\)"):
        load_claim(folder)


@pytest.mark.parametrize(
    ("told", "message"),
    [
        ("raise DataError('cut short')", "^cut short$"),
        ("raise ValueError('what')", r"numbers\.py: record\(\): ValueError: what"),
        ("return 'a' * 64", r"numbers\.py: record\(\) returned str, not a DataRecord"),
        ("return", r"numbers\.py: record\(\) returned NoneType, not a DataRecord"),
        (
            "return DataRecord('n', 'a', 1.0, 's')",
            r"numbers\.py: record\(\): size: should be a whole number \(int\).*, not 1\.0",
        ),
        ("return DataRecord('n', 'a', -1, 's')", r"size: should be a whole number \(int\) from 0 upwards, not -1"),
        ("return DataRecord('n', None, 1, 's')", r"sha256: should be text, not None"),
    ],
)
def test_a_loader_that_fails_is_an_error_of_data(tmp_path, told, message):
    write_data(tmp_path, told)

    with pytest.raises(DataError, match=message):
        record_of("numbers", tmp_path)


def test_a_loader_is_asked_once_in_a_process_until_it_is_edited(tmp_path):
    count = "CALLS.append(1); return DataRecord('numbers', f'{len(CALLS):064}', 10, 'nowhere')"
    write_data(tmp_path, count)
    with (tmp_path / "fixtures/numbers.py").open("a") as file:
        file.write("\n\nCALLS = []\n")

    first, second = record_of("numbers", tmp_path), record_of("numbers", tmp_path)
    write_data(tmp_path, OTHER)

    assert first is second
    assert record_of("numbers", tmp_path).sha256 == "b" * 64


HEARD = """
import sys
from pathlib import Path
from harness.trials.data_sets import record_of
from harness.trials.witness import notes_of
project = Path(sys.argv[1])
assert record_of("numbers", project).size == 3
print(*notes_of(str(project / "fixtures/numbers.py")).files)
"""


def test_what_a_loader_reads_is_heard_though_no_trial_runs_yet(tmp_path):
    """A loader reads its file once in the life of a process, be it for the plan: later trials of its code rest on it."""
    table = tmp_path / "table.txt"
    table.write_text("0.0")
    write_data(tmp_path, "return DataRecord('numbers', 'a' * 64, len(TABLE), 'nowhere')")
    with (tmp_path / "fixtures/numbers.py").open("a") as file:
        file.write(f"\n\nfrom pathlib import Path\n\nTABLE = Path({str(table)!r}).read_text()\n")

    done = subprocess.run(
        [sys.executable, "-c", HEARD, tmp_path], cwd=PROJECT, capture_output=True, text=True, check=True
    )

    assert done.stdout == f"{table}\n"


WHOLE = """
import sys
from pathlib import Path
from harness.trials.data_sets import record_of
first = record_of("numbers", Path(sys.argv[1]))
import fixtures.numbers
assert fixtures.numbers.RECORD is first, "an experiment that imports the module has the one that was asked"
"""


def test_the_module_that_is_asked_is_the_one_that_experiments_import(tmp_path):
    """Loaded once, so that data are in memory once; and whole, in its package, however it is imported."""
    write_data(tmp_path, "return RECORD")
    with (tmp_path / "fixtures/numbers.py").open("a") as file:
        file.write("\n\nRECORD = DataRecord('numbers', 'a' * 64, 3, 'nowhere')\n")
    (tmp_path / "fixtures/__init__.py").write_text("")

    command = [sys.executable, "-c", WHOLE, tmp_path]
    done = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stderr


PLANS = """
import sys
from pathlib import Path
from harness.trials.catalogue import claim_folders, load_claim
from harness.trials.options import Options
from harness.trials.plan import make_plan
plans = [make_plan(load_claim(folder), Options(device="cpu")) for folder in claim_folders(Path("claims").resolve())]
assert {record.size >= 5000 for plan in plans for record in plan.data} == {True}
loaded = [name for name in sys.modules if name in ("torch", "sklearn") or name.startswith("claims_")]
sys.exit(f"imported: {loaded}" if loaded else 0)
"""


def test_planning_every_claim_imports_no_experiment_and_no_torch():
    done = subprocess.run([sys.executable, "-c", PLANS], cwd=PROJECT, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stderr
