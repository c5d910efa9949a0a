"""Executors: the same numbers inline and in processes, one thread each, a dead worker fails only its job."""

from __future__ import annotations

import os
from contextlib import closing
from dataclasses import replace

import pytest
import torch

from harness.executor import WORKER_ENVIRONMENT, Inline, Processes, one_thread
from harness.experiment import Task
from harness.seeds import seeds_of

EXPERIMENT = """\
import os, signal
import numpy as np

def measure(arm, seeds, **settings):
    if arm == "die":
        os.kill(os.getpid(), signal.SIGKILL)
    if arm == "threads":
        import torch
        assert os.environ["OMP_NUM_THREADS"] == "1"
        return {"level": np.full(len(seeds), float(torch.get_num_threads()))}
    if arm == "hang":
        signal.pause()
    if arm == "slow":
        import time
        time.sleep(0.2)
    if arm in ("process", "slow"):
        return {"level": np.full(len(seeds), float(os.getpid()))}
    return {"level": np.array([seed.numpy(arm).normal() for seed in seeds])}
"""


@pytest.fixture
def task(tmp_path):
    path = tmp_path / "experiment.py"
    path.write_text(EXPERIMENT)

    def make(arm, seeds=range(2)):
        return Task(path, tmp_path, arm, {}, seeds_of("c", 0, list(seeds)), {}, ("level",))

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


def test_environment_of_the_caller_is_left_alone(task, processes):
    before = {name: os.environ.get(name) for name in WORKER_ENVIRONMENT}
    list(processes.run([[task("a")]]))
    assert {name: os.environ.get(name) for name in WORKER_ENVIRONMENT} == before


def test_at_most_so_many_jobs_run_side_by_side(task, processes):
    """Two workers would take a job each; limited, the first worker takes one after the other."""
    jobs = [[task("process", [i])] for i in range(4)]

    assert len(set(levels(processes.run(jobs, at_once=1)).values())) == 1
    assert len(set(levels(processes.run([[task("slow", [i])] for i in range(4)], at_once=2)).values())) == 2
