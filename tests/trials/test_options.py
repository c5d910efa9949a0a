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
        ({"executor": "dask"}, "--claims-executor: no executor 'dask'; give one of processes, ray"),
        (
            {"ray_address": "ray://head:10001"},
            "--claims-ray-address: 'ray://head:10001' is no address; give auto, local or HOST:PORT",
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
    assert set(record) == set(Options.__dataclass_fields__) - {"slots"}, "a cluster's room is no choice of the user's"


def test_without_ray_the_option_says_what_to_install(monkeypatch):
    monkeypatch.setattr(options, "find_spec", lambda _: None)

    with pytest.raises(UsageError) as refusal:
        Options(executor="ray")
    assert str(refusal.value) == ("--claims-executor: ray is not installed; `pip install 'claims-harness[ray]'`")
    assert Options(ray_address="local").executor == "processes", "where nobody asks for it, nobody misses it"


@pytest.mark.parametrize("address", ["auto", "local", "10.0.0.7:6379", "head-node:6379"])
def test_addresses_of_clusters(address):
    assert Options(ray_address=address).ray_address == address


CLUSTER = {"cpu": 12, "cuda": 3}


def test_a_cluster_s_devices_are_those_of_its_nodes(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)

    assert [resolve_device(wanted, CLUSTER) for wanted in ("auto", "cpu", "cuda")] == ["cuda", "cpu", "cuda"]
    assert resolve_device("auto", {"cpu": 12, "cuda": 0}) == "cpu"
    with pytest.raises(UsageError, match="--claims-device: no node of the cluster has a GPU; give cpu or auto"):
        resolve_device("cuda", {"cpu": 12, "cuda": 0})


def test_a_cluster_s_workers_are_as_many_as_it_has_room_for():
    assert [resolve_workers(Options(slots=CLUSTER), device) for device in ("cpu", "cuda")] == [12, 3]
    assert resolve_workers(Options(slots=CLUSTER, workers=5), "cpu") == 5


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
    assert resolve_workers(Options(), "cpu") == cores()
    assert resolve_workers(Options(workers=3), "cpu") == 3
    assert resolve_workers(Options(workers=3), "cuda") == 3


@pytest.mark.parametrize(("named", "expected"), [("0", ("0",)), ("2, GPU-5f1", ("2", "GPU-5f1")), ("", ())])
def test_one_worker_for_each_gpu_that_may_be_used(named, expected, monkeypatch):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", named)

    assert visible_gpus("cuda") == expected
    assert visible_gpus("cpu") == ()
    assert resolve_workers(Options(), "cuda") == (len(expected) or cores())


def test_where_none_is_named_torch_counts_the_gpus(monkeypatch):
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES")
    monkeypatch.setattr("torch.cuda.device_count", lambda: 3)

    assert visible_gpus("cuda") == ("0", "1", "2")
