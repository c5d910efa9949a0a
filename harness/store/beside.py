"""What a store keeps beside trials: noise floors, pictures, timings, answers of broken versions; no verdict reads them."""

from __future__ import annotations

import contextlib
import json
from typing import TYPE_CHECKING

from harness._clock import now
from harness.errors import UsageError
from harness.store.database import Database

if TYPE_CHECKING:
    from typing import TypeVar

    from harness.store.records.parts import Part

    Model = TypeVar("Model", bound=Part)


class Beside(Database):
    """The table of a store that holds what lies beside its trials."""

    def save_beside(self, claim: str, kind: str, fingerprint: str, record: Part) -> None:
        """Commit what lies beside a claim's trials, pictures, timings or its noise floor; a later one of its kind replaces it."""
        # pydantic's own JSON cannot hold half a surrogate pair, which the name of a file may bring.
        text = json.dumps(record.model_dump(mode="json"))
        values = (claim, kind, fingerprint, text, now())
        self._write("INSERT OR REPLACE INTO beside VALUES (?, ?, ?, ?, ?)", values)

    def forget_beside(self, claim: str, kind: str, but: str) -> None:
        """Delete what lies beside a claim's trials and is of a kind that begins so before a blank, but that of one such kind."""
        query = "DELETE FROM beside WHERE claim = ? AND substr(kind, 1, ?) = ? AND kind != ?"
        self._write(query, (claim, len(kind) + 1, f"{kind} ", but))

    def beside(self, claim: str, fingerprint: str, kind: str, model: type[Model]) -> list[Model]:
        """Return what lies beside a claim's trials with a fingerprint and is of a kind, or of one that begins so before a blank.

        What is no such record is left out: it is drawn or measured again, and no verdict reads it.
        """
        # Late, for models take longer to import than most commands take.
        from harness.store.records.parsing import parse

        query = (
            "SELECT kind, record FROM beside WHERE claim = ? AND fingerprint = ? AND (kind = ? OR substr(kind, 1, ?) = ?) "
            "ORDER BY kind"
        )
        found = []
        for name, text in self._read(query, (claim, fingerprint, kind, len(kind) + 1, f"{kind} ")):
            with contextlib.suppress(UsageError):
                found.append(parse(model, self._plain(text), f"{self.path}: {claim}, {name}"))
        return found
