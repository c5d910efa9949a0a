"""An experiment as the harness sees it: a file with measure(), loaded by its path."""

from __future__ import annotations

import hashlib
import inspect
import sys
import time
import traceback
from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from harness._strategy_log import recorded
from harness._text import block, message_of, shortened
from harness.errors import INSTALL_TRAINING, ClaimsError, TrialError
from harness.pictures import plain
from harness.trials.callers import line_of
from harness.trials.data_sets import OF_RESULTS, require_declared
from harness.trials.failed_command import last_words
from harness.trials.memory import PeakMemory
from harness.trials.occupancy import calling
from harness.trials.place import place_here
from harness.trials.profiling import profiled
from harness.trials.reach import Seen, seen
from harness.trials.source_module import module_of, unwritten
from harness.trials.task import Metrics, Outcome, Task
from harness.trials.witness import deaf, watching

if TYPE_CHECKING:
    from pathlib import Path
    from types import ModuleType


LONGEST_TRACE = 20_000
"""Characters of a traceback that is kept."""


@lru_cache(maxsize=256)
def load_experiment(path: Path, project: Path) -> ModuleType:
    """Import experiment.py by its path.

    Raises:
        TrialError: it is missing, cannot be imported, or has no measure().
    """
    if not path.is_file():
        raise TrialError(f"{path}: no such file; a claim needs an experiment.py with measure()")
    module = _imported(path, project)
    if not callable(getattr(module, "measure", None)):
        raise TrialError(
            f"{path}: has no function measure(arm, seeds, **settings); `claims new DOCUMENT/CLAIM` writes an example"
        )
    line = unwritten(path)
    if line:
        raise TrialError(f"{path}:{line}: write measure(); what stands there only raises NotImplementedError")
    return module


@lru_cache(maxsize=256)
def load_pictures(path: Path, project: Path) -> ModuleType:
    """Import pictures.py by its path.

    Raises:
        TrialError: it is missing, cannot be imported, or has no illustrate().
    """
    module = _imported(path, project)
    if not callable(getattr(module, "illustrate", None)):
        raise TrialError(f"{path}: has no function illustrate(experiment, seed, arms), which returns what is drawn")
    return module


def _imported(path: Path, project: Path) -> ModuleType:
    """Import a file of a claim by its path, with the project's own modules at hand."""
    if str(project) not in sys.path:
        sys.path.insert(0, str(project))
    try:
        with watching(path):
            return module_of(path, f"claims_{path.stem}_{hashlib.sha256(str(path).encode()).hexdigest()[:12]}")
    except Exception as error:
        remedy = f"; {INSTALL_TRAINING}" if getattr(error, "name", None) in {"torch", "sklearn"} else ""
        raise TrialError(f"{path}: cannot be imported: {_one_line(error)}{remedy}") from error


def run_task(task: Task) -> list[Outcome]:
    """Run measure() once and return one outcome per seed; a trial that fails is an outcome, not an exception."""
    memory, log = PeakMemory(task.device), list[str]()
    with (
        recorded() as chosen,
        profiled(task.home.name),
        calling(alone=task.alone),
        deaf() if task.command or task.results else watching(task.called),
    ):
        outcomes = _outcomes(task, log)
    # What a command holds in memory is no part of this process.
    peak, choices = None if task.command else memory.bytes(), tuple(sorted(chosen))
    # Afterwards: now it has loaded what it computes with.
    place = place_here(task.device, alone=task.alone, attempt=task.attempt)
    read, said = _seen(task), tuple(log)
    return [replace(one, peak_bytes=peak, choices=choices, place=place, seen=read, log=said) for one in outcomes]


def _seen(task: Task) -> Seen | None:
    """Return what a call rests on; of one that starts a command, that it does: what the command reads nobody sees."""
    if task.code is None:
        return None
    if task.command or task.results:
        return Seen({}, {}, {}, (), (line_of(task.command["run"]),) if task.command else ())
    return seen(task.called, task.project, task.code)


def _outcomes(task: Task, log: list[str]) -> list[Outcome]:
    start = time.perf_counter()
    try:
        module = load_experiment(task.experiment, task.project)
        require_declared(task.data, task.project)
        # What a process imports and reads first is no part of what a trial costs.
        start = time.perf_counter()
        if task.pictures:
            draw = load_pictures(task.pictures, task.project).illustrate
            pictures = tuple(plain(draw(module, task.seeds[0], dict(task.settings))))
            return [Outcome({}, time.perf_counter() - start, pictures=pictures)]
        reading = (task.project, dict(task.data)[OF_RESULTS]) if task.results else ()
        own = (task.project, log, task.seconds) if task.command else reading
        table = _checked(module.measure(task.arm, task.seeds, *own, **task.settings), task)
    except Exception as error:
        # What an exception says goes into the store and the reports: it is bounded, and such as any file can hold.
        text = shortened(block(error if isinstance(error, ClaimsError) else _where(error, task)))
        trace = shortened(block("\n".join(log) or traceback.format_exc()), LONGEST_TRACE)
        seconds = (time.perf_counter() - start) / len(task.seeds)
        return [Outcome({}, seconds, text, trace) for _ in task.seeds]
    seconds = (time.perf_counter() - start) / len(task.seeds)
    return [_outcome({name: table[name][row] for name in task.metrics}, seconds) for row in range(len(task.seeds))]


def _checked(returned: object, task: Task) -> dict[str, np.ndarray]:
    """Return the metrics as arrays of the declared shape.

    Raises:
        TrialError: not a mapping, a metric missing or not declared, or a wrong shape.
    """
    if not isinstance(returned, dict):
        raise TrialError(f"{task.experiment}: measure() returned {type(returned).__name__}, not {{metric: array}}")
    if set(returned) != set(task.metrics):
        raise TrialError(
            f"{task.experiment}: measure() returned the metrics {sorted(map(str, returned))}, "
            f"but claim.yaml declares {sorted(task.metrics)} of arm {task.arm!r}; make them equal"
        )
    shape = (len(task.seeds),) if task.together is None else (len(task.seeds), task.together)
    arrays = {name: np.asarray(returned[name], dtype=np.float64) for name in task.metrics}
    for name, array in arrays.items():
        if array.shape != shape:
            raise TrialError(
                f"{task.experiment}: {name} has shape {array.shape}, but {shape} is needed: one value per seed"
            )
    return arrays


def _outcome(row: dict[str, Any], seconds: float) -> Outcome:
    metrics: Metrics = {name: value.tolist() for name, value in row.items()}
    bad = [name for name, value in row.items() if not np.isfinite(value).all()]
    if bad:
        return Outcome({}, seconds, f"{bad[0]} is {metrics[bad[0]]}; a trial that yields no finite number is invalid")
    return Outcome(metrics, seconds)


def _where(error: Exception, task: Task) -> str:
    """Return `file:line: Error: message`, at the line of the claim's own code that led to the error."""
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if frame.filename in (str(task.experiment), str(task.called))]
    if own:
        return f"{own[-1].filename}:{own[-1].lineno}: {_one_line(error)}"
    if isinstance(error, TypeError) and "measure()" in message_of(error):
        module = sys.modules.get(load_experiment(task.experiment, task.project).__name__)
        wanted = str(inspect.signature(module.measure)) if module else "?"
        return f"{task.experiment}: {_one_line(error)}; it takes {wanted}, and claim.yaml gives {sorted(task.settings)}"
    return f"{task.called}: {_one_line(error)}"


def _one_line(error: BaseException) -> str:
    name, text = type(error).__name__, message_of(error)
    return (f"{name}: {text}" if text else name) + last_words(error)
