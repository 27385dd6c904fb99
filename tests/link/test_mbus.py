"""M-Bus: frames, segments, and finding both in rubbish."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cosem.errors import EncodeError, FrameError
from cosem.link.base import ApduReceived
from cosem.link.mbus import (
    MBUS_SEGMENT_MISSING,
    MbusFrame,
    MbusListener,
    MbusParser,
    decode_mbus_frame,
    encode_mbus_frame,
    wrap_mbus,
)
from cosem.push import decode
from tests.vectors import Vector, load, vector

FRAMES = [pytest.param(each, id=each.id) for each in load("profiles") if each.id.startswith("mbus-")]
SINGLE = vector("profiles", "mbus-single").octets

frames = st.one_of(
    st.builds(MbusFrame, st.integers(0, 255), st.integers(0, 255)),
    st.builds(
        MbusFrame, st.integers(0, 255), st.integers(0, 255), st.integers(0, 255), st.binary(max_size=252)
    ),
)


@pytest.mark.parametrize("entry", FRAMES)
def test_vector_both_ways(entry: Vector) -> None:
    found = MbusParser().feed(entry.octets)
    told = entry["decoded"]["frames"]
    assert len(found) == len(told)
    for frame, said in zip(found, told, strict=True):
        assert len(frame.data) + 3 == said["L"]
        assert frame.control == int(said["C"], 16)
        assert frame.address == int(said["A"], 16)
        assert frame.ci == int(said["CI"], 16)
        assert frame.data[:2] == bytes((said["stsap"], said["dtsap"]))
        assert len(frame.data) - 2 == said["data_length"]
    assert b"".join(map(encode_mbus_frame, found)) == entry.octets
    (apdu,) = MbusListener().feed(entry.octets)
    assert apdu.apdu.hex() == entry["decoded"]["apdu"]
    assert (apdu.source, apdu.destination, apdu.confirmed) == (1, 103, False)
    assert wrap_mbus(apdu.apdu, 1, 103)[:4] in {entry.octets[:4], b"\x68\xff\xff\x68"}


def test_segments_are_cut_as_recorded() -> None:
    entry = vector("profiles", "mbus-two-segments")
    assert wrap_mbus(bytes.fromhex(entry["decoded"]["apdu"]), 1, 103) == entry.octets


@pytest.mark.parametrize("name", ["kaifa-at-netznoe-mbus-ciphered", "el-kmswest-mbus-nokey"])
def test_captured_pushes(name: str) -> None:
    (event,) = MbusListener().feed(vector("telegrams", name).octets)
    assert event.apdu[:2] == b"\xdb\x08"


@pytest.mark.parametrize("octets", [SINGLE, bytes.fromhex("1040014116")])
def test_every_truncation_and_change_is_refused(octets: bytes) -> None:
    for size in range(len(octets)):
        with pytest.raises(FrameError) as caught:
            decode_mbus_frame(octets[:size])
        assert 0 <= caught.value.offset <= size
    for at in range(len(octets)):
        changed = bytearray(octets)
        changed[at] ^= 0x40
        with pytest.raises(FrameError):
            decode_mbus_frame(bytes(changed))


@given(frames)
def test_any_frame_round_trips(frame: MbusFrame) -> None:
    assert decode_mbus_frame(encode_mbus_frame(frame)) == frame


def test_frames_that_are_impossible_are_refused() -> None:
    for frame in (MbusFrame(0x53, 0xFF, 0, bytes(253)), MbusFrame(0x40, 1, None, b"x")):
        with pytest.raises(EncodeError):
            encode_mbus_frame(frame)
    for apdu in (b"", bytes(4001)):
        with pytest.raises(EncodeError):
            wrap_mbus(apdu, 1, 103)


@given(st.binary(min_size=1, max_size=4000), st.data())
def test_any_apdu_in_any_cut(apdu: bytes, data: st.DataObject) -> None:
    octets = wrap_mbus(apdu, 1, 103)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(octets)), max_size=6)))
    listener = MbusListener()
    found = []
    for start, stop in zip([0, *cuts], [*cuts, len(octets)], strict=True):
        found += listener.feed(octets[start:stop])
    assert found == [ApduReceived(apdu, 1, 103, confirmed=False)]


@given(
    st.lists(
        st.one_of(frames.map(encode_mbus_frame), st.binary(max_size=20), st.just(b"\x68\x20\x20\x68")),
        max_size=6,
    ),
    st.data(),
)
def test_any_cut_of_anything_gives_the_same(pieces: list[bytes], data: st.DataObject) -> None:
    octets = b"".join(pieces)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(octets)), max_size=8)))
    whole, cut = MbusParser(), MbusParser()
    expected = whole.feed(octets) + whole.idle()
    found = []
    for start, stop in zip([0, *cuts], [*cuts, len(octets)], strict=True):
        found += cut.feed(octets[start:stop])
    assert found + cut.idle() == expected
    assert (cut.discarded, cut.acknowledgements) == (whole.discarded, whole.acknowledgements)


@pytest.mark.parametrize(
    "rubbish",
    [
        b"\x68" * 100_000,
        b"\x68\xff\xff\x68" * 25_000,
        b"\x10" * 100_000,
        b"\xe5" * 1000,
        random.Random(2).randbytes(100_000),
    ],
    ids=lambda rubbish: f"{rubbish[:4].hex()}x{len(rubbish)}",
)
def test_rubbish_is_bounded_and_hides_nothing(rubbish: bytes) -> None:
    listener = MbusListener()
    found = []
    for start in range(0, len(rubbish), 1000):
        found += listener.feed(rubbish[start : start + 1000])
        assert len(listener.parser._buffer) <= 261
    found += listener.feed(SINGLE) + listener.idle()
    assert found[-1].apdu.hex() == "0f000000010001011101"


def test_segments_that_do_not_follow_each_other_are_dropped() -> None:
    octets = vector("profiles", "mbus-two-segments").octets
    first, last = octets[:261], octets[261:]
    listener = MbusListener()
    assert listener.feed(last) == []
    assert listener.feed(first + first) == []
    (event,) = listener.feed(last)
    assert event.apdu.hex() == vector("profiles", "mbus-two-segments")["decoded"]["apdu"]
    assert listener.feed(last) == []
    listener.feed(first)
    assert listener.idle() == []
    assert listener.feed(last) == []
    assert listener.ignored == {MBUS_SEGMENT_MISSING: 3}


@pytest.mark.parametrize(("ci", "header"), [(0x7C, 12), (0x7D, 4), (0x60, 12), (0x61, 4)])
def test_headers_of_the_transport_layer_are_skipped(ci: int, header: int) -> None:
    octets = encode_mbus_frame(MbusFrame(0x08, 1, ci, bytes(header) + b"\x01\x67\x0f\x00"))
    assert MbusListener().feed(octets) == [ApduReceived(b"\x0f\x00", 1, 0x67, confirmed=False)]


@pytest.mark.parametrize(("ci", "header"), [(0x7C, 12), (0x7D, 4), (0x60, 12), (0x61, 4)])
def test_what_the_transport_layer_has_encrypted_is_named(ci: int, header: int) -> None:
    content = bytes(header - 2) + b"\x20\x05" + b"\x01\x67" + bytes.fromhex("8F3A55AA0102030405060708")
    octets = encode_mbus_frame(MbusFrame(0x08, 1, ci, content))
    (received,) = MbusListener().feed(octets)
    assert received.findings == ("mbus-encrypted-mode-5",)
    (message,) = decode(octets)
    assert message.findings == ("mbus-encrypted-mode-5", "not-understood")
    assert "encrypted outside DLMS" in message.reason
    assert not message.values


def test_other_applications_are_counted_and_endless_messages_dropped() -> None:
    listener = MbusListener(most=300)
    other = encode_mbus_frame(MbusFrame(0x08, 1, 0x72, bytes(20))) + encode_mbus_frame(MbusFrame(0x40, 1))
    assert listener.feed(other) == []
    assert listener.ignored == {"CI 72": 1, "short frame": 1}
    assert listener.feed(wrap_mbus(bytes(1000), 1, 103)) == []
    assert listener.ignored["too long"] == 1
