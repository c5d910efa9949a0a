"""What a user can choose: refusals name option, value and remedy; choices resolve to what there is."""

from __future__ import annotations

import pytest
import torch

from harness.errors import UsageError
from harness.trials import options
from harness.trials.options import Options, resolve_device, resolve_workers, visible_gpus
from harness.trials.provenance import cores


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"device": "gpu"}, "--claims-device: no device 'gpu'; give one of auto, cpu, cuda"),
        ({"workers": -2}, "--claims-workers: -2 is no number of processes; give 1 or more, or 0 for one per core"),
        ({"max_seconds": -1.0}, "--claims-max-seconds: -1 is no time to run; give a positive number of seconds"),
        (
            {"max_seconds": float("nan")},
            "--claims-max-seconds: nan is no time to run; give a positive number of seconds",
        ),
    ],
)
def test_impossible_choices_are_refused(given, message):
    with pytest.raises(UsageError) as refusal:
        Options(**given)
    assert str(refusal.value) == message


def test_record_holds_every_option_and_where_it_came_from():
    record = Options(base_seed=7, sources={"base_seed": "command line"}).record()

    assert record["base_seed"] == 7
    assert record["sources"] == {"base_seed": "command line"}
    assert set(record) == set(Options.__dataclass_fields__)


def test_auto_is_the_cpu_where_no_driver_is(monkeypatch):
    monkeypatch.setattr(options, "_has_gpu_driver", lambda: False)

    assert resolve_device("auto") == "cpu"


@pytest.mark.parametrize(("available", "device"), [(True, "cuda"), (False, "cpu")])
def test_auto_asks_torch_where_a_driver_is(monkeypatch, available, device):
    monkeypatch.setattr(options, "_has_gpu_driver", lambda: True)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: available)

    assert resolve_device("auto") == device


def test_a_gpu_that_is_not_there_is_refused(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)

    with pytest.raises(UsageError, match="--claims-device: torch finds no CUDA device here; give cpu or auto"):
        resolve_device("cuda")


def test_one_process_per_core_unless_said_otherwise_and_one_on_a_gpu():
    assert resolve_workers(0, "cpu") == cores()
    assert resolve_workers(3, "cpu") == 3
    assert resolve_workers(3, "cuda") == 3


@pytest.mark.parametrize(("named", "expected"), [("0", ("0",)), ("2, GPU-5f1", ("2", "GPU-5f1")), ("", ())])
def test_one_worker_for_each_gpu_that_may_be_used(named, expected, monkeypatch):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", named)

    assert visible_gpus("cuda") == expected
    assert visible_gpus("cpu") == ()
    assert resolve_workers(0, "cuda") == (len(expected) or cores())


def test_where_none_is_named_torch_counts_the_gpus(monkeypatch):
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES")
    monkeypatch.setattr("torch.cuda.device_count", lambda: 3)

    assert visible_gpus("cuda") == ("0", "1", "2")
