"""A table without rows: every form of it has its columns, with the types that rows would have."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import cosem
from cosem.client.profile_table import ProfileTable


@pytest.fixture(scope="module")
def tables() -> Iterator[list[ProfileTable]]:
    """Nothing of a load profile that has rows, and all of an event log that has none."""
    with cosem.connect("sim:three-phase") as meter:
        nobody = {"since": datetime(2050, 1, 1), "until": datetime(2050, 1, 2)}
        yield [
            meter.profile("1-0:99.1.0").read(**nobody),  # type: ignore[arg-type] # two moments
            meter.profile("0-0:99.98.0").read(),
            meter.profile("1-0:99.1.0").read(last="1h")[0:0],
        ]


def test_there_are_no_rows(tables: list[ProfileTable]) -> None:
    for table in tables:
        assert len(table) == 0
        assert table.rows == []
        assert table.gaps == []
        assert [table.column(key) for key in table.keys] == [[] for _ in table.keys]


def test_data_frames_have_the_columns_and_their_types(tables: list[ProfileTable]) -> None:
    for table in tables:
        frame: Any = pl.DataFrame(table)
        assert frame.height == 0
        assert set(table.keys) <= set(frame.columns)
        assert frame.schema["0-0:1.0.0"] == pl.Datetime("us", "UTC")
        assert table.to_pandas().empty
        assert table.to_arrow().num_rows == 0
        assert isinstance(table.to_pandas()["0-0:1.0.0"].dtype, pd.DatetimeTZDtype)
    energy = tables[0]
    assert pl.DataFrame(energy).schema["1-0:1.8.0"].is_numeric()
    assert energy.to_pandas()["1-0:1.8.0"].dtype == "float64"


def test_files_have_the_columns(tables: list[ProfileTable], tmp_path: Path) -> None:
    for table in tables:
        table.to_csv(str(tmp_path / "table.csv"))
        assert (tmp_path / "table.csv").read_text().startswith("0-0:1.0.0,")
        table.to_parquet(str(tmp_path / "table.parquet"))
        found = pq.read_table(tmp_path / "table.parquet")
        assert found.num_rows == 0
        assert found.schema.field("0-0:1.0.0").type == pa.timestamp("us", "UTC")
