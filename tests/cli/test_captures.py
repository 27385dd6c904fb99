"""Captures of a network: segments in any order, ports that are used again, and what stands before a packet."""

from __future__ import annotations

import asyncio
import io
import json
import os
import threading

import dpkt
import pytest

from cosem.cli.captures import read_capture
from cosem.cli.push_sources import open_source
from cosem.errors import ConfigurationError

NAME = "tcp 10.0.0.7:4059 > 10.0.0.1:50000"
TEXT = b"what a meter says, in several segments"
SYN, ACK = 0x02, 0x10
NOTIFICATION = bytes.fromhex("000100010066001D 0F00000001000101020309060100010700FF060000011802020F00161B")


def segment(sequence: int, payload: bytes, flags: int = ACK) -> bytes:
    inner = dpkt.tcp.TCP(sport=4059, dport=50000, seq=sequence % 2**32, flags=flags, data=payload)
    ip = dpkt.ip.IP(src=b"\x0a\0\0\7", dst=b"\x0a\0\0\1", p=dpkt.ip.IP_PROTO_TCP, data=inner)
    ip.len = len(ip)
    return bytes(ip)


def capture(*packets: bytes, link: int = 101, header: bytes = b"") -> bytes:
    file = io.BytesIO()
    out = dpkt.pcap.Writer(file, linktype=link)
    for packet in packets:
        out.writepkt(header + packet, ts=1.0)
    return file.getvalue()


def pcapng(*packets: bytes) -> bytes:
    file = io.BytesIO()
    out = dpkt.pcapng.Writer(file)
    for packet in packets:
        out.writepkt(
            bytes(dpkt.ethernet.Ethernet(src=bytes(6), dst=bytes(6), data=dpkt.ip.IP(packet))), ts=1.0
        )
    return file.getvalue()


@pytest.mark.parametrize("first", [1000, 2**32 - 5, 2**32 - 12, 2**31 - 3])
@pytest.mark.parametrize(
    "order",
    [
        [(0, 10), (20, 30), (10, 20), (30, 38)],
        [(10, 20), (0, 10), (20, 38)],
        [(30, 38), (20, 30), (10, 20), (0, 10)],
        [(0, 10), (20, 30), (5, 25), (25, 38), (0, 10)],
        [(0, 20), (0, 20), (19, 20), (20, 38)],
    ],
)
def test_segments_are_put_in_order_and_taken_once(first, order):
    packets = [segment(first + begin, TEXT[begin:end]) for begin, end in order]
    assert read_capture(capture(*packets)) == (((NAME, TEXT),), ())


def test_what_is_missing_parts_a_connection_and_is_told():
    packets = [segment(1000 + begin, TEXT[begin:end]) for begin, end in ((0, 10), (30, 38), (12, 20))]
    streams, notes = read_capture(capture(*packets))
    assert streams == ((NAME, TEXT[:10]), (NAME, TEXT[12:20]), (NAME, TEXT[30:]))
    assert notes == (f"{NAME}: octets are missing in the capture at 2 places",)


@pytest.mark.parametrize("second", [2_000_000_000, 3_000_000_005, 2_999_999_990, 3_000_000_100, 5])
def test_the_same_ports_may_have_several_connections(second):
    first = 3_000_000_000
    packets = [
        segment(first - 1, b"", SYN),
        segment(first, TEXT[:20]),
        segment(first + 20, TEXT[20:]),
        segment(second - 1, b"", SYN),
        segment(second - 1, b"", SYN),
        segment(second + 3, b"ond"),
        segment(second, b"sec"),
    ]
    assert read_capture(capture(*packets)) == (((NAME, TEXT), (NAME, b"second")), ())


def test_a_far_sequence_is_another_connection_though_its_begin_was_not_captured():
    packets = [segment(3_000_000_000, TEXT), segment(2_000_000_000, b"second")]
    assert read_capture(capture(*packets)) == (((NAME, TEXT), (NAME, b"second")), ())


@pytest.mark.parametrize(
    ("link", "header"),
    [
        (0, "02000000"),
        (1, "020202020202 030303030303 0800"),
        (12, ""),
        (101, ""),
        (108, "00000002"),
        (113, "0000 0001 0006 0202020202020000 0800"),
        (228, ""),
        (276, "0800 0000 00000002 0001 04 06 0202020202020000"),
    ],
)
def test_what_stands_before_a_packet_depends_on_the_link(link, header):
    content = capture(segment(1000, TEXT), link=link, header=bytes.fromhex(header))
    assert read_capture(content) == (((NAME, TEXT),), ())


def test_another_link_is_named():
    with pytest.raises(ConfigurationError, match="link type 195 is not known"):
        read_capture(capture(segment(1000, TEXT), link=195))


def test_every_message_of_all_connections_is_a_line(cosem, tmp_path):
    packets = [
        segment(3_000_000_000, NOTIFICATION[:20]),
        segment(2_000_000_000, NOTIFICATION[20:]),
        segment(2_000_000_000 - 20, NOTIFICATION[:20]),
        segment(3_000_000_000 + 60, NOTIFICATION),
    ]
    (tmp_path / "capture").write_bytes(capture(*packets))
    done = cosem("listen", str(tmp_path / "capture"), "--json")
    lines = [json.loads(line) for line in done.out.splitlines()]
    assert [line["values"][0]["raw"] for line in lines] == [280, 280]
    assert "missing in the capture at 1 place\n" in done.err


@pytest.mark.parametrize(("verb", "shown"), [("listen", '"raw": 280'), ("sniff", '"wrapper": 1')])
def test_a_cut_capture_is_read_as_far_as_it_goes(cosem, tmp_path, verb, shown):
    content = pcapng(segment(1000, NOTIFICATION), segment(1000 + len(NOTIFICATION), TEXT))
    (tmp_path / "capture").write_bytes(content[:-3])
    done = cosem(verb, str(tmp_path / "capture"), "--json")
    assert done.status == 0
    assert shown in done.out
    assert "the end of the capture is cut off" in done.err


def test_what_a_pipe_gave_of_a_capture_is_read_when_it_is_stopped(tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    going_on = threading.Event()

    def write() -> None:
        with pipe.open("wb", buffering=0) as file:
            file.write(capture(segment(1000, NOTIFICATION)))
            going_on.wait()  # as tcpdump does, which has not ended

    async def taken() -> list[bytes]:
        stopped = asyncio.Event()
        octets = []
        async for chunk in open_source(str(pipe), stopped, print):
            octets.append(chunk.octets)
            stopped.set()
        return octets

    writer = threading.Thread(target=write)
    writer.start()
    try:
        assert NOTIFICATION in asyncio.run(taken())
    finally:
        going_on.set()
        writer.join()


def test_a_cut_packet_is_told_of():
    content = capture(segment(1000, TEXT[:20]), segment(1020, TEXT[20:]))
    streams, notes = read_capture(content[:-4])
    assert streams == ((NAME, TEXT[:-4]),)
    assert notes == ("the end of the capture is cut off: what is before it was read",)
    assert read_capture(content).notes == ()


@pytest.mark.parametrize("kind", [capture, pcapng])
def test_every_cut_of_a_capture_is_read_or_refused(kind):
    content = kind(segment(1000, TEXT[:20]), segment(1020, TEXT[20:]))
    for length in range(4, len(content)):
        try:
            streams, _ = read_capture(content[:length])
        except ConfigurationError:
            continue
        assert all(TEXT.startswith(octets) for _, octets in streams)
