"""Executors: the same numbers inline and in processes, one thread each, a dead worker fails only its job."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from harness.seeds import seeds_of
from harness.trials import worker
from harness.trials.executor import Inline, Processes, executor_for
from harness.trials.experiment import Task
from harness.trials.process_tree import descendants, end
from harness.trials.worker import WORKER_ENVIRONMENT, one_thread

EXPERIMENT = """\
import os, signal, subprocess, time
from pathlib import Path
import numpy as np

def start(settings):
    # A command that goes on for long, in one of several ways; what is started has then written its id.
    note = settings["note"]
    script = f"echo $$ > {note}.part; mv {note}.part {note}; exec sleep 3600"
    started = {
        "child": lambda: subprocess.Popen(["sh", "-c", script]),
        "session": lambda: subprocess.Popen(["sh", "-c", script], start_new_session=True),
        "orphan": lambda: subprocess.run(["setsid", "sh", "-c", f"sh -c '{script}' &"], check=True),
        "grandchild": lambda: subprocess.Popen(["sh", "-c", f"sh -c '{script}'; true"]),
        "group": lambda: subprocess.Popen(["sh", "-c", script], process_group=0),
    }[settings["way"]]()
    while not Path(note).exists():
        time.sleep(0.01)

def measure(arm, seeds, **settings):
    if arm == "die":
        os.kill(os.getpid(), signal.SIGKILL)
    if arm == "threads":
        import torch
        assert os.environ["OMP_NUM_THREADS"] == "1"
        return {"level": np.full(len(seeds), float(torch.get_num_threads()))}
    if arm == "gpu":
        return {"level": np.full(len(seeds), float(os.environ["CUDA_VISIBLE_DEVICES"] or -1))}
    if arm == "meet":
        at = Path(settings["at"])
        (at / settings["here"]).touch()
        end = time.monotonic() + 60
        while not (at / settings["there"]).exists():
            assert time.monotonic() < end, "nobody came"
            time.sleep(0.01)
        return {"level": np.ones(len(seeds))}
    if arm == "hang":
        signal.pause()
    if arm == "cut":
        # Killed with half of its answer in the pipe, which holds less than that.
        from multiprocessing.connection import Connection
        def half(connection, message):
            os.write(connection.fileno(), bytes(message[: len(message) // 2]))
            os.kill(os.getpid(), signal.SIGKILL)
        Connection._send = half
        return {"level": np.zeros((len(seeds), settings["many"]))}
    if arm == "garbage":
        from multiprocessing.connection import Connection
        send = Connection.send_bytes
        Connection.send = lambda connection, _: send(connection, b"no pickle")
    if arm == "leave":
        start(settings)
        os._exit(3)
    if arm == "linger":
        import threading
        threading.Thread(target=signal.sigwait, args=([signal.SIGUSR1],)).start()
        raise SystemExit(3)
    if arm.startswith("start"):
        start(settings)
        if arm == "start and wait":
            signal.pause()
    if arm == "slow":
        time.sleep(0.2)
    if arm in ("process", "slow"):
        return {"level": np.full(len(seeds), float(os.getpid()))}
    return {"level": np.array([seed.numpy(arm).normal() for seed in seeds])}
"""


@pytest.fixture
def task(tmp_path):
    path = tmp_path / "experiment.py"
    path.write_text(EXPERIMENT)

    def make(arm, seeds=range(2), **settings):
        return Task(path, tmp_path, arm, {}, seeds_of("c", 0, list(seeds)), settings, ("level",))

    return make


@pytest.fixture
def processes():
    executor = Processes(2)
    yield executor
    executor.close()


def levels(results):
    return {
        (t.arm, s.index): o.metrics.get("level")
        for t, outcomes in results
        for s, o in zip(t.seeds, outcomes, strict=True)
    }


def test_processes_give_what_inline_gives(task, processes):
    jobs = [[task("a", [i]), task("b", [i])] for i in range(4)]

    assert levels(processes.run(jobs)) == levels(Inline().run(jobs))


def test_every_worker_computes_on_one_thread(task, processes):
    assert set(levels(processes.run([[task("threads", [i])] for i in range(3)])).values()) == {1.0}


def test_workers_share_out_the_gpus_and_see_one_each(task):
    """Two jobs that are at work at the same time have two workers."""
    with closing(Processes(1, ["3", "5"])) as executor:
        on_gpus = [[task("slow", [i]), task("gpu", [i], device="cuda")] for i in range(2)]
        found = levels(executor.run([*on_gpus, [task("gpu", [2])]]))

    assert {found["gpu", 0], found["gpu", 1]} == {3.0, 5.0}
    assert found["gpu", 2] == -1.0, "what is not on a GPU sees none"


def test_the_cores_are_used_while_gpus_are(task, tmp_path):
    """Each of the two tasks waits for the other to begin."""
    on_both = [[task("meet", [0], here="a", there="b", at=str(tmp_path))], [task("meet", [1], here="b", there="a", at=str(tmp_path), device="cuda")]]  # fmt: skip
    with closing(Processes(1, ["3"])) as executor:
        found = levels(executor.run(on_both))

    assert set(found.values()) == {1.0}


def test_memory_limits_each_device_apart(task):
    jobs = [[task("slow", [i], device="cuda")] for i in range(2)] + [[task("slow", [i])] for i in range(2, 4)]
    with closing(Processes(2, ["3", "5"])) as executor:
        found = levels(executor.run(jobs, {"cuda": 1}))

    assert found["slow", 0] == found["slow", 1], "one worker on the GPUs"
    assert found["slow", 2] != found["slow", 3], "two on the cores"


def test_one_worker_on_a_gpu_is_a_process_of_its_own():
    assert isinstance(executor_for(1), Inline)
    assert isinstance(executor_for(1, ["0"]), Processes)


def test_tasks_of_a_job_share_a_process_and_jobs_spread(task, processes):
    found = levels(processes.run([[task("process", [0]), task("process", [1])], [task("process", [2])]]))

    assert found["process", 0] == found["process", 1] != os.getpid()


def test_dead_worker_fails_its_task_and_no_other(task, processes):
    results = list(processes.run([[task("die"), task("a")], [task("b")], [task("c")]]))
    outcomes = {t.arm: o for t, o in results}

    assert "was ended by SIGKILL" in outcomes["die"][0].error
    assert outcomes["a"][0].error is None, "what had not begun goes to another process"
    assert outcomes["b"][0].error is None
    assert outcomes["c"][0].error is None


def test_a_stopped_executor_finishes_what_runs_and_begins_nothing(task):
    with closing(Processes(2)) as executor:
        results = executor.run([[task("slow", [i]), task("a", [i])] for i in range(6)])
        first = next(results)
        executor.stop()
        found = [first, *results]

    assert 1 <= len(found) <= 3, "the calls of two workers, and at most one that had just begun"


def test_inline_stops_between_tasks(task):
    executor = Inline()
    results = executor.run([[task("a", [i]) for i in range(3)]])
    next(results)
    executor.stop()

    assert list(results) == []


def test_a_call_with_a_limit_is_ended_when_it_has_taken_longer(task, processes):
    hanging = replace(task("hang"), seconds=0.2)
    outcomes = {t.arm: o for t, o in processes.run([[hanging, task("a")], [task("b")]])}

    assert "took longer than 0.2 s a seed" in outcomes["hang"][0].error
    assert outcomes["a"][0].error is None
    assert outcomes["b"][0].error is None


def test_workers_outlive_a_run(task, processes):
    first = set(levels(processes.run([[task("process", [0])]])).values())

    assert set(levels(processes.run([[task("process", [0])]])).values()) == first


def test_leaving_early_ends_what_runs(task, processes):
    results = processes.run([[task("a", [i])] for i in range(6)])
    next(results)
    results.close()

    assert len(levels(processes.run([[task("b", [i])] for i in range(3)]))) == 3


def test_threads_of_the_caller_are_given_back():
    before = torch.get_num_threads()
    with one_thread():
        assert torch.get_num_threads() == 1
    assert torch.get_num_threads() == before


def test_a_worker_that_is_made_ready_draws_nothing_and_does_without_a_gpu():
    before = torch.get_rng_state()
    worker.warm("cpu")
    worker.warm("cuda")

    assert torch.equal(torch.get_rng_state(), before)
    assert worker.warm.cache_info().currsize == 2, "once for each device"


def test_environment_of_the_caller_is_left_alone(task, processes):
    before = {name: os.environ.get(name) for name in WORKER_ENVIRONMENT}
    list(processes.run([[task("a")]]))
    assert {name: os.environ.get(name) for name in WORKER_ENVIRONMENT} == before


def test_at_most_so_many_jobs_run_side_by_side(task, processes):
    """Two workers would take a job each; limited, the first worker takes one after the other."""
    jobs = [[task("process", [i])] for i in range(4)]

    assert len(set(levels(processes.run(jobs, at_once={"cpu": 1})).values())) == 1
    assert len(set(levels(processes.run([[task("slow", [i])] for i in range(4)], at_once={"cpu": 2})).values())) == 2


@pytest.mark.parametrize("many", [1, 100_000], ids=["short", "long"])
def test_a_message_cut_short_by_a_killed_worker_fails_its_task_and_no_other(task, processes, many):
    cut = replace(task("cut", many=many), together=many)
    outcomes = {t.arm: o for t, o in processes.run([[cut, task("a")], [task("b")]])}

    assert "was ended by SIGKILL" in outcomes["cut"][0].error
    assert outcomes["a"][0].error is None
    assert outcomes["b"][0].error is None


def test_a_message_that_cannot_be_read_fails_its_task_and_no_other(task, processes):
    outcomes = {t.arm: o for t, o in processes.run([[task("garbage"), task("a")]])}

    assert "sent what cannot be read: UnpicklingError" in outcomes["garbage"][0].error
    assert outcomes["a"][0].error is None


def test_a_process_that_hangs_up_and_does_not_end_is_ended(task, processes, monkeypatch):
    monkeypatch.setattr("harness.trials.worker.PARTING", 0.1)
    outcomes = {t.arm: o for t, o in processes.run([[task("linger"), task("a")]])}

    assert "the worker process" in outcomes["linger"][0].error
    assert outcomes["a"][0].error is None


WAYS = ["child", "grandchild", "group", "session", "orphan"]


def gone(note):
    """Whether the process whose id stands in a file ends within a minute."""
    pid = int(note.read_text())
    for _ in range(6000):
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except OSError:
            return True
        if state in "ZX":
            return True
        time.sleep(0.01)
    os.kill(pid, signal.SIGKILL)
    return False


@pytest.mark.parametrize("way", ["child", "orphan"])
def test_a_limit_ends_what_the_call_has_started(task, processes, tmp_path, way):
    note, seconds = tmp_path / "pid", 0.5
    while not note.exists():  # where starting takes longer than that, it is given more
        job = [replace(task("start and wait", [0], note=str(note), way=way), seconds=seconds)]
        ((_, (outcome,)),) = processes.run([job])
        assert "took longer than" in outcome.error
        seconds *= 4

    assert gone(note)


@pytest.mark.parametrize("way", ["child", "orphan"])
def test_leaving_early_ends_what_calls_have_started(task, tmp_path, way):
    note = tmp_path / "pid"
    with closing(Processes(1)) as executor:
        results = executor.run([[task("start", [0], note=str(note), way=way), task("hang")]])
        next(results)
        results.close()

        assert gone(note)


@pytest.mark.parametrize("way", WAYS)
def test_closing_ends_what_calls_have_started(task, tmp_path, way):
    note = tmp_path / "pid"
    executor = Processes(1)
    list(executor.run([[task("start", [0], note=str(note), way=way)]]))
    state = Path(f"/proc/{int(note.read_text())}/stat").read_text().rpartition(")")[2].split()[0]
    executor.close()

    assert state in "RSD", "between two calls it goes on"
    assert gone(note)


@pytest.mark.parametrize("way", ["child", "grandchild"])
def test_a_worker_that_ends_by_itself_takes_along_what_it_has_started(task, processes, tmp_path, way):
    note = tmp_path / "pid"
    ((_, (outcome,)),) = processes.run([[task("leave", [0], note=str(note), way=way)]])

    assert "ended by itself with exit code 3" in outcome.error
    assert gone(note)


RUN = """\
import signal
import sys
from pathlib import Path
from harness.trials.executor import Inline, Processes
from harness.trials.experiment import Task
from harness.trials.process_tree import descendants, end
from harness.seeds import seeds_of

if __name__ == "__main__":
    # Where the tests themselves run in the background, children ignore it.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    path, kind, way = Path(sys.argv[1]), sys.argv[2], sys.argv[3]
    settings = {"note": str(path.parent / "pid"), "way": way}
    task = Task(path, path.parent, "start and wait", {}, seeds_of("c", 0, [0]), settings, ("level",), seconds=1e6)
    list((Processes(2) if kind == "processes" else Inline()).run([[task]]))
"""


@pytest.mark.parametrize(
    ("name", "kind", "way"),
    [
        ("SIGINT", "processes", "orphan"),
        ("SIGTERM", "inline", "session"),
        ("SIGKILL", "processes", "child"),
        ("SIGKILL", "inline", "orphan"),
    ],
)
def test_what_calls_have_started_ends_with_a_run_however_that_ends(task, tmp_path, name, kind, way):
    script, note = tmp_path / "run.py", tmp_path / "pid"
    script.write_text(RUN)
    run = subprocess.Popen([sys.executable, script, task("a").experiment, kind, way], stderr=subprocess.DEVNULL)
    while not note.exists():
        assert run.poll() is None
        time.sleep(0.01)
    run.send_signal(getattr(signal, name))
    run.wait(60)

    assert gone(note)


def named(pids):
    """Return what processes are called; one that has ended meanwhile is left out."""
    found = []
    for pid in pids:
        with contextlib.suppress(OSError):
            found.append(Path(f"/proc/{pid}/comm").read_text().strip())
    return sorted(found)


def test_descendants_are_all_that_a_process_has_started_and_nothing_else(tmp_path):
    script = f"sleep 3600 & sh -c 'sleep 3600; true' & echo > '{tmp_path}/a ) b'; wait"
    parent = subprocess.Popen(["sh", "-c", script], start_new_session=True)
    try:
        # A child is a shell until it has become what it was started for.
        while (names := named(found := descendants(parent.pid))) != ["sh", "sleep", "sleep"]:
            assert len(names) <= 3
            time.sleep(0.01)
        assert parent.pid not in found
        assert set(found) < set(descendants(os.getpid()))
    finally:
        end(parent.pid)
    assert parent.wait(60) == -signal.SIGKILL
    assert not descendants(parent.pid)
