"""Profiles for others: Arrow columns with exact decimals, and through them polars, pandas, pyarrow and files.

The types follow from the tags that the meter sends and from the scalers, never from the
values, so that the same profile has the same types every time. A column without
values has the type of earlier readings of the same client, or the one that its class
declares, or the null type, which every library puts together with any other. numpy
makes the buffers where it is installed; the standard library does without.
"""

from __future__ import annotations

import json
import sys
from array import array
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from importlib import import_module
from typing import TYPE_CHECKING, Any, BinaryIO, Final

from cosem.client.profile_arrow import ArrowColumn, pyarrow_capsule, schema_capsule, stream_capsule
from cosem.client.profile_outputs import cell_text
from cosem.client.profile_types import DELTA_TAGS
from cosem.codec.columns import common_kind
from cosem.codec.row_template import ODD
from cosem.codec.scalars import TAG_NAMES
from cosem.errors import UnsupportedError
from cosem.types.date_time import DateTime

if TYPE_CHECKING:
    from pathlib import Path

    from cosem.client.profile_layout import Column
    from cosem.client.profile_table import ProfileTable

__all__ = ["arrow_columns", "schema", "stream", "to_arrow", "to_pandas", "to_polars", "write_file"]

_FORMATS: Final = {
    "?": "b",
    "i1": "c",
    "u1": "C",
    "i2": "s",
    "u2": "S",
    "i4": "i",
    "u4": "I",
    "i8": "l",
    "u8": "L",
    "f4": "f",
    "f8": "g",
}
_ARRAY_CODES: Final = {
    "i1": "b",
    "u1": "B",
    "i2": "h",
    "u2": "H",
    "i4": "i",
    "u4": "I",
    "i8": "q",
    "u8": "Q",
    "f4": "f",
    "f8": "d",
}
_DIGITS: Final = {"i1": 3, "u1": 3, "i2": 5, "u2": 5, "i4": 10, "u4": 10, "i8": 19, "u8": 20}
_MOST_DIGITS: Final = 38
"""What 128 bits hold."""
_OCTET_STRING: Final = 9
_EPOCH: Final = datetime(1970, 1, 1)  # noqa: DTZ001 -- taken from moments without their zone
_MICROSECOND: Final = timedelta(microseconds=1)


def stream(table: ProfileTable) -> Any:
    """Return the table as a capsule of the Arrow C stream interface."""
    make = pyarrow_capsule if "pyarrow" in sys.modules else stream_capsule
    return make(arrow_columns(table), _about(table), len(table))


def schema(table: ProfileTable) -> Any:
    """Return names and types of the columns as a capsule of the Arrow C data interface."""
    return schema_capsule(arrow_columns(table), _about(table))


def to_arrow(table: ProfileTable) -> Any:
    """Return a ``pyarrow.Table``."""
    return _load("pyarrow", "arrow").table(table)


def to_polars(table: ProfileTable) -> Any:
    """Return a ``polars.DataFrame``."""
    return _load("polars").DataFrame(table)


def to_pandas(table: ProfileTable) -> Any:
    """Return a ``pandas.DataFrame``."""
    pandas = _load("pandas")
    from cosem.client.profile_columns import numpy_columns, prepared

    columns: dict[str, Any] = {}
    for index, (key, values) in enumerate(numpy_columns(table).items()):
        made = prepared(table, index) if table.columns[index].kind != "value" else None
        series = pandas.Series(values)
        columns[key] = series.dt.tz_localize("UTC") if made is not None and made.utc else series
        if table.columns[index] is table.layout.clock and table.columns[index].kind == "moment":
            columns[_status_key(key)] = pandas.Series(table.clock_status, dtype="UInt8")
    frame = pandas.DataFrame(columns)
    frame.attrs.update(json.loads(_about(table)["cosem"]))
    frame.attrs["units"] = {column.key: column.unit for column in table.columns if column.unit}
    return frame


def write_file(table: ProfileTable, file: str | Path | BinaryIO, kind: str) -> None:
    """Write a Parquet or an Arrow file.

    Raises:
        UnsupportedError: Neither pyarrow nor polars is installed.
    """
    try:
        arrow = import_module("pyarrow")
    except ModuleNotFoundError:
        try:
            frame = import_module("polars").DataFrame(table)
        except ModuleNotFoundError:
            raise UnsupportedError(
                f"{kind} files need the package pyarrow, which is not installed: pip install 'cosem[arrow]'"
            ) from None
        if kind == "parquet":
            frame.write_parquet(file)
        else:
            frame.write_ipc(file)
        return
    made = arrow.table(table)
    if kind == "parquet":
        import_module("pyarrow.parquet").write_table(made, file)
    else:
        import_module("pyarrow.feather").write_feather(made, file)


def _load(name: str, extra: str | None = None) -> Any:
    try:
        return import_module(name)
    except ModuleNotFoundError:
        wanted = f"'cosem[{extra}]'" if extra else name
        raise UnsupportedError(
            f"this needs the package {name}, which is not installed: pip install {wanted}"
        ) from None


# --- what is known of the table and its columns ---------------------------------------------------------


def _about(table: ProfileTable) -> dict[str, str]:
    layout = table.layout
    facts = {
        "profile": str(layout.logical_name),
        "capture_period": layout.capture_period,
        "newest_first": layout.newest_first,
        "selected_by": table.selected_by,
        "gaps": [
            {"after": gap.after.isoformat(), "before": gap.before.isoformat(), "missing": gap.missing}
            for gap in table.gaps
        ],
    }
    return {"cosem": json.dumps(facts)}


def _of(column: Column) -> dict[str, str]:
    facts = {
        "obis": str(column.logical_name),
        "name": column.name,
        "class_id": str(column.class_id),
        "attribute": str(column.attribute),
    }
    if column.data_index:
        facts["data_index"] = str(column.data_index)
    if column.scaler_unit is not None:
        facts["unit"] = column.unit
        facts["scaler"] = str(column.scaler_unit.scaler)
    return facts


# --- buffers --------------------------------------------------------------------------------------------


def arrow_columns(table: ProfileTable) -> list[ArrowColumn]:
    """Return the columns as Arrow lays them out; behind the clock, its status octets."""
    try:
        numpy = import_module("numpy")
    except ModuleNotFoundError:
        numpy = None
    clock = table.layout.clock
    columns = []
    for index, column in enumerate(table.columns):
        columns.append(_arrow(table, index, numpy))
        if column is clock and column.kind == "moment":
            facts = {"name": "Clock status", "obis": str(column.logical_name)}
            statuses = table.clock_status
            columns.append(_numbers(_status_key(column.key), "u1", statuses, _missing(statuses), facts))
    return columns


def _status_key(clock: str) -> str:
    return f"{clock}/status"


def _arrow(table: ProfileTable, index: int, numpy: Any) -> ArrowColumn:
    column = table.columns[index]
    facts = _of(column)
    values: Any
    root = table
    while root.parent is not None:
        root = root.parent[0]
    tags = root.encoded().tags(index) - {0}
    if not tags:
        return _nulls(column, len(table), facts, fills=table.fills)
    if numpy is not None:
        from cosem.client.profile_columns import prepared

        made = prepared(table, index)
        if made is not None and made.utc is not None:
            facts["zone"] = "UTC" if made.utc else "local"
            return _moments(column.key, made.values.view("i8"), made.missing, made.utc, facts)
        if made is not None:
            kind = f"{made.values.dtype.kind}{made.values.dtype.itemsize}".replace("b1", "?")
            return _scaled(column, kind, made.values, made.missing, facts)
    values = table.unscaled(index)
    present = [value for value in values if value is not None]
    if column.kind != "value" and present and all(isinstance(each, (datetime, DateTime)) for each in present):
        return _datetimes(column.key, values, facts)
    common = common_kind(tags)
    if common is None or column.kind != "value" or (tags & DELTA_TAGS and not table.fills):
        return _anything(column.key, table.column(index), tags, facts)
    return _scaled(column, common, values, _missing(values), facts)


def _nulls(column: Column, length: int, facts: dict[str, str], *, fills: bool) -> ArrowColumn:
    """Return a column without values, of the type that values would have as far as that is known."""
    values = [None] * length
    missing = [True] * length if length else None
    if column.kind != "value":
        utc = column.kind == "seconds" or column.zoned is not False
        facts["zone"] = "UTC" if utc else "local"
        return _moments(column.key, values, missing, utc, facts)
    tags = column.tags or _declared(column)
    common = common_kind(tags)
    if common is None or (tags & DELTA_TAGS and not fills):
        return _anything(column.key, values, tags, facts)
    return _scaled(column, common, values, missing, facts)


def _declared(column: Column) -> frozenset[int]:
    """Return the tag of an attribute, where its class leaves no choice."""
    from cosem.classes.registry import class_of

    declared = class_of(column.class_id)
    attribute = None if declared is None or column.data_index else declared.attribute(column.attribute)
    text = "" if attribute is None else attribute.data_type.text.partition("[")[0]
    return frozenset(tag for tag, name in TAG_NAMES.items() if name == text)


def _missing(values: Sequence[Any]) -> list[bool] | None:
    return [value is None for value in values] if None in values else None


def _validity(missing: Any) -> tuple[int, bytes | None]:
    """Return how many values are missing, and a bit for each that is there."""
    if missing is None:
        return 0, None
    if isinstance(missing, list):
        bits = "".join("0" if gone else "1" for gone in reversed(missing))
        return sum(missing), int(f"0{bits}", 2).to_bytes((len(missing) + 7) // 8, "little")
    numpy = import_module("numpy")
    return int(missing.sum()), numpy.packbits(~missing, bitorder="little").tobytes()


def _bits(values: Any) -> bytes:
    _, bits = _validity([not value for value in values] if isinstance(values, list) else ~values)
    return bits or b""


def _octets(values: Any, kind: str) -> bytes:
    if isinstance(values, list):
        return array(_ARRAY_CODES[kind], [0 if value is None else value for value in values]).tobytes()
    octets: bytes = values.astype(kind).tobytes()
    return octets


def _numbers(
    name: str, kind: str, values: Any, missing: Any, facts: dict[str, str], kind_name: str = ""
) -> ArrowColumn:
    null_count, validity = _validity(missing)
    octets = _bits(values) if kind == "?" else _octets(values, kind)
    return ArrowColumn(name, kind_name or _FORMATS[kind], len(values), null_count, (validity, octets), facts)


def _moments(name: str, microseconds: Any, missing: Any, utc: bool, facts: dict[str, str]) -> ArrowColumn:
    return _numbers(name, "i8", microseconds, missing, facts, "tsu:UTC" if utc else "tsu:")


def _datetimes(name: str, values: Sequence[Any], facts: dict[str, str]) -> ArrowColumn:
    """Return moments: UTC if any of them knows its zone, and then those that do not are missing."""
    utc = any(isinstance(value, datetime) and value.tzinfo is not None for value in values)
    facts["zone"] = "UTC" if utc else "local"
    microseconds = [
        (value.replace(tzinfo=None) - (value.utcoffset() or timedelta()) - _EPOCH) // _MICROSECOND
        if isinstance(value, datetime) and (value.tzinfo is not None) is utc
        else None
        for value in values
    ]
    return _moments(name, microseconds, _missing(microseconds), utc, facts)


def _scaled(column: Column, kind: str, values: Any, missing: Any, facts: dict[str, str]) -> ArrowColumn:
    """Return numbers, exact: with a scaler as decimals, floating-point ones as such."""
    scaler = 0 if column.scaler_unit is None else column.scaler_unit.scaler
    digits = _DIGITS.get(kind, 0) + max(scaler, 0)
    if not scaler or kind == "?":
        return _numbers(column.key, kind, values, missing, facts)
    if not _DIGITS.get(kind) or max(digits, -scaler) > _MOST_DIGITS:
        assert column.scaler_unit is not None  # noqa: S101 -- for the type checker: there is a scaler
        apply = column.scaler_unit.apply
        plain = values if isinstance(values, list) else values.tolist()
        floats = [0.0 if value is None else float(apply(value)) for value in plain]
        return _numbers(column.key, "f8", floats, missing, facts)
    null_count, validity = _validity(missing)
    kind_name = f"d:{max(digits, -scaler)},{max(-scaler, 0)}"
    octets = _decimals(values, 10 ** max(scaler, 0), narrow=digits <= 18)
    return ArrowColumn(column.key, kind_name, len(values), null_count, (validity, octets), facts)


def _decimals(values: Any, factor: int, *, narrow: bool) -> bytes:
    """Return numbers of 128 bits: low half first, the sign in the high one."""
    unsigned = not isinstance(values, list) and values.dtype.kind == "u"
    if isinstance(values, list) or (factor != 1 and not narrow):
        plain = values if isinstance(values, list) else values.tolist()
        return b"".join(((value or 0) * factor).to_bytes(16, "little", signed=True) for value in plain)
    numpy = import_module("numpy")
    halves = numpy.zeros((len(values), 2), "<u8" if unsigned else "<i8")
    halves[:, 0] = values
    if factor != 1:
        halves[:, 0] *= factor
    if not unsigned:
        halves[:, 1] = halves[:, 0] >> 63
    octets: bytes = halves.tobytes()
    return octets


def _anything(name: str, values: list[Any], tags: frozenset[int], facts: dict[str, str]) -> ArrowColumn:
    """Return texts as texts, octets as octets, and whatever is mixed as texts."""
    present = [value for value in values if value is not None]
    if not present and not tags - {ODD}:
        return ArrowColumn(name, "n", len(values), len(values), (), facts)
    if all(isinstance(value, bytes) for value in present) if present else tags == {_OCTET_STRING}:
        return _strings(name, "z", values, bytes, facts)
    return _strings(name, "u", values, lambda value: str(cell_text(value)).encode(), facts)


def _strings(
    name: str, kind: str, values: list[Any], octets_of: Callable[[Any], bytes], facts: dict[str, str]
) -> ArrowColumn:
    offsets = array("i", [0])
    parts = []
    end = 0
    for value in values:
        octets = b"" if value is None else octets_of(value)
        parts.append(octets)
        end += len(octets)
        offsets.append(end)
    null_count, validity = _validity(_missing(values))
    buffers = (validity, offsets.tobytes(), b"".join(parts))
    return ArrowColumn(name, kind, len(values), null_count, buffers, facts)
