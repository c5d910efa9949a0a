"""What this process reads, noted as it happens: files, folders, packages and commands, each by the code that asked.

One audit hook (PEP 578) hears of every file that Python code opens, every folder that it lists, every command that it
starts. What it hears is noted under each module of the user's on the call stack, and stays noted: a fixture that keeps
its data reads the file once in the life of a process, and every later trial whose code includes the fixture rests on
it. Experiments run one after another in a process, so what has no such module on its stack (a thread, say) belongs to
the experiment that is being measured.
"""

from __future__ import annotations

import contextlib
import importlib.util
import os
import sys
import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from harness.trials.callers import is_inquiry, is_of_import, kind_of, line_of, modules_of, owners_of, package_of
from harness.trials.notes import Notes, signature_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path
    from types import FrameType

    from harness.trials.notes import Signature

CHILD = "a child process of multiprocessing"
"""What is noted of a child that no audit event tells of."""

QUERIES = frozenset(["arch", "getconf", "hostname", "ldconfig", "lscpu", "nproc", "nvidia-smi", "sysctl", "uname"])
"""Commands that ask what the machine is, and read nothing of the user's."""

CLOCK_TICK = 20_000_000
"""Nanoseconds by which the times of files may lag behind the clock."""

_WRITING = os.O_WRONLY | os.O_RDWR
_SHOWING = ("tokenize.py", "linecache.py", "inspect.py")


@dataclass
class _State:
    """What the hook knows; one for the process, as the hook is."""

    notes: dict[str, Notes] = field(default_factory=dict)
    written: set[str] = field(default_factory=set)
    experiment: str | None = None
    began: int = 0
    commanded: bool = False
    imported: int = 0
    children: set[int] = field(default_factory=set)
    installed: bool = False


_state = _State()
_NOTHING = Notes()
_inside = threading.local()


def install() -> None:
    """Begin to hear; a hook cannot be removed, so there is one for the life of the process."""
    if not _state.installed:
        _state.installed = True
        sys.addaudithook(_hear)


@contextlib.contextmanager
def watching(experiment: Path) -> Iterator[None]:
    """Note what is read inside under an experiment, be it from a thread."""
    install()
    name = os.path.abspath(experiment)
    before, started, alive = (_state.experiment, _state.began), _children_started(), _children_alive()
    _state.experiment, _state.began = name, time.time_ns()
    try:
        yield
    finally:
        new = _children_alive() - alive
        _state.children |= new
        if started != _children_started() or _state.children & alive:
            # Neither spawning nor handing work to a pool is an event.
            _note(name).commands[CHILD] = None
        _state.experiment, _state.began = before


@contextlib.contextmanager
def deaf() -> Iterator[None]:
    """Hear nothing of what this thread does inside."""
    _inside.hook = True
    try:
        yield
    finally:
        _inside.hook = False


def notes_of(owner: str) -> Notes:
    """Return what was read on behalf of a module, or of an installed package: `site:` and its name."""
    return _state.notes.get(owner, _NOTHING)


def _children_started() -> str:
    """Return what changes with every process that multiprocessing starts."""
    module = sys.modules.get("multiprocessing.process")
    return repr(getattr(module, "_process_counter", None))


def _children_alive() -> set[int]:
    module = sys.modules.get("multiprocessing.process")
    return {id(child) for child in list(getattr(module, "_children", ()))}


def _note(owner: str) -> Notes:
    return _state.notes.setdefault(owner, Notes())


def _hear(event: str, arguments: tuple[Any, ...]) -> None:
    handle = _HANDLERS.get(event)
    if handle is None or getattr(_inside, "hook", False):
        return
    _inside.hook = True
    try:
        handle(arguments, sys._getframe(1))
    except Exception:  # noqa: S110 - whatever is wrong here must not become an error of what is watched
        pass
    finally:
        _inside.hook = False


def _owners(frame: FrameType | None) -> set[str]:
    """Return all on whose behalf something happens; the experiment that is measured is always among them."""
    return owners_of(frame) | ({_state.experiment} if _state.experiment else set())


def _absolute(path: Any) -> str | None:
    """Return a path as the system takes it from here; None for a number, which names a file that is open already."""
    if path is None:
        return os.getcwd()
    if isinstance(path, int):
        return None
    return os.path.abspath(os.fsdecode(path))


def _is_written(path: str) -> bool:
    """Whether this process wrote a file, or made a folder above it."""
    while path not in _state.written:
        above = os.path.dirname(path)
        if above == path:
            return False
        path = above
    return True


def _heard_open(arguments: tuple[Any, ...], frame: FrameType) -> None:
    path, flags = _absolute(arguments[0]), int(arguments[2] or 0)
    kind = kind_of(path) if path else None
    if path is None or kind is None:
        return
    if kind == "own" and flags & (_WRITING | os.O_CREAT):
        made = flags & (os.O_TRUNC | os.O_EXCL) or not os.path.lexists(path)
        if made and _state.experiment and not any(path in _note(owner).files for owner in _owners(frame)):
            _state.written.add(path)
            return
        if flags & _WRITING == os.O_WRONLY:
            return
    _read(path, kind, frame)


def _read(path: str, kind: str, frame: FrameType) -> None:
    owners = _owners(frame)
    if kind == "site":
        package = package_of(path)
        for owner in owners if package else ():
            _add(_note(owner).packages, str(package))
        return
    if is_of_import(frame):
        source = _source(path)
        for owner in modules_of(owners):
            _add(_note(owner).modules, source)
        return
    if path.endswith(".py") and frame.f_code.co_filename.endswith(_SHOWING):
        # The text of a module, for a traceback or a warning: no trial rests on it.
        return
    signature = signature_of(path)
    if signature and not signature[-1]:
        # A folder, or a device.
        return
    if not _is_written(path) and not _is_of_child(signature):
        for owner in modules_of(owners):
            _note(owner).files.setdefault(path, set()).add(signature)


def _add(names: set[str], name: str) -> None:
    """Note a module or a package, and that there is one more."""
    if name not in names:
        names.add(name)
        _state.imported += 1


def imported() -> tuple[int, int]:
    """Return what changes whenever something is imported."""
    return _state.imported, len(sys.modules)


def _source(path: str) -> str:
    """Return the source of a compiled module, itself where there is none."""
    if path.endswith(".pyc"):
        with contextlib.suppress(ValueError):
            source = importlib.util.source_from_cache(path)
            return source if os.path.exists(source) else path
    return path


def _is_of_child(signature: Signature) -> bool:
    """Whether a file was written since the call began, where a command may have done so."""
    return bool(_state.commanded and _state.experiment and signature and signature[0] >= _state.began - CLOCK_TICK)


def _heard_listing(arguments: tuple[Any, ...], frame: FrameType) -> None:
    path = _absolute(arguments[0])
    if path is None or kind_of(path) != "own" or is_of_import(frame) or _is_written(path):
        return
    with contextlib.suppress(OSError):
        names = tuple(sorted(n for n in os.listdir(path) if os.path.join(path, n) not in _state.written))
        for owner in modules_of(_owners(frame)):
            _note(owner).folders.setdefault(path, set()).add(names)


def _heard_mkdir(arguments: tuple[Any, ...], _frame: FrameType) -> None:
    path = _absolute(arguments[0])
    if path is not None and _state.experiment and not os.path.exists(path):
        _state.written.add(path)


def _heard_rename(arguments: tuple[Any, ...], _frame: FrameType) -> None:
    source, target = (_absolute(path) for path in arguments[:2])
    if source in _state.written and target is not None:
        _state.written.add(target)


def _heard_database(arguments: tuple[Any, ...], frame: FrameType) -> None:
    name = os.fsdecode(arguments[0]).removeprefix("file:").split("?")[0]
    if name and name != ":memory:":
        _heard_open((name, None, os.O_RDWR | os.O_CREAT), frame)


def _heard_library(arguments: tuple[Any, ...], frame: FrameType) -> None:
    """Note a compiled library or module; one that is given by its name alone lies where the system's do."""
    name = arguments[0] if len(arguments) == 1 else arguments[1]
    if isinstance(name, str) and os.sep in name:
        _heard_open((name, None, os.O_RDONLY), frame)


def _started(place: int) -> Callable[[tuple[Any, ...], FrameType], None]:
    """Return what notes a command whose words are the argument at `place`."""

    def heard(arguments: tuple[Any, ...], frame: FrameType) -> None:
        line = line_of(arguments[place] or arguments[0])
        if os.path.basename(line.split(" ")[0]) not in QUERIES and not is_inquiry(frame):
            _note_command(line, frame)

    return heard


def _note_command(line: str, frame: FrameType) -> None:
    owners = list(modules_of(_owners(frame)))
    _state.commanded = _state.commanded or bool(owners)
    for owner in owners:
        _note(owner).commands[line] = None


_HANDLERS: dict[str, Callable[[tuple[Any, ...], FrameType], None]] = {
    "open": _heard_open,
    "os.listdir": _heard_listing,
    "os.scandir": _heard_listing,
    "os.mkdir": _heard_mkdir,
    "os.rename": _heard_rename,
    "sqlite3.connect": _heard_database,
    "ctypes.dlopen": _heard_library,
    "import": _heard_library,
    "subprocess.Popen": _started(1),
    "os.system": _started(0),
    "os.exec": _started(1),
    "os.posix_spawn": _started(1),
    "os.spawn": _started(2),
    "pty.spawn": _started(0),
    "os.fork": lambda _, frame: _note_command("a fork of the process", frame),
    "os.forkpty": lambda _, frame: _note_command("a fork of the process", frame),
}
"""Events that tell of something read, written or started; https://docs.python.org/3/library/audit_events.html lists all."""
