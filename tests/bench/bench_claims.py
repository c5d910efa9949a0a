"""All claims from an empty store, as `claims run` does it: how long each takes, and where the time goes."""

from __future__ import annotations

import json
import os
import pstats
import re
import resource
import sqlite3
import subprocess
import sys
from collections import Counter
from pathlib import Path

from harness.trials.profiling import VARIABLE
from tests.bench.conftest import ROWS, Row

PROJECT = Path(__file__).parents[2]
BEFORE = 358_000.0
"""Milliseconds that the same eight claims took on this kind of machine before seeds were trained together."""

PHASES = {
    r"harness/training/training_run\.py:train$": "training",
    r"fixtures/(boltzmann|contrastive_divergence)\.py:": "training",
    r"harness/training/ensembles\.py:": "prediction",
    r"harness/training/support_vectors\.py:": "kernel machines",
    r"fixtures/|:examples_of$": "data",
}
"""What the functions that an experiment calls are for, by the first pattern that fits; all else is its own work."""


CALLING = ("experiment.py", "pictures.py", "supervised_learning.py")
"""Files whose calls count."""

WHOLE = "measure() and illustrate()"


def phase_of(called: tuple[str, int, str]) -> str | None:
    """Return what a function is for, given as the profiler names it: file, line, name."""
    path = Path(called[0])
    name = f"{path.parent.name}/{path.name}:{called[2]}"
    return next((phase for pattern, phase in PHASES.items() if re.search(pattern, name)), None)


def phases(files: list[Path]) -> Counter[str]:
    """Return the seconds of each phase of one claim, of all its calls together, and of illustrate() among them."""
    seconds: Counter[str] = Counter()
    for (file, line, name), (_, _, _, total, callers) in pstats.Stats(*map(str, files)).stats.items():
        if (name, Path(file).name) in (("measure", "experiment.py"), ("illustrate", "pictures.py")):
            seconds[WHOLE] += total
            seconds["illustrate()"] += total if name == "illustrate" else 0.0
        phase = phase_of((file, line, name))
        if phase is None:
            continue
        # Only calls by the experiment, and by no phase of it: a call within a call would count twice.
        own = [caller for caller in callers if caller[0].endswith(CALLING) and phase_of(caller) is None]
        seconds[phase] += sum(callers[caller][3] for caller in own)
    return seconds


def processor_seconds() -> float:
    """Return what all processes that have ended so far used, user and system."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def bench_claims_from_an_empty_store(contest, tmp_path, request):
    store, profiles = tmp_path / "store.sqlite3", tmp_path / "profiles"
    profiles.mkdir()
    command = [Path(sys.executable).with_name("claims"), "run"]
    options = [f"--claims-store={store}", f"--claims-report={tmp_path / 'reports'}"]
    before = processor_seconds()

    def run():
        done = subprocess.run(
            [*command, *options], cwd=PROJECT, env={**os.environ, VARIABLE: str(profiles)}, check=False
        )
        assert done.returncode == 0

    row = contest("claims", "all of them", run, rounds=1, warm=False)
    processor = processor_seconds() - before
    database = sqlite3.connect(store)
    trials = dict(database.execute("SELECT claim, SUM(seconds) FROM trial GROUP BY claim"))
    walls = {
        claim: json.loads(record)["cost"]["wall_seconds"]
        for claim, record in database.execute("SELECT claim, record FROM record")
    }
    everything: Counter[str] = Counter()
    for claim, wall in sorted(walls.items(), key=lambda item: -item[1]):
        found = phases(sorted(profiles.glob(f"{claim}.*")))
        everything += found
        request.config.stash[ROWS].append(Row("claims", claim, 1e3 * wall, notes=shares(found, wall)))
    row.notes |= shares(everything, row.ours / 1e3)
    outside = 1 - (sum(trials.values()) + everything["illustrate()"]) / processor
    row.notes |= {"cores busy": processor / (row.ours / 1e3) / os.cpu_count(), "outside measure()": outside}
    row.most |= {"ms": BEFORE / 2, "outside measure()": 0.02}
    row.must |= {"cores busy": 0.9}


def shares(found: Counter[str], wall: float) -> dict[str, float]:
    """Return the share of each phase in the calls of the experiment, and how many cores those kept busy."""
    whole = found[WHOLE]
    named = {phase: found[phase] / whole for phase in dict.fromkeys(PHASES.values())}
    return {**named, "its own work": 1 - sum(named.values()), "cores busy": whole / wall / os.cpu_count()}
