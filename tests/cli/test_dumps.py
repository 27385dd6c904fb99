"""Dumps in the dress of every tool, read whole and in pieces: the same octets come out."""

from __future__ import annotations

import base64
import json
import textwrap
from contextlib import suppress

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from cosem.cli.dumps import DumpReader, read_dump
from cosem.errors import ConfigurationError
from tests.vectors import load, vector


def rows(octets, width: int = 16) -> list:
    return [octets[start : start + width] for start in range(0, len(octets), width)]


def column(octets: bytes) -> str:
    return "".join(chr(octet) if 32 <= octet < 127 else "." for octet in octets)


def little(octets: bytes) -> list[int]:
    return [int.from_bytes(pair, "little") for pair in rows(octets, 2)]


def xxd(octets: bytes) -> str:
    return "\n".join(
        f"{index * 16:08x}: {' '.join(pair.hex() for pair in rows(row, 2)):<39}  {column(row)}"
        for index, row in enumerate(rows(octets))
    )


def hexdump(octets: bytes) -> str:
    """hexdump without options: words, the low octet first, the length at the end."""
    lines = [
        f"{index * 16:07x} " + " ".join(f"{word:04x}" for word in little(row))
        for index, row in enumerate(rows(octets))
    ]
    return "\n".join([*lines, f"{len(octets):07x}", ""])


def hexdump_canonical(octets: bytes) -> str:
    lines = [
        f"{index * 16:08x}  {row[:8].hex(' '):<23}  {row[8:].hex(' '):<23}  |{column(row)}|"
        for index, row in enumerate(rows(octets))
    ]
    return "\n".join([*lines, f"{len(octets):08x}", ""])


def signed(octets: bytes) -> list[int]:
    return [octet - 256 if octet > 127 else octet for octet in octets]


def logged_list(octets: bytes, form: str) -> str:
    return "\n".join(form.format(signed(row)) for row in rows(octets, 20))


def od(octets: bytes | list[int], cell: str, word: bool = False) -> str:
    lines = [
        f"{index * 16:07o}" + "".join(cell.format(each) for each in (little(row) if word else row))
        for index, row in enumerate(rows(octets))
    ]
    return "\n".join([*lines, f"{len(octets):07o}", ""])


def od_signs(octets: bytes) -> str:
    names = {0: "\\0", 7: "\\a", 8: "\\b", 9: "\\t", 10: "\\n", 11: "\\v", 12: "\\f", 13: "\\r"}
    signs = [names.get(octet) or (chr(octet) if 32 <= octet < 127 else f"{octet:03o}") for octet in octets]
    lines = [
        f"{start:07o}" + "".join(f"{sign:>4}" for sign in signs[start : start + 16])
        for start in range(0, len(signs), 16)
    ]
    return "\n".join([*lines, f"{len(octets):07o}", ""])


def wireshark(octets: bytes) -> str:
    return "\n".join(
        f"{index * 16:04x}  {row[:8].hex(' '):<23} {row[8:].hex(' '):<23}   {column(row)}"
        for index, row in enumerate(rows(octets))
    )


def logged(octets: bytes, form: str, width: int = 20) -> str:
    return "\n".join(form.format(row.hex(" ").upper(), row.hex().upper()) for row in rows(octets, width))


def xxd_bits(octets: bytes, width: int = 6) -> str:
    return "\n".join(
        f"{width * number:08x}: "
        + " ".join(f"{octet:08b}" for octet in row).ljust(9 * width - 1)
        + "  "
        + "".join(chr(octet) if 32 <= octet < 127 else "." for octet in row)
        for number, row in enumerate(rows(octets, width))
    )


DRESSES = {
    "xxd -b": xxd_bits,
    "xxd -b -c 4": lambda octets: xxd_bits(octets, 4),
    "prefix": lambda octets: f"x {octets.hex().upper()}",
    "topic": lambda octets: f"meter/han/raw {octets.hex().upper()}",
    "long topic": lambda octets: f"homeassistant/sensor/Meter42/raw {octets.hex()}",
    "time and direction": lambda octets: f"2024-01-01T00:00:00 RX {octets.hex()}",
    "lines with times": lambda octets: logged(octets, "2024-01-01T00:00:00.123Z RX {1}"),
    "slashed dates": lambda octets: logged(octets, "2024/01/01 00:00:00 RX {0}"),
    "dates of Europe": lambda octets: logged(octets, "25.11.2024 00:00:00 RX {0}"),
    "journal": lambda octets: logged(octets, "Nov 25 12:19:30 gateway reader[812]: rx {0}"),
    "epoch": lambda octets: logged(octets, "1700000000.123 {1}"),
    "kernel": lambda octets: logged(octets, "[  123.456789] meter: {0}"),
    "counted": lambda octets: logged(octets, "rx (20): {0}"),
    "0x before all": lambda octets: f"0x{octets.hex()}",
    "quoted": lambda octets: f'"{octets.hex()}"',
    "sql": lambda octets: f"X'{octets.hex()}'",
    "percent": lambda octets: "".join(f"%{octet:02X}" for octet in octets),
    "suffix h": lambda octets: " ".join(f"{octet:02X}h" for octet in octets),
    "suffix h and commas": lambda octets: ", ".join(f"{octet:02X}h" for octet in octets),
    "one in each line": lambda octets: "\n".join(f"0x{octet:02x}" for octet in octets),
    "one with a comma in each line": lambda octets: "\n".join(f"0x{octet:02x}," for octet in octets),
    "one without 0 in each line": lambda octets: "\n".join(f"0x{octet:x}" for octet in octets),
    "C": lambda octets: (
        "static const uint8_t frame[] = {" + ", ".join(f"0x{octet:02x}" for octet in octets) + "};"
    ),
    "C in lines": lambda octets: (
        "unsigned char frame[] = {\n"
        + "".join(f"  {', '.join(f'0x{octet:02x}' for octet in row)},\n" for row in rows(octets, 12))
        + "};\n"
    ),
    "C with the size of the array": lambda octets: (
        f"const uint8_t buf[10{len(octets) % 90 + 10}] PROGMEM = {{\n"
        + "".join(f"  {', '.join(f'0x{octet:02x}' for octet in row)},\n" for row in rows(octets, 12))
        + f"}};\nunsigned int buf_len = {len(octets) % 90 + 10};\n"
    ),
    "decimal C with the size of the array": lambda octets: (
        f"unsigned char telegram[{len(octets)}] = {{ " + ", ".join(str(octet) for octet in octets) + " };"
    ),
    "C without 0": lambda octets: "{" + ", ".join(f"0x{octet:X}" for octet in octets) + "}",
    "C of Wireshark": lambda octets: (
        "char peer0_0[] = { /* Packet 1 */\n"
        + "".join(f"{', '.join(f'0x{octet:02x}' for octet in row)}, \n" for row in rows(octets, 8))
        + "};\n"
    ),
    "escapes of Wireshark": lambda octets: "\n".join(
        '"' + "".join(f"\\x{octet:02x}" for octet in row) + '" \\' for row in rows(octets)
    ),
    "Python": repr,
    "Python bytearray": lambda octets: repr(bytearray(octets)),
    "Python log": lambda octets: "\n".join(f"DEBUG:serial:read {row!r}" for row in rows(octets, 30)),
    "Python hex text": lambda octets: repr(octets.hex().encode()),
    "JSON base64": lambda octets: json.dumps({"id": 7, "payload": base64.b64encode(octets).decode()}),
    "JSON hex": lambda octets: json.dumps({"meter": "Main Street 12", "data": octets.hex()}),
    "JSON numbers": lambda octets: json.dumps({"id": 7, "data": list(octets)}),
    "JSON numbers alone": lambda octets: json.dumps(list(octets)),
    "JSON numbers in lines": lambda octets: json.dumps(list(octets), indent=2),
    "JSON base64 in lines": lambda octets: json.dumps(
        {"id": "Meter-7", "data": base64.b64encode(octets).decode()}, indent=2
    ),
    "JSON lines": lambda octets: "\n".join(
        json.dumps({"time": "2024-01-01T00:00:00", "hex": row.hex()}) for row in rows(octets, 30)
    ),
    "JSON behind a topic": lambda octets: "tele/meter/RESULT " + json.dumps({"data": octets.hex()}),
    "Java": lambda octets: str(signed(octets)),
    "Java in a log": lambda octets: logged_list(octets, "2024-01-01 00:00:00.123 DEBUG received: {0}"),
    "Java numbers in lines": lambda octets: "\n".join(textwrap.wrap(str(signed(octets)), 75)),
    "Java without commas": lambda octets: " ".join(map(str, signed(octets))),
    "Java in JSON": lambda octets: json.dumps({"id": 7, "data": signed(octets)}),
    "Buffer of node": lambda octets: json.dumps({"type": "Buffer", "data": list(octets)}),
    "base64 in lines of 76": lambda octets: base64.encodebytes(octets).decode(),
    "base64 in lines of 50": lambda octets: "\n".join(
        textwrap.wrap(base64.b64encode(octets).decode(), 50, break_on_hyphens=False)
    ),
    "base64 of URLs": lambda octets: base64.urlsafe_b64encode(octets).decode().rstrip("="),
    "hex in lines of 75": lambda octets: "\n".join(textwrap.wrap(octets.hex(), 75)),
    "xxd": xxd,
    "hexdump": hexdump,
    "hexdump -C": hexdump_canonical,
    "od": lambda octets: od(octets, " {:06o}", word=True),
    "od -x": lambda octets: od(octets, " {:04x}", word=True),
    "od -t x1": lambda octets: od(octets, " {:02x}"),
    "od -t u1": lambda octets: od(octets, " {:3d}"),
    "od -t d1": lambda octets: od(signed(octets), " {:4d}"),
    "od -b": lambda octets: od(octets, " {:03o}"),
    "od -c": od_signs,
    "Wireshark": wireshark,
    "Home Assistant dots": lambda octets: "\n".join(
        f"[12:34:56][D][dlms:112]: {row.hex('.').upper()}." for row in rows(octets, 20)
    ),
    "Home Assistant list": lambda octets: "\n".join(
        f"[12:34:56][D][uart:99]: [{', '.join(f'{octet:02X}' for octet in row)}]" for row in rows(octets, 20)
    ),
    "ESPHome uart": lambda octets: "\n".join(
        f"[12:34:56.789][D][uart_debug:114]: <<< {row.hex(':').upper()}" for row in rows(octets, 20)
    ),
    "ESPHome in colour": lambda octets: "\n".join(
        f"\x1b[0;36m[12:34:56][D][uart_debug:114]: <<< {row.hex(':').upper()}\x1b[0m"
        for row in rows(octets, 20)
    ),
    "ESPHome counted": lambda octets: "\n".join(
        f"[12:34:56][D][dlms:112]: {row.hex('.').upper()} ({len(row)})" for row in rows(octets, 20)
    ),
    "no-break blanks": lambda octets: octets.hex("_").replace("_", "\u00a0"),
    "thin blanks": lambda octets: octets.hex("_").replace("_", "\u2009"),
    "blanks without width": lambda octets: octets.hex("_").replace("_", "\u200b"),
    "middle dots": lambda octets: octets.hex("_").replace("_", "\u00b7"),
    "dashes of print": lambda octets: octets.hex("_").replace("_", "\u2013"),
    "digits of full width": lambda octets: "".join(chr(ord(sign) + 0xFEE0) for sign in octets.hex().upper()),
    "tabs": lambda octets: octets.hex("\t"),
    "semicolons": lambda octets: octets.hex(";"),
    "slashes": lambda octets: octets.hex("/"),
    "binary digits": lambda octets: " ".join(f"{octet:08b}" for octet in octets),
    "CSV": lambda octets: (
        "time,direction,data\n"
        + "\n".join(f'2024-01-01 00:00:00.001,RX,"{row.hex(" ")}"' for row in rows(octets, 20))
    ),
    "XML": lambda octets: f'<Messages><HDLC><Value Type="1">{octets.hex(" ")}</Value></HDLC></Messages>',
    "JSON of Wireshark": lambda octets: json.dumps(
        [{"_source": {"layers": {"data": {"data.data": octets.hex(":"), "data.len": str(len(octets))}}}}]
    ),
    "Windows lines": lambda octets: "\r\n".join(row.hex(" ") for row in rows(octets)),
}
ENTRIES = ["aidon-no-list2-1phase", "kamstrup-omnipower-ciphered-auth", "kaifa-no-list1", "aidon-no-list1"]


def in_pieces(content: bytes, size: int) -> bytes:
    reader = DumpReader()
    parts = [reader.feed(content[start : start + size]) for start in range(0, len(content), size)]
    return b"".join(parts) + reader.finish()


@pytest.mark.parametrize("dress", DRESSES)
@pytest.mark.parametrize("entry", ENTRIES)
def test_a_dump_gives_its_octets_read_whole_and_in_pieces(dress, entry):
    octets = vector("telegrams", entry).octets
    content = DRESSES[dress](octets).encode()
    assert read_dump(content).octets == octets
    assert in_pieces(content, 4096) == octets
    if (
        "numbers" not in dress
    ):  # a first line of pairs of digits tells decimal from hexadecimal by those behind it
        assert in_pieces(content, 7) == octets


@pytest.mark.parametrize(
    ("dress", "form"),
    [
        ("od", "octal"),
        ("od -b", "octal"),
        ("od -t u1", "decimal"),
        ("od -t d1", "decimal"),
        ("od -c", "characters"),
        ("od -x", "hexadecimal"),
        ("xxd", "hexadecimal"),
        ("xxd -b", "binary"),
        ("Java", "decimal"),
    ],
)
def test_how_a_dump_is_written_is_said(dress, form):
    assert read_dump(DRESSES[dress](vector("telegrams", ENTRIES[0]).octets).encode()).form == form


@pytest.mark.parametrize(
    ("text", "octets"),
    [
        ("126, -96, 8, 2", bytes((126, 160, 8, 2))),
        ("[-128, 127, 0, -1]", bytes((128, 127, 0, 255))),
        ("126 -96 8 2", bytes((126, 160, 8, 2))),
        ("126-160-8-2", bytes((126, 160, 8, 2))),  # the hyphen stands between octets
        ("126 - 160 - 8 - 2", bytes((126, 160, 8, 2))),
        ("126 -160 -8 -2", bytes((126, 160, 8, 2))),
        ("12-34-56-78", bytes.fromhex("12345678")),
    ],
)
def test_a_minus_is_told_from_a_hyphen(text, octets):
    assert read_dump(text.encode()).octets == octets


def test_digits_of_four_octets_are_no_bits():
    row = b"00000000: 00000000 11111111 00010001 10101010  ................\n"
    assert read_dump(row).octets == bytes.fromhex("00000000 11111111 00010001 10101010")


def test_blanks_in_binary_digits_may_have_no_sign_beside_them():
    text = "00000000: 01111110 00100000  ~\n00000002: 00100000 00100000  \n00000004: 00100000\n"
    assert read_dump(text.encode()).octets == b"~    "
    assert read_dump(f"{text}0000005 7e 7e\n".encode()).octets == b"~    ~~"


@pytest.mark.parametrize(
    "text",
    [
        "uint8_t buf[0x13] =\n{\n0x7E, 0xA0, 0x08, 0x02\n};",
        "byte[] buf = new byte[20] {\n0x7E, 0xA0, 0x08, 0x02};",
        "#define LENGTH 1059\nuint8_t buf[LENGTH] = {0x7E, 0xA0, 0x08, 0x02};",
        "rx[12] 7E A0 08 02",
        "received[1059]: 7EA00802",
        "data[7EA00802]",
    ],
)
def test_a_number_of_octets_is_no_octet(text):
    assert read_dump(text.encode()).octets == bytes.fromhex("7EA00802")


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("mark", [False, True])
@pytest.mark.parametrize("dress", ["prefix", "hexdump -C", "JSON numbers", "Windows lines", "ESPHome uart"])
def test_text_in_every_encoding(encoding, mark, dress):
    octets = vector("telegrams", "aidon-no-list2-1phase").octets
    text = DRESSES[dress](octets)
    content = (("\ufeff" if mark and encoding.startswith("utf-16-") else "") + text).encode(encoding)
    assert read_dump(content).octets == octets
    for size in (1, 5, 64, 4096):
        assert in_pieces(content, size) == octets


def test_a_telegram_of_text_in_utf_16_is_the_telegram():
    octets = vector("telegrams", "p1-dsmr5-isk").octets
    content = octets.decode("ascii").encode("utf-16")
    assert (read_dump(content).form, read_dump(content).octets) == ("text", octets)


def test_a_telegram_of_text_with_a_time_before_each_line_is_the_telegram():
    octets = vector("telegrams", "p1-dsmr5-isk").octets
    lines = octets.decode("ascii").splitlines()
    text = "\n".join(f"2024-01-01T00:00:00.123 {line}" for line in lines)
    assert read_dump(text.encode()).octets.strip() == octets.strip()
    assert in_pieces(text.encode(), 7).strip() == octets.strip()


def test_a_letter_is_no_dump():
    text = b"This is a letter about the face that was added in the cafe.\nYours, Abba\n" * 3
    assert (read_dump(text).form, read_dump(text).octets) == ("text", text)


@pytest.mark.parametrize("entry", load("telegrams"), ids=lambda each: each.id)
def test_octets_themselves_in_any_cut(entry):
    assert read_dump(entry.octets).octets == entry.octets
    for size in (1, 2, 3, 5, 1000):
        assert in_pieces(entry.octets, size) == entry.octets


def test_lines_that_a_dump_leaves_out_because_they_repeat():
    octets = bytes.fromhex("7ea008") + bytes(61) + b"end"
    zeros = "00 00 00 00 00 00 00 00  00 00 00 00 00 00 00 00  |................|"
    text = f"00000000  7e a0 08{zeros[8:]}\n00000010  {zeros}\n*\n"
    text += "00000040  65 6e 64                                          |end|\n00000043"
    assert read_dump(text.encode()).octets == octets
    words = (
        "0000000 a07e 0008 0000 0000 0000 0000 0000 0000\n0000010 0000 0000 0000 0000 0000 0000 0000 0000\n"
    )
    words += "*\n0000040 6e65 0064\n0000043\n"
    assert read_dump(words.encode()).octets == octets


def test_several_dumps_one_after_the_other():
    octets = vector("telegrams", "aidon-no-list1").octets
    for dress in ("xxd", "hexdump", "hexdump -C", "Wireshark", "od -c"):
        text = f"packet 1\n{DRESSES[dress](octets)}\npacket 2\n{DRESSES[dress](octets)}\n"
        assert read_dump(text.encode()).octets == octets * 2


@given(st.binary(min_size=24, max_size=120), st.sampled_from(sorted(set(DRESSES) - {"Python hex text"})))
def test_any_octets_in_any_dress(octets, dress):
    # Digits alone, and the letter A alone, may be either: lines of one octet say nothing of their dress.
    octets = b"\x7e\xa0\xde" + octets
    assume(
        all(
            len(set(octets[at : at + 16])) > len(octets[at : at + 16]) // 2
            for at in range(0, len(octets), 16)
        )
    )
    content = DRESSES[dress](octets).encode()
    assert read_dump(content).octets == octets


@given(st.binary(max_size=200), st.integers(1, 50))
def test_any_content_gives_the_same_in_any_cut(content, size):
    reader = DumpReader()
    whole = b""
    with suppress(ConfigurationError):  # it begins like a capture
        whole = reader.feed(content) + reader.finish()
    assert isinstance(whole, bytes)
    if reader.form in {"octets", "text"}:
        assert in_pieces(content, size) == whole
