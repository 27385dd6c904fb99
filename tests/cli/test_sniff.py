"""``cosem sniff``: dumps in every dress, other protocols, suspicions of the line, missing keys."""

from __future__ import annotations

import base64
import io
import json
import os
import socket
import threading
import tty
from contextlib import suppress
from hashlib import sha256

import dpkt
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cosem.cli.dumps import DumpReader, read_dump
from cosem.cli.sniffing import sniff
from cosem.errors import ConfigurationError
from cosem.link.iec62056_21.messages import data_message
from cosem.link.wrapper import wrap
from tests.vectors import load, parameters, vector

AIDON = vector("telegrams", "aidon-no-list2-1phase").octets
CIPHERED = vector("telegrams", "kamstrup-omnipower-ciphered-auth")
TITLE = "4B414D4501349083"


def lines_of(octets: bytes, width: int) -> list[bytes]:
    return [octets[start : start + width] for start in range(0, len(octets), width)]


def as_xxd(octets: bytes) -> str:
    rows = []
    for index, row in enumerate(lines_of(octets, 16)):
        pairs = " ".join(each.hex() for each in lines_of(row, 2))
        text = "".join(chr(octet) if 32 <= octet < 127 else "." for octet in row)
        rows.append(f"{index * 16:08x}: {pairs:<39}  {text}")
    return "\n".join(rows)


def as_hexdump(octets: bytes) -> str:
    rows = []
    for index, row in enumerate(lines_of(octets, 16)):
        pairs = f"{row[:8].hex(' ')}  {row[8:].hex(' ')}"
        text = "".join(chr(octet) if 32 <= octet < 127 else "." for octet in row)
        rows.append(f"{index * 16:08x}  {pairs:<48}  |{text}|")
    return "\n".join([*rows, f"{len(octets):08x}"])


DRESSES = {
    "solid": bytes.hex,
    "blanks": lambda octets: octets.hex(" ").upper(),
    "colons": lambda octets: octets.hex(":"),
    "hyphens": lambda octets: octets.hex("-"),
    "c-array": lambda octets: "{" + ", ".join(f"0x{octet:02X}" for octet in octets) + "};",
    "escapes": lambda octets: "b'" + "".join(f"\\x{octet:02x}" for octet in octets) + "'",
    "decimal": lambda octets: ",".join(map(str, octets)),
    "decimal-list": lambda octets: "[" + ", ".join(map(str, octets)) + "]",
    "base64": lambda octets: base64.b64encode(octets).decode(),
    "base64-lines": lambda octets: base64.encodebytes(octets).decode(),
    "hex-lines": lambda octets: "\n".join(row.hex() for row in lines_of(octets, 32)),
    "xxd": as_xxd,
    "hexdump": as_hexdump,
    "log": lambda octets: "\n".join(
        f"2026-01-02 03:04:05.678 DEBUG [uart] RX: {row.hex(' ')}" for row in lines_of(octets, 20)
    ),
    "log-zone": lambda octets: "\n".join(
        f"2026-01-02T03:04:05+01:00 meter <- {row.hex()}" for row in lines_of(octets, 20)
    ),
    "esphome": lambda octets: "\n".join(
        f"[12:34:56][D][dlms:123]: {row.hex('.').upper().replace('.', ' ')}" for row in lines_of(octets, 20)
    ),
    "tasmota": lambda octets: "\n".join(f"12:34:56.789 : {row.hex(' ')}" for row in lines_of(octets, 20)),
}


@pytest.mark.parametrize("dress", DRESSES)
@pytest.mark.parametrize(
    "entry", ["aidon-no-list2-1phase", "kamstrup-omnipower-ciphered-auth", "kaifa-no-list1"]
)
def test_a_dump_in_any_dress_gives_its_octets(dress, entry):
    octets = vector("telegrams", entry).octets
    assert read_dump(DRESSES[dress](octets).encode()).octets == octets


@given(st.binary(min_size=24, max_size=200), st.sampled_from(sorted(DRESSES)))
def test_any_octets_in_any_dress(octets, dress):
    text = DRESSES[dress](octets).encode()
    if dress.startswith("decimal") and all(
        len(number) == 2 for number in text.strip(b"[]").replace(b" ", b"").split(b",")
    ):
        return  # pairs of digits alone are hexadecimal
    if dress.startswith("base64") and not set(text.decode()) - set("0123456789abcdefABCDEF\n"):
        return
    assert read_dump(text).octets == octets


@given(st.binary(max_size=300))
def test_rubbish_is_read_or_refused(content):
    with suppress(ConfigurationError):
        assert read_dump(content).form in {
            "hexadecimal",
            "decimal",
            "binary",
            "base64",
            "octets",
            "text",
            "capture",
        }


def test_octets_and_telegrams_of_text_are_taken_as_they_are():
    assert read_dump(AIDON) == read_dump(AIDON)
    assert read_dump(AIDON).form == "octets"
    text = vector("telegrams", "p1-dsmr5-isk").octets
    assert (read_dump(text).form, read_dump(text).octets) == ("text", text)


@pytest.mark.parametrize("dress", ["blanks", "hex-lines", "log", "tasmota", "solid"])
def test_a_stream_of_text_is_read_line_by_line(dress):
    text = (DRESSES[dress](AIDON) + "\n").encode() * 2
    for size in (1, 7, len(text)):
        reader = DumpReader()
        octets = b"".join(reader.feed(text[start : start + size]) for start in range(0, len(text), size))
        assert octets + reader.finish() == AIDON * 2


def test_the_framing_the_maker_and_that_nothing_is_ciphered(cosem):
    done = cosem("sniff", AIDON.hex(" "))
    assert (done.status, done.err) == (0, "")
    assert "hdlc > data-notification" in done.out
    assert "Aidon" in done.out
    assert "ciphering" not in done.out


def test_what_is_ciphered_by_whom_and_which_keys_are_missing(cosem, tmp_path):
    path = tmp_path / "dump.txt"
    path.write_text(CIPHERED.octets.hex(" "))
    done = cosem("sniff", "--json", str(path))
    (message,) = done.json["messages"]
    assert message["framing"] == ["hdlc", "general-glo-ciphering"]
    assert message["ciphering"] == "encrypted and authenticated, suite 0, unicast key"
    assert (message["system_title"], message["maker"]) == (TITLE, "Kamstrup")
    assert message["missing"] == [
        f"encryption key of the meter {TITLE}",
        f"authentication key of the meter {TITLE}",
    ]
    assert message["verification"] == "unverifiable"
    assert len(done.json["hints"]) == 2
    assert "--auth-key" in done.json["hints"][1]


def test_with_the_keys_nothing_is_missing(cosem, tmp_path, monkeypatch):
    (tmp_path / "key.txt").write_text(CIPHERED["keys"]["ek"])
    (tmp_path / "key.txt").chmod(0o600)
    monkeypatch.setenv("GAK", CIPHERED["keys"]["ak"])
    done = cosem(
        "sniff",
        "--json",
        "--key",
        f"@{tmp_path / 'key.txt'}",
        "--auth-key",
        "env:GAK",
        "-",
        stdin=CIPHERED.octets,
    )
    (message,) = done.json["messages"]
    assert (message["verification"], message["missing"], message["apdu"]) == (
        "verified",
        [],
        "data-notification",
    )
    only = cosem("sniff", "--json", "--key", CIPHERED["keys"]["ek"], CIPHERED.octets.hex())
    (message,) = only.json["messages"]
    assert (message["verification"], message["apdu"]) == ("unverifiable", "data-notification")
    assert message["missing"] == [f"authentication key of the meter {TITLE}"]


@pytest.mark.parametrize("entry", load("telegrams"), ids=lambda each: each.id)
def test_every_capture_is_told(cosem, entry):
    done = cosem("sniff", "--json", "-", stdin=entry.octets)
    said = done.json
    if entry["kind"] == "frame" or entry.id in {
        "apdu-profile-buffer-null-clock",
        "data-kamstrup-object-list",
        "lg-zmf100-embriq-badfcs",
    }:
        assert said["messages"] or said["damaged"] or said["unfinished"] or said["suspicions"]
        return
    framing = {framing for message in said["messages"] for framing in message["framing"]}
    declared = entry["framing"]
    wanted = next(
        name
        for begin, name in {
            "hdlc": "hdlc",
            "mbus": "mbus",
            "llc": "llc",
            "raw apdu": "apdu",
            "p1": "p1",
            "wrapper": "wrapper",
        }.items()
        if declared.startswith(begin)
    )
    assert wanted in framing


OTHERS = {
    "SML": bytes.fromhex("1B1B1B1B0101010176051234567862006200726301017601") + bytes(40),
    "TIC": b"\x02\nADCO 012345678901 E\r\nOPTARIF BASE 0\r\nBASE 012345678 /\r\nPAPP 00460 .\r\x03",
    "wireless M-Bus": bytes.fromhex(
        "2E44931578563412330333637A2A0020255923C95AAA26D1B2E7493B013EC4A6F6D3529B520EDFF0EA6DEFC99D6D69EBF3"
    ),
    "sign-on": b"/?!\r\n",
    "mode E": b"/ISk5\\2ME382-1000\r\n",
}


@pytest.mark.parametrize("protocol", OTHERS)
def test_another_protocol_is_said_plainly(cosem, protocol):
    done = cosem("sniff", "-", stdin=OTHERS[protocol])
    assert done.status == 0
    assert protocol in done.out
    if protocol in {"SML", "TIC", "wireless M-Bus"}:
        assert "another protocol, not DLMS/COSEM" in done.out


def with_parity(octets: bytes) -> bytes:
    return bytes(octet | 0x80 if (octet & 0x7F).bit_count() % 2 else octet & 0x7F for octet in octets)


def test_seven_bits_with_parity_received_as_eight(cosem):
    done = cosem("sniff", "--json", "-", stdin=with_parity(vector("telegrams", "p1-dsmr42-kmp").octets))
    assert "7E1" in done.json["suspicions"][0]
    assert done.json["messages"][0]["framing"] == ["p1"]
    tic = cosem("sniff", "-", stdin=with_parity(OTHERS["TIC"]))
    assert "TIC" in tic.out


def test_a_wrong_rate_and_a_signal_upside_down(cosem):
    assert "baud rate" in cosem("sniff", "-", stdin=bytes.fromhex("00F8E080FE00F8FF") * 8).out
    assert "upside down" in cosem("sniff", "-", stdin=bytes(octet ^ 0xFF for octet in AIDON)).out


def test_damaged_frames_are_suspicious(cosem):
    damaged = bytearray(AIDON)
    damaged[60] ^= 1
    done = cosem("sniff", "--json", "-", stdin=bytes(damaged))
    assert done.status == 1  # something is wrong, and what it is was not found out
    assert done.json["messages"] == []
    assert done.json["damaged"] == {"hdlc: the frame check sequence is wrong": 1}
    assert "checks fail" in done.json["suspicions"][0]


def test_a_capture_that_was_cut_is_what_it_began_as(cosem):
    done = cosem("sniff", "-", stdin=vector("telegrams", "iskra-am550-hdlc-3seg").octets[:252])
    assert done.status == 0
    assert "HDLC frames, cut off: the end of the last one is missing, after 1 whole" in done.out
    assert "not known" not in done.out
    assert "suspicion" not in done.out
    for identifier, words in {
        "aidon-se-3phase": "HDLC frames, cut off",
        "kaifa-at-netznoe-mbus-ciphered": "M-Bus frames, cut off",
    }.items():
        octets = vector("telegrams", identifier).octets
        assert words in cosem("sniff", "-", stdin=octets[:40]).out


def test_a_readout_is_no_telegram_of_p1(cosem):
    octets = b"/ISK5MT174\r\n" + data_message("0.0.0(12345678)\r\n1-0:1.8.0(000123.456*kWh)\r\n!\r\n")
    done = cosem("sniff", "--json", "-", stdin=octets)
    assert done.json["messages"][0]["framing"] == ["iec62056-21"]


@pytest.mark.parametrize("entry", parameters("telegrams", kind="p1"))
def test_a_telegram_of_text_that_is_damaged_or_cut_is_said_to_be_that(cosem, entry):
    maker = entry.octets[entry.octets.index(b"/") + 1 :][:3].decode().upper()
    mark = entry.octets.index(b"\n!")
    cut = cosem("sniff", "-", stdin=entry.octets[: mark - 5])
    assert f"P1 telegram of a meter of {maker}: its end is missing" in cut.out
    damaged = bytearray(entry.octets)
    place = damaged.index(b"(") + 1
    damaged[place] = ord("7") if damaged[place] != ord("7") else ord("8")
    done = cosem("sniff", "-", stdin=bytes(damaged))
    assert f"P1 telegram of a meter of {maker}: its CRC is wrong" in done.out
    for said in (cut, done):
        assert "identification" not in said.out
        assert "mode E" not in said.out


def test_the_status_says_what_is_printed_where_there_are_suspicions_alone(cosem):
    noise = b"".join(sha256(bytes((number,))).digest() for number in range(125))
    done = cosem("sniff", "-", stdin=noise)
    assert "suspicion:" in done.out
    assert "protocol:    not known" in done.out
    assert done.status == 1
    assert cosem("sniff", "-", stdin=bytes(5000)).status == 1


@pytest.mark.parametrize("octet", [0xFF, 0x00, 0x55, 0xAA])
def test_a_line_on_which_nothing_is_sent_has_no_parity(cosem, octet):
    for content in (bytes((octet,)) * 5000, bytes((octet,)) * 5000 + b"\x12\xfe"):
        done = cosem("sniff", "--json", "-", stdin=content)
        (suspicion,) = done.json["suspicions"]
        assert suspicion.startswith(f"almost all octets are {octet:02X}")
        assert "parity" not in suspicion


def test_what_is_nothing_is_not_known(cosem):
    done = cosem("sniff", "48656C6C6F")
    assert done.status == 1
    assert "not known" in done.out
    assert "too few" in done.out


@pytest.mark.parametrize("words", [[""], ["@nowhere.txt"], ["nothing"]])
def test_no_octets_are_a_usage_error(cosem, words):
    done = cosem("sniff", *words)
    assert done.status == 2
    assert done.err.count("\n") == 1


def packet(payload: bytes, sequence: int, kind: str) -> bytes:
    inner = dpkt.tcp.TCP(sport=4059, dport=50000, seq=sequence, data=payload)
    if kind == "udp":
        inner = dpkt.udp.UDP(sport=4059, dport=50000, data=payload)
        inner.ulen = 8 + len(payload)
    ip = dpkt.ip.IP(
        src=b"\x0a\0\0\7",
        dst=b"\x0a\0\0\1",
        p=dpkt.ip.IP_PROTO_TCP if kind == "tcp" else dpkt.ip.IP_PROTO_UDP,
        data=inner,
    )
    ip.len = len(ip)
    return bytes(dpkt.ethernet.Ethernet(src=bytes(6), dst=bytes(6), data=ip))


def test_addresses_of_ipv6_stand_in_brackets_in_a_capture():
    inner = dpkt.udp.UDP(sport=4059, dport=50000, data=AIDON)
    inner.ulen = 8 + len(AIDON)
    ip = dpkt.ip6.IP6(src=bytes(15) + b"\x07", dst=bytes(15) + b"\x01", nxt=dpkt.ip.IP_PROTO_UDP, data=inner)
    ip.plen = inner.ulen
    file = io.BytesIO()
    out = dpkt.pcap.Writer(file)
    out.writepkt(bytes(dpkt.ethernet.Ethernet(src=bytes(6), dst=bytes(6), type=0x86DD, data=ip)), ts=0)
    assert read_dump(file.getvalue()).streams == (("udp [::7]:4059 > [::1]:50000", AIDON),)


@pytest.mark.parametrize("kind", ["tcp", "udp"])
@pytest.mark.parametrize("writer", [dpkt.pcap.Writer, dpkt.pcapng.Writer])
def test_captures_of_a_network(cosem, tmp_path, kind, writer):
    unit = wrap(bytes.fromhex("0F00000001000101020309060100010700FF060000011802020F00161B"), 1, 16)
    file = io.BytesIO()
    out = writer(file)
    parts = [(unit, 1000)] if kind == "udp" else [(unit[:10], 1000), (unit[:10], 1000), (unit[8:], 1008)]
    for payload, sequence in parts:
        out.writepkt(packet(payload, sequence, kind), ts=1.0)
    path = tmp_path / "capture"
    path.write_bytes(file.getvalue())
    done = cosem("sniff", "--json", str(path))
    assert done.json["form"] == "capture"
    assert done.json["messages"][0]["framing"] == ["wrapper"]


def test_a_damaged_capture_is_an_error_in_one_line(cosem, tmp_path):
    path = tmp_path / "capture"
    path.write_bytes(b"\xd4\xc3\xb2\xa1" + bytes(7))
    done = cosem("sniff", str(path))
    assert done.status == 2
    assert "capture" in done.err


def test_a_bridge_is_connected_to_and_only_listened_to(cosem):
    heard = []
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            connection, _ = server.accept()
            with connection:
                connection.sendall(AIDON)
                connection.shutdown(socket.SHUT_WR)
                heard.append(connection.recv(100))

        thread = threading.Thread(target=serve)
        thread.start()
        done = cosem("sniff", "--json", f"tcp://127.0.0.1:{server.getsockname()[1]}")
        thread.join()
    assert done.json["messages"][0]["maker"] == "Aidon"
    assert heard == [b""]


def test_a_serial_port_is_listened_to_until_something_is_understood(cosem):
    ours, theirs = os.openpty()
    tty.setraw(theirs)
    understood = threading.Event()

    def push() -> None:  # as a meter does, again and again
        while not understood.wait(0.05):
            os.write(ours, AIDON)

    meter = threading.Thread(target=push)
    meter.start()
    try:
        done = cosem("sniff", "--json", os.ttyname(theirs))
        assert done.json["messages"][0]["maker"] == "Aidon"
        assert done.json["line"] == "2400 8E1"
    finally:
        understood.set()
        meter.join()
        os.close(ours)
        os.close(theirs)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=400))
def test_any_octets_are_told_or_not_known(octets):
    sniffed = sniff([octets], "octets")
    json.dumps(sniffed.suspicions + sniffed.hints + sniffed.other_protocols)
    assert sniffed.octets == len(octets)


@pytest.mark.parametrize("content", [b"", b" \n"])
def test_nothing_to_look_at_is_a_failure_not_wrong_usage(cosem, tmp_path, content):
    (tmp_path / "dump").write_bytes(content)
    for source, stdin in ((str(tmp_path / "dump"), None), ("-", content)):
        done = cosem("sniff", source, stdin=stdin)
        assert (done.status, done.out, done.err.count("\n")) == (1, "", 1)
        assert "is empty" in done.err


def test_a_name_that_is_no_file_and_no_octets_is_wrong_usage(cosem):
    done = cosem("sniff", "zq" * 50_000)
    assert done.status == 2
    assert len(done.err) < 1000
