"""The octets that every subject of the benchmark gets: made here, from nothing but the standard library."""

from __future__ import annotations

import datetime
import struct

__all__ = ["DATA", "GET_REQUEST", "GET_RESPONSE", "OBIS", "ROWS", "VALUE", "rows"]

ROWS = 1440
OBIS = "1.0.1.8.0.255"
VALUE = 12_345_678


def rows() -> list[tuple[bytes, int, int, int, int, int]]:
    """Return a day of minutes: date-time octets, a status, four counters."""
    start = datetime.datetime(2024, 5, 1)  # noqa: DTZ001 -- local time of a meter
    made = []
    for index in range(ROWS):
        moment = start + datetime.timedelta(minutes=index)
        stamp = struct.pack(
            ">HBBBBBBBhB",
            moment.year,
            moment.month,
            moment.day,
            moment.isoweekday(),
            moment.hour,
            moment.minute,
            0,
            0,
            -120,
            0x80,
        )
        made.append((stamp, index % 7, 1_000_000 + 7 * index, 2_000_000 + 3 * index, 5 * index, 11 * index))
    return made


def _data() -> bytes:
    out = bytearray(b"\x01\x82" + struct.pack(">H", ROWS))
    for stamp, status, *counters in rows():
        out += b"\x02\x06\x09\x0c" + stamp + b"\x11" + bytes([status])
        for counter in counters:
            out += b"\x06" + struct.pack(">I", counter)
    return bytes(out)


DATA = _data()
GET_REQUEST = bytes.fromhex("C001C100030100010800FF0200")
GET_RESPONSE = bytes.fromhex("C401C10006") + struct.pack(">I", VALUE)
