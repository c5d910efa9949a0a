"""What goes wrong on real machines, really caused: nothing finished is lost, nothing false enters, one line says it."""

from __future__ import annotations

import shutil
import sqlite3
import subprocess
import sys
from collections import Counter
from contextlib import closing

import pytest

from harness.errors import UsageError
from harness.running.claim_run import run_claim
from harness.running.context import Context
from harness.store.records.beside import NoPicture
from harness.store.store import Store
from harness.trials.catalogue import load_claim
from harness.trials.executor import Inline, Processes
from harness.trials.options import Options
from tests.faults import campaign, table
from tests.tiny_project import EXPERIMENT, write_claim

pytestmark = pytest.mark.fault

LIMITS = {"timings:": "limits: {seconds: 0.5, gigabytes: 0.3}\ntimings:"}


def experiment(fault):
    """Return an experiment in which a call for the warm arm with seed 3 meets with a fault."""
    return EXPERIMENT.replace(
        "    return {",
        f"    if arm == 'warm' and centre and any(seed.index == 3 for seed in seeds):\n        {fault}\n    return {{",
    )


FAULTS = {
    "__import__('time').sleep(3600)": "took longer than 0.5 s a seed, its limit (limits: seconds)",
    "np.ones(int(1e9))": "MemoryError",
    "__import__('ctypes').string_at(0)": "the worker process was ended by SIGSEGV (a crash in compiled code)",
    "__import__('os').kill(__import__('os').getpid(), 9)": "the worker process was ended by SIGKILL",
    "__import__('os')._exit(0)": "the worker process ended by itself with exit code 0",
    "return {'level': np.full(len(seeds), np.nan)}": "level is nan",
    "raise ValueError('too warm')": "ValueError: too warm",
}


@pytest.mark.parametrize("executor", [Inline, lambda: Processes(2)], ids=["inline", "processes"])
@pytest.mark.parametrize(
    ("fault", "words"), FAULTS.items(), ids=["hang", "memory", "crash", "killed", "exit", "nan", "exception"]
)
def test_a_fault_fails_its_own_call_and_no_other(tmp_path, store, fault, words, executor):
    """A call is for all six seeds in one process, for three of them in each of two."""
    folder = write_claim(tmp_path, experiment=experiment(fault), replace=LIMITS)

    with closing(executor()) as opened:
        workers = 2 if isinstance(opened, Processes) else 1
        record = run_claim(load_claim(folder), Context(Options(workers=workers), store, lambda _: opened, "run"))

    assert record.readings["as_documented"].verdict == "INVALID"
    assert len(record.errors) == 6 // workers
    assert all(words in error for error in record.errors), record.errors
    done = {(arm, seed) for arm, seed, status in trials(store) if status == "finished"}
    assert {("cold", seed) for seed in range(6)} <= done, "the other arm has all its trials"
    assert {(arm, seed) for arm, seed, status in trials(store) if status == "failed"} == {
        ("warm", seed) for seed in range(6) if workers == 1 or seed % 2
    }


def trials(store):
    """Return arm, seed and status of the trials of the claim as it stands."""
    return store._database.execute("SELECT arm, seed, status FROM trial").fetchall()


def test_a_claim_within_its_limits_is_not_disturbed(tmp_path, store):
    folder = write_claim(tmp_path, replace=LIMITS)

    with closing(Processes(2)) as executor:
        record = run_claim(load_claim(folder), Context(Options(workers=2), store, lambda _: executor, "run"))

    assert record.readings["as_documented"].verdict == "VERIFIED"
    assert record.errors == []


def filled(path):
    """Make a store with trials and return its bytes."""
    with closing(Store(path)) as opened:
        opened.start_run("run", {}, {})
        for number in range(200):
            opened.save_beside("claim", "noise", f"fingerprint {number}", NoPicture(kind="error", title="x" * 200))
    return path.read_bytes()


@pytest.mark.parametrize(
    "damage",
    [
        lambda whole: whole[: len(whole) // 2],
        lambda whole: whole[:50],
        lambda whole: b"not a database" * 100,
        lambda whole: whole[:4096] + bytes(len(whole) - 4096),
    ],
    ids=["half", "header cut", "no database", "pages of zeros"],
)
def test_a_damaged_store_is_named_and_left_as_it_is(tmp_path, damage):
    path = tmp_path / "store.sqlite3"
    broken = damage(filled(path))
    path.write_bytes(broken)
    folder = write_claim(tmp_path)

    def use():
        with closing(Store(path)) as opened:
            list(opened.rows())
            run_claim(load_claim(folder), Context(Options(workers=1), opened, lambda _: Inline(), "run"))

    with pytest.raises(UsageError, match=r"store\.sqlite3: cannot be (used as a store|read|written): "):
        use()
    assert path.read_bytes() == broken


def test_a_store_that_another_process_holds_is_waited_for_and_then_named(tmp_path, monkeypatch):
    monkeypatch.setattr("harness.store.database.BUSY_SECONDS", 0.1)
    path = tmp_path / "store.sqlite3"
    filled(path)
    with closing(sqlite3.connect(path)) as other:
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(UsageError, match="database is locked"):
            Store(path)


@pytest.fixture
def disk(tmp_path):
    """A file system of 512 KiB in memory; skipped where none can be mounted."""
    folder = tmp_path / "disk"
    folder.mkdir()
    made = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=512k", "tmpfs", folder], capture_output=True, check=False
    )
    if made.returncode:
        pytest.skip(f"no file system can be mounted here: {made.stderr.decode().strip()}")
    yield folder
    subprocess.run(["umount", "-l", folder], check=True)


def test_a_full_disk_is_said_and_what_was_finished_is_kept(tmp_path, disk):
    path = disk / "store.sqlite3"
    folder = write_claim(tmp_path, gap=0.5, replace={"cap: 12": "cap: 5000", "step: 2": "step: 500"})

    with closing(Store(path)) as opened:
        opened.start_run("run", {}, {})
        with pytest.raises(UsageError, match=r"cannot be written: .*full.*; everything finished before is kept"):
            run_claim(load_claim(folder), Context(Options(workers=1), opened, lambda _: Inline(), "run"))
    shutil.copy(path, tmp_path / "copy.sqlite3")

    with closing(Store(tmp_path / "copy.sqlite3")) as kept:
        assert len(trials(kept)) > 100
        assert kept._database.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def test_a_read_only_checkout_is_run_with_its_store_and_reports_elsewhere(tmp_path, disk):
    write_claim(disk)
    subprocess.run(["mount", "-o", "remount,ro", disk], check=True)
    elsewhere = [f"--claims-store={tmp_path / 's.sqlite3'}", f"--claims-report={tmp_path / 'reports'}"]
    command = [sys.executable, "-m", "pytest", "claims", "--import-mode=importlib", "-p", "no:cacheprovider"]
    command += ["--benchmark-skip", f"--rootdir={disk}"]

    inside = subprocess.run(command, cwd=disk, capture_output=True, text=True, check=False)
    outside = subprocess.run([*command, *elsewhere], cwd=disk, capture_output=True, text=True, check=False)

    assert inside.returncode == 2, inside.stdout
    assert "cannot be used as a store" in inside.stdout
    assert "give another with --claims-store" in inside.stdout
    assert outside.returncode == 0, outside.stdout
    assert (tmp_path / "reports" / "report.md").is_file()


def test_a_few_kills_lose_nothing(tmp_path):
    counts = campaign(4, tmp_path, seed=1)

    assert counts["run"] + counts["worker"] == 4
    assert counts["acknowledged"] > 0
    assert (counts["lost"], counts["different"]) == (0, 0)
    assert counts["trials"] >= 18


def test_the_table_says_what_was_lost():
    rows = dict(line.rsplit(maxsplit=1) for line in table(Counter(lost=3), 1.0).splitlines())
    assert rows["lost"] == "3"
    assert rows["seconds"] == "1"


RUN = """
import sys
from contextlib import closing
from pathlib import Path
from harness.trials.catalogue import load_claim
from harness.trials.executor import Inline
from harness.trials.options import Options
from harness.running.claim_run import run_claim
from harness.running.context import Context
from harness.store.store import Store

with closing(Store(Path(sys.argv[2]))) as store:
    store.start_run(sys.argv[3], {}, {})
    record = run_claim(load_claim(Path(sys.argv[1])), Context(Options(workers=1), store, lambda _: Inline(), sys.argv[3]))
    print(record.readings["as_documented"].verdict, record.expectations)
"""


NOTED = EXPERIMENT.replace(
    "    return {",
    "    __import__('time').sleep(0.05)\n"
    "    with open('CALLS', 'a') as calls:\n"
    "        calls.writelines(f'{arm} {centre} {seed.index}\\n' for seed in seeds)\n"
    "    return {",
)
"""An experiment that takes its time and notes every trial that it measures."""


def test_two_runs_at_once_on_one_store_measure_no_trial_twice_and_come_to_what_one_alone_comes_to(tmp_path):
    folder = write_claim(tmp_path, experiment=NOTED.replace("CALLS", str(tmp_path / "calls")), gap=0.5)

    def start(name, store):
        command = [sys.executable, "-c", RUN, folder, tmp_path / store, name]
        return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)

    both = [start(name, "shared.sqlite3") for name in ("one", "other")]
    outputs = [run.communicate(timeout=120)[0] for run in both]
    calls = Counter((tmp_path / "calls").read_text().splitlines())
    outputs += [start("alone", "own.sqlite3").communicate(timeout=120)[0]]

    assert outputs[0].startswith("INCONCLUSIVE")
    assert outputs[0] == outputs[1] == outputs[2]
    assert set(calls.values()) == {1}
    with closing(Store(tmp_path / "shared.sqlite3")) as shared, closing(Store(tmp_path / "own.sqlite3")) as own:
        assert sorted(trials(shared)) == sorted(trials(own))
        assert len(trials(shared)) == len(calls)
