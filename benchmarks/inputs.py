"""The octets that every subject of the benchmark gets: made here, from nothing but the standard library."""

from __future__ import annotations

import datetime
import random
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
    "IRREGULAR",
    "LONG_PROFILE",
    "LONG_ROWS",
    "PROFILE",
    "ENCRYPTION_KEY",
    "AUTHENTICATION_KEY",
    "OBIS",
    "ROWS",
    "LONG_VALUE",
    "SERVER_TITLE",
    "CIPHERED_CLIENTS",
    "VALUE",
    "push_plain",
    "pushes",
    "rows",
    "title_of",
]

ROWS = 1440
LONG_ROWS = 10_000
PROFILE = "1.0.99.1.0.255"
OBIS = "1.0.1.8.0.255"
VALUE = 12_345_678


def rows(count: int = ROWS) -> list[tuple[bytes, int, int, int, int, int]]:
    """Return a day of minutes, or more: date-time octets, a status, four counters."""
    start = datetime.datetime(2024, 5, 1)  # noqa: DTZ001 -- local time of a meter
    made = []
    for index in range(count):
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


def _data(count: int = ROWS) -> bytes:
    out = bytearray(
        b"\x01\x83" + struct.pack(">I", count)[1:]
        if count > 0xFFFF
        else b"\x01\x82" + struct.pack(">H", count)
    )
    for stamp, status, *counters in rows(count):
        out += b"\x02\x06\x09\x0c" + stamp + b"\x11" + bytes([status])
        for counter in counters:
            out += b"\x06" + struct.pack(">I", counter)
    return bytes(out)


def _irregular() -> bytes:
    """Return the same day with a clock in the first row only, and null-data for every fifth other value or so."""
    chance = random.Random(5)  # noqa: S311 -- the same rows every time
    out = bytearray(b"\x01\x82" + struct.pack(">H", ROWS))
    for index, (stamp, status, *counters) in enumerate(rows()):
        out += b"\x02\x06" + (b"\x00" if index else b"\x09\x0c" + stamp)
        out += b"\x00" if chance.random() < 0.2 else b"\x11" + bytes([status])
        for counter in counters:
            out += b"\x00" if chance.random() < 0.2 else b"\x06" + struct.pack(">I", counter)
    return bytes(out)


DATA = _data()
IRREGULAR = _irregular()
LONG_PROFILE = _data(LONG_ROWS)
MANY_ROWS = 100_000


def many() -> bytes:
    """Return 100,000 rows; made when they are wanted, since few want them."""
    return _data(MANY_ROWS)


GET_REQUEST = bytes.fromhex("C001C100030100010800FF0200")
GET_RESPONSE = bytes.fromhex("C401C10006") + struct.pack(">I", VALUE)

ENCRYPTION_KEY, AUTHENTICATION_KEY = bytes(range(16)), bytes(range(0xD0, 0xE0))
CLIENT_TITLE, SERVER_TITLE = bytes.fromhex("4D4D4D0000000001"), bytes.fromhex("4D4D4D0000BC614E")
CIPHERED_CLIENTS = range(1, 17)
"""Addresses at the server that ciphers: each case of each subject has its own."""


def title_of(client: int) -> bytes:
    """Return the system title of the client with this address."""
    return b"MMM" + bytes((0, 0, 0, 1, client))


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

PUSHES = 32
"""So many messages of one meter are decoded in turn: counters, times and values differ from one to the next."""


def push_plain(number: int) -> bytes:
    """Return a DataNotification of 305 octets: 15 registers with name, value, scaler and unit."""
    stamp = struct.pack(">HBBBBBBBhB", 2026, 3, 12, 4, 15, 24, number % 60, 0, -60, 0)
    out = bytearray(b"\x0f" + struct.pack(">I", number) + b"\x0c" + stamp + b"\x02\x0f")
    for index in range(15):
        name = bytes((1, 0, 21 + index, 7, 0, 255))
        out += b"\x02\x03\x09\x06" + name + b"\x06" + struct.pack(">I", 1000 * number + index)
        out += b"\x02\x02\x0f\xff\x16\x1b"
    return bytes(out)


def pushes() -> list[bytes]:
    """Return the notifications in general-glo-ciphering, suite 0, authenticated and encrypted."""
    from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

    made = []
    for number in range(1, PUSHES + 1):
        counter = struct.pack(">I", number)
        cipher = Cipher(
            algorithms.AES(ENCRYPTION_KEY), modes.GCM(SERVER_TITLE + counter, None, 12)
        ).encryptor()
        cipher.authenticate_additional_data(b"\x30" + AUTHENTICATION_KEY)
        ciphertext = cipher.update(push_plain(number)) + cipher.finalize()
        content = b"\x30" + counter + ciphertext + cipher.tag[:12]
        made.append(b"\xdb\x08" + SERVER_TITLE + b"\x82" + struct.pack(">H", len(content)) + content)
    return made
