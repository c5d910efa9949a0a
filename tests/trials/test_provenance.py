"""Keys and digests: what makes a trial another trial, and what does not."""

from __future__ import annotations

import platform
import shutil
import subprocess

import pytest

from harness.trials import provenance


@pytest.fixture
def project(tmp_path):
    """An experiment that imports a fixture, which imports another."""
    (tmp_path / "fixtures").mkdir()
    (tmp_path / "fixtures/__init__.py").write_text("")
    (tmp_path / "fixtures/letters.py").write_text(
        "from fixtures.alphabet import SIZE\n\n\ndef letters():\n    return SIZE\n"
    )
    (tmp_path / "fixtures/alphabet.py").write_text("SIZE = 26\n")
    (tmp_path / "fixtures/unused.py").write_text("X = 1\n")
    (tmp_path / "experiment.py").write_text(
        "import numpy\nfrom fixtures import letters\n\n\ndef measure():\n    return letters\n"
    )
    return tmp_path


def digest(project):
    return provenance.code_of(project / "experiment.py", project).digest


def test_code_is_the_experiment_and_all_it_imports(project):
    code = provenance.code_of(project / "experiment.py", project)

    assert code.modules == ("experiment.py", "fixtures/__init__.py", "fixtures/alphabet.py", "fixtures/letters.py")
    assert code.packages == ("numpy",)


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("experiment.py", "return letters", "return letters, 1"),
        ("fixtures/alphabet.py", "26", "27"),
        ("fixtures/letters.py", "return SIZE", "return -SIZE"),
    ],
)
def test_a_changed_line_makes_another_trial(project, name, old, new):
    before = digest(project)
    path = project / name
    path.write_text(path.read_text().replace(old, new))

    assert digest(project) != before


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("experiment.py", "def measure():", "# why\ndef measure():\n    '''What.'''"),
        ("fixtures/letters.py", "\n\n\n", "\n\n\n\n"),
        ("fixtures/unused.py", "1", "2"),
    ],
)
def test_comments_docstrings_layout_and_unused_modules_do_not(project, name, old, new):
    before = digest(project)
    path = project / name
    path.write_text(path.read_text().replace(old, new))

    assert digest(project) == before


@pytest.mark.parametrize("home", ["", "src/"])
@pytest.mark.parametrize(
    "name", ["__init__.py", "models.py", "layers.py", "deep/__init__.py", "deep/nets.py", "deep/base.py"]
)
def test_a_package_of_the_projects_own_is_part_of_the_code(project, home, name):
    """Whoever changes a model must not be shown the trials of the old one."""
    package = project / f"{home}laboratory"
    (package / "deep").mkdir(parents=True)
    for file, text in {
        "__init__.py": "X = 1\n",
        "models.py": "from .layers import X\nfrom . import deep\n",
        "layers.py": "X = 1\n",
        "unused.py": "X = 1\n",
        "deep/__init__.py": "from .nets import X\n",
        "deep/nets.py": "from ..deep import base\nX = 1\n",
        "deep/base.py": "X = 1\n",
    }.items():
        (package / file).write_text(text)
    (project / "experiment.py").write_text("from laboratory.models import X\n")
    before = digest(project)

    (package / "unused.py").write_text("X = 2\n")
    assert digest(project) == before
    (package / name).write_text((package / name).read_text() + "Y = 2\n")
    assert digest(project) != before


def test_the_encoding_of_a_file_is_no_part_of_its_code(project):
    path = project / "experiment.py"
    before, text = digest(project), path.read_text()
    path.write_bytes(b"\xef\xbb\xbf" + text.encode())
    assert digest(project) == before
    path.write_bytes(b"# coding: latin-1\n# \xe9\n" + text.encode())
    assert digest(project) == before


def test_a_table_in_the_claims_folder_is_part_of_the_code_and_what_is_about_the_claim_is_not(project):
    for name in ("claim.yaml", "sabotage.yaml", "test_claim.py", "notes.md", ".hidden", "table.csv"):
        (project / name).write_text("1")
    shutil.rmtree(project / "fixtures")
    before = digest(project)
    for name in ("claim.yaml", "sabotage.yaml", "test_claim.py", "notes.md", ".hidden"):
        (project / name).write_text("2")
        assert digest(project) == before
    (project / "table.csv").write_text("2")
    assert digest(project) != before


def test_machine_says_what_a_stranger_needs(tmp_path):
    found = provenance.machine(tmp_path)

    assert found["commit"] is None
    assert found["uncommitted_changes"] is None
    assert found["packages"]["torch"].startswith("2.")
    assert found["cores"] >= 1
    assert found["processor"]


def test_commit_and_changes_are_known_in_a_repository(tmp_path):
    def git(*arguments):
        subprocess.run(
            ["git", "-C", tmp_path, "-c", "user.name=n", "-c", "user.email=e", *arguments],
            check=True,
            capture_output=True,
        )

    git("init")
    git("commit", "--allow-empty", "-m", "start")
    assert len(provenance.machine(tmp_path)["commit"]) == 40
    assert provenance.machine(tmp_path)["uncommitted_changes"] is False

    (tmp_path / "new").write_text("")
    assert provenance.machine(tmp_path)["uncommitted_changes"] is True


def test_environment_names_device_precision_and_versions():
    found = provenance.environment(["numpy"], "cpu", "float32")

    assert found["device"] == "cpu"
    assert found["precision"] == "float32"
    assert set(found) == {"device", "precision", "python", "numpy"}
    assert found["python"] == platform.python_version()


def test_gpus_are_named_as_their_driver_names_them(tmp_path, monkeypatch):
    monkeypatch.setattr(provenance, "GPUS", tmp_path)
    assert provenance.gpus() == []

    for number, model in enumerate(("NVIDIA B", "NVIDIA A")):
        (tmp_path / f"0000:0{number}:00.0").mkdir()
        (tmp_path / f"0000:0{number}:00.0/information").write_text(f"Model: \t\t {model}\nIRQ:   1\n")

    assert provenance.gpus() == ["NVIDIA B", "NVIDIA A"]
