"""sabotage.yaml: what it may say, and what is refused with file, line, field, value and remedy."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.errors import SpecError
from harness.trials.catalogue import load_claim
from harness.trials.sabotage import broken, load_sabotage
from tests.tiny_project import write_claim

ROWS = """\
broken_lines:
  - what: draws cold numbers everywhere
    old: normal(centre, spread)
    new: normal(0.0, spread)
    reading: as_documented
"""


def loaded(folder, text):
    (folder / "sabotage.yaml").write_text(text)
    return load_sabotage(folder, load_claim(folder).claim)


@pytest.fixture
def folder(tmp_path):
    path = write_claim(tmp_path)
    # The tiny experiment draws twice; a row needs a line that stands once.
    text = (path / "experiment.py").read_text().replace(", spread, size=1000)", ", spread=1, size=1000)")
    (path / "experiment.py").write_text(text)
    return path


def test_a_claim_without_it_has_none(folder):
    assert load_sabotage(folder, load_claim(folder).claim) is None


def test_a_row_breaks_one_line_and_leaves_the_file(folder):
    before = (folder / "experiment.py").read_text()
    (row,) = loaded(folder, ROWS).broken_lines

    assert row.file == "experiment.py"
    assert broken(row, folder) == before.replace("normal(centre, spread)", "normal(0.0, spread)")
    assert (folder / "experiment.py").read_text() == before


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("normal(centre, spread)", "normal(centre, sprea)", "3:5: broken_lines[0].old: 'normal(centre, sprea)' does not stand in experiment.py, which was edited; give a line, or a part of one, that stands there exactly once"),
        ("old: normal(centre, spread)", "old: seed", "3:5: broken_lines[0].old: 'seed' stands 7 times in experiment.py; give a line, or a part of one, that stands there exactly once"),
        ("normal(0.0, spread)", "normal(centre, spread)", "4:5: broken_lines[0].new: 'normal(centre, spread)' is what stands there already; say what it is broken into"),
        ("normal(0.0, spread)", "normal(0.0", "4:5: broken_lines[0].new: 'normal(0.0' leaves no Python: "),
        ("as_documented", "as_documentd", "5:5: broken_lines[0].reading: no reading 'as_documentd' in claim.yaml; did you mean 'as_documented'?"),
        ("  - what", "  - file: numbers.py\n    what", "2:5: broken_lines[0].file: 'numbers.py' is no file of the claim's folder; name the one whose line is broken"),
        ("  - what", "  - file: ../elsewhere.py\n    what", "2:5: broken_lines[0].file: should match ^[A-Za-z0-9_/-]+"),
        ("  - what", "  - file: {elsewhere}\n    what", "2:5: broken_lines[0].file: '{elsewhere}' is no file of the claim's folder; "),
        ("  - what", "  - file: odd.py\n    what", "2:5: broken_lines[0].file: 'odd.py' cannot be read: invalid or missing encoding declaration"),
        ("    new:", "    fil: x\n    new:", "4:5: broken_lines[0].fil: unknown key 'fil'; did you mean 'file'?"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_with_its_place_and_a_remedy(folder, old, new, message):
    elsewhere = Path(__file__)
    (folder / "odd.py").write_bytes(b"# \xe9")
    with pytest.raises(SpecError) as caught:
        loaded(folder, ROWS.replace(old, new.replace("{elsewhere}", str(elsewhere))))

    (problem,) = [line.removeprefix(f"{folder}/sabotage.yaml:") for line in caught.value.problems]
    assert problem.startswith(message.replace("{elsewhere}", str(elsewhere)))


def test_checking_all_claims_checks_their_sabotage(folder, claims):
    (folder / "sabotage.yaml").write_text(ROWS.replace("spread)\n    new", "spred)\n    new"))

    code, out, _ = claims("check")

    problem, counted = out.splitlines()
    assert code == 2
    assert problem.startswith(f"{folder}/sabotage.yaml:3:5: broken_lines[0].old: ")
    assert counted == "0 claims are sound, 1 problem"
