"""The bench's bookkeeping: what a row must reach, the means, and the document it is written into."""

from __future__ import annotations

import pytest

from tests.bench.conftest import MEANS, OURS, Row, means
from tests.bench.document import DOCUMENT, rendered, replaced


def row(table="seeds", name="one", ratio=2.0, **changes):
    return Row(table, name, 10.0, {"plain loop": 10 * ratio}, {"plain loop": ratio}, **changes)


def test_a_row_reaches_what_it_must_or_misses_it():
    assert row(must={"plain loop": 2.0}).reached() == {"2 x plain loop": True}
    assert row(must={"plain loop": 2.1}).reached() == {"2.1 x plain loop": False}
    assert row(most={OURS: 10.0}).reached() == {"at most 10 ms": True}
    assert row(most={OURS: 9.9}).reached() == {"at most 9.9 ms": False}
    assert row(must={"share": 0.5}, most={"share": 0.4}, notes={"share": 0.5}).reached() == {
        "at least 0.5 share": True,
        "at most 0.4 share": False,
    }


def test_means_are_geometric_over_all_tables_of_one_precision():
    def trained(table, ratio):
        ratios = dict.fromkeys(MEANS, ratio)
        return Row(table, "x, bfloat16", 1.0, ratios, ratios)

    tables = ("perceptrons", "perceptrons against JAX", "convolutions")
    rows = [trained(table, ratio) for table, ratio in zip(tables, (1.0, 8.0, 8.0), strict=True)]
    rows += [Row(table, "x, float32", 1.0, dict.fromkeys(MEANS, 3.0), dict.fromkeys(MEANS, 3.0)) for table in tables]

    assert [found.ratios["plain loop"] for found in means(rows)] == pytest.approx([4.0, 3.0])
    assert means(rows[:2]) == [], "without every table there is no mean"


def test_a_table_shows_ours_the_rivals_and_what_is_reached():
    lines = rendered([row(must={"plain loop": 3.0}), row(name="two", most={OURS: 20.0}, notes={"share": 0.5})])

    head, _, first, second, _, source = lines.split("\n")
    assert head == "|  | ours (ms) | plain loop (ms) | share | must reach | reached |"
    assert first == "| one | 10 | 20 (2.00 x) |  | 3 x plain loop | **no** |"
    assert second == "| two | 10 | 20 (2.00 x) | 0.5 | at most 20 ms | yes |"
    assert "torch 2." in source


def test_the_document_has_a_place_for_every_table_and_keeps_the_others():
    text = "a\n<!-- bench: seeds -->\nold\n<!-- end -->\n<!-- bench: harness -->\nkept\n<!-- end -->\nz"

    assert replaced(text, "seeds", "new") == text.replace("old", "new")
    with pytest.raises(ValueError, match="no line `<!-- bench: nowhere -->`"):
        replaced(text, "nowhere", "new")
    for table in ("perceptrons", "perceptrons against JAX", "convolutions", "geometric means", "boltzmann machines",
                  "seeds", "share of the peak", "harness", "claims"):  # fmt: skip
        replaced(DOCUMENT.read_text(), table, "new")
