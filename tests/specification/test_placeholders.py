"""Placeholders: which names a text has, and what stands in their place."""

from __future__ import annotations

import pytest

from harness.specification.placeholders import filled, names_in


@pytest.mark.parametrize(
    ("text", "names", "result"),
    [
        ("--seed={seed}", ["seed"], "--seed=7"),
        ("{seed}{rate}{seed}", ["seed", "rate", "seed"], "70.17"),
        ("{{seed}}", [], "{seed}"),
        ('{{"lr": {rate}}}', ["rate"], '{"lr": 0.1}'),
        ("{on} {none} {layers} {name}", ["on", "none", "layers", "name"], "true null [64, 64] {seed}; rm -r ."),
        ("", [], ""),
    ],
)
def test_names_and_what_stands_in_their_place(text, names, result):
    values = {"seed": 7, "rate": 0.1, "on": True, "none": None, "layers": [64, 64], "name": "{seed}; rm -r ."}

    assert names_in(text) == names
    assert filled(text, values) == result


@pytest.mark.parametrize(
    ("text", "brace", "after"),
    [("a{", "{", 1), ("}", "}", 0), ("{}", "{", 0), ("{Seed}", "{", 0), ("{a b}", "{", 0), ("{s!r}", "{", 0)],
)
def test_a_single_brace_is_told_with_its_place_and_the_remedy(text, brace, after):
    with pytest.raises(ValueError, match="single") as caught:
        names_in(text)

    assert str(caught.value).startswith(
        f"a single {brace!r} after {after} characters: a placeholder is {{name}} in small letters"
    )
