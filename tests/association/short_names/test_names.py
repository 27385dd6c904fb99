"""The arithmetic of short names, their table, their assignment, and the time of reports."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cosem.association.short_names.assignment import FIRST_BASE_NAME, assign
from cosem.association.short_names.layout import (
    FIRST_RESERVED,
    ClassLayout,
    MemberKind,
    as_long,
    as_unsigned,
    checked_base_name,
    layout_of,
    reserved_base_name,
)
from cosem.association.short_names.table import MappedObject, ShortNameTable, initial_table
from cosem.association.short_names.time import date_time_of_report, generalized_time
from cosem.classes.registry import CLASSES
from cosem.codec.data import decode_data, encode_data
from cosem.errors import ConfigurationError, ConversionError, DecodeError, EncodeError
from cosem.types.data import (
    Array,
    DoubleLong,
    DoubleLongUnsigned,
    Long,
    LongUnsigned,
    OctetString,
    Structure,
    Unsigned,
)
from cosem.types.logical_name import LogicalName

ASSOCIATION = LogicalName("0.0.40.0.0.255")
ENERGY = LogicalName("1.0.1.8.0.255")
names = st.binary(min_size=6, max_size=6).map(LogicalName)
classes = st.sampled_from([*CLASSES, (8192, 0), (3, 99)])

# --- arithmetic -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("class_id", "version", "first", "second"),
    [
        (3, 0, 0x28, None),
        (4, 0, 0x38, None),
        (5, 0, 0x48, 0x50),
        (6, 0, 0x30, 0x38),
        (7, 1, 0x58, 0x60),
        (8, 0, 0x60, 0x68),
        (9, 0, 0x20, None),
        (10, 0, 0x20, 0x28),
        (11, 0, 0x10, 0x18),
        (12, 0, 0x20, 0x28),
        (15, 1, 0x60, 0x68),
        (17, 0, 0x20, None),
        (18, 0, 0x40, 0x48),
        (20, 0, 0x50, None),
        (61, 0, 0x28, 0x30),
        (70, 0, 0x20, 0x28),
        (72, 0, 0x60, 0x68),
    ],
)
def test_first_methods_lie_where_the_standard_says(class_id, version, first, second):
    layout = layout_of(class_id, version)
    assert layout.method(1) == first
    if second is not None:
        assert layout.method(2) == second


@pytest.mark.parametrize("version", range(5))
def test_methods_of_every_association_sn(version):
    layout = layout_of(12, version)
    methods = {3: 0x30, 5: 0x40, 8: 0x58}
    assert {number: layout.method(number) for number in methods} == methods
    assert layout.attribute(2) == 8
    assert layout.method(2) == (0x28 if version == 0 else None)


@pytest.mark.parametrize("key", CLASSES)
def test_every_class_of_the_standard(key):
    layout = layout_of(*key)
    distances = [*layout.attributes.values(), *layout.methods.values()]
    assert len(set(distances)) == len(distances)
    assert all(distance % 8 == 0 and 0 <= distance < layout.extent for distance in distances)
    assert all(distance == 8 * (number - 1) for number, distance in layout.attributes.items())
    for number, distance in layout.attributes.items():
        assert layout.member(distance) == (MemberKind.ATTRIBUTE, number)
    for number, distance in layout.methods.items():
        assert layout.member(distance) == (MemberKind.METHOD, number)
    assert layout.member(layout.extent) is None
    assert layout.member(4) is None
    assert layout.attribute(0) is layout.attribute(-1) is layout.attribute(120) is None


def test_an_unknown_class_has_attributes_by_the_rule():
    layout = layout_of(8192, 0)
    assert (layout.attribute(1), layout.attribute(127)) == (0, 126 * 8)
    assert layout.attribute(0) is layout.attribute(-1) is layout.attribute(128) is layout.method(1) is None
    assert layout.member(16) == (MemberKind.ATTRIBUTE, 3)
    assert layout.member(17) is layout.member(127 * 8) is None
    assert layout_of(3, 99) == layout


@given(base_name=st.integers(0, 0xFFFF))
def test_base_names_are_signed_in_the_object_list_only(base_name):
    assert as_unsigned(as_long(base_name)) == base_name
    assert decode_data(encode_data(as_long(base_name))) == as_long(base_name)


@pytest.mark.parametrize("base_name", [-8, 1, 0x0104, 0xFFF9, 0x10000])
def test_base_names_are_multiples_of_8(base_name):
    with pytest.raises(ConfigurationError):
        checked_base_name(base_name)
    with pytest.raises(ConfigurationError):
        MappedObject(base_name, 3, 0, ENERGY)


def test_reserved_base_names():
    reserved = [(12, ASSOCIATION), (9, "0.0.10.0.125.255"), (17, "0.0.41.0.0.255"), (1, "0.0.42.0.0.255")]
    found = [reserved_base_name(class_id, LogicalName(name)) for class_id, name in reserved]
    assert found == [0xFA00, 0xFB00, 0xFC00, 0xFD00]
    assert reserved_base_name(3, LogicalName("0.0.42.0.0.255")) == 0xFD00
    assert reserved_base_name(3, ENERGY) is reserved_base_name(15, ASSOCIATION) is None


# --- the table ------------------------------------------------------------------------------------------


def test_the_same_table_from_a_text_an_object_list_and_by_hand():
    by_hand = ShortNameTable([MappedObject(0x1000, 3, 0, ENERGY), MappedObject(0xFA00, 12, 4, ASSOCIATION)])
    text = "1000 3 0 1.0.1.8.0.255\nFA00 12 4 0.0.40.0.0.255\n"
    octets = bytes.fromhex(
        "0102 0204 10FA00 12000C 1104 0906 0000280000FF 0204 101000 120003 1100 0906 0100010800FF"
    )
    assert by_hand.to_text() == text
    assert ShortNameTable.from_text(f"# meter\n\n fa00 12 4 0-0:40.0.0*255 # here\n{text}").to_text() == text
    assert ShortNameTable.from_object_list(decode_data(octets)).to_text() == text
    assert ShortNameTable.from_object_list(by_hand.to_object_list()).to_text() == text
    assert len(by_hand) == 2
    assert repr(by_hand) == "<ShortNameTable of 2 objects>"


def test_names_either_way():
    table = ShortNameTable.from_text(
        "1000 3 0 1.0.1.8.0.255\nFFF8 8192 0 1.0.1.8.0.255\n1030 3 9 1.0.2.8.0.255"
    )
    assert table.attribute(3, ENERGY, 2) == 0x1008
    assert table.method(3, ENERGY, 1) == 0x1028
    assert (
        table.attribute(3, ENERGY, 4)
        is table.attribute(3, ENERGY, 0)
        is table.attribute(3, ENERGY, -1)
        is None
    )
    assert table.method(3, ENERGY, 2) is table.attribute(4, ENERGY, 2) is table.method(1, ENERGY, 1) is None
    assert table.attribute(8192, ENERGY, 1) == 0xFFF8
    assert table.attribute(8192, ENERGY, 2) is None  # beyond the last name
    member = table.member(0x1028)
    assert (member.class_id, member.version, member.logical_name) == (3, 0, ENERGY)
    assert (member.kind, member.number) == (MemberKind.METHOD, 1)
    assert table.member(0x1040).number == 3
    assert table.member(0x0FF8) is table.member(0x1018) is table.member(0x1009) is table.member(0) is None


def test_a_layout_that_is_given_counts():
    layout = ClassLayout({1: 0, 2: 8}, {1: 0x10}, frozenset({1}))
    table = ShortNameTable([MappedObject(0x1000, 8192, 0, ENERGY)], layouts={(8192, 0): layout})
    assert table.method(8192, ENERGY, 1) == 0x1010
    assert table.attribute(8192, ENERGY, 3) is None
    assert table.extended(()).method(8192, ENERGY, 1) == 0x1010


def test_a_longer_table_is_a_new_one_and_later_elements_count():
    table = initial_table()
    longer = table.extended([MappedObject(0x1000, 3, 0, ENERGY), MappedObject(0x2000, 3, 0, ENERGY)])
    assert len(table) == 1
    assert (len(longer), longer.complete) == (2, False)
    assert longer.attribute(3, ENERGY, 1) == 0x2000
    assert longer.member(0x1000) is None
    assert longer.extended((), complete=True).complete


@pytest.mark.parametrize(
    ("vaa_name", "base_name"), [(0xFA00, 0xFA00), (0x0100, 0x0100), (7, 0xFA00), (0, 0xFA00)]
)
def test_the_base_name_of_the_association_is_told_at_the_opening(vaa_name, base_name):
    assert initial_table(vaa_name).attribute(12, ASSOCIATION, 2) == base_name + 8


@pytest.mark.parametrize(
    "value",
    [
        None,
        OctetString(b"12"),
        Array([None]),
        Array([Structure((Long(0x100), LongUnsigned(3), Unsigned(0)))]),
        Array([Structure((Long(0x101), LongUnsigned(3), Unsigned(0), OctetString(ENERGY)))]),
        Array([Structure((Long(0x100), LongUnsigned(3), Unsigned(0), OctetString(b"12345")))]),
        Array([Structure((Long(0x100), LongUnsigned(3), Unsigned(0), Unsigned(1)))]),
        Array([Structure((None, LongUnsigned(3), Unsigned(0), OctetString(ENERGY)))]),
        Array([Structure((True, LongUnsigned(3), Unsigned(0), OctetString(ENERGY)))]),
        Array(
            [Structure((DoubleLongUnsigned(0x000F0198), LongUnsigned(3), Unsigned(0), OctetString(ENERGY)))]
        ),
        Array([Structure((DoubleLong(-0x8008), LongUnsigned(3), Unsigned(0), OctetString(ENERGY)))]),
    ],
)
def test_what_is_no_object_list_is_refused(value):
    with pytest.raises(DecodeError):
        ShortNameTable.from_object_list(value)


def listed(base_name, name=ENERGY, class_id=3):
    return Structure((base_name, LongUnsigned(class_id), Unsigned(0), OctetString(name)))


def test_a_base_name_of_another_type_is_taken_and_named():
    findings = []
    table = ShortNameTable.from_object_list(Array([listed(LongUnsigned(0xFA00))]), findings.append)
    assert table.attribute(3, ENERGY, 1) == 0xFA00
    assert findings == ["object-list-base-name: FA00 is a LongUnsigned, not a Long"]
    assert (
        ShortNameTable.from_object_list(Array([listed(Long(-0x600))]), pytest.fail).to_text()
        == table.to_text()
    )


def test_of_two_objects_on_one_base_name_and_of_two_with_one_name_the_first_counts():
    findings = []
    other = LogicalName("1.0.2.8.0.255")
    value = Array([listed(Long(0x100)), listed(Long(0x100), other), listed(Long(0x200))])
    table = ShortNameTable.from_object_list(value, findings.append)
    assert table.to_text() == "0100 3 0 1.0.1.8.0.255\n"
    assert table.attribute(3, other, 2) is None
    assert findings == [
        "object-list-base-name-double: 0100 is the base name of 1.0.1.8.0.255 already, not of 1.0.2.8.0.255",
        "object-list-double: 1.0.1.8.0.255 of class 3 comes twice",
    ]


def test_the_current_association_may_be_listed_by_its_own_name_too():
    own = LogicalName("0.0.40.0.1.255")
    value = Array([listed(Long(-0x600), ASSOCIATION, 12), listed(Long(-0x600), own, 12)])
    table = ShortNameTable.from_object_list(value, pytest.fail)
    assert table.attribute(12, own, 2) == table.attribute(12, ASSOCIATION, 2) == 0xFA08
    assert (
        initial_table().extended([MappedObject(0xFA00, 12, 2, own)]).attribute(12, ASSOCIATION, 2) == 0xFA08
    )


def test_a_newer_object_takes_the_base_name_of_an_older_one():
    table = ShortNameTable([MappedObject(0x100, 3, 0, ENERGY)]).extended([MappedObject(0x100, 8, 0, ENERGY)])
    assert table.attribute(3, ENERGY, 1) is None
    assert table.to_text() == "0100 8 0 1.0.1.8.0.255\n"
    moved = table.extended([MappedObject(0x200, 8, 0, ENERGY), MappedObject(0x100, 3, 0, ENERGY)])
    assert moved.to_text() == "0100 3 0 1.0.1.8.0.255\n0200 8 0 1.0.1.8.0.255\n"


@pytest.mark.parametrize("line", ["FA00 3 0 1.0.1.8.0.255", "1000 12 3 0.0.40.0.0.255"])
def test_a_text_gives_no_name_twice(line):
    with pytest.raises(ConversionError, match=r"line 3 of the mapping table: .*0\.0\.40\.0\.0\.255"):
        ShortNameTable.from_text(f"# meter\nFA00 12 4 0.0.40.0.0.255\n{line}\n1000 1 0 0.0.42.0.0.255")


@pytest.mark.parametrize(
    "line",
    [
        "1000 3 0",
        "1000 3 0 1.0.1.8.0.255 more",
        "100G 3 0 1.0.1.8.0.255",
        "1001 3 0 1.0.1.8.0.255",
        "-8 3 0 1.0.1.8.0.255",
        "1000 65536 0 1.0.1.8.0.255",
        "1000 3 256 1.0.1.8.0.255",
        "1000 3 0 1.0.1.8.0.256",
    ],
)
def test_a_line_that_means_nothing_is_named(line):
    with pytest.raises(ConversionError, match="line 2 of the mapping table"):
        ShortNameTable.from_text(f"FA00 12 4 0.0.40.0.0.255\n{line}")


# --- assignment -----------------------------------------------------------------------------------------


@given(
    objects=st.lists(st.tuples(classes, names), max_size=40, unique_by=lambda each: (each[0][0], each[1])),
    fixed=st.integers(0, 5),
)
def test_no_two_short_names_are_the_same_and_each_leads_back(objects, fixed):
    listed = [(*key, name) for key, name in objects]
    given_names = {
        (key[0], name): 0x4000 + 0x400 * index for index, (key, name) in enumerate(objects[:fixed])
    }
    assigned = assign(listed, given_names)
    assert [(each.class_id, each.version, each.logical_name) for each in assigned] == listed
    assert all(given_names.get((e.class_id, e.logical_name), e.base_name) == e.base_name for e in assigned)
    assert assign(listed[:-1], given_names) == assigned[: max(len(listed) - 1, 0)]
    table = ShortNameTable(assigned)
    seen: set[int] = set()
    for each in assigned:
        layout = layout_of(each.class_id, each.version)
        for kind, numbers, find in (
            (MemberKind.ATTRIBUTE, layout.attributes, table.attribute),
            (MemberKind.METHOD, layout.methods, table.method),
        ):
            for number in numbers:
                name = find(each.class_id, each.logical_name, number)
                assert name not in seen
                seen.add(name)
                member = table.member(name)
                assert (member.class_id, member.logical_name) == (each.class_id, each.logical_name)
                assert (member.kind, member.number) == (kind, number)


def test_reserved_names_go_to_their_objects_and_to_no_other():
    objects = [
        (12, 4, ASSOCIATION),
        (17, 0, LogicalName("0.0.41.0.0.255")),
        (9, 0, LogicalName("0.0.10.0.125.255")),
        (1, 0, LogicalName("0.0.42.0.0.255")),
        (3, 0, ENERGY),
        (7, 1, LogicalName("1.0.99.1.0.255")),
    ]
    names = [each.base_name for each in assign(objects)]
    assert names == [0xFA00, 0xFC00, 0xFB00, 0xFD00, FIRST_BASE_NAME, FIRST_BASE_NAME + 0x30]
    with pytest.raises(ConfigurationError, match="reserved"):
        assign(objects, {(3, ENERGY): 0xFE00})
    with pytest.raises(ConfigurationError, match="reserved"):
        assign(objects, {(3, ENERGY): FIRST_RESERVED - 8})


def test_given_names_are_kept_and_the_others_find_room_around_them():
    objects = [(1, 0, ENERGY), (3, 0, ENERGY), (8, 0, LogicalName("0.0.1.0.0.255"))]
    names = [each.base_name for each in assign(objects, {(3, ENERGY): 0x01A8}, first=0x0198)]
    assert names == [0x0198, 0x01A8, 0x01D8]
    names = [each.base_name for each in assign(objects, {(3, ENERGY): 0x01A0}, first=0x0198)]
    assert names == [0x01D0, 0x01A0, 0x01E0]


@pytest.mark.parametrize(
    ("objects", "given_names", "message"),
    [
        ([(3, 0, ENERGY), (1, 0, ENERGY)], {(3, ENERGY): 0x1000, (1, ENERGY): 0x1028}, "not all free"),
        ([(3, 0, ENERGY)], {(3, ENERGY): 0x1001}, "multiple of 8"),
        ([(3, 0, ENERGY), (3, 1, ENERGY)], {}, "same class and logical name"),
        ([(1, 0, LogicalName("0.0.42.0.0.255")), (3, 0, LogicalName("0.0.42.0.0.255"))], {}, "not all free"),
        (
            [(7, 1, LogicalName((1, 1, 1, 1, n >> 8, n & 255))) for n in range(640)],
            {},
            "no base name is left",
        ),
    ],
)
def test_names_that_cannot_be(objects, given_names, message):
    with pytest.raises(ConfigurationError, match=message):
        assign(objects, given_names)


# --- times of reports -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("date_time", "text"),
    [
        ("07E8020F040B1E0000000000", b"20240215113000Z"),
        ("07E8020F040B1E0F0B800000", b"20240215113015.11"),
        ("07E8020F040B1E0F00800000", b"20240215113015"),
    ],
)
def test_times_either_way(date_time, text):
    assert generalized_time(bytes.fromhex(date_time)) == text
    assert date_time_of_report(text).hex().upper() == date_time


@pytest.mark.parametrize(
    ("text", "date_time"),
    [
        (b"2024021511", "07E8020F040B000000800000"),
        (b"202402151130", "07E8020F040B1E0000800000"),
        (b"20240215113015,5Z", "07E8020F040B1E0F32000000"),
        (b"20240215123000+0100", "07E8020F040C1E0000FFC400"),
        (b"20240215103000-01", "07E8020F040A1E0000003C00"),
        (bytes.fromhex("07E8020FFF0B1E00FF8000FF"), "07E8020FFF0B1E00FF8000FF"),
    ],
)
def test_other_forms_of_times(text, date_time):
    assert date_time_of_report(text).hex().upper() == date_time


def test_a_local_time_goes_out_as_utc():
    assert generalized_time(bytes.fromhex("07E8020F040C1E00FFFFC400")) == b"20240215113000Z"
    assert generalized_time(bytes.fromhex("000101010700000000800000")) == b"00010101000000"


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"2024",
        b"20241315113000Z",
        b"20240215253000Z",
        b"20240215113000Q",
        b"20240215113000+9900",
        b"\xff" * 12,
    ],
)
def test_what_is_no_time_of_a_report(text):
    with pytest.raises(DecodeError):
        date_time_of_report(text)


@pytest.mark.parametrize("octets", [b"", bytes(11), b"\xff" * 12, bytes.fromhex("07E8021F040B1E0000000000")])
def test_what_is_no_moment_has_no_generalized_time(octets):
    with pytest.raises(EncodeError):
        generalized_time(octets)
