"""Results in Parquet, read by the real pyarrow where it is installed; and what is said where it is not."""

from __future__ import annotations

import sys

import pytest

from harness.errors import DataError
from harness.trials.result_files import read_rows


def test_without_pyarrow_the_extra_is_named(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    (tmp_path / "runs.parquet").write_bytes(b"PAR1")

    with pytest.raises(
        DataError, match=r"runs\.parquet: reading Parquet takes pyarrow; `pip install 'claims-harness\[parquet\]'`"
    ):
        read_rows("runs.parquet", tmp_path)


def test_rows_are_those_of_the_table_with_the_fields_of_the_name(tmp_path):
    pyarrow = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    parquet.write_table(pyarrow.table({"seed": [0, 1], "accuracy": [0.5, 0.75]}), tmp_path / "ours_runs.parquet")

    found = read_rows("{arm}_runs.parquet", tmp_path)

    assert [dict(row.values) for row in found.rows] == [
        {"seed": 0, "accuracy": 0.5, "arm": "ours"},
        {"seed": 1, "accuracy": 0.75, "arm": "ours"},
    ]
    assert [row.values["accuracy"] for row in found.where({"arm": "ours", "seed": 1})] == [0.75]


def test_what_is_no_parquet_is_said_with_its_file(tmp_path):
    pytest.importorskip("pyarrow")
    (tmp_path / "runs.parquet").write_bytes(b"PAR1 but not for long")

    with pytest.raises(DataError, match=r"runs\.parquet: is no Parquet \("):
        read_rows("runs.parquet", tmp_path)
