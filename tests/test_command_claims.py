"""Whole runs of a claim about a training script: measured again when what it reads changes, else reused; killed, and resumed."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import pytest

from harness.report.view import details
from harness.retrospect.undeclared import undeclared
from harness.running.claim_run import run_claim
from harness.running.context import Context
from harness.running.proof.declared import declared
from harness.running.proof.versions import versions_of
from harness.trials.catalogue import load_claim
from harness.trials.executor import Processes
from harness.trials.options import Options
from harness.trials.plan import make_plan
from tests.command_claim import SCRIPT, write

TRIALS = 18
"""Two arms of six seeds, and the control's warm arm."""

RUN = '  run: [python, -S, train.py, "{seed}", "{gain}"]\n'


@pytest.fixture(scope="module")
def executor():
    with closing(Processes(2)) as shared:
        yield shared


@pytest.fixture
def nights(executor, store):
    """Run a claim again and again; return each time its record."""
    count = iter(range(99))

    def one(folder, **options):
        context = Context(Options(**{"workers": 2, **options}), store, lambda _: executor, f"run {next(count)}")
        return run_claim(load_claim(folder), context)

    return one


def came(record):
    assert not record.errors
    return record.trials.measured, record.measured_again


def since(what, trials=TRIALS):
    return [f"{what} since these trials were measured: {trials} trials are measured again"]


def test_a_verdict_by_a_script_that_knows_nothing_of_this_tool(tmp_path, nights):
    record = nights(write(tmp_path))

    assert came(record) == (TRIALS, [])
    assert record.readings["as_documented"].verdict == "VERIFIED"
    assert record.controls["hardly_a_gain"].behaves
    (found,) = record.readings["as_documented"].expectations.values()
    assert found.estimate == pytest.approx(1.0, abs=0.1), "arms of one seed draw the same numbers, whose spread is nine"
    assert dict(details(record))["command"] == "python -S train.py '{seed}' '{gain}'"


def test_script_module_and_configuration_changed_one_after_the_other_are_measured_again(tmp_path, nights):
    folder = write(tmp_path)
    assert came(nights(folder)) == (TRIALS, [])
    assert came(nights(folder)) == (0, [])

    changes = {
        "train.py": SCRIPT + "# more\n",
        "gains.py": "def of(gain):\n    return 2 * gain\n",
        "config.txt": "0.125\n",
    }
    for name, text in changes.items():
        (tmp_path / name).write_text(text)
        assert came(nights(folder)) == (TRIALS, since(f"{name} changed"))
        assert came(nights(folder)) == (0, [])

    write(tmp_path, {"{gain: 1.0}": "{gain: 1.5}"}, script=SCRIPT)
    for name in ("gains.py", "config.txt"):
        (tmp_path / name).write_text(changes[name])
    assert nights(folder).readings["as_documented"].expectations["warm_exceeds_cold"].estimate == pytest.approx(
        3.0, abs=0.3
    )


def test_without_inputs_nothing_is_reused_by_a_later_run_and_check_says_why(tmp_path, nights, store):
    folder = write(tmp_path, {"inputs: [train.py, gains.py, config.txt]\n": ""})
    words = "`python -S train.py '{seed}' '{gain}'` was started, and what a command reads is not seen"

    assert came(nights(folder)) == (TRIALS, [])
    measured, (why,) = came(nights(folder))
    assert measured == TRIALS
    assert why.startswith(f"{words}: name its files in `inputs:` of claim.yaml")
    (note,) = undeclared(load_claim(folder), store)
    assert note.startswith(f"{folder}/claim.yaml:7:1: command: is started for every trial: what it reads is not seen")
    assert not list(undeclared(load_claim(write(tmp_path)), store))


FAILS_ONCE = SCRIPT.replace(
    "offset =",
    "import os\nif os.path.exists('broken') and float(gain) and int(seed) % 2:\n    sys.exit('diverged')\noffset =",
)


def test_a_seed_that_fails_fails_alone_and_is_measured_again_alone(tmp_path, nights):
    folder = write(tmp_path, script=FAILS_ONCE)
    (tmp_path / "broken").touch()
    record = nights(folder)

    assert record.readings["as_documented"].verdict == "INVALID"
    assert 0 < record.trials.failed < 6
    assert all("exited with code 1; the command's stderr ends: diverged" in error for error in record.errors)
    assert record.errors[0].startswith("seed ")
    assert "stderr: diverged" in record.traces[0]

    (tmp_path / "broken").unlink()
    assert came(nights(folder))[0] < TRIALS - 6 + record.trials.failed + 1


def test_the_log_of_a_trial_is_kept_with_it(tmp_path, nights, store):
    nights(write(tmp_path))
    (first, *_) = store.past("", 1)

    assert [line.partition(" ")[0] for line in first.log.splitlines()] == ["stdout:", "stdout:", "stderr:"]
    assert "stdout: epoch 1 of 1" in first.log


def test_what_breaks_modules_of_this_tool_has_nothing_to_break(tmp_path):
    folder = load_claim(write(tmp_path))

    assert versions_of(make_plan(folder, Options())) == []
    found = {check.name: (check.applies, check.failures) for check in declared(folder)}
    assert found["sabotage.yaml"] == (False, [])
    assert found["settings"] == (True, [])


WAITS = SCRIPT.replace(
    "offset =",
    """
import os, time
with open(f"started/{seed}-{gain}", "a") as file:
    file.write(f"{os.getpid()}\\n")
while os.path.exists("wait") and len(os.listdir("started")) > 3:
    time.sleep(0.01)
offset =""",
)


def claims_run(root, *more):
    environment = {**os.environ, "CLAIMS_LOCKS": str(root)}
    command = [
        sys.executable,
        "-m",
        "harness",
        "--root",
        str(root),
        "run",
        "--workers",
        "1",
        "-p",
        "no:cacheprovider",
        *more,
    ]
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def kept(root):
    """Return how many trials are in the project's store."""
    try:
        with closing(sqlite3.connect(f"file:{root}/.claims/store.sqlite3?mode=ro", uri=True)) as file:
            return file.execute("SELECT count(*) FROM trial").fetchone()[0]
    except sqlite3.Error:
        return 0


def is_gone(pid):
    stat = Path(f"/proc/{pid}/stat")
    try:
        return stat.read_text().rpartition(")")[2].split()[0] in "ZX"
    except OSError:
        return True


def test_a_run_that_is_killed_takes_its_script_along_and_the_same_command_goes_on_from_there(tmp_path):
    write(tmp_path, script=WAITS)
    (tmp_path / "wait").touch()
    (tmp_path / "started").mkdir()
    run, end = claims_run(tmp_path), time.monotonic() + 60
    while (len(list((tmp_path / "started").iterdir())), kept(tmp_path)) != (4, 3) and time.monotonic() < end:
        assert run.poll() is None, run.stdout.read()
        time.sleep(0.01)
    last = max((tmp_path / "started").iterdir(), key=lambda path: path.stat().st_mtime_ns)
    os.kill(run.pid, signal.SIGKILL)
    run.communicate()
    while not is_gone(int(last.read_text())) and time.monotonic() < end:
        time.sleep(0.01)
    assert is_gone(int(last.read_text()))

    (tmp_path / "wait").unlink()
    output, _ = claims_run(tmp_path).communicate()
    assert "training_gains: 6 seeds, 1 of 1 expectations decided; reused 3 of 12 trials" in output
    assert "VERIFIED     as_documented" in output
    starts = {path.name: len(path.read_text().split()) for path in (tmp_path / "started").iterdir()}
    assert {name for name, number in starts.items() if number != 1} == {last.name}
    assert (len(starts), starts[last.name]) == (TRIALS, 2)


def test_what_scripts_say_is_shown_where_it_is_asked_for(tmp_path):
    write(tmp_path)
    quiet, _ = claims_run(tmp_path, "--profile", "smoke").communicate()
    loud, _ = claims_run(tmp_path, "--profile", "smoke", "-v", "--fresh").communicate()

    assert "epoch 1 of 1" not in quiet
    assert "training_gains: seed 0 at arm=warm: stdout: epoch 1 of 1\n" in loud
    assert "training_gains: seed 1 at arm=cold: stderr: warming up\n" in loud
