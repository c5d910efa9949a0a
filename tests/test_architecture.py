"""The layers of the house: a module imports only from those below it."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[1]

LADDER = [
    {"dates", "errors", "dataset", "occupancy", "plaintext", "process_tree", "seeds", "turns"},
    {
        "failed_command",
        "globs",
        "markup",
        "neighbours",
        "node_names",
        "project",
        "provenance",
        "repetition",
        "yaml_nodes",
    },
    {"clock", "options", "witness"},
    {"reach"},
    {"kinds"},
    {"spec"},
    {"validation"},
    {"binomial", "stats"},
    {"confidence_sequence", "ties"},
    {"bounded", "quantile"},
    {"points"},
    {"contrasts"},
    {"caps", "normality"},
    {"decidability", "simulation", "verdict"},
    {"controls", "expected"},
    {"catalogue"},
    {
        "architecture",
        "batches",
        "choices",
        "illustration",
        "losses",
        "memory",
        "precision",
        "optim",
        "profiling",
        "progress",
        "stopping",
        "timing",
    },
    {"dropout", "examples", "initial"},
    {"layers", "rehearsal"},
    {"strategy"},
    {"networks"},
    {"ensembles", "estimators"},
    {"learning_curve"},
    {"experiment"},
    {"inputs"},
    {"trials"},
    {"noise_schema"},
    {"picture_schema"},
    {"claim_schema"},
    {"schema"},
    {"soundness"},
    {"cells", "database", "executor"},
    {"beside"},
    {"store"},
    {"plan", "waiver"},
    {"reuse", "variant"},
    {"forecast", "series"},
    {"budget", "drawing", "outlook"},
    {"record"},
    {"runner"},
    {"pair"},
    {"noise"},
    {"session"},
    {"compare", "outcome", "explain", "error_budget"},
    {"chronicle", "garbage", "history", "report", "transfer"},
    {"diagnosis", "export", "handle", "live", "loaders", "repro", "review", "runs", "scaffold", "undeclared"},
    {"commands", "fixture"},
    {"cli", "collection", "hooks"},
    {"plugin"},
]
"""From the ground floor up; modules of one step do not import each other, but parts of a package may."""

PACKAGES = ("commands", "export", "report")

GROUND_AND_TRAINING = {name for step in LADDER[:21] for name in step} - {
    "catalogue",
    "kinds",
    "node_names",
    "neighbours",
    "options",
    "project",
    "reach",
    "repetition",
    "spec",
    "validation",
    "witness",
}


def imports(path: Path) -> set[str]:
    """Return the dotted names that a file imports, at whatever depth."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return found


def of_package(path: Path, package: str) -> set[str]:
    """Return the modules of `package` that a file imports, by their first name."""
    return {name.split(".")[1] for name in imports(path) if name.startswith(f"{package}.")}


def level(name: str) -> int:
    return next(index for index, step in enumerate(LADDER) if name in step)


MODULES = sorted((PROJECT / "harness").rglob("*.py"))


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(PROJECT)))
def test_modules_import_only_from_below(path):
    name = path.relative_to(PROJECT / "harness").parts[0].removesuffix(".py")
    if name == "__init__":
        assert not imports(path)
        return
    known = {module for step in LADDER for module in step}
    for other in of_package(path, "harness") & known:
        assert level(other) < level(name) or (other == name and name in PACKAGES), (
            f"{name} imports {other}, which is not below it"
        )


def test_every_module_has_its_place():
    names = {path.relative_to(PROJECT / "harness").parts[0].removesuffix(".py") for path in MODULES}
    assert names - {"__init__"} == {name for step in LADDER for name in step}


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(PROJECT)))
def test_the_harness_knows_no_claim_and_no_fixture_by_name(path):
    assert not {name for name in imports(path) if name.split(".")[0] in ("claims", "fixtures", "tests")}


@pytest.mark.parametrize("path", sorted((PROJECT / "fixtures").glob("*.py")), ids=lambda p: p.name)
def test_fixtures_stand_on_the_ground_floor_and_the_training_layer(path):
    assert of_package(path, "harness") <= GROUND_AND_TRAINING | {"Seed", "Seeds"}
    assert not {name for name in imports(path) if name.split(".")[0] == "claims"}


@pytest.mark.parametrize(
    "path", sorted((PROJECT / "claims").glob("*/*/*.py")), ids=lambda p: f"{p.parent.name}/{p.name}"
)
def test_no_claim_imports_another(path):
    assert not {name for name in imports(path) if name.split(".")[0] == "claims"}


def test_modules_are_short_enough_to_read():
    long = {str(p.relative_to(PROJECT)): n for p in MODULES if (n := len(p.read_text().splitlines())) > 420}
    assert not long


HEAVY = "('torch', 'sklearn', 'matplotlib', 'pandas')"


@pytest.mark.parametrize(
    "code",
    [
        "import harness, harness.plugin, harness.hooks, harness.session, harness.cli",
        "from harness.cli import main\ntry:\n    main(['--help'])\nexcept SystemExit:\n    pass",
        "from harness.cli import main\nmain(['check'])",
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
