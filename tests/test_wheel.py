"""What others install."""

from __future__ import annotations

import os
import subprocess
import sys
import tomllib
import zipfile

import pytest

from tests.outside import PROJECT, build_wheel
from tests.tiny_project import write_claim


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """The names in the wheel, each with its text."""
    with zipfile.ZipFile(build_wheel(tmp_path_factory.mktemp("wheel"))) as archive:
        return {name: archive.read(name).decode() for name in archive.namelist()}


def test_the_wheel_holds_the_harness_and_nothing_of_this_project(wheel):
    assert {name.split("/")[0] for name in wheel if ".dist-info/" not in name} == {"harness"}
    assert not [name for name in wheel if "__pycache__" in name]


def test_all_that_the_harness_reads_is_in_the_wheel(wheel):
    files = [path for path in (PROJECT / "harness").rglob("*") if path.is_file() and "__pycache__" not in path.parts]
    settings = tomllib.loads((PROJECT / "pyproject.toml").read_text())["tool"]["hatch"]["build"]["targets"]["wheel"]
    included = set(settings.get("force-include", {}).values())

    assert {str(path.relative_to(PROJECT)) for path in files} | included == {n for n in wheel if ".dist-info/" not in n}
    assert sum(name.startswith("harness/cli/templates/") for name in wheel) >= 6


def test_the_wheel_brings_the_command_and_the_plugin(wheel):
    (points,) = [text for name, text in wheel.items() if name.endswith("/entry_points.txt")]

    assert points.split() == [
        "[console_scripts]",
        "claims",
        "=",
        "harness.cli.main:main",
        "claims-harness",
        "=",
        "harness.cli.main:main",
        "[pytest11]",
        "claims",
        "=",
        "harness.pytest_plugin.plugin",
    ]


def test_the_wheel_says_what_it_needs(wheel):
    (metadata,) = [text for name, text in wheel.items() if name.endswith("/METADATA")]
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text())["project"]

    needed = [
        line.removeprefix("Requires-Dist: ") for line in metadata.splitlines() if line.startswith("Requires-Dist")
    ]
    assert sorted(line for line in needed if "extra ==" not in line) == sorted(project["dependencies"])


EXTRAS = ("torch", "sklearn", "scipy", "mlxtend", "pooch", "platformdirs", "requests", "mlflow", "tensorboard")

WITHOUT = f"""
import sys

class Missing:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {EXTRAS}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)

sys.meta_path.insert(0, Missing())
"""


@pytest.fixture
def without_extras(tmp_path):
    """Run Python in a project as it is where nothing but the wheel's own needs is installed."""
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "sitecustomize.py").write_text(WITHOUT)
    environment = {**os.environ, "PYTHONPATH": str(tmp_path / "site")}

    def run(*arguments):
        command = [sys.executable, *arguments]
        return subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)

    return run


def test_what_is_in_no_extra_runs_judges_and_reports_a_claim(without_extras, tmp_path):
    write_claim(tmp_path)
    ran = without_extras("-m", "harness", "run", "--workers", "2", "--progress", "plain")
    told = without_extras("-m", "harness", "compare", "reports/latest", "reports/latest")

    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "1 of 1 readings as expected" in ran.stdout
    assert (tmp_path / "reports/latest/index.html").stat().st_size > 10_000
    assert told.returncode == 0, told.stdout + told.stderr
    assert without_extras("-c", "import torch").returncode == 1


def test_an_experiment_that_needs_an_extra_says_which(without_extras, tmp_path):
    write_claim(tmp_path, experiment="import torch\n\n\ndef measure(arm, seeds, **settings): ...\n")
    ran = without_extras("-m", "harness", "run", "--progress", "plain")

    assert ran.returncode == 4, ran.stdout + ran.stderr
    assert "No module named 'torch'; `pip install 'claims-harness[training]'`" in ran.stdout + ran.stderr
