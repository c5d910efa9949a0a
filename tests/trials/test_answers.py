"""Statements of documents and the claims that answer them fit, or `claims check` says where they do not."""

from __future__ import annotations

import pytest

from harness.trials.catalogue import load_all
from tests.specimen import TEXT, write

STATEMENTS = """\
statements:
  "n:wide":
    place: L3
    section: "1"
    says: Wide networks err less.
  "n:narrow":
    section: "2"
    says: Narrow networks are quick.
    not_checked: nobody has a clock
"""


def project(tmp_path, answers, statements=STATEMENTS):
    """Write a claim with answers and its document with statements; return the problems that there are."""
    folder = write(tmp_path, TEXT.replace("controls:\n", f"answers: {answers}\ncontrols:\n", 1))
    with (folder.parent / "document.yaml").open("a") as file:
        file.write(statements)
    return load_all(tmp_path)


def test_a_claim_may_answer_statements_by_a_list_or_by_roles(tmp_path):
    loaded, problems = project(tmp_path, '{"n:wide": {literal: [as_documented], instead: [as_published]}}')

    assert problems == []
    answer = loaded[0].claim.answers["n:wide"]
    assert (answer.literal, answer.only_when, answer.instead) == (["as_documented"], [], ["as_published"])
    short = write(tmp_path / "short", TEXT.replace("controls:\n", 'answers: {"n:x": [as_documented]}\ncontrols:\n', 1))
    assert load_all(short.parents[1])[0][0].claim.answers["n:x"].literal == ["as_documented"]


@pytest.mark.parametrize(
    ("answers", "message"),
    [
        ('{"n:wyde": [as_documented]}', "answers.n:wyde: no document.yaml has this statement; did you mean 'n:wide'?"),
        ('{"n:narrow": [as_documented]}', "answers.n:narrow: its document says `not_checked`; take out one of the two"),
        (
            '{"n:wide": [as_dokumented]}',
            "answers.n:wide: there is no reading 'as_dokumented'; did you mean 'as_documented'?",
        ),
        ('{"n:wide": []}', "answers.n:wide.literal: should have at least 1 item, not []"),
        ('{"n:wide": {instead: [as_published]}}', "answers.n:wide: literal: is missing; add it"),
    ],
)
def test_an_answer_that_fits_nothing_is_named_with_its_line(tmp_path, answers, message):
    _, problems = project(tmp_path, answers)

    assert len(problems) == 1
    assert message.split(": ", 1)[1].split(";")[0] in problems[0]
    line = next(
        n
        for n, text in enumerate((tmp_path / "notes/wide_beats_narrow/claim.yaml").read_text().splitlines(), 1)
        if text.startswith("answers")
    )
    assert f"claim.yaml:{line}:" in problems[0]


def test_a_statement_is_answered_by_one_claim_and_stands_in_one_document(tmp_path):
    project(tmp_path, '{"n:wide": [as_documented]}')
    text = TEXT.replace("id: wide_beats_narrow", "id: another").replace(
        "controls:\n", 'answers: {"n:wide": [as_documented]}\ncontrols:\n', 1
    )
    other = write(tmp_path, text.replace("document: notes", "document: others"), document="others")
    other.rename(other.with_name("another"))
    with (other.parent / "document.yaml").open("a") as file:
        file.write(STATEMENTS)

    _, problems = load_all(tmp_path)

    assert sum("stands in another document, too" in problem for problem in problems) == 2
    (twice,) = [problem for problem in problems if "is answered by" in problem]
    assert "answers.n:wide: is answered by wide_beats_narrow, too; one claim answers a statement" in twice or (
        "answers.n:wide: is answered by another, too; one claim answers a statement" in twice
    )


def test_a_document_without_claims_is_checked_too(tmp_path):
    project(tmp_path, '{"n:wide": [as_documented]}')
    (tmp_path / "empty").mkdir()
    (tmp_path / "empty/document.yaml").write_text("id: empty\ntitle: Empty\n")

    _, problems = load_all(tmp_path)

    assert all("empty/document.yaml" in problem for problem in problems)
    assert len(problems) == 3, "authors, year and summary are missing"
