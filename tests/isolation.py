"""What surrounds a test is the same on every machine, and a test leaves it as it found it.

A plugin of pytest, loaded by tests/conftest.py, in xdist's workers too.
"""

from __future__ import annotations

import locale
import os
import random
import shutil
import signal
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import rich.style

if TYPE_CHECKING:
    from collections.abc import Generator

PROJECT = Path(__file__).parents[1]

FOREIGN = (
    "CI", "BUILD_", "GITHUB_", "RUNNER_",  # jobs: summaries are written, annotations printed, lines not cut
    "CLAIMS_", "PYTEST_", "HYPOTHESIS_", "MLFLOW_", "MPL", "XDG_",  # where things lie, and options
    "NO_COLOR", "FORCE_COLOR", "CLICOLOR", "PY_COLORS", "TTY_", "COLORTERM",
    "HTTP_", "HTTPS_", "ALL_PROXY", "NO_PROXY", "http_", "https_", "all_proxy", "no_proxy", "REQUESTS_", "SSL_",
    "GIT_", "COMP_", "_ARGCOMPLETE", "PIP_", "PYTHONWARNINGS", "PYTHONSTARTUP", "PYTHONINSPECT", "PYTHONBREAKPOINT",
    "PYTHONUNBUFFERED",
    "PYTHONDONTWRITEBYTECODE",  # every process that a test starts would compile the harness anew: half of its time
)  # fmt: skip
"""How the names of environment variables begin that change what the code under test does.

Among them are those of pytest-xdist: what a test starts in a worker is no worker, and measures what it is asked to.
"""

GPU = "CUDA_VISIBLE_DEVICES"

OWN = {
    # What else is installed here must not change the runs that tests start; and loading hypothesis takes half a second.
    "PYTEST_ADDOPTS": "-p no:hypothesispytest -p no:randomly -p no:random_order",
    "COLUMNS": "80",
    "LINES": "24",
    "TERM": "xterm",
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_NOSYSTEM": "1",
    # `auto` is the processor, as on most machines; `-m gpu` asks for what needs a GPU.
    GPU: "",
    # Full MNIST may lie in the user's cache; the tests' numbers are those of the embedded digits.
    "CLAIMS_CACHE_DIR": str(PROJECT / "no such folder"),
}
"""What every test finds instead."""

THEIRS = ("PYTEST_CURRENT_TEST", "KMP_", "TORCHINDUCTOR_", "MLFLOW_DISABLE_TELEMETRY", "TF_CPP_", "TPU_")
"""What pytest, torch when some parts of it are first imported, JAX and the export to MLflow set for good."""

OF_A_BROWSER = {"threads", "the global generator of random"}
"""What a real browser has of its own, from the first look to the last, and draws from."""

MADE = {".git", ".nox", ".venv", "__pycache__", ".pytest_cache", ".mypy_cache", ".ruff_cache"}
"""Folders in which Python, pytest and those who work here leave what is theirs."""

PATH: pytest.StashKey[list[str]] = pytest.StashKey()
BEFORE: pytest.StashKey[dict[str, Any]] = pytest.StashKey()
FILES: pytest.StashKey[set[str]] = pytest.StashKey()
LOCKS: pytest.StashKey[str] = pytest.StashKey()
LEFT: pytest.StashKey[list[str]] = pytest.StashKey()


def pytest_configure(config: pytest.Config) -> None:
    """Give the tests, and every process that they start, an environment that is the same everywhere."""
    for name in [name for name in os.environ if name.startswith(FOREIGN)]:
        del os.environ[name]
    os.environ.update({name: value for name, value in OWN.items() if name != GPU or not _on_a_gpu(config)})
    if config.getoption("numprocesses", None) and not hasattr(config, "workerinput"):
        # pytest-xdist's workers inherit this, and take options of the plugins that are named here; they run the tests.
        del os.environ["PYTEST_ADDOPTS"]
    # Wait for no run outside of this process; a test of durations would wait for whatever else is measured here. Fixtures
    # of modules run before those of functions, so this stands here.
    config.stash[LOCKS] = os.environ["CLAIMS_LOCKS"] = tempfile.mkdtemp(prefix="claims-locks-")
    # rich numbers links by the global generator, whose moves are watched here.
    rich.style.getrandbits = random.Random().getrandbits


def _on_a_gpu(config: pytest.Config) -> bool:
    return bool(config.getoption("markexpr", "") == "gpu")


def pytest_unconfigure(config: pytest.Config) -> None:
    """Leave nothing in the folder of temporary files."""
    shutil.rmtree(config.stash[LOCKS], ignore_errors=True)


@pytest.fixture
def pytester(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    """pytest's own, which forgets the options of the environment; here they are ours."""
    monkeypatch.setenv("PYTEST_ADDOPTS", OWN["PYTEST_ADDOPTS"])
    return pytester


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> Generator[None, Any, Any]:
    """Look around before a test."""
    if torch := sys.modules.get("torch"):
        # Whoever builds a layer draws from this one: what came before must not matter.
        torch.default_generator.manual_seed(0)
    item.stash[PATH], item.stash[BEFORE] = sys.path.copy(), surroundings(item.config)
    return (yield)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_teardown(item: pytest.Item) -> Generator[None, Any, Any]:
    """Fail a test after which something is otherwise than before."""
    result = yield
    # Where experiments were imported from stays there for as long as a process lives.
    sys.path[:] = item.stash[PATH]
    before, after = item.stash[BEFORE], surroundings(item.config)
    kept = before.keys() - (OF_A_BROWSER if "browser" in getattr(item, "fixturenames", ()) else set())
    changed = [
        f"{name}: {difference(before[name], after[name])}"
        for name in before
        if name in kept and before[name] != after[name]
    ]
    if changed:
        pytest.fail(f"the test left behind: {'; '.join(changed)}", pytrace=False)
    return result


def surroundings(config: pytest.Config) -> dict[str, Any]:
    """Return what a test may change and has to restore; some 100 microseconds."""
    found: dict[str, Any] = {
        "os.environ": {name: value for name, value in os.environ.items() if not name.startswith(THEIRS)},
        "working directory": os.getcwd(),  # noqa: PTH109
        "locale": locale.setlocale(locale.LC_ALL),
        "time zone": " ".join(time.tzname),
        "SIGINT": signal.getsignal(signal.SIGINT),
        "SIGTERM": signal.getsignal(signal.SIGTERM),
        "threads": {thread.name for thread in threading.enumerate()},
    }
    if torch := sys.modules.get("torch"):
        found |= {"torch's threads": torch.get_num_threads(), "torch's number type": torch.get_default_dtype()}
    # pytest-randomly seeds these itself, before a test and after it.
    if not config.pluginmanager.hasplugin("randomly"):
        found["the global generator of random"] = random.getstate()
        if numpy := sys.modules.get("numpy.random"):
            _, key, *rest = numpy.get_state()
            found["the global generator of numpy"] = (key.tobytes(), *rest)
    return found


def difference(before: object, after: object) -> str:
    """Return in words how two things differ."""
    if isinstance(before, dict) and isinstance(after, dict):
        names = sorted(before.keys() | after.keys())
        return ", ".join(
            f"{name} is {after.get(name)!r}, was {before.get(name)!r}"
            for name in names
            if before.get(name) != after.get(name)
        )
    if isinstance(before, set) and isinstance(after, set):
        return ", ".join(sorted(before ^ after))
    return "was drawn from" if isinstance(before, (bytes, tuple)) else f"is {after!r}, was {before!r}"


def files() -> set[str]:
    """Return the files of the checkout, without those that tools of development keep there; some milliseconds."""
    found = set()
    for folder, folders, names in os.walk(PROJECT):
        folders[:] = [name for name in folders if name not in MADE and not name.endswith(".egg-info")]
        found.update(os.path.relpath(Path(folder, name), PROJECT) for name in names)
    return found


def pytest_sessionstart(session: pytest.Session) -> None:
    """Look what lies in the checkout; once, whatever the number of workers."""
    if not hasattr(session.config, "workerinput"):
        session.config.stash[FILES] = files()


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_sessionfinish(session: pytest.Session) -> Generator[None, Any, Any]:
    """Fail a session after which files lie in the checkout, or are gone."""
    before = session.config.stash.get(FILES, None)
    changed = set() if before is None else before ^ files()
    if changed and session.exitstatus == pytest.ExitCode.OK:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
    session.config.stash[LEFT] = sorted(changed)
    return (yield)


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    """Name the files."""
    if left := config.stash.get(LEFT, []):
        terminalreporter.section("files that came or went while the tests ran; the tests must touch none", red=True)
        terminalreporter.write_line("\n".join(left))
