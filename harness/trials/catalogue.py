"""Finding and loading the claims of a folder; no shared list names them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from harness.errors import SpecError, UsageError
from harness.judging import expected, feasibility
from harness.specification.globs import matches
from harness.specification.models import Claim
from harness.specification.parsing import by_position, parse, suggestion
from harness.specification.yaml12 import first_of, read_yaml
from harness.trials import answers, commands, result_checks
from harness.trials.data_sets import problem_of
from harness.trials.documents import load_document
from harness.trials.provenance import PICTURES
from harness.trials.tables import with_cells

if TYPE_CHECKING:
    from harness.judging.caps import Problem
    from harness.specification.document import Document

NEEDED = {"experiment.py": "there is nothing to measure", "test_claim.py": "nothing would run this claim"}
"""What a claim's folder must hold besides claim.yaml, and what is lacking without it; with a command, or results, no experiment.py."""

COMMAND, ESTIMATORS, RESULTS = (Path(__file__).with_name(f"{name}.py") for name in ("command", "estimators", "results"))
"""What is called in the place of experiment.py where claim.yaml names a command, says `experiment: estimators`, or names results."""


@dataclass(frozen=True)
class ClaimFolder:
    """A claim and the folder that holds it.

    Attributes:
        path: the folder with claim.yaml, experiment.py and test_claim.py.
        claim: the specification.
        document: the document that the folder stands in.
    """

    path: Path
    claim: Claim
    document: Document

    @property
    def experiment(self) -> Path:
        """Path of experiment.py, or of this tool's own module in its place: for a command, estimators, or results."""
        if self.claim.experiment:
            return ESTIMATORS
        if self.claim.results:
            return RESULTS
        return COMMAND if self.claim.command else self.path / "experiment.py"

    @property
    def pictures(self) -> Path | None:
        """Path of pictures.py; None where the claim draws none."""
        path = self.path / PICTURES
        return path if path.is_file() else None

    @property
    def project(self) -> Path:
        """Folder that holds `claims/`, from where experiments import `fixtures`."""
        return self.path.parents[2]


def load_claim(folder: Path) -> ClaimFolder:
    """Load one claim with its document.

    Raises:
        SpecError: every error of claim.yaml (or of document.yaml) at once.
    """
    file, wrong = with_cells(read_yaml(folder / "claim.yaml"), folder.parents[2])
    if wrong:
        raise SpecError(first_of(wrong, file.path))
    claim = parse(Claim, file)
    found: list[Problem | str] = [*feasibility.problems_of(claim), *expected.problems_of(claim)]
    found += [*commands.problems_of(claim), *result_checks.problems_of(claim, file)]
    if claim.results and not found:
        claim, found = result_checks.resolved(claim, folder.parents[2])
        # How many seeds there are is known by now.
        found = found or [*feasibility.problems_of(claim)]
    problems = [
        one if isinstance(one, str) else file.problem(commands.as_written(one[0], file.value), one[1]) for one in found
    ]
    ways = [way for way in ("command", "experiment", "results") if getattr(claim, way)]
    if len([*ways, *folder.glob("experiment.py")]) > 1:
        other = ways[0] if len(ways) > 1 else "experiment.py"
        problems.append(file.problem((ways[-1],), f"stands beside {other}; remove one: a claim is measured in one way"))
    problems += [
        file.problem(
            ("inputs", number), f"{pattern!r} matches no file below {folder.parents[2]}; name what trials read"
        )
        for number, pattern in enumerate(claim.inputs)
        if not matches(pattern, folder.parents[2])
    ]
    problems += [
        file.problem(("data", number), message)
        for number, name in enumerate(claim.data)
        if (message := problem_of(name, folder.parents[2]))
    ]
    problems += [
        file.problem(("answers", name), f"there is no reading {reading!r}; {suggestion(reading, claim.readings)}")
        for name, answer in claim.answers.items()
        for reading in answer.readings
        if reading not in claim.readings
    ]
    if claim.id != folder.name:
        problems.append(file.problem(("id",), f"is {claim.id!r}, but the folder is {folder.name!r}; make them equal"))
    if claim.source.document != folder.parent.name:
        message = f"is {claim.source.document!r}, but the folder is {folder.parent.name!r}; make them equal"
        problems.append(file.problem(("source", "document"), message))
    if problems:
        raise SpecError(first_of(by_position(problems), file.path))
    return ClaimFolder(folder, claim, load_document(folder.parent))


def claim_folders(root: Path) -> list[Path]:
    """Return the folders of `root` that hold a claim.yaml, sorted by name."""
    return sorted(path.parent for path in root.glob("*/*/claim.yaml"))


def load_all(root: Path) -> tuple[list[ClaimFolder], list[str]]:
    """Load every claim below `root`; return them, and the problems of those that cannot be loaded."""
    loaded: list[ClaimFolder] = []
    problems: list[str] = []
    first: dict[str, Path] = {}
    for folder in claim_folders(root):
        try:
            loaded.append(load_claim(folder))
        except SpecError as error:
            problems += error.problems
        # Ids are keys of stored trials and roots of seeds.
        if first.setdefault(folder.name, folder) != folder:
            problems.append(
                f"{folder}/claim.yaml:1:1: id: {folder.name!r} is also the id of {first[folder.name]}; rename one"
            )
        for name, lack in NEEDED.items():
            if not (folder / name).is_file() and not (
                name == "experiment.py" and declares(folder, "command", "experiment", "results")
            ):
                problems.append(f"{folder}/{name}:1:1: (file): is missing, so {lack}; copy a neighbour's")
    return loaded, list(
        dict.fromkeys([*problems, *answers.problems_of(root, [(folder.path, folder.claim) for folder in loaded])])
    )


def declares(folder: Path, *fields: str) -> bool:
    """Whether claim.yaml has one of these fields, by a look that parses nothing, and so of one that cannot be loaded, too."""
    try:
        text = (folder / "claim.yaml").read_bytes() if (folder / "claim.yaml").is_file() else b""
    except OSError:
        return False
    return re.search(rf"^({'|'.join(fields)}):".encode(), text, re.MULTILINE) is not None


def find(root: Path, claim_id: str) -> ClaimFolder:
    """Return the claim with an id.

    Raises:
        UsageError: there is none; the message names the nearest.
        SpecError: it cannot be loaded.
    """
    by_name = {path.name: path for path in claim_folders(root)}
    if claim_id not in by_name:
        raise UsageError(f"no claim {claim_id!r} under {root}; {suggestion(claim_id, by_name)}")
    return load_claim(by_name[claim_id])
