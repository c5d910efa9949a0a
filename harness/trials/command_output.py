"""What a command leaves, read: JSON on the last line of its output, or files of JSON, JSON Lines, CSV or TSV."""

from __future__ import annotations

import csv
import io
import json
import math
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness._text import one_line, shortened
from harness.errors import TrialError
from harness.specification.placeholders import filled

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    Row = Any
    """A row of a file, or all of a file of JSON."""

TAKE: dict[str, Callable[[list[float]], float]] = {
    "last": lambda values: values[-1],
    "min": min,
    "max": max,
    "mean": lambda values: math.fsum(values) / len(values),
}

SHOWN = 80
"""Characters of a value that is no number, or of a line that is no JSON."""

REMEDY = "let the script print json.dumps({...}) as its last line, or name a file of `{out}` under `output`"


def metrics_of(places: Mapping[str, Mapping[str, Any]], output: str, values: Mapping[str, Any]) -> dict[str, float]:
    """Return metric -> its number.

    Args:
        places: metric -> key, file (None: the output) and reduction.
        output: the end of what the command wrote to standard output.
        values: placeholder -> value, for names of files.

    Raises:
        TrialError: names the metric, what stands there, and what to do.
    """
    rows: dict[str | None, list[Row]] = {}
    found = {}
    for name, place in places.items():
        file = place["file"]
        try:
            if file not in rows:
                rows[file] = rows_of(Path(filled(file, values))) if file else [_last_line(output)]
            found[name] = reduced(rows[file], place["key"], place["take"])
        except ValueError as error:
            where = "the last line of standard output" if file is None else file
            raise TrialError(f"metrics.{name}: {where} {error}") from None
    return found


def last_object(output: str) -> dict[str, Any] | None:
    """Return the JSON object on the last line of an output, None if there is none."""
    try:
        found = json.loads(_last(output))
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _last_line(output: str) -> dict[str, Any]:
    found = last_object(output)
    if found is None:
        raise ValueError(f"is no JSON object, but {_shown(_last(output))}; {REMEDY}")
    return found


def _last(output: str) -> str:
    # What counts up on one line returns to its beginning.
    return re.split(r"[\r\n]", output.rstrip())[-1]


def rows_of(path: Path) -> list[Row]:
    """Return the rows of a file, by its name's ending; of JSON the whole file is one."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ValueError(f"cannot be read ({error.strerror}); let the script write it below {{out}}") from None
    try:
        rows = [row for _, row in numbered(content, path.suffix)]
    except (ValueError, RecursionError, csv.Error) as error:
        raise ValueError(f"is no {path.suffix[1:].upper()} ({error}); let the script write it whole") from None
    if not rows:
        raise ValueError("holds no row; let the script write one at least")
    return rows


def numbered(content: bytes, ending: str) -> Iterator[tuple[int, Row]]:
    """Yield the rows of a file's content, by its name's ending, each with the line on which it ends; of JSON the whole is one.

    Raises:
        ValueError, RecursionError, csv.Error: it is nothing of the kind.
    """
    text = content.decode("utf-8-sig")
    if ending == ".json":
        yield 1, json.loads(text)
    elif ending in (".csv", ".tsv"):
        table = csv.DictReader(io.StringIO(text, newline=""), delimiter="\t" if ending == ".tsv" else ",")
        for row in table:
            yield table.line_num, {name: cell(value) for name, value in row.items()}
    else:
        yield from ((at, json.loads(line)) for at, line in enumerate(text.split("\n"), 1) if line.strip())


def cell(text: Any) -> Any:
    """Return the number that a cell of a table holds, or what else stands there."""
    try:
        return float(text)
    except (TypeError, ValueError):
        return text


def reduced(rows: list[Row], key: str, take: str) -> float:
    """Return one number of the rows that have a key: a log may write some values at some rows alone."""
    values = [value for row in rows if (value := value_at(row, key)) not in (None, "")]
    if not values:
        raise ValueError(
            f"has no {key!r}, but {_shown(', '.join(_keys(rows[-1])) or 'nothing')}; name one under `metrics`"
        )
    # Only what is asked for must be a number.
    return TAKE[take]([_number(value, key) for value in (values[-1:] if take == "last" else values)])


def value_at(row: Row, key: str) -> Any:
    """Return what stands at a key, or else at a path of keys with dots; None if nothing does."""
    if isinstance(row, dict) and key in row:
        return row[key]
    for part in key.split("."):
        if isinstance(row, list) and part.isdecimal() and int(part) < len(row):
            row = row[int(part)]
        elif isinstance(row, dict):
            row = row.get(part)
        else:
            return None
    return row


def _keys(row: Row) -> list[str]:
    return [str(key) for key in row] if isinstance(row, dict) else []


def _number(value: Any, key: str) -> float:
    try:
        number = float(value) if isinstance(value, int | float) else None
    except OverflowError:
        number = None
    if number is None:
        raise ValueError(f"has {key} {_shown(value)}, which is no number; write a number there")
    if not math.isfinite(number):
        raise ValueError(f"has {key} {number}, which is no finite number; a trial that yields none has failed")
    return number


def _shown(value: Any) -> str:
    return shortened(one_line(repr(value)), SHOWN)
