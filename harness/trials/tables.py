"""Claims whose readings are the cells of a Markdown table of the project: the table found, each cell a reading."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, NamedTuple

from harness.specification.kinds import Strict
from harness.specification.parsing import parse, suggestion
from harness.specification.quotation import NUMBER, Table, meant, misfit

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from harness.specification.kinds import Value
    from harness.specification.quotation import Range
    from harness.specification.yaml12 import YamlFile

ALL_CELLS = "table"
"""What a control of such a claim breaks if it breaks every cell."""

GAPS = ("", "-", "\N{EN DASH}", "\N{EM DASH}", "n/a")
"""What stands in a cell without a number."""

_HEADING = re.compile(r"^#{1,6}\s+(?P<title>.*?)\s*#*$")
_RULE = re.compile(r"^\|?\s*:?-+:?\s*(\|\s*:?-+:?\s*)*\|?$")
_SEPARATOR = re.compile(r"(?<!\\)\|")
_MARKUP = re.compile(r"[*_`]|\[(?P<text>[^\]]*)\]\([^)]*\)")
_CELL = re.compile(rf"(?P<number>{NUMBER})\s*(?P<unit>\S*)")


class Row(NamedTuple):
    """A row of a Markdown table: where it stands, from 1, and its cells without markup."""

    line: int
    cells: list[str]


@dataclass(frozen=True)
class Cell:
    """A cell with a number.

    Attributes:
        line: where it stands, from 1.
        row: what the first column says.
        column: what the head says.
        number: as it is printed.
        arm: which arm the row is.
        value: which value, or metric, the column is.
    """

    line: int
    row: str
    column: str
    number: str
    arm: str
    value: Value

    def name(self, table: Table) -> str:
        """Return the name of its reading."""
        words = (self.arm, table.over, self.value) if table.over else (self.arm, self.value)
        return re.sub(r"[^a-z0-9]+", "_", "_".join(str(word) for word in words).lower()).strip("_")[:80]


@dataclass(frozen=True)
class Trouble:
    """What is wrong with a table: at a field of claim.yaml, or in a line of the text."""

    message: str
    field: str = "file"
    line: int = 0


class _Tabled(Strict):
    table: Table


def with_cells(file: YamlFile, project: Path) -> tuple[YamlFile, list[str]]:
    """Return a claim.yaml with a reading for each cell of its `table`, and what is wrong, a line each; as it is without one.

    Raises:
        SpecError: the table is none.
    """
    value = file.value
    if not isinstance(value, dict) or "table" not in value:
        return file, []
    table = parse(_Tabled, replace(file, value={"table": value["table"]})).table
    cells, troubles = cells_of(table, project, _names(value, "arms"), _columns(value, table))
    readings = {cell.name(table): _reading(cell, table) for cell in cells}
    troubles += _mixed(value, table, cells)
    if len(readings) < len(cells):
        troubles.append(Trouble("two cells have one name; rows: and columns: give them others", "rows"))
    own, controls = value.get("readings"), value.get("controls")
    whole = {**value, "readings": {**readings, **(own if isinstance(own, dict) else {})}}
    if isinstance(controls, dict):
        whole["controls"] = {name: _breaking(control, list(readings)) for name, control in controls.items()}
    text = project / table.file.partition("#")[0]
    problems = [
        f"{text}:{t.line}:1: table: {t.message}" if t.line else file.problem(("table", t.field), t.message)
        for t in troubles
    ]
    return replace(file, value=whole), problems


def cells_of(
    table: Table, project: Path, arms: Iterable[str], columns: Iterable[Value]
) -> tuple[list[Cell], list[Trouble]]:
    """Return the cells with a number of a claim's table, row by row, and what is wrong with it.

    Args:
        table: where it stands, and what its rows and columns are.
        project: the folder that its file is named from.
        arms: those of the claim.
        columns: the values of its condition, or its metrics.
    """
    name, _, fragment = table.file.partition("#")
    try:
        lines = (project / name).read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        return [], [Trouble(f"{name!r} cannot be read: {error}; name a text of the project, in UTF-8")]
    rows = list(rows_of(lines, fragment))
    if len(rows) < 2:
        return [], [Trouble(f"{table.file!r}: no table stands there; {_headings(lines, fragment)}")]
    troubles: list[Trouble] = []
    head, *body = rows
    heads = _named(head.cells[1:], table.columns, {str(v): v for v in columns}, "columns", troubles)
    arm_of = _named([row.cells[0] for row in body], table.rows, {arm: arm for arm in arms}, "rows", troubles)
    cells = [
        Cell(row.line, row.cells[0], column, text, str(arm_of[row.cells[0]]), heads[column])
        for row in body
        if row.cells[0] in arm_of
        for column, text in zip(head.cells[1:], row.cells[1:], strict=False)
        if column in heads and text.lower() not in GAPS
    ]
    return [cell for cell in cells if not _wrong(cell, table, troubles)], troubles


def _wrong(cell: Cell, table: Table, troubles: list[Trouble]) -> bool:
    """Whether a cell holds something else than a number in the table's unit; says so in `troubles`."""
    found = _CELL.fullmatch(cell.number)
    if found is None:
        message = "is no number; write one, or - where there is none"
    elif found["unit"] not in ("", table.unit):
        message = f"is not in the table's unit, {table.unit or 'none'}; write all in one, and say which: `unit:`"
    else:
        return False
    troubles.append(Trouble(f"row {cell.row!r}, column {cell.column!r}: {cell.number!r} {message}", line=cell.line))
    return True


def _mixed(value: Mapping[str, Any], table: Table, cells: list[Cell]) -> list[Trouble]:
    """Return what is wrong with the table's unit: it must be one of the metrics' units."""
    metrics = value.get("metrics")
    named = dict.fromkeys(str(table.metric or cell.value) for cell in cells)
    own = {name: metrics.get(name) for name in named} if isinstance(metrics, dict) else {}
    units = [str(one.get("unit", "")) for one in own.values() if isinstance(one, dict)]
    return [Trouble(wrong, "unit") for wrong in dict.fromkeys(misfit(table.unit, unit) for unit in units) if wrong]


def _reading(cell: Cell, table: Table) -> dict[str, Any]:
    """Return the reading that a cell is, as claim.yaml would have it."""
    low, high = range_of(cell, table)
    name, at = cell.name(table), {"arm": cell.arm, **({table.over: cell.value} if table.over else {})}
    slack = "what rounds to it" if table.tolerance is None else f"up to {table.tolerance:g} {table.unit}".strip()
    expectation = {
        "contrast": {"mean": table.metric or cell.value, "at": at},
        "band": {"between": [low, high]},
        "because": f"{table.file} prints {printed(cell, table)} in row {cell.row}, column {cell.column}; {slack} is admitted. "
        f"{table.because or ''}".strip(),
        **({"no_control": table.no_control} if table.no_control else {}),
    }
    return {"means": f"{table.file}, row {cell.row}, column {cell.column}", "expectations": {name: expectation}}


def printed(cell: Cell, table: Table) -> str:
    """Return a cell's number with the table's unit."""
    return f"{_number(cell)} {table.unit}".strip()


def range_of(cell: Cell, table: Table) -> Range:
    """Return what a cell's number stands for, in the metric's unit."""
    return meant(_number(cell), table.unit, table.tolerance)


def _number(cell: Cell) -> str:
    found = _CELL.fullmatch(cell.number)
    assert found
    return found["number"]


def rows_of(lines: list[str], fragment: str) -> Iterator[Row]:
    """Yield the head and the rows of the first table below a heading; of the first of all without one."""
    start = 0 if not fragment else next((n for n, title in _titles(lines) if _slug(title) == fragment), len(lines))
    rule = next((n for n in range(start + 1, len(lines)) if "|" in lines[n] and _RULE.match(lines[n].strip())), None)
    if rule is None or any(start < n < rule for n, _ in _titles(lines)):
        return
    yield Row(rule, _split(lines[rule - 1]))
    for number in range(rule + 1, len(lines)):
        if "|" not in lines[number]:
            return
        yield Row(number + 1, _split(lines[number]))


def _split(line: str) -> list[str]:
    """Return the cells of a line of a table, without markup."""
    inner = line.strip().removeprefix("|").removesuffix("|")
    return [_MARKUP.sub(lambda found: found["text"] or "", cell).strip() for cell in _SEPARATOR.split(inner)]


def _titles(lines: list[str]) -> Iterator[tuple[int, str]]:
    """Yield where headings stand, from 0, with what they say."""
    for number, line in enumerate(lines):
        if found := _HEADING.match(line):
            yield number, found["title"]


def _slug(title: str) -> str:
    """Return the anchor that GitHub gives a heading."""
    return re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-")


def _headings(lines: list[str], fragment: str) -> str:
    known = [_slug(title) for _, title in _titles(lines)]
    return (
        suggestion(fragment, known)
        if fragment and fragment not in known
        else "a table has a line of --- below its head"
    )


def _named(
    texts: list[str], given: Mapping[str, Any], known: Mapping[str, Value], field: str, troubles: list[Trouble]
) -> dict[str, Value]:
    """Return text -> what it names: as `given` says, or all, each by its own words.

    A text names what is written alike but for case, spaces and commas within numbers, or ends with it after a `=`.
    """
    found: dict[str, Value] = {}
    alike = {_plain(name): value for name, value in known.items()}
    for text in given or dict.fromkeys(texts):
        if text not in texts:
            troubles.append(Trouble(f"{text!r} does not stand in the table; {suggestion(text, texts)}", field))
        elif given:
            found[text] = given[text]
        elif (value := alike.get(_plain(text.rpartition("=")[2]))) is None:
            remedy = f"say what it is, `{field}: {{{text!r}: ...}}`; {suggestion(text, known)}"
            troubles.append(Trouble(f"{text!r} names nothing of the claim; {remedy}", field))
        else:
            found[text] = value
    return found


def _plain(text: str) -> str:
    return re.sub(r"(?<=\d),(?=\d{3})", "", text.strip().lower()).replace(" ", "_")


def _names(value: Mapping[str, Any], field: str) -> list[str]:
    own = value.get(field)
    return list(own) if isinstance(own, dict) else []


def _columns(value: Mapping[str, Any], table: Table) -> list[Value]:
    """Return what columns may be, as a claim.yaml that is not yet validated has it."""
    if table.over is None:
        return [*_names(value, "metrics")]
    conditions = value.get("conditions")
    condition = conditions.get(table.over) if isinstance(conditions, dict) else None
    values = condition.get("values") if isinstance(condition, dict) else condition
    return values if isinstance(values, list) else []


def _breaking(control: Any, names: list[str]) -> Any:
    """Return a control with the cells that it breaks named."""
    broken = control.get("breaks") if isinstance(control, dict) else None
    if not isinstance(broken, list):
        return control
    return {**control, "breaks": [name for one in broken for name in (names if one == ALL_CELLS else [one])]}
