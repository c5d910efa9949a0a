"""Annotations of GitHub Actions: what came out otherwise than expected, at the line of claim.yaml that decided it.

https://docs.github.com/actions/reference/workflow-commands-for-github-actions: one line each,
`::error file=...,line=...,col=...,title=...::message`.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from harness._text import LONGEST, block, one_line, shortened
from harness.errors import SpecError
from harness.report import wording
from harness.running import waiver
from harness.running.exit_code import odd
from harness.specification.profiles import NO_VERDICT_PROFILE
from harness.specification.yaml12 import read_yaml
from harness.trials.catalogue import claim_folders
from harness.trials.provenance import top_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from harness.specification.yaml12 import Location
    from harness.store.records.claim import ClaimRecord, ProblemRecord
    from harness.store.records.run import Run

ERROR, WARNING, NOTICE = "error", "warning", "notice"

MOST = 10
"""Annotations of one kind that GitHub shows of one step."""

OPEN = {"INCONCLUSIVE", "NOT_RUN"}
"""Verdicts that more seeds or more time may change."""

_PROBLEM = re.compile(r"^(?P<file>.+?):(?P<line>\d+):(?P<column>\d+): (?P<what>.+)$", re.DOTALL)


@dataclass(frozen=True)
class Annotation:
    """One annotation.

    Attributes:
        kind: error, warning or notice.
        title: its head.
        message: its text, of several lines maybe.
        file: the file that it stands at, None for none.
        position: line and column there, from 1; None for the file as a whole.
    """

    kind: str
    title: str
    message: str
    file: Path | None = None
    position: tuple[int, int] | None = None


def wanted(*, asked: bool) -> bool:
    """Whether annotations are to be printed: they were asked for, or this is a job of GitHub Actions."""
    return asked or os.environ.get("GITHUB_ACTIONS") == "true"


def commands(run: Run, project: Path) -> list[str]:
    """Return the annotations of a run as lines, errors first, at most ten of a kind.

    Args:
        run: the run.
        project: folder that holds `claims/`; paths are relative to the repository that it lies in.
    """
    folders = {folder.name: folder for folder in claim_folders(project / "claims")}
    found = [a for claim in run.problems for a in _of_problem(claim, folders.get(claim.id))]
    found += [a for claim in run.judged for a in _of_claim(claim, folders.get(claim.id))]
    top = _top(project)
    return [
        as_command(one, top)
        for kind in (ERROR, WARNING, NOTICE)
        for one in summed_up([a for a in found if a.kind == kind])
    ]


def summed_up(found: list[Annotation]) -> list[Annotation]:
    """Return as many annotations as are shown; the last says what else there would be."""
    if len(found) <= MOST:
        return found
    rest = found[MOST - 1 :]
    names = "\n".join(one.title for one in rest)
    return [*found[: MOST - 1], Annotation(rest[0].kind, f"{len(rest)} more, see report.md", names)]


def as_command(one: Annotation, top: Path) -> str:
    """Return an annotation as the command of a workflow; whatever it says, it is one line and one command."""
    parts: dict[str, object] = {}
    if one.file is not None:
        parts["file"] = _relative(one.file, top)
    if one.position is not None:
        parts["line"], parts["col"] = one.position
    parts["title"] = one.title
    shown = ",".join(f"{name}={_property(value)}" for name, value in parts.items())
    return f"::{one.kind} {shown}::{_data(shortened(one.message, LONGEST))}"


def _data(value: object) -> str:
    return block(value).replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(value: object) -> str:
    return _data(one_line(value)).replace(":", "%3A").replace(",", "%2C")


def _relative(path: Path, top: Path) -> str:
    return (path.relative_to(top) if path.is_relative_to(top) else path).as_posix()


def _top(project: Path) -> Path:
    """Return the folder of the repository: the job's workspace, what git says, or else the project itself."""
    workspace = os.environ.get("GITHUB_WORKSPACE")
    if workspace and project.is_relative_to(workspace):
        return Path(workspace)
    return top_of(project) or project


def _of_problem(claim: ProblemRecord, folder: Path | None) -> Iterator[Annotation]:
    """Yield what kept a claim from being run, a specification's problems each at its own place."""
    title = f"{claim.id} could not be run ({claim.problem.kind})"
    for line in claim.problem.lines:
        placed = _PROBLEM.match(line)
        if placed:
            position = int(placed["line"]), int(placed["column"])
            yield Annotation(ERROR, title, placed["what"], Path(placed["file"]), position)
        else:
            yield Annotation(ERROR, title, line, folder and folder / "claim.yaml")


def _of_claim(claim: ClaimRecord, folder: Path | None) -> Iterator[Annotation]:
    found = list(_of_readings(claim)) if claim.profile != NO_VERDICT_PROFILE else []
    if waiver.expired(claim):
        found.append((Annotation(ERROR, f"{claim.id}: waiver expired", waiver.note(claim)), ("waiver", "expires")))
    if claim.errors and not any(one.kind == ERROR for one, _ in found):
        found.append((Annotation(ERROR, f"{claim.id}: trial failed", claim.errors[0]), ()))
    yield from _placed(found, folder)


def _of_readings(claim: ClaimRecord) -> Iterator[tuple[Annotation, Location]]:
    """Yield the readings that came out otherwise than expected, each with the place in claim.yaml that decided it."""
    for name, reading in claim.readings.items():
        if reading.as_expected:
            continue
        title = f"{wording.came_out(reading)}: {claim.title}"
        text = f"{claim.id}, reading {name}: {reading.reason}\n"
        if reading.waived:
            yield Annotation(NOTICE, title, text + waiver.words(claim)), _decided(claim, name)
        else:
            kind = WARNING if odd(reading) <= OPEN else ERROR
            yield Annotation(kind, title, text + wording.would_change(reading)), _decided(claim, name)


def _decided(claim: ClaimRecord, name: str) -> Location:
    """Return the place in claim.yaml of the expectation, or the control, that gave a reading its verdict."""
    kind, _, which = claim.readings[name].decided_by.partition(".")
    if kind == "controls":
        return (kind, which)
    return ("readings", name, kind, which) if kind else ("readings", name)


def _placed(found: Iterable[tuple[Annotation, Location]], folder: Path | None) -> Iterator[Annotation]:
    """Yield annotations at their places, as far as claim.yaml can still be read."""
    try:
        file = read_yaml(folder / "claim.yaml") if folder else None
    except SpecError:
        file = None
    for one, location in found:
        yield replace(one, file=file.path, position=file.position(location)) if file else one
