"""Who is told of an attribute unasked gets it as protected as the answer to a GET would be, or is told nothing."""

from __future__ import annotations

import asyncio

import pytest

from cosem.apdu import decode, encode
from cosem.apdu.common import CosemAttributeDescriptor
from cosem.apdu.get import GetRequestNormal
from cosem.association.client.parameters import ALL_SERVICES_LN
from cosem.classes.standard.push_setup import RepetitionDelay, SendDestinationAndMethod, TransportService
from cosem.errors import KeyMissingError, UnsupportedError, VerificationError
from cosem.security.key_material import Key
from cosem.security.policy import ProtectionKind, SecurityPolicyV1
from cosem.server import AccessMode, Server
from cosem.server.objects.making import make_object
from cosem.server.push import push
from cosem.types.enumerations import Conformance
from tests.server.driver import Pipe, run
from tests.server.test_no_effect_without_answer import ID, NAME, VALUE, Meter, without
from tests.server.test_push import Receiver, entry

EVENTS = ALL_SERVICES_LN | Conformance.EVENT_NOTIFICATION
DESCRIPTOR = CosemAttributeDescriptor(3, NAME, 2)
S = ProtectionKind.SIGNED


def told(meter):
    kinds = meter.device.protection_of_telling(meter.association, NAME, 2)
    return meter.association.event_notification(DESCRIPTOR, VALUE, kinds=kinds)


@pytest.mark.parametrize("policy", [0, 0x20, 0x80, 0xE0])
@pytest.mark.parametrize("mode", range(0, 256, 32))
def test_a_notification_has_what_right_and_policy_demand(mode, policy):
    meter = Meter(*without(), policy=SecurityPolicyV1(policy), conformance=EVENTS)
    meter.rights.allow(NAME, 2, AccessMode(AccessMode.READ | mode))
    (octets,) = told(meter)
    clear, status = meter.protection.unprotect(octets)
    assert not ((mode | policy) >> 5) & ~int(status.kinds)
    assert decode(clear).attribute_value == VALUE


def test_what_cannot_be_signed_is_not_told():
    meter = Meter(*without(signing=None), conformance=EVENTS)
    meter.rights.allow(NAME, 2, AccessMode.READ | AccessMode.SIGNED_RESPONSE)
    with pytest.raises(KeyMissingError):
        told(meter)


def test_a_protection_that_cannot_strengthen_tells_nothing():
    meter = Meter(*without(), conformance=EVENTS)
    meter.association.protection = None
    assert meter.device.protection_of_telling(meter.association, NAME, 2) == 0
    meter.rights.allow(NAME, 2, AccessMode.READ | AccessMode.SIGNED_RESPONSE)
    assert meter.device.protection_of_telling(meter.association, NAME, 2) is None
    with pytest.raises(UnsupportedError):
        meter.association.event_notification(DESCRIPTOR, VALUE, kinds=int(S))


def test_new_keys_hold_for_what_is_told_next():
    meter = Meter(*without(), conformance=EVENTS)
    meter.rights.allow(NAME, 2, AccessMode.READ | AccessMode.SIGNED_RESPONSE)
    told(meter)
    meter.held.change_keys(encryption=Key(bytes(range(40, 56))))
    (octets,) = told(meter)
    with pytest.raises(VerificationError):
        meter.protection.unprotect(octets)


@pytest.mark.parametrize("signs", [True, False])
@run
async def test_a_server_passes_over_who_cannot_be_told_as_demanded(signs):
    meter = Meter(*without(**({} if signs else {"signing": None})), conformance=EVENTS)
    meter.rights.allow(NAME, 2, AccessMode.READ | AccessMode.SIGNED_RESPONSE)
    server = Server(meter.device)
    pipe = Pipe(server)
    request = meter.protection.protect(encode(GetRequestNormal(ID, CosemAttributeDescriptor(3, NAME, 3))))
    assert pipe.ask(request, client=1)
    assert server.notify(3, NAME, 2, VALUE) == int(signs)
    assert [S in meter.protection.unprotect(octets)[1].kinds for octets in pipe.answers()] == [True] * signs


@pytest.mark.parametrize("mode", [0, 0x20, 0x60, 0x80, 0xE0])
@pytest.mark.parametrize("attribute", [0, 2])
@run
async def test_a_push_has_what_the_rights_to_what_it_tells_demand(mode, attribute):
    meter = Meter(*without(), conformance=ALL_SERVICES_LN)
    meter.rights.allow(NAME, 2, AccessMode(AccessMode.READ | mode))
    receiver = Receiver()
    arrived = await push_once(meter, receiver, attribute)
    (octets,) = receiver.apdus
    _, status = meter.protection.unprotect(octets)
    assert arrived
    assert not (mode >> 5) & ~int(status.kinds)
    assert (S in status.kinds) is bool(mode & 0x80)


@run
async def test_a_push_that_cannot_be_signed_is_not_sent():
    meter = Meter(*without(signing=None), conformance=ALL_SERVICES_LN)
    meter.rights.allow(NAME, 2, AccessMode.READ | AccessMode.SIGNED_RESPONSE)
    receiver = Receiver()
    assert not await push_once(meter, receiver, 2)
    assert receiver.apdus == []


async def push_once(meter, receiver, attribute):
    """Have a meter push an attribute once, and return whether it arrived."""
    listening = await asyncio.get_running_loop().create_server(receiver.tcp, "127.0.0.1", 0)
    port = listening.sockets[0].getsockname()[1]
    setup = make_object(
        40, "0.1.25.9.0.255", push_object_list=(entry(3, str(NAME), attribute),), number_of_retries=0,
        send_destination_and_method=SendDestinationAndMethod(TransportService.TCP, f"127.0.0.1:{port}".encode(), 0),
        repetition_delay=RepetitionDelay(0, 100, 0),
    )  # fmt: skip
    meter.device.add(setup)
    arrived = await push(meter.device, setup)
    if arrived:
        async with asyncio.timeout(10):
            await receiver.came.wait()
    listening.close()
    return arrived
