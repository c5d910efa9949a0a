"""Where the trials of a claim ran, as reports say it."""

from __future__ import annotations

from harness.report.place_text import lines, machines
from harness.store.records.parts import PlaceRecord
from harness.trials.place import Place
from tests.reported import GPU, TORCH

PLACE = Place(
    host="tower",
    node=None,
    processor="a processor",
    governor=None,
    cores=1,
    memory=None,
    gpu=None,
    torch=None,
    threads=1,
    alone=True,
    attempt=1,
)


def at(trials, durations=0, **changes):
    return PlaceRecord(place=PLACE.model_copy(update=changes), trials=trials, durations=durations)


def test_a_place_is_told_with_all_that_is_known_of_it():
    everything = {
        "node": "n1",
        "governor": "powersave",
        "cores": 8,
        "memory": 16_000_000_000,
        "gpu": GPU,
        "torch": TORCH,
    }

    found = list(lines([at(12, 12), at(30, **everything, alone=False, threads=2, attempt=2)]))[:2]

    assert found == [
        ("measured on", "12 trials alone, durations of 12: tower; a processor, 1 core; 1 thread; without torch"),
        (
            "measured on",
            (
                "30 trials beside others, begun 2 times: tower (node n1); a processor, 8 cores; governor powersave; 16.0 GB of memory; "
                "NVIDIA A100 (1g.5gb of it), 40.0 GB, GPU-1, driver 550, at most 250 W; 2 threads; torch 2.13.0 with CUDA 12.8 and "
                "cuDNN 91000: deterministic cuDNN, float32 matrix products at highest precision"
            ),
        ),
    ]


def test_models_that_a_claim_mixes_are_named():
    other = GPU.model_copy(update={"model": "NVIDIA H100", "mig": None})
    mixed = [at(5, gpu=GPU), at(3, gpu=other), at(2, gpu=other, alone=False), at(1, processor="another", gpu=GPU)]

    found = [text.split(";")[0] for name, text in lines(mixed) if name == "several models"]

    assert found == [
        "a processor (10 trials), another (1 trial)",
        "NVIDIA A100 MIG 1g.5gb (6 trials), NVIDIA H100 (5 trials)",
    ]
    assert [name for name, _ in lines([at(5, gpu=GPU), at(3, gpu=GPU, alone=False, host="another")])] == [
        "measured on"
    ] * 2


def test_what_computed_is_named_once():
    assert machines([at(3), at(2, alone=False), at(1, gpu=GPU)]) == (
        "a processor, 1 core and a processor, 1 core, NVIDIA A100 MIG 1g.5gb"
    )
    assert machines([]) == ""
