# /// script
# requires-python = ">=3.11"
# dependencies = ["nox>=2025.2"]
# ///
"""What can be run here: `nox -l` lists it. Environments are kept and reused."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import nox

nox.needs_version = ">=2025.2"
# pip, not uv: uv passes over a local wheel of torch and takes gigabytes of CUDA packages instead.
nox.options.default_venv_backend = "virtualenv"
nox.options.reuse_venv = "yes"
nox.options.sessions = ["tests"]

# What workers have too: glibc then keeps blocks up to 32 MiB instead of fetching them anew at every step.
MEMORY = {"MALLOC_MMAP_THRESHOLD_": str(2**25), "MALLOC_TRIM_THRESHOLD_": str(2**30)}

PROJECT = nox.project.load_toml("pyproject.toml")
TORCH = next(line for line in Path("constraints.txt").read_text().splitlines() if line.startswith("torch=="))


def install(session: nox.Session, *groups: str) -> None:
    """Install the project as it stands, with groups of dependencies, within the constraints."""
    wanted = [requirement for group in groups for requirement in nox.project.dependency_groups(PROJECT, group)]
    session.install("-c", "constraints.txt", "-e", ".[documents]", *wanted)


@nox.session
def claims(session: nox.Session) -> None:
    """Run the claims and leave reports in reports/latest; options of pytest follow after --."""
    install(session)
    session.run("claims", "run", *session.posargs)


@nox.session
def tests(session: nox.Session) -> None:
    """Run the tests of the harness on all cores, the slow statistical ones included; `-- -n 0` takes one process."""
    install(session, "test", "build")
    # At most eight processes: each has a torch in memory. They take tests from each other, so that all end together.
    beside = ["-n", "auto", "--maxprocesses=8", "--dist=worksteal"]
    session.run("pytest", "tests", "--benchmark-disable", *beside, *session.posargs, env={"OMP_NUM_THREADS": "1"})


@nox.session(default=False)
def anywhere(session: nox.Session) -> None:
    """Run the tests in random order as on other machines: time zones, locales, cores, terminals. Options follow after --."""
    install(session, "test", "build", "order")
    session.run("python", "-m", "tests.anywhere", *session.posargs)


@nox.session(default=False)
def exports(session: nox.Session) -> None:
    """Read exports back with the real TensorBoard and the real MLflow, and Parquet with pyarrow: 850 MB, in no other session."""
    install(session, "test")
    # Of constraints.txt torch alone: MLflow wants a python-dateutil below 3.
    session.install("-e", ".[documents,tensorboard,mlflow,parquet]", TORCH)
    session.run(
        "pytest", "tests/report/test_export.py", "tests/trials/test_parquet.py", "--benchmark-disable", *session.posargs
    )


@nox.session(default=False)
def calibrate(session: nox.Session) -> None:
    """Measure the judge's error rates in full and write docs/calibration.md; names of tables follow after --."""
    install(session, "test")
    session.run("python", "-m", "tests.calibration", *session.posargs)


@nox.session(default=False)
def fuzz(session: nox.Session) -> None:
    """Give the loaders thousands of broken files, and every property new examples. Options follow after --."""
    install(session, "test")
    session.run("python", "-m", "tests.fuzz", *session.posargs)


@nox.session(default=False)
def prove(session: nox.Session) -> None:
    """Break every experiment in 20 small ways, and say which of them its claim notices; options follow after --."""
    install(session)
    session.run("claims", "index", "--check")
    session.run("claims", "prove", *session.posargs)
    session.run("claims", "prove", "--mutants", "20", *session.posargs)


@nox.session(default=False)
def mutants(session: nox.Session) -> None:
    """Break the modules that decide in every small way; the tests must notice each. Options follow after --."""
    install(session, "test")
    session.run("python", "tests/mutation.py", *session.posargs)


@nox.session(default=False)
def faults(session: nox.Session) -> None:
    """Kill runs at random moments, cause every other fault, and say what was lost; options of the killing follow."""
    install(session, "test")
    session.run("python", "-m", "tests.faults", *session.posargs)
    session.run("pytest", "tests", "-m", "fault", "--benchmark-disable", "-v")


@nox.session(default=False)
def ray(session: nox.Session) -> None:
    """Run claims on two Ray nodes of this machine while nodes, workers and runs are killed; prints what was lost. Options follow."""
    install(session, "test")
    session.install("-c", "constraints.txt", "-e", ".[ray]")
    session.run("python", "-m", "tests.ray.campaign", *session.posargs)


@nox.session(default=False)
def bench(session: nox.Session) -> None:
    """Time the engine against its rivals, then every claim that trains; needs an idle machine."""
    install(session, "test", "bench")
    engine = ["tests/bench", "-o", "python_files=bench_*.py", "-o", "python_functions=bench_*", "-W", "default"]
    for name, what in {"engine": engine, "claims": ["claims"]}.items():
        results = Path(f"reports/bench/{name}.json")
        results.parent.mkdir(parents=True, exist_ok=True)
        results.unlink(missing_ok=True)
        # In one process: pytest-benchmark measures nothing under pytest-xdist.
        options = [f"--benchmark-json={results}", "--benchmark-columns=median,iqr,min,rounds"]
        options += ["--benchmark-sort=fullname", "--benchmark-only", "-q", "-r", "fE"]
        session.run("pytest", *what, *options, *session.posargs, env=MEMORY)
        if not results.is_file() or not results.stat().st_size:
            session.error(f"{results}: no numbers were produced")


@nox.session(default=False)
def scale(session: nox.Session) -> None:
    """Print how far the harness reaches: a thousand claims, a million trials, a thousand workers. Options follow after --."""
    install(session, "test")
    session.run("python", "-m", "tests.scale", *session.posargs)


@nox.session(default=False)
def gpu(session: nox.Session) -> None:
    """On a machine with a GPU: its tests, the bench there, then claims; writes docs/gpu.md. Options follow after --."""
    install(session, "test", "bench")
    session.run("python", "-m", "tests.gpu", *session.posargs)


@nox.session(default=False)
def browser(session: nox.Session) -> None:
    """Open the report in chromium and look at it; it is installed where that is possible and skipped where it is not."""
    install(session, "test", "browser")
    if not (os.environ.get("CHROMIUM") or shutil.which("chromium")) and shutil.which("apt-get") and os.geteuid() == 0:
        session.run("apt-get", "update", external=True, silent=True)
        session.run("apt-get", "install", "-y", "--no-install-recommends", "chromium", external=True, silent=True)
    looks = ["tests/browser", "-o", "python_files=browser_*.py", "-o", "python_functions=browser_*", "-W", "default"]
    session.run("pytest", *looks, "--benchmark-disable", "-q", "-r", "fEs", "-s", *session.posargs)


@nox.session(default=False)
def report(session: nox.Session) -> None:
    """Write the reports of the last run again, without training."""
    install(session)
    session.run("claims", "report", *session.posargs)


@nox.session
def lint(session: nox.Session) -> None:
    """Check style and format."""
    session.install(*nox.project.dependency_groups(PROJECT, "lint"))
    session.run("ruff", "check", ".")
    session.run("ruff", "format", "--check", ".")


@nox.session
def types(session: nox.Session) -> None:
    """Check the types of harness/, strictly."""
    install(session, "types")
    session.run("mypy")


@nox.session(default=False)
def docs(session: nox.Session) -> None:
    """Build the documentation's site in docs/_build/html; a broken link is an error. Options of sphinx-build follow after --."""
    session.install("-c", "constraints.txt", *nox.project.dependency_groups(PROJECT, "docs"))
    options = ["--fail-on-warning", "--keep-going", "--fresh-env", "-c", "docs", "-b", "html"]
    session.run("sphinx-build", *options, *session.posargs, ".", "docs/_build/html")


@nox.session(default=False)
def clean(session: nox.Session) -> None:
    """Remove the store, the reports and the site."""
    for path in (Path(".claims"), Path("reports/latest"), Path("reports/bench"), Path("docs/_build")):
        shutil.rmtree(path, ignore_errors=True)
        session.log(f"removed {path}")
