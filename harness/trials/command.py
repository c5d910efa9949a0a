"""What is called in the place of a claim's experiment.py where claim.yaml names a command: measure() starts it, seed by seed.

It is part of its trials' keys as any experiment is, and therefore imports little.
"""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from harness._text import one_line, shortened
from harness.errors import TrialError
from harness.specification.placeholders import filled
from harness.trials.command_output import metrics_of
from harness.trials.failed_command import last_words
from harness.trials.process_tree import descendants, end_descendants, ended_by

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harness.seeds import Seed, Seeds

MOST_READ = 2**20
"""Bytes from the end of an output that are looked at."""

LINES, WIDTH = 40, 200
"""Lines of each output that a trial's log keeps, the last ones, and characters of a line."""


@dataclass(frozen=True)
class Ended:
    """A command that has ended.

    Attributes:
        line: the command as a shell would be given it.
        code: exit code, negative for a signal; None where it was ended for the time that it took.
        output: the end of what it wrote to standard output.
        errors: the end of what it wrote to standard error.
    """

    line: str
    code: int | None
    output: str
    errors: str

    def log(self) -> list[str]:
        """Return the last lines that it wrote."""
        outputs = {"stdout": self.output, "stderr": self.errors}
        said = {
            name: [line for each in text.splitlines() if (line := one_line(each))] for name, text in outputs.items()
        }
        return [f"{name}: {shortened(line, WIDTH)}" for name, lines in said.items() for line in lines[-LINES:]]

    def failure(self) -> str | None:
        """Return that it failed, how, and what it said last; None if it did not."""
        if self.code is None:
            return f"command: {self.words('took longer than its limit (limits: seconds), and was ended')}"
        how = f"exited with code {self.code}" if self.code > 0 else f"was ended by {ended_by(self.code)}"
        return f"command: {self.words(how)}" if self.code else None

    def words(self, how: str) -> str:
        """Return the command, how it ended, and what it said last."""
        said = subprocess.CalledProcessError(self.code or 0, self.line, self.output, self.errors)
        return f"`{shortened(self.line, 400)}` {how}{last_words(said)}"


def measure(
    arm: str,
    seeds: Seeds,
    project: Path,
    log: list[str],
    seconds: float | None,
    /,
    *,
    command: Mapping[str, Any],
    **settings: Any,
) -> dict[str, list[float]]:
    """Return {metric: one number per seed}, what a command leaves that is started once for each seed.

    Args:
        arm: name of the arm.
        seeds: the seeds; one after another, none beside another.
        project: folder that holds `claims/`.
        log: gets the last lines that each command wrote.
        seconds: the most that a command may take, None for no limit.
        command: words, folder, environment and metrics, as `harness.specification.command.Command.of` returns them.
        settings: what else placeholders may name.

    Raises:
        TrialError: it cannot be started, fails, takes too long, or leaves no number for a metric; with the command's last words.
    """
    rows = []
    for seed in seeds:
        with tempfile.TemporaryDirectory(prefix="claims-", ignore_cleanup_errors=True) as place:
            values = {**settings, **values_of(arm, seed, Path(place))}
            ended = start(command, values, project, Path(place), seconds)
            log += ended.log()
            rows.append(_metrics(command, ended, values))
    return {name: [row[name] for row in rows] for name in command["metrics"]}


def values_of(arm: str, seed: Seed, place: Path) -> dict[str, Any]:
    """Return what the placeholders of the tool itself stand for; `{out}` is an empty folder in `place`.

    `{seed}` is 31 bits of the seed's randomness: every library takes a whole number from 0 to 2^31 - 1.
    """
    out = place / "out"
    out.mkdir()
    return {"arm": arm, "seed": seed.entropy("command") >> 33, "seed_index": seed.index, "out": str(out)}


def start(
    command: Mapping[str, Any], values: Mapping[str, Any], project: Path, place: Path, seconds: float | None = None
) -> Ended:
    """Start a command, wait for its end, and end whatever it has left running.

    Raises:
        TrialError: it cannot be started.
    """
    words = [filled(word, values) for word in command["run"]]
    line = shlex.join(words)
    own = {name: filled(value, values) for name, value in command["environment"].items()}
    around = {**os.environ, "PATH": search_path(), **own}
    before = frozenset(descendants(os.getpid()))
    # Files take whatever is written, by whoever still holds them open.
    with (place / "stdout").open("w+b") as output, (place / "stderr").open("w+b") as errors:
        code: int | None = None
        try:
            found = subprocess.run(
                words,
                cwd=project / command["folder"],
                env=around,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=errors,
                timeout=seconds,
                check=False,
            )
            code = found.returncode
        except subprocess.TimeoutExpired:
            pass
        except (OSError, ValueError) as error:
            raise TrialError(f"command: `{line}` cannot be started: {error}") from None
        finally:
            end_descendants(os.getpid(), before)
        return Ended(line, code, _end_of(output), _end_of(errors))


def search_path() -> str:
    """Return where commands are looked for: first beside this Python, as if its environment were activated."""
    return os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)])


def _end_of(file: IO[bytes]) -> str:
    size = file.seek(0, os.SEEK_END)
    file.seek(max(0, size - MOST_READ))
    return file.read().decode(errors="replace")


def _metrics(command: Mapping[str, Any], ended: Ended, values: Mapping[str, Any]) -> dict[str, float]:
    if wrong := ended.failure():
        raise TrialError(wrong)
    try:
        return metrics_of(command["metrics"], ended.output, values)
    except TrialError as error:
        raise TrialError(f"{error}; {ended.words('exited with code 0')}") from None
