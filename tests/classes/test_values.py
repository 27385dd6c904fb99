"""Coercion, structured values and meanings: what goes to the wire, and what comes from it."""

from __future__ import annotations

import pickle
from datetime import UTC, date, datetime, time
from decimal import Decimal
from enum import Enum as PythonEnum
from ipaddress import IPv4Address
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cosem.classes import (
    AssociationLn,
    CaptureObjectDefinition,
    Clock,
    DataProtection,
    IecHdlcSetup,
    InterfaceClass,
    IPv4Setup,
    MBusClient,
    ProfileGeneric,
    Register,
    ScriptTable,
    all_classes,
)
from cosem.classes.base import Attribute
from cosem.classes.choice_type import ChoiceType
from cosem.classes.data_types import ArrayType, SimpleType, StructureType
from cosem.classes.standard.profile_generic import EntryDescriptor, SortMethod
from cosem.classes.standard.references import Baud
from cosem.classes.type_grammar import parse_type
from cosem.codec.data import decode_data, encode_data
from cosem.errors import ConversionError, EncodeError
from cosem.types.data import (
    Array,
    BitString,
    DoubleLongUnsigned,
    Enum,
    Float32,
    Integer,
    LongUnsigned,
    OctetString,
    Structure,
    Unsigned,
    VisibleString,
)
from cosem.types.date_time import Date, Time
from cosem.types.logical_name import LogicalName
from cosem.types.units import ScalerUnit, Unit

CLASSES = tuple(all_classes())
ATTRIBUTES = [attribute for declared in CLASSES for attribute in declared.attributes]
ENERGY = LogicalName.parse("1-0:1.8.0")


def _plain(kind):
    """Values of a type as a program has them: no class of Data is used."""
    if isinstance(kind, ArrayType):
        return st.just(()) if kind.element is None else st.lists(_plain(kind.element), max_size=3)
    if isinstance(kind, StructureType):
        members = kind.members or ()
        return (
            st.fixed_dictionaries({name: _plain(member) for name, member in members})
            if members
            else st.just(())
        )
    if isinstance(kind, ChoiceType):
        return st.none() if kind.alternatives is None else _plain(kind.alternatives[0])
    return _simple(kind)


def _simple(kind: SimpleType):
    if hasattr(kind.kind, "minimum"):
        return st.integers(kind.kind.minimum, kind.kind.maximum)
    size = kind.size
    return {
        "null-data": st.none(),
        "boolean": st.booleans(),
        "bit-string": st.text("01", min_size=size or 0, max_size=8 if size is None else size),
        "octet-string": st.binary(min_size=size or 0, max_size=8 if size is None else size),
        "visible-string": st.text("abc XYZ", max_size=8),
        "utf8-string": st.text("aé√", max_size=8),
        "float32": st.floats(width=32, allow_nan=False),
        "float64": st.floats(allow_nan=False),
        "date-time": st.just(kind.default()),
        "date": st.just(kind.default()),
        "time": st.just(kind.default()),
        "compact-array": st.just(kind.default()),
    }[kind.name]


KINDS = sorted({attribute.data_type for attribute in ATTRIBUTES}, key=str)


@given(st.sampled_from(KINDS).flatmap(lambda kind: st.tuples(st.just(kind), _plain(kind))))
def test_plain_values_are_coerced_to_the_type_and_survive_the_wire(case):
    kind, plain = case
    made = kind.coerce(plain)
    assert kind.mismatch(made) is None
    received = decode_data(encode_data(made))
    assert received == made
    adopted = kind.adopt(received)
    assert encode_data(adopted) == encode_data(made)
    assert kind.coerce(adopted) == made
    assert kind.read(received) is not None or made is None


@pytest.mark.parametrize("declared", CLASSES)
def test_what_is_read_can_be_written_back(declared):
    for attribute in declared.attributes:
        default = attribute.default()
        written = attribute.coerce(attribute.from_data(default), default)
        assert written == default, attribute
        assert type(written) is type(default), attribute
        assert attribute.problem(written) is None, attribute


@given(
    st.integers(), st.sampled_from(["integer", "long", "unsigned", "long-unsigned", "long64", "enum", "bcd"])
)
def test_a_number_fits_or_is_refused(number, name):
    kind = parse_type(name)
    if kind.kind.minimum <= number <= kind.kind.maximum:
        assert kind.coerce(number) == number
    else:
        with pytest.raises(EncodeError, match="outside"):
            kind.coerce(number)


@pytest.mark.parametrize(
    ("text", "given_value", "made"),
    [
        ("unsigned", 5.0, Unsigned(5)),
        ("unsigned", Decimal(5), Unsigned(5)),
        ("unsigned", True, Unsigned(1)),
        ("enum", Baud.BAUD_9600, Enum(5)),
        ("boolean", 1, True),
        ("float32", 1, Float32(1.0)),
        ("octet-string", "abc", OctetString(b"abc")),
        ("octet-string", [1, 2], OctetString(b"\x01\x02")),
        ("octet-string[6]", "1-0:1.8.0", OctetString(ENERGY)),
        ("octet-string[4]", time(1, 2, 3), OctetString(Time.from_time(time(1, 2, 3)).octets)),
        ("octet-string[5]", date(2024, 2, 29), OctetString(Date.from_date(date(2024, 2, 29)).octets)),
        ("visible-string", b"abc", VisibleString("abc")),
        ("bit-string[4]", 5, BitString.from_text("0101")),
        ("bit-string", [True, False], BitString.from_text("10")),
        ("double-long-unsigned", IPv4Address("10.0.0.7"), DoubleLongUnsigned(0x0A000007)),
    ],
)
def test_values_of_python_are_coerced(text, given_value, made):
    found = parse_type(text).coerce(given_value)
    assert found == made
    assert type(found) is type(made)


@pytest.mark.parametrize(
    ("text", "given_value"),
    [
        ("unsigned", 1.5),
        ("unsigned", "5"),
        ("unsigned", None),
        ("unsigned", float("nan")),
        ("unsigned", float("inf")),
        ("boolean", 2),
        ("boolean", "yes"),
        ("null-data", 0),
        ("visible-string", "é"),
        ("visible-string", 5),
        ("octet-string", 5),
        ("octet-string[6]", b"abc"),
        ("octet-string[6]", "1.8"),
        ("octet-string[12]", "yesterday"),
        ("octet-string[12]", b"abc"),
        ("octet-string[12]", 5),
        ("bit-string[4]", 16),
        ("bit-string[4]", "10101"),
        ("bit-string", 5),
        ("bit-string", "12"),
        ("float32", "1.5"),
        ("array of unsigned", 5),
        ("array of unsigned", "abc"),
        ("structure{a unsigned}", 5),
        ("structure", 5),
    ],
)
def test_what_does_not_fit_is_refused(text, given_value):
    with pytest.raises(EncodeError):
        parse_type(text).coerce(given_value)


@pytest.mark.parametrize(
    ("attribute", "value", "path"),
    [
        (Register.scaler_unit, (300, 30), "scaler_unit.scaler"),
        (Register.scaler_unit, {"scaler": 0}, "scaler_unit"),
        (Register.scaler_unit, {"scaler": 0, "unit": 30, "more": 1}, "scaler_unit"),
        (
            ProfileGeneric.capture_objects,
            [(3, ENERGY, 2, 0), (3, "1-0:1.8.0", 2, -1)],
            "capture_objects[1].data_index",
        ),
        (ProfileGeneric.capture_objects, [(3, ENERGY, 2)], "capture_objects[0]"),
        (ScriptTable.scripts, [(1, [(1, 3, ENERGY, "x", None)])], "scripts[0].actions[0].index"),
        (ProfileGeneric.sort_method, "backwards", "sort_method"),
    ],
)
def test_an_error_says_where(attribute, value, path):
    with pytest.raises(EncodeError) as caught:
        attribute.coerce(value)
    assert caught.value.path == path
    assert str(pickle.loads(pickle.dumps(caught.value))) == str(caught.value)


def test_the_parameter_of_a_method_is_coerced():
    assert Register.reset.coerce() == Integer(0)
    assert not Register.reset.needs_parameter
    assert Clock.shift_time.coerce(-30) == -30
    with pytest.raises(EncodeError) as caught:
        Clock.shift_time.coerce()
    assert caught.value.path == "shift_time"


def test_a_value_out_of_the_range_of_its_attribute_is_refused():
    limited = next(
        attribute for attribute in ATTRIBUTES if attribute.minimum is not None and attribute.maximum
    )
    assert limited.coerce(limited.maximum) == limited.maximum
    with pytest.raises(EncodeError, match="is below"):
        limited.coerce(limited.minimum - 1)


# Meanings.


def test_enumerations_are_read_and_written_by_member_number_and_name():
    assert ProfileGeneric.sort_method.from_data(Enum(1)) is SortMethod.FIFO
    for value in (SortMethod.NEAREST_TO_ZERO, 5, "nearest-to-zero", "NEAREST_TO_ZERO", Enum(5)):
        assert ProfileGeneric.sort_method.coerce(value) == Enum(5)
    assert isinstance(ProfileGeneric.sort_method.coerce("fifo"), Enum)


def test_a_code_without_a_name_is_kept():
    unknown = ProfileGeneric.sort_method.from_data(Enum(77))
    assert unknown == 77
    assert unknown.name == "UNKNOWN_77"
    assert ProfileGeneric.sort_method.coerce(unknown) == Enum(77)


def test_another_tag_than_the_standard_says_is_still_read():
    assert ProfileGeneric.sort_method.from_data(Unsigned(1)) is SortMethod.FIFO
    assert Clock.daylight_savings_enabled.from_data(Unsigned(1)) is True


def test_what_does_not_fit_comes_back_as_it_is():
    assert ProfileGeneric.sort_method.from_data(OctetString(b"x")) == b"x"
    assert Register.scaler_unit.from_data(Unsigned(5)) == 5
    assert Register.scaler_unit.from_data(None) is None


def test_scaler_and_unit():
    read = Register.scaler_unit.from_data(Structure([Integer(-3), Enum(30)]))
    assert read == ScalerUnit(-3, Unit(30))
    assert Register.scaler_unit.coerce(read) == Structure([Integer(-3), Enum(30)])


def test_addresses_are_read_and_written():
    assert IPv4Setup.IP_address.from_data(DoubleLongUnsigned(0x0A000007)) == IPv4Address("10.0.0.7")
    assert IPv4Setup.IP_address.coerce("10.0.0.7") == DoubleLongUnsigned(0x0A000007)
    several = IPv4Setup.multicast_IP_address.from_data(Array([DoubleLongUnsigned(1)]))
    assert several == (IPv4Address("0.0.0.1"),)
    assert IPv4Setup.multicast_IP_address.coerce(several) == Array([DoubleLongUnsigned(1)])


def test_flags():
    flags = DataProtection.required_protection.from_data(Enum(0x24))
    assert {flag.name for flag in type(flags) if flag in flags} == {
        "AUTHENTICATED_REQUEST",
        "AUTHENTICATED_RESPONSE",
    }
    assert DataProtection.required_protection.coerce(flags) == Enum(0x24)


def test_the_speed_of_a_line():
    assert IecHdlcSetup.comm_speed.from_data(Enum(5)).bits_per_second == 9600
    assert IecHdlcSetup.comm_speed.from_data(Enum(99)).bits_per_second is None


def test_a_moment_is_coerced_to_the_octets_of_the_clock():
    moment = datetime(2024, 7, 1, 12, 0, tzinfo=UTC)
    written = Clock.time.coerce(moment)
    assert isinstance(written, OctetString)
    assert Clock.time.from_data(written).to_datetime() == moment


# Structured values.


def _captured():
    return CaptureObjectDefinition(class_id=3, logical_name="1-0:1.8.0", attribute_index=2, data_index=0)


def test_a_structured_value_is_the_structure_on_the_wire():
    value = _captured()
    assert value == Structure([LongUnsigned(3), OctetString(ENERGY), Integer(2), LongUnsigned(0)])
    assert isinstance(value, Structure)
    assert encode_data(value) == bytes.fromhex("0204 120003 0906 0100010800FF 0F02 120000")
    assert type(value.to_data()) is Structure


def test_members_have_names_and_meanings():
    value = _captured()
    assert (value.class_id, value.logical_name, value.attribute_index, value.data_index) == (3, ENERGY, 2, 0)
    assert isinstance(value.logical_name, LogicalName)
    assert repr(value).startswith("CaptureObjectDefinition(class_id=")


def test_a_structured_value_cannot_be_changed_but_replaced():
    value = _captured()
    with pytest.raises(AttributeError, match="cannot be changed"):
        value.class_id = 4
    changed = value.replace(class_id=4)
    assert (changed.class_id, value.class_id) == (4, 3)
    with pytest.raises(EncodeError):
        value.replace(nonsense=1)


@pytest.mark.parametrize(
    "make",
    [
        lambda: CaptureObjectDefinition(3, ENERGY, 2),
        lambda: CaptureObjectDefinition(3, ENERGY, 2, 0, 0),
        lambda: CaptureObjectDefinition(3, ENERGY, 2, 0, data_index=0),
        lambda: CaptureObjectDefinition(3, ENERGY, 2, nonsense=0),
        lambda: CaptureObjectDefinition(70000, ENERGY, 2, 0),
    ],
)
def test_a_wrong_structured_value_is_refused_when_it_is_made(make):
    with pytest.raises(EncodeError):
        make()


def test_it_can_be_made_of_dicts_sequences_and_values_with_such_members():
    like = SimpleNamespace(class_id=3, logical_name=ENERGY, attribute_index=2, data_index=0)
    for given_value in (vars(like), like, (3, ENERGY, 2, 0), [3, ENERGY, 2, 0], _captured()):
        (made,) = ProfileGeneric.capture_objects.coerce([given_value])
        assert made == _captured()
        assert isinstance(made, CaptureObjectDefinition)


def test_a_structure_from_the_wire_gets_names_and_keeps_its_tags():
    sent = Structure([Unsigned(3), OctetString(ENERGY), Integer(2), LongUnsigned(0)])
    value = CaptureObjectDefinition.from_data(sent)
    assert value.class_id == 3
    assert encode_data(value) == encode_data(sent)


@pytest.mark.parametrize("value", [Structure([]), Unsigned(1), None])
def test_what_is_no_such_structure_is_refused(value):
    with pytest.raises(ConversionError, match="CaptureObjectDefinition"):
        CaptureObjectDefinition.from_data(value)


def test_a_member_that_a_meter_sends_in_another_type_comes_back_as_it_is():
    value = EntryDescriptor.from_data(Structure([OctetString(b"x"), Unsigned(2), Unsigned(0), Unsigned(0)]))
    assert (value.from_entry, value.to_entry) == (b"x", 2)


def test_the_object_list_is_read_with_its_rights():
    received = decode_data(
        bytes.fromhex(
            "0101 0204 120003 1100 0906 0100010800FF 0202 0101 0203 0F02 1601 00 0101 0202 0F01 1600"
        )
    )
    (element,) = AssociationLn.object_list.from_data(received)
    assert (element.class_id, element.version, element.logical_name) == (3, 0, ENERGY)
    (right,) = element.access_rights.attribute_access
    assert (right.attribute_id, right.access_mode.name, right.access_selectors) == (2, "READ", None)
    assert element.access_rights.method_access[0].access_mode == 0


@pytest.mark.parametrize("declared", CLASSES)
def test_values_pickle_as_what_they_are(declared):
    for attribute in declared.attributes:
        value = attribute.from_data(attribute.default())
        copy = pickle.loads(pickle.dumps(value))
        assert copy == value, attribute
        assert type(copy) is type(value), attribute


# Declarations.


def test_members_are_found_by_number_and_name():
    assert Register.attribute(2) is Register.value is Register.attribute("value")
    assert Register.method(1) is Register.reset is Register.method("reset")
    assert Register.attribute(99) is Register.attribute("reset") is Register.method("value") is None
    assert Register.method(99) is None
    assert [attribute.number for attribute in Register.attributes] == [1, 2, 3]


def test_a_printed_name_that_python_cannot_have_finds_the_attribute():
    assert MBusClient.attribute("version") is MBusClient.version_
    assert MBusClient.version == 1


def test_static_and_dynamic():
    assert Register.scaler_unit.static
    assert not Clock.time.static


def test_a_declaration_alone_has_no_values():
    with pytest.raises(AttributeError, match="is a declaration"):
        Register().value  # noqa: B018 - asking for it is the test
    with pytest.raises(AttributeError, match="is a declaration"):
        Register().reset  # noqa: B018 - asking for it is the test


def test_a_class_of_a_manufacturer_is_declared_in_the_same_way():
    class Mode(PythonEnum):
        ON = 1

    class Valve(InterfaceClass, class_id=8200, version=0, title="Valve"):
        """A valve."""

        mode = Attribute(2, "enum", Mode, access="rw")

        def attribute_value(self, attribute):
            return attribute.from_data(Enum(1))

    assert Valve().mode is Mode.ON
    assert (Valve.edition_status, Valve.logical_names) == ("private", ())
    assert [attribute.name for attribute in Valve.attributes] == ["logical_name", "mode"]
    assert [attribute.short_name_offset for attribute in Valve.attributes] == [0, 8]
