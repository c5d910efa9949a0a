"""The command `claims doctor`: what a report of a fault needs, and what is wrong with its remedy."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from harness.cli.project import add_json, add_store
from harness.running.exit_code import AS_EXPECTED, USAGE

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

    from harness.cli.diagnosis import Finding

CODES = "exit codes: 0 nothing is wrong, 2 something is"


def add_commands(commands: Any) -> None:
    """Add `claims doctor`; `commands` are the subparsers."""
    doctor = commands.add_parser("doctor", help="what a bug report needs, and what is wrong here", epilog=CODES)
    add_store(doctor)
    add_json(doctor)
    doctor.set_defaults(command=_doctor)


def _doctor(options: argparse.Namespace) -> int:
    from dataclasses import asdict

    from harness.cli.diagnosis import diagnose
    from harness.report.styled import show

    found = diagnose(options.root, options.root / options.store)
    wrong = sum(len(part.wrong) for part in found)
    if options.json:
        print(json.dumps({"wrong": wrong, "parts": [asdict(part) for part in found]}, indent=1))
    else:
        show(_lines(found, wrong))
    return USAGE if wrong else AS_EXPECTED


def _lines(found: list[Finding], wrong: int) -> Iterator[str]:
    from harness.report.styled import safe

    for part in found:
        mark = "[bold red]✗[/]" if part.wrong else "[green]✓[/]"
        yield f"{mark} [bold]{part.name}[/]"
        yield from (f"    {safe(_name(name)):<20} {safe(_shown(name, value))}" for name, value in part.facts.items())
        yield from (f"  [bold red]wrong:[/] {safe(words)}" for words in part.wrong)
        yield from (f"  [yellow]note:[/] {safe(words)}" for words in part.notes)
    yield ""
    count = f"{wrong} thing{'s are' if wrong > 1 else ' is'} wrong"
    yield f"[bold red]{count}[/]" if wrong else "[green]nothing is wrong[/]"
    yield "[dim]A report of a fault is most useful with all of this: `claims doctor --json`.[/]"


def _name(name: str) -> str:
    """Return a name as one reads it; those of variables stay as they are."""
    return name if name.isupper() else name.removesuffix("_bytes").replace("_", " ")


def _shown(name: str, value: Any) -> str:
    if value is None:
        return "-"
    if name.endswith("bytes"):
        return f"{value / 1e9:.1f} GB" if value >= 1e9 else f"{value / 1e6:.1f} MB"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return (", ".join(map(str, value)) or "none") if isinstance(value, list) else str(value)
