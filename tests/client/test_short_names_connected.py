"""Short names over a real connection and from the outside: options, base names by hand, reports, security."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

import pytest

import cosem
from cosem.apdu import encode
from cosem.apdu.common import CosemAttributeDescriptor
from cosem.apdu.notification import EventNotificationRequest
from cosem.apdu.variable_access import InformationReportRequest, ParameterizedAccess, VariableName
from cosem.association.short_names.table import ShortNameTable
from cosem.client.security import HighGmac, HighMd5
from cosem.connecting.plan import plan_of
from cosem.errors import AccessError, ConfigurationError, ConversionError, SecurityError
from cosem.security.counters import VolatileCounterStore
from cosem.security.keys import Keys
from cosem.server import AccessRights, DataObject, LogicalDevice, Server, demonstration_meter, serve_in_thread
from cosem.server.security import secured_profile
from cosem.transport.observing import Observer
from cosem.types.data import (
    Array,
    DoubleLongUnsigned,
    Integer,
    LongUnsigned,
    OctetString,
    Structure,
    Unsigned,
    VisibleString,
)
from cosem.types.enumerations import ApplicationContext, AuthenticationMechanism, Conformance
from cosem.types.logical_name import LogicalName
from tests.client.meter import ENERGY, LIST, connected, connected_async, run_virtual, settled
from tests.client.test_short_names import SN, short_named

NOON = datetime(2026, 11, 25, 12, 7, tzinfo=UTC)
LOAD, DAY = "1-0:99.1.0", "2026-11-24"
TABLE = ShortNameTable.from_text("0198 8 0 0.0.1.0.0.255\n0288 3 0 1.0.1.8.0.255")
M = AuthenticationMechanism
KEYS = Keys.parse(
    client_title="MMM0000000001", server_title="MMM0000BC614E", guek=bytes(range(7, 23)), gak=bytes(range(99, 115)),
    hls_secret="sesame",
)  # fmt: skip
TEXT = VisibleString("a text that takes several blocks, since the longest APDU is short; " * 5)


@pytest.fixture(scope="module")
def url():
    with serve_in_thread(demonstration_meter(clock=lambda: NOON)) as address:
        yield address


class Apdus(Observer):
    """Keeps the tags of what the client sends."""

    def __init__(self) -> None:
        self.sent: list[int] = []

    def apdu_sent(self, apdu: bytes) -> None:
        self.sent.append(apdu[0])


# --- the same calls ---------------------------------------------------------------------------------------


def test_every_call_gives_the_same_as_by_logical_name(url):
    wanted = [
        "0-0:1.0.0",
        "1-0:1.8.0",
        "1-0:32.7.0",
        "1-0:1.6.0",
        "0-0:96.1.0",
        ("1-0:1.8.0", 3),
        "0-0:199.0.0",
    ]
    answers = []
    for short_names in (False, True):
        with cosem.connect(url, client=1, password="87654321", short_names=short_names) as meter:
            assert (meter.mapper_table is not None) is short_names
            profile = meter.profile(LOAD)
            answers.append(
                (
                    [result.value if result.ok else str(result.error) for result in meter.get_many(wanted)],
                    [
                        result.value if result.ok else str(result.error)
                        for result in meter.read_many(wanted[:5])
                    ],
                    profile.read(since=DAY, until=DAY).rows,
                    profile.read(entries=(2, 5)).rows,
                    profile.read(last="1h").rows,
                    meter.clock(),
                    meter.get(LOAD, 3),
                    str(meter.call("0-0:96.3.10", "remote_disconnect")),
                    [result.ok for result in meter.call_many([("0-0:96.3.10", 1), ("0-0:96.3.10", 2)])],
                    [
                        result.ok
                        for result in meter.set_many(
                            [
                                ("0-0:96.13.0", 2, OctetString(b"hello")),
                                ("1-0:1.8.0", 2, DoubleLongUnsigned(1)),
                            ]
                        )
                    ],
                    meter.get("0-0:96.13.0"),
                    {
                        (entry.class_id, str(entry.logical_name)): (
                            entry.attribute_rights,
                            entry.method_rights,
                        )
                        for entry in meter.objects()
                        if entry.class_id not in (12, 15)
                    },
                )
            )
    logical, short = answers
    assert logical == short
    assert len(logical[2]) == 96
    assert logical[8:11] == ([True, True], [True, False], b"hello")


def test_the_asynchronous_client_does_the_same_and_has_one_request_under_way(url):
    async def read() -> None:
        async with cosem.connect_async(f"{url}?short_names=1", parallel=8) as meter:
            values = await asyncio.gather(*(meter.read("1-0:1.8.0") for _ in range(5)))
            assert len({value.value for value in values}) == 1
            await meter.objects()
            assert all(entry.base_name is not None for entry in await meter.objects())

    asyncio.run(read())


def test_attributes_are_read_without_base_names_by_a_method_of_the_association(url):
    with cosem.connect(url, short_names=True) as meter:
        wanted = Array(
            Structure((LongUnsigned(class_id), OctetString(LogicalName(name)), Integer(2)))
            for class_id, name in ((1, "0-0:96.1.0"), (1, "0-0:199.0.0"))
        )
        assert meter.call("0-0:40.0.0", "read_by_logicalname", wanted) == Array(
            (meter.get("0-0:96.1.0"), None)
        )


# --- options ----------------------------------------------------------------------------------------------


def test_short_names_can_be_asked_for_in_the_url_or_the_call():
    for facts in ({}, {"short_names": None}, {"short_names": True}, {"short_names": TABLE}):
        assert plan_of("sim:?short_names=1", **facts).parameters.application_context is ApplicationContext.SN
    assert plan_of("sim:").parameters.application_context is ApplicationContext.LN
    assert plan_of("sim:?short_names=0").parameters.application_context is ApplicationContext.LN
    for facts in ({"short_names": False}, {"hls_selector": 2}):
        with pytest.raises(ConfigurationError):
            plan_of("sim:?short_names=1", **facts)
    with pytest.raises(ConfigurationError):
        plan_of("sim:?short_names=0", short_names=TABLE)


def test_base_names_that_are_given_are_not_asked_for(url):
    observer = Apdus()
    with cosem.connect(url, short_names=TABLE, observer=observer) as meter:
        assert meter.mapper_table is not None
        assert meter.get("1-0:1.8.0") == meter.read("1-0:1.8.0").raw
        with pytest.raises(AccessError, match="object-undefined"):
            meter.get("1-0:2.8.0")
        assert [str(entry.logical_name) for entry in meter.objects()] == [
            "0.0.1.0.0.255",
            "1.0.1.8.0.255",
            "0.0.40.0.0.255",
        ]
        listed = len(meter.mapper_table)
        assert len(meter.objects(refresh=True)) >= 40
        assert len(meter.mapper_table) > listed
        assert meter.get("1-0:2.8.0") > 0
    assert observer.sent[:3] == [0x60, 0x05, 0x05]


def test_a_mapper_table_by_hand_takes_the_place_of_what_was_known():
    client, _ = connected(short_named(), **SN)
    assert client.get(ENERGY) == 12_345_678
    assert client.objects()
    table = client.mapper_table
    assert table is not None
    voltage = table.find(3, LogicalName("1-0:32.7.0"))
    assert voltage is not None
    client.set_mapper_table(ShortNameTable.from_text(f"{voltage.base_name:04X} 3 0 {ENERGY}"))
    assert client.get(ENERGY) == 2304
    assert len(client.objects()) == 2


def test_a_table_that_is_not_whole_is_kept_when_the_association_opens():
    client, _ = connected(short_named(), opened=False, **SN)
    client.set_mapper_table(ShortNameTable(TABLE, complete=False))
    client._connection.run(client._association.open())
    assert client.mapper_table is not None
    assert client.mapper_table.find(8, LogicalName("0-0:1.0.0")) is not None
    assert client.mapper_table.find(12, LogicalName(LIST)) is not None
    assert not client.mapper_table.complete


def test_logical_names_have_no_mapper_table(url):
    with cosem.connect(url) as meter:
        assert meter.mapper_table is None
        with pytest.raises(ConfigurationError):
            meter.set_mapper_table(TABLE)


def test_a_text_that_is_no_table_says_which_line():
    with pytest.raises(ConversionError, match="line 2"):
        ShortNameTable.from_text("0198 8 0 0.0.1.0.0.255\n0199 3 0 1.0.1.8.0.255")


# --- what the meter sends by itself -------------------------------------------------------------------------


def report(*variables: int, values: int | None = None) -> bytes:
    given = len(variables) if values is None else values
    return encode(
        InformationReportRequest(
            None, tuple(map(VariableName, variables)), tuple(map(Unsigned, range(given)))
        )
    )


def test_a_report_is_an_event_for_each_variable_that_has_a_name():
    client, channel = connected(short_named(), **SN)
    client.objects()
    assert client.mapper_table is not None
    energy = client.mapper_table.attribute(3, LogicalName(ENERGY), 2)
    assert energy is not None
    channel.push(report(energy, 0x0010, energy + 8))
    first, second, third = (each.apdu for each in client.notifications(1))
    attribute = CosemAttributeDescriptor(3, LogicalName(ENERGY), 2)
    assert first == EventNotificationRequest(None, attribute, Unsigned(0))
    assert second == InformationReportRequest(None, (VariableName(0x0010),), (Unsigned(1),))
    assert third.cosem_attribute_descriptor.attribute_id == 3
    seen = []
    client.on_notification(seen.append)
    channel.push(report(energy, energy))
    assert client.get(ENERGY) == 12_345_678
    assert [each.apdu.attribute_value for each in seen] == [0, 1]
    client.on_notification(None)


def test_a_report_that_is_malformed_stays_as_it_came_with_a_finding():
    client, channel = connected(short_named(), **SN)
    octets = bytearray(report(0xFA08, 0xFA10, values=1))
    channel.push(bytes(octets))
    (notification,) = client.notifications(1)
    assert type(notification.apdu) is InformationReportRequest
    assert notification.findings[-1].startswith("information-report: 2 variables and 1 values")


def test_the_asynchronous_client_gets_the_same_events():
    async def test() -> None:
        client, transport = await connected_async(short_named(), **SN)
        await client.objects()
        assert client.mapper_table is not None
        energy = client.mapper_table.attribute(3, LogicalName(ENERGY), 2)
        assert energy is not None
        transport.push(report(energy, energy))
        await settled()
        found = [each.apdu.attribute_value async for each in client.notifications()]
        assert found == [0, 1]

    run_virtual(test)


def test_server_and_client_tell_of_an_event_in_the_same_words():
    server = Server(demonstration_meter())
    serving = serve_in_thread(server)
    with serving as address:
        events = []
        for short_names in (True, False):
            with cosem.connect(address, short_names=short_names) as client:
                client.objects()
                serving.call(server.notify, 3, "1-0:1.8.0", 2, DoubleLongUnsigned(9))
                events.append(next(iter(client.notifications(10))).apdu)
        assert events[0] == events[1]


# --- security -----------------------------------------------------------------------------------------------


@pytest.fixture
def secured():
    """Return the URL of a meter with secured associations by short names: 1 ciphered, 2 with a digest."""
    device = LogicalDevice("MMM12345678", objects=[DataObject("0.0.96.1.0.255", value=TEXT)])
    store = VolatileCounterStore()
    facts = {"counters": store, "short_names": True, "max_receive_pdu_size": 128}
    device.add_association(secured_profile(M.HLS_GMAC, KEYS, client_sap=1, **facts), AccessRights.full())
    profile = secured_profile(M.HLS_MD5, KEYS, client_sap=2, ciphered=False, **facts)
    device.add_association(profile, AccessRights.full(), secret="sesame")
    with serve_in_thread(device) as url:
        yield url


@pytest.mark.parametrize("selector", [0, 1])
def test_high_level_security_and_ciphering_with_blocks(secured, selector):
    security = HighGmac(KEYS, counters=VolatileCounterStore())
    facts = {"security": security, "max_pdu_size": 128, "short_names": True, "hls_selector": selector}
    with cosem.connect(secured, client=1, **facts) as meter:
        assert meter.conformance & Conformance.READ
        assert meter.get("0.0.96.1.0.255") == TEXT
        meter.set("0.0.96.1.0.255", 2, VisibleString("short " * 60))
        assert meter.get("0.0.96.1.0.255") == "short " * 60


def test_the_selector_of_the_option_is_sent():
    class Proofs(Observer):
        def apdu_sent(self, apdu: bytes) -> None:
            sent.append(cosem.decode(apdu))

    sent: list[object] = []
    device = LogicalDevice("MMM12345678")
    profile = secured_profile(M.HLS_MD5, KEYS, client_sap=2, ciphered=False, short_names=True)
    device.add_association(profile, secret="sesame")
    with serve_in_thread(device) as url:
        for selector in (0, 1):
            security = HighMd5("sesame")
            with cosem.connect(
                url, client=2, security=security, short_names=True, hls_selector=selector, observer=Proofs()
            ):
                pass
    reads = [
        each.variable_access_specification[0]
        for each in sent
        if hasattr(each, "variable_access_specification")
    ]
    assert [each.selector for each in reads if isinstance(each, ParameterizedAccess)] == [0, 1]


def test_a_secret_that_is_changed_holds_from_the_next_association_on(secured):
    first, second = HighMd5("sesame"), HighMd5("simsim")
    with cosem.connect(secured, client=2, security=first, short_names=True) as meter:
        meter.call("0-0:40.0.0", "change_secret", OctetString(b"simsim"))
    with pytest.raises(SecurityError):
        cosem.connect(secured, client=2, security=first, short_names=True)
    with cosem.connect(secured, client=2, security=second, short_names=True) as meter:
        assert meter.get("0.0.96.1.0.255") == TEXT
