"""Documents statement by statement: `claims coverage`, and what reports say of each."""

from __future__ import annotations

import json
import re
import subprocess
import sys

import pytest

from tests.tiny_project import DOCUMENT, write_claim

STATEMENTS = """\
statements:
  "n:warm":
    place: L2-3
    section: "1"
    says: Warm numbers exceed cold ones.
  "n:colder":
    place: L5
    section: "1"
    says: Cold numbers exceed warm ones.
    wrong: {error: n-E1, severity: untrue, because: it is the other way round}
    unchecked: by how much
  "n:scope":
    section: "2"
    says: Numbers exceed others always.
  "n:unrun":
    section: "2"
    says: Numbers are <b>even</b>.
  "n:taste":
    section: "3"
    says: Numbers are beautiful.
    not_checked: a matter of taste
"""

READINGS = """\
  the_other_way:
    means: >
      warm numbers are
      colder by half
    expected: REFUTED
    because: the centres differ the other way
    expectations:
      cold_exceeds_warm:
        contrast: {difference: level, of: {arm: cold}, minus: {arm: warm}}
        band: {at_least: 0.5}
        because: half of the documented gap
        no_control: its control is that of the reading above
controls:
"""

ANSWERS = """\
answers:
  "n:warm": [as_documented]
  "n:colder": {literal: [the_other_way], instead: [as_documented]}
  "n:scope": {literal: [as_documented, the_other_way], only_when: [as_documented]}
controls:
"""


@pytest.fixture
def project(tmp_path):
    replace = {"controls:\n": READINGS, "profiles:\n": "profiles:\n"}
    folder = write_claim(tmp_path, "warm_exceeds", replace=replace)
    text = (folder / "claim.yaml").read_text()
    (folder / "claim.yaml").write_text(text.replace("controls:\n", ANSWERS, 1))
    (tmp_path / "claims/notes/document.yaml").write_text(DOCUMENT + STATEMENTS)
    empty = tmp_path / "claims/empty"
    empty.mkdir()
    (empty / "document.yaml").write_text(DOCUMENT.replace("id: notes", "id: empty"))
    return tmp_path


def run(project):
    command = [sys.executable, "-m", "harness", "--root", str(project), "run", "--workers", "1", "--progress", "plain"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=project)
    assert done.returncode == 0, done.stdout + done.stderr


def words(claims):
    code, out, _ = claims("coverage", "--json")
    (document,) = json.loads(out)
    return code, {s["id"]: s["word"] for s in document["statements"]}, document["counts"]


def test_before_a_run_nothing_is_said_and_after_it_the_readings_decide(project, claims):
    assert words(claims)[1] == {
        "n:warm": "not run", "n:colder": "not run", "n:scope": "not run", "n:unrun": "not run", "n:taste": "not checked",
    }  # fmt: skip

    run(project)

    assert words(claims) == (
        0,
        {
            "n:warm": "holds",
            "n:colder": "does not hold as written",
            "n:scope": "holds only when",
            "n:unrun": "not run",
            "n:taste": "not checked",
        },
        {"holds": 1, "holds only when": 1, "does not hold as written": 1, "not run": 1, "not checked": 1},
    )
    _, out, _ = claims("coverage")
    assert "5 statements: 1 holds, 1 holds only when, 1 does not hold as written, 1 not run, 1 not checked" in out
    assert re.search(
        r"does not hold as written: cold exceeds warm -\S+ \[-\S+, -\S+\], band at least 0.5; what holds: as",
        " ".join(out.split()),
    )
    assert "not checked: a matter of taste" in out
    assert claims("coverage", "--fail-under", "75")[0] == 0, "3 of 4 that can be checked are decided"
    assert claims("coverage", "--fail-under", "76")[0] == 1
    assert claims("coverage", "--document", "note")[0] == 2

    report = json.loads((project / "reports/latest/report.json").read_text())
    assert [s["word"] for s in report["documents"][0]["statements"]][:2] == ["holds", "does not hold as written"]
    page = (project / "reports/latest/documents/notes.html").read_text()
    front = (project / "reports/latest/index.html").read_text()
    markdown = (project / "reports/latest/report.md").read_text()
    for text in (page, front):
        assert "Cold numbers exceed warm ones." in text
        assert 'href="../claims/warm_exceeds.html"' in text or 'href="claims/warm_exceeds.html"' in text
    assert "Numbers are &lt;b&gt;even&lt;/b&gt;." in page
    assert (
        page.index("Warm numbers exceed cold ones.")
        < page.index("Cold numbers exceed warm ones.")
        < page.index("beautiful")
    )
    assert "it is the other way round" in page
    assert "Numbers are beautiful." not in front, "the front page lists what does not hold"
    assert "## Sentences that do not hold" in markdown
    assert "Statements that it answers" in (project / "reports/latest/claims/warm_exceeds.html").read_text()
    # Words that YAML folds end in a line's end, which belongs to no sentence.
    (claim,) = report["claims"]
    assert claim["readings"]["the_other_way"]["means"] == "warm numbers are colder by half"


def test_a_document_at_hand_is_shown_line_by_line_and_never_kept(project, claims):
    run(project)
    texts = project / "texts"
    texts.mkdir()
    (texts / "notes-v1.txt").write_text("# Title\nwarm numbers\nexceed <i>cold</i> ones\n\ncold numbers exceed warm\n")
    home = project / "claims/notes/document.yaml"
    home.write_text(home.read_text().replace("statements:\n", 'text: "notes-*.txt"\nstatements:\n', 1))

    assert claims("report", "--documents", "texts")[0] == 2, "a folder is named as the shell sees it"
    assert claims("report", "--documents", str(texts))[0] == 0

    page = (project / "reports/latest/documents/notes-text.html").read_text()
    lines = page.split('<div class="line')[1:]
    assert len(lines) == 6
    assert ["covered" in line.split(">")[0] for line in lines] == [False, True, True, False, True, False]
    assert "Warm numbers exceed cold ones." in lines[1]
    assert "exceed &lt;i&gt;cold&lt;/i&gt; ones" in lines[2]
    assert "it is the other way round" in lines[4]
    assert "notes-text.html" in (project / "reports/latest/documents/notes.html").read_text()
    assert "exceed <i>cold</i>" not in (project / "reports/latest/report.json").read_text()

    assert claims("report")[0] == 0
    assert not (project / "reports/latest/documents/notes-text.html").exists()
