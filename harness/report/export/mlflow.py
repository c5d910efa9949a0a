"""A store as runs in MLflow: an experiment for each claim, and in it a run for each run of the claim."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, Any

from harness._text import message_of, shortened
from harness.errors import UsageError
from harness.report.export import needed
from harness.report.export.facts import facts_of, seconds_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from harness.report.export.facts import Facts
    from harness.store.store import Store

AT_ONCE = {"metrics": 1000, "params": 100, "tags": 100}
"""Items of each kind that MLflow takes in one call."""

LONGEST_TEXT = 500
"""Characters of a parameter or tag that every store of MLflow takes."""

KEY, DIGEST = "claims.key", "claims.digest"
"""Tags by which a run that is there already is known again, and its content."""


def export(store: Store, uri: str) -> str:
    """Write every claim of every run; what is there already stays as it is. Return what was written.

    Raises:
        UsageError: MLflow is not installed, refuses the address, or cannot be reached.
    """
    # Nobody is told that a store was exported.
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    mlflow, entities = needed("mlflow", "mlflow"), needed("mlflow.entities", "mlflow")
    facts = list(facts_of(store))
    try:
        target = _Target(mlflow.MlflowClient(tracking_uri=uri), entities)
        written = sum(target.put(one) for one in facts)
    # MLflow raises what its database, its server and it itself raise.
    except Exception as error:
        raise UsageError(
            f"--mlflow: {uri}: {shortened(message_of(error), 300)}; give the http(s) address of a server, or "
            "sqlite:/// and the path of a file"
        ) from None
    return f"runs written {written}, there already {len(facts) - written}"


class _Target:
    """An MLflow store that is written to.

    Attributes:
        client: the client of that store.
        entities: MLflow's module of what it stores.
    """

    def __init__(self, client: Any, entities: Any) -> None:
        self.client = client
        self.entities = entities

    def put(self, facts: Facts) -> bool:
        """Write a claim of a run unless it is there; return whether it was written.

        One that was not finished, or has other content by now, is deleted first.
        """
        experiment = self._experiment(f"claims/{facts.claim.id}")
        key = f"{facts.run.id}/{facts.claim.id}"
        found = self.client.search_runs([experiment], filter_string=f"tags.`{KEY}` = '{_quotable(key)}'")
        same = [run for run in found if run.data.tags.get(DIGEST) == facts.digest]
        for run in found:
            if run not in same[:1]:
                self.client.delete_run(run.info.run_id)
        if same:
            return False
        self._write(experiment, _quotable(key), facts)
        return True

    def _experiment(self, name: str) -> str:
        found = self.client.get_experiment_by_name(name)
        return str(found.experiment_id if found else self.client.create_experiment(name))

    def _write(self, experiment: str, key: str, facts: Facts) -> None:
        moment = int(facts.seconds * 1000)
        started = int(seconds_of(facts.run.started) * 1000)
        name = f"{facts.run.started[:16]} {facts.run.id}"
        made = self.client.create_run(experiment, start_time=started, run_name=name, tags={KEY: key})
        run = made.info.run_id
        metrics = [self.entities.Metric(_name(s.tag.partition("/")[2]), s.value, moment, s.step) for s in facts.scalars]
        params = [self.entities.Param(_name(k), shortened(v, LONGEST_TEXT)) for k, v in facts.parameters.items()]
        tags = [self.entities.RunTag(_name(k), shortened(v, LONGEST_TEXT)) for k, v in _tags(facts).items()]
        for kind, items in {"metrics": metrics, "params": params, "tags": tags}.items():
            for part in _parts(items, AT_ONCE[kind]):
                self.client.log_batch(run, **{kind: part})
        # Last, so that what was broken off is not taken for whole.
        self.client.set_tag(run, DIGEST, facts.digest)
        self.client.set_terminated(run, end_time=moment)


def _tags(facts: Facts) -> dict[str, str]:
    verdicts = {f"verdict.{name}": words for name, words in facts.verdicts.items()}
    facts_of_run = {"claims.run": facts.run.id, "claims.document": facts.claim.document.id}
    commit = {"mlflow.source.git.commit": facts.run.machine.commit or "unknown"}
    return {**verdicts, **facts_of_run, **commit, "claims.code": facts.claim.code.digest}


def _parts(items: Sequence[Any], most: int) -> Iterator[Sequence[Any]]:
    for start in range(0, len(items), most):
        yield items[start : start + most]


def _name(text: str) -> str:
    """Return a name of the characters that MLflow lets names have."""
    return re.sub(r"[^A-Za-z0-9_\-. /]", "_", text)[:250]


def _quotable(text: str) -> str:
    return re.sub(r"[^A-Za-z0-9_\-./]", "_", text)
