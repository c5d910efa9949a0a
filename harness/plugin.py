"""The pytest plugin: options, the `claim` fixture, progress, verdict table, reports.

Thin on purpose: what a claim is and how it is judged lies below. Evidence reaches the
controller through the store, where every worker writes its records under the run's id;
so it survives a killed worker and works under pytest-xdist.
"""

from __future__ import annotations

import argparse
import contextlib
import math
import os
import signal
import threading
import time
import uuid
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from harness.dates import base_seed_of, today
from harness.errors import ClaimsError, SpecError, UsageError
from harness.node_names import pytest_collectstart, pytest_itemcollected, pytest_make_collect_report
from harness.options import FLAGS, TODAY, Options
from harness.outcome import AS_EXPECTED, INCONCLUSIVE_ONLY, UNEXPECTED, USAGE, exit_code
from harness.plaintext import block, visible
from harness.progress import Progress

if TYPE_CHECKING:
    from collections.abc import Generator

    from harness.handle import ClaimHandle
    from harness.session import Session
    from harness.spec import Claim

__all__ = ["pytest_collectstart", "pytest_itemcollected", "pytest_make_collect_report"]
"""Hooks that lie in a file of their own; those below need not be named."""

SESSION: pytest.StashKey[Session] = pytest.StashKey()
OPTIONS: pytest.StashKey[Options] = pytest.StashKey()
RUN: pytest.StashKey[str] = pytest.StashKey()
DEADLINE: pytest.StashKey[float] = pytest.StashKey()
PROGRESS: pytest.StashKey[Progress] = pytest.StashKey()
UNUSABLE: pytest.StashKey[bool] = pytest.StashKey()
NOTHING: pytest.StashKey[bool] = pytest.StashKey()
FINISHED: pytest.StashKey[dict[str, Any]] = pytest.StashKey()

LIVE = "claims-live"
"""What the live view is called among pytest's plugins."""

STOPPING = "claims: finishing what is being measured, then the report; Ctrl-C again stops at once"

INVALID_SPECIFICATION = "invalid-specification"
"""Stands for the readings of a claim.yaml that cannot be loaded."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options of the group `claims`."""
    group = parser.getgroup("claims", "claims about machine learning")
    for flag in FLAGS:
        group.addoption(f"--claims-{flag.name}", **flag.settings)
    # `claims run` says so: then a run of no claim is a mistake, while other sessions may well have none.
    group.addoption("--claims-wanted", action="store_true", default=False, help=argparse.SUPPRESS)


def pytest_configure(config: pytest.Config) -> None:
    """Register the markers, read the options and give the run its id."""
    config.addinivalue_line(
        "markers", "claim(id): runs the claim with this id; added to every test beside a claim.yaml"
    )
    config.addinivalue_line("markers", "slow: takes more than a few seconds")
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
        for name in ("profile", "base_seed", "accumulate", "store", "fresh", "device", "workers", "max_seconds")
        if (value := config.getoption(f"claims_{name}")) is not None
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
    given["store"] = config.rootpath / given.get("store", Options.store)
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
        if _is_of_claim(item):
            item.add_marker(pytest.mark.claim(item.path.parent.name))
    result = yield
    if config.stash[OPTIONS].max_seconds is not None and not config.option.collectonly:
        _arrange(config, items)
    config.stash[PROGRESS].expect(folder.name for folder in _folders_of(items))
    return result


@pytest.hookimpl(trylast=True)
def pytest_sessionstart(session: pytest.Session) -> None:
    """Show the run live where that is wanted."""
    if (session.config.getoption("claims_progress") or "plain") == "plain":
        return
    from harness.live import LiveView, wanted

    if wanted(session.config):
        session.config.pluginmanager.register(LiveView(session.config, session.config.stash[PROGRESS]), LIVE)


@pytest.hookimpl(trylast=True)
def pytest_runtest_teardown(item: pytest.Item, nextitem: pytest.Item | None) -> None:
    """Count a claim as done after the last of its tests."""
    if _is_of_claim(item) and (nextitem is None or nextitem.path.parent != item.path.parent):
        item.config.stash[PROGRESS].finish(item.path.parent.name)


def _folders_of(items: list[pytest.Item]) -> list[Path]:
    """Return the folders of the claims that tests belong to, each once, in order."""
    return list(dict.fromkeys(item.path.parent for item in items if _is_of_claim(item)))


def _is_of_claim(item: pytest.Item) -> bool:
    return (item.path.parent / "claim.yaml").is_file()


def _arrange(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Sort the tests by claim, the cheapest claim first; all others come before them."""
    folders = _folders_of(items)
    try:
        ranks = {folder: rank for rank, folder in enumerate(_session(config).arrange(folders) if folders else [])}
    except UsageError:
        # The store cannot be used; the tests will say so.
        return
    items.sort(key=lambda item: ranks.get(item.path.parent, -1))


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Give `reading`, `control`, `training_arm` and `inference_arm` the names that claim.yaml declares."""
    wanted = [name for name in ("reading", "control", "training_arm", "inference_arm") if name in metafunc.fixturenames]
    folder = Path(metafunc.module.__file__).parent
    if not wanted or not (folder / "claim.yaml").is_file():
        return
    claim = _collected(folder, (folder / "claim.yaml").stat().st_mtime_ns)
    for name in wanted:
        metafunc.parametrize(name, _names(claim, name) if claim else [INVALID_SPECIFICATION])


@lru_cache(maxsize=1)  # the tests of one module ask one after another
def _collected(folder: Path, _changed: int) -> Claim | None:
    """Return the claim in `folder`, None if it cannot be loaded: the tests will say why."""
    from harness.catalogue import load_claim

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


@pytest.fixture
def claim(request: pytest.FixtureRequest) -> ClaimHandle:
    """The claim whose claim.yaml lies beside the test."""
    from harness.handle import ClaimHandle

    folder = request.path.parent
    if not (folder / "claim.yaml").is_file():
        pytest.fail(visible(f"{folder}: the fixture `claim` needs a claim.yaml beside the test"), pytrace=False)
    try:
        new = SESSION not in request.config.stash
        session = _session(request.config)
        if new:
            session.foresee(_folders_of(request.session.items))
        return ClaimHandle(request, session, folder)
    except ClaimsError as error:
        words = block(error)
    # Out here, so that pytest does not show the error itself as well.
    pytest.fail(words, pytrace=False)


def _session(config: pytest.Config) -> Session:
    """Return the session, opened at the first claim."""
    if SESSION not in config.stash:
        from harness.session import Session

        try:
            # Of an xdist worker nobody sees how far it is.
            watched = None if hasattr(config, "workerinput") else config.stash[PROGRESS]
            config.stash[SESSION] = Session(
                config.stash[OPTIONS],
                config.stash[RUN],
                config.rootpath,
                _teller(config),
                config.stash[DEADLINE],
                watched,
            )
        except UsageError:
            config.stash[UNUSABLE] = True
            raise
        _finish_at_the_first_interrupt(config)
    return config.stash[SESSION]


def _finish_at_the_first_interrupt(config: pytest.Config) -> None:
    """Have the first Ctrl-C end the run when what is being measured is measured; the second ends it at once."""
    ours = threading.current_thread() is threading.main_thread() and not hasattr(config, "workerinput")
    # A shell that ignores SIGINT for what it runs in the background, or another plugin, knows better.
    if not ours or signal.getsignal(signal.SIGINT) is not signal.default_int_handler:
        return

    def finish(_number: int, _frame: object) -> None:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        config.stash[SESSION].stop()
        if config.pluginmanager.hasplugin(LIVE):
            config.stash[PROGRESS].notice = STOPPING
            return
        reporter, capture = map(config.pluginmanager.getplugin, ("terminalreporter", "capturemanager"))
        if reporter is not None:
            # Past all buffers: the line that this signal came upon may be half written. And past pytest's capturing.
            with contextlib.suppress(OSError, ValueError), capture.global_and_fixture_disabled():
                os.write(reporter._tw._file.fileno(), f"\n{STOPPING}\n".encode())

    signal.signal(signal.SIGINT, finish)


def _teller(config: pytest.Config) -> Any:
    """Return a function that prints a line and how far the run is, past pytest's capturing.

    Silent in an xdist worker, and where there is a live view.
    """
    reporter = config.pluginmanager.getplugin("terminalreporter")
    capture = config.pluginmanager.getplugin("capturemanager")

    def say(line: str) -> None:
        if reporter is None or config.pluginmanager.hasplugin(LIVE):
            return
        with capture.global_and_fixture_disabled():
            reporter.ensure_newline()
            # Under -q pytest knows of no line that its dots have begun.
            if reporter._tw.width_of_current_line:
                reporter._tw.line()
            reporter.write_line(f"{line} [{config.stash[PROGRESS].words()}]")

    return say


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
        report.longrepr = (visible(path), line, reason)
    return report


def pytest_report_header(config: pytest.Config) -> str:
    """Return what differs from the defaults."""
    options = config.stash[OPTIONS]
    given = ", ".join(f"{name} {getattr(options, name)}" for name in options.sources if name != "store")
    head = f"claims: profile {options.profile}, base seed {options.base_seed}, store {options.store}"
    return visible(f"{head} ({given})" if given else head)


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Close the session; on the controller, turn the records into reports and an exit code."""
    config = session.config
    if SESSION in config.stash:
        config.stash[SESSION].close()
        if getattr(signal.getsignal(signal.SIGINT), "__module__", None) == __name__:
            signal.signal(signal.SIGINT, signal.default_int_handler)
    if hasattr(config, "workerinput") or OPTIONS not in config.stash:
        return
    if UNUSABLE in config.stash:
        # The store could not be opened; the tests have said so.
        session.exitstatus = USAGE
        return
    run, past = _finished_run(config)
    if run is None:
        _note_that_nothing_ran(session)
        return
    from harness.report import write_reports
    from harness.report.summary import append_summary

    config.stash[FINISHED] = run
    write_reports(run, _report_folder(config), past)
    append_summary(run)
    if session.exitstatus in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED):
        code = exit_code(run["claims"])
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
    return any(dict(report.user_properties).get("claim.verdict") is None for report in failed)


def _report_folder(config: pytest.Config) -> Path:
    return config.rootpath / (config.getoption("claims_report") or "reports/latest")


def _finished_run(config: pytest.Config) -> tuple[dict[str, Any] | None, dict[str, Any] | None]:
    """Return the run with its records and the past of its claims; nothing if no claim was run."""
    store_path = config.stash[OPTIONS].store
    if not store_path.is_file():
        return None, None
    from harness.chronicle import chronicle_of
    from harness.report import run_of
    from harness.store import Store

    store = Store(store_path)
    try:
        run = run_of(store, config.stash[RUN])
        return run, chronicle_of(store, run) if run else None
    finally:
        store.close()


@pytest.hookimpl(trylast=True)
def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, exitstatus: int, config: pytest.Config) -> None:
    """Print the verdict table and name the report; after an interruption, say what is kept."""
    if SESSION in config.stash and exitstatus == pytest.ExitCode.INTERRUPTED:
        kept = f"what was finished is kept in {config.stash[OPTIONS].store}"
        terminalreporter.write_line(f"claims: interrupted; {visible(kept)}, and the same command goes on from there")
    if NOTHING in config.stash:
        terminalreporter.write_line("claims: no claim was run: nothing that was selected runs one; see `claims list`")
    if FINISHED not in config.stash:
        return
    from harness.report.annotations import commands, wanted
    from harness.report.terminal import table

    terminalreporter.section("claims")
    for line in table(config.stash[FINISHED], terminalreporter._tw.fullwidth):
        terminalreporter.write_line(line)
    terminalreporter.write_line(visible(f"report: {_report_folder(config) / 'index.html'}"))
    if wanted(asked=config.getoption("claims_annotations")):
        for line in commands(config.stash[FINISHED], config.rootpath):
            terminalreporter.write_line(line)
