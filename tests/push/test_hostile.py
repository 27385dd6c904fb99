"""Octets that somebody made to cost work: how much is looked at for them grows with their size, and no faster."""

from __future__ import annotations

import re
from collections import Counter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cosem.link import p1
from cosem.link.wrapper import wrap
from cosem.push import Parser, beginnings, detection, measuring, walking
from cosem.push.sizes import BARE_TAGS, apdu_size
from cosem.push.trials import Ahead, Trials
from cosem.push.walking import Trails
from tests.vectors import vector

SIZE = 0x4000
PATTERNS = {
    "flags": "7E",
    "hdlc-length": "7EA7FF",
    "hdlc-closed": "7EA7FD",
    "mbus": "68",
    "mbus-control": "68 FA FA 68 08 00 00",
    "wrapper-service": "0001 0001 0010 0040 0F",
    "wrapper-long": "0001 0001 0010 4000 0F 00000001 00",
    "wrapper-array": "0001 0001 0010 0F00 C4 01 C1 00 01 82 0E F0",
    "wrapper-notification": "0001 0001 0010 3FF0 0F 00010001 00 01 20" + "00" * 20,
    "notification-nest": "0F 00000000 00 02",
    "notification-array": "0F 00000001 00 01 10 02 02",
    "notification-name": "0F 00000001 00 02 02 09 06",
    "notification-nulls": "0F 00010001 00 01 7F" + "00" * 20,
    "notification-hidden": "09 0A 0F 00000000 00 01 82 0F00",
    "association": "60",
    "event": "C2",
    "ciphered": "DB",
    "blocks": "E0",
    "llc": "E6E7000F",
    "text": b"/ABC5\n".hex(),
    "text-apart": b"/ABC\n ".hex(),
    "text-ends": b"/ABC5\r\n\r\n1.8.0(1)\r\n!\r\n".hex(),
    "readout": b"/ABC5\n\x02".hex(),
}


def filled(pattern: str, size: int = SIZE) -> bytes:
    unit = bytes.fromhex(pattern)
    return (unit * (size // len(unit) + 1))[:size]


STREAMS = {name: filled(pattern) for name, pattern in PATTERNS.items()}
STREAMS["text-checked"] = (b"/ABC\n " * (SIZE // 6 - 2) + b"\n!0000\r\n") * 2


class Counting(dict[int, int]):
    """The sizes of Data, and how often one is asked for: once for each value that a walk comes to."""

    asked = 0

    def get(self, key: int, default: Any = None) -> Any:
        Counting.asked += 1
        return super().get(key, default)


@pytest.fixture
def work(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """How often the careful looks are taken, and how much they read."""
    done: Counter[str] = Counter()
    strong, is_apdu, crc = detection.Detector._strong, measuring.is_apdu, p1.crc16_arc

    def looked(*args: Any, **options: Any) -> int:
        done["looks"] += 1
        return strong(*args, **options)

    def decoded(octets: bytes) -> bool:
        done["decoded"] += len(octets)
        return is_apdu(octets)

    def checked(octets: bytes) -> int:
        done["checked"] += len(octets)
        return crc(octets)

    Counting.asked = 0
    monkeypatch.setattr(walking, "DATA_SIZES", Counting(walking.DATA_SIZES))
    monkeypatch.setattr(detection.Detector, "_strong", looked)
    monkeypatch.setattr(measuring, "is_apdu", decoded)
    monkeypatch.setattr(p1, "crc16_arc", checked)
    return done


def feed(octets: bytes, step: int) -> Parser:
    parser = Parser()
    for at in range(0, len(octets), step):
        parser.feed(octets[at : at + step])
    parser.finish()
    return parser


@pytest.mark.parametrize("step", [SIZE * 4, 500])
@pytest.mark.parametrize("name", STREAMS)
def test_hostile_octets_cost_no_more_than_a_few_looks_for_each(name, step, work):
    octets = STREAMS[name]
    feed(octets, step)
    # Each pattern has a place that is believed in at first for each of its repetitions; few are looked at twice.
    assert work["looks"] <= 1.6 * len(octets)
    assert Counting.asked <= 10 * len(octets)
    assert work["decoded"] + work["checked"] <= 4 * len(octets) + 2 * 0x10000 + SIZE


@pytest.mark.parametrize("name", ["association", "event", "ciphered", "blocks", "flags", "mbus"])
def test_a_tag_alone_is_left_out_without_a_look(name, work):
    feed(STREAMS[name], SIZE)
    assert work["looks"] <= 50


def test_a_plain_stream_costs_a_look_for_each_frame(work):
    telegram = vector("telegrams", "aidon-se-3phase").octets
    parser = feed(telegram * 20, SIZE)
    assert parser.frames == 20
    assert work["looks"] <= 45


@given(st.binary(max_size=40), st.integers(0, 255), st.binary(min_size=40, max_size=60))
def test_what_is_left_out_is_what_a_careful_look_finds_nothing_in(head, tag, tail):
    data = head + bytes((tag,)) + tail
    found = []
    pos = beginnings.next_beginning(data, 0)
    while pos < len(data):
        found.append(pos)
        pos = beginnings.next_beginning(data, pos + 1)
    for place in range(len(data) - 20):
        if place not in found and data[place] in BARE_TAGS:
            assert apdu_size(data, place, 0x10000) == 0, (data.hex(), place)


@given(
    st.sampled_from([octets for name, octets in STREAMS.items() if name.startswith("notification")]),
    st.lists(st.tuples(st.integers(0, 400), st.integers(0, 255)), max_size=6),
)
def test_a_walk_that_goes_on_says_what_one_from_the_begin_says(octets, changes):
    data = bytearray(octets[:400])
    for place, octet in changes:
        data[place % len(data)] = octet
    data = bytes(data)
    trails = Trails()
    for match in re.finditer(b"\x0f", data):
        place = match.start()
        assert apdu_size(data, place, 0x10000, trails) == apdu_size(data, place, 0x10000)


@given(st.text("ab!", max_size=30), st.lists(st.tuples(st.integers(0, 30), st.integers(0, 30)), max_size=8))
def test_what_stands_ahead_is_what_a_search_finds(text, asked):
    data = text.encode()
    for pattern, width in ((b"!", 1), (b"a!", 2)):
        ahead = Ahead(re.compile(pattern), width)
        for start, stop in asked:
            assert ahead.find(data, start, min(stop, len(data))) == data.find(
                pattern, start, min(stop, len(data))
            )


def test_what_was_read_in_vain_is_allowed_again_as_octets_come():
    trials = Trials()
    assert trials.allowed(0)
    trials.failed(100_000)
    assert not trials.allowed(0)
    assert trials.allowed(100_000)


@pytest.mark.parametrize("name", STREAMS)
def test_what_follows_hostile_octets_is_found(name):
    notification = bytes.fromhex("0F 00000001 00 0202 0906 0000600100FF 0903 313233")
    unit = wrap(notification, 1, 16)
    parser = Parser()
    # As many harmless octets pay for what was read in vain.
    found = parser.feed(STREAMS[name] + b"\x55" * 0x8000 + unit) + parser.finish()
    assert found[-1].octets == notification
