"""One object model for logical and short names: base names, the Association SN object, its methods, reports."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from cosem.apdu import decode, encode
from cosem.apdu.variable_access import (
    InformationReportRequest,
    ParameterizedAccess,
    ReadRequest,
    VariableName,
    WriteRequest,
)
from cosem.association.client.parameters import ALL_SERVICES_SN
from cosem.association.short_names.table import ShortNameTable
from cosem.classes.registry import class_of
from cosem.codec.data import encode_data
from cosem.errors import ConfigurationError
from cosem.server import (
    AccessMode,
    AccessRights,
    AssociationProfile,
    DataObject,
    LogicalDevice,
    ProfileGenericObject,
    RegisterObject,
    Server,
    demonstration_meter,
)
from cosem.types.data import (
    Array,
    DoubleLongUnsigned,
    Enum,
    Integer,
    Long,
    LongUnsigned,
    OctetString,
    Structure,
    Unsigned,
    VisibleString,
)
from cosem.types.date_time import DateTime
from cosem.types.enumerations import ApplicationContext, DataAccessResult
from cosem.types.logical_name import LogicalName
from tests.association.openings import aarq, authenticated, initiate
from tests.association.short_names.driver import open_request
from tests.server.driver import Client, Pipe, opened, process, until

SN_INITIATE = initiate(proposed_conformance=ALL_SERVICES_SN)
MOMENT = DateTime(bytes.fromhex("07EA0B19030C000000000000"))
"""2026-11-25 12:00:00, UTC."""
CURRENT, ENERGY, TEXT = "0.0.40.0.0.255", "1.0.1.8.0.255", "0.0.96.1.10.255"
LIST, RIGHTS, BY_NAME, CHANGE_SECRET = 0xFA08, 0xFA10, 0xFA30, 0xFA40
DENIED, UNDEFINED = DataAccessResult.READ_WRITE_DENIED, DataAccessResult.OBJECT_UNDEFINED


def device(version: int | None = None, rights: AccessRights | None = None, **facts: Any) -> LogicalDevice:
    made = LogicalDevice(
        "TST0000000000001",
        objects=[
            RegisterObject(ENERGY, value=DoubleLongUnsigned(5), scaler_unit=(0, 30)),
            ProfileGenericObject("1-0:99.1.0"),
            DataObject(TEXT, value=OctetString(b"x")),
        ],
        base_names=facts.pop("base_names", None),
    )
    made.add_association(16, rights or AccessRights.full(), version=version, short_names=True, **facts)
    return made


class Reader:
    """Reads, writes and calls by short names over an association of a device."""

    def __init__(self, device: LogicalDevice, request: bytes | None = None) -> None:
        self.device = device
        self.association = opened(device, 16, request or open_request(size=0xFFFF))

    def read(self, *variables: int | ParameterizedAccess) -> Any:
        listed = tuple(VariableName(each) if isinstance(each, int) else each for each in variables)
        answer = process(self.device, self.association, encode(ReadRequest(listed)))
        assert answer is not None
        results = decode(answer).result
        return results[0] if len(results) == 1 else results

    def select(self, name: int, selector: int, parameter: Any) -> Any:
        return self.read(ParameterizedAccess(name, selector, parameter))

    def write(self, name: int, value: Any) -> Any:
        answer = process(self.device, self.association, encode(WriteRequest((VariableName(name),), (value,))))
        assert answer is not None
        return decode(answer).result[0]

    def table(self) -> ShortNameTable:
        return ShortNameTable.from_object_list(self.read(LIST))


def by_name(*wanted: tuple[int, str, int]) -> Array:
    return Array(
        Structure((LongUnsigned(class_id), OctetString(LogicalName(name)), Integer(number)))
        for class_id, name, number in wanted
    )


# --- base names -----------------------------------------------------------------------------------------


def test_the_object_list_holds_every_object_once_reserved_names_where_the_standard_has_them():
    table = Reader(device()).table()
    assert [f"{each.base_name:04X} {each.class_id} {each.logical_name}" for each in table] == [
        "0198 3 1.0.1.8.0.255",
        "01C8 7 1.0.99.1.0.255",
        "0230 1 0.0.96.1.10.255",
        "FA00 12 0.0.40.0.0.255",
        "FD00 1 0.0.42.0.0.255",
    ]


def test_attributes_are_read_and_written_by_their_short_names():
    client = Reader(device())
    table = client.table()
    value = table.attribute(3, LogicalName(ENERGY), 2)
    assert value is not None
    assert client.read(value, 0xFD08, 0x0018) == (
        DoubleLongUnsigned(5),
        OctetString(b"TST0000000000001"),
        UNDEFINED,
    )
    text = table.attribute(1, LogicalName(TEXT), 2)
    assert text is not None
    assert client.write(text, OctetString(b"new")) is DataAccessResult.SUCCESS
    assert client.read(text) == b"new"
    assert client.write(text, Unsigned(1)) is DataAccessResult.TYPE_UNMATCHED


def test_a_method_is_called_by_write_and_by_read():
    made = device()
    client = Reader(made)
    reset = client.table().method(3, LogicalName(ENERGY), 1)
    assert reset is not None
    calls = []
    made[ENERGY].handler(1)(lambda *given: calls.append(given))
    assert client.write(reset, Integer(0)) is DataAccessResult.SUCCESS
    assert client.select(reset, 0, Integer(0)) is None
    assert len(calls) == 2


def test_base_names_may_be_given():
    given = {ENERGY: 0x2000, "0-0:96.1.10": 0x2030}
    table = Reader(device(base_names=given)).table()
    assert table.attribute(3, LogicalName(ENERGY), 1) == 0x2000
    assert table.attribute(1, LogicalName(TEXT), 1) == 0x2030


@pytest.mark.parametrize("given", [{ENERGY: 0x2001}, {ENERGY: 0x2000, TEXT: 0x2008}, {ENERGY: 0xFA00}])
def test_base_names_that_cannot_be_are_refused_when_the_association_is_declared(given):
    with pytest.raises(ConfigurationError):
        device(base_names=given)


def test_an_object_that_is_added_or_removed_changes_no_other_name():
    made = device()
    client = Reader(made)
    before = {each.logical_name: each.base_name for each in client.table()}
    made.add(DataObject("0-0:96.1.1", value=Unsigned(1)))
    made.remove(ENERGY)
    made.add(DataObject("0-0:96.1.2", value=Unsigned(2)))
    after = {each.logical_name: each.base_name for each in client.table()}
    assert LogicalName(ENERGY) not in after
    assert before.items() - {(LogicalName(ENERGY), 0x0198)} <= after.items()
    assert client.read(0x0198 + 8) is UNDEFINED
    made.add(RegisterObject(ENERGY, value=DoubleLongUnsigned(9)))
    assert client.read(0x0198 + 8) == 9


def test_an_object_that_finds_no_name_is_not_added():
    made = device(base_names={"0-0:96.1.9": 0x0198})
    with pytest.raises(ConfigurationError):
        made.add(DataObject("0-0:96.1.9"), DataObject("0-0:96.1.8"))
    assert made.find("0-0:96.1.9") is None


def test_classes_of_ones_own_lay_out_as_they_are_declared():
    from cosem.classes.base import Attribute, InterfaceClass
    from cosem.server.objects.base import CosemObject

    class Own(InterfaceClass, class_id=9000, version=1, title="Own"):
        """A class of a manufacturer."""

        first = Attribute(2, "unsigned")
        second = Attribute(3, "unsigned")

    class OwnObject(CosemObject, Own):
        """Its object."""

    made = device()
    made.add(OwnObject("0-0:199.0.0", first=1, second=2), DataObject("0-0:96.1.2", value=Unsigned(7)))
    client = Reader(made)
    name = client.table().find(9000, LogicalName("0-0:199.0.0"))
    assert name is not None
    assert client.read(name.base_name + 8, name.base_name + 16, name.base_name + 24) == (
        Unsigned(1),
        Unsigned(2),
        OctetString(LogicalName("0-0:96.1.2")),
    )


# --- visibility and rights ------------------------------------------------------------------------------


def test_a_hidden_object_is_not_listed_and_has_no_name():
    rights = AccessRights.full().hide(ENERGY)
    made = device(rights=rights)
    client = Reader(made)
    assert client.table().find(3, LogicalName(ENERGY)) is None
    assert client.read(0x01A0) is UNDEFINED
    rights.show(ENERGY)
    assert client.read(0x01A0) == 5


def test_rights_hold_for_short_names():
    client = Reader(device(rights=AccessRights.read_only()))
    assert client.read(0x01A0) == 5
    assert client.write(0x01A0, DoubleLongUnsigned(1)) is DENIED
    assert client.write(0x0198 + 0x28, Integer(0)) is DENIED


def test_logical_and_short_names_reach_the_same_objects_at_once():
    made = device()
    made.add_association(16, AccessRights.full())
    short, logical = Reader(made), Client(made)
    assert logical.set(1, TEXT, 2, OctetString(b"by logical name")) is DataAccessResult.SUCCESS
    assert short.read(0x0238) == b"by logical name"
    assert short.write(0x0238, OctetString(b"by short name")) is DataAccessResult.SUCCESS
    assert logical.get(1, TEXT, 2) == b"by short name"
    assert logical.get(12, CURRENT, 2) is DataAccessResult.OBJECT_CLASS_INCONSISTENT


def test_the_object_of_another_association_is_seen_by_who_may_change_its_secret():
    made = device(secret="12345678")
    made.add_association(16, AccessRights.full())
    made.add_association(17)
    listed = {(int(each[0]), str(LogicalName(each[2]))) for each in Client(made).get(15, CURRENT, 2)}
    assert (12, "0.0.40.0.1.255") in listed
    reading = {(int(each[0]), str(LogicalName(each[2]))) for each in Client(made, 17).get(15, CURRENT, 2)}
    assert not {name for class_id, name in reading if class_id == 12}


# --- the Association SN object ----------------------------------------------------------------------------


@pytest.mark.parametrize("version", range(5))
def test_every_attribute_is_of_its_declared_type(version):
    client = Reader(device(version))
    declaration = class_of(12, version)
    assert declaration is not None
    assert client.table().find(12, LogicalName(CURRENT)).version == version  # type: ignore[union-attr]
    for attribute in declaration.attributes:
        value = client.read(0xFA00 + 8 * (attribute.number - 1))
        assert attribute.data_type.mismatch(value) is None, attribute
        encode_data(value)
    if version == 0:
        assert client.read(RIGHTS) is UNDEFINED


@pytest.mark.parametrize(
    ("version", "mode", "attribute", "method"),
    [
        (1, AccessMode.READ | AccessMode.WRITE, Enum(3), True),
        (1, AccessMode.READ | AccessMode.AUTHENTICATED_REQUEST, Enum(1), True),
        (2, AccessMode.READ | AccessMode.AUTHENTICATED_REQUEST, Enum(4), Enum(2)),
        (3, AccessMode.READ | AccessMode.WRITE | AccessMode.AUTHENTICATED_REQUEST, Enum(6), Enum(2)),
        (3, AccessMode.NO_ACCESS, Enum(0), Enum(0)),
        (4, AccessMode.READ | AccessMode.SIGNED_RESPONSE, Enum(0x81), Enum(0x81)),
    ],
)
def test_rights_are_shown_in_the_form_of_the_version(version, mode, attribute, method):
    rights = AccessRights.full().allow(ENERGY, 2, mode).allow_method(ENERGY, 1, mode)
    shown = {int(each[0]): each for each in Reader(device(version, rights)).read(RIGHTS)}[0x0198]
    attributes = {int(each[0]): each for each in shown[1]}
    assert attributes[2] == Structure((Integer(2), attribute, None))
    assert type(attributes[2][1]) is type(attribute)
    assert shown[2] == Array((Structure((Integer(1), method)),))
    assert type(shown[2][0][1]) is type(method)


def test_selections_of_both_lists():
    client = Reader(device())
    registers = client.select(LIST, 1, LongUnsigned(3))
    assert [each[0] for each in registers] == [Long(0x0198)]
    energy = Structure((LongUnsigned(3), OctetString(LogicalName(ENERGY))))
    assert client.select(LIST, 2, energy) == registers[0]
    nothing = Structure((LongUnsigned(4), OctetString(LogicalName(ENERGY))))
    assert client.select(LIST, 2, nothing) is DataAccessResult.OBJECT_UNAVAILABLE
    rights = client.select(RIGHTS, 1, Long(-0x0600))
    assert rights == next(each for each in client.read(RIGHTS) if each[0] == -0x0600)
    attributes = {int(each[0]): each[2] for each in rights[1]}
    assert attributes[2] == Array((Integer(1), Integer(2)))
    assert attributes[3] == Array((Integer(1),))
    assert client.select(RIGHTS, 1, Long(0x0010)) is DataAccessResult.OBJECT_UNAVAILABLE


@pytest.mark.parametrize(
    ("name", "selector", "parameter"),
    [
        (LIST, 1, Unsigned(3)),
        (LIST, 2, LongUnsigned(3)),
        (LIST, 3, None),
        (RIGHTS, 2, Long(0)),
        (RIGHTS, 1, True),
        (RIGHTS, 1, OctetString(b"")),
        (0xFA18, 1, None),
    ],
)
def test_selections_that_there_are_not(name, selector, parameter):
    assert Reader(device()).select(name, selector, parameter) is DataAccessResult.TYPE_UNMATCHED


def test_version_0_selects_by_methods_and_not_by_selections():
    client = Reader(device(0))
    assert client.select(LIST, 1, LongUnsigned(3)) is DataAccessResult.TYPE_UNMATCHED
    registers = client.select(0xFA20, 0, LongUnsigned(3))
    assert [each[0] for each in registers] == [0x0198]
    energy = Structure((LongUnsigned(3), OctetString(LogicalName(ENERGY))))
    assert client.select(0xFA28, 0, energy) == registers[0]
    nothing = Structure((LongUnsigned(4), OctetString(LogicalName(ENERGY))))
    assert client.select(0xFA28, 0, nothing) is DataAccessResult.OBJECT_UNAVAILABLE
    assert client.select(0xFA28, 0, LongUnsigned(1)) is DataAccessResult.TYPE_UNMATCHED
    for unknown in (0xFA38, 0xFA50):
        assert client.select(unknown, 0, Integer(0)) in (UNDEFINED, DataAccessResult.TYPE_UNMATCHED)


def test_read_by_logicalname_reads_without_base_names_and_with_the_rights_of_each():
    rights = AccessRights.read_only().allow(TEXT, 2, AccessMode.NO_ACCESS)
    client = Reader(device(rights=rights))
    wanted = by_name((3, ENERGY, 2), (1, TEXT, 2), (3, ENERGY, 0), (4, ENERGY, 2), (12, CURRENT, 1))
    value, denied, whole, inconsistent, current = client.select(BY_NAME, 0, wanted)
    assert (value, denied, inconsistent, current) == (5, None, None, LogicalName(CURRENT))
    assert whole == Structure((OctetString(LogicalName(ENERGY)), 5, Structure((Integer(0), Enum(30)))))
    assert client.select(BY_NAME, 0, by_name((1, TEXT, 2))) is DENIED
    assert client.select(BY_NAME, 0, by_name()) == Array()


@pytest.mark.parametrize("parameter", [None, Integer(0), Array((Integer(1),)), Structure(())])
def test_read_by_logicalname_of_nothing_that_names_an_attribute(parameter):
    assert Reader(device()).select(BY_NAME, 0, parameter) is DataAccessResult.TYPE_UNMATCHED


def test_read_by_logicalname_waits_for_values_that_take_time():
    made = device()

    @made[ENERGY].getter("value")
    async def value() -> int:
        await asyncio.sleep(0)
        return 41

    async def ask() -> Any:
        pipe = Pipe(Server(made, time=lambda: 0.0))
        pipe.ask(open_request())
        wanted = by_name((3, ENERGY, 2), (1, TEXT, 2))
        assert pipe.ask(encode(ReadRequest((ParameterizedAccess(BY_NAME, 0, wanted),)))) == []
        await until(lambda: bool(pipe.out))
        return decode(pipe.answers()[0]).result[0]

    assert asyncio.run(ask()) == Array((DoubleLongUnsigned(41), OctetString(b"x")))


def secret_of(made: LogicalDevice, secret: bytes) -> bool:
    return made.associations[0].association_object.current_secret() == secret


@pytest.mark.parametrize("version", [0, 1, 3, 4])
def test_the_password_can_be_changed(version):
    made = device(version, secret="12345678")
    request = authenticated(1, b"12345678", ApplicationContext.SN, user_information=SN_INITIATE)
    client = Reader(made, request)
    assert client.write(CHANGE_SECRET, OctetString(b"")) is DataAccessResult.OTHER_REASON
    assert client.write(CHANGE_SECRET, OctetString(b"another")) is DataAccessResult.SUCCESS
    assert secret_of(made, b"another")
    if version == 0:
        assert client.write(0xFA48, OctetString(b"third")) is DataAccessResult.OTHER_REASON
    assert not secret_of(made, b"third")


def test_the_users_are_those_of_the_object():
    made = device(3)
    shown = made.associations[0].association_object
    shown.put("user_list", [(7, "Anna")])
    request = aarq(ApplicationContext.SN, calling_ae_invocation_identifier=7, user_information=SN_INITIATE)
    client = Reader(made, request)
    assert client.read(0xFA28) == Structure((Unsigned(7), VisibleString("Anna")))
    with pytest.raises(AssertionError):
        opened(made, 16, open_request())


def test_reply_to_HLS_is_no_method_where_there_is_no_HLS():
    assert Reader(device()).select(0xFA58, 0, OctetString(b"proof")) is UNDEFINED


@pytest.mark.parametrize("version", [-1, 5])
def test_other_versions_there_are_none(version):
    with pytest.raises(ConfigurationError):
        device(version)


def test_a_profile_of_ones_own_gets_the_short_names_of_the_device():
    made = LogicalDevice("TST0000000000001")
    profile = AssociationProfile(16, ApplicationContext.SN, conformance=ALL_SERVICES_SN)
    made.add_association(profile)
    assert [each.class_id for each in Reader(made).table()] == [12, 1]


# --- the demonstration meter, and reports -----------------------------------------------------------------


def test_the_demonstration_meter_gives_every_value_by_short_name_as_by_logical_name():
    meter = demonstration_meter(clock=MOMENT.to_datetime)
    short, logical = Reader(meter, open_request(size=0)), Client(meter)
    table = short.table()
    assert len(table) >= 38
    compared = 0
    for each in table:
        declared = class_of(each.class_id, each.version)
        assert declared is not None
        for attribute in declared.attributes:
            name = table.attribute(each.class_id, each.logical_name, attribute.number)
            if each.class_id in (7, 12) or name is None:
                continue
            value = short.read(name)
            assert value == logical.get(each.class_id, str(each.logical_name), attribute.number)
            compared += 1
    assert compared > 100


def reported(meter: LogicalDevice, *requests: bytes, **facts: Any) -> tuple[int, list[Any]]:
    """Return how many clients were told of an event, and the APDUs that the connection sent."""

    async def notify() -> tuple[int, list[Any]]:
        server = Server(meter, time=lambda: 0.0)
        pipe = Pipe(server)
        for request in requests:
            pipe.ask(request)
        told = server.notify(3, ENERGY, 2, DoubleLongUnsigned(6), **facts)
        return told, [decode(apdu) for apdu in pipe.answers()]

    return asyncio.run(notify())


def test_an_event_is_an_information_report_where_objects_have_short_names():
    told, (report,) = reported(device(), open_request(), time=MOMENT)
    assert told == 1
    assert report == InformationReportRequest(
        b"20261125120000Z", (VariableName(0x01A0),), (DoubleLongUnsigned(6),)
    )


def test_a_report_at_a_time_that_is_a_pattern_goes_without_it():
    told, (report,) = reported(
        device(), open_request(), time=DateTime(bytes.fromhex("FFFFFFFFFF0C000000000000"))
    )
    assert told == 1
    assert report.current_time is None


def test_nobody_is_told_of_what_it_does_not_see_or_did_not_agree_on():
    assert reported(device(rights=AccessRights.full().hide(ENERGY)), open_request()) == (0, [])
    assert reported(device(), open_request("1C1B00")) != (0, [])
    assert reported(device(), open_request("1C1A20")) == (0, [])
    assert reported(device()) == (0, [])
