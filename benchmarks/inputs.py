"""The octets that every subject of the benchmark gets: made here, from nothing but the standard library."""

from __future__ import annotations

import datetime
import struct

__all__ = [
    "DATA",
    "CLIENT_TITLE",
    "GET_REQUEST",
    "GET_RESPONSE",
    "HDLC_FRAMES",
    "HDLC_MESSAGE",
    "HDLC_SEGMENT",
    "HDLC_SEGMENTS",
    "ENCRYPTION_KEY",
    "AUTHENTICATION_KEY",
    "OBIS",
    "ROWS",
    "LONG_VALUE",
    "SERVER_TITLE",
    "VALUE",
    "rows",
]

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

ENCRYPTION_KEY, AUTHENTICATION_KEY = bytes(range(16)), bytes(range(0xD0, 0xE0))
CLIENT_TITLE, SERVER_TITLE = bytes.fromhex("4D4D4D0000000001"), bytes.fromhex("4D4D4D0000BC614E")
LONG_VALUE = bytes(i % 251 for i in range(1000))

HDLC_SEGMENT = 128
HDLC_MESSAGE = (
    bytes.fromhex("E6E700C401C1000982") + struct.pack(">H", 2048 - 11) + bytes(i % 251 for i in range(2037))
)
HDLC_SEGMENTS = [HDLC_MESSAGE[at : at + HDLC_SEGMENT] for at in range(0, len(HDLC_MESSAGE), HDLC_SEGMENT)]


def _check_sequence(octets: bytes) -> bytes:
    register = 0xFFFF
    for octet in octets:
        register ^= octet
        for _ in range(8):
            register = register >> 1 ^ 0x8408 if register & 1 else register >> 1
    return struct.pack("<H", register ^ 0xFFFF)


def _frames() -> bytes:
    """Return I frames N(S) 0, 1 ... of the message, from logical device 1, physical 17, to client 16."""
    out = bytearray()
    for number, segment in enumerate(HDLC_SEGMENTS):
        more = number + 1 < len(HDLC_SEGMENTS)
        size = 2 + 3 + 1 + 2 + len(segment) + 2
        head = struct.pack(">H", 0xA000 | more << 11 | size) + bytes.fromhex("21 02 23")
        head += bytes([0x30 | number % 8 << 1])
        body = head + _check_sequence(head) + segment
        out += b"\x7e" + body + _check_sequence(body) + b"\x7e"
    return bytes(out)


HDLC_FRAMES = _frames()
