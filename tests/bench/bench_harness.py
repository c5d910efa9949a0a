"""What the harness itself costs: starting up, validating, storing and reporting, at a hundred times today's size."""

from __future__ import annotations

import resource
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from harness.report.write import write_reports
from harness.running.claim_run import run_claim
from harness.running.context import Context
from harness.running.results import run_of
from harness.seeds import Seed
from harness.store.store import Store
from harness.trials.catalogue import claim_folders, load_claim
from harness.trials.executor import Inline
from harness.trials.options import Options
from harness.trials.provenance import machine
from harness.trials.rows import TrialRow
from harness.trials.task import Outcome, Task
from tests.bench.conftest import OURS
from tests.tiny_project import write_claim

PROJECT = Path(__file__).parents[2]
CLAIMS, TRIALS = 1000, 100_000


@pytest.mark.parametrize(
    ("name", "arguments", "limit"),
    [
        ("claims list", ["-c", "from harness.cli.main import main; main(['list'])"], 400.0),
        ("pytest --collect-only claims", ["-m", "pytest", "claims", "--collect-only", "-q"], None),
    ],
)
def bench_starting_up(contest, name, arguments, limit):
    def start():
        subprocess.run([sys.executable, *arguments], cwd=PROJECT, check=True, capture_output=True)

    contest("harness", name, start, most={OURS: limit} if limit else {})


def bench_validation(contest, tmp_path):
    for number in range(CLAIMS):
        write_claim(tmp_path, f"claim_{number:04d}")

    def validate():
        assert len([load_claim(folder) for folder in claim_folders(tmp_path / "claims")]) == CLAIMS

    contest("harness", f"validating {CLAIMS:,} specifications", validate, most={OURS: 3000.0}, rounds=3)


@pytest.fixture
def store(tmp_path):
    with closing(Store(tmp_path / "store.sqlite3")) as opened:
        opened.start_run("run", Options().record(), machine(PROJECT))
        yield opened


def trial(folder, number):
    task = Task(folder, folder, "warm", {}, (), {"centre": 1.0, "spread": 0.05}, ("level",))
    outcome = Outcome({"level": 1.0}, 0.5)
    return TrialRow(f"key {number}", f"claim_{number // 100:04d}", task, Seed(0, "c", number % 100), outcome, {})


def bench_storing_a_trial(contest, store, tmp_path):
    numbers = iter(range(TRIALS))

    def save():
        for _ in range(100):
            store.save_trial(trial(tmp_path, next(numbers)), "run")

    contest("harness", "storing 100 trials", save, most={OURS: 100.0})


def bench_reporting(contest, store, tmp_path):
    folder = load_claim(write_claim(tmp_path))
    record = run_claim(folder, Context(Options(workers=1), store, lambda _: Inline(), "first"))
    values = {str(seed): 0.5 + seed for seed in range(TRIALS // CLAIMS)}
    expectations = {name: e.model_copy(update={"values": values}) for name, e in record.expectations.items()}
    reading = record.readings["as_documented"].model_copy(update={"expectations": expectations})
    readings = {"as_documented": reading}
    store._database.execute("BEGIN")
    for number in range(CLAIMS):
        store.save_record("run", record.model_copy(update={"id": f"claim_{number:04d}", "readings": readings}))
    for number in range(TRIALS):
        store.save_trial(trial(tmp_path, number), "run")
    store._database.execute("COMMIT")

    row = contest(
        "harness",
        f"reporting {CLAIMS:,} claims with {TRIALS:,} trials",
        lambda: write_reports(run_of(store, "run"), tmp_path / "reports"),
        most={OURS: 10_000.0},
        rounds=3,
    )
    row.notes["peak memory of the bench, MB"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3
