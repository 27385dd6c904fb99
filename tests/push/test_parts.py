"""Layouts from files, keys from every place, blocks that get lost, and sizes of what has no frame."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

import cosem
from cosem.apdu.block_transfer import GeneralBlockTransfer
from cosem.errors import ConfigurationError
from cosem.link.wrapper import wrap
from cosem.push import Origin, Parser, StrictFindings, decode, load_layouts
from cosem.push.blocks import BlockReassembly
from cosem.push.layouts import known_layouts
from cosem.push.sizes import apdu_size
from cosem.push.walking import data_size
from cosem.security.envelope import seal_content
from cosem.security.inspection import Verdict
from cosem.security.material import gcm_key
from cosem.security.suites import SecurityControl
from cosem.store.memory_keys import MemoryKeyStore
from tests.vectors import load, vector

NOTIFICATION = bytes.fromhex("0F00000001000101020309060100010700FF060000011802020F00161B")
BARE = bytes.fromhex("0F 00000001 00 0202 06 00000102 12 0902")
MINE = """
[makers]
XYZ = "Exyz"

[[layout]]
name = "mine"
maker = "Home"
match = { container = "structure", elements = [2], types = ["double-long-unsigned", "*"] }
names = ["1.0.1.8.0.255", "1.0.32.7.0.255"]
scales = [["1.0.1.8.0.255", 1, "Wh"], ["1.*.32,52,72.7.0.255", -1, "V"]]
"""


def test_every_layout_that_ships_is_used_by_a_capture():
    names = set()
    for entry in load("telegrams"):
        given_keys = entry["keys"] or {}
        keys = cosem.Keys.parse(encryption=given_keys["ek"]) if given_keys else None
        names |= {message.layout for message in decode(entry.octets, keys, decrypt_unverified=True)}
    without_capture = {"kaifa-norway-list-2-3-one-phase"}
    assert {layout.name for layout in known_layouts().layouts} - names == without_capture


def test_lists_of_meters_with_one_phase():
    texts = b"".join(
        b"\x09" + bytes((len(text),)) + text for text in (b"KFM_001", b"12345678901", b"MA105H2E")
    )
    head = bytes.fromhex("0F 40000000 00 0209") + texts
    numbers = b"".join(b"\x06" + number.to_bytes(4, "big") for number in (948, 0, 0, 64, 1416, 2385))
    (message,) = decode(head + numbers)
    assert message.layout == "kaifa-norway-list-2-3-one-phase"
    assert (str(message["1-0:31.7.0"]), str(message["1-0:32.7.0"])) == (
        "1-0:31.7.0*255 1.416 A",
        "1-0:32.7.0*255 238.5 V",
    )


def test_a_number_alone_is_not_taken_for_the_power_of_a_certain_maker():
    """The list of one element is known by its tag before the time, not by its being one number."""
    kaifa = bytes.fromhex("0F40000000 090C07E3020401173416FF800000 0201 06000016DC")
    plain = bytes.fromhex("0F40000000 00 0201 06 00001399")
    timed = bytes.fromhex("0F40000000 0C07E3020401173416FF800000 0201 06 00001399")
    parser = Parser()
    messages = [
        message for octets in (kaifa, plain, timed, kaifa) for message in parser.feed(wrap(octets, 1, 16))
    ]
    assert [message.layout for message in messages] == ["kaifa-norway-list-1", "", "", "kaifa-norway-list-1"]
    assert [str(value) for message in messages[1:3] for value in message.values] == ["[0] 5017"] * 2
    assert [message.maker for message in messages[1:3]] == ["", ""]


def test_own_layouts_come_before_those_that_ship(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text(MINE)
    (message,) = decode(BARE, layouts=load_layouts(path))
    assert [str(value) for value in message.values] == ["1-0:1.8.0*255 2580 Wh", "1-0:32.7.0*255 230.6 V"]
    assert (message.maker, message.layout) == ("Home", "mine")
    assert message.findings == ("names-from-layout", "scales-from-layout")
    assert message.values[0].known == (Origin.LAYOUT, Origin.CATALOGUE, Origin.LAYOUT)
    (plain,) = decode(BARE)
    assert [(value.obis, value.position, value.value) for value in plain.values] == [
        (None, (0,), 258),
        (None, (1,), 2306),
    ]
    assert plain.values[0].known == (Origin.UNKNOWN, Origin.UNKNOWN, Origin.UNKNOWN)


@pytest.mark.parametrize(
    "text",
    [
        "nonsense",
        "[[layouts]]",
        "a = " + "[" * 5000,
        "[[layout]]\nmatch = { named = true }",
        "[[layout]]\nname = 'x'",
        "[[layout]]\nname = 'x'\nmatch = {}",
        "[[layout]]\nname = 'x'\nmatch = { nothing = 1 }",
        "[[layout]]\nname = 'x'\nmatch = { named = true }\nother = 1",
        "[[layout]]\nname = 'x'\nmatch = { named = true }\nnames = ['1.8.0']",
        "[[layout]]\nname = 'x'\nmatch = { named = true }\nscales = [['1.8.0', 0, 'Wh']]",
        "[[layout]]\nname = 'x'\nmatch = { named = true }\nscales = [['1.0.1.8.0.255', 200, 'Wh']]",
        "[[layout]]\nname = 'x'\nmatch = { named = true }\nscales = [['1.0.1.8.0.255']]",
        "[[layout]]\nname = 'x'\nmatch = { elements = ['many'] }",
        "[[layout]]\nname = 'x'\nmatch = 5",
    ],
)
def test_a_layout_that_cannot_be_read_is_an_error_that_names_its_file(tmp_path, text):
    path = tmp_path / "mine.toml"
    path.write_text(text)
    with pytest.raises(ConfigurationError, match=r"mine\.toml"):
        load_layouts(path)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[layout]\nname = 'x'\nmatch = { named = true }", r"begins with \[\[layout\]\]"),
        ("layout = ['a']", r"begins with \[\[layout\]\]"),
        ("layout = 3", r"begins with \[\[layout\]\]"),
        ("makers = 3", "makers must be a table, which 3 is not"),
        ("[makers]\nABC = 5", "makers: ABC must be a text, which 5 is not"),
        *(
            (f"[[layout]]\nname = 'x'\n{rest}", said)
            for rest, said in (
                ("match = 3", "layout x: match must be a table, which 3 is not"),
                ("match = {}", "every message"),
                ("maker = 5\nmatch = { named = true }", "maker must be a text"),
                ("about = ['a']\nmatch = { named = true }", "about must be a text"),
                ("match = { version = 5 }", "version must be a text, which 5 is not"),
                ("match = { maker = ['LGZ'] }", "maker must be a text"),
                ("match = { named = 'no' }", "named must be true or false"),
                ("match = { container = 'list' }", "an array or a structure, not 'list'"),
                ("match = { elements = 3 }", "elements must be a list, which 3 is not"),
                ("match = { elements = ['3'] }", "each of elements must be a whole number"),
                ("match = { elements = [true] }", "each of elements must be a whole number"),
                ("match = { times = [-1] }", "each of times is 0 or more"),
                ("match = { types = 'long' }", "types must be a list"),
                ("match = { types = ['int32'] }", "'int32' is no type"),
                ("match = { findings = [1] }", "each of findings must be a text"),
                ("match = { objects = [1] }", "each of objects must be a text"),
                ("match = { objects = ['1.8.0'] }", "no logical name"),
                ("match = { push_setup = [0, 7, 25, 9, 0, 255] }", "push_setup must be a text"),
                ("match = { invoke_id = 5 }", "invoke_id"),
                ("match = { named = true }\nnames = 5", "names must be a list"),
                ("match = { named = true }\nnames = [5]", "each of names must be a text"),
                ("match = { named = true }\nnames = { a = '1.0.1.8.0.255' }", "the position 'a' is no whole"),
                ("match = { named = true }\nscales = 5", "scales must be a list"),
                (
                    "match = { named = true }\nscales = ['1.0.1.8.0.255']",
                    r"each of scales is \[pattern, scaler, unit\]",
                ),
                (
                    "match = { named = true }\nscales = [['1.0.1.8.0.255', 1]]",
                    r"each of scales is \[pattern, scaler",
                ),
                (
                    "match = { named = true }\nscales = [[5, 1, 'Wh']]",
                    "the pattern of a scale must be a text",
                ),
                (
                    "match = { named = true }\nscales = [['1.0.1.8.0.255', true, 'Wh']]",
                    "the scaler must be a whole",
                ),
                ("match = { named = true }\nscales = [['1.0.1.8.0.255', 1, 5]]", "the unit must be a text"),
                ("match = { named = true }\nscales = [['1.0.x.8.0.255', 1, 'Wh']]", "a group is"),
                ("match = { named = true }\nscales = [['1.0.1.8.0.256', 1, 'Wh']]", "a group is"),
            )
        ),
    ],
)
def test_what_is_wrong_in_a_layout_is_said_in_the_words_of_its_file(tmp_path, text, said):
    path = tmp_path / "mine.toml"
    path.write_text(text)
    with pytest.raises(ConfigurationError, match=said) as raised:
        load_layouts(path)
    assert str(path) in str(raised.value)
    assert len(str(raised.value)) < len(str(path)) + 160


def test_layouts_that_are_no_text_are_an_error_that_names_the_file(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_bytes(b"# \xff")
    with pytest.raises(ConfigurationError, match=r"mine\.toml: no text in UTF-8"):
        load_layouts(path)


# Keys ---------------------------------------------------------------------------------------------------------------


def keys(suite: int = 0) -> cosem.Keys:
    size = 32 if suite == 2 else 16
    return cosem.Keys.parse(
        suite=suite, encryption=bytes(range(size)), authentication=bytes(range(64, 64 + size))
    )


def test_keys_come_from_every_place():
    octets = vector("telegrams", "kamstrup-omnipower-ciphered-auth").octets
    entry = vector("telegrams", "kamstrup-omnipower-ciphered-auth")["keys"]
    own = cosem.Keys.parse(encryption=entry["ek"], authentication=entry["ak"])
    title = bytes.fromhex("4B414D4501349083")
    sources = [
        own,
        cosem.Keys.parse(encryption=entry["ek"], authentication=entry["ak"], server_title=title),
        {title: own},
        MemoryKeyStore({title.hex(): own}),
        MemoryKeyStore({"default": own}),
    ]
    for source in sources:
        (message,) = decode(octets, source)
        assert message.verification is Verdict.VERIFIED
    for source in (entry["ek"], bytes.fromhex(entry["ek"])):
        (message,) = decode(octets, source)
        assert message.verification is Verdict.UNVERIFIABLE
        (message,) = decode(octets, source, decrypt_unverified=True)
        assert message.verification is Verdict.UNVERIFIABLE
        assert message.values
    others = cosem.Keys.parse(encryption=entry["ek"], authentication=entry["ak"], server_title=b"OTHERONE")
    (message,) = decode(octets, others, decrypt_unverified=True)
    assert message.values == ()


@pytest.mark.parametrize(
    ("control", "suite"), [(0x30, 0), (0x31, 0), (0x31, 1), (0x32, 2), (0x70, 0), (0x10, 0)], ids=hex
)
def test_the_suite_is_that_of_the_message_and_one_key_serves_broadcasts_too(control, suite):
    title = b"KAM00001"
    key = gcm_key(bytes(range(32 if suite == 2 else 16)), bytes(range(64, 96 if suite == 2 else 80)))
    content = seal_content(key, SecurityControl(control), title, 7, NOTIFICATION, b"")
    apdu = b"\xdb\x08" + title + bytes((len(content),)) + content
    parser = Parser(keys(suite))
    for _ in range(4):
        (message,) = parser.feed(wrap(apdu, 1, 103))
        assert message.verification is Verdict.VERIFIED
        assert (message.security_control, message.invocation_counter) == (control, 7)
        assert message["1-0:1.7.0"].value == 280
    (message,) = decode(apdu, keys(0 if suite == 2 else 2))
    assert (message.verification, message.values) == (Verdict.UNVERIFIABLE, ())


def test_a_key_that_cannot_be_read_is_an_error_without_the_key():
    with pytest.raises(ConfigurationError) as caught:
        decode(NOTIFICATION, "0011223344")
    assert "0011223344" not in str(caught.value)


def test_parsers_and_messages_show_no_key():
    parser = Parser(keys())
    shown = (
        repr(parser)
        + repr(parser.__dict__)
        + repr(parser._opener._materials)
        + repr(decode(NOTIFICATION, keys()))
    )
    assert bytes(range(16)).hex() not in shown.lower()


# Blocks -------------------------------------------------------------------------------------------------------------


def block(number: int, octets: bytes, *, last: bool = False) -> GeneralBlockTransfer:
    return GeneralBlockTransfer(0xC0 if last else 0x40, number, 0, octets)


def test_blocks_are_joined_per_sender_and_repetitions_do_not_matter():
    blocks = BlockReassembly(1000)
    assert blocks.add("a", block(1, b"1")) is None
    assert blocks.add("b", block(1, b"x")) is None
    assert blocks.add("a", block(2, b"2")) is None
    assert blocks.add("a", block(2, b"2")) is None
    assert blocks.add("b", block(2, b"y", last=True)) == b"xy"
    assert blocks.add("a", block(3, b"3", last=True)) == b"123"
    assert blocks.lost == 0


@pytest.mark.parametrize("numbers", [(1, 3), (2, 3), (1, 2, 1, 3)])
def test_a_missing_block_loses_one_message_and_not_the_next(numbers):
    blocks = BlockReassembly(1000)
    for number in numbers:
        assert blocks.add("a", block(number, b"-", last=number == 3)) is None
    assert blocks.lost
    assert blocks.add("a", block(1, b"whole", last=True)) == b"whole"


def test_blocks_are_bounded_in_size_and_in_senders():
    blocks = BlockReassembly(10)
    assert blocks.add("a", block(1, bytes(11))) is None
    for sender in range(100):
        blocks.add(sender, block(1, b"-"))
    assert len(blocks._open) <= 16
    blocks.drop()
    assert not blocks._open


def test_lost_blocks_are_named_by_the_next_message():
    part = bytes.fromhex("E0 40 0002 0000 03") + NOTIFICATION[:3]
    parser = Parser()
    assert parser.feed(wrap(part, 1, 16)) == []
    assert parser.feed(wrap(bytes.fromhex("E0 C0 0003 0000 03") + NOTIFICATION[:3], 1, 16)) == []
    (message,) = parser.feed(wrap(NOTIFICATION, 1, 16))
    assert "general-blocks-lost" in message.findings
    (message,) = parser.feed(wrap(NOTIFICATION, 1, 16))
    assert message.findings == ()


# Sizes --------------------------------------------------------------------------------------------------------------

BARE_APDUS = [
    NOTIFICATION,
    bytes.fromhex("0F 00000001 09 0C 07E60B0C0610360000FFC400 0201 0600000005"),
    bytes.fromhex("C2 00 0001 0000600100FF 02 0903 313233"),
    bytes.fromhex("C2 01 0C 07E60B0C0610360000FFC400 0001 0000600100FF 02 0903 313233"),
    bytes.fromhex("DB 08 4B414D3030303031 17 30 00000001") + bytes(18),
    bytes.fromhex("DB 08 4B414D3030303031 81 80 20 00000001") + bytes(123),
    bytes.fromhex("DC 00 17 30 00000001") + bytes(18),
    bytes.fromhex("DD 02 0001 08 4B414D3030303031 00 00 00 00 17 31 00000001") + bytes(18),
    bytes.fromhex("DD 02 0001 08 4B414D3030303031 00 00 00 01 00 00 17 31 00000001") + bytes(18),
    bytes.fromhex("DD 02 0001 08 4B414D3030303031 00 00 00 01 02 01 01 40")
    + bytes(64)
    + bytes.fromhex("17 31 00000001")
    + bytes(18),
    bytes.fromhex("DF 02 0001 08 4B414D3030303031 00 00 00 03 010203 40") + bytes(64),
    bytes.fromhex("E0 C0 0001 0000 03 0F0000"),
]


@pytest.mark.parametrize("apdu", BARE_APDUS, ids=lambda apdu: apdu[:2].hex())
def test_sizes_are_told_from_the_octets_alone(apdu):
    assert apdu_size(apdu + b"\x55" * 40, 0, 10_000) == len(apdu)
    for size in range(1, len(apdu)):
        needed = apdu_size(apdu[:size], 0, 10_000)
        assert size < -needed <= len(apdu), size


@given(st.sampled_from(sorted({apdu[0] for apdu in BARE_APDUS})), st.binary(max_size=80))
def test_any_octets_have_a_size_or_need_more_than_there_are(tag, octets):
    size = apdu_size(bytes((tag,)) + octets, 0, 1000)
    assert size == 0 or 0 < size <= 1 + len(octets) or -size > 1 + len(octets)


@given(st.binary(max_size=80))
def test_data_of_any_octets(octets):
    size = data_size(octets, 0)
    if size > 0:
        cosem.decode_data(octets[:size], findings=[])


# The push of a meter of our own ---------------------------------------------------------------------------------------


def pushed(*entries: tuple[int, str, int, int], values: str) -> bytes:
    """A notification with its push object list; ``values`` is Data as hexadecimal text."""
    rows = b"".join(
        bytes.fromhex(
            f"0204 12 {class_id:04x} 0906 {cosem.LogicalName.parse(name).hex()} 0F {attribute:02x} 12 {index:04x}"
        )
        for class_id, name, attribute, index in entries
    )
    count = len(entries)
    return bytes.fromhex(f"0F 00000001 00 02 {count:02x} 01 {count:02x}") + rows + bytes.fromhex(values)


LIST = (40, "0-0:25.9.0", 2, 0)


@pytest.mark.parametrize(
    ("entries", "values"),
    [
        ([LIST, (3, "1-0:1.8.0", 2, 0), (3, "1-0:1.8.0", 3, 0)], "06 00001399 0202 0F03 161E"),
        ([LIST, (3, "1-0:1.8.0", 3, 0), (3, "1-0:1.8.0", 2, 0)], "0202 0F03 161E 06 00001399"),
        (
            [LIST, (3, "1-0:1.8.0", 3, 1), (3, "1-0:1.8.0", 3, 2), (3, "1-0:1.8.0", 2, 0)],
            "0F03 161E 06 00001399",
        ),
        ([LIST, (5, "1-0:1.8.0", 2, 0), (5, "1-0:1.8.0", 4, 0)], "06 00001399 0202 0F03 161E"),
    ],
)
def test_a_scaler_that_is_pushed_too_belongs_to_its_value(entries, values):
    apdu = pushed(*entries, values=values)
    parser = Parser()
    for changed in (apdu, apdu, apdu, apdu.replace(b"\x0f\x03\x16", b"\x0f\xfd\x16"), apdu):
        (message,) = parser.feed(wrap(changed, 1, 103))
        value = next(each for each in message.values if each.attribute == 2)
        assert (str(value.value), value.unit) == ("5.017" if changed != apdu else "5017000", "Wh")
        assert value.known == (Origin.OBJECT_LIST, Origin.OBJECT_LIST, Origin.MESSAGE)
        assert message.findings == ()


def test_a_list_that_does_not_name_itself_still_belongs_to_its_values():
    entries = [(3, "1-0:1.8.0", 2, 0), (1, "0-0:96.1.0", 2, 0)]
    apdu = bytearray(pushed(*entries, values="06 00000005 0903 414243"))
    apdu[7] = 3
    (message,) = decode(bytes(apdu))
    assert [str(value) for value in message.values] == ["1-0:1.8.0*255 5", "0-0:96.1.0*255 ABC"]


@pytest.mark.parametrize(
    ("value", "finding"),
    [
        ("0A03 FFFE41", "text-not-as-its-type"),
        ("0C03 EDA080", "text-not-as-its-type"),
        ("19 07E80D20FF193C3CFF8000FF", "time-impossible"),
        ("0202 11 00 19 07E80D20FF193C3CFF8000FF", "time-impossible"),
        ("090C 07E8021EFF0C0000FF8000FF", "time-impossible"),
        ("1A 07E80D20FF", "time-impossible"),
        ("1B 193C3CFF", "time-impossible"),
    ],
)
def test_what_no_text_and_no_time_can_be_is_named(value, finding):
    apdu = pushed(LIST, (1, "0-0:96.1.0", 2, 0), values=value)
    assert finding in decode(apdu)[0].findings
    with pytest.raises(StrictFindings) as caught:
        decode(apdu, strict=True)
    assert finding in caught.value.findings


@pytest.mark.parametrize(
    "value",
    [
        "0A03 414243",
        "0C03 C3BC41",
        "19 07E8FFFFFFFFFFFFFF8000FF",
        "1A FFFFFFFFFF",
        "1B 0C0000FF",
        "1B FFFFFFFF",
    ],
)
def test_texts_and_times_that_can_be_are_not_named(value):
    apdu = pushed(LIST, (1, "0-0:96.1.0", 2, 0), values=value)
    assert decode(apdu, strict=True)[0].findings == ()


def test_an_impossible_time_is_named_in_its_own_message_and_no_other():
    good, bad = (
        wrap(pushed(LIST, (8, "0-0:1.0.0", 2, 0), values=f"090C {time}"), 1, 103)
        for time in ("07E8011EFF0C0000FF0000FF", "07E8021EFF0C0000FF0000FF")
    )
    parser = Parser()
    found = [parser.feed(each)[0].findings for each in (good, good, bad, bad, good, good)]
    assert ["time-impossible" in each for each in found] == [False, False, True, True, False, False]


def test_a_list_of_the_power_alone_is_of_no_certain_maker_unless_its_id_never_counts():
    power = bytes.fromhex("00 0101 0203 0906 0100010700FF 06 00000118 0202 0F00 161B")
    parser = Parser()
    ids = ("00000001", "40000000", "40000001", "40000000", "00000002")
    messages = [parser.feed(wrap(b"\x0f" + bytes.fromhex(each) + power, 1, 16))[0] for each in ids]
    assert [message.maker for message in messages] == ["", "Aidon", "", "Aidon", ""]
    assert [str(message["1-0:1.7.0"].value) for message in messages] == ["280"] * 5


def test_a_layout_may_want_no_invoke_id_that_counts(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text("[[layout]]\nname = 'mine'\nmatch = { invoke_id = 7 }\n", encoding="utf-8")
    with pytest.raises(ConfigurationError, match="invoke_id"):
        load_layouts(path)
