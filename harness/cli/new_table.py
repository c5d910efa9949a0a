"""A claim about a Markdown table of one's own: claim.yaml is written around its rows, its columns and a command that measures a cell."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from harness.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path

TABLE = """\
# Each cell is a reading, named by row and column: its band is the number and what it may be off by. `claims show` lists them.
table:
  file: {file}
{columns}{rows}{unit}  tolerance: TODO  # how far the truth may be from a number, in its unit; without this line, what rounds to it
  because: the table says so
"""


def words_of(project: Path, name: str, table: str, command: str | None) -> dict[str, str]:
    """Run a command once for a table's first cell; return what claim.yaml says of both, by the template's names.

    Raises:
        UsageError: there is no such table, or no command, or it leaves no number.
    """
    from harness.cli.new_command import KNOWN, name_of
    from harness.cli.new_command import words_of as words_of_command

    if command is None:
        raise UsageError(
            f'--table: {table}: say with --command what measures a row, such as "python bench.py --system {{arm}} --seed {{seed}}"'
        )
    head, body = _read(project, table)
    arms = {name_of(cells[0], "row"): cells[0] for cells in body}
    values = {column: number[0].replace(",", "") for column in head if (number := re.search(r"\d[\d,.]*", column))}
    free = [one for one in _placeholders(command) if one not in (*KNOWN, "arm")]
    over = free[0] if free and len(values) == len(head) else None
    first = next(iter(arms))
    own = words_of_command(project, name, command, first, (over, values[head[0]]) if over else None)
    unit = "%" if any("%" in cell for cells in (head, *body) for cell in cells) else ""
    columns = f"  metric: {own['metric']}\n  over: {over}\n" if over else ""
    asked = TABLE.format(
        file=json.dumps(table),
        columns=columns,
        rows=_renamed("rows", {cell: arm for arm, cell in arms.items()})
        if any(arm != cell for arm, cell in arms.items())
        else "",
        unit=f"  unit: '{unit}'\n" if unit else "",
    )
    return own | {
        "arms": "".join(f"  {arm}: {{}}\n" for arm in arms),
        "conditions": f"conditions: {{{over}: [{', '.join(values.values())}]}}\n" if over else "",
        "asked": asked,
        "metrics": own["metrics"].replace("unit: as printed", "unit: fraction") if unit else own["metrics"],
        "controls": re.sub(r"breaks: \[.*?\]", "breaks: [table]", own["controls"])
        .replace("        #", "  #")
        .replace("        no_control", "  no_control"),
    }


def _placeholders(command: str) -> list[str]:
    from harness.specification.placeholders import names_in

    try:
        return [*names_in(command)]
    except ValueError as error:
        raise UsageError(f"--command: {error}: {command}") from None


def _read(project: Path, table: str) -> tuple[list[str], list[list[str]]]:
    """Return the heads of the columns, and the cells of each row."""
    from harness.trials.tables import rows_of

    file, _, fragment = table.partition("#")
    try:
        lines = (project / file).read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"--table: {file} cannot be read: {error}; name a text of the project") from None
    rows = list(rows_of(lines, fragment))
    if len(rows) < 2:
        raise UsageError(f"--table: {table}: no table stands there; give README.md, or README.md#the-heading-above-it")
    return rows[0].cells[1:], [row.cells for row in rows[1:]]


def _renamed(field: str, names: dict[str, str]) -> str:
    return f"  {field}: {json.dumps(names, ensure_ascii=False)}\n"
