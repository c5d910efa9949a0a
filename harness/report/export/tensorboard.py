"""A store as TensorBoard's event files: a folder for each run, a file for each of its claims."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from harness._text import in_markdown
from harness.errors import UsageError
from harness.report.export import needed
from harness.report.export.facts import facts_of, seconds_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from harness.report.export.facts import Facts
    from harness.store.store import Store


def export(store: Store, folder: Path) -> str:
    """Write every claim of every run; what was exported before is written over, not doubled. Return what was written.

    Raises:
        UsageError: TensorBoard is not installed, or the folder cannot be written.
    """
    protocol = needed("tensorboard.compat.proto.event_pb2", "tensorboard")
    records = needed("tensorboard.summary.writer.record_writer", "tensorboard")
    files, runs = 0, set()
    try:
        for facts in facts_of(store):
            home = folder / _folder_name(facts)
            home.mkdir(parents=True, exist_ok=True)
            # One name for one content: TensorBoard reads every event file of a folder.
            path = home / f"events.out.tfevents.{int(seconds_of(facts.run.started)):010d}.{_safe(facts.claim.id)}"
            part = home / f"{_safe(facts.claim.id)}.part"
            with part.open("wb") as file:
                writer = records.RecordWriter(file)
                for event in _events(facts, protocol):
                    writer.write(event.SerializeToString())
            part.replace(path)
            files += 1
            runs.add(home)
    except OSError as error:
        raise UsageError(f"{folder}: cannot be written: {error.strerror}; give another folder") from None
    return f"runs {len(runs)}, claims {files}; `tensorboard --logdir {folder}` shows them"


def _folder_name(facts: Facts) -> str:
    """Return the name of a run's folder, which TensorBoard shows: when it was begun, and its id."""
    return f"{_safe(facts.run.started[:16])}_{_safe(facts.run.id)}"


def _safe(name: str) -> str:
    """Return a name that leads out of no folder."""
    return re.sub(r"[^A-Za-z0-9_-]", "-", name)


def _events(facts: Facts, protocol: Any) -> Iterator[Any]:
    """Yield the events of a claim: a version first, as the format has it, then text, then numbers."""
    yield protocol.Event(wall_time=facts.seconds, file_version="brain.Event:2")
    yield _text(facts, protocol, "parameters", facts.parameters)
    yield _text(facts, protocol, "verdicts", facts.verdicts)
    for scalar in facts.scalars:
        event = protocol.Event(wall_time=facts.seconds, step=scalar.step)
        event.summary.value.add(tag=scalar.tag, simple_value=scalar.value)
        yield event


def _text(facts: Facts, protocol: Any, name: str, rows: dict[str, str]) -> Any:
    """Return a table as the text plugin shows it: Markdown."""
    lines = ["| | |", "|---|---|", *(f"| {in_markdown(key)} | {in_markdown(value)} |" for key, value in rows.items())]
    event = protocol.Event(wall_time=facts.seconds)
    value = event.summary.value.add(tag=f"{facts.claim.id}/{name}")
    value.metadata.plugin_data.plugin_name = "text"
    value.tensor.dtype = 7  # DT_STRING
    value.tensor.tensor_shape.SetInParent()
    value.tensor.string_val.append("\n".join(lines).encode())
    return event
