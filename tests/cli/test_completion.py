"""`claims completion`, and what a shell is told when somebody presses Tab."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from harness.cli.main import main
from tests.tiny_project import write_claim

PROGRAM = "import sys; sys.argv[0] = 'claims'; from harness.cli.main import main; main()"


@pytest.fixture
def complete(tmp_path):
    """Ask for the words that may follow a command line, as bash does."""
    write_claim(tmp_path)
    extra = {"  quick:": "  # a comment, not a profile: of no matter\n\n  paper: {seeds: 8, spread: 0.05}\n  quick:"}
    write_claim(tmp_path, "cool_again", replace=extra)

    def ask(line):
        told = {"COMP_LINE": line, "COMP_POINT": str(len(line)), "COMP_TYPE": "9", "_ARGCOMPLETE": "1"}
        environment = {
            **os.environ,
            **told,
            "_ARGCOMPLETE_IFS": " ",
            "_ARGCOMPLETE_SHELL": "bash",
            "_ARGCOMPLETE_STDOUT_FILENAME": str(tmp_path / "words"),
        }
        (tmp_path / "words").touch()
        subprocess.run([sys.executable, "-c", PROGRAM], cwd=tmp_path, env=environment, check=False, capture_output=True)
        return (tmp_path / "words").read_text().split()

    return ask


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("claims sho", ["show"]),
        ("claims run w", ["warm_exceeds_cold"]),
        ("claims show cool_again w", ["warm_exceeds_cold"]),
        ("claims run n", ["notes"]),
        ("claims aa c", ["cool_again"]),
        ("claims run --profile ", ["paper", "quick", "smoke"]),
        ("claims plan --profile p", ["paper"]),
        ("claims list --document ", ["notes"]),
        ("claims run --max", ["--max-seconds"]),
    ],
)
def test_a_shell_completes(complete, line, words):
    assert complete(line) == words


def test_what_completing_needs_is_light(complete, tmp_path):
    """Somebody waits for it at every Tab."""
    code = "import sys, harness.cli.main\nfrom harness.cli.project import known_names, known_profiles\nsys.exit(str([m for m in ('numpy', 'pydantic', 'yaml', 'pytest', 'rich') if m in sys.modules] or ''))"

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)

    assert done.stderr.strip() == ""


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_code_for_a_shell_names_the_command(shell, capsys, monkeypatch):
    assert main(["completion", shell]) == 0
    out = capsys.readouterr().out
    assert "claims" in out

    monkeypatch.setenv("SHELL", f"/usr/bin/{shell}")
    assert main(["completion"]) == 0
    assert capsys.readouterr().out == out


def test_the_code_is_sound_bash(capsys):
    main(["completion", "bash"])

    done = subprocess.run(["bash", "-n"], input=capsys.readouterr().out, text=True, capture_output=True, check=False)

    assert (done.returncode, done.stderr) == (0, "")
