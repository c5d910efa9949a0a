"""The fixture `claim`, and the session that the first claim opens."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
from typing import TYPE_CHECKING, Any

import pytest

from harness._text import block
from harness.errors import ClaimsError, UsageError
from harness.trials.project import PROJECT

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from harness.pytest_plugin.claim_fixture import ClaimHandle
    from harness.running.progress import Progress
    from harness.running.session import Session
    from harness.trials.options import Options

SESSION: pytest.StashKey[Session] = pytest.StashKey()
OPTIONS: pytest.StashKey[Options] = pytest.StashKey()
RUN: pytest.StashKey[str] = pytest.StashKey()
DEADLINE: pytest.StashKey[float] = pytest.StashKey()
PROGRESS: pytest.StashKey[Progress] = pytest.StashKey()
UNUSABLE: pytest.StashKey[UsageError] = pytest.StashKey()

LIVE = "claims-live"
"""What the live view is called among pytest's plugins."""

STOPPING = "claims: finishing what is being measured, then the report; Ctrl-C again stops at once"


def folders_of(items: Iterable[pytest.Item]) -> list[Path]:
    """Return the folders of the claims that tests belong to, each once, in order."""
    return list(dict.fromkeys(item.path.parent for item in items if is_of_claim(item)))


def is_of_claim(item: pytest.Item) -> bool:
    """Whether a test lies beside a claim.yaml."""
    return (item.path.parent / "claim.yaml").is_file()


@pytest.fixture
def claim(request: pytest.FixtureRequest) -> ClaimHandle:
    """The claim whose claim.yaml lies beside the test."""
    from harness.pytest_plugin.claim_fixture import ClaimHandle

    folder = request.path.parent
    try:
        new = SESSION not in request.config.stash
        session = session_of(request.config)
        if new:
            session.estimate_durations(folders_of(request.session.items))
        return ClaimHandle(request, session, folder)
    except ClaimsError as error:
        words = block(error)
    # Out here, so that pytest does not show the error itself as well.
    pytest.fail(words, pytrace=False)


def session_of(config: pytest.Config) -> Session:
    """Return the session, opened at the first claim."""
    if UNUSABLE in config.stash:
        # A store or a cluster that cannot be had: one wait is enough.
        raise config.stash[UNUSABLE]
    if SESSION not in config.stash:
        from harness.running.session import Session

        try:
            # Of an xdist worker nobody sees how far it is.
            watched = None if hasattr(config, "workerinput") else config.stash[PROGRESS]
            config.stash[SESSION] = Session(
                config.stash[OPTIONS],
                config.stash[RUN],
                config.stash[PROJECT],
                _teller(config),
                config.stash[DEADLINE],
                watched,
                # `claims run` says -q itself, which -v takes back.
                _teller(config, how_far=False)
                if config.option.verbose + bool(config.getoption("claims_wanted")) > 0
                else None,
            )
        except UsageError as error:
            config.stash[UNUSABLE] = error
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


def interrupt_as_before() -> None:
    """Have Ctrl-C do again what it did before the session: whoever calls pytest from Python goes on."""
    if getattr(signal.getsignal(signal.SIGINT), "__module__", None) == __name__:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def _teller(config: pytest.Config, *, how_far: bool = True) -> Any:
    """Return a function that prints a line, and how far the run is, past pytest's capturing.

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
            reporter.write_line(f"{line} [{config.stash[PROGRESS].words()}]" if how_far else line)

    return say
