"""The same run twice, through the real command: every number comes back bit for bit, and another seed gives others."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys

import pytest

from tests.outside import PROJECT
from tests.tiny_project import write_claim

pytestmark = pytest.mark.slow


def run_all(project, store, workers, base_seed=0):
    """Run the claims of a project at the smoke scale into a store of its own; return its trials."""
    options = {
        "workers": workers,
        "profile": "smoke",
        "base-seed": base_seed,
        "store": store,
        "report": f"{store}.report",
    }
    command = [sys.executable, "-c", "from harness.cli.main import main; raise SystemExit(main())", "run"]
    command += [f"--claims-{name}={value}" for name, value in options.items()]
    command += ["--claims-fresh", "--claims-device=cpu", "-p", "no:cacheprovider"]
    environment = {**os.environ, "PYTHONPATH": str(PROJECT)}
    done = subprocess.run(command, cwd=project, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    query = "SELECT claim, arm, condition, settings, seed, status, metrics FROM trial"
    with sqlite3.connect(store) as database:
        return {tuple(row[:5]): (row[5], json.loads(row[6])) for row in database.execute(query)}


# Two processes split the seeds, so that a batch has other members.
@pytest.mark.parametrize(("workers", "base_seed", "alike"), [(1, 0, True), (2, 0, True), (1, 1, False)])
def test_the_same_run_repeats_bit_for_bit_and_another_does_not(tmp_path, workers, base_seed, alike):
    write_claim(tmp_path)
    write_claim(tmp_path, "hot_exceeds_cold", gap=2.0)
    first = run_all(tmp_path, tmp_path / "first", 1)
    again = run_all(tmp_path, tmp_path / "again", workers, base_seed)

    assert len(first) == 12
    assert {status for status, _ in [*first.values(), *again.values()]} == {"finished"}
    assert first.keys() == again.keys()
    assert (first == again) is alike
