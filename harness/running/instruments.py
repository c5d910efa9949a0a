"""Instrument tests that need not run again: those that passed before, with all that they rest on as it was.

A test beside a claim.yaml that judges no reading or control and times nothing says whether the claim measures what it says.
Like a trial it is a function of code, data and files: that it passed is kept with what it read.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from harness._clock import now
from harness.store.records.beside import PassedRecord
from harness.trials.inputs import Inputs, changes, inputs_of
from harness.trials.plan import fingerprint
from harness.trials.provenance import code_of, digest_of, digest_of_file
from harness.trials.reach import seen

if TYPE_CHECKING:
    from pathlib import Path

    from harness.store.store import Store
    from harness.trials.plan import Plan

KIND = "instrument"


class Instruments:
    """The instrument tests of one file of a claim.

    Args:
        plan: of the claim.
        tests: the file.
        store: where it is kept that they passed.
    """

    def __init__(self, plan: Plan, tests: Path, store: Store) -> None:
        folder = plan.folder
        self._plan, self._tests, self._store = plan, tests, store
        self._code = code_of(tests, folder.project, folder.experiment, folder.path)
        self._fixed = Inputs(code=self._code.parts, data=plan.inputs.data, declared=plan.declared)
        beside = {path.name: digest_of_file(path) for path in sorted(folder.path.iterdir()) if path.is_file()}
        around = {str(path): digest_of_file(path) for path in _conftests(tests, folder.project)}
        drawn = [plan.profile, plan.base_seed]
        self._fingerprint = digest_of([fingerprint(plan), drawn, self._code.digest, beside, around])

    def stands(self, name: str) -> bool:
        """Whether a test passed when all was as it is; of one that started a command nobody knows what it read."""
        for record in self._store.beside(self._plan.claim.id, self._fingerprint, self._kind(name), PassedRecord):
            try:
                then = Inputs.of(record.inputs)
            except ValueError:
                return False
            return not then.commands and not changes(then, self._fixed, self._tests, self._plan.folder.project)
        return False

    def keep(self, name: str) -> None:
        """Keep that a test passed, and what it read."""
        read = seen(self._tests, self._plan.folder.project, self._code)
        record = PassedRecord(inputs=json.loads(inputs_of(read, self._fixed).text), finished=now())
        self._store.save_beside(self._plan.claim.id, self._kind(name), self._fingerprint, record)

    def _kind(self, name: str) -> str:
        return f"{KIND} {self._tests.name}::{name}"


def _conftests(tests: Path, project: Path) -> list[Path]:
    """Return the files with fixtures that pytest reads for a file of tests."""
    folders = [folder for folder in tests.parents if folder.is_relative_to(project)]
    return [path for folder in folders if (path := folder / "conftest.py").is_file()]
