"""`python -m tests.gpu`: on a machine with a GPU its tests, the bench against its rivals, and claims; writes docs/gpu.md.

`nox -s gpu` runs it. With `--wheels FOLDER` it needs neither nox nor a network: what the environment at hand lacks is
taken from there.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import torch

PROJECT = Path(__file__).resolve().parents[1]
DOCUMENT = PROJECT / "docs" / "gpu.md"
REFERENCE = PROJECT / "reports" / "reference"
MARKS = re.compile(r"(<!-- claims on a GPU -->\n).*?(<!-- end -->)", re.DOTALL)

HEADLINES = (
    "overparameterization_does_not_hurt_test_error",
    "random_labels_are_fit",
    "gradient_descent_tends_to_max_margin",
    "cnn_beats_svm_under_clutter",
    "pretraining_lowers_mnist_error",
)

BENCH = (
    "-o",
    "python_files=bench_*.py",
    "-o",
    "python_functions=bench_*",
    "-W",
    "default",
    "--benchmark-only",
    "-q",
    "-s",
)


def environment(wheels: Path | None) -> dict[str, str]:
    """Return the environment of the steps; packages of a folder of wheels come after those of the project."""
    path = [str(PROJECT)]
    if wheels:
        target = tempfile.mkdtemp(prefix="claims-wheels-")
        found = [str(wheel) for wheel in sorted(wheels.glob("*.whl"))]
        install = ["-q", "--no-index", "--no-deps", "--no-compile", "--no-cache-dir", "--target", target]
        subprocess.run([sys.executable, "-m", "pip", "install", *install, *found], check=True)
        path.append(target)
    # JAX would take three quarters of the GPU's memory for itself.
    own = {"OMP_NUM_THREADS": "1", "XLA_PYTHON_CLIENT_PREALLOCATE": "false", "PYTHONUNBUFFERED": "1"}
    return {**os.environ, **own, "PYTHONPATH": os.pathsep.join(path)}


def table(report: dict[str, Any]) -> str:
    """Return a table of a report's claims: verdicts, trials and the seconds that those took."""
    lines = ["| claim | readings as expected | trials | failed | seconds |", "| --- | ---: | ---: | ---: | ---: |"]
    for claim in report["claims"]:
        readings = list(claim["readings"].values())
        good = sum(reading["verdict"] == reading["expected"] for reading in readings)
        trials, seconds = claim["trials"], claim["cost"]["compute_seconds"]
        number = trials["measured"] + trials["reused"]
        cells = (claim["id"], f"{good} of {len(readings)}", number, trials["failed"], f"{seconds:.0f}")
        lines.append("| " + " | ".join(str(cell) for cell in cells) + " |")
    machine = report["machine"]
    versions = ", ".join(f"{name} {version}" for name, version in machine["packages"].items())
    where = f"{', '.join(machine['gpus'])}, beside {machine['cores']} cores of {machine['processor']}"
    return "\n".join([*lines, "", f"Measured on {datetime.now(UTC):%Y-%m-%d}: {where}; {versions}."])


def judged(report: dict[str, Any]) -> dict[str, Any]:
    """Return a report without the claims for which there was no time, and without the documents' statements."""
    claims = [claim for claim in report["claims"] if claim["cost"]["compute_seconds"]]
    return {**report, "claims": claims, "documents": []}


def run_claims(minutes: float, workers: int, around: dict[str, str]) -> bool:
    """Run the headlines, then the others in the minutes left; keep the report and write the table; return whether all went well."""
    begun, good = time.monotonic(), True
    with tempfile.TemporaryDirectory() as folder:
        for names in (HEADLINES, ()):
            left = 60 * minutes - (time.monotonic() - begun)
            options = ["--device", "cuda", "--workers", str(workers), "--max-seconds", f"{max(left, 1):.0f}"]
            options += ["--store", f"{folder}/store.sqlite3", "--report", f"{folder}/report", "--progress", "plain"]
            good &= step("claims", ["-m", "harness", "run", *options, *names], {**around, "CLAIMS_LOCKS": folder})
        report = judged(json.loads(Path(f"{folder}/report/report.json").read_text()))
    REFERENCE.mkdir(parents=True, exist_ok=True)
    (REFERENCE / "gpu.json").write_text(json.dumps(report, separators=(",", ":")) + "\n")
    DOCUMENT.write_text(MARKS.sub(lambda found: f"{found[1]}{table(report)}\n{found[2]}", DOCUMENT.read_text()))
    return good


def step(name: str, arguments: list[str], around: dict[str, str]) -> bool:
    """Run a step; return whether it went well."""
    begun = time.monotonic()
    print(f"== {name}: {' '.join(arguments)}")
    done = subprocess.run([sys.executable, *arguments], cwd=PROJECT, env=around, check=False)
    print(f"== {name}: exit code {done.returncode} after {time.monotonic() - begun:.0f} s")
    return done.returncode == 0


def main(arguments: list[str] | None = None) -> int:
    """Run the steps that were asked for; return 1 if one of them did not go well, 2 where there is no GPU."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=10, help="for the claims (default 10)")
    parser.add_argument("--workers", type=int, default=0, help="processes that share the GPUs (default: one for each)")
    parser.add_argument("--wheels", type=Path, help="a folder of wheels to be used besides what is installed")
    parser.add_argument("--only", nargs="+", choices=["tests", "bench", "claims"], default=["tests", "bench", "claims"])
    options = parser.parse_args(arguments)
    if not torch.cuda.is_available():
        print("torch finds no GPU here; `claims doctor` says why, if there is one", file=sys.stderr)
        return 2
    around, good = environment(options.wheels), True
    if "tests" in options.only:
        good &= step("tests", ["-m", "pytest", "tests/training/test_on_a_gpu.py", "-m", "gpu", "-q"], around)
    if "bench" in options.only:
        good &= step("bench", ["-m", "pytest", "tests/bench/bench_gpu.py", "-m", "gpu", *BENCH], around)
    if "claims" in options.only:
        good &= run_claims(options.minutes, options.workers, around)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
