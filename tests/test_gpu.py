"""The command for the day that a GPU is at hand: what it keeps of a report, and what it says where there is none."""

from __future__ import annotations

import json

import pytest

from tests import gpu
from tests.reported import saved_claim


@pytest.fixture
def report():
    claims = [saved_claim().model_dump(mode="json") for _ in range(2)]
    claims[1]["cost"]["compute_seconds"] = 0.0
    machine = {"gpus": ["a GPU"], "cores": 4, "processor": "a processor", "packages": {"torch": "2"}}
    return {"claims": claims, "documents": [1], "machine": machine}


def test_what_was_not_run_is_not_kept(report):
    kept = gpu.judged(report)

    assert [claim["id"] for claim in kept["claims"]] == ["holds"]
    assert (kept["documents"], kept["machine"]) == ([], report["machine"])


def test_the_table_says_how_many_readings_came_out_as_expected(report):
    (claim,) = gpu.judged(report)["claims"]
    good = sum(one["verdict"] == one["expected"] for one in claim["readings"].values())
    number = claim["trials"]["measured"] + claim["trials"]["reused"]
    lines = gpu.table({**report, "claims": [claim]}).splitlines()

    assert lines[2].startswith(f"| holds | {good} of {len(claim['readings'])} | {number} | ")
    assert lines[-1].endswith(": a GPU, beside 4 cores of a processor; torch 2.")


def test_the_reference_that_is_kept_is_a_table_of_the_document():
    kept = json.loads((gpu.REFERENCE / "gpu.json").read_text())

    for claim in kept["claims"]:
        assert f"| {claim['id']} | " in gpu.DOCUMENT.read_text()
    assert gpu.MARKS.search(gpu.DOCUMENT.read_text())


def test_without_a_gpu_nothing_is_begun(monkeypatch, capsys):
    monkeypatch.setattr(gpu, "step", lambda *_: pytest.fail("a step was begun"))

    assert gpu.main(["--minutes", "1"]) == 2
    assert capsys.readouterr().err == "torch finds no GPU here; `claims doctor` says why, if there is one\n"
