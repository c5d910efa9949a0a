"""report.md as a Markdown parser reads it."""

from __future__ import annotations

import re

import pytest
from markdown_it import MarkdownIt

from harness._text import in_html, one_line
from harness.report.markdown import markdown
from harness.store.records.parsing import parse, plain
from harness.store.records.run import Run
from tests.reported import altered, read_saved
from tests.test_hostile import EVIL, TAGS

PARSER = MarkdownIt("commonmark").enable(["table", "strikethrough"])

HOSTILE = [
    EVIL,
    "</details></summary>\n\n# head",
    "[x]: http://x\n\n* * *",
    "~~~\n```",
    "    code",
    "a|b\\|c\\\\|d",
    "<!-- ",
    "_x_ **y** $z$ ~~w~~",
    "![i](http://x/i.png)",
    "1. x",
    "> q",
    "\\\\\\",
]


@pytest.fixture
def saved():
    return read_saved()


def everything_says(run, words):
    """Return a run in which every text that others may have written says `words`."""

    def changed(value, key=""):
        if isinstance(value, dict):
            return {name: changed(item, name) for name, item in value.items()}
        if isinstance(value, list):
            return [changed(item, key) for item in value]
        return words if key in SAYS and isinstance(value, str) else value

    return parse(Run, changed(plain(run)), "a test")


SAYS = {"date", "expires", "digest", "sha256", "started", "finished", "commit", "python", "platform", "processor", "host", "version", "float32_matmul_precision", "device", "since", "name", "source", "title", "statement", "because", "means", "reason", "does_not_show", "section", "paper", "authors", "summary", "unit", "owner", "lines", "errors", "text", "profile"}  # fmt: skip


def flat(text):
    """Return the tokens of a document, those within a line among them."""
    for token in PARSER.parse(text):
        yield token
        yield from token.children or ()


def tables(text):
    """Return the number of cells of every row, table by table."""
    found = []
    for token in PARSER.parse(text):
        if token.type == "table_open":
            found.append([])
        elif token.type == "tr_open":
            found[-1].append(0)
        elif token.type in ("td_open", "th_open"):
            found[-1][-1] += 1
    return found


def shown(text):
    """Return what a reader sees of a line."""
    return "".join(t.content if t.type in ("text", "code_inline") else "" for t in flat(text))


def of_no_harm(text):
    """Assert that nothing in a report is markup but the report's own."""
    for token in flat(text):
        assert token.type not in ("image", "fence", "code_block", "hr"), token
        assert token.type != "code_inline" or token.content in ("cap", "expected"), token
        if token.type == "link_open":
            assert re.fullmatch(r"#[a-z0-9-]+", token.attrs["href"]), token
        if token.type in ("html_block", "html_inline"):
            assert "<" not in TAGS.sub("", token.content), token
    for table in tables(text):
        assert len(set(table)) == 1, table


def structure(text):
    """Return the headings' levels, and how many of each kind of block there are: what hostile words must not change."""
    tokens = PARSER.parse(text)
    kinds = (
        "table_open",
        "tr_open",
        "td_open",
        "bullet_list_open",
        "ordered_list_open",
        "list_item_open",
        "blockquote_open",
        "html_block",
    )
    return [t.tag for t in tokens if t.type == "heading_open"], {
        kind: sum(t.type == kind for t in tokens) for kind in kinds
    }


@pytest.mark.parametrize("words", HOSTILE)
def test_hostile_words_stay_words(saved, words):
    text = markdown(everything_says(saved, words))

    of_no_harm(text)
    # Of another length and without a full stop, but of the same form.
    assert structure(text) == structure(markdown(everything_says(saved, "plain words")))
    assert one_line(words) in shown(text)


def test_plain_reports_are_tables_and_links_that_lead_somewhere(saved):
    text = markdown(saved)

    of_no_harm(text)
    assert len(tables(text)) > 10
    targets = set(re.findall(r'<a id="([^"]+)"></a>', text))
    links = {token.attrs["href"][1:] for token in flat(text) if token.type == "link_open"}
    assert links
    assert links <= targets


def test_what_is_as_expected_is_folded_and_all_that_opens_is_closed(saved):
    text = markdown(saved)
    folded = re.findall(r"<details><summary><b>(.*?)</b></summary>", text)

    good = [claim for claim in saved.judged if all(r.as_expected for r in claim.readings.values())]
    assert len(folded) == len(good) > 0
    assert text.count("<details>") == text.count("</details>")
    depth = 0
    for tag in re.findall(r"</?details>", text):
        depth += 1 if tag == "<details>" else -1
        assert 0 <= depth <= 2
    # What is within is Markdown again.
    assert "<details>" not in "".join(t.content for t in flat(text) if t.type == "text")


def test_a_folded_title_is_read_as_it_was_written():
    line = f"<details><summary><b>{in_html(EVIL)}</b></summary>\n"
    (token,) = PARSER.parse(line)

    assert token.type == "html_block"
    import html

    assert html.unescape(TAGS.sub("", token.content)).strip() == one_line(EVIL)


def test_the_first_screen_says_what_came_out(saved):
    head = markdown(saved)[:1200]

    assert "readings came out as expected" in head
    assert "1 claims could not be run" in head
    assert "## What needs attention" in head


def test_why_trials_were_not_reused_stands_with_how_they_were_measured(saved):
    why = ["train.py was changed: 3 trials are measured again"]
    text = markdown(altered(saved, {"claims.0.measured_again": why}))

    assert text.count("- Not reused: train.py was changed: 3 trials are measured again\n") == 1
