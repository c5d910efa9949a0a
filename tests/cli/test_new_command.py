"""`claims new --command`: a script is run once, and a claim written around what it leaves, open where only the author can speak."""

from __future__ import annotations

import re

import pytest

from harness.trials.catalogue import load_all, load_claim

SCRIPT = """\
import json, sys
import lab.model
options = dict(zip(sys.argv[1::2], sys.argv[2::2]))
print("epoch 1")
print(json.dumps({"seed": int(options["--seed"]), "epochs": int(options["--epochs"]), "name": "x", "flag": True, "grad": float("nan"),
                  "eval": {"loss": 0.5, "Top-1": 3}, "return": 7.5}))
"""

NAME = "notes/training_gains"


@pytest.fixture
def project(tmp_path, claims):
    claims("init")
    (tmp_path / "lab").mkdir()
    (tmp_path / "lab" / "__init__.py").touch()
    (tmp_path / "lab" / "model.py").write_text("from lab import parts\n")
    (tmp_path / "lab" / "parts.py").touch()
    (tmp_path / "train.py").write_text(SCRIPT)
    (tmp_path / "configs").mkdir()
    (tmp_path / "configs" / "a b.yaml").write_text("x: 1\n")
    return tmp_path


def filled_in(path):
    """Fill in what an author has to."""
    text = path.read_text()
    text = re.sub(r"(because|no_control):  #.*", r"\1: the handbook says so", text.replace("TODO", "5"))
    path.write_text(text)


def test_a_claim_is_written_around_what_the_script_leaves_and_passes_when_it_is_filled_in(project, claims):
    words = "python train.py --config 'configs/a b.yaml' --seed {seed} --epochs 3 --lr 1e-3 --name 007"
    code, out, error = claims("new", NAME, "--title", "Training gains", "--command", words)
    folder = project / "claims" / NAME

    assert (code, error) == (0, "")
    assert [line.removeprefix(f"{folder}/") for line in out.splitlines()[1:-1]] == ["claim.yaml", "test_claim.py"]
    assert (
        out.splitlines()[-1]
        == f"next: say in {folder}/claim.yaml what is claimed, the band and the reasons; claims check"
    )

    code, out, _ = claims("check")
    assert code == 2
    fields = [line.split(": ")[1] for line in out.splitlines()[:-1]]
    where = "readings.as_documented.expectations.eval_loss_as_claimed"
    assert fields == [f"{where}.band.at_most", f"{where}.because", "controls.without_epochs.because"]

    filled_in(folder / "claim.yaml")
    assert claims("check")[:2] == (0, "1 claim is sound, 0 problems\n")
    claim = load_claim(folder).claim
    assert claim.command.run == [
        "python", "train.py", "--config", "configs/a b.yaml", "--seed", "{seed}", "--epochs", "{epochs}", "--lr", "{lr}", "--name", "007",
    ]  # fmt: skip
    assert claim.settings == {"epochs": 3, "lr": 0.001}
    assert {name: metric.better for name, metric in claim.metrics.items()} == {
        "eval_loss": "lower",
        "eval_top_1": "neither",
        "return": "higher",
    }
    assert {name: place.key for name, place in claim.command.metrics.items()} == {
        "eval_loss": "eval.loss",
        "eval_top_1": "eval.Top-1",
    }
    assert claim.inputs[0] == "train.py"
    assert set(claim.inputs[1:]) == {"lab/model.py", "lab/parts.py", "lab/__init__.py", "configs/a b.yaml"}
    assert claim.controls["without_epochs"].change == {"epochs": 0}


def test_what_is_written_runs(project, claims, run):
    claims("new", NAME, "--command", "python -S train.py --seed {seed} --epochs 3")
    folder = project / "claims" / NAME
    filled_in(folder / "claim.yaml")
    record = run(folder, profile="smoke")

    assert not record.errors
    assert record.trials.measured == 4


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("m.json", '{"loss": 1.5}'),
        ("m.jsonl", '{"loss": 9}\n{"loss": 1.5}\n'),
        ("m.csv", "loss,note\n9,x\n1.5,y\n"),
        ("m_$2.csv", "loss\n1.5\n"),
    ],
)
def test_numbers_in_a_file_are_found_too(project, claims, name, content):
    (project / "write.sh").write_text(f"printf '%s' '{content}' > \"$1/{name}\"\n")
    claims("new", NAME, "--command", "sh write.sh {out} {seed}")
    path = project / "claims" / NAME / "claim.yaml"

    assert "no_control:  #" in path.read_text()
    filled_in(path)
    assert load_all(project / "claims")[1] == []
    claim = load_claim(path.parent).claim
    assert claim.command.output == f"{{out}}/{name}".replace("$2", "{seed}")
    assert list(claim.metrics) == ["loss"]
    assert str(claim.expectations["loss_as_claimed"].band) == "at most 5"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("python train.py", "--command: 'python train.py' does not name {seed}, from which the script is to draw; add it"),
        ("", "--command: '' does not name {seed}"),
        ("python 'train.py {seed}", "--command: No closing quotation: python 'train.py {seed}"),
        ("python train.py {seed} {", "--command: a single '{' after 0 characters: a placeholder is {name} in small letters"),
        ("python train.py {seed} {lr}", "--command: {lr} has no value yet; write one in its place, such as --lr 0.1, which becomes a setting"),
        ("nothing-of-this-name {seed}", "command: `nothing-of-this-name "),
        ("sh -c 'echo so far; exit 3' {seed}", "command: `sh -c 'echo so far; exit 3' "),
        ("sh -c 'echo done' {seed}", "--command: `sh -c 'echo done' "),
        ("""sh -c 'echo "{{\\"seed\\": $0}}"' {seed}""", "--command: sh -c 'echo "),
    ],
)  # fmt: skip
def test_what_cannot_be_begun_is_told_in_a_line_and_nothing_is_written(project, claims, words, message):
    before = {path for path in project.rglob("*") if "__pycache__" not in path.parts}
    code, out, error = claims("new", NAME, "--command", words)

    assert (code, out) == (2, "")
    assert error.startswith(message)
    assert error.count("\n") == 1
    assert {path for path in project.rglob("*") if "__pycache__" not in path.parts} == before
