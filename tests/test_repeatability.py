"""The same run twice, through the real command: every number that is no duration comes back bit for bit."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from harness.trials.catalogue import claim_folders, load_claim

PROJECT = Path(__file__).parents[1]
CLAIMS = {folder.name: load_claim(folder).claim for folder in claim_folders(PROJECT / "claims")}

pytestmark = pytest.mark.slow


def run_all(folder: Path, workers: int) -> dict[tuple, dict]:
    """Run every claim at the smoke scale into a store of its own; return its trials without durations."""
    options = {"workers": workers, "profile": "smoke", "store": folder / "store.sqlite3", "report": folder / "report"}
    command = [sys.executable, "-c", "from harness.cli.main import main; raise SystemExit(main())", "run", *CLAIMS]
    command += [f"--claims-{name}={value}" for name, value in options.items()]
    # The other tests beside a claim measure nothing that is stored.
    command += ["--claims-fresh", "--claims-device=cpu", "-p", "no:cacheprovider", "-k", "test_reading or test_control"]
    environment = {**os.environ, "PYTHONPATH": str(PROJECT)}
    done = subprocess.run(command, cwd=PROJECT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    query = "SELECT claim, arm, condition, settings, base_seed, seed, status, metrics FROM trial"
    with sqlite3.connect(folder / "store.sqlite3") as database:
        return {tuple(row[:6]): {"status": row[6], **untimed(row[0], row[7])} for row in database.execute(query)}


def untimed(claim: str, metrics: str) -> dict[str, object]:
    """Return the metrics that are no durations; JSON holds every bit of a number."""
    kinds = CLAIMS[claim].metrics
    return {name: value for name, value in json.loads(metrics).items() if kinds[name].unit != "second"}


@pytest.fixture(scope="module")
def reference(tmp_path_factory):
    """What one process measured first."""
    return run_all(tmp_path_factory.mktemp("reference"), workers=1)


# Two processes split the seeds, so that a batch has other members: that too leaves every bit as it is here.
@pytest.mark.parametrize("workers", [1, 2])
def test_the_same_run_repeats_bit_for_bit(reference, tmp_path, workers):
    again = run_all(tmp_path, workers)

    assert {key[0] for key in again} == set(CLAIMS)
    assert all(row["status"] == "finished" for row in again.values())
    assert again == reference
