"""Where a trial ran: as its process saw it, the same value wherever it goes, and what durations are measured by there."""

from __future__ import annotations

import json
import pickle
import platform
import subprocess
from dataclasses import replace
from types import ModuleType, SimpleNamespace

import pytest

from harness.seeds import seeds_of
from harness.trials import place
from harness.trials.executor import Inline, Processes
from harness.trials.place import Clock, Gpu, Place, keeps_time, place_here
from harness.trials.provenance import cores, processor
from harness.trials.task import Task

GPU = Gpu(model="a GPU", uuid="GPU-1", memory=8, mig=None, driver="550", power_limit=700.0)


@pytest.fixture
def here():
    return place_here("cpu", alone=True)


def with_(found, **changes):
    return found.model_copy(update=changes)


def test_a_place_says_what_its_process_saw(monkeypatch, tmp_path):
    monkeypatch.setattr(place, "GOVERNOR", tmp_path / "governor")
    monkeypatch.setenv(place.NODE, "node 7")
    (tmp_path / "governor").write_text("powersave\n")

    found = place_here("cpu", alone=False, attempt=2)

    assert (found.host, found.node, found.processor, found.cores) == (platform.node(), "node 7", processor(), cores())
    assert (found.governor, found.alone, found.attempt, found.gpu) == ("powersave", False, 2, None)
    assert found.memory is None or found.memory > 2**28


def test_what_is_not_known_is_none(monkeypatch, tmp_path):
    monkeypatch.setattr(place, "GOVERNOR", tmp_path / "none")
    monkeypatch.delenv(place.NODE, raising=False)
    monkeypatch.setitem(place.sys.modules, "torch", None)

    found = place_here("cuda", alone=True)

    assert (found.governor, found.node, found.gpu, found.torch) == (None, None, None, None)


@pytest.mark.parametrize("told", ["high", "highest"])
def test_a_place_says_what_torch_is_told(told):
    import torch

    before = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision(told)
    try:
        found = place_here("cpu", alone=True)
    finally:
        torch.set_float32_matmul_precision(before)

    assert (found.torch.float32_matmul_precision, found.torch.version) == (told, torch.__version__)
    assert found.threads == torch.get_num_threads()


def test_a_place_is_read_as_it_was_written_and_travels(here):
    for found in (here, with_(here, gpu=GPU, node="n")):
        again = Place.of(json.loads(found.text))

        assert again == found == pickle.loads(pickle.dumps(found))
        assert (again.digest, hash(again)) == (found.digest, hash(found))
    assert with_(here, attempt=2).digest != here.digest


@pytest.mark.parametrize("value", [None, 1, [], {}, "text"])
def test_what_is_no_place_is_refused(value):
    with pytest.raises(ValueError, match=r": is not what it should be$"):
        Place.of(value)


def test_the_field_that_is_wrong_is_named(here):
    with pytest.raises(ValueError, match=r"^cores: is not what it should be$"):
        Place.of({**here.model_dump(), "cores": "two"})


def test_a_place_keeps_time_with_its_like_only(here):
    assert keeps_time(here, "cpu")
    assert keeps_time(with_(here, host="another", memory=1, attempt=2, torch=None), "cpu"), "none of these is the clock"
    for other in ({"processor": "another"}, {"governor": "another"}, {"cores": 99}, {"alone": False}, {"gpu": GPU}):
        assert not keeps_time(with_(here, **other), "cpu")
    assert not keeps_time(None, "cpu")


def test_on_a_gpu_its_model_is_part_of_the_clock(here, monkeypatch):
    monkeypatch.setattr(place, "gpus", lambda: ["a GPU", "another"])
    whole, part = with_(here, gpu=GPU), with_(here, gpu=with_(GPU, mig="1g.10gb"))

    assert whole.clock.model == f"{processor()} with a GPU"
    assert part.clock.gpu == "a GPU MIG 1g.10gb"
    assert keeps_time(whole, "cuda")
    assert not keeps_time(part, "cuda")
    assert not keeps_time(here, "cuda")


def cuda(name, uuid="1-2"):
    """Return what torch says where there is a GPU."""
    found = SimpleNamespace(name=name, uuid=uuid, total_memory=80)
    told = {"is_initialized": lambda: True, "current_device": lambda: 0, "get_device_properties": lambda _: found}
    torch = ModuleType("torch")
    torch.cuda = SimpleNamespace(**told)
    return torch


@pytest.mark.parametrize(
    ("said", "driver", "power"),
    [
        ("550.54.15, 700.00\n", "550.54.15", 700.0),
        ("550.54.15, [N/A]\n", "550.54.15", None),
        ("no such GPU\n", None, None),
        (None, None, None),
    ],
)
def test_a_gpu_is_described_by_torch_and_its_driver(monkeypatch, said, driver, power):
    def run(command, **_):
        assert "--id=GPU-1-2" in command
        if said is None:
            raise FileNotFoundError(command[0])
        return SimpleNamespace(stdout=said)

    monkeypatch.setattr(subprocess, "run", run)

    found = place._gpu_of(cuda("NVIDIA A100 MIG 1g.5gb"))

    assert found == Gpu(model="NVIDIA A100", uuid="GPU-1-2", memory=80, mig="1g.5gb", driver=driver, power_limit=power)


def test_a_gpu_that_a_trial_broke_fails_no_trial(monkeypatch):
    torch = cuda("a GPU")
    monkeypatch.setattr(torch.cuda, "current_device", lambda: 1 / 0)

    assert place._gpu_of(torch) is None


SAYING = """import os
import numpy as np
os.environ["CLAIMS_NODE"] = f"process {os.getpid()}"
def measure(arm, seeds):
    return {"process": np.full(len(seeds), float(os.getpid()))}
"""


@pytest.mark.parametrize("executor", [Inline(), Processes(2)], ids=["inline", "processes"])
def test_the_process_that_ran_a_trial_says_where(tmp_path, monkeypatch, executor):
    monkeypatch.setenv(place.NODE, "the driver")
    path = tmp_path / "experiment.py"
    path.write_text(SAYING)
    seeds = seeds_of("c", 0, [0, 1])
    task = Task(path, tmp_path, "a", {}, seeds, {}, ("process",), alone=True, attempt=3)

    ((_, outcomes),) = executor.run([[task]])
    executor.close()

    for outcome in outcomes:
        assert outcome.place.node == f"process {outcome.metrics['process']:.0f}"
        assert (outcome.place.alone, outcome.place.attempt, outcome.place.threads) == (True, 3, 1)


def test_a_task_is_on_a_gpu_if_any_part_of_it_is(tmp_path):
    """Of pictures each arm has its own settings, and its own device."""
    task = Task(tmp_path, tmp_path, "a", {}, (), {"device": "cuda"}, ())
    pictures = replace(task, pictures=tmp_path, settings={"cold": {"device": "cpu"}, "warm": {"device": "cuda"}})

    assert (task.device, pictures.device) == ("cuda", "cuda")
    assert replace(task, settings={}).device == replace(pictures, settings={"cold": {}}).device == "cpu"


def test_a_clock_says_all_that_tells_durations_apart(here):
    assert here.clock == Clock(processor(), None, here.governor, cores(), alone=True)
