"""The live view of a run in a terminal: a few lines that are kept up to date while pytest's own are silent.

It writes to a descriptor of its own, past pytest's capturing, and does not hide the cursor or change any mode: a run
that is killed leaves a terminal that works.
"""

from __future__ import annotations

import contextlib
import os
import textwrap
import threading
from typing import TYPE_CHECKING, Any

import pytest

from harness.report.claim_text import mark
from harness.report.styled import safe, styled
from harness.running.progress import duration

if TYPE_CHECKING:
    from collections.abc import Generator

    from harness.running.progress import Found, Progress

REFRESH = 0.5
"""Seconds between two looks at a run; few, because what is measured shares the core."""

BAR = 24
"""Characters of the bar."""


def wanted(config: pytest.Config) -> bool:
    """Whether a run is to be shown live: if asked for, or if left to us and nothing speaks against it; only in a terminal."""
    how = config.getoption("claims_progress") or "plain"
    if how == "plain" or not _in_terminal(config):
        return False
    option = config.option
    # What pytest or a debugger would write itself, or what several processes would write at once.
    others = ("collectonly", "usepdb", "trace", "setupshow", "setuponly", "setupplan", "showfixtures", "numprocesses")
    if any(getattr(option, name, None) for name in others) or option.capture == "no":
        return False
    quiet = option.verbose < 0 and not any(os.environ.get(name) for name in ("NO_COLOR", "CI"))
    return how == "live" or quiet


def _in_terminal(config: pytest.Config) -> bool:
    reporter: Any = config.pluginmanager.getplugin("terminalreporter")
    return reporter is not None and reporter._tw._file.isatty() and os.environ.get("TERM") != "dumb"


class LiveView:
    """A plugin of pytest that shows a run while it lasts.

    Args:
        config: that of the session.
        progress: what is shown.
    """

    def __init__(self, config: pytest.Config, progress: Progress) -> None:
        self._reporter: Any = config.pluginmanager.getplugin("terminalreporter")
        self._progress = progress
        self._lock = threading.RLock()
        self._ended = threading.Event()
        self._told = 0
        self._height = 0
        self._descriptor = -1

    @pytest.hookimpl(wrapper=True)
    def pytest_report_teststatus(self) -> Generator[None, Any, Any]:
        """Let pytest count a test, but show neither its letter nor its word."""
        category, _, _ = yield
        return category, "", ""

    @pytest.hookimpl(wrapper=True)
    def pytest_runtestloop(self, session: pytest.Session) -> Generator[None, Any, Any]:
        """Show the view as long as tests run, however they end."""
        self._reporter._show_progress_info = False
        self._reporter._tw._file.flush()
        # Here pytest is not capturing; during a test, its own descriptor would lead elsewhere.
        self._descriptor = os.dup(self._reporter._tw._file.fileno())
        thread = threading.Thread(target=self._keep, daemon=True)
        thread.start()
        try:
            return (yield)
        finally:
            self._end(session.config)

    def _keep(self) -> None:
        while not self._ended.wait(REFRESH):
            # A view that fails must not take the run with it.
            with contextlib.suppress(Exception):
                self.draw()

    def _end(self, config: pytest.Config) -> None:
        self._ended.set()
        with self._lock:
            with contextlib.suppress(OSError):
                self._write(self._news())
            os.close(self._descriptor)
            self._descriptor = -1
        # What comes now is pytest's summary, with its own words.
        config.pluginmanager.unregister(self)

    def draw(self) -> None:
        """Write the claims that were finished since the last time, and the view below them."""
        with self._lock:
            if self._descriptor >= 0 and not self._ended.is_set():
                columns, rows = self._size()
                self._write(self._news(), lines(self._progress, columns - 1)[: max(1, rows - 1)])

    def _size(self) -> tuple[int, int]:
        """Return columns and rows of the terminal, which may change; a terminal that does not say has 80 and 24."""
        size = os.get_terminal_size(self._descriptor)
        return size.columns or 80, size.lines or 24

    def _news(self) -> list[str]:
        columns, _ = self._size()
        new = self._progress.found[self._told :]
        self._told += len(new)
        return [styled(found_line(found), columns - 1) for found in new]

    def _write(self, above: list[str], view: list[str] | None = None) -> None:
        """Put the view in the place of the one before, below lines that stay."""
        back = f"\x1b[{self._height - 1}A" if self._height > 1 else ""
        text = f"\r{back}\x1b[J" if self._height else ""
        text += "".join(f"{line}\n" for line in above) + "\n".join(view or [])
        self._height = len(view or [])
        os.write(self._descriptor, text.encode(errors="replace"))


def lines(progress: Progress, width: int) -> list[str]:
    """Return the lines of the view, at most `width` columns each: counts, what is under way, the time, what to know."""
    time = f"  {duration(progress.seconds)}, {progress.left_words()}"
    notice = [f"[bold yellow]{safe(line)}[/]" for line in textwrap.wrap(progress.notice, width)]
    return [styled(line, width) for line in (head_line(progress), under_way(progress), time, *notice)]


def head_line(progress: Progress) -> str:
    """Return a bar, the claims done and the verdicts so far, with rich's marks of style."""
    full = round(BAR * len(progress.found) / max(1, progress.total))
    bar = f"[green]{'━' * full}[/][dim]{'━' * (BAR - full)}[/]"
    marks = "".join(f"  {mark(verdict, good=good)} {count}" for (verdict, good), count in _counts(progress).items())
    return f"{bar} {len(progress.found)}/{progress.total} claims{marks}"


def _counts(progress: Progress) -> dict[tuple[str, bool], int]:
    counts: dict[tuple[str, bool], int] = {}
    for found in progress.found:
        for verdict in found.verdicts:
            counts[verdict] = counts.get(verdict, 0) + 1
    return dict(sorted(counts.items(), key=lambda item: (not item[0][1], item[0][0])))


def found_line(found: Found) -> str:
    """Return the line that stays of a claim: the verdicts of its readings, and how long they took."""
    marks = "".join(mark(verdict, good=good) for verdict, good in found.verdicts) or "[bold red]![/]"
    otherwise = [verdict for verdict, good in found.verdicts if not good and verdict != "NOT_RUN"]
    odd = f"  [bold red]not as expected: {', '.join(otherwise)}[/]" if otherwise else ""
    return f"{marks} {safe(found.claim)}  [dim]{duration(found.seconds)}[/]{odd}"


def under_way(progress: Progress) -> str:
    """Return what is being measured: the claim, its seeds so far and at most, the trials of this batch."""
    claim, step = progress.current(), progress.step
    if claim is None:
        return "[dim]between claims[/]"
    if step is None:
        return f"  {safe(claim)}: beginning"
    control = f" \\[control {safe(step.control)}]" if step.control else ""
    return (
        f"  {safe(claim)}{control}: seeds up to {step.seeds} of at most {step.cap}, {step.done} of {step.trials} trials"
    )
