"""The house: ten folders, each of which imports only from those above it in the list."""

from __future__ import annotations

import ast
import subprocess
import sys
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[1]
HOUSE = PROJECT / "harness"

FOLDERS = (
    "training",
    "specification",
    "judging",
    "trials",
    "store",
    "running",
    "retrospect",
    "report",
    "cli",
    "pytest_plugin",
)
"""From the ground up. The root's modules come before them all; the two doors do not import each other."""

FOR_AUTHORS = {"data", "errors", "pictures", "seeds", "timing", "training"}
"""What claims and fixtures import of the harness: modules of the root, and the folder that trains; tests of claims, too, `claim_tests`."""

APART = {"learning_curve", "support_vectors"}
"""Modules of harness.training that no key has unless an experiment names them."""

LONGEST = 300
"""Lines of a file."""


MODULES = sorted(HOUSE.rglob("*.py"))


def name_of(path: Path) -> str:
    """Return the dotted name of a module: harness.store.database, harness.training."""
    return ".".join(path.relative_to(PROJECT).with_suffix("").parts).removesuffix(".__init__")


NAMES = {name_of(path): path for path in MODULES}


def imports(path: Path) -> set[str]:
    """Return the dotted names that a file imports, at whatever depth, for types alone too."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return found


def modules_imported(path: Path) -> set[str]:
    """Return the modules of the house that a file names in its imports, and no package that only leads to one."""
    found = imports(path) & NAMES.keys()
    return {name for name in found if not any(other.startswith(f"{name}.") for other in found)}


def folder_of(name: str) -> str:
    """Return the folder that a module of the house lies in, `root` for the root; `python -m harness` is the command line."""
    parts = name.replace("__main__", "cli").split(".")
    return parts[1] if len(parts) > 1 and parts[1] in FOLDERS else "root"


def level(name: str) -> int:
    return ("root", *FOLDERS).index(folder_of(name))


by_name = pytest.mark.parametrize("name", sorted(NAMES))


def test_the_tree_is_the_list():
    assert {path.name for path in HOUSE.iterdir() if path.is_dir() and path.name != "__pycache__"} == set(FOLDERS)


@by_name
def test_a_folder_imports_only_folders_above_it(name):
    upward = {other for other in modules_imported(NAMES[name]) if level(other) > level(name)}

    assert not upward


@by_name
def test_the_two_doors_do_not_import_each_other_and_only_experiments_train(name):
    mine = folder_of(name)
    others = {folder_of(other) for other in modules_imported(NAMES[name])} - {mine}

    assert not (mine == "pytest_plugin" and "cli" in others)
    assert "training" not in others


def test_no_module_is_imported_in_a_circle():
    sorter = TopologicalSorter({name: modules_imported(path) - {name} for name, path in NAMES.items()})
    try:
        sorter.prepare()
    except CycleError as error:
        pytest.fail(f"a circle: {' -> '.join(error.args[1])}")


@pytest.mark.parametrize("folder", ["", *FOLDERS])
def test_every_folder_says_what_goes_in_and_out(folder):
    init = ast.parse((HOUSE / folder / "__init__.py").read_text())

    assert len((ast.get_docstring(init) or "").split()) > 12
    # Code digests follow every __init__ on an import path: a facade would put what it imports into every trial's key.
    assert folder == "training" or not init.body[1:]


@by_name
def test_the_harness_knows_no_claim_and_no_fixture_by_name(name):
    assert not {other for other in imports(NAMES[name]) if other.split(".")[0] in ("claims", "fixtures", "tests")}


SCIENCE = [*(PROJECT / "fixtures").rglob("*.py"), *(PROJECT / "claims").rglob("*.py")]


@pytest.mark.parametrize("path", sorted(SCIENCE), ids=lambda path: str(path.relative_to(PROJECT)))
def test_science_imports_what_is_for_authors_and_no_claim_another(path):
    found = imports(path)
    of_harness = {name.split(".")[1] for name in found if name.startswith("harness.")}
    of_training = {name for name in found if name.startswith("harness.training.")}

    assert of_harness <= FOR_AUTHORS | ({"claim_tests"} if path.name == "test_claim.py" else set())
    # By the names that harness.training gives; two modules of it are asked for by their own, so that no other key has them.
    assert (
        not {name.split(".")[2] for name in of_training}
        & {p.stem for p in (HOUSE / "training").glob("[a-z]*.py")} - APART
    )
    assert not {name for name in found if name.split(".")[0] == "claims"}


def test_modules_are_short_enough_to_read():
    lines = {name.removeprefix("harness."): len(path.read_text().splitlines()) for name, path in NAMES.items()}

    assert not {name: number for name, number in lines.items() if number > LONGEST}


HEAVY = "('torch', 'sklearn', 'matplotlib', 'pandas', 'ray')"


@pytest.mark.parametrize(
    "code",
    [
        "import harness, harness.pytest_plugin.hooks, harness.running.session, harness.cli.main",
        "from harness.cli.main import main\ntry:\n    main(['--help'])\nexcept SystemExit:\n    pass",
        "from harness.cli.main import main\nmain(['check'])",
        "import pytest\npytest.main(['claims', '--collect-only', '-q', '-p', 'no:hypothesispytest'])",
    ],
    ids=["import", "help", "check", "collect"],
)
def test_nothing_heavy_is_imported_before_a_claim_runs(code):
    check = f"\nimport sys\nfound = [m for m in {HEAVY} if m in sys.modules]\nsys.exit(f'imported: {{found}}' if found else 0)"

    done = subprocess.run(
        [sys.executable, "-c", code + check], cwd=PROJECT, capture_output=True, text=True, check=False
    )

    assert done.returncode == 0, done.stderr
