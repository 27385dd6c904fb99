"""Tables as columns: numpy, Arrow, pandas, polars, DuckDB and files hold what the rows hold."""

from __future__ import annotations

import gc
import importlib
import io
import json
import subprocess
import sys
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import duckdb
import numpy
import pandas
import polars
import pyarrow
import pyarrow.feather
import pyarrow.parquet
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cosem.client import profile_arrow, profile_export
from cosem.client.profile_arrow import ArrowColumn, schema_capsule, stream_capsule
from cosem.client.profile_layout import Column, ProfileLayout
from cosem.client.profile_outputs import cell_text
from cosem.client.profile_table import Gap, ProfileTable
from cosem.codec import columns as codec_columns
from cosem.codec.data import encode_data
from cosem.codec.reader import Reader
from cosem.codec.row_template import scan
from cosem.errors import UnsupportedError
from cosem.types.data import (
    Array,
    DeltaInteger,
    DeltaUnsigned,
    DoubleLong,
    DoubleLongUnsigned,
    Float32,
    Float64,
    Long64,
    Long64Unsigned,
    LongUnsigned,
    OctetString,
    Structure,
    Unsigned,
    VisibleString,
)
from cosem.types.date_time import DateTime
from cosem.types.logical_name import LogicalName
from cosem.types.units import ScalerUnit, Unit

ZONE = timezone(timedelta(hours=1))
START = datetime(2026, 11, 24, 0, 0, tzinfo=ZONE)
QUARTER = timedelta(minutes=15)
PROFILE = LogicalName("1.0.99.1.0.255")


def column(key: str, scaler: int | None = None, kind: Any = "value", class_id: int = 3) -> Column:
    unit = None if scaler is None else ScalerUnit(scaler, Unit(30))
    return Column(class_id, LogicalName("1.0.1.8.0.255"), 2, 0, kind, unit, key)


def layout(*columns: Column, period: int | None = 900, sort: int = 1) -> ProfileLayout:
    return ProfileLayout(PROFILE, columns, period, sort)


CLOCK = column("clock", kind="moment", class_id=8)


def stamp(moment: datetime) -> OctetString:
    return OctetString(DateTime.from_datetime(moment).octets)


def table_of(
    shape: ProfileLayout, rows: list[Any], *, encoded: bool = True, fill: bool = True
) -> ProfileTable:
    array = Array(map(Structure, rows))
    raw: Any = scan(Reader(encode_data(array))) if encoded else array
    return ProfileTable(shape, raw, fill=fill)


STAMPS = st.one_of(
    st.integers(0, 3000).map(lambda n: stamp(START + n * QUARTER)),
    st.integers(0, 3000).map(lambda n: stamp((START + n * QUARTER).replace(tzinfo=None))),
    st.just(OctetString(bytes.fromhex("FFFF0B18FFFFFFFFFF8000FF"))),
    st.none(),
)
NUMBERS = st.one_of(
    st.integers(0, 0xFFFFFFFF).map(DoubleLongUnsigned),
    st.integers(0, 0xFFFF).map(LongUnsigned),
    st.integers(-128, 127).map(DeltaInteger),
    st.none(),
)


@st.composite
def profiles(draw: st.DrawFn) -> tuple[ProfileLayout, list[Any]]:
    """Rows in runs that are equal in layout, with whatever may stand between them."""
    shape = layout(
        CLOCK,
        column("energy", draw(st.sampled_from([-3, 0, 2]))),
        column("status", class_id=1),
        period=draw(st.sampled_from([900, 0, None])),
        sort=draw(st.sampled_from([1, 2])),
    )
    rows: list[Any] = []
    for _ in range(draw(st.integers(1, 4))):
        if draw(st.booleans()):
            first = draw(st.integers(0, 2000))
            rows += [
                (stamp(START + (first + n) * QUARTER), DoubleLongUnsigned(n), Unsigned(n % 7))
                for n in range(draw(st.integers(1, 50)))
            ]
        else:
            statuses = st.none() | st.just(Unsigned(8))
            rows += draw(st.lists(st.tuples(STAMPS, NUMBERS, statuses), max_size=12))
    return shape, rows or [(None, None, None)]


def as_arrow(value: Any) -> Any:
    """A value of a row as pyarrow gives it back."""
    if isinstance(value, DateTime):
        return None
    return value.astimezone(UTC) if isinstance(value, datetime) and value.tzinfo else value


@given(profiles(), st.booleans(), st.booleans())
def test_arrow_and_numpy_hold_what_the_rows_hold(profile, encoded, fill):
    shape, rows = profile
    table = table_of(shape, rows, encoded=encoded, fill=fill)
    made = table.to_arrow()
    made.validate(full=True)
    arrays = table.to_numpy()
    zoned = any(isinstance(moment, datetime) and moment.tzinfo for moment in table.column("clock"))
    for key in table.keys:
        values = [as_arrow(value) for value in table.column(key)]
        if key == "clock":
            values = [
                v if isinstance(v, datetime) and (v.tzinfo is not None) is zoned else None for v in values
            ]
        if any(type(value) is DeltaInteger for value in values):
            assert not fill
            values = [None if value is None else str(cell_text(value)) for value in values]
        assert made.column(key).to_pylist() == values
        if key == "energy" and arrays[key].dtype != object:
            exact = [float("nan") if value is None else float(value) for value in values]
            numpy.testing.assert_array_equal(arrays[key].astype(float), exact)


@pytest.mark.parametrize("library", ["pyarrow", "polars"])
def test_files_that_are_open_are_written_as_well_as_paths(library, tmp_path, monkeypatch):
    if library == "polars":
        real = importlib.import_module

        def without(name: str) -> Any:
            if name.startswith("pyarrow"):
                raise ModuleNotFoundError(name)
            return real(name)

        monkeypatch.setattr(profile_export, "import_module", without)
    table = table_of(layout(CLOCK, column("energy", -3)), [(stamp(START), Unsigned(n)) for n in range(3)])
    for write, read in (
        (table.to_parquet, polars.read_parquet),
        (table.to_arrow_file, polars.read_ipc),
    ):
        file = io.BytesIO()
        write(file)
        file.seek(0)
        path = tmp_path / "table"
        write(str(path))
        assert read(file).equals(read(path))
        assert read(path)["energy"].to_list() == [Decimal("0.000"), Decimal("0.001"), Decimal("0.002")]


DELTAS = {
    "first": [None, DeltaInteger(-3), None, DeltaUnsigned(5)],
    "later": [DoubleLongUnsigned(1000), DeltaUnsigned(3), None, DeltaUnsigned(5), DeltaInteger(0)],
    "of a real": [Float32(0.5), DeltaInteger(2), None, None],
}


@pytest.mark.parametrize("encoded", [True, False])
@pytest.mark.parametrize(
    ("sent", "wanted"),
    [
        ("first", [None, None, None, None]),
        ("later", [Decimal("1.000"), Decimal("1.003"), Decimal("1.003"), Decimal("1.008"), Decimal("1.008")]),
    ],
)
def test_a_difference_is_added_to_what_was_before_and_tells_nothing_without_it(sent, wanted, encoded):
    shape = layout(column("energy", -3), period=0)
    table = table_of(shape, [(value,) for value in DELTAS[sent]], encoded=encoded)
    assert table.column("energy") == wanted
    assert table.to_arrow().column("energy").to_pylist() == wanted
    floats = [float("nan") if value is None else float(value) for value in wanted]
    numpy.testing.assert_array_equal(table.to_numpy()["energy"], floats)
    assert table[1:].column("energy") == wanted[1:]


def test_a_difference_to_a_real_number_is_added_to_it():
    table = table_of(
        layout(column("power", class_id=1), period=0), [(value,) for value in DELTAS["of a real"]]
    )
    assert table.column("power") == [0.5, 2.5, 2.5, 2.5]


@pytest.mark.parametrize("encoded", [True, False])
@pytest.mark.parametrize("sent", ["first", "later"])
def test_where_nothing_is_filled_a_difference_stays_one(sent, encoded):
    shape = layout(column("energy", -3), period=0)
    table = table_of(shape, [(value,) for value in DELTAS[sent]], encoded=encoded, fill=False)
    for values in (
        table.column("energy"),
        list(table.to_numpy()["energy"]),
        list(table.to_pandas()["energy"]),
    ):
        for given_, kept in zip(DELTAS[sent], values, strict=True):
            if isinstance(given_, DoubleLongUnsigned):
                assert kept == Decimal("1.000")
            else:
                assert type(kept) is type(given_)
                assert kept == given_
    texts = [None if value is None else str(cell_text(value)) for value in table.column("energy")]
    assert table.to_arrow().column("energy").to_pylist() == texts
    assert "delta " in texts[1]
    assert texts[1] in table.to_csv()


@given(profiles(), st.booleans())
def test_without_numpy_arrow_is_the_same(profile, fill):
    shape, rows = profile
    with_numpy = table_of(shape, rows, fill=fill).to_arrow()
    real = importlib.import_module

    def no_numpy(name: str) -> Any:
        if name == "numpy":
            raise ModuleNotFoundError(name)
        return real(name)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(profile_export, "import_module", no_numpy)
        without = table_of(shape, rows, fill=fill).to_arrow()
    assert without.equals(with_numpy)
    assert without.schema.equals(with_numpy.schema, check_metadata=True)


def test_every_kind_of_number_keeps_its_type_and_is_exact():
    shape = layout(
        column("u8", class_id=1),
        column("milli", -3),
        column("kilo", 3),
        column("huge", 25),
        column("tiny", -60),
        column("real", -1),
        column("wide", -2),
        column("signed", 0),
        column("flag", class_id=1),
        column("long", 2),
        period=0,
    )
    row = (
        Unsigned(255),
        DoubleLongUnsigned(0xFFFFFFFF),
        DoubleLong(-5),
        Long64(-(1 << 63)),
        Unsigned(3),
        Float32(0.5),
        Long64Unsigned((1 << 64) - 1),
        DoubleLong(-7),
        True,
        Long64(1 << 62),
    )
    for encoded in (True, False):
        table = table_of(shape, [row] * 8, encoded=encoded)
        made = table.to_arrow()
        made.validate(full=True)
        assert [str(field.type) for field in made.schema] == [
            "uint8",
            "decimal128(10, 3)",
            "decimal128(13, 0)",
            "double",
            "double",
            "double",
            "decimal128(20, 2)",
            "int32",
            "bool",
            "decimal128(21, 0)",
        ]
        exact = [float(v) if k in {"huge", "tiny", "real"} else v for k, v in table.to_dicts()[0].items()]
        assert list(made.to_pylist()[7].values()) == exact
    raw = table.to_numpy(scaled=False)
    assert raw["wide"].dtype == numpy.uint64
    assert raw["wide"][0] == (1 << 64) - 1


def test_texts_octets_and_mixed_values_become_texts_and_octets():
    shape = layout(*(column(name, class_id=1) for name in ("text", "octets", "mixed", "nothing")))
    rows = [
        (VisibleString("a"), OctetString(b"\x01"), Unsigned(1), None),
        (None, OctetString(b"xyz"), VisibleString("x"), None),
        (VisibleString("ü"), None, OctetString(b"\xab"), None),
    ]
    made = table_of(shape, rows, fill=False).to_arrow()
    made.validate(full=True)
    assert made.to_pydict() == {
        "text": ["a", None, "ü"],
        "octets": [b"\x01", b"xyz", None],
        "mixed": ["1", "x", "AB"],
        "nothing": [None] * 3,
    }
    assert list(table_of(shape, rows).to_numpy()["mixed"]) == [1, "x", b"\xab"]


def test_what_is_known_of_the_columns_goes_with_them():
    rows = [(stamp(START + n * QUARTER), DoubleLongUnsigned(n)) for n in (0, 1, 4)]
    made = table_of(layout(CLOCK, column("energy", -3)), rows).to_arrow()
    assert made.column_names == ["clock", "clock/status", "energy"]
    energy = made.schema.field("energy").metadata
    assert energy[b"unit"] == b"Wh"
    assert energy[b"scaler"] == b"-3"
    assert energy[b"obis"] == b"1.0.1.8.0.255"
    assert made.schema.field("clock").metadata[b"zone"] == b"UTC"
    facts = json.loads(made.schema.metadata[b"cosem"])
    assert facts["gaps"] == [
        {"after": "2026-11-24T00:15:00+01:00", "before": "2026-11-24T01:00:00+01:00", "missing": 2}
    ]
    assert facts["capture_period"] == 900


@pytest.mark.parametrize("newest_first", [False, True])
def test_gaps_are_told_by_the_period(newest_first):
    numbers = [0, 1, 4, 5, 5, 9]
    rows = [(stamp(START + n * QUARTER),) for n in (reversed(numbers) if newest_first else numbers)]
    table = table_of(layout(CLOCK, sort=2 if newest_first else 1), rows)
    spans = [(9, 5, 3), (4, 1, 2)] if newest_first else [(1, 4, 2), (5, 9, 3)]
    assert table.gaps == [Gap(START + a * QUARTER, START + b * QUARTER, m) for a, b, m in spans]
    assert table_of(layout(CLOCK, period=0), rows).gaps == []
    assert table_of(layout(column("x")), [(Unsigned(1),)]).gaps == []


def test_the_clock_status_of_each_row_is_kept():
    octets = DateTime.from_datetime(START).octets[:-1]
    rows = [(OctetString(octets + bytes((status,))),) for status in (0, 0x80, 0xFF, 2)] + [(None,)]
    table = table_of(layout(CLOCK), rows)
    assert table.clock_status == [0, 0x80, None, 2, None]
    assert table[1:4].clock_status == [0x80, None, 2]
    assert table.to_arrow().column("clock/status").to_pylist() == [0, 0x80, None, 2, None]
    assert table_of(layout(column("x")), [(Unsigned(1),)]).clock_status == [None]


def test_seconds_since_1970_are_moments_in_utc():
    shape = layout(column("time", kind="seconds", class_id=1))
    table = table_of(shape, [(DoubleLongUnsigned(1_800_000_000),), (None,), (DeltaInteger(30),)])
    wanted = [datetime.fromtimestamp(1_800_000_000 + more, UTC) for more in (0, 900, 930)]
    assert table.column(0) == wanted
    assert table.to_arrow().column(0).to_pylist() == wanted


@pytest.mark.parametrize(("period", "fill"), [(0, True), (900, False)])
def test_a_missing_unix_time_is_missing_in_every_kind_of_column(period, fill):
    shape = layout(column("time", kind="seconds", class_id=1), period=period)
    table = table_of(shape, [(None,), (DoubleLongUnsigned(1_700_000_000),), (None,)], fill=fill)
    present = datetime.fromtimestamp(1_700_000_000, UTC)
    assert table.column(0) == [None, present, None]
    assert table.to_arrow().column(0).to_pylist() == [None, present, None]
    assert numpy.isnat(table.to_numpy()["time"]).tolist() == [True, False, True]
    assert table.to_pandas()["time"].isna().tolist() == [True, False, True]
    assert table.to_pandas()["time"][1] == present
    assert numpy.isnat(table[1:].to_numpy()["time"]).tolist() == [False, True]


@pytest.mark.parametrize(
    "sent",
    [
        Long64Unsigned(1 << 60),
        Long64Unsigned((1 << 64) - 1),
        Long64(-(1 << 60)),
        Long64(253_402_300_800),
        Long64(-62_135_596_801),
    ],
)
def test_a_unix_time_outside_the_calendar_stays_the_number_that_it_is(sent):
    table = table_of(layout(column("time", kind="seconds", class_id=1)), [(sent,)])
    assert table.column(0) == [sent]
    assert table.to_numpy()["time"].tolist() == [sent]
    assert table.to_pandas()["time"].tolist() == [sent]
    assert table.to_arrow().column(0).to_pylist() == [str(sent)]


@pytest.mark.parametrize("seconds", [-62_135_596_800, 253_402_300_799])
def test_the_first_and_the_last_second_of_the_calendar_are_moments(seconds):
    table = table_of(layout(column("time", kind="seconds", class_id=1)), [(Long64(seconds),)])
    wanted = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)
    assert table.column(0) == [wanted]
    assert table.to_numpy()["time"].tolist() == [wanted.replace(tzinfo=None)]


def test_floats_that_a_scaler_makes_infinite_are_taken_without_a_warning():
    rows = [(Float64(1e300),), (Float64(5.0),)]
    assert table_of(layout(column("x", 10)), rows).to_numpy()["x"].tolist() == [float("inf"), 5e10]


def test_a_filled_unix_time_does_not_leave_the_calendar():
    shape = layout(column("time", kind="seconds", class_id=1))
    table = table_of(shape, [(Long64(253_402_300_000),), (None,)])
    assert table.to_numpy()["time"].tolist() == table.column(0)


def test_parts_of_a_table_have_the_columns_of_these_rows():
    rows = [(stamp(START), DoubleLongUnsigned(5), Unsigned(1))] + [(None, None, None)] * 9
    table = table_of(layout(CLOCK, column("energy", -3), column("status", class_id=1)), rows)
    part = table[4:8].where([True, False, True, True])
    assert len(part) == 3
    assert part.raw == tuple(table.raw[index] for index in (4, 6, 7))
    assert part.to_arrow().select(["clock", "energy"]).to_pydict() == {
        "clock": [START + n * QUARTER for n in (4, 6, 7)],
        "energy": [Decimal("0.005")] * 3,
    }


def sample() -> ProfileTable:
    rows = [(stamp(START + n * QUARTER), DoubleLongUnsigned(1000 + n), Unsigned(n)) for n in range(100)]
    rows[50] = (rows[50][0], None, Unsigned(3))
    return table_of(layout(CLOCK, column("energy", -3), column("status", class_id=1)), rows, fill=False)


def test_polars_takes_the_table():
    frame = sample().to_polars()
    assert frame.schema["clock"] == polars.Datetime("us", "UTC")
    assert frame["energy"][1] == Decimal("1.001")
    assert frame["energy"].null_count() == 1
    assert polars.DataFrame(sample()).equals(frame)


def test_pandas_takes_the_table():
    frame = sample().to_pandas()
    assert list(frame.columns) == ["clock", "clock/status", "energy", "status"]
    assert list(frame.columns) == sample().to_arrow().column_names
    assert str(frame["clock/status"].dtype) == "UInt8"
    assert list(frame["clock/status"]) == sample().clock_status
    assert str(frame["clock"].dtype) == "datetime64[us, UTC]"
    assert frame["energy"][1] == 1.001
    assert frame["energy"].isna().sum() == 1
    assert frame.attrs["units"] == {"energy": "Wh"}
    assert len(pandas.DataFrame.from_arrow(sample())) == 100


def test_duckdb_takes_the_table():
    table = sample()
    connection = duckdb.connect()
    connection.register("profile", table)
    count, total = connection.execute("select count(*), sum(energy) from profile").fetchone()
    assert (count, total) == (100, sum(value for value in table.column("energy") if value is not None))


@pytest.mark.parametrize("with_pyarrow", [True, False])
def test_files_hold_the_table(tmp_path, monkeypatch, with_pyarrow):
    real = importlib.import_module

    def load(name: str) -> Any:
        if name.startswith("pyarrow") and not with_pyarrow:
            raise ModuleNotFoundError(name)
        return real(name)

    monkeypatch.setattr(profile_export, "import_module", load)
    table = sample()
    table.to_parquet(tmp_path / "a.parquet")
    table.to_arrow_file(str(tmp_path / "a.arrow"))
    wanted = pyarrow.table(table)
    for read in (
        pyarrow.parquet.read_table(tmp_path / "a.parquet"),
        pyarrow.feather.read_table(tmp_path / "a.arrow"),
    ):
        assert read.to_pydict() == wanted.to_pydict()
        if with_pyarrow:
            assert read.schema.equals(wanted.schema, check_metadata=True)


@pytest.mark.parametrize(
    ("call", "package"),
    [
        (ProfileTable.to_arrow, "pyarrow"),
        (ProfileTable.to_polars, "polars"),
        (ProfileTable.to_pandas, "pandas"),
        (lambda table: table.to_parquet("x.parquet"), "pyarrow"),
        (ProfileTable.to_numpy, "numpy"),
    ],
    ids=["arrow", "polars", "pandas", "parquet", "numpy"],
)
def test_what_is_not_installed_is_named(monkeypatch, call, package):
    def missing(name: str) -> Any:
        raise ModuleNotFoundError(name)

    monkeypatch.setattr(profile_export, "import_module", missing)
    monkeypatch.setattr(codec_columns, "import_module", missing)
    with pytest.raises(UnsupportedError, match=f"{package}, which is not installed: pip install"):
        call(sample())


def test_everything_handed_out_is_released():
    gc.collect()
    before = len(profile_arrow._kept)
    made = pyarrow.table(sample())
    frames = [polars.DataFrame(sample()), made]
    unused = sample().__arrow_c_stream__(), sample().__arrow_c_schema__()
    assert len(profile_arrow._kept) > before
    assert pyarrow.schema(sample()).equals(made.schema)
    del made, frames, unused
    gc.collect()
    assert len(profile_arrow._kept) == before


def test_a_stream_that_has_ended_gives_no_more():
    columns = [ArrowColumn("a", "C", 2, 0, (None, b"\x01\x02"))]

    class Source:
        def __arrow_c_stream__(self, requested_schema: object = None) -> Any:
            return stream_capsule(columns, {}, 2)

        def __arrow_c_schema__(self) -> Any:
            return schema_capsule(columns, {})

    reader = pyarrow.RecordBatchReader.from_stream(Source())
    assert [batch.to_pydict() for batch in reader] == [{"a": [1, 2]}]
    with pytest.raises(StopIteration):
        reader.read_next_batch()


def test_a_table_that_lives_to_the_end_of_the_process_does_no_harm():
    code = (
        "import builtins, pyarrow\n"
        "from tests.client.test_profile_columns import sample\n"
        "builtins.kept = [pyarrow.table(sample()), sample().__arrow_c_stream__()]\n"
        "print('made')\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, cwd=".", timeout=60
    )
    assert (done.returncode, done.stdout) == (0, "made\n"), done.stderr


class ByOurCallbacks:
    """A table whose stream is never made by pyarrow, as for consumers of other makes."""

    def __init__(self) -> None:
        self.columns = [ArrowColumn("a", "C", 2, 0, (None, b"\x01\x02"))]

    def __arrow_c_stream__(self, requested_schema: object = None) -> Any:
        return stream_capsule(self.columns, {}, 2)


@pytest.mark.parametrize(
    ("source", "caught"),
    [("sample()", "KeyError"), ("ByOurCallbacks()", "Exception")],
    ids=["ours", "callbacks"],
)
def test_an_exception_of_the_consumer_while_it_drops_the_columns_does_no_harm(source, caught):
    code = (
        "import pyarrow\n"
        "from cosem.client import profile_arrow\n"
        "from tests.client.test_profile_columns import ByOurCallbacks, sample\n"
        "before = len(profile_arrow._kept)\n"
        "for _ in range(3):\n"
        "    try:\n"
        f"        pyarrow.table({source})['no such column']\n"
        f"    except {caught}:\n"
        "        print('caught', len(profile_arrow._kept) - before)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, cwd=".", timeout=60
    )
    assert (done.returncode, done.stdout) == (0, "caught 0\n" * 3), done.stderr
