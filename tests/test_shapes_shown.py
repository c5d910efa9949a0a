"""An error rate that does not hold is marked wherever a reader sees it, and no bound is printed for it."""

from __future__ import annotations

from itertools import zip_longest

import pytest

from harness.report.markdown import markdown
from harness.report.terminal import table
from harness.report.wording import SHAPES
from harness.store.records.claim import ClaimRecord
from tests.report.html.test_page import Reader
from tests.reported import adjusted, altered, pages, read_saved


@pytest.fixture
def shaped():
    """Return a saved run in which expectations of the first claim have shapes of seeds, and its budget."""

    def make(*shapes):
        run = read_saved()
        sampled = [
            (f"claims.{number}.readings.{which}.expectations.{name}.shape", name)
            for number, claim in enumerate(run.claims)
            if isinstance(claim, ClaimRecord)
            for which, reading in claim.readings.items()
            for name, e in reading.expectations.items()
            if not e.exact
        ]
        changes = {path: shape for (path, _), shape in zip_longest(sampled, shapes)}
        return adjusted(altered(run, changes)), [name for _, name in sampled]

    return make


def texts(run):
    """Return what the terminal, the Markdown and the page say."""
    return (
        " ".join(" ".join(table(run, 400)).split()),
        markdown(run).replace("\\", ""),
        Reader("".join(pages(run))).text,
    )


@pytest.mark.parametrize("shape", ["not_normal", "two_values"])
def test_every_report_marks_an_error_rate_that_does_not_hold(shaped, shape):
    run, (name, *_) = shaped(shape)
    words = SHAPES[shape].replace("`", "")
    for text in texts(run):
        assert words in text.replace("`", "")
        assert "no bound holds for 1 more, whose seeds are not roughly normal" in text.replace("No bound", "no bound")
    assert f"{run.claims[0].id}, {name}" in texts(run)[0]


def test_what_needs_attention_names_it(shaped):
    run, _ = shaped("not_normal")
    attention = markdown(run).split("## What needs attention")[1].split("\n## ")[0]
    assert "roughly normal seeds" in attention
    assert "roughly normal seeds" not in markdown(shaped()[0]).split("## Overview")[0]


def test_the_front_page_does_not_print_a_bound_for_all(shaped):
    assert "at most; no bound for 2" in Reader("".join(pages(shaped("not_normal", "two_values")[0]))).text
    assert "no bound" not in Reader("".join(pages(shaped()[0]))).text


def test_seeds_that_are_all_the_same_are_a_note_and_need_no_attention(shaped):
    run, _ = shaped("constant")
    terminal, text, html = texts(run)
    assert "1 are the same in every seed and rest on their metric's resolution" in terminal
    for shown in (text, html):
        assert "the same in every seed: the error rate rests on the metric" in shown.replace("The same", "the same")
    assert "⚠ The same in every seed" not in html
    assert "resolution alone" not in text.split("## Overview")[0]


def test_where_nothing_speaks_against_any_nothing_is_said(shaped):
    for text in texts(shaped()[0]):
        assert "roughly normal" not in text
        assert "in every seed and rest on" not in text


def test_lines_of_the_terminal_stay_within_its_width(shaped):
    run, _ = shaped("not_normal", "constant")
    marks = [line for line in table(run, 60) if line.startswith("        ! ")]
    assert len(marks) == 1
    assert len(marks[0]) <= 60
    assert "use `rate` or a median" in " ".join(" ".join(table(run, 60)).split())
