"""Quotations found in the project's texts: once, in their words; else the place is said."""

from __future__ import annotations

import pytest

from harness.trials.catalogue import load_claim
from harness.trials.documents import load_documents
from harness.trials.quotations import quoted
from tests.tiny_project import DOCUMENT, write_claim

QUOTATION = """\
quotations:
  gap:
    file: README.md
    says: warm numbers exceed cold ones by 1.0 degrees
    number: '1.0'
    claim: warm_exceeds_cold
    expectation: warm_exceeds_cold
"""
README = "# Numbers\n\nWe found that warm numbers exceed\ncold ones by 1.0 degrees.\n"


@pytest.fixture
def look(tmp_path):
    """Return a function that looks for the quotation, after edits of the document or of the text."""
    folder = write_claim(tmp_path)

    def found(readme=README, **replaced):
        text = QUOTATION
        for old, new in replaced.values():
            assert old in text
            text = text.replace(old, new)
        (tmp_path / "README.md").write_text(readme)
        (folder.parent / "document.yaml").write_text(DOCUMENT + text)
        root = tmp_path / "claims"
        return quoted(root, load_documents(root), [load_claim(folder)])

    return found


def test_a_quotation_is_found_over_line_breaks_with_the_line_of_its_number(look):
    (number,), problems = look()

    assert problems == []
    assert (number.file, number.line, number.printed, number.relied_on) == ("README.md", 4, "1.0", "VERIFIED")
    assert (number.low, number.high) == pytest.approx((0.95, 1.05))


@pytest.mark.parametrize(
    ("readme", "replaced", "line", "message"),
    [
        (README.replace("exceed", "surpass"), {}, "9:5: quotations.gap.says", "README.md: the words are not there any more; quote "),
        (README.replace("1.0", "1.2"), {}, "9:5: quotations.gap.says", "README.md: the words are not there any more; line 3 still has 'warm numbers exceed cold ones by': "),
        (README * 2, {}, "9:5: quotations.gap.says", "README.md: stands 2 times, in lines 3, 7; quote more of it"),
        (README, {"a": ("README", "READ")}, "8:5: quotations.gap.file", "'READ.md' cannot be read: "),
        (README, {"a": ("claim: warm", "claim: wrm")}, "11:5: quotations.gap.claim", "there is no claim 'wrm_exceeds_cold'; did you mean 'warm_exceeds_cold'?"),
        (README, {"a": ("expectation: warm", "expectation: wrm")}, "12:5: quotations.gap.expectation", "warm_exceeds_cold has no expectation "),
        (README, {"a": ("    claim", "    unit: ms\n    claim")}, "11:5: quotations.gap.unit", "'ms' is a unit of seconds, but the estimate has the unit 'degree'; "),
    ],
)  # fmt: skip
def test_what_a_quotation_lacks_is_said_with_file_line_field_and_remedy(look, readme, replaced, line, message):
    numbers, (problem,) = look(readme, **replaced)

    assert numbers == []
    assert f"document.yaml:{line}: {message}" in problem
