"""Making a value of Data of a given type from what a program has at hand.

Nothing is lost silently: a number must be whole and in range, a text for
visible-string ASCII, octets for a date-time twelve.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, time
from typing import Any, Final

from cosem.errors import EncodeError
from cosem.types.data import (
    Bcd,
    BitString,
    CompactArray,
    DataValue,
    DoubleLong,
    DoubleLongUnsigned,
    Enum,
    Float32,
    Float64,
    Integer,
    Long,
    Long64,
    Long64Unsigned,
    LongUnsigned,
    OctetString,
    Unsigned,
    Utf8String,
    VisibleString,
)
from cosem.types.date_time import Date, DateTime, Time
from cosem.types.logical_name import LogicalName

__all__ = ["CALENDAR", "KINDS", "make", "type_name"]

KINDS: Final[dict[str, type[Any]]] = {
    "null-data": type(None),
    "boolean": bool,
    "bit-string": BitString,
    "double-long": DoubleLong,
    "double-long-unsigned": DoubleLongUnsigned,
    "octet-string": OctetString,
    "visible-string": VisibleString,
    "utf8-string": Utf8String,
    "bcd": Bcd,
    "integer": Integer,
    "long": Long,
    "unsigned": Unsigned,
    "long-unsigned": LongUnsigned,
    "compact-array": CompactArray,
    "long64": Long64,
    "long64-unsigned": Long64Unsigned,
    "enum": Enum,
    "float32": Float32,
    "float64": Float64,
    "date-time": DateTime,
    "date": Date,
    "time": Time,
}
"""The Python class of each type name besides array and structure."""

CALENDAR: Final = {12: "date-time", 5: "date", 4: "time"}
"""What an octet-string of so many octets holds, in every class of the standard."""


def type_name(value: object) -> str:
    """Return the name of the type of a value of Data, as the ASN.1 has it."""
    if value is None:
        return "null-data"
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, (bytes, bytearray)):
        return "octet-string"
    name: str | None = getattr(value, "asn1_name", None)
    return name or f"{type(value).__name__} (no COSEM type)"


def make(kind: type[Any], size: int | None, value: Any) -> Any:
    """Return ``value`` as the Data class ``kind``, of ``size`` octets or bits.

    Raises:
        EncodeError, ValueError, TypeError: It cannot be.
    """
    return _MAKERS.get(kind, _as_given)(kind, size, value)


def _as_given(_kind: type[Any], _size: int | None, value: Any) -> Any:
    return value


def _make_boolean(_kind: type[Any], _size: int | None, value: Any) -> bool:
    if isinstance(value, int) and value in (0, 1):
        return bool(value)
    raise EncodeError("true, false, 0 or 1 wanted")


def _make_number(kind: type[Any], _size: int | None, value: Any) -> DataValue:
    """Return a number of the type, checked; a float only where nothing is lost."""
    if (packed := getattr(value, "packed", None)) is not None:  # an internet address
        value = int.from_bytes(packed, "big")
    try:
        if isinstance(value, (str, bytes)) or int(value) != value:
            raise EncodeError("a whole number wanted")
    except (TypeError, ValueError, OverflowError) as error:
        raise EncodeError("a whole number wanted") from error
    if not kind.minimum <= value <= kind.maximum:
        raise EncodeError(f"outside {kind.minimum}..{kind.maximum}")
    number: DataValue = kind(int(value))
    return number


def _make_float(kind: type[Any], _size: int | None, value: Any) -> DataValue:
    if isinstance(value, (str, bytes)):
        raise EncodeError("a number wanted")
    number: DataValue = value if isinstance(value, kind) else kind(value)
    return number


def _make_octet_string(kind: type[Any], size: int | None, value: Any) -> OctetString:
    if isinstance(value, (bytes, bytearray, memoryview)):
        return OctetString(value)
    if isinstance(value, (DateTime, Date, Time)):
        return OctetString(value.octets)
    if isinstance(packed := getattr(value, "packed", None), bytes):  # an internet address
        return OctetString(packed)
    meaning = CALENDAR.get(size or 0)
    if meaning is not None:
        return OctetString(_calendar(KINDS[meaning], value).octets)
    if isinstance(value, (datetime, date, time)):
        kind = DateTime if isinstance(value, datetime) else Time if isinstance(value, time) else Date
        return OctetString(_calendar(kind, value).octets)
    if isinstance(value, str):
        return OctetString(LogicalName.parse(value) if size == 6 else value.encode("utf-8"))
    if isinstance(value, (tuple, list)):
        return OctetString(value)
    raise EncodeError("octets or a text wanted")


def _calendar(kind: type[Any], value: Any) -> Any:
    """Return a date-time, date or time of a Python one, a text, octets, or one of its own."""
    if isinstance(value, kind):
        return value
    if isinstance(value, (bytes, bytearray)):
        return kind(value)
    if isinstance(value, str):
        return kind.parse(value)
    if kind is DateTime and isinstance(value, datetime):
        return DateTime.from_datetime(value)
    if kind is Date and isinstance(value, date):
        return Date.from_date(value)
    if kind is Time and isinstance(value, time):
        return Time.from_time(value)
    raise EncodeError(f"{kind.asn1_name} wanted")


def _make_calendar(kind: type[Any], _size: int | None, value: Any) -> Any:
    return _calendar(kind, value)


def _make_text(kind: type[Any], _size: int | None, value: Any) -> Any:
    if isinstance(value, kind):
        return value
    if isinstance(value, bytes):
        return kind(value.decode("utf-8" if kind is Utf8String else "latin-1"))
    if isinstance(value, str):
        if kind is VisibleString and not value.isascii():
            raise EncodeError("ASCII wanted")
        return kind(value)
    raise EncodeError("a text wanted")


def _make_bit_string(_kind: type[Any], size: int | None, value: Any) -> BitString:
    """Return bits; a number, such as a flag, gives its highest bit first and needs a fixed size."""
    if isinstance(value, BitString):
        return value
    if isinstance(value, str):
        return BitString.from_text(value)
    if isinstance(value, int):
        if size is None or not 0 <= value < 1 << size:
            raise EncodeError("bits wanted")
        return BitString.from_text(f"{int(value):0{size}b}")
    if isinstance(value, (bytes, bytearray)):
        return BitString(bytes(value), size)
    return BitString.from_text("".join("1" if bit else "0" for bit in value))


_MAKERS: Final[dict[type[Any], Callable[[type[Any], int | None, Any], Any]]] = {
    bool: _make_boolean,
    BitString: _make_bit_string,
    OctetString: _make_octet_string,
    VisibleString: _make_text,
    Utf8String: _make_text,
    Float32: _make_float,
    Float64: _make_float,
    DateTime: _make_calendar,
    Date: _make_calendar,
    Time: _make_calendar,
    **{kind: _make_number for kind in KINDS.values() if hasattr(kind, "minimum")},
}
