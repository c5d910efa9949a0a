"""Beginnings: an empty project (`claims init`), and a claim that has yet to be written (`claims new`)."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness._clock import today
from harness._text import escape_unprintable
from harness.cli.neighbours import notes, refuse_namesake
from harness.errors import UsageError
from harness.running.exit_code import AS_EXPECTED

if TYPE_CHECKING:
    import argparse

NAME = re.compile(r"[a-z][a-z0-9_]{0,79}")
"""What a document and a claim may be called; the same as `harness.specification.kinds.Name`."""

SHORTEST_TITLE, LONGEST_TITLE = 3, 160

IGNORED = (".claims/", "reports/latest/")
"""What runs leave in a project, and git need not keep."""

PYTEST = (
    "left pytest as it was: it needs no configuration for claims, and without being asked (`claims run`, `pytest claims`) "
    "it collects none"
)
"""What `claims init` says of the project's own tests."""

WORKFLOW = ".github/workflows/claims.yml"


def add_commands(commands: Any) -> None:
    """Add `claims init` and `claims new`; `commands` are the subparsers."""
    init = commands.add_parser("init", help="begin a project: claims/ with what belongs in it; overwrites nothing")
    init.add_argument("folder", nargs="?", type=Path, metavar="FOLDER", help="the project (default: this folder)")
    init.add_argument(
        "--workflow", action="store_true", help=f"also write {WORKFLOW}: the claims every night, on GitHub"
    )
    init.set_defaults(command=_init)
    new = commands.add_parser("new", help="begin a claim: its folder, with files that say what belongs in them")
    new.add_argument("name", metavar="DOCUMENT/CLAIM", help="such as handbook/wide_networks_err_less")
    new.add_argument("--title", help="one line (default: the claim's name in words)")
    new.add_argument(
        "--command",
        dest="script",
        metavar="WORDS",
        help='a command of your own that is run once and trains for one seed: "python train.py --seed {seed}"',
    )
    new.add_argument(
        "--results", metavar="FILE", help="results that lie there: a table, or files such as 'runs/{arm}_s{seed}.json'"
    )
    new.add_argument(
        "--table",
        metavar="FILE#HEADING",
        help="a Markdown table whose cells are the readings; --command measures a row: "
        '"python bench.py --system {arm} --examples {examples} --seed {seed}"',
    )
    new.set_defaults(command=_new)


def _init(options: argparse.Namespace) -> int:
    folder: Path = options.root / (options.folder or "")
    for line in start_project(folder, workflow=options.workflow):
        print(escape_unprintable(line))
    place = f"cd {folder}; " if folder.resolve() != Path.cwd() else ""
    print(escape_unprintable(f"next: {place}claims new DOCUMENT/CLAIM"))
    return AS_EXPECTED


def _new(options: argparse.Namespace) -> int:
    claim = start_claim(options.root, options.name, options.title, options.script, options.table, options.results)
    for path in sorted([claim.parent / "document.yaml", *claim.iterdir()]):
        print(escape_unprintable(path))
    todo = f"write measure() in {claim / 'experiment.py'}, say in claim.yaml what is claimed"
    if options.script is not None or options.results is not None:
        todo = f"say in {claim / 'claim.yaml'} what is claimed, the band and the reasons"
    print(escape_unprintable(f"next: {todo}; claims check"))
    return AS_EXPECTED


def start_project(folder: Path, *, workflow: bool = False) -> list[str]:
    """Make what a project needs before its first claim, and overwrite nothing.

    Args:
        folder: the project; made if it is not there.
        workflow: write a workflow for GitHub, too.

    Returns:
        A line for each file: whether it was written, or left as it was. Then what that means for the project's own tests,
        and what in the project will meet the claims.

    Raises:
        UsageError: the folder is a file, cannot be written to, or has a package of this tool's name.
    """
    from harness.specification.models import schema

    refuse_namesake(folder)
    try:
        (folder / "claims").mkdir(parents=True, exist_ok=True)
        lines = [_written(folder / "claims/README.md", _template("readme.md"))]
        lines.append(_written(folder / "claims/claim.schema.json", json.dumps(schema(), indent=1) + "\n"))
        lines.append(_ignored(folder / ".gitignore"))
        if workflow:
            lines.append(_written(folder / WORKFLOW, _template("workflow.yml")))
    except OSError as error:
        raise UsageError(
            f"{error.filename or folder}: {error.strerror}; give a folder that can be written to"
        ) from None
    return [*lines, PYTEST, *notes(folder)]


def start_claim(
    project: Path,
    name: str,
    title: str | None = None,
    command: str | None = None,
    table: str | None = None,
    results: str | None = None,
) -> Path:
    """Make the folder of a claim, with files to be filled in; and its document's, if that is not there.

    Args:
        project: folder that holds `claims/`.
        name: `document/claim`, both in snake case.
        title: the claim's title; its name in words if None.
        command: what measures it, as a shell would be given it; it is run once. None for an experiment.py.
        results: files that hold what was measured already, as `results: files` has it; None for an experiment.py.
        table: a Markdown table of the project whose cells are its readings, as file#heading; None for none.

    Returns:
        The claim's folder.

    Raises:
        UsageError: no project, a name that is none, a claim that is there already, a title that is no line of text, a command
            that leaves no number, or results that cannot be read.
    """
    # The command line starts without what reads specifications.
    from harness.trials.catalogue import claim_folders

    claims = project / "claims"
    if not claims.is_dir():
        raise UsageError(f"{claims}: no such folder; `claims init` begins a project, or give --root")
    document, claim = _names(name)
    folder = claims / document / claim
    # Ids are keys of stored trials: two documents may not share one.
    taken = [path for path in [folder, *claim_folders(claims)] if path.name == claim and path.exists()]
    if taken:
        raise UsageError(f"{taken[0]}: is there already; nothing was written, choose another name")
    words = {"id": _scalar(claim), "document": _scalar(document), "title": _quoted(_title(claim, title))}
    files = {file: file for file in ("claim.yaml", "experiment.py", "sabotage.yaml", "test_claim.py")}
    if results is not None:
        from harness.cli import new_results

        if command is not None or table is not None:
            raise UsageError("--results: stands beside --command or --table; a claim is measured in one way, give one")
        words |= new_results.words_of(project, results)
        files = {"claim.yaml": "results.yaml", "test_claim.py": "test_claim.py"}
    if table is not None:
        from harness.cli import new_table

        words |= new_table.words_of(project, claim, table, command)
    elif command is not None:
        from harness.cli import new_command

        words |= new_command.words_of(project, claim, command)
    if table is not None or command is not None:
        files = {"claim.yaml": "command.yaml", "test_claim.py": "test_claim.py"}
    try:
        folder.mkdir(parents=True)
        about = {**words, "title": _quoted(_in_words(document, "Document")), "year": today().year}
        _written(folder.parent / "document.yaml", _template("document.yaml", **about))
        for file, template in files.items():
            _written(folder / file, _template(template, **words))
    except OSError as error:
        raise UsageError(f"{error.filename or folder}: {error.strerror}; nothing else was written") from None
    return folder


def _names(name: str) -> tuple[str, str]:
    """Return the document and the claim that a name `document/claim` names."""
    parts = name.split("/")
    if len(parts) != 2:
        raise UsageError(f"{name!r}: give DOCUMENT/CLAIM, such as handbook/wide_networks_err_less")
    for part in parts:
        if not NAME.fullmatch(part):
            raise UsageError(
                f"{name!r}: {part!r} is no name; give small letters, digits and _, beginning with a letter, at most 80"
            )
    return parts[0], parts[1]


def _title(claim: str, given: str | None) -> str:
    title = _in_words(claim, "Claim") if given is None else given.strip()
    if not SHORTEST_TITLE <= len(title) <= LONGEST_TITLE:
        raise UsageError(
            f"the title {title!r} is too short or too long; give {SHORTEST_TITLE} to {LONGEST_TITLE} characters with --title"
        )
    if not title.isprintable():
        raise UsageError(f"--title: {title!r} holds characters that do not show; give one line of text")
    return title


def _in_words(name: str, kind: str) -> str:
    """Return a name as a title; one that is too short for a title with what it names before it: `Claim x`."""
    words = " ".join(name.replace("_", " ").split()).capitalize()
    return words if len(words) >= SHORTEST_TITLE else f"{kind} {name}"


def _scalar(name: str) -> str:
    """Return a name as YAML reads it back: as it is, unless YAML takes it for something else."""
    return _quoted(name) if name in ("null", "true", "false") else name


def _quoted(text: str) -> str:
    """Return printable text as a string of YAML: JSON's strings are YAML's."""
    return json.dumps(text, ensure_ascii=False)


def _template(name: str, **words: object) -> str:
    from importlib.resources import files
    from string import Template

    text = files("harness.cli").joinpath("templates", f"{name}.template").read_text(encoding="utf-8")
    return Template(text).substitute(words) if words else text


def _written(path: Path, text: str) -> str:
    """Write a file unless there is one; return a line that says which."""
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        return f"left {path} as it was"
    return f"wrote {path}"


def _ignored(path: Path) -> str:
    """Have git ignore what runs leave: new lines at the end of .gitignore, none twice."""
    before = path.read_bytes().decode(errors="replace") if path.is_file() else None
    known = {line.strip().strip("/") for line in (before or "").splitlines()}
    new = [line for line in IGNORED if line.strip("/") not in known]
    if before is None:
        return _written(path, "".join(f"{line}\n" for line in new))
    if not new:
        return f"left {path} as it was"
    with path.open("a", encoding="utf-8") as file:
        file.write("".join(f"{line}\n" for line in ["", *new][before.endswith("\n") or not before :]))
    return f"added to {path}: {', '.join(new)}"
