"""ACCESS and general block transfer over real connections: TCP and UDP, in clear and with HLS-GMAC."""

from __future__ import annotations

import asyncio
import random

import pytest

import cosem
from cosem.association.client.blocks import BlockSettings
from cosem.association.server.profile import AssociationProfile
from cosem.client.batch import Call, Read, Write
from cosem.client.security import HighGmac
from cosem.errors import AccessError, ActionError, AssociationRefused, ConfigurationError
from cosem.security.counters import VolatileCounterStore
from cosem.security.keys import Keys
from cosem.server import (
    AccessRights,
    DataObject,
    LogicalDevice,
    RegisterObject,
    secured_profile,
    serve_in_thread,
)
from cosem.server.datagrams import Datagrams
from cosem.transport.observing import Observer
from cosem.types.data import DoubleLongUnsigned, OctetString
from cosem.types.enumerations import AuthenticationMechanism, Conformance

KEYS = Keys.parse(
    client_title="MMM0000000001", server_title="MMM0000BC614E", guek=bytes(range(7, 23)), gak=bytes(range(99, 115)),
)  # fmt: skip
LONG = OctetString(random.Random(7).randbytes(5000))
NAMES = [f"1.0.{n}.8.0.255" for n in range(1, 51)]
TEXT, WRITABLE = "0.0.96.1.0.255", "0.0.96.2.0.255"


ALWAYS = BlockSettings(always=True)


class Count(Observer):
    """Counts requests and answers, and notes the tags."""

    def __init__(self) -> None:
        self.sent: list[int] = []
        self.received: list[int] = []

    def apdu_sent(self, apdu: bytes) -> None:
        self.sent.append(apdu[0])

    def apdu_received(self, apdu: bytes) -> None:
        self.received.append(apdu[0])


def device() -> LogicalDevice:
    registers = [
        RegisterObject(name, value=DoubleLongUnsigned(number), scaler_unit=(0, 30))
        for number, name in enumerate(NAMES)
    ]
    made = LogicalDevice("MMM12345678", objects=[*registers, DataObject(TEXT, value=LONG)])
    made.add(DataObject(WRITABLE, value=DoubleLongUnsigned(1)))
    made.add_association(AssociationProfile(client_sap=16, max_receive_pdu_size=200), AccessRights.full())
    secured = secured_profile(
        AuthenticationMechanism.HLS_GMAC,
        KEYS,
        client_sap=1,
        counters=VolatileCounterStore(),
        max_receive_pdu_size=200,
    )
    made.add_association(secured, AccessRights.full())
    return made


@pytest.fixture(params=["tcp", "udp"])
def url(request):
    with serve_in_thread(device(), f"{request.param}://127.0.0.1:0") as address:
        yield address


def options(secured: bool) -> dict:
    if not secured:
        return {}
    return {"client": 1, "security": HighGmac(KEYS, counters=VolatileCounterStore())}


@pytest.mark.parametrize("secured", [False, True])
def test_long_values_both_ways(url, secured):
    count = Count()
    with cosem.connect(url, max_pdu_size=300, observer=count, **options(secured)) as meter:
        assert meter.get(TEXT) == LONG
        meter.set(TEXT, 2, OctetString(LONG[::-1]))
        assert meter.get(TEXT) == LONG[::-1]
    # Blocks carry no name of their exchange: in clear they go over what keeps the order alone.
    in_blocks = secured or url.startswith("tcp:")
    assert (count.received.count(0xE0) > 20) is in_blocks


@pytest.mark.parametrize("settings", [BlockSettings(window=1), BlockSettings(window=63, always=True)])
def test_windows(url, settings):
    with cosem.connect(url, max_pdu_size=300, block_transfer=settings) as meter:
        assert meter.get(TEXT) == LONG


def test_fifty_registers_in_few_requests(url):
    count = Count()
    with cosem.connect(url, max_pdu_size=300, observer=count, **options(True)) as meter:
        assert [result.value for result in meter.get_many((name, 2, 3) for name in NAMES)] == list(range(50))
        assert 0xC8 not in count.sent


@pytest.mark.parametrize("secured", [False, True])
def test_asynchronous_and_at_once(url, secured):
    async def test() -> None:
        async with cosem.connect_async(url, max_pdu_size=300, **options(secured)) as meter:
            values = await asyncio.gather(
                *(meter.get(TEXT) for _ in range(3)), meter.get(NAMES[4], class_id=3)
            )
            assert values == [LONG, LONG, LONG, 4]

    asyncio.run(test())


def test_several_at_once_do_without_general_blocks():
    async def test(address: str) -> None:
        async with cosem.connect_async(address, parallel=4, max_pdu_size=300) as meter:
            assert not meter.conformance & Conformance.GENERAL_BLOCK_TRANSFER
            assert await asyncio.gather(*(meter.get(TEXT) for _ in range(4))) == [LONG] * 4

    with serve_in_thread(device()) as address:
        asyncio.run(test(address))


BATCH = [
    Read(WRITABLE, class_id=1),
    Write(WRITABLE, 2, 77, class_id=1),
    Read(WRITABLE, "value", class_id=1),
    Call(NAMES[1], "reset", class_id=3),
    Read(NAMES[1], class_id=3),
    Read("0.0.99.98.0.255", class_id=1),
    Write(WRITABLE, 2, DoubleLongUnsigned(5), class_id=1),
]


@pytest.mark.parametrize("without", [Conformance(0), Conformance.ACCESS])
@pytest.mark.parametrize("breaks", [False, True])
def test_a_mixed_batch_with_access_and_without(url, without, breaks):
    from cosem.association.client.parameters import ALL_SERVICES_LN

    with cosem.connect(url, conformance=ALL_SERVICES_LN & ~without) as meter:
        results = meter.access(BATCH, break_on_error=breaks)
        assert [result.value for result in results[:5]] == [1, None, 77, None, 0]
        assert isinstance(results[5].error, AccessError)
        assert results[6].ok is not breaks
        assert meter.get(WRITABLE, class_id=1) == (77 if breaks else 5)
        (refused,) = meter.access([Call(NAMES[1], 9, class_id=3)])
        assert isinstance(refused.error, ActionError)
        with pytest.raises(ConfigurationError):
            meter.access([NAMES[1]])


def test_access_alone_does_what_get_set_and_action_do_otherwise():
    with (
        serve_in_thread(device()) as address,
        cosem.connect(address, conformance=Conformance.ACCESS) as meter,
    ):
        assert meter.get(NAMES[3], class_id=3) == 3
        meter.set(WRITABLE, 2, DoubleLongUnsigned(9), class_id=1)
        assert meter.get(WRITABLE, class_id=1) == 9
        meter.call(NAMES[3], 1, class_id=3)
        assert [each.value for each in meter.get_many([(NAMES[3], 2, 3), (NAMES[4], 2, 3)])] == [0, 4]
        with pytest.raises(AccessError):
            meter.get("0.0.99.98.0.255", class_id=1)


def test_a_network_that_loses_datagrams(monkeypatch):
    """Every sixth datagram of the meter gets lost once the association stands."""
    send = Datagrams.send
    sent = 0

    def losing(self: Datagrams, octets: bytes, addr: object) -> None:
        nonlocal sent
        sent += octets[8] == 0xE0
        if octets[8] != 0xE0 or sent % 6:
            send(self, octets, addr)

    monkeypatch.setattr(Datagrams, "send", losing)
    settings = BlockSettings(window=5, patience=0.05, repeats=20, always=True)
    with (
        serve_in_thread(device(), "udp://127.0.0.1:0") as address,
        cosem.connect(address, max_pdu_size=300, block_transfer=settings, **options(True)) as meter,
    ):
        for _ in range(3):
            assert meter.get(TEXT) == LONG
    assert sent > 50


def test_in_clear_over_datagrams_the_blocks_of_the_services_are_used(caplog):
    with serve_in_thread(device(), "udp://127.0.0.1:0") as address:
        with cosem.connect(address, max_pdu_size=300, block_transfer=ALWAYS) as meter:
            assert not meter.conformance & Conformance.GENERAL_BLOCK_TRANSFER
            assert meter.get(TEXT) == LONG
        assert caplog.messages == []
        with pytest.raises(AssociationRefused), cosem.connect(address, short_names=True):
            pass
        assert "passes for the next one" in caplog.text
