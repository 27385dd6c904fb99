"""A table without rows: every form of it has its columns, with the types that rows would have."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import cosem
from cosem.client.profile_columns import numpy_columns
from cosem.client.profile_layout import Column, ProfileLayout
from cosem.client.profile_table import ProfileTable
from cosem.client.profile_types import known_by
from cosem.types.data import Array, DoubleLongUnsigned, LongUnsigned, OctetString, Structure, Unsigned
from cosem.types.date_time import DateTime
from cosem.types.logical_name import LogicalName
from cosem.types.units import ScalerUnit, Unit


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
    unknown, _, known = tables
    assert pl.DataFrame(unknown).schema["1-0:1.8.0"] == pl.Null
    assert pl.DataFrame(known).schema["1-0:1.8.0"].is_numeric()
    assert unknown.to_pandas()["1-0:1.8.0"].dtype == "float64"


def test_files_have_the_columns(tables: list[ProfileTable], tmp_path: Path) -> None:
    for table in tables:
        table.to_csv(str(tmp_path / "table.csv"))
        assert (tmp_path / "table.csv").read_text().startswith("0-0:1.0.0,")
        table.to_parquet(str(tmp_path / "table.parquet"))
        found = pq.read_table(tmp_path / "table.parquet")
        assert found.num_rows == 0
        assert found.schema.field("0-0:1.0.0").type == pa.timestamp("us", "UTC")


NOBODY: Any = {"since": datetime(2050, 1, 1), "until": datetime(2050, 1, 2)}
PROFILES = [
    ("sim:three-phase", "1-0:99.1.0"),
    ("sim:single-phase", "1-0:99.1.0"),
    ("sim:water", "8-0:99.1.0"),
    ("sim:gas-mbus", "0-1:24.3.0"),
]


@pytest.mark.parametrize(("url", "name"), PROFILES)
def test_tables_with_and_without_rows_are_put_together(url: str, name: str) -> None:
    with cosem.connect(url) as meter:
        first = meter.profile(name).read(**NOBODY)
        full = meter.profile(name).read(entries=5)
        later = meter.profile(name).read(**NOBODY)
    assert (len(first), len(full), len(later)) == (0, 5, 0)
    # Once rows were there the types are known for good.
    assert later.to_arrow().schema == full.to_arrow().schema
    assert full[0:0].to_arrow().schema == full.to_arrow().schema
    assert pa.concat_tables([later.to_arrow(), full.to_arrow()]).num_rows == 5
    assert pl.concat([later.to_polars(), full.to_polars()]).height == 5
    # Before that, what nobody knows has the null type, which goes with all of them.
    for tables in ([first, full], [full, first]):
        together = pa.concat_tables([each.to_arrow() for each in tables], promote_options="default")
        assert together.schema.types == full.to_arrow().schema.types
        frame = pl.concat([each.to_polars() for each in tables], how="vertical_relaxed")
        assert frame.schema == full.to_polars().schema
        assert (
            pd.concat([each.to_pandas() for each in tables]).dtypes["0-0:1.0.0"]
            == full.to_pandas().dtypes["0-0:1.0.0"]
        )


def _layout() -> ProfileLayout:
    columns = (
        Column(8, LogicalName("0-0:1.0.0"), 2, kind="moment", key="clock"),
        Column(3, LogicalName("1-0:1.8.0"), 2, scaler_unit=ScalerUnit(-1, Unit(30)), key="energy"),
        Column(1, LogicalName("0-0:96.1.0"), 2, key="name"),
        Column(70, LogicalName("0-0:96.3.10"), 2, key="switch"),
        Column(7, LogicalName("1-0:99.1.0"), 7, key="rows"),
    )
    return ProfileLayout(LogicalName("1-0:99.1.0"), columns, 900, 1)


def _row(zone: bool = True) -> Structure:
    moment = DateTime.from_datetime(datetime(2026, 3, 1, tzinfo=UTC) if zone else datetime(2026, 3, 1))
    values = (
        OctetString(moment.octets),
        LongUnsigned(7),
        OctetString(b"a"),
        True,
        DoubleLongUnsigned(3),
    )
    return Structure(values)


NULLS = Structure((None,) * 5)


@pytest.mark.parametrize("zone", [True, False])
@pytest.mark.parametrize("with_numpy", [True, False])
def test_columns_of_nulls_have_the_types_of_earlier_rows(
    zone: bool, with_numpy: bool, monkeypatch: Any
) -> None:
    if not with_numpy:
        monkeypatch.setattr("cosem.client.profile_export.import_module", _without_numpy)
    full = ProfileTable(_layout(), Array((_row(zone),)))
    layout = known_by(_layout(), full.table)
    assert layout == _layout()
    nulls = ProfileTable(layout, Array((NULLS, NULLS)))
    nothing = ProfileTable(layout, Array(()))
    assert nulls.to_arrow().schema == nothing.to_arrow().schema == full.to_arrow().schema
    assert all(column.null_count == 2 for column in nulls.to_arrow().columns)
    assert pa.concat_tables([nulls.to_arrow(), nothing.to_arrow(), full.to_arrow()]).num_rows == 3
    assert (
        nulls.to_pandas().dtypes["clock"]
        == nothing.to_pandas().dtypes["clock"]
        == full.to_pandas().dtypes["clock"]
    )
    assert numpy_columns(nulls)["energy"].dtype == "float64"


def test_columns_that_nobody_knows_have_what_their_class_declares_or_the_null_type() -> None:
    schema = ProfileTable(_layout(), Array((NULLS,))).to_arrow().schema
    types = {name: str(kind) for name, kind in zip(schema.names, schema.types, strict=True)}
    assert types == {
        "clock": "timestamp[us, tz=UTC]",
        "clock/status": "uint8",
        "energy": "null",
        "name": "null",
        "switch": "bool",
        "rows": "uint32",
    }


def test_odd_rows_tell_their_types_as_well() -> None:
    odd = ProfileTable(_layout(), Array((Structure((*_row()[:3], Unsigned(1), None)), _row())))
    known = known_by(_layout(), odd.table)
    assert [sorted(column.tags) for column in known.columns] == [[9], [18], [9], [3, 17], [6]]


def _without_numpy(name: str) -> Any:
    if name == "numpy":
        raise ModuleNotFoundError(name)
    return importlib.import_module(name)
