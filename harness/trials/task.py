"""One call of measure(), and what became of each of its trials."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from harness.seeds import Seeds
    from harness.trials.place import Place
    from harness.trials.provenance import Code
    from harness.trials.reach import Seen

Metrics = dict[str, float | list[float]]
"""Metric -> number, or one number per value of a condition that is measured together."""

CPU, CUDA = "cpu", "cuda"
"""Devices, as torch names them."""


@dataclass(frozen=True)
class Task:
    """One call of measure(): an arm under a condition, for some seeds.

    Attributes:
        experiment: path of experiment.py.
        project: folder from which the experiment imports `fixtures`.
        arm: name of the arm.
        condition: condition -> value; those measured together are left out.
        seeds: the seeds, in order.
        settings: every keyword that measure() gets.
        metrics: names of the metrics it must return.
        together: number of values per metric and seed, None for a single one.
        keys: the trials' keys, one per seed.
        seconds: the most that the call may take for each of its seeds, None for no limit.
        gigabytes: the most memory that it may add to what its process holds, None for no limit.
        pictures: path of pictures.py, whose illustrate() is called with the first seed, instead of measure(); None for trials.
        alone: whether no other trial is measured on the machine meanwhile, so that durations count.
        attempt: 1, or more if machines on which the call was begun before are lost.
        code: the experiment's code; None where nobody asks what the call rests on.
        data: declared data set -> SHA-256 of its content, as pairs; no other will do.
        environment: device, precision and versions that the call was planned with.
        folder: the claim's; None where the experiment lies in it.
        foreign: whether the process that runs it may have other code, versions or data, and has to compare them.
    """

    experiment: Path
    project: Path
    arm: str
    condition: Mapping[str, Any]
    seeds: Seeds
    settings: Mapping[str, Any]
    metrics: tuple[str, ...]
    together: int | None = None
    keys: tuple[str, ...] = ()
    seconds: float | None = None
    gigabytes: float | None = None
    pictures: Path | None = None
    alone: bool = False
    attempt: int = 1
    code: Code | None = field(default=None, compare=False)
    data: tuple[tuple[str, str], ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict, compare=False)
    folder: Path | None = None
    foreign: bool = False

    @property
    def called(self) -> Path:
        """The file whose function is called."""
        return self.pictures or self.experiment

    @property
    def home(self) -> Path:
        """The claim's folder; where a module of this tool measures, the experiment lies elsewhere."""
        return self.folder or self.experiment.parent

    @property
    def command(self) -> Mapping[str, Any] | None:
        """What the call starts, None for measure() of an author: no setting of hers is a mapping."""
        found = self.settings.get("command")
        return found if isinstance(found, dict) and not self.pictures else None

    @property
    def results(self) -> bool:
        """Whether the call reads results, whose content is among the data: no setting of an author is a mapping."""
        return isinstance(self.settings.get("results"), dict) and not self.pictures

    @property
    def device(self) -> str:
        """Where it computes: on a GPU if any part of it does."""
        placed = self.settings.values() if self.pictures else [self.settings]
        return CUDA if any(own.get("device") == CUDA for own in placed) else CPU

    @property
    def limited(self) -> bool:
        """Whether the call must run in a process that can be ended."""
        return self.seconds is not None or self.gigabytes is not None or self.command is not None


@dataclass(frozen=True)
class Outcome:
    """What became of one trial.

    Attributes:
        metrics: what was measured; empty for a failed trial.
        seconds: time of the call divided by the number of its seeds.
        error: why the trial failed, None if it did not.
        trace: the traceback, for those who ask.
        peak_bytes: the most memory that the process held during the call, None where the system does not say.
        choices: what the engine chose while it trained (strategies), sorted; none where the call trained nothing.
        pictures: what illustrate() drew, as plain values; empty for a trial.
        place: where it ran; None where its process did not live to say so.
        seen: what the call rests on, as far as its process saw; None where nobody asked.
        refused: whether nothing was measured, since the process has not what the call was planned with; `error` says what.
        log: the last lines that the command of the call wrote; none where it started none.
    """

    metrics: Metrics
    seconds: float
    error: str | None = None
    trace: str = field(default="", compare=False)
    peak_bytes: int | None = field(default=None, compare=False)
    choices: tuple[str, ...] = field(default=(), compare=False)
    pictures: tuple[dict[str, Any], ...] = field(default=(), compare=False)
    place: Place | None = field(default=None, compare=False)
    seen: Seen | None = field(default=None, compare=False)
    refused: bool = field(default=False, compare=False)
    log: tuple[str, ...] = field(default=(), compare=False)
