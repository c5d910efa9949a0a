"""Text with marks of style."""

from __future__ import annotations

import pytest

from harness.report.styled import plain, safe, show, styled


@pytest.mark.parametrize("text", ["[red]x[/]", "[/]", "back\\", "two\\\\", "\\", "\\[x]", "a [link=evil]b", "plain"])
def test_what_others_wrote_comes_out_as_it_was(text):
    assert plain(f"[bold]{safe(text)}[/]") == text
    assert plain(f"{safe(text)} {safe(text)}") == f"{text} {text}"
    assert styled(safe(text), 80) == text


def test_control_characters_do_not_come_out():
    assert plain(safe("a\x1b[2Jb\nc")) == "a�[2Jb c"


def test_style_is_codes_in_a_terminal_and_a_long_line_is_cut():
    assert styled("[green]ok[/]", 10) == "\x1b[32mok\x1b[0m"
    assert styled("0123456789", 6) == "01234…"


def test_no_colour_is_heeded(monkeypatch):
    monkeypatch.setenv("NO_COLOR", "1")

    assert styled("[green]ok[/]", 10) == "ok"


def test_elsewhere_lines_are_plain_and_whole(capsys):
    show([f"[green]{'x' * 300}[/]"])

    assert capsys.readouterr().out == "x" * 300 + "\n"
