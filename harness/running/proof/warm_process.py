"""A process that has imported what experiments need, and forks for each version: importing torch takes longer than most looks.

`python -m harness.running.proof.warm_process PACKAGE ...` reads a line of JSON per version from its standard input, and
answers each with a line: how the process of that version ended.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import signal
import subprocess
import sys
import time
import traceback
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from harness.errors import TrialError
from harness.trials.worker import WORKER_ENVIRONMENT

if TYPE_CHECKING:
    from collections.abc import Iterable

OWN = ("harness.running.proof.examination", "pytest")
"""What every version needs."""

POLL = 0.02
"""Seconds between two looks whether a version has ended."""

LATE = "late"
"""How a version ended that took longer than it might by the clock."""


class WarmProcess:
    """The process as its owner sees it; for one thread at a time.

    Args:
        packages: what it imports before it forks; one that cannot be imported is left to the experiments.
        project: where it runs, so that experiments import what lies there.
    """

    def __init__(self, packages: Iterable[str], project: Path) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "harness.running.proof.warm_process", *packages],
            cwd=project,
            env={**os.environ, **WORKER_ENVIRONMENT},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def run(self, asked: Path, answer: Path, log: Path, limit: float | None) -> int | str:
        """Have the request in a file answered in another; return the exit status, or LATE.

        Raises:
            TrialError: the process itself has ended.
        """
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        line = json.dumps({"asked": str(asked), "answer": str(answer), "log": str(log), "limit": limit})
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.write(f"{line}\n")
            self._process.stdin.flush()
        said = self._process.stdout.readline()
        if not said:
            code = self._process.wait()
            raise TrialError(f"the process that looks at broken versions ended with {code}; try fewer --workers")
        status: int | str = json.loads(said)
        return status

    def close(self) -> None:
        """Let it end."""
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                with contextlib.suppress(BrokenPipeError):
                    pipe.close()
        self._process.wait()


def serve(packages: Iterable[str]) -> None:
    """Import packages, then fork for every line of standard input until it ends."""
    # Elsewhere libraries that were loaded before a fork may not survive it.
    for name in [*OWN, *(packages if sys.platform == "linux" else ())]:
        with contextlib.suppress(ImportError):
            importlib.import_module(name)
    for line in sys.stdin:
        asked = json.loads(line)
        pid = os.fork()
        if not pid:
            _look(asked["asked"], asked["answer"], asked["log"])
        print(json.dumps(_awaited(pid, asked["limit"])), flush=True)


def _look(asked: str, answer: str, log: str) -> NoReturn:
    """Be the process of a version."""
    from harness.running.proof.examination import main

    status = 1
    try:
        # With all that it starts it can be ended as one.
        os.setpgid(0, 0)
        for number, path, mode in ((0, os.devnull, os.O_RDONLY), (1, log, os.O_WRONLY | os.O_CREAT)):
            os.dup2(os.open(path, mode), number)
        os.dup2(1, 2)
        main(Path(asked), Path(answer))
        status = 0
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


def _awaited(pid: int, limit: float | None) -> int | str:
    """Wait for a version to end, or end it when its time is up; and whatever it has started."""
    end = None if limit is None else time.monotonic() + limit
    try:
        while True:
            done, status = os.waitpid(pid, os.WNOHANG)
            if done:
                return os.waitstatus_to_exitcode(status)
            if end is not None and time.monotonic() > end:
                _end(pid)
                os.waitpid(pid, 0)
                return LATE
            time.sleep(POLL)
    finally:
        _end(pid)


def _end(pid: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL)


if __name__ == "__main__":
    # An interrupted owner closes its end; nothing is to be said of that.
    with contextlib.suppress(KeyboardInterrupt):
        serve(sys.argv[1:])
