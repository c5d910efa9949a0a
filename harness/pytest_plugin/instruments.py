"""What `claims run` does with instrument tests: those that stand as they passed before do not run (running.instruments).

What `pytest` is asked for by itself it always runs, and so does `--fresh`.
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

import pytest

from harness.errors import ClaimsError
from harness.pytest_plugin.fixture import OPTIONS, is_of_claim, session_of
from harness.trials.witness import watching

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

    from harness.running.instruments import Instruments

JUDGING = frozenset(["reading", "control", "training_arm", "inference_arm", "benchmark"])
"""Fixtures of tests that read trials, or a clock; so does one that asks for `claim.record`, as is seen when it runs."""

OF_CLAIM: pytest.StashKey[dict[Path, Instruments]] = pytest.StashKey()
STANDING: pytest.StashKey[list[str]] = pytest.StashKey()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, Any, Any]:
    """Note what an instrument test reads, be it in a fixture."""
    with watching(item.path) if _is_instrument(item) else contextlib.nullcontext():
        return (yield)


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    """Let a test pass that passed before, if nothing that it rests on has changed."""
    if not _is_instrument(pyfuncitem) or pyfuncitem.config.stash[OPTIONS].fresh:
        return None
    with contextlib.suppress(ClaimsError):
        if _instruments_of(pyfuncitem).stands(pyfuncitem.name):
            pyfuncitem.user_properties.append(("claim.instrument", "passed before"))
            pyfuncitem.config.stash.setdefault(STANDING, []).append(pyfuncitem.nodeid)
            return True
    return None


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Generator[None, Any, Any]:
    """Keep that a test passed."""
    # Late: what it brings takes longer to import than collecting takes.
    from harness.pytest_plugin.claim_fixture import READS_TRIALS

    report = yield
    ran = call.when == "call" and report.outcome == "passed" and not hasattr(report, "wasxfail")
    stood = item.nodeid in item.config.stash.get(STANDING, [])
    if ran and not stood and _is_instrument(item) and READS_TRIALS not in item.stash:
        with contextlib.suppress(ClaimsError):
            _instruments_of(item).keep(item.name)
    return report


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say how many tests did not run."""
    passed = terminalreporter.stats.get("passed", [])
    standing = sum(("claim.instrument", "passed before") in report.user_properties for report in passed)
    if standing:
        terminalreporter.write_line(
            f"claims: {standing} instrument tests did not run: they passed on the same code, data and files"
        )


def _is_instrument(item: pytest.Item) -> bool:
    """Whether a test of a claim judges nothing and times nothing, in a run of claims."""
    if not (item.config.getoption("claims_wanted") and is_of_claim(item)):
        return False
    return not JUDGING & set(getattr(item, "fixturenames", JUDGING))


def _instruments_of(item: pytest.Item) -> Instruments:
    from harness.running.instruments import Instruments

    known, session = item.config.stash.setdefault(OF_CLAIM, {}), session_of(item.config)
    if item.path not in known:
        known[item.path] = Instruments(session.plan(item.path.parent), item.path, session.store)
    return known[item.path]
