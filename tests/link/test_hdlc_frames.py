"""HDLC frames: octets both ways, addresses, check sequences, and finding frames in rubbish."""

from __future__ import annotations

import pickle
import random
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cosem.errors import ConfigurationError, EncodeError, FrameError
from cosem.link.hdlc import (
    ALL_STATION,
    CALLING_PHYSICAL_DEVICE,
    CONTROLS,
    Damaged,
    Frame,
    FrameKind,
    FrameParser,
    HdlcAddress,
    HdlcParameters,
    decode_frame,
    encode_frame,
)
from cosem.link.hdlc.checksum import check_sequence
from cosem.link.hdlc.frame import control_octet, frame_octets
from cosem.link.hdlc.llc import LLC_DIRECTION, LLC_MISSING, LLC_TWICE, RESPONSE, split_llc
from cosem.link.hdlc.parameters import decode_negotiation
from tests.vectors import Vector, load, vector

WHOLE = [
    pytest.param(each, id=each.id)
    for each in load("profiles")
    if each.octets[:1] == b"\x7e" and isinstance(each.get("decoded", {}).get("length"), int)
]
CAPTURED = [
    pytest.param(each, id=each.id) for each in load("telegrams") if each["framing"].startswith("hdlc")
]
GOOD = bytes.fromhex("7EA00802232193BD647E")


def slow_check_sequence(octets: bytes) -> bytes:
    """Return the check sequence bit by bit, as the standard words it."""
    register = 0xFFFF
    for octet in octets:
        register ^= octet
        for _ in range(8):
            register = register >> 1 ^ 0x8408 if register & 1 else register >> 1
    return (register ^ 0xFFFF).to_bytes(2, "little")


addresses = st.one_of(
    st.builds(HdlcAddress, st.integers(0, 0x7F)),
    st.builds(HdlcAddress, st.integers(0, 0x7F), st.integers(0, 0x7F), st.just(2)),
    st.builds(HdlcAddress, st.integers(0, 0x3FFF), st.integers(0, 0x3FFF), st.just(4)),
)
frames = st.builds(
    Frame, addresses, addresses, st.sampled_from(CONTROLS), st.binary(max_size=300), st.booleans()
)


@pytest.mark.parametrize("entry", WHOLE)
def test_vector_both_ways(entry: Vector) -> None:
    said: dict[str, Any] = entry["decoded"]
    frame = decode_frame(entry.octets)
    for address, told in ((frame.destination, said["destination"]), (frame.source, said["source"])):
        assert address.size == told["bytes"]
        assert HdlcAddress(told["upper"], told.get("lower"), told["bytes"]) == address
    assert frame.segmented is said["segmented"]
    assert frame.control.octet == int(said["control"], 16)
    assert frame.control.kind.name == said["frame"]
    assert frame.control.final is said["pf"]
    assert frame.control.send_number == said.get("ns", 0)
    assert frame.control.receive_number == said.get("nr", 0)
    if "llc" in said:
        assert frame.information == bytes.fromhex(said["llc"] + said["apdu"])
    elif "information" in said:
        assert frame.information == bytes.fromhex(said["information"])
    assert encode_frame(frame) == entry.octets


@pytest.mark.parametrize("entry", WHOLE)
def test_every_truncation_is_no_frame(entry: Vector) -> None:
    for size in range(len(entry.octets)):
        with pytest.raises(FrameError) as caught:
            decode_frame(entry.octets[:size])
        assert 0 <= caught.value.offset <= size
        assert str(pickle.loads(pickle.dumps(caught.value))) == str(caught.value)


@pytest.mark.parametrize("entry", CAPTURED)
def test_captured_frames_come_back_as_they_were(entry: Vector) -> None:
    parser = FrameParser()
    found = parser.scan(entry.octets)
    assert found
    damaged = [each for each in found if isinstance(each, Damaged)]
    assert bool(damaged) is (entry.id == "lg-zmf100-embriq-badfcs")
    again = b"".join(encode_frame(each)[1:] for each in found if isinstance(each, Frame))
    if not damaged:
        assert b"\x7e" + again == entry.octets.replace(b"\x7e\x7e", b"\x7e")


def test_every_octet_changed_is_noticed() -> None:
    octets = vector("profiles", "session-04-aare").octets
    for at in range(1, len(octets) - 1):
        for change in (0x01, 0x80, 0xFF):
            damaged = bytearray(octets)
            damaged[at] ^= change
            with pytest.raises(FrameError):
                decode_frame(bytes(damaged))


@given(st.binary(max_size=600))
def test_check_sequence_equals_the_definition(octets: bytes) -> None:
    assert check_sequence(octets) == slow_check_sequence(octets)


def test_control_octets_of_the_repertoire() -> None:
    control = vector("profiles", "hdlc-control-bytes")["decoded"]["control"]
    for name, octet in control.items():
        kind, *facts = name.replace("+PF", " PF").split()
        numbers = dict(fact.split("=") for fact in facts if "=" in fact)
        made = control_octet(
            FrameKind[kind],
            final="PF" in facts,
            receive_number=int(numbers.get("nr", 0)),
            send_number=int(numbers.get("ns", 0)),
        )
        assert made == int(octet, 16), name
        assert CONTROLS[made].kind.name == kind
    known = [each for each in CONTROLS if each.kind is not FrameKind.UNKNOWN]
    assert len(known) == 128 + 2 * 16 + 2 * 6
    for each in known:
        again = control_octet(
            each.kind, final=each.final, receive_number=each.receive_number, send_number=each.send_number
        )
        assert again == each.octet


@given(frames)
def test_any_frame_round_trips(frame: Frame) -> None:
    assert decode_frame(encode_frame(frame)) == frame


def test_frame_that_is_too_long_is_refused() -> None:
    longest = frame_octets(bytes(9), 0x10, bytes(2047 - 9 - 5 - 2))
    assert len(longest) == 2049
    with pytest.raises(EncodeError, match="2048"):
        frame_octets(bytes(9), 0x10, bytes(2047 - 9 - 5 - 1))


# --- addresses ------------------------------------------------------------------------------------


def test_address_of_the_figure() -> None:
    said = vector("profiles", "hdlc-address-example")
    assert HdlcAddress(0x1234, 0x3FFF).octets + HdlcAddress(0x3A).octets == said.octets


@pytest.mark.parametrize("octets", ["02", "0202", "020202", "02020203"[:6], "0302", "02030202", "0202020202"])
def test_address_of_a_wrong_length_is_refused(octets: str) -> None:
    with pytest.raises(FrameError):
        HdlcAddress.decode(bytes.fromhex(octets))


@given(addresses)
def test_address_round_trips(address: HdlcAddress) -> None:
    assert HdlcAddress.decode(address.octets) == address
    assert len(address.octets) == address.size


def test_reserved_addresses_mean_the_same_in_every_length() -> None:
    assert HdlcAddress.decode(bytes.fromhex("FE FF")) == HdlcAddress(ALL_STATION, ALL_STATION, 2)
    assert HdlcAddress.decode(bytes.fromhex("02 FD")).lower == CALLING_PHYSICAL_DEVICE
    assert HdlcAddress(1, CALLING_PHYSICAL_DEVICE, 2).octets == bytes.fromhex("02 FD")
    assert HdlcAddress(1, CALLING_PHYSICAL_DEVICE, 4).octets == bytes.fromhex("00 02 FE FD")
    assert HdlcAddress(127, 127).is_all_station
    assert not HdlcAddress(127, 1, 4).is_all_station


def test_shortest_address_is_taken_unless_told_otherwise() -> None:
    assert HdlcAddress(1).size == 1
    assert HdlcAddress(1, 17).size == 2
    assert HdlcAddress(1, 128).size == 4
    assert HdlcAddress(1, 17, 4).octets.hex() == "00020023"
    for wrong in ((1, 17, 1), (128, None, 1), (128, 1, 2), (1, 0x4000, 4), (1, 1, 3), (-1,)):
        with pytest.raises(ConfigurationError):
            HdlcAddress(*wrong)


# --- parameters and LLC -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("session-02-ua", (128, 128, 1, 1)),
        ("hdlc-ua-2byte", (154, 154, 1, 1)),
        ("hdlc-ua-negotiated", (256, 2030, 7, 3)),
    ],
)
def test_negotiation_of_vectors(name: str, expected: tuple[int, int, int, int]) -> None:
    information = decode_frame(vector("profiles", name).octets).information
    assert decode_negotiation(information).parameters == HdlcParameters(*expected)
    assert HdlcParameters(*expected).encode() == information


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("frame-ua-maxinfo-2octet-256", (256, 256, 1, 1)),
        ("frame-ua-lg-e650", (128, 62, 1, 1)),
        ("frame-ua-kamstrup", (116, 116, 1, 1)),
        ("frame-ua-is15959", (128, 128, 1, 1)),
    ],
)
def test_negotiation_of_real_meters(name: str, expected: tuple[int, int, int, int]) -> None:
    information = decode_frame(vector("telegrams", name).octets).information
    found = decode_negotiation(information).parameters
    assert found == HdlcParameters(*expected)


def test_negotiation_takes_what_is_missing_unknown_or_absurd() -> None:
    assert decode_negotiation(b"").parameters == HdlcParameters()
    assert decode_negotiation(bytes.fromhex("818003060101")).parameters.max_info_receive == 32
    odd = decode_negotiation(
        bytes.fromhex("81 80 0D 05 04 00 00 10 00 99 02 AA BB 07 01 09 44 01 AA F0 02 C0 DE")
    )
    assert odd.parameters == HdlcParameters(2030, 128, 7, 1)
    assert odd.user_data == b"\xc0\xde"


@given(st.binary(max_size=60))
def test_negotiation_of_anything_is_read_or_refused(information: bytes) -> None:
    for octets in (information, b"\x81\x80" + information):
        with suppress(FrameError):
            parameters = decode_negotiation(octets).parameters
            assert decode_negotiation(parameters.encode()).parameters == parameters


def test_every_truncation_of_parameters_is_refused() -> None:
    octets = HdlcParameters(256, 512, 7, 3).encode(b"hello")
    whole = {0, len(octets), len(HdlcParameters(256, 512, 7, 3).encode())}
    for size in set(range(1, len(octets))) - whole - {1}:
        with pytest.raises(FrameError):
            decode_negotiation(octets[:size])


def test_llc_deviations_have_names() -> None:
    apdu = bytes.fromhex("C401C10009")
    assert split_llc(b"\xe6\xe7\x00" + apdu, RESPONSE) == (apdu, ())
    assert split_llc(b"\xff\xe7\x00" + apdu, RESPONSE) == (apdu, ())
    assert split_llc(b"\xe6\xe6\x00" + apdu, RESPONSE) == (apdu, (LLC_DIRECTION,))
    assert split_llc(b"\xe6\xe7\x00" * 2 + apdu, RESPONSE) == (apdu, (LLC_TWICE,))
    assert split_llc(apdu, RESPONSE) == (apdu, (LLC_MISSING,))
    for wrong in (b"", b"\xe6", b"\xe6\xe7\x01\xc4", b"\x99\x00\x00"):
        with pytest.raises(FrameError):
            split_llc(wrong, RESPONSE)


# --- finding frames -----------------------------------------------------------------------------------


def fed(octets: bytes, cuts: list[int]) -> list[Frame | Damaged]:
    parser = FrameParser()
    found = []
    start = 0
    for cut in [*sorted(cuts), len(octets)]:
        found += parser.scan(octets[start:cut])
        start = max(start, cut)
    return found + parser.idle()


def test_frames_share_a_flag_and_fill_is_skipped() -> None:
    shared = vector("profiles", "hdlc-shared-flag")
    parsed = FrameParser().feed(shared.octets)
    assert [encode_frame(each).hex() for each in parsed] == shared["decoded"]["frames"]
    rubbish = vector("profiles", "hdlc-garbage")
    parsed = FrameParser().feed(rubbish.octets)
    assert [encode_frame(each).hex() for each in parsed] == rubbish["decoded"]["good_frames"]


def test_fcs_with_a_flag_octet_is_cut_by_length() -> None:
    entry = vector("telegrams", "frame-get-fcs-contains-flag")
    (frame,) = FrameParser().feed(entry.octets)
    assert encode_frame(frame) == entry.octets


STREAM = b"".join(
    vector("profiles", name).octets
    for name in ("hdlc-window-3", "hdlc-flag-in-data", "hdlc-garbage", "hdlc-shared-flag", "session-02-ua")
)


def test_one_octet_at_a_time_gives_the_same() -> None:
    whole = fed(STREAM, [])
    assert len([each for each in whole if isinstance(each, Frame)]) == 9
    assert fed(STREAM, list(range(len(STREAM)))) == whole


@given(
    st.lists(
        st.one_of(frames.map(encode_frame), st.binary(max_size=40), st.just(b"\x7e\xa0\x10")), max_size=6
    ),
    st.data(),
)
def test_any_cut_of_anything_gives_the_same(pieces: list[bytes], data: st.DataObject) -> None:
    octets = b"".join(pieces)
    cuts = data.draw(st.lists(st.integers(0, len(octets)), max_size=8))
    assert fed(octets, cuts) == fed(octets, [])


@given(st.binary(max_size=200), frames)
def test_a_good_frame_after_rubbish_is_found(rubbish: bytes, frame: Frame) -> None:
    parser = FrameParser()
    found = parser.feed(rubbish + encode_frame(frame))
    found += [each for each in parser.idle() if isinstance(each, Frame)]
    assert frame in found


@pytest.mark.parametrize(
    "rubbish",
    [
        b"\x7e" * 100_000,
        b"\x7e\xa7\xff" * 30_000,
        b"\x7e\xa7\xff\x03\x21\x10" * 20_000,
        b"\x7e\xa0\x07" * 30_000,
        b"\x7e\xa0\x08" + b"\x02" * 100_000,
        random.Random(1).randbytes(100_000),
        *(bytes((0x7E, kind << 4 | 7, 0xFF)) * 1000 for kind in range(16)),
        *(bytes.fromhex(f"7EA{size:03X}0321") * 100 for size in (0, 1, 6, 0x7FF)),
    ],
    ids=lambda rubbish: f"{rubbish[:6].hex()}x{len(rubbish)}",
)
def test_rubbish_is_bounded_and_hides_nothing(rubbish: bytes) -> None:
    parser = FrameParser()
    found: list[Frame | Damaged] = []
    for start in range(0, len(rubbish), 1000):
        found += parser.scan(rubbish[start : start + 1000])
        assert len(parser._buffer) <= 2049
    found += parser.scan(GOOD)
    found += parser.idle()
    assert found[-1] == decode_frame(GOOD)
    assert not parser.partial


def test_every_control_octet_passes_the_parser() -> None:
    octets = b"".join(frame_octets(b"\x03\x21", octet, b"abc") for octet in range(256))
    assert [frame.control.octet for frame in FrameParser().feed(octets)] == list(range(256))


def test_damaged_frames_are_reported_in_their_place() -> None:
    entry = vector("telegrams", "lg-zmf100-embriq-badfcs")
    parser = FrameParser()
    before, damaged, after = parser.scan(GOOD + entry.octets + GOOD)
    assert before == after == decode_frame(GOOD)
    assert isinstance(damaged, Damaged)
    assert damaged.problem == "the frame check sequence is wrong"
    assert damaged.frame is not None
    assert damaged.frame.information[:4].hex() == "e6e7000f"
    assert parser.faults == {damaged.problem: 1}
    assert parser.feed(entry.octets) == []
