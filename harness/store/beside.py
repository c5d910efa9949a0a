"""What a store keeps beside trials: noise floors, pictures, timings; no verdict reads them."""

from __future__ import annotations

import contextlib
import json
from typing import Any

from harness._clock import now
from harness.errors import UsageError
from harness.store.database import Database


class Beside(Database):
    """The tables of a store that hold what lies beside its trials."""

    def save_beside(self, claim: str, kind: str, fingerprint: str, record: dict[str, Any]) -> None:
        """Commit what lies beside a claim's trials, pictures, timings or its noise floor; a later one of its kind replaces it."""
        values = (claim, kind, fingerprint, json.dumps(record, allow_nan=False), now())
        self._write("INSERT OR REPLACE INTO beside VALUES (?, ?, ?, ?, ?)", values)

    def beside(self, claim: str, fingerprint: str) -> dict[str, dict[str, Any]]:
        """Return what lies beside a claim's trials with a fingerprint: kind -> record, in the order of the kinds.

        What is no such record is left out: it is drawn or measured again, and no verdict reads it.
        """
        from harness.store.soundness import check_beside

        query = "SELECT kind, record FROM beside WHERE claim = ? AND fingerprint = ? ORDER BY kind"
        found = {}
        for kind, text in self._read(query, (claim, fingerprint)):
            with contextlib.suppress(UsageError):
                record = self._plain(text)
                check_beside(kind, record, f"{self.path}: {claim}, {kind}")
                found[kind] = record
        return found
