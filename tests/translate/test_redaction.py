"""Redaction: nothing that tells somebody is left anywhere, everything still decodes, and equal stays equal."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cosem.link.hdlc.address import HdlcAddress
from cosem.link.hdlc.frame import CONTROLS, Frame, FrameKind, control_octet, decode_frame, encode_frame
from cosem.link.wrapper import wrap
from cosem.translate.explain import explain
from cosem.translate.item import Item
from cosem.translate.pseudonyms import Pseudonyms
from cosem.translate.redaction import redact
from cosem.transport.recording import Entry, Recording, RecordingHeader

KEY = bytes(range(32))
SERIAL = b"ZQ73914"
HEX = SERIAL.hex()
TITLE = b"ABC\x00\x91\x37\x55\x02"
NUMBER = "7B5A1C39"


def octets(text: str) -> bytes:
    return bytes.fromhex(
        text.replace("S", HEX).replace("T", TITLE.hex()).replace("N", NUMBER).replace(" ", "")
    )


def recording(*steps: str) -> Recording:
    """Return a recording of steps such as ``> C001...``, with a frame of the wrapper for each."""
    entries = []
    for at, step in enumerate(steps):
        sent, apdu = step[0] == ">", octets(step[1:])
        frame = Entry(float(at), sent, "frame", wrap(apdu, 16, 1))
        entries += (
            [Entry(float(at), sent, "apdu", apdu), frame] if sent else [frame, Entry(at, sent, "apdu", apdu)]
        )
    return Recording(
        RecordingHeader("2026-03-01T00:00:00+00:00", url="tcp://meter-zq73914:4059"), tuple(entries)
    )


def shape(item: Item) -> tuple[object, ...]:
    return item.name, item.start, item.stop, item.kind, tuple(shape(child) for child in item.children)


READ = "C001C1 0001 0000600100FF 02 00"
CAPTURED = "> C001C1 0007 0100630100FF 02 00"
CASES = {
    "a serial number": [f"> {READ}", "< C401C1 00 0907 S"],
    "a visible string": [f"> {READ}", "< C401C1 00 0A07 S"],
    "a text in UTF-8": [f"> {READ}", "< C401C1 00 0C07 S"],
    "a value that is written": ["> C101C1 0001 0000600100FF 02 00 0907 S"],
    "a parameter of a method": ["> C301C1 0001 0000600100FF 01 01 0907 S"],
    "a result of a method": ["> C301C1 0001 0000600100FF 01 00", "< C701C1 00 01 00 0907 S"],
    "a list": [
        "> C003C1 02 0008 0000010000FF 02 00 0001 0000600100FF 02 00",
        "< C403C1 02 01 04 00 0907 S",
    ],
    "an access": [
        "> D9 40000001 00 01 01 0001 0000600100FF 02 01 00",
        "< DA 40000001 00 00 01 0907 S 01 01 00",
    ],
    "a reading": ["> C001C1 0003 0100010800FF 02 00", "< C401C1 00 06 N"],
    "a profile": [CAPTURED, "< C401C1 00 0101 0203 090C07EA03010700000000800000 06 N 0907 S"],
    "a compact array": [CAPTURED, "< C401C1 00 13 02 02 06 09 0C N 07 S"],
    "blocks": [
        CAPTURED,
        "< C402C1 00 00000001 00 0B 0102 0202 06 7B5A1C39 09 07",
        "> C002C1 00000001",
        "< C402C1 01 00000002 00 12 S 0202 06 N 0902 4142",
    ],
    "blocks of a list": [
        "> C003C1 02 0008 0000010000FF 02 00 0001 0000600100FF 02 00",
        "< C402C1 00 00000001 00 03 02 0104",
        "> C002C1 00000001",
        "< C402C1 01 00000002 00 0A 00 0907 S",
    ],
    "blocks that do not end": [CAPTURED, "< C402C1 00 00000001 00 0B 0101 0907 S"],
    "general blocks": [
        f"> {READ}",
        "< E0 00 0001 0000 0A C401C100 0907 5A513733",
        "< E0 80 0002 0000 03 393134",
    ],
    "general blocks, repeated": [
        f"> {READ}",
        "< E0 00 0001 0000 0D C401C100 0907 S",
        "< E0 00 0001 0000 0D C401C100 0907 S",
        "< E0 80 0002 0000 00",
    ],
    "a notification": ["< 0F 00000001 00 0202 0907 S 06 N"],
    "an event": ["< C2 00 0001 0000600100FF 02 0907 S"],
    "short names": ["> 0501 021234", "< 0C01 00 0907 S", "> 0601 021234 01 0907 S"],
    "an information report": ["< 18 00 01 021234 01 0907 S"],
    "system titles": [
        "> 6029A109060760857405080103A60A0408 T BE10040E01000000065F1F0400001E1DFFFF",
    ],
    "an envelope": ["> DB 08 T 0E 20 00000001 S 0102"],
    "a serial number that stands elsewhere, too": [
        f"> {READ}",
        "< C401C1 00 0907 S",
        "> C001C1 0008 0000010000FF 02 01 01 0907 S",
    ],
    "an APDU that is damaged": ["< C401C1 00 0907 S FF"],
}


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("keep", [False, True])
def test_nothing_is_left_and_all_decodes_as_before(name: str, keep: bool) -> None:
    before = recording(*CASES[name])
    after = redact(before, KEY, keep_values=keep)
    text = after.to_text().lower()
    forbidden = [HEX, TITLE.hex(), SERIAL.decode().lower(), *([] if keep else [NUMBER.lower()])]
    for each in forbidden:
        assert each not in text
    assert len(after.entries) == len(before.entries)
    for old, new in zip(before.entries, after.entries, strict=True):
        assert (old.at, old.sent, old.kind, len(old.octets)) == (new.at, new.sent, new.kind, len(new.octets))
    if "damaged" not in name:
        for old, new in zip(before.apdus, after.apdus, strict=True):
            assert shape(explain(new.octets).root) == shape(explain(old.octets).root)
    # Each frame holds what its APDU says now.
    assert sorted(entry.octets[8:] for entry in after.entries if entry.kind == "frame") == sorted(
        entry.octets for entry in after.apdus
    )
    assert after.header.redacted
    assert after.header.url == ""


def test_what_came_in_blocks_is_a_good_value_afterwards() -> None:
    after = redact(recording(*CASES["blocks"]), KEY)
    first, second = after.apdus[1].octets[10:], after.apdus[3].octets[10:]
    found = explain(bytes.fromhex("C401C100") + first + second)
    assert found.root.children[-1].children[0].kind == "array of 2"
    whole = redact(recording(*CASES["general blocks"]), KEY).apdus
    assert explain(whole[1].octets[7:] + whole[2].octets[7:]).value


KEPT = [
    ["> C001C1 0008 0000010000FF 02 00", "< C401C1 00 090C07EA03010700000000800000"],
    ["> C001C1 0003 0100010800FF 03 00", "< C401C1 00 0202 0F00 161E"],
    ["> C001C1 0007 0100630100FF 03 00", "< C401C1 00 0101 0204 120008 09060000010000FF 0F02 120000"],
    ["> C001C1 000F 0000280000FF 02 00", "< C401C1 00 0101 0204 120008 1100 09060000010000FF 0202 0100 0100"],
    ["> C001C1 0001 0000600100FF 01 00", "< C401C1 00 09060000600100FF"],
    ["> C001C1 0028 0000190900FF 02 00", "< C401C1 00 0101 0204 120008 09060000010000FF 0F02 120000"],
    [
        "> C001C1 0009 00000A0064FF 02 00",
        "< C401C1 00 0101 0202 120001 0101 0205 1602 120046 09060000600A03FF 0F01 120001",
    ],
    ["> C001C1 0001 0000600A01FF 02 00", "< C401C1 00 1105"],
    ["> C001C1 0017 0000160000FF 06 00", "< C401C1 00 120080"],
    ["> C001C1 0029 0000190000FF 02 00", "< C401C1 00 120FDB"],
    ["> C001C1 0006 00000E0000FF 04 00", "< C401C1 00 0903646179"],
    [
        "> C001C1 0009 00000A0064FF 02 00",
        "< C401C1 00 0101 0202 120001 0101 0205 1601 120006 090600000E0000FF 0F04 0903646179",
    ],
    ["> C001C1 000F 0000280001FF 09 00", "< C401C1 00 0906000000000000"],
    ["> C001C1 0001 0000010100FF 02 00", "< C401C1 00 0665A1B2C3"],
    ["> C001C1 0001 00002B0100FF 02 00", "< C401C1 00 0600010203"],
    [
        "> 0501 02FA08",
        "< 0C01 00 0101 0204 102000 120007 1100 09060100630100FF",
        "> 0501 022018",
        "< 0C01 00 0600000708",
    ],
    [
        "> 0501 022018",
        "< 0C01 00 0600000708",
        "> 0501 02FA08",
        "< 0C01 00 0101 0204 102000 120007 1100 09060100630100FF",
    ],
    ["< C401C1 01 04"],
]


@pytest.mark.parametrize("steps", KEPT)
def test_names_moments_units_and_states_stay(steps: list[str]) -> None:
    before = recording(*steps)
    after = redact(before, KEY)
    if "120000" in steps[-1] and "0028" in steps[0]:
        # The data_index may be anything; class_id and logical name are known.
        assert after.apdus[-1].octets[:-2] == before.apdus[-1].octets[:-2]
    else:
        assert after.entries == before.entries


NAMES = ["> 0501 02FA08", "< 0C01 00 0101 0204 102000 120007 1100 09060100630100FF"]
SELECTION = "02 0204 06000000 01 06 N 12 0001 12 0000"


def test_rows_that_are_selected_with_short_names_stay_so_but_not_what_a_method_is_called_with() -> None:
    selected = [*NAMES, f"> 0501 04 2008 {SELECTION}"]
    called = [*NAMES, f"> 0501 04 2078 {SELECTION}"]
    unknown = [*NAMES, f"> 0501 04 7008 {SELECTION}"]
    assert redact(recording(*selected), KEY).entries == recording(*selected).entries
    for steps in (called, unknown):
        assert NUMBER.lower() not in redact(recording(*steps), KEY).to_text().lower()


ACTIONS = "0101 0202 120001 0101 0205"
PERSONAL_NUMBERS = [
    ("0007 0100630100FF 02", "0101 0201 06"),  # rows
    ("0047 0000110000FF 03", "06"),  # what was agreed on
    ("0048 0001180100FF 06", "06"),  # the identity of a slave
    ("002A 0000190100FF 03", "06"),  # an address
    ("006F 0000130000FF 05", "05"),  # money
    ("1234 0000130000FF 02", "06"),  # a class that nobody knows
    ("0009 00000A0064FF 05", "06"),  # what a manufacturer has added to scripts
    ("000F 0000280000FF 64", "06"),  # or to an association
    ("0009 00000A0064FF 02", f"{ACTIONS} 1601 120003 09060100010800FF 0F02 06"),  # the parameter of an action
    ("0009 00000A0064FF 02", f"{ACTIONS} 1601 120048 09060001180100FF 0F06 06"),
    ("0009 00000A0064FF 02", f"{ACTIONS} 0601 120003 09060100010800FF 0F02 06"),  # of what nobody knows
    ("0014 00000D0000FF 03", "0101 06"),  # no season
    ("0055 0000190000FF 03", "0102 100001 06"),  # nodes of a network
]


@pytest.mark.parametrize(("attribute", "before"), PERSONAL_NUMBERS)
def test_numbers_that_tell_somebody_go(attribute: str, before: str) -> None:
    after = redact(recording(f"> C001C1 {attribute} 00", f"< C401C1 00 {before} N"), KEY)
    assert NUMBER.lower() not in after.to_text().lower()


@pytest.mark.parametrize(
    "value",
    [
        f"{ACTIONS} 1601 120001 09060000600100FF 0F02 0907 S",  # written by a script
        f"{ACTIONS} 1602 120001 09060000600100FF 0F01 0202 0A07 S 0907 S",  # what a method of it is called with
        f"{ACTIONS} 1601 120009 090600000A0064FF 0F02 {ACTIONS} 1601 120001 09060000600100FF 0F02 0907 S",
        "0101 0202 120001 0907 S",  # no actions
        "13 02 02 12 09 0A 0001 07 S",  # a compact array of none
        "0907 S",
    ],
)
def test_what_is_open_in_scripts_goes(value: str) -> None:
    before = recording("> C001C1 0009 00000A0064FF 02 00", f"< C401C1 00 {value}")
    after = redact(before, KEY)
    assert HEX not in after.to_text().lower()
    assert shape(explain(after.apdus[-1].octets).root) == shape(explain(before.apdus[-1].octets).root)


def test_groups_of_addresses_go() -> None:
    after = redact(recording("> C001C1 005C 00001D0200FF 0C 00", "< C401C1 00 0102 127B5A 121C39"), KEY)
    assert "127b5a" not in after.to_text().lower()
    assert "121c39" not in after.to_text().lower()


def test_equal_stays_equal_and_another_key_gives_others() -> None:
    steps = [f"> {READ}", "< C401C1 00 0907 S", f"> {READ}", "< C401C1 00 0907 S"]
    one, other = redact(recording(*steps), KEY), redact(recording(*steps), bytes(32))
    assert one.apdus[1].octets == one.apdus[3].octets
    assert one.apdus[1].octets != other.apdus[1].octets


def test_frames_of_hdlc_are_made_anew_with_another_device() -> None:
    apdu = octets("C401C1 00 0907 S")
    meter = HdlcAddress(1, 7391, size=4)
    frames = [
        encode_frame(
            Frame(
                HdlcAddress(16),
                meter,
                CONTROLS[control_octet(FrameKind.I, final=False, send_number=at)],
                part,
                at == 0,
            )
        )
        for at, part in enumerate([b"\xe6\xe7\x00" + apdu[:8], apdu[8:]])
    ]
    before = Recording(
        RecordingHeader(profile="hdlc"),
        (
            Entry(0, False, "octets", b"/CSM5\\2ZQ73914\r\n"),
            Entry(0, True, "octets", b"\x06252\r\n"),
            Entry(0, True, "octets", b"/?73914!\r\n"),
            *(Entry(0, False, "frame", frame) for frame in frames),
            Entry(0, False, "apdu", apdu),
            Entry(0, False, "frame", b"\x7erubbish ZQ73914\x7e"),
        ),
    )
    after = redact(before, KEY)
    assert HEX not in after.to_text().lower()
    assert b"73914".hex() not in after.to_text().lower()
    first, second = (decode_frame(entry.octets) for entry in after.entries[3:5])
    assert first.information[3:] + second.information == after.apdus[0].octets
    assert first.source == second.source
    assert first.source.lower != 7391
    assert first.source.upper == 1
    assert after.entries[0].octets.startswith(b"/CSM5")
    assert after.entries[1] == before.entries[1]


@given(st.binary(max_size=24))
def test_pseudonyms_have_the_length_and_the_kind_of_what_they_stand_for(original: bytes) -> None:
    names = Pseudonyms(KEY)
    name = names.string(original)
    assert len(name) == len(original)
    assert name == Pseudonyms(KEY).string(original)
    assert len(names.text(original)) == len(original)
    names.text(original).decode("utf-8")
    for before, after in zip(original, name, strict=True):
        if original.isascii() and chr(before).isdigit() and all(0x20 <= each < 0x7F for each in original):
            assert chr(after).isdigit()


@given(st.lists(st.tuples(st.booleans(), st.binary(min_size=1, max_size=40)), max_size=6))
def test_whatever_a_recording_holds_it_can_be_redacted(found: list[tuple[bool, bytes]]) -> None:
    before = Recording(RecordingHeader(), tuple(Entry(0.0, sent, "apdu", apdu) for sent, apdu in found))
    after = redact(before, KEY)
    assert [len(entry.octets) for entry in after.entries] == [len(apdu) for _, apdu in found]
