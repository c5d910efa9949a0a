"""Peak memory: of one call, not of the process's whole life; never a reason to fail."""

from __future__ import annotations

import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from harness.seeds import seeds_of
from harness.trials import memory
from harness.trials.executor import Inline, Processes
from harness.trials.memory import PeakMemory
from harness.trials.task import Task
from tests.tiny_project import write_claim

EXPERIMENT = """\
import numpy as np

def measure(arm, seeds, **settings):
    return {"level": np.array([np.ones(settings["bytes"] // 8).sum() for seed in seeds])}
"""
MEGA = 1_000_000

resettable = pytest.mark.skipif(PeakMemory("cpu").bytes() is None, reason="the system does not say")


def task(folder, size):
    path = folder / "experiment.py"
    path.write_text(EXPERIMENT)
    return Task(path, folder, "a", {}, seeds_of("c", 0, [0, 1]), {"bytes": size}, ("level",))


@resettable
@pytest.mark.parametrize("make", [Inline, lambda: Processes(1)], ids=["inline", "process"])
def test_a_call_shows_what_it_allocates_and_the_next_one_does_not(tmp_path, make):
    executor = make()
    try:
        ((_, large), (_, small)) = executor.run([[task(tmp_path, 200 * MEGA), task(tmp_path, MEGA)]])
    finally:
        executor.close()

    assert all(outcome.peak_bytes >= 200 * MEGA for outcome in large)
    assert all(0 < outcome.peak_bytes < large[0].peak_bytes - 150 * MEGA for outcome in small)


@resettable
def test_it_reaches_the_store(tmp_path, run, store):
    run(write_claim(tmp_path))

    peaks = [row[0] for row in store._database.execute("SELECT peak_bytes FROM trial")]
    assert len(peaks) == 18
    assert min(peaks) > MEGA


@pytest.mark.parametrize("name", ["CLEAR", "STATUS"])
def test_where_the_system_does_not_say_there_is_no_number(monkeypatch, name):
    monkeypatch.setattr(memory, name, Path("/nowhere/at/all"))

    assert PeakMemory("cpu").bytes() is None


def test_a_status_without_the_line_gives_no_number(monkeypatch, tmp_path):
    (tmp_path / "status").write_text("VmPeak: 5 kB\n")
    (tmp_path / "clear").write_text("")
    monkeypatch.setattr(memory, "STATUS", tmp_path / "status")
    monkeypatch.setattr(memory, "CLEAR", tmp_path / "clear")

    assert PeakMemory("cpu").bytes() is None
    assert (tmp_path / "clear").read_text() == "5"


class Cuda:
    """What torch.cuda says, without a GPU."""

    def __init__(self, *, initialised=True, fails=False):
        self.initialised, self.fails, self.peak = initialised, fails, 7 * MEGA

    def is_initialized(self):
        return self.initialised

    def reset_peak_memory_stats(self):
        if self.fails:
            raise RuntimeError
        self.peak = 3 * MEGA

    def max_memory_allocated(self):
        return self.peak


@pytest.mark.parametrize(
    ("cuda", "peak"), [(Cuda(), 3 * MEGA), (Cuda(initialised=False), None), (Cuda(fails=True), None)]
)
def test_on_a_gpu_torch_says(monkeypatch, cuda, peak):
    monkeypatch.setitem(sys.modules, "torch", SimpleNamespace(cuda=cuda))

    assert PeakMemory("cuda").bytes() == peak


def test_on_a_gpu_without_torch_there_is_no_number(monkeypatch):
    monkeypatch.delitem(sys.modules, "torch", raising=False)

    assert PeakMemory("cuda").bytes() is None


@pytest.mark.parametrize(
    ("free", "peak", "expected"), [(8, 2, 4), (9, 2, 4), (64, 2, 6), (1, 2, 1), (8, None, 6), (None, 2, 6)]
)
def test_as_many_processes_as_fit_in_memory_at_least_one(monkeypatch, free, peak, expected):
    monkeypatch.setattr(memory, "available", lambda: free)

    assert memory.affordable(6, peak) == expected


@pytest.mark.parametrize(
    ("free", "peak", "gpus", "expected"),
    [(8, 1.5, 1, 4), (8, 1.5, 2, 6), (8, 20, 2, 2), (8, None, 2, 6), (None, 2, 1, 6), (8, 3.6, 1, 1)],
)
def test_as_many_processes_as_fit_on_gpus_at_least_one_on_each(free, peak, gpus, expected):
    """A process takes half a GiB there besides."""
    sizes = (size and int(size * 2**30) for size in (peak, free))

    assert memory.affordable_on_gpus(6, *sizes, gpus) == expected


def test_free_memory_is_what_the_system_says(tmp_path, monkeypatch):
    assert memory.available() > 100 * MEGA
    monkeypatch.setattr(memory, "MEMINFO", tmp_path / "meminfo")
    assert memory.available() is None
    memory.MEMINFO.write_text("MemTotal: 9 kB\nMemAvailable:      2048 kB\n")
    assert memory.available() == 2 * 2**20
