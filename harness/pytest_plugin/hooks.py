"""What pytest does in a session about claims: markers, the order of the claims, progress, verdict table, reports.

Thin on purpose: what a claim is and how it is judged lies below. Evidence reaches the
controller through the store, where every worker writes its records under the run's id;
so it survives a killed worker and works under pytest-xdist.
"""

from __future__ import annotations

import math
import time
import uuid
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import pytest

from harness._clock import base_seed_of, today
from harness._text import block, escape_unprintable
from harness.errors import ClaimsError, SpecError, UsageError
from harness.pytest_plugin.fixture import (
    DEADLINE,
    LIVE,
    OPTIONS,
    PROGRESS,
    RUN,
    SESSION,
    UNUSABLE,
    folders_of,
    interrupt_as_before,
    is_of_claim,
    session_of,
)
from harness.running.exit_code import AS_EXPECTED, INCONCLUSIVE_ONLY, UNEXPECTED, USAGE, exit_code
from harness.running.progress import Progress
from harness.trials.options import TODAY, Options
from harness.trials.project import PROJECT

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

    from harness.retrospect.run_history import Past
    from harness.specification.models import Claim
    from harness.store.records.run import Run

NOTHING: pytest.StashKey[bool] = pytest.StashKey()
LOST: pytest.StashKey[str] = pytest.StashKey()
FINISHED: pytest.StashKey[Run] = pytest.StashKey()

INVALID_SPECIFICATION = "invalid-specification"
"""Stands for the readings of a claim.yaml that cannot be loaded."""


def pytest_configure(config: pytest.Config) -> None:
    """Register the markers, read the options and give the run its id."""
    config.addinivalue_line(
        "markers", "claim(id): runs the claim with this id; added to every test beside a claim.yaml"
    )
    worker_input = getattr(config, "workerinput", None)
    config.stash[RUN] = worker_input["claims_run"] if worker_input else uuid.uuid4().hex[:12]
    try:
        config.stash[OPTIONS] = _options(config)
    except UsageError as error:
        pytest.exit(block(error), returncode=USAGE)
    limit = config.stash[OPTIONS].max_seconds
    own = math.inf if limit is None else time.monotonic() + limit
    config.stash[DEADLINE] = worker_input["claims_deadline"] if worker_input else own
    config.stash[PROGRESS] = Progress()
    # pytest-xdist would hand out the files with most tests first.
    if limit is not None and hasattr(config.option, "loadscopereorder"):
        config.option.loadscopereorder = False
    # The tests of a claim, one file, belong in one process: they share its trials.
    if getattr(config.option, "dist", "no") == "load":
        config.option.dist = "loadfile"


def _options(config: pytest.Config) -> Options:
    """Return the options, each with where its value came from."""
    given = {
        name: value
        for name in Options().record()
        if name != "sources" and (value := config.getoption(f"claims_{name}")) is not None
    }
    sources = dict.fromkeys(given, "command line")
    if "workers" not in given and (hasattr(config, "workerinput") or getattr(config.option, "numprocesses", None)):
        given["workers"], sources["workers"] = 1, "one per pytest-xdist worker"
    if given.get("base_seed") == TODAY:
        # Every xdist worker takes the controller's date, though midnight may lie between them.
        worker_input = getattr(config, "workerinput", {})
        given["base_seed"] = worker_input.get("claims_today") or base_seed_of(today())
        given["accumulate"] = True
        sources["base_seed"] = sources["accumulate"] = f"command line ({TODAY})"
    given["store"] = config.stash[PROJECT] / given.get("store", Options.store)
    return Options(**given, sources=sources)


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Tell a pytest-xdist worker which run it belongs to, and when that ends."""
    node.workerinput["claims_run"] = node.config.stash[RUN]
    node.workerinput["claims_today"] = node.config.stash[OPTIONS].base_seed
    node.workerinput["claims_deadline"] = node.config.stash[DEADLINE]


@pytest.hookimpl(wrapper=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> Generator[None, Any, Any]:
    """Mark the tests of a claim; where time is limited, put the selected claims in the order of their costs."""
    for item in items:
        if is_of_claim(item):
            item.add_marker(pytest.mark.claim(item.path.parent.name))
    result = yield
    if config.stash[OPTIONS].max_seconds is not None and not config.option.collectonly:
        _arrange(config, items)
    config.stash[PROGRESS].expect(folder.name for folder in folders_of(items))
    return result


@pytest.hookimpl(trylast=True)
def pytest_sessionstart(session: pytest.Session) -> None:
    """Show the run live where that is wanted."""
    if (session.config.getoption("claims_progress") or "plain") == "plain":
        return
    from harness.pytest_plugin.live_view import LiveView, wanted

    if wanted(session.config):
        session.config.pluginmanager.register(LiveView(session.config, session.config.stash[PROGRESS]), LIVE)


@pytest.hookimpl(trylast=True)
def pytest_runtest_teardown(item: pytest.Item, nextitem: pytest.Item | None) -> None:
    """Count a claim as done after the last of its tests."""
    if is_of_claim(item) and (nextitem is None or nextitem.path.parent != item.path.parent):
        item.config.stash[PROGRESS].finish(item.path.parent.name)


def _arrange(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Sort the tests by claim, the cheapest claim first; all others come before them."""
    folders = folders_of(items)
    try:
        ranks = {folder: rank for rank, folder in enumerate(session_of(config).arrange(folders) if folders else [])}
    except UsageError:
        # The store cannot be used; the tests will say so.
        return
    items.sort(key=lambda item: ranks.get(item.path.parent, -1))


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Give `reading`, `control`, `training_arm` and `inference_arm` the names that claim.yaml declares."""
    wanted = [name for name in ("reading", "control", "training_arm", "inference_arm") if name in metafunc.fixturenames]
    folder = metafunc.definition.path.parent
    if not wanted or not (folder / "claim.yaml").is_file():
        return
    claim = _collected(folder, (folder / "claim.yaml").stat().st_mtime_ns)
    for name in wanted:
        metafunc.parametrize(name, _names(claim, name) if claim else [INVALID_SPECIFICATION])


@lru_cache(maxsize=1)  # the tests of one module ask one after another
def _collected(folder: Path, _changed: int) -> Claim | None:
    """Return the claim in `folder`, None if it cannot be loaded: the tests will say why."""
    from harness.trials.catalogue import load_claim

    try:
        return load_claim(folder).claim
    except SpecError:
        return None


def _names(claim: Claim, fixture: str) -> list[str]:
    return {
        "reading": list(claim.readings),
        "control": list(claim.controls),
        "training_arm": claim.timings.training,
        "inference_arm": claim.timings.inference,
    }[fixture]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Generator[None, Any, Any]:
    """Show an error that this tool raised on purpose by its words alone: they name what to do."""
    report = yield
    if SESSION in item.config.stash and item.config.stash[SESSION].stopped:
        item.session.shouldstop = "interrupted by the user"
    error = call.excinfo.value if call.excinfo is not None else None
    if isinstance(error, ClaimsError) and not item.config.getoption("claims_traceback"):
        report.longrepr = block(error)
    if isinstance(report.longrepr, tuple):
        # Where a test was skipped, and why.
        path, line, reason = report.longrepr
        report.longrepr = (escape_unprintable(path), line, reason)
    return report


def pytest_report_header(config: pytest.Config) -> str:
    """Return what differs from the defaults."""
    options = config.stash[OPTIONS]
    given = ", ".join(f"{name} {getattr(options, name)}" for name in options.sources if name != "store")
    head = f"claims: profile {options.profile}, base seed {options.base_seed}, store {options.store}"
    return escape_unprintable(f"{head} ({given})" if given else head)


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Close the session; on the controller, turn the records into reports and an exit code."""
    config = session.config
    if SESSION in config.stash:
        config.stash[SESSION].close()
        interrupt_as_before()
    if hasattr(config, "workerinput") or OPTIONS not in config.stash:
        return
    if UNUSABLE in config.stash:
        # The store could not be opened; the tests have said so.
        session.exitstatus = USAGE
        return
    try:
        run, past = _finished_run(config)
    except UsageError as error:
        config.stash[LOST] = str(error)
        session.exitstatus = USAGE
        return
    if run is None:
        _note_that_nothing_ran(session)
        return
    from harness.report.summary import append_summary
    from harness.report.write import write_reports

    config.stash[FINISHED] = run
    write_reports(run, _report_folder(config), past)
    append_summary(run)
    if session.exitstatus in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED):
        code = exit_code(run.claims)
        # A failed test that is no verdict counts as 1, unless a claim could not be run at all.
        weak = code in (AS_EXPECTED, INCONCLUSIVE_ONLY) and _other_failures(config)
        session.exitstatus = UNEXPECTED if weak else code or session.exitstatus


def _note_that_nothing_ran(session: pytest.Session) -> None:
    """Make a session that was to run claims, and ran none, a mistake of usage."""
    nothing = session.exitstatus in (pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED)
    if nothing and session.config.getoption("claims_wanted") and not session.config.option.collectonly:
        session.config.stash[NOTHING] = True
        session.exitstatus = exit_code([])


def _other_failures(config: pytest.Config) -> bool:
    """Whether a test failed that is no verdict of a claim."""
    reporter = config.pluginmanager.getplugin("terminalreporter")
    failed = [*reporter.stats.get("failed", []), *reporter.stats.get("error", [])] if reporter else []
    return any(dict(getattr(report, "user_properties", ())).get("claim.verdict") is None for report in failed)


def _report_folder(config: pytest.Config) -> Path:
    return config.stash[PROJECT] / (config.getoption("claims_report") or "reports/latest")


def _finished_run(config: pytest.Config) -> tuple[Run | None, Past | None]:
    """Return the run with its records and the past of its claims; nothing if no claim was run."""
    store_path = config.stash[OPTIONS].store
    if config.option.collectonly or not store_path.is_file():
        return None, None
    from harness.retrospect.run_history import chronicle_of
    from harness.running.coverage import with_coverage
    from harness.running.results import run_of
    from harness.store.store import Store

    store = Store(store_path)
    try:
        run = run_of(store, config.stash[RUN])
        if run is None:
            return None, None
        return with_coverage(run, config.stash[PROJECT] / "claims"), chronicle_of(store, run)
    finally:
        store.close()


@pytest.hookimpl(trylast=True)
def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, exitstatus: int, config: pytest.Config) -> None:
    """Print the verdict table and name the report; after an interruption, say what is kept."""
    if SESSION in config.stash and exitstatus == pytest.ExitCode.INTERRUPTED:
        kept = f"what was finished is kept in {config.stash[OPTIONS].store}"
        terminalreporter.write_line(
            f"claims: interrupted; {escape_unprintable(kept)}, and the same command goes on from there"
        )
    if LOST in config.stash:
        terminalreporter.write_line(f"claims: no report was written: {escape_unprintable(config.stash[LOST])}")
    if NOTHING in config.stash:
        terminalreporter.write_line("claims: no claim was run: nothing that was selected runs one; see `claims list`")
    if FINISHED not in config.stash:
        return
    from harness.report.annotations import commands, wanted
    from harness.report.terminal import table

    terminalreporter.section("claims")
    for line in table(config.stash[FINISHED], terminalreporter._tw.fullwidth):
        terminalreporter.write_line(line)
    terminalreporter.write_line(escape_unprintable(f"report: {_report_folder(config) / 'index.html'}"))
    if wanted(asked=config.getoption("claims_annotations")):
        for line in commands(config.stash[FINISHED], config.stash[PROJECT]):
            terminalreporter.write_line(line)
