"""Text of others, made harmless for each place where it is shown."""

from __future__ import annotations

import html
import json
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness._text import (
    LONGEST,
    as_json,
    block,
    escape_unprintable,
    in_html,
    in_markdown,
    in_xml,
    message_of,
    one_line,
    shortened,
    without_ci_commands,
)

ANYTHING = st.text(st.characters(exclude_categories=()))
"""Surrogates, controls and unassigned characters among them."""


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        ("plain words, ümläute and 漢字", "plain words, ümläute and 漢字"),
        ("\x1b[31mred\x1b[0m", "\ufffd[31mred\ufffd[0m"),
        ("\x1b]0;title\x07", "\ufffd]0;title\ufffd"),
        ("\x9b2J", "\ufffd2J"),
        ("a\x00b\x7fc", "a\ufffdb\ufffdc"),
        ("\u202egnp.exe\u2066", "\ufffdgnp.exe\ufffd"),
        ("\ufeffa\u200bb", "\ufffda\ufffdb"),
        ("\udc80", "\ufffd"),
        ("a\u2028b\nc\td\u00a0e", "a b c d e"),
        ("co\u00adop \u0646\u200c\u0627", "co\u00adop \u0646\u200c\u0627"),
        (12, "12"),
    ],
)
def test_what_cannot_be_seen_is_replaced(raw, shown):
    assert escape_unprintable(raw) == shown


@given(ANYTHING)
def test_no_text_moves_a_cursor_or_breaks_a_file(text):
    for shown in (
        escape_unprintable(text),
        one_line(text),
        in_markdown(text),
        block(text).replace("\n", "").replace("\t", ""),
    ):
        assert all(c.isprintable() or c in "\u00ad\u200c\u200d" for c in shown)
        shown.encode("utf-8")


def test_a_line_has_single_blanks_and_a_block_keeps_its_lines():
    assert one_line(" a\r\n\tb \x85 c ") == "a b c"
    assert block("a\n\tb\x1b\r") == "a\n\tb\ufffd "


def test_long_text_is_cut():
    assert shortened("x" * LONGEST) == "x" * LONGEST
    assert shortened("x" * (LONGEST + 1)) == "x" * (LONGEST - 1) + "…"


def test_an_exception_says_one_bounded_line_or_that_it_cannot():
    class MuteError(Exception):
        def __str__(self):
            raise RuntimeError

    assert message_of(ValueError("a\n\x1b[1mb")) == "a \ufffd[1mb"
    assert len(message_of(ValueError("x" * 10**6))) == LONGEST
    assert message_of(MuteError()) == "(an exception that cannot say what it is)"


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        ("<script>alert(1)</script>", "&lt;script&gt;alert(1)&lt;/script&gt;"),
        ("&lt;", "&amp;lt;"),
        ("a | b\nc", "a \\| b c"),
        ("\x1b[31mred", "\ufffd\\[31mred"),
        ("[link](http://x)", "\\[link\\](http://x)"),
        ("![x](javascript:alert(1))", "!\\[x\\](javascript:alert(1))"),
        ("```sh", "\\`\\`\\`sh"),
        ("~~~ ~~gone~~", "\\~\\~\\~ \\~\\~gone\\~\\~"),
        ("$x$", "\\$x\\$"),
        ("# head", "\\# head"),
        ("- item", "\\- item"),
        ("---", "\\---"),
        ("-0.5 and 3. x", "-0.5 and 3. x"),
        ("12. item", "12\\. item"),
        ("2) item", "2\\) item"),
        ("0.5", "0.5"),
        ("> quote", "&gt; quote"),
        ("===", "\\==="),
        ("a\\", "a\\\\"),
    ],
)
def test_markdown_shows_text_as_it_is(raw, shown):
    assert in_markdown(raw) == shown


@given(ANYTHING)
def test_any_text_is_a_row_of_a_table_of_markdown(text):
    shown = in_markdown(text)
    bare = shown.replace("\\\\", "").replace("\\|", "").replace("\\`", "")
    assert "|" not in bare
    assert "`" not in bare
    assert not {"<", ">", "\n"} & set(shown)


@given(ANYTHING)
def test_any_text_goes_into_xml(text):
    case = ET.Element("failure", message=in_xml(text))
    case.text = in_xml(f"]]> <![CDATA[ {text}")
    read = ET.fromstring(ET.tostring(case, encoding="unicode"))
    assert read.text == in_xml(f"]]> <![CDATA[ {text}")


@given(
    st.dictionaries(st.text(), st.text() | st.floats(allow_nan=False, allow_infinity=False) | st.lists(st.integers()))
)
def test_json_keeps_every_value_in_a_harmless_file(value):
    for indent in (None, 1):
        written = as_json(value, indent)
        assert json.loads(written) == value
        assert written.replace("\n", "").isprintable()
        assert "<" not in written


def test_json_keeps_half_a_character():
    # Such as stands for a byte of a file name that is no UTF-8.
    assert json.loads(as_json(["\udc80", "\x7f"])) == ["\udc80", "\x7f"]
    as_json(["\udc80"]).encode("utf-8")


def test_json_holds_no_undefined_number():
    with pytest.raises(ValueError, match="not JSON compliant"):
        as_json({"x": float("nan")})


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        ("::error::x", ": :error::x"),
        ("  ::set-env name=a::b\n::debug::c", "  : :set-env name=a::b\n: :debug::c"),
        ("a ::error::x", "a ::error::x"),
        ("a ##[add-path]/x", "a ## [add-path]/x"),
        ("std::vector, # head, a: b", "std::vector, # head, a: b"),
        ("::", ": :"),
    ],
)
def test_no_line_is_a_command_of_a_workflow(raw, shown):
    assert without_ci_commands(raw) == shown
    assert block(raw) == shown


@given(ANYTHING)
def test_no_text_at_all_is_a_command_of_a_workflow(text):
    """As GitHub's runner looks for them: `::` after leading space, `##[` anywhere."""
    shown = block(text)
    assert "##[" not in shown
    assert not any(line.lstrip().startswith("::") for line in shown.splitlines())


@given(ANYTHING)
def test_html_shows_any_text_as_it_is_and_has_no_mark_of_markdown(text):
    shown = in_html(text)
    assert html.unescape(shown) == one_line(text)
    assert not set("<>`*_[]|\\~$\"'") & set(shown)
