"""Processes and everything that they have started, so that nothing goes on after its call has ended."""

from __future__ import annotations

import contextlib
import ctypes
import multiprocessing
import os
import signal
import sys
import threading
import time
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection

PROCESSES = Path("/proc")

ADOPT_ORPHANS = 36
"""PR_SET_CHILD_SUBREAPER of prctl(2), Linux 3.4 and later: what a child leaves behind becomes this process's own child."""

PATIENCE = 2.0
"""Seconds within which what was killed is gone; a process that waits for a disk may take longer, and is not waited for."""

POLL = 0.002


def lead() -> None:
    """Make this process the first of a session of its own, which ends with the process that started it, however that ends.

    A signal from the terminal no longer reaches it, nor what it starts.
    """
    if hasattr(os, "setsid"):
        os.setsid()
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(ADOPT_ORPHANS, 1, 0, 0, 0)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        end_descendants(os.getpid())
        end_session(os.getpid())


def end(leader: int) -> None:
    """End a process that leads a session, and everything it has started, in whatever session that is by now."""
    # While it stands still it starts nothing, and what its children leave behind is still its own.
    _send(leader, "SIGSTOP")
    end_descendants(leader)
    end_session(leader)
    _send(leader, "SIGKILL")


def end_session(leader: int) -> None:
    """End what is left of the session's first group, its leader included; the leader may be gone already."""
    if hasattr(os, "killpg"):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(leader, signal.SIGKILL)


def end_descendants(of: int, spared: Collection[int] = ()) -> None:
    """Kill whatever a process has started, but for some, until there is none left: one that is being killed may start another."""
    end = time.monotonic() + PATIENCE
    while (found := [pid for pid in descendants(of) if pid not in spared]) and time.monotonic() < end:
        for each in found:
            _send(each, "SIGKILL")
        time.sleep(POLL)


def ended_by(code: int) -> str:
    """Return the signal that ended a process, in words, by its negative exit code."""
    try:
        name = signal.Signals(-code).name
    except ValueError:
        name = f"signal {-code}"
    why = {"SIGKILL": " (out of memory, or killed?)", "SIGSEGV": " (a crash in compiled code)"}.get(name, "")
    return f"{name}{why}"


def descendants(of: int) -> list[int]:
    """Return the living processes that a process, or one of its descendants, has started; none without /proc."""
    children: dict[int, list[int]] = defaultdict(list)
    living = set()
    for path in PROCESSES.glob("[0-9]*/stat"):
        try:
            # pid (name) state parent ...; a name may hold anything.
            state, parent = path.read_text(errors="replace").rpartition(")")[2].split()[:2]
        except (OSError, ValueError):  # gone meanwhile
            continue
        pid = int(path.parent.name)
        children[int(parent)].append(pid)
        if state not in "ZX":
            living.add(pid)
    found = [of]
    for each in found:
        found += children[each]
    return [pid for pid in found[1:] if pid in living]


def _send(process: int, name: str) -> None:
    """Send a signal by its name; not every system has every one."""
    if hasattr(signal, name):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(process, getattr(signal, name))
