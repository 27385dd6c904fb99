"""Recordings: what is written can be read, secrets are in no line, and rubbish is told in one line."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import count

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cosem.errors import ConversionError
from cosem.link.hdlc.address import HdlcAddress
from cosem.link.hdlc.frame import CONTROLS, Frame, FrameKind, control_octet, decode_frame, encode_frame
from cosem.link.wrapper import wrap
from cosem.transport.recording import Entry, Recorder, Recording, RecordingHeader
from cosem.transport.reframing import Framing, Splitter

SECRET = b"12345678"
AARQ = bytes.fromhex(
    "6036A1090607608574050801018A0207808B0760857405080201AC0A8008"
    "3132333435363738BE10040E01000000065F1F0400001E1DFFFF"
)
GET = bytes.fromhex("C001C100080000010000FF0200")
CLIENT, METER = HdlcAddress(16), HdlcAddress(1)


def mask(apdu: bytes, sent: bool) -> tuple[tuple[int, int], ...]:
    at = apdu.find(SECRET)
    return ((at, at + len(SECRET)),) if at >= 0 else ()


class Made:
    """A recorder, and what it has written."""

    def __init__(self, profile: Framing) -> None:
        ticks: Iterator[int] = count()
        self.text = ""
        self.recorder = Recorder(
            self.write,
            RecordingHeader(profile=profile, url="tcp://meter:4059", client=17),
            now=lambda: datetime(2026, 3, 1, tzinfo=UTC),
            seconds=lambda: float(next(ticks)),
            mask=mask,
        )

    def write(self, text: str) -> None:
        self.text += text

    @property
    def recording(self) -> Recording:
        return Recording.parse(self.text)


def segments(message: bytes, size: int, number: int = 0) -> list[bytes]:
    parts = [message[at : at + size] for at in range(0, len(message), size)]
    return [
        encode_frame(
            Frame(
                METER,
                CLIENT,
                CONTROLS[control_octet(FrameKind.I, final=False, send_number=(number + index) % 8)],
                part,
                index < len(parts) - 1,
            )
        )
        for index, part in enumerate(parts)
    ]


def informations(recording: Recording) -> bytes:
    return b"".join(
        decode_frame(each.octets).information for each in recording.entries if each.kind == "frame"
    )


def test_frames_and_apdus_are_written_with_times_and_directions() -> None:
    made = Made("wrapper")
    made.recorder.apdu_sent(GET)
    made.recorder.octets_sent(wrap(GET, 16, 1))
    made.recorder.octets_received(wrap(b"\xc4\x01\xc1\x01\x04", 1, 16))
    assert '"received"' not in made.text  # the frame waits for what is in it
    made.recorder.apdu_received(b"\xc4\x01\xc1\x01\x04")
    made.recorder.close()
    found = made.recording
    assert found.header == RecordingHeader(
        "2026-03-01T00:00:00.000000+00:00", "wrapper", "tcp://meter:4059", 17
    )
    assert [(each.at, each.sent, each.kind) for each in found.entries] == [
        (1.0, True, "apdu"),
        (2.0, True, "frame"),
        (3.0, False, "frame"),
        (4.0, False, "apdu"),
    ]
    assert found.entries[1].octets == wrap(GET, 16, 1)


def test_connections_have_numbers_and_lines_of_their_own() -> None:
    first, other = RecordingHeader("t0", client=17), RecordingHeader("t1", "hdlc", client=1, server=2)
    silent = RecordingHeader("t2")
    entries = (
        Entry(0.0, True, "apdu", GET),
        Entry(0.5, True, "apdu", GET, connection=1),
        Entry(1.0, False, "apdu", b"\xc4\x01\xc1\x01\x04"),
    )
    recording = Recording(first, entries, connections=(other, silent))
    assert Recording.parse(recording.to_text()) == recording
    assert recording.headers == (first, other, silent)
    with pytest.raises(ConversionError, match="line 2: the next connection"):
        Recording.parse(f"{first.to_line()}\n{other.to_line(2)}\n")
    with pytest.raises(ConversionError, match=r"line 2: .*has begun"):
        Recording.parse(f"{first.to_line()}\n{entries[1].to_line()}\n")


def test_what_a_meter_records_has_the_directions_of_its_client() -> None:
    text: list[str] = []
    recorder = Recorder(
        text.append,
        RecordingHeader(),
        now=lambda: datetime(2026, 3, 1, tzinfo=UTC),
        seconds=lambda: 3.0,
        mask=mask,
        begun=1.0,
        connection=1,
        at_meter=True,
    )
    recorder.octets_received(wrap(GET, 16, 1))
    recorder.apdu_received(GET)
    recorder.apdu_sent(b"\xc4\x01\xc1\x01\x04")
    recorder.close()
    found = Recording.parse(f"{RecordingHeader().to_line()}\n{''.join(text)}")
    assert [(each.at, each.sent, each.kind, each.connection) for each in found.entries] == [
        (2.0, True, "frame", 1),
        (2.0, True, "apdu", 1),
        (2.0, False, "apdu", 1),
    ]


@pytest.mark.parametrize("size", [1, 3, 8, 20, 128])
@pytest.mark.parametrize("cut", [1, 7, 1000])
def test_a_secret_is_in_no_frame_however_it_is_cut(size: int, cut: int) -> None:
    made = Made("hdlc")
    made.recorder.apdu_sent(AARQ)
    line = b"".join(segments(b"\xe6\xe6\x00" + AARQ, size))
    for at in range(0, len(line), cut):
        made.recorder.octets_sent(line[at : at + cut])
    made.recorder.close()
    found = made.recording
    assert informations(found) == b"\xe6\xe6\x00" + AARQ.replace(SECRET, b"*" * 8)
    assert found.entries[0].masked == ((30, 38),)
    assert len([each for each in found.entries if each.kind == "frame"]) == -(-(3 + len(AARQ)) // size)


def test_a_repeated_frame_is_masked_like_the_first() -> None:
    made = Made("hdlc")
    (frame,) = segments(b"\xe6\xe6\x00" + AARQ, 128)
    made.recorder.octets_received(frame)
    made.recorder.octets_received(frame)
    made.recorder.apdu_received(AARQ)
    made.recorder.close()
    first, second, _ = made.recording.entries
    assert first.octets == second.octets
    assert SECRET not in first.octets
    assert b"*" * 8 in first.octets


def test_a_frame_whose_apdu_is_never_known_is_masked_whole() -> None:
    made = Made("hdlc")
    made.recorder.octets_received(segments(b"\xe6\xe7\x00" + AARQ, 20)[0])
    made.recorder.octets_received(b"\x00\x01rubbish\x7e")
    made.recorder.close()
    frame, octets = made.recording.entries
    assert decode_frame(frame.octets).information == b"*" * 20
    assert octets.octets == b"*" * 9
    assert octets.masked == ((0, 9),)


def test_a_sign_on_before_the_first_frame_is_shown() -> None:
    made = Made("hdlc")
    made.recorder.octets_sent(b"/?!\r\n")
    made.recorder.octets_received(b"/CSM5\\2COSEM\r\n")
    made.recorder.close()
    assert [each.octets for each in made.recording.entries] == [b"/?!\r\n", b"/CSM5\\2COSEM\r\n"]


def test_octets_that_are_no_unit_of_the_wrapper_are_masked() -> None:
    made = Made("wrapper")
    made.recorder.octets_received(b"HTTP/1.1 400 Bad Request")
    made.recorder.octets_received(b"12345678")
    made.recorder.close()
    assert [each.kind for each in made.recording.entries] == ["octets", "octets"]
    assert {each for entry in made.recording.entries for each in entry.octets} == {ord("*")}


def test_a_lost_message_does_not_hold_up_the_next() -> None:
    splitter = Splitter("wrapper")
    (lost,) = splitter.feed(wrap(AARQ, 1, 16))
    (kept,) = splitter.feed(wrap(GET, 1, 16))
    assert lost.shown is None
    splitter.apdu(GET, GET)
    assert kept.shown == wrap(GET, 1, 16)
    assert lost.shown == wrap(b"*" * len(AARQ), 1, 16)


entries = st.builds(
    Entry,
    st.integers(0, 10**9).map(lambda micro: micro / 1_000_000),
    st.booleans(),
    st.sampled_from(["apdu", "frame", "octets"]),
    st.binary(min_size=4, max_size=20),
    st.sampled_from([(), ((0, 4),), ((0, 1), (2, 3))]),
)


@given(st.lists(entries, max_size=6))
def test_what_is_written_can_be_read(given_entries: list[Entry]) -> None:
    recording = Recording(RecordingHeader("2026-03-01T00:00:00+00:00", "hdlc"), tuple(given_entries))
    assert Recording.parse(recording.to_text()) == recording


def test_every_truncation_is_a_recording_or_one_line() -> None:
    whole = Recording(RecordingHeader(), (Entry(0.5, True, "apdu", GET), Entry(1.0, False, "apdu", AARQ)))
    text = whole.to_text()
    header = len(whole.header.to_line())
    for size in range(len(text)):
        if size < header:
            with pytest.raises(ConversionError) as caught:
                Recording.parse(text[:size])
            assert "\n" not in str(caught.value)
            continue
        found = Recording.parse(text[:size])
        assert found.entries == whole.entries[: len(found.entries)]


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("rubbish", "no JSON"),
        ("[" * 100_000, "no JSON"),
        ("[]", "no JSON object"),
        ('{"at": "x", "sent": "apdu", "octets": "00"}', '"at"'),
        ('{"at": true, "sent": "apdu", "octets": "00"}', '"at"'),
        ('{"at": NaN, "sent": "apdu", "octets": "00"}', '"at"'),
        ('{"at": 0, "octets": "00"}', '"sent"'),
        ('{"at": 0, "sent": ["apdu"], "octets": "00"}', '"sent"'),
        ('{"at": 0, "sent": "apdu", "received": "apdu", "octets": "00"}', '"sent"'),
        ('{"at": 0, "sent": "apdu", "octets": "0"}', "hexadecimal"),
        ('{"at": 0, "sent": "apdu", "octets": 5}', "hexadecimal"),
        ('{"at": 0, "sent": "apdu", "octets": ""}', "empty"),
        ('{"at": 0, "sent": "apdu", "octets": "00", "masked": 1}', '"masked"'),
        ('{"at": 0, "sent": "apdu", "octets": "00", "masked": [[0, 2]]}', '"masked"'),
    ],
)
def test_a_wrong_line_is_named(line: str, problem: str) -> None:
    good = Entry(0, True, "apdu", GET).to_line()
    with pytest.raises(ConversionError, match="line 3") as caught:
        Recording.parse(f"{RecordingHeader().to_line()}\n{good}\n{line}\n{good}\n")
    assert problem in str(caught.value)


@pytest.mark.parametrize(
    "line",
    [
        "",
        "rubbish",
        "{}",
        '{"cosem-recording": 2}',
        '{"cosem-recording": true, "profile": "hdlc"}',
        '{"cosem-recording": 1, "profile": "carrier pigeon"}',
        '{"cosem-recording": 1, "profile": ["hdlc"]}',
        '{"cosem-recording": 1, "profile": "hdlc", "url": 5}',
        '{"cosem-recording": 1, "profile": "hdlc", "client": -1}',
    ],
)
def test_a_wrong_first_line_is_told(line: str) -> None:
    with pytest.raises(ConversionError):
        Recording.parse(f"{line}\n")
