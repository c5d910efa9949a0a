"""Who measures on this machine: alone or beside others, waited for, told about, and given back however a process ends."""

from __future__ import annotations

import contextlib
import itertools
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

from harness.running.claim_run import run_claim
from harness.running.context import Context
from harness.running.time_budget import Budget
from harness.seeds import seeds_of
from harness.trials import file_lock, occupancy
from harness.trials.catalogue import load_claim
from harness.trials.executor import Inline
from harness.trials.experiment import run_task
from harness.trials.occupancy import GATE, TRIALS, occupied, waiting
from harness.trials.options import Options
from harness.trials.task import Task
from tests.tiny_project import EXPERIMENT, write_claim

CLAIM = "warm_exceeds_cold"


def never():
    return False


def held(*, alone):
    """Whether the machine can be had at once."""
    with occupied(alone=alone, patient=never) as company:
        return company is not None


HOLDER = """\
import sys, time
from harness.trials.occupancy import occupied
with occupied(alone=sys.argv[1] == "alone", patient=lambda: True) as company:
    print(company, flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def hold():
    """Hold the machine in another process; return it."""
    holders = []

    def start(how):
        command = [sys.executable, "-c", HOLDER, how]
        holder = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        holders.append(holder)
        return holder

    yield start
    for holder in holders:
        holder.kill()
        holder.wait()
        holder.stdin.close()
        holder.stdout.close()


def said(holder):
    return holder.stdout.readline().strip()


@pytest.mark.parametrize(
    ("how", "alone", "beside"), [("alone", False, False), ("beside", False, True)], ids=["alone", "beside others"]
)
def test_alone_is_alone_and_others_are_beside_each_other(hold, how, alone, beside):
    holder = hold(how)
    assert said(holder) == ("alone" if how == "alone" else "beside others")

    assert held(alone=True) == alone
    assert held(alone=False) == beside
    holder.stdin.close()
    holder.wait(60)
    assert held(alone=True)


def test_who_is_killed_gives_the_machine_back(hold):
    holder = hold("alone")
    said(holder)
    holder.kill()
    holder.wait(60)

    assert held(alone=True)


def test_who_waits_to_be_alone_is_not_passed_by_others(hold, monkeypatch):
    """The gate: while one is waiting to be alone, nobody else comes in beside those that are there."""
    first = hold("beside")
    said(first)
    second = hold("alone")
    folder = Path(os.environ[occupancy.FOLDER])
    for _ in range(6000):
        if not held(alone=False):
            break
        time.sleep(0.01)
    assert not held(alone=False)
    assert (folder / GATE).is_file()
    first.stdin.close()

    assert said(second) == "alone"


def test_those_before_the_gate_come_in_when_who_was_alone_has_gone(hold):
    first = hold("alone")
    said(first)
    others = [hold("beside"), hold("beside")]
    first.stdin.close()

    assert [said(other) for other in others] == ["beside others"] * 2


def test_it_is_given_back_by_an_error_and_by_a_generator_that_is_closed():
    with contextlib.suppress(ZeroDivisionError), occupied(alone=True, patient=never):
        raise ZeroDivisionError
    assert held(alone=True)

    def generate():
        with occupied(alone=True, patient=never):
            yield

    generator = generate()
    next(generator)
    assert not held(alone=False)
    generator.close()
    assert held(alone=True)


def test_a_process_that_was_forked_meanwhile_does_not_keep_it():
    with occupied(alone=True, patient=never):
        child = os.fork()
        if not child:
            time.sleep(60)
            os._exit(0)
    try:
        assert held(alone=True)
    finally:
        os.kill(child, 9)
        os.waitpid(child, 0)


def test_files_that_somebody_tidied_up_are_made_anew(hold):
    holder = hold("beside")
    said(holder)
    for name in (TRIALS, GATE):
        (Path(os.environ[occupancy.FOLDER]) / name).unlink()

    with occupied(alone=True, patient=never) as company:
        assert company == "alone", "nobody can know of the lock on a file that is gone"
        assert not held(alone=False)


def test_a_file_that_is_exchanged_while_it_is_waited_for_is_opened_again(monkeypatch):
    path = Path(os.environ[occupancy.FOLDER]) / TRIALS
    taken, exchanged = file_lock._taken, []

    def exchange(file, mode):
        if not exchanged and os.path.samestat(os.fstat(file), path.stat()):
            exchanged.append(path.unlink())
            path.touch()
        return taken(file, mode)

    assert held(alone=True)
    monkeypatch.setattr(file_lock, "_taken", exchange)
    with occupied(alone=True, patient=never):
        assert exchanged
        monkeypatch.setattr(file_lock, "_taken", taken)
        assert not held(alone=False)


@pytest.mark.parametrize("kind", ["missing", "link"])
def test_where_nothing_can_be_locked_nobody_waits(tmp_path, monkeypatch, kind):
    folder = tmp_path / "locks"
    if kind == "link":
        folder.mkdir()
        (folder / GATE).symlink_to(tmp_path / "elsewhere")
    monkeypatch.setenv(occupancy.FOLDER, str(folder))

    with occupied(alone=True, patient=never) as company, occupied(alone=True, patient=never) as other:
        assert (company, other) == ("alone", "alone")
    assert not (tmp_path / "elsewhere").exists()


def test_another_users_files_are_locked_without_writing_to_them():
    assert held(alone=True)
    folder = Path(os.environ[occupancy.FOLDER])
    for name in (TRIALS, GATE):
        (folder / name).chmod(0o444)

    with occupied(alone=True, patient=never):
        assert not held(alone=False)


def test_without_a_folder_of_ones_own_it_is_that_for_temporary_files(monkeypatch, tmp_path):
    monkeypatch.delenv(occupancy.FOLDER)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))

    with occupied(alone=True, patient=never):
        assert sorted(path.name for path in tmp_path.iterdir()) == [GATE, TRIALS]


@pytest.mark.parametrize(("outer", "inner"), [("alone", "alone"), ("beside others", "beside others")])
def test_a_run_within_a_call_is_in_its_company_and_waits_for_nobody(tmp_path, outer, inner):
    path = tmp_path / "experiment.py"
    path.write_text(
        "import numpy as np\nfrom harness.trials.occupancy import occupied\n"
        "def measure(arm, seeds):\n"
        "    with occupied(alone=True, patient=lambda: False) as company:\n"
        "        return {'level': np.full(len(seeds), {None: 0, 'alone': 1, 'beside others': 2}[company])}\n"
    )
    task = Task(path, tmp_path, "a", {}, seeds_of("c", 0, [0]), {}, ("level",), alone=outer == "alone")
    with occupied(alone=outer == "alone", patient=never):
        (outcome,) = run_task(task)

    assert outcome.metrics["level"] == {"alone": 1, "beside others": 2}[inner]
    assert outcome.place.alone == (outer == "alone")
    assert occupancy.INSIDE not in os.environ


def test_who_waits_says_so_once():
    lines, still = [], iter([True, True, False])
    patient = waiting(lines.append, "waiting", lambda: next(still))

    assert [patient(), patient(), patient()] == [True, True, False]
    assert lines == ["waiting"]


SECONDS = {"unit: degree": "unit: second"}


@pytest.mark.parametrize(("replace", "how"), [({}, "alone"), (SECONDS, "beside")], ids=["trials", "durations"])
def test_a_run_that_waits_for_the_machine_says_so_once_and_can_be_stopped(tmp_path, store, hold, replace, how):
    folder, lines, budget = load_claim(write_claim(tmp_path, replace=replace)), [], Budget()

    def say(line):
        lines.append(line)
        budget.stopped = True

    said(hold(how))
    record = run_claim(folder, Context(Options(workers=1), store, lambda _: Inline(), "run", say, budget))

    why = "needs the machine for itself" if how == "alone" else "is measuring, and durations need the machine"
    assert [f"{CLAIM}: another run {why}" in line for line in lines] == [True]
    assert record.left is not None
    assert store._read("SELECT count(*) FROM trial") == [(0,)]


def test_an_exception_that_is_kept_does_not_keep_the_machine(tmp_path, store):
    def say(_):
        raise RuntimeError("no terminal")

    def watch(step):
        if step.done:
            raise RuntimeError("nobody looks")

    context = Context(Options(workers=1), store, lambda _: Inline(), "run", watch=watch)
    try:
        run_claim(load_claim(write_claim(tmp_path)), context)
    except RuntimeError as error:
        kept = error

    assert held(alone=True), kept


STAMPED = EXPERIMENT.replace(
    '    return {"level": ',
    "    import os, time\n    from pathlib import Path\n"
    "    begun = time.monotonic()\n    time.sleep(0.02)\n"
    "    line = f'{TIMED} {begun} {time.monotonic()}\\n'\n"
    "    file = os.open(Path(os.environ['STAMPS']), os.O_WRONLY | os.O_APPEND | os.O_CREAT)\n"
    "    os.write(file, line.encode())\n    os.close(file)\n"
    '    return {"level": ',
)


@pytest.mark.parametrize("how", ["xdist", "runs"])
def test_no_duration_is_measured_while_another_trial_is(pytester, monkeypatch, how):
    """Four claims on two processes of one run, or in two runs with stores of their own: each stamps when it measured."""
    stamps = pytester.path / "stamps"
    monkeypatch.setenv("STAMPS", str(stamps))
    names = {"a_timed": True, "b_timed": True, "c_untimed": False, "d_untimed": False}
    for name, timed in names.items():
        experiment = STAMPED.replace("{TIMED}", str(int(timed)))
        write_claim(pytester.path, name, experiment=experiment, replace=SECONDS if timed else {})
    measure(pytester.path, how)

    trials = [line.split() for line in stamps.read_text().splitlines()]
    spans = sorted((float(begun), float(ended), timed == "1") for timed, begun, ended in trials)
    assert sum(timed for *_, timed in spans) == 2 * 18, "every seed of a duration by itself"
    for (_, ended, timed), (begun, _, other_timed) in itertools.pairwise(spans):
        assert begun >= ended or not (timed or other_timed)


def measure(root, how):
    common = [
        sys.executable,
        "-m",
        "pytest",
        "claims",
        "--import-mode=importlib",
        "-q",
        "--benchmark-skip",
        "--claims-workers=1",
    ]
    if how == "xdist":
        commands = [[*common, "-n", "2", "--dist", "loadfile"]]
    else:
        halves = (("a_timed", "c_untimed"), ("b_timed", "d_untimed"))
        commands = [
            [*common[:3], *(f"claims/notes/{name}" for name in half), *common[4:], f"--claims-store={number}.sqlite3"]
            for number, half in enumerate(halves)
        ]
    runs = [
        subprocess.Popen(command, cwd=root, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        for command in commands
    ]
    for run in runs:
        output, _ = run.communicate(timeout=300)
        assert run.returncode == 0, output
