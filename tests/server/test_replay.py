"""A recording that plays its meter: same requests, same answers, other invoke-ids; the rest is told and refused."""

from __future__ import annotations

import pytest

from cosem.errors import ConfigurationError
from cosem.server.replay import ReplayDevice, exchanges_of
from cosem.transport.recording import Entry, Recording, RecordingHeader

AARQ = "6036A1090607608574050801018A0207808B0760857405080201AC0A8008{}BE10040E01000000065F1F0400001E1DFFFF"
AARE = "6129A109060760857405080101A203020100A305A103020100BE10040E0800065F1F0400001E1D04C80007"
CLOCK, SERIAL = "0008 0000010000FF 02 00", "0001 0000600100FF 02 00"


def octets(text: str) -> bytes:
    return bytes.fromhex(text.replace(" ", ""))


def recording(*steps: str) -> Recording:
    entries = []
    for at, step in enumerate(steps):
        sent, text = step[0] == ">", octets(step[1:])
        masked = ((30, 38),) if sent and text[0] == 0x60 else ()
        entries.append(Entry(float(at), sent, "apdu", text, masked))
        entries.append(Entry(float(at), sent, "frame", b"\x00\x01"))
    return Recording(RecordingHeader(server=7), tuple(entries))


READ = recording(
    f"> {AARQ.format('2A' * 8)}",
    f"< {AARE}",
    f"> C001C1 {CLOCK}",
    "< C401C1 00 11 01",
    f"> C001C2 {SERIAL}",
    "< C402C2 00 00000001 00 02 0904",
    "> C002C2 00000001",
    "< C402C2 01 00000002 00 04 01020304",
    f"> C001C1 {CLOCK}",
    "< C401C1 00 11 02",
    "> 6203800100",
    "< 6303800100",
)


class Playing:
    """A client of the recording."""

    def __init__(self, played: Recording) -> None:
        self.told: list[bytes] = []
        self.device = ReplayDevice(played, self.told.append)
        self.association = self.device.association(16)

    def ask(self, text: str) -> list[str]:
        processing = self.association.process(octets(text), 0.0)
        try:
            while True:
                processing.send(None)
        except StopIteration as stop:
            return [answer.hex().upper() for answer in stop.value]


def test_requests_and_answers_are_paired() -> None:
    exchanges = exchanges_of(READ)
    assert len(exchanges) == 6
    assert [len(each.answers) for each in exchanges] == [1] * 6
    assert ReplayDevice(READ).sap == 7


def test_the_same_requests_get_the_same_answers_with_their_own_invoke_ids() -> None:
    playing = Playing(READ)
    assert playing.ask(AARQ.format("3132333435363738")) == [AARE]
    assert playing.ask(f"C00187 {CLOCK}") == ["C40187001101"]
    assert playing.ask(f"C00188 {SERIAL}") == ["C40288000000000100020904"]
    assert playing.ask("C00288 00000001") == ["C402880100000002000401020304"]
    assert playing.ask("6203800100") == ["6303800100"]
    assert not playing.told


def test_a_request_that_repeats_goes_through_its_answers_and_begins_again() -> None:
    playing = Playing(READ)
    assert [playing.ask(f"C001C1 {CLOCK}")[0][-2:] for _ in range(3)] == ["01", "02", "01"]


def test_the_order_may_be_another_but_blocks_follow_their_request() -> None:
    playing = Playing(READ)
    assert playing.ask(f"C001C1 {SERIAL}")
    assert playing.ask(f"C001C1 {CLOCK}") == ["C401C1001102"]
    assert playing.ask("C002C1 00000001") == ["D80103"]
    assert [each.hex() for each in playing.told] == ["c002c100000001"]


def test_a_client_that_proposes_otherwise_is_welcome_if_it_authenticates_alike() -> None:
    playing = Playing(READ)
    other = AARQ.format("3132333435363738").replace("00001E1DFFFF", "0000181D0400")
    assert playing.ask(other) == [AARE]
    lowest = "601DA109060760857405080101BE10040E01000000065F1F0400001E1DFFFF"
    assert playing.ask(lowest)[0].startswith("6129A1")
    assert not playing.told
    hls = AARQ.format("3132333435363738").replace("60857405080201", "60857405080205")
    assert not playing.ask(hls)[0].startswith("6129A109060760857405080101A203020100")
    assert playing.told == [octets(hls)]


@pytest.mark.parametrize(
    ("request_", "refusal"),
    [
        ("C001C3 0003 0100010800FF 02 00", "C401C3010B"),
        ("C101C3 0003 0100010800FF 02 00 1100", "C501C30B"),
        ("C301C3 0003 0100010800FF 01 00", "C701C30B00"),
        ("0502 020001 020002", "0C02010B010B"),
        ("0601 020001 01 1100", "0D01010B"),
        ("D9 40000001 00 01 01 0008 0000010000FF 02 01 00", "D80103"),
        ("C8 05 30 00000001 00", "D80103"),
    ],
)
def test_what_has_no_answer_is_refused_and_told(request_: str, refusal: str) -> None:
    playing = Playing(READ)
    assert playing.ask(request_) == [refusal]
    assert playing.told == [octets(request_)]


def test_long_invoke_ids_are_adapted_in_general_blocks_too() -> None:
    playing = Playing(
        recording(
            "> D9 40000001 00 01 01 0008 0000010000FF 02 01 00",
            "< E0 00 0001 0000 08 DA 40000001 00 00 01",
            "> E0 80 0000 0001 00",
            "< E0 80 0002 0000 02 11 07",
        )
    )
    assert playing.ask("D9 40000009 00 01 01 0008 0000010000FF 02 01 00") == [
        "E0000001000008DA40000009000001"
    ]
    assert playing.ask("E0 80 0000 0001 00") == ["E08000020000021107"]


def test_notifications_come_with_the_answer_before_them() -> None:
    playing = Playing(recording(f"> C001C1 {CLOCK}", "< C401C1 00 1101", "< 0F00000001 00 1105"))
    assert playing.ask(f"C00181 {CLOCK}") == ["C40181001101", "0F00000001001105"]


def test_a_recording_without_answers_is_no_meter() -> None:
    with pytest.raises(ConfigurationError, match="no request with an answer"):
        ReplayDevice(recording(f"> C001C1 {CLOCK}"))
    with pytest.raises(ConfigurationError):
        ReplayDevice(recording("< 0F00000001 00 1105"))
