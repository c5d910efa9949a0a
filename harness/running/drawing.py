"""The pictures of a claim: drawn once, beside its trials where any are measured, and read by no verdict."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from harness.errors import UsageError
from harness.store.records.beside import NoPicture, PicturesRecord
from harness.store.records.parsing import parse
from harness.trials.inputs import Inputs, changes, inputs_of
from harness.trials.plan import fingerprint, illustration_task, plan_of_pictures

if TYPE_CHECKING:
    from harness.store.records.beside import Illustration
    from harness.store.store import Store
    from harness.trials.plan import Plan
    from harness.trials.task import Outcome
    from harness.trials.worker import Job


class Drawing:
    """What a claim's pictures.py draws of a run's first seed.

    It is kept for as long as the code of experiment and pictures, data, settings and environment stay. What cannot be
    drawn is no reason to doubt a verdict: in its place stands why.

    Args:
        plan: the claim's plan.
        store: where pictures are kept.
        fresh: draw again what is kept.
    """

    def __init__(self, plan: Plan, store: Store, *, fresh: bool) -> None:
        self.pictures: list[Illustration] = []
        self._wanted = plan.folder.pictures is not None
        if self._wanted:
            self._plan, self._store, self._kind = plan_of_pictures(plan), store, f"pictures {plan.base_seed}"
            self._fingerprint = fingerprint(self._plan)
            stored = None if fresh else self._stored()
            self.pictures, self._wanted = list(stored or []), stored is None

    def _stored(self) -> list[Illustration] | None:
        """Return what is kept and was drawn from what there is today, None if there is nothing."""
        for found in self._store.beside(self._plan.claim.id, self._fingerprint, self._kind, PicturesRecord):
            return None if found.inputs is not None and _changed(self._plan, found.inputs) else found.pictures
        return None

    def jobs(self) -> list[Job]:
        """Return the one job that draws, for whoever asks first; none if all is drawn."""
        wanted, self._wanted = self._wanted, False
        return [[illustration_task(self._plan)]] if wanted else []

    def keep(self, outcome: Outcome) -> None:
        """Keep what was drawn, or say why nothing was; then a later run tries again."""
        if outcome.error is not None:
            self.pictures = [NoPicture(kind="error", title=outcome.error)]
            return
        inputs = json.loads(inputs_of(outcome.seen, self._plan.inputs).text) if outcome.seen else None
        drawn = {"pictures": list(outcome.pictures), "inputs": inputs}
        try:
            # What a picture names by something else than text comes through to here.
            record = parse(PicturesRecord, drawn, "illustrate()", "see harness.pictures")
        except UsageError as error:
            self.pictures = [NoPicture(kind="error", title=str(error))]
            return
        self.pictures = record.pictures
        self._store.save_beside(self._plan.claim.id, self._kind, self._fingerprint, record)


def _changed(plan: Plan, inputs: object) -> bool:
    """Whether something that pictures were drawn from is otherwise today, or nobody can say."""
    try:
        then = Inputs.of(inputs)
    except ValueError:
        return True
    return bool(changes(then, plan.inputs, plan.folder.experiment, plan.folder.project))
